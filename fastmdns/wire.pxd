# SPDX-License-Identifier: Apache-2.0
"""Byte order and bounds: a borrowed reader and a borrowed writer whose errors stick.

Neither owns memory. A status is OK until the first failure and then keeps that failure, so ten reads need one check
at the end; a failed read gives 0, a failed write leaves the data untouched. All leaves are noexcept nogil.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy


cdef enum Status:  # the reasons stand in errors.STATUS_REASON, in this order
    OK = 0
    SHORT
    OVERFLOW
    BAD_LABEL
    NAME_TOO_LONG
    BAD_POINTER
    BAD_ESCAPE
    BAD_NUMBER
    OUT_OF_RANGE
    BAD_IPV4
    BAD_IPV6
    BAD_HEX
    BAD_BASE64
    STRING_TOO_LONG
    MISSING_FIELD
    EXTRA_TEXT
    EXTRA_OCTETS
    BAD_VALUE
    RELATIVE_NAME
    BAD_TYPE
    BAD_TIME
    RARE
    NO_MEMORY


cdef enum:
    MAX_NAME = 255  # octets of an uncompressed name, RFC 1035 §2.3.4
    MAX_LABEL = 63
    MAX_MESSAGE = 65535
    HEADER_SIZE = 12
    MAX_POINTER = 0x3FFF  # the last offset a compression pointer reaches, RFC 1035 §4.1.4


cdef struct Reader:
    const uint8_t *data  # borrowed
    Py_ssize_t size
    Py_ssize_t pos  # [0, size]
    int status


cdef struct Writer:
    uint8_t *data  # borrowed
    Py_ssize_t size  # the room
    Py_ssize_t pos  # [0, size]
    int status


cdef inline void reader_init(Reader *reader, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    reader.data = data
    reader.size = size
    reader.pos = 0
    reader.status = OK


cdef inline bint can_read(Reader *reader, Py_ssize_t count) noexcept nogil:
    if reader.status == OK and count >= 0 and reader.size - reader.pos >= count:
        return True
    if reader.status == OK:
        reader.status = SHORT
    return False


cdef inline uint8_t read_u8(Reader *reader) noexcept nogil:
    if not can_read(reader, 1):
        return 0
    reader.pos += 1
    return reader.data[reader.pos - 1]


cdef inline uint16_t load_u16(const uint8_t *at) noexcept nogil:
    return <uint16_t>((<uint16_t>at[0] << 8) | at[1])


cdef inline uint32_t load_u32(const uint8_t *at) noexcept nogil:
    return (<uint32_t>at[0] << 24) | (<uint32_t>at[1] << 16) | (<uint32_t>at[2] << 8) | at[3]


cdef inline void store_u16(uint8_t *at, uint16_t value) noexcept nogil:
    at[0] = <uint8_t>(value >> 8)
    at[1] = <uint8_t>(value & 0xFF)


cdef inline void store_u32(uint8_t *at, uint32_t value) noexcept nogil:
    at[0] = <uint8_t>(value >> 24)
    at[1] = <uint8_t>((value >> 16) & 0xFF)
    at[2] = <uint8_t>((value >> 8) & 0xFF)
    at[3] = <uint8_t>(value & 0xFF)


cdef inline uint16_t read_u16(Reader *reader) noexcept nogil:
    if not can_read(reader, 2):
        return 0
    reader.pos += 2
    return load_u16(reader.data + reader.pos - 2)


cdef inline uint32_t read_u32(Reader *reader) noexcept nogil:
    if not can_read(reader, 4):
        return 0
    reader.pos += 4
    return load_u32(reader.data + reader.pos - 4)


cdef inline const uint8_t *read_octets(Reader *reader, Py_ssize_t count) noexcept nogil:
    """Borrow the next count octets, or NULL."""
    if not can_read(reader, count):
        return NULL
    reader.pos += count
    return reader.data + reader.pos - count


cdef inline void writer_init(Writer *writer, uint8_t *data, Py_ssize_t size) noexcept nogil:
    writer.data = data
    writer.size = size
    writer.pos = 0
    writer.status = OK


cdef inline bint can_write(Writer *writer, Py_ssize_t count) noexcept nogil:
    if writer.status == OK and count >= 0 and writer.size - writer.pos >= count:
        return True
    if writer.status == OK:
        writer.status = OVERFLOW
    return False


cdef inline void write_u8(Writer *writer, uint8_t value) noexcept nogil:
    if can_write(writer, 1):
        writer.data[writer.pos] = value
        writer.pos += 1


cdef inline void write_u16(Writer *writer, uint16_t value) noexcept nogil:
    if can_write(writer, 2):
        store_u16(writer.data + writer.pos, value)
        writer.pos += 2


cdef inline void write_u32(Writer *writer, uint32_t value) noexcept nogil:
    if can_write(writer, 4):
        store_u32(writer.data + writer.pos, value)
        writer.pos += 4


cdef inline void write_octets(Writer *writer, const uint8_t *octets, Py_ssize_t count) noexcept nogil:
    if can_write(writer, count):
        memcpy(writer.data + writer.pos, octets, count)
        writer.pos += count


cdef inline void fail(int *status, int reason) noexcept nogil:
    """Keep the first failure."""
    if status[0] == OK:
        status[0] = reason
