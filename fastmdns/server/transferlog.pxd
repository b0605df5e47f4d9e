# SPDX-License-Identifier: Apache-2.0
"""One line at the start and one at the end of each transfer, formatted in C and written once per turn of the loop."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from fastmdns.answer cimport Peer


cdef enum:
    LOG_ROOM = 65536
    LINE_ROOM = 8192  # the longest line: two names of 1,024 octets as text, doubled by JSON's escapes in the worst case


cdef struct Subject:  # what both lines say
    const uint8_t *apex  # wire, borrowed
    int apex_length
    const char *key  # text of the TSIG key's name, "" without; borrowed
    const Peer *peer
    uint32_t serial
    bint ixfr


cdef class TransferLog:
    cdef char buffer[LOG_ROOM]
    cdef int used
    cdef int form  # logs.TEXT, JOURNAL or JSON
    cdef int fd
    cdef bint on

    cdef void started(self, const Subject *subject) noexcept nogil
    # reason: NULL, or why it did not reach its end.
    cdef void ended(self, const Subject *subject, uint64_t messages, uint64_t records, uint64_t octets, double seconds,
                    const char *reason) noexcept nogil
    cdef void flush(self) noexcept nogil
    cdef void _line(self, const char *level, int priority, const char *event, const Subject *subject,
                    const char *totals) noexcept nogil
    cdef void _text_line(self, const char *start, const char *zone, const char *peer, const Subject *subject,
                         const char *totals) noexcept nogil
    cdef void _json_line(self, const char *start, const char *zone, const char *peer, const Subject *subject,
                         const char *totals) noexcept nogil
