# SPDX-License-Identifier: Apache-2.0
"""The TSIG records of one transfer's messages, made without Python objects but for the hashes."""

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    MAX_TSIG = 640  # octets of a TSIG record: two names of 255, a MAC of 64, and 26 fixed


cdef class StreamSigner:
    cdef object key, inner_copy, outer_copy, clock
    cdef uint8_t record[MAX_TSIG]  # as it was written last; the next differs in time and MAC only
    cdef Py_ssize_t size, time_at, mac_at, mac_size
    cdef uint8_t chained[66 + 12]  # what is digested first: the MAC before with its length, and the message's header
    cdef Py_ssize_t chained_size  # without the header
    cdef uint64_t seconds
    cdef bint first

    # The record for header (12 octets, which do not count the record yet) and parts → out, which has room for it: the
    # octets written.
    cdef Py_ssize_t sign_into(self, const uint8_t *header, tuple parts, uint8_t *out) except -1
    cdef void chain(self, const uint8_t *mac, Py_ssize_t size) noexcept nogil
    cdef bytes tail(self)
