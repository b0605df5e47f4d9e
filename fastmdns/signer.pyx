# SPDX-License-Identifier: Apache-2.0
"""Signs the messages of one transfer in order, each chained to the one before (RFC 8945 §5.3.1).

A transfer of a million records has 1,600 messages, so what is done for each is two copies of begun hashes, three updates
and stores into a record that stands ready: key name, algorithm and id never change within a stream.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy
from fastmdns.wire cimport HEADER_SIZE, store_u16, store_u32

from time import time

from fastmdns.tsig import FUDGE, blank_record

cdef enum:
    TIMERS_SIZE = 8  # time signed and fudge
    MAC_BEHIND_TIME = 10  # time signed, fudge, size of the MAC


cdef inline void store_u48(uint8_t *at, uint64_t value) noexcept nogil:
    store_u16(at, <uint16_t>(value >> 32))
    store_u32(at + 2, <uint32_t>value)


cdef class StreamSigner:
    def __cinit__(self, key, bytes request_mac not None, int ident, clock=time):
        cdef bytes record = blank_record(key, ident)
        if len(record) > MAX_TSIG or len(request_mac) > 64:
            raise ValueError("a TSIG record or MAC is longer than any can be")
        self.key = key
        self.inner_copy, self.outer_copy = key.begun()
        self.clock = clock
        self.size = len(record)
        memcpy(self.record, PyBytes_AS_STRING(record), self.size)
        self.mac_size = key.algorithm.size
        self.time_at = len(key.wire) + 10 + len(key.algorithm.wire)
        self.mac_at = self.time_at + MAC_BEHIND_TIME
        self.first = True
        self.chain(<const uint8_t *>PyBytes_AS_STRING(request_mac), len(request_mac))

    def sign(self, bytes header not None, *parts):
        """The record for the message made of header and parts, whose header does not count the record yet."""
        cdef uint8_t out[MAX_TSIG]
        if len(header) != HEADER_SIZE:
            raise ValueError("the header of a message has 12 octets")
        return PyBytes_FromStringAndSize(<char *>out, self.sign_into(header, parts, out))

    cdef Py_ssize_t sign_into(self, const uint8_t *header, tuple parts, uint8_t *out) except -1:
        cdef bytes mac
        self.seconds = max(<uint64_t>self.clock(), self.seconds)  # time may not go back in a stream
        store_u48(self.record + self.time_at, self.seconds)
        memcpy(self.chained + self.chained_size, header, HEADER_SIZE)
        inner, outer = self.inner_copy(), self.outer_copy()
        inner.update(PyBytes_FromStringAndSize(<char *>self.chained, self.chained_size + HEADER_SIZE))
        for part in parts:
            inner.update(part)
        inner.update(self.tail())
        outer.update(inner.digest())
        mac = outer.digest()
        memcpy(self.record + self.mac_at, PyBytes_AS_STRING(mac), self.mac_size)
        self.chain(self.record + self.mac_at, self.mac_size)
        memcpy(out, self.record, self.size)
        return self.size

    cdef void chain(self, const uint8_t *mac, Py_ssize_t size) noexcept nogil:
        """The next message is digested behind this MAC."""
        store_u16(self.chained, <uint16_t>size)
        memcpy(self.chained + 2, mac, size)
        self.chained_size = 2 + size

    cdef bytes tail(self):
        """What is digested behind a message: all variables once (§4.3.3), then the timers only."""
        if self.first:
            self.first = False
            return self.key.variables(self.seconds, FUDGE)
        return PyBytes_FromStringAndSize(<char *>self.record + self.time_at, TIMERS_SIZE)
