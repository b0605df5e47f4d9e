# SPDX-License-Identifier: Apache-2.0
"""The records of one zone in memory: one arena, one index. What a zone file parses into and an image is built from."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef struct Record:  # a view; all pointers borrowed from the arena
    const uint8_t *owner  # uncompressed wire, case as given
    const uint8_t *key  # canonical key of the owner (name.pxd)
    const uint8_t *rdata  # uncompressed wire
    uint32_t ttl
    uint16_t rrtype
    uint16_t rdlength
    uint16_t key_length
    uint8_t owner_length
    uint64_t owner_id  # records with one owner_id share their owner's octets; different ids may still be equal names


cdef struct Owner:  # in the arena; the name and then its key follow
    uint16_t key_length
    uint8_t length


cdef struct Entry:  # in the arena; the rdata follows
    uint32_t owner_back  # where the owner lies, in units of 8 octets back from here
    uint32_t line
    uint32_t ttl
    uint16_t rrtype
    uint16_t rdlength


cdef struct Block:  # of the arena; its octets follow
    Block *before  # owned, NULL = none
    uint64_t start  # position of its octets in the arena: those of all blocks before it
    uint64_t used, room


cdef struct Slot:
    uint64_t prefix  # first 8 octets of the key behind the apex's key, big-endian: sorts without touching the arena
    Entry *entry  # borrowed from the arena


cdef class Records:
    cdef Block *block  # owned: the arena's last one, NULL = none yet
    cdef Slot *slots  # owned
    cdef Py_ssize_t count, slot_room
    cdef readonly bytes apex  # wire, case as given
    cdef int apex_key_length
    cdef bint in_order  # canonical order so far (owner key, type, rdata), no two alike: no sort needed
    cdef uint32_t line  # set before append: the line the next records come from
    cdef Owner *last_owner  # of the last record appended, where the next one may share it; NULL = nowhere
    cdef list sources  # (position in the arena, file, lines before): where the records from there on come from

    # Room for about that many octets and records at once; a hint that saves growing. OK or NO_MEMORY.
    cdef int reserve(self, uint64_t octets, Py_ssize_t records) noexcept nogil
    # OK or NO_MEMORY. The owner must be a valid name within the apex; both are copied. A record may settle a few slots
    # before the end, among those of its owner.
    cdef int append(self, const uint8_t *owner, int owner_length, uint16_t rrtype, uint32_t ttl, const uint8_t *rdata,
                    uint16_t rdlength) noexcept nogil
    # The other's records behind these, as if they had been appended; the other is left empty. OK or NO_MEMORY.
    cdef int absorb(self, Records other) noexcept nogil
    cdef Record at(self, Py_ssize_t index) noexcept nogil
    # Canonical order (owner key, type, rdata by memcmp), exact duplicates dropped (RFC 2181 §5). Stable. Python: sort().
    cdef int put_in_order(self) noexcept nogil
    # The records of the rrset that begins at index, in order: the index behind its last one.
    cdef Py_ssize_t rrset_end(self, Py_ssize_t index) noexcept nogil
