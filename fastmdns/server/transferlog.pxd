# SPDX-License-Identifier: Apache-2.0
"""One line at the start and one at the end of each transfer, formatted in C and written many at a time."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from posix.time cimport time_t
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
    cdef int used  # of buffer; at least LINE_ROOM is free when a line begins
    cdef int form  # logs.TEXT, JOURNAL or JSON
    cdef int fd
    cdef bint on
    cdef char second_text[32]  # of `second`: most lines share it with the one before
    cdef time_t second
    cdef char peer_text[80]  # of `peer`, for the same reason
    cdef Peer peer

    cdef void started(self, const Subject *subject) noexcept nogil
    # reason: NULL, or why it did not reach its end.
    cdef void ended(self, const Subject *subject, uint64_t messages, uint64_t records, uint64_t octets,
                    uint64_t nanoseconds, const char *reason) noexcept nogil
    cdef void flush(self) noexcept nogil

    cdef void _begin(self, const char *event, bint failed, const Subject *subject) noexcept nogil
    cdef void _end(self) noexcept nogil
    cdef void _head(self, bint failed) noexcept nogil
    cdef void _time(self) noexcept nogil
    cdef void _peer(self, const Peer *peer) noexcept nogil
    cdef void _text(self, const char *text) noexcept nogil
    cdef void _number(self, uint64_t number, int least_digits) noexcept nogil
    cdef void _field(self, const char *key, const char *text) noexcept nogil
    cdef void _number_field(self, const char *key, uint64_t number) noexcept nogil
    cdef void _quoted(self, const char *text) noexcept nogil
