# SPDX-License-Identifier: Apache-2.0
"""The zone image: the packed row of the `zones` table, and how a page lies in the store.

A page's value is `ancount (u16 BE)` + body. On the wire a page i >= 1 is a fresh 12-octet header + body; page 0's body
follows header + question + head. Page key = image id (u32 BE) + separator; page 0's separator is empty.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy


cdef enum:
    ROW_FORMAT = 1  # of ZoneHeader; a row of any other number is not read
    READY = 1  # bit of ZoneHeader.flags: the zone has an image
    PAGE_PREFIX = 2  # octets of a page's value before its body: ancount, big-endian
    # A value of more than 4 × 4096 - 16 would spill into a fifth LMDB page: overflow values carry a 16-octet header.
    PAGE_LIMIT = 16368
    MAX_PAGE_KEY = 511  # LMDB's largest key


cdef packed struct ZoneHeader:  # little-endian in the store; apex, head, tail and plain follow it in this order
    uint8_t format
    uint8_t flags
    uint16_t head_length
    uint16_t tail_length
    uint16_t plain_length
    uint32_t serial
    uint32_t image
    uint32_t page_count
    uint32_t largest  # octets of the largest message, header and question included, before TSIG and OPT
    uint64_t record_count  # all RRs, the SOA once
    uint64_t octets  # of all page values
    uint32_t expire  # SOA EXPIRE
    uint8_t apex_length


cdef struct ZoneView:  # one row of the zones table; the pointers are borrowed from it
    ZoneHeader header
    const uint8_t *apex  # stored case
    const uint8_t *head  # SOA RR, owner = C00C, its names compressed against the question (apex as stored)
    const uint8_t *tail  # SOA RR that ends a transfer: against question + head if page_count == 1, else body at 12
    const uint8_t *plain  # SOA RR without any compression


cdef inline bint zone_view(const uint8_t *value, Py_ssize_t size, ZoneView *out) noexcept nogil:
    """Read one row of the zones table. False where it is none of this format or cut short."""
    cdef Py_ssize_t rest = size - <Py_ssize_t>sizeof(ZoneHeader)
    cdef ZoneHeader *header = &out.header
    if rest < 0:
        return False
    memcpy(&out.header, value, sizeof(ZoneHeader))
    if header.format != ROW_FORMAT:
        return False
    if rest < header.apex_length + header.head_length + header.tail_length + header.plain_length:
        return False
    out.apex = value + sizeof(ZoneHeader)
    out.head = out.apex + header.apex_length
    out.tail = out.head + header.head_length
    out.plain = out.tail + header.tail_length
    return True
