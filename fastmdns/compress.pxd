# SPDX-License-Identifier: Apache-2.0
"""Name compression (RFC 1035 §4.1.4), case kept: a name is reused only where its octets match (RFC 5936 §3.4)."""

from libc.stdint cimport uint8_t, uint16_t

cdef enum:
    # A page of 16 KiB holds about 800 labels; one of nothing but names of one-octet labels holds 8,000. Beyond
    # MAX_ENTRIES names are no longer learnt: still a correct message, only a longer one.
    TABLE_SIZE = 8192
    MAX_ENTRIES = 6144


cdef struct Entry:  # one name of the message: a label in front of a name that is in the message already
    uint16_t generation  # the entry is free where this is not the compressor's
    uint16_t tag  # part of the hash, spares most comparisons
    uint16_t tail  # where the rest of the name lies in the message; 0 = the rest is the root
    uint16_t offset  # where the label lies


cdef struct Compressor:  # zeroed memory is an empty one
    Entry entries[TABLE_SIZE]
    int count  # [0, MAX_ENTRIES]
    uint16_t generation  # of the running message; 0 only before the first reset
    uint16_t last  # where the name written last can be pointed at, 0 = nowhere

# Forget every name: a new message begins.
cdef void compressor_reset(Compressor *self) noexcept nogil

# Write the uncompressed name wire at message + pos, as short as what stands before it allows, and learn it.
# The position behind it. The message needs room for the whole name.
cdef Py_ssize_t compress_name(Compressor *self, uint8_t *message, Py_ssize_t pos, const uint8_t *wire) noexcept nogil
