# SPDX-License-Identifier: Apache-2.0
"""Name compression: a trie of the labels in one message, kept as a hash table (tail, label) → offset.

A name is looked up from its root side; what is found becomes one pointer, what is not is written and learnt. The table
is never cleared: every message has a generation, and entries of another one count as free.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from fastmdns.name cimport name_length
from fastmdns.wire cimport HEADER_SIZE, MAX_MESSAGE, MAX_NAME, MAX_POINTER, store_u16

from fastmdns.errors import WireError

cdef enum:
    MAX_LABELS = 128  # 127 labels of one octet and the root are 255 octets


cdef void compressor_reset(Compressor *self) noexcept nogil:
    self.count = 0
    self.last = 0
    self.generation += 1
    if self.generation == 0:  # after 65,535 messages the old stamps would read as fresh
        memset(self.entries, 0, sizeof(self.entries))
        self.generation = 1


cdef inline uint64_t load_word(const uint8_t *at, int size) noexcept nogil:
    """2 to 8 octets at once, by two loads that may overlap."""
    cdef uint64_t word = 0
    cdef uint32_t low = 0, high = 0
    cdef uint16_t pair
    if size >= 8:
        memcpy(&word, at, 8)
    elif size >= 4:
        memcpy(&low, at, 4)
        memcpy(&high, at + size - 4, 4)
        word = (<uint64_t>high << 32) | low
    else:
        memcpy(&pair, at, 2)
        word = (<uint64_t>at[size - 1] << 16) | pair
    return word


cdef inline uint64_t mix(uint64_t hashed, uint64_t word) noexcept nogil:
    hashed = (hashed ^ word) * <uint64_t>0x9E3779B97F4A7C15
    return hashed ^ (hashed >> 29)


cdef inline uint64_t hash_label(const uint8_t *label, uint16_t tail) noexcept nogil:
    """Of the length octet, the label and what it stands in front of."""
    cdef int size = 1 + label[0], at = 0
    cdef uint64_t hashed = <uint64_t>tail * <uint64_t>0xD6E8FEB86659FD93
    while size - at > 8:
        hashed = mix(hashed, load_word(label + at, 8))
        at += 8
    if at:  # the last 8 octets, some of them for the second time
        return mix(hashed, load_word(label + size - 8, 8))
    return mix(hashed, load_word(label, size))


cdef inline Entry *find(Compressor *self, const uint8_t *message, const uint8_t *label, uint16_t tail) noexcept nogil:
    """The entry of the name label + tail, or the free entry where it belongs."""
    cdef uint64_t hashed = hash_label(label, tail)
    cdef uint16_t tag = <uint16_t>(hashed >> 48)
    cdef uint32_t index = <uint32_t>(hashed >> 16) & (TABLE_SIZE - 1)
    cdef Entry *entry = &self.entries[index]
    while entry.generation == self.generation:
        if entry.tag == tag and entry.tail == tail and not memcmp(message + entry.offset, label, 1 + label[0]):
            return entry
        index = (index + 1) & (TABLE_SIZE - 1)
        entry = &self.entries[index]
    entry.tag = tag
    return entry


cdef inline void learn(Compressor *self, Entry *entry, uint16_t tail, uint16_t offset) noexcept nogil:
    entry.generation = self.generation
    entry.tail = tail
    entry.offset = offset
    self.count += 1


cdef Py_ssize_t compress_name(Compressor *self, uint8_t *message, Py_ssize_t pos, const uint8_t *wire) noexcept nogil:
    cdef uint8_t starts[MAX_LABELS]
    cdef int unknown = 0, at = 0
    cdef uint16_t tail = 0
    cdef Entry *entry = NULL
    while wire[at]:
        starts[unknown] = <uint8_t>at
        unknown += 1
        at += 1 + wire[at]
    starts[unknown] = <uint8_t>at
    while unknown:
        entry = find(self, message, wire + starts[unknown - 1], tail)
        if entry.generation != self.generation:
            break
        tail = entry.offset
        unknown -= 1
    memcpy(message + pos, wire, starts[unknown])
    cdef Py_ssize_t end = pos + starts[unknown]
    if tail:
        store_u16(message + end, 0xC000 | tail)
        end += 2
    else:
        message[end] = 0
        end += 1
    self.last = learn_labels(self, message, pos, wire, starts, unknown, entry, tail)
    return end


cdef inline uint16_t learn_labels(Compressor *self, const uint8_t *message, Py_ssize_t pos, const uint8_t *wire,
                                  const uint8_t *starts, int unknown, Entry *entry, uint16_t tail) noexcept nogil:
    """Learn the labels just written at pos, root side first. Where the whole name lies now, or 0."""
    cdef Py_ssize_t offset
    while unknown:
        unknown -= 1
        offset = pos + starts[unknown]
        if offset > MAX_POINTER or self.count >= MAX_ENTRIES:
            return 0
        learn(self, entry, tail, <uint16_t>offset)
        tail = <uint16_t>offset
        if unknown:
            entry = find(self, message, wire + starts[unknown - 1], tail)
    return tail


def compress(names):
    """The octets of names written one after the other into a message, from offset 12 on."""
    cdef Compressor *compressor = <Compressor *>calloc(1, sizeof(Compressor))
    cdef uint8_t *message = <uint8_t *>calloc(1, MAX_MESSAGE + MAX_NAME)
    cdef Py_ssize_t pos = HEADER_SIZE
    try:
        if compressor == NULL or message == NULL:
            raise MemoryError
        compressor_reset(compressor)
        for name in names:
            if len(name) == 0 or name_length(name, len(name)) != len(name):
                raise WireError("no valid name")
            if pos > MAX_MESSAGE - MAX_NAME:
                raise WireError("does not fit into a DNS message", pos)
            pos = compress_name(compressor, message, pos, name)
        return message[HEADER_SIZE:pos]
    finally:
        free(compressor)
        free(message)
