# SPDX-License-Identifier: Apache-2.0
"""The rows of rrtypes.py compiled into C arrays at import. Nothing writes them afterwards, so no lock guards them."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from fastmdns import rrtypes


cdef enum:
    LOW_TYPES = 512  # types below have a direct index; the few above are searched
    MAX_SHAPES = 160
    MAX_WORDS = 64
    HASH_SLOTS = 512


cdef struct Slot:  # of the hash of mnemonics
    uint64_t head, tail  # up to 16 characters, upper case
    uint16_t rrtype
    bint used


cdef struct Word:  # a mnemonic that stands for a number in fields of one kind
    uint8_t kind
    uint8_t value
    uint8_t size
    char text[20]


cdef Shape SHAPES[MAX_SHAPES]  # 0 is the shape of every type without a row
cdef int SHAPE_COUNT = 1
cdef uint8_t LOW[LOW_TYPES]  # type → index in SHAPES
cdef Slot SLOTS[HASH_SLOTS]
cdef Word WORDS[MAX_WORDS]
cdef int WORD_COUNT = 0
cdef uint8_t FIXED[KIND_COUNT]  # octets of the kinds whose size is fixed, 0 for others


cdef inline uint32_t slot_of(uint64_t head, uint64_t tail) noexcept nogil:
    return <uint32_t>(((head ^ (tail * <uint64_t>0x9E3779B97F4A7C15ULL)) * <uint64_t>0xFF51AFD7ED558CCDULL) >> 55)


cdef inline void pack_word(const char *text, Py_ssize_t size, uint64_t *head, uint64_t *tail) noexcept nogil:
    """Up to 16 characters in upper case as two numbers."""
    cdef Py_ssize_t pos
    head[0] = 0
    tail[0] = 0
    for pos in range(size if size < 8 else 8):
        head[0] = (head[0] << 8) | upper(<uint8_t>text[pos])
    for pos in range(8, size):
        tail[0] = (tail[0] << 8) | upper(<uint8_t>text[pos])


cdef void add_slot(Shape *shape) noexcept:
    cdef uint64_t head, tail
    cdef uint32_t slot
    pack_word(shape.name, shape.name_size, &head, &tail)
    slot = slot_of(head, tail)
    while SLOTS[slot].used:
        slot = (slot + 1) % HASH_SLOTS
    SLOTS[slot] = Slot(head, tail, shape.rrtype, True)


cdef int compile_field(Field *field, object source) except -1:
    field.kind = Kind[type(source).__name__]
    for attribute in ("compress", "least", "back"):
        field.detail |= getattr(source, attribute, 0)
    for value, length in getattr(source, "lengths", ()):
        field.lengths[field.length_count] = Lengths(value, length)
        field.length_count += 1
    return 0


cdef int compile_row(Shape *shape, object row) except -1:
    cdef bytes name = row.name.encode()
    shape.rrtype = row.number
    shape.rare = row.rare
    shape.meta = row.meta
    shape.name_size = <uint8_t>len(name)
    memcpy(shape.name, PyBytes_AS_STRING(name), len(name))
    for source in row.fields:
        compile_field(&shape.fields[shape.count], source)
        shape.compressible += getattr(source, "compress", False)
        shape.count += 1
    return 0


cdef int compile_words() except -1:
    global WORD_COUNT
    for kind, words in rrtypes.WORDS.items():
        for word, value in words.items():
            WORDS[WORD_COUNT].kind = Kind[kind.__name__]
            WORDS[WORD_COUNT].value = value
            WORDS[WORD_COUNT].size = <uint8_t>len(word)
            text = word.encode()
            memcpy(WORDS[WORD_COUNT].text, PyBytes_AS_STRING(text), len(word))
            WORD_COUNT += 1
    return 0


cdef int compile_table() except -1:
    global SHAPE_COUNT
    for row in rrtypes.rows():
        compile_row(&SHAPES[SHAPE_COUNT], row)
        add_slot(&SHAPES[SHAPE_COUNT])
        if row.number < LOW_TYPES:
            LOW[row.number] = <uint8_t>SHAPE_COUNT
        SHAPE_COUNT += 1
    compile_words()
    for kind, size in (
        (U8, 1), (ALGORITHM, 1), (SCHEME, 1), (U16, 2), (TYPE, 2), (CERTIFICATE, 2), (U32, 4), (PERIOD, 4), (TIME, 4),
        (IPv4, 4), (IPv6, 16), (U64, 8), (LOCATOR, 8), (EUI48, 6), (EUI64, 8),
    ):
        FIXED[<int>kind] = size
    return 0


compile_table()


cdef const Shape *shape_of(uint16_t rrtype) noexcept nogil:
    cdef int index
    if rrtype < LOW_TYPES:
        return &SHAPES[LOW[rrtype]]
    for index in range(SHAPE_COUNT - 1, 0, -1):  # those above stand at the table's end
        if SHAPES[index].rrtype < LOW_TYPES:
            break
        if SHAPES[index].rrtype == rrtype:
            return &SHAPES[index]
    return &SHAPES[0]


cdef int fixed_size(int kind) noexcept nogil:
    return FIXED[kind]


cdef int type_number(const char *text, Py_ssize_t size) noexcept nogil:
    """The number in TYPE123, or -1."""
    cdef int value = 0
    cdef Py_ssize_t pos
    cdef int digit
    if size < 5 or size > 9:
        return -1
    for pos in range(4):
        if upper(<uint8_t>text[pos]) != <uint8_t>(b"TYPE"[pos]):
            return -1
    for pos in range(4, size):
        digit = text[pos] - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value if value <= 0xFFFF else -1


cdef int rrtype_from_text(const char *text, Py_ssize_t size) noexcept nogil:
    cdef uint64_t head, tail
    cdef uint32_t slot
    if size < 1 or size > 16:
        return -1
    pack_word(text, size, &head, &tail)
    slot = slot_of(head, tail)
    while SLOTS[slot].used:
        if SLOTS[slot].head == head and SLOTS[slot].tail == tail:
            return SLOTS[slot].rrtype
        slot = (slot + 1) % HASH_SLOTS
    return type_number(text, size)


cdef bint same_word(const char *text, const char *word, Py_ssize_t size) noexcept nogil:
    """Whether a text is a word, which is in upper case, whatever the text's own."""
    cdef Py_ssize_t pos
    for pos in range(size):
        if upper(<uint8_t>text[pos]) != <uint8_t>word[pos]:
            return False
    return True


cdef int number_of_word(int kind, const char *text, Py_ssize_t size) noexcept nogil:
    cdef int index
    for index in range(WORD_COUNT):
        if WORDS[index].kind == kind and WORDS[index].size == size and same_word(text, WORDS[index].text, size):
            return WORDS[index].value
    return -1


cdef int word_of_number(int kind, uint64_t number, const char **text) noexcept nogil:
    cdef int index
    for index in range(WORD_COUNT):
        if WORDS[index].kind == kind and WORDS[index].value == number:
            text[0] = WORDS[index].text
            return WORDS[index].size
    return 0
