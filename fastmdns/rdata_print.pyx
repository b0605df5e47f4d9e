# SPDX-License-Identifier: Apache-2.0
"""Rdata to presentation text, on one line and in one spelling. What is printed reads back as the same octets.

The printers write into a writer that refuses what doesn't fit and remembers it, so no step needs a check of its own.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t, int64_t
from fastmdns.name cimport name_length, name_to_text
from fastmdns.rdata_wire cimport rdata_check
from fastmdns.shapes cimport (
    ALPN, BASE64, BITMAP, CERTIFICATE, DECIMAL, DOCPATH, ECH, EUI48, EUI64, HASH, IPV4HINT, IPV6HINT, LABEL, LOCATOR,
    MANDATORY, NAME, NSAP, OPTIONAL, PARAMETERS, PORT, SALT, SCHEME, STRING, STRINGS, TEXT, TIME, TYPE, Field, IPv4,
    IPv6, Shape, fixed_size, lower, shape_of, word_of_number,
)
from fastmdns.wire cimport (
    BAD_LABEL, OK, RARE, Reader, Writer, fail, load_u16, read_octets, read_u8, read_u16, read_u32, reader_init,
    write_octets, write_u8, writer_init,
)

cdef const char *HEX_ALPHABET = b"0123456789abcdef"
cdef const char *BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
cdef const char *BASE32_ALPHABET = b"0123456789abcdefghijklmnopqrstuv"


cdef void write_text(Writer *out, const char *text, Py_ssize_t size) noexcept nogil:
    write_octets(out, <const uint8_t *>text, size)


cdef void print_number(Writer *out, uint64_t value) noexcept nogil:
    cdef char digits[20]
    cdef int at = 20
    while True:
        at -= 1
        digits[at] = <char>(48 + value % 10)
        value //= 10
        if value == 0:
            break
    write_text(out, digits + at, 20 - at)


cdef void print_two(Writer *out, int value) noexcept nogil:
    write_u8(out, <uint8_t>(48 + value // 10))
    write_u8(out, <uint8_t>(48 + value % 10))


cdef void print_moment(Writer *out, uint32_t seconds) noexcept nogil:
    """YYYYMMDDHHmmSS: the inverse of moment(), by the same calendar that begins in March."""
    cdef int64_t days = seconds // 86400 + 719468
    cdef int64_t era = days // 146097
    cdef int64_t of_era = days - era * 146097
    cdef int64_t year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    cdef int64_t of_year = of_era - (365 * year + year // 4 - year // 100)
    cdef int month = <int>((5 * of_year + 2) // 153)
    cdef int day = <int>(of_year - (153 * month + 2) // 5 + 1)
    cdef int second = <int>(seconds % 86400)
    month = month + 3 if month < 10 else month - 9
    year += era * 400 + (month <= 2)
    print_two(out, <int>(year // 100))
    print_two(out, <int>(year % 100))
    print_two(out, month)
    print_two(out, day)
    print_two(out, second // 3600)
    print_two(out, second // 60 % 60)
    print_two(out, second % 60)


cdef void print_type(Writer *out, uint16_t rrtype) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    if shape.name_size:
        write_text(out, shape.name, shape.name_size)
        return
    write_text(out, b"TYPE", 4)
    print_number(out, rrtype)


cdef void print_word(Writer *out, int kind, uint64_t value) noexcept nogil:
    """The mnemonic of the value, or the number."""
    cdef const char *word = NULL
    cdef int size = word_of_number(kind, value, &word)
    if size:
        write_text(out, word, size)
    else:
        print_number(out, value)


cdef uint64_t read_number(Reader *reader, int octets) noexcept nogil:
    cdef uint64_t high
    if octets == 1:
        return read_u8(reader)
    if octets == 2:
        return read_u16(reader)
    high = read_u32(reader)
    return high if octets == 4 else (high << 32) | read_u32(reader)


cdef void print_scalar(Reader *reader, int kind, Writer *out) noexcept nogil:
    cdef uint64_t value = read_number(reader, fixed_size(kind))
    if kind == TIME:
        print_moment(out, <uint32_t>value)
    elif kind == TYPE:
        print_type(out, <uint16_t>value)
    elif kind == CERTIFICATE or kind == SCHEME:
        print_word(out, kind, value)
    else:
        print_number(out, value)


cdef void print_ipv4(Writer *out, const uint8_t *address) noexcept nogil:
    cdef int part
    for part in range(4):
        if part:
            write_u8(out, b".")
        print_number(out, address[part])


cdef void longest_zeros(const uint8_t *address, int *start, int *count) noexcept nogil:
    """The first of the longest runs of two or more zero groups."""
    cdef int group
    cdef int run = 0
    start[0] = -1
    count[0] = 1
    for group in range(8):
        run = run + 1 if load_u16(address + 2 * group) == 0 else 0
        if run > count[0]:
            count[0] = run
            start[0] = group - run + 1


cdef void print_group(Writer *out, uint16_t value) noexcept nogil:
    cdef int shift = 12
    while shift and value >> shift == 0:
        shift -= 4
    while shift >= 0:
        write_u8(out, <uint8_t>HEX_ALPHABET[(value >> shift) & 15])
        shift -= 4


cdef void print_ipv6(Writer *out, const uint8_t *address) noexcept nogil:
    """RFC 5952; the last four octets as IPv4 behind ::ffff: and behind six groups of zeros, as inet_ntop(3)."""
    cdef int start, count
    cdef int group = 0
    longest_zeros(address, &start, &count)
    while group < 8:
        if group == start:
            write_text(out, b"::", 2)
            group += count
            continue
        if group == 6 and start == 0 and (count == 6 or (count == 5 and load_u16(address + 10) == 0xFFFF)):
            if count == 5:
                write_u8(out, b":")
            print_ipv4(out, address + 12)
            return
        if group and group != start + count:
            write_u8(out, b":")
        print_group(out, load_u16(address + 2 * group))
        group += 1


cdef void print_address(Reader *reader, int kind, Writer *out) noexcept nogil:
    cdef const uint8_t *address = read_octets(reader, fixed_size(kind))
    if address == NULL:
        return
    if kind == IPv4:
        print_ipv4(out, address)
    else:
        print_ipv6(out, address)


cdef void print_name(Reader *reader, Writer *out) noexcept nogil:
    cdef char text[1024]
    cdef const uint8_t *wire = reader.data + reader.pos
    cdef int length = name_length(wire, reader.size - reader.pos)
    if length == 0:
        fail(&reader.status, BAD_LABEL)
        return
    write_text(out, text, name_to_text(wire, length, text))
    reader.pos += length


cdef void print_octets(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    """Octets as they stand between quotes."""
    cdef Py_ssize_t pos
    cdef uint8_t octet
    for pos in range(size):
        octet = octets[pos]
        if octet < 0x20 or octet >= 0x7F:
            write_u8(out, b"\\")
            write_u8(out, <uint8_t>(48 + octet // 100))
            print_two(out, octet % 100)
            continue
        if octet == b'"' or octet == b"\\":
            write_u8(out, b"\\")
        write_u8(out, octet)


cdef void print_quoted(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    write_u8(out, b'"')
    print_octets(out, octets, size)
    write_u8(out, b'"')


cdef const uint8_t *read_string(Reader *reader, Py_ssize_t *size) noexcept nogil:
    """The octets behind a length octet, NULL where they are cut off."""
    size[0] = read_u8(reader)
    return read_octets(reader, size[0])


cdef void print_string(Reader *reader, int kind, Writer *out) noexcept nogil:
    cdef Py_ssize_t size
    cdef const uint8_t *octets = read_string(reader, &size)
    if octets == NULL:
        return
    if kind == LABEL or kind == DECIMAL:
        print_octets(out, octets, size)
    else:
        print_quoted(out, octets, size)


cdef void print_strings(Reader *reader, Writer *out) noexcept nogil:
    print_string(reader, STRING, out)
    while reader.status == OK and reader.pos < reader.size:
        write_u8(out, b" ")
        print_string(reader, STRING, out)


cdef void print_hex(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t pos
    for pos in range(size):
        write_u8(out, <uint8_t>HEX_ALPHABET[octets[pos] >> 4])
        write_u8(out, <uint8_t>HEX_ALPHABET[octets[pos] & 15])


cdef void print_groups(Reader *reader, int octets, int width, char mark, Writer *out) noexcept nogil:
    """Octets in hexadecimal, a mark before each group of `width` octets but the first."""
    cdef const uint8_t *at = read_octets(reader, octets)
    cdef int pos
    if at == NULL:
        return
    for pos in range(octets):
        if pos and pos % width == 0:
            write_u8(out, mark)
        print_hex(out, at + pos, 1)


cdef void print_base64(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t pos
    cdef uint32_t held
    cdef int sextet
    for pos in range(0, size, 3):
        held = <uint32_t>octets[pos] << 16
        if pos + 1 < size:
            held |= <uint32_t>octets[pos + 1] << 8
        if pos + 2 < size:
            held |= octets[pos + 2]
        for sextet in range(4):
            if pos + sextet > size:
                write_u8(out, b"=")
            else:
                write_u8(out, <uint8_t>BASE64_ALPHABET[(held >> (18 - 6 * sextet)) & 63])


cdef void print_base32(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t pos
    cdef uint32_t held = 0
    cdef int bits = 0
    for pos in range(size):
        held = ((held << 8) | octets[pos]) & 0xFFFF
        bits += 8
        while bits >= 5:
            bits -= 5
            write_u8(out, <uint8_t>BASE32_ALPHABET[(held >> bits) & 31])
    if bits:
        write_u8(out, <uint8_t>BASE32_ALPHABET[(held << (5 - bits)) & 31])


cdef void print_counted(Reader *reader, int kind, Writer *out) noexcept nogil:
    """A salt or a hash."""
    cdef Py_ssize_t size
    cdef const uint8_t *octets = read_string(reader, &size)
    if octets == NULL:
        return
    if kind == HASH:
        print_base32(out, octets, size)
    elif size:
        print_hex(out, octets, size)
    else:
        write_u8(out, b"-")


cdef void print_rest(Reader *reader, const Field *field, Writer *out) noexcept nogil:
    cdef Py_ssize_t size = reader.size - reader.pos
    cdef const uint8_t *octets = read_octets(reader, size)
    if field.kind == TEXT:
        print_quoted(out, octets, size)
    elif field.kind == BASE64:
        if size == 0:
            write_u8(out, b"-")
        print_base64(out, octets, size)
    else:
        if field.kind == NSAP:
            write_text(out, b"0x", 2)
        print_hex(out, octets, size)


cdef void print_bitmap(Reader *reader, Writer *out) noexcept nogil:
    cdef const uint8_t *bits
    cdef Py_ssize_t size
    cdef int window, bit
    while reader.status == OK and reader.pos < reader.size:
        window = read_u8(reader)
        bits = read_string(reader, &size)
        if bits == NULL:
            return
        for bit in range(<int>size * 8):
            if bits[bit >> 3] & (0x80 >> (bit & 7)):
                write_u8(out, b" ")
                print_type(out, <uint16_t>(window << 8 | bit))


cdef void print_listed(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    """An item of a comma-separated list between quotes: escaped for the list, then for the quotes (RFC 9460 §A.1)."""
    cdef Py_ssize_t pos
    for pos in range(size):
        if octets[pos] == b"," or octets[pos] == b"\\":
            write_text(out, b"\\\\", 2)
        print_octets(out, octets + pos, 1)


cdef void print_list(Writer *out, int key, const uint8_t *value, Py_ssize_t size) noexcept nogil:
    """Items with commas between: keys, strings or addresses."""
    cdef Py_ssize_t pos = 0
    while pos < size:
        if pos:
            write_u8(out, b",")
        if key == MANDATORY:
            print_key(out, load_u16(value + pos))
            pos += 2
        elif key == IPV4HINT:
            print_ipv4(out, value + pos)
            pos += 4
        elif key == IPV6HINT:
            print_ipv6(out, value + pos)
            pos += 16
        else:
            print_listed(out, value + pos + 1, value[pos])
            pos += 1 + value[pos]


cdef void print_key(Writer *out, int key) noexcept nogil:
    cdef const char *word = NULL
    cdef int size = word_of_number(PARAMETERS, key, &word)
    cdef int pos
    if size == 0:
        write_text(out, b"key", 3)
        print_number(out, key)
    for pos in range(size):
        write_u8(out, lower(word[pos]))


cdef void print_value(Writer *out, int key, const uint8_t *value, Py_ssize_t size) noexcept nogil:
    if key == PORT:
        print_number(out, load_u16(value))
    elif key == ECH:
        print_base64(out, value, size)
    elif key == MANDATORY or key == ALPN or key == IPV4HINT or key == IPV6HINT or key == DOCPATH:
        print_list(out, key, value, size)
    else:
        print_octets(out, value, size)


cdef void print_parameters(Reader *reader, Writer *out) noexcept nogil:
    cdef const uint8_t *value
    cdef Py_ssize_t size
    cdef int key
    while reader.status == OK and reader.pos < reader.size:
        write_u8(out, b" ")
        key = read_u16(reader)
        print_key(out, key)
        size = read_u16(reader)
        value = read_octets(reader, size)
        if value == NULL or size == 0:
            continue
        write_text(out, b'="', 2)
        print_value(out, key, value, size)
        write_u8(out, b'"')


cdef void print_field(Reader *reader, const Field *field, Writer *out) noexcept nogil:
    cdef int kind = field.kind
    if reader.pos == reader.size and kind == OPTIONAL:
        return
    if kind == BITMAP:
        print_bitmap(reader, out)
        return
    if kind == PARAMETERS:
        print_parameters(reader, out)
        return
    if out.pos:
        write_u8(out, b" ")
    if kind <= SCHEME:
        print_scalar(reader, kind, out)
    elif kind == NAME:
        print_name(reader, out)
    elif kind == IPv4 or kind == IPv6:
        print_address(reader, kind, out)
    elif kind == STRINGS:
        print_strings(reader, out)
    elif kind == STRING or kind == LABEL or kind == DECIMAL or kind == OPTIONAL:
        print_string(reader, kind, out)
    elif kind == SALT or kind == HASH:
        print_counted(reader, kind, out)
    elif kind == LOCATOR:
        print_groups(reader, 8, 2, b":", out)
    elif kind == EUI48 or kind == EUI64:
        print_groups(reader, fixed_size(kind), 1, b"-", out)
    else:
        print_rest(reader, field, out)


cdef void print_generic(Writer *out, const uint8_t *rdata, Py_ssize_t size) noexcept nogil:
    r"""\# and the octets (RFC 3597 §5)."""
    write_text(out, b"\\# ", 3)
    print_number(out, <uint64_t>size)
    if size:
        write_u8(out, b" ")
    print_hex(out, rdata, size)


cdef int rdata_to_text(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size, Writer *out) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    cdef Py_ssize_t start = out.pos
    cdef Writer text
    cdef Reader reader
    cdef int status = rdata_check(rrtype, rdata, size)
    cdef int index
    if shape.rare or status != OK:
        return RARE if status == OK else status
    writer_init(&text, out.data + start, out.size - start)
    if shape.count == 0:
        print_generic(&text, rdata, size)
    reader_init(&reader, rdata, size)
    for index in range(shape.count):
        print_field(&reader, &shape.fields[index], &text)
    out.pos += text.pos
    return text.status
