# SPDX-License-Identifier: Apache-2.0
"""Rdata as octets. The contract stands in rdata_wire.pxd; the layout of each type in the rows of rrtypes.py.

One walk over the fields serves both uses: pass_field() moves a reader behind a field if the field is valid, and where
there is an out it also writes the names it meets, decompressed.
"""

from libc.stdint cimport uint8_t, uint16_t
from fastmdns.name cimport name_length, name_unpack
from fastmdns.shapes cimport (
    ALPN, BASE64, BITMAP, DECIMAL, DIGEST, DOCPATH, DOHPATH, ECH, GATEWAY, HASH, HEX, IDENTITY, IPV4HINT, IPV6HINT, LABEL,
    LOCATION, MANDATORY, MAX_RDATA, NAME, NO_DEFAULT_ALPN, NSAP, OHTTP, OPTIONAL, PARAMETERS, PORT, PORTS, PREFIXES, SALT,
    STRING, STRINGS, TEXT, Field, Shape, fixed_size, is_digit, shape_of, upper,
)
from fastmdns.wire cimport (
    BAD_LABEL, BAD_VALUE, EXTRA_OCTETS, OK, OVERFLOW, SHORT, Reader, Writer, can_read, fail, load_u16, read_octets,
    read_u8, read_u16, reader_init, write_octets,
)


cdef bint is_label(const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    """ASCII letters and digits, at least one (RFC 8659 §4.1)."""
    cdef Py_ssize_t pos
    for pos in range(size):
        if not (is_digit(octets[pos]) or 65 <= upper(octets[pos]) <= 90):
            return False
    return size > 0


cdef bint is_decimal(const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    """A sign or none, digits, at most one dot, at least one digit."""
    cdef Py_ssize_t pos = 1 if size and (octets[0] == b"-" or octets[0] == b"+") else 0
    cdef int digits = 0
    cdef int dots = 0
    while pos < size:
        if is_digit(octets[pos]):
            digits += 1
        elif octets[pos] == b".":
            dots += 1
        else:
            return False
        pos += 1
    return digits > 0 and dots <= 1


cdef bint is_form(int kind, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    """Whether a character-string has the form its kind asks for."""
    if kind == LABEL:
        return is_label(octets, size)
    return is_decimal(octets, size) if kind == DECIMAL else True


cdef bint is_length(const Field *field, const uint8_t *digest, Py_ssize_t size) noexcept nogil:
    """Whether a digest is as long as the octet before it says."""
    cdef int index
    for index in range(field.length_count):
        if field.lengths[index].value == (digest - 1)[0]:
            return size == field.lengths[index].length
    return size > 0


cdef void pass_name(Reader *reader, Writer *out) noexcept nogil:
    """A name: whole where there is no out, else perhaps compressed."""
    cdef uint8_t name[256]
    cdef int length
    if out == NULL:
        length = name_length(reader.data + reader.pos, reader.size - reader.pos)
        if length == 0:
            fail(&reader.status, BAD_LABEL)
        reader.pos += length
        return
    length = name_unpack(reader, name)
    write_octets(out, name, length)


cdef void pass_names(Reader *reader, Writer *out) noexcept nogil:
    while reader.status == OK and reader.pos < reader.size:
        pass_name(reader, out)


cdef const uint8_t *pass_string(Reader *reader, Py_ssize_t *size) noexcept nogil:
    """The octets of a character-string or of anything else behind a length octet, NULL where it is cut off."""
    size[0] = read_u8(reader)
    return read_octets(reader, size[0])


cdef void pass_strings(Reader *reader) noexcept nogil:
    cdef Py_ssize_t size
    pass_string(reader, &size)
    while reader.status == OK and reader.pos < reader.size:
        pass_string(reader, &size)


cdef void pass_form(Reader *reader, int kind) noexcept nogil:
    cdef Py_ssize_t size
    cdef const uint8_t *octets = pass_string(reader, &size)
    if octets == NULL:
        return
    if not is_form(kind, octets, size) or (kind == HASH and size == 0):
        fail(&reader.status, BAD_VALUE)


cdef void pass_rest(Reader *reader, const Field *field) noexcept nogil:
    cdef const uint8_t *octets = reader.data + reader.pos
    cdef Py_ssize_t size = reader.size - reader.pos
    if size < field.detail:
        fail(&reader.status, SHORT)
    elif field.kind == DIGEST and not is_length(field, octets, size):
        fail(&reader.status, BAD_VALUE)
    elif field.kind == PORTS and size > 8192:
        fail(&reader.status, EXTRA_OCTETS)
    elif field.kind == NSAP and size == 0:
        fail(&reader.status, SHORT)
    reader.pos = reader.size


cdef void pass_bitmap(Reader *reader, bint may_be_empty) noexcept nogil:
    """Windows ascend, have 1 to 32 octets, and the last one is not zero (RFC 4034 §4.1.2)."""
    cdef const uint8_t *bits
    cdef Py_ssize_t size
    cdef int window
    cdef int before = -1
    if reader.pos == reader.size and not may_be_empty:
        fail(&reader.status, SHORT)
    while reader.status == OK and reader.pos < reader.size:
        window = read_u8(reader)
        bits = pass_string(reader, &size)
        if bits == NULL:
            return
        if window <= before or size < 1 or size > 32 or bits[size - 1] == 0:
            fail(&reader.status, BAD_VALUE)
        before = window


cdef void pass_location(Reader *reader) noexcept nogil:
    """Version 0 has 16 octets and sizes in two decimal digits; others may be anything (RFC 1876 §2)."""
    cdef const uint8_t *octets
    cdef int index
    if reader.pos < reader.size and reader.data[reader.pos] != 0:
        reader.pos = reader.size
        return
    octets = read_octets(reader, 16)
    if octets == NULL:
        return
    for index in range(1, 4):
        if octets[index] >> 4 > 9 or octets[index] & 15 > 9:
            fail(&reader.status, BAD_VALUE)


cdef void pass_prefixes(Reader *reader) noexcept nogil:
    """Family, prefix length, sign and size, and an address without trailing zeros (RFC 3123 §4)."""
    cdef const uint8_t *address
    cdef Py_ssize_t size
    cdef int family, prefix
    while reader.status == OK and reader.pos < reader.size:
        family = read_u16(reader)
        prefix = read_u8(reader)
        size = read_u8(reader) & 0x7F
        address = read_octets(reader, size)
        if address == NULL:
            return
        if (family == 1 and (prefix > 32 or size > 4)) or (family == 2 and (prefix > 128 or size > 16)):
            fail(&reader.status, BAD_VALUE)
        if (family == 1 or family == 2) and size and address[size - 1] == 0:
            fail(&reader.status, BAD_VALUE)


cdef void pass_identity(Reader *reader) noexcept nogil:
    cdef Py_ssize_t tag = read_u8(reader)
    cdef Py_ssize_t key
    read_u8(reader)
    key = read_u16(reader)
    if reader.status == OK and (tag == 0 or key == 0):
        fail(&reader.status, BAD_VALUE)
    read_octets(reader, tag)
    read_octets(reader, key)


cdef void pass_gateway(Reader *reader, int back, Writer *out) noexcept nogil:
    cdef int kind = reader.data[reader.pos - back]
    if back == 1:
        kind &= 0x7F  # AMTRELAY: the high bit is the discovery-optional flag
    if kind == 3:
        pass_name(reader, out)
    elif kind > 3:
        fail(&reader.status, BAD_VALUE)
    else:
        read_octets(reader, kind * 4 if kind < 2 else 16)


cdef const uint8_t *find_parameter(const uint8_t *parameters, Py_ssize_t size, int key, Py_ssize_t *length) noexcept nogil:
    """The value of a key in valid parameters → length, or NULL."""
    cdef Py_ssize_t pos = 0
    while pos < size:
        length[0] = load_u16(parameters + pos + 2)
        if load_u16(parameters + pos) == key:
            return parameters + pos + 4
        pos += 4 + length[0]
    return NULL


cdef bint are_parameters(const uint8_t *parameters, Py_ssize_t size) noexcept nogil:
    cdef Reader reader
    cdef int key
    cdef int before = -1
    cdef Py_ssize_t length
    reader_init(&reader, parameters, size)
    while reader.pos < size:
        key = read_u16(&reader)
        length = read_u16(&reader)
        if key <= before or not can_read(&reader, length):
            return False
        if not is_parameter(key, parameters + reader.pos, length):
            return False
        before = key
        reader.pos += length
    return has_mandatory(parameters, size)


cdef bint has_mandatory(const uint8_t *parameters, Py_ssize_t size) noexcept nogil:
    """Every key the first parameter calls mandatory is there, and alpn where no-default-alpn is."""
    cdef Py_ssize_t length = 0
    cdef Py_ssize_t other = 0
    cdef Py_ssize_t pos
    cdef const uint8_t *mandatory = find_parameter(parameters, size, MANDATORY, &length)
    for pos in range(0, length if mandatory != NULL else 0, 2):
        if find_parameter(parameters, size, load_u16(mandatory + pos), &other) == NULL:
            return False
    return find_parameter(parameters, size, NO_DEFAULT_ALPN, &other) == NULL or (
        find_parameter(parameters, size, ALPN, &other) != NULL)


cdef void pass_parameters(Reader *reader) noexcept nogil:
    """Keys ascend and each value has the form its key asks for (RFC 9460 §2.2)."""
    if not are_parameters(reader.data + reader.pos, reader.size - reader.pos):
        fail(&reader.status, BAD_VALUE)
    reader.pos = reader.size


cdef bint is_parameter(int key, const uint8_t *value, Py_ssize_t size) noexcept nogil:
    """Whether the value of one parameter has the form its key asks for."""
    if key == MANDATORY:
        return is_mandatory(value, size)
    if key == ALPN or key == DOCPATH:
        return is_string_list(value, size, key == DOCPATH)
    if key == NO_DEFAULT_ALPN or key == OHTTP:
        return size == 0
    if key == PORT:
        return size == 2
    if key == IPV4HINT:
        return size > 0 and size % 4 == 0
    if key == IPV6HINT:
        return size > 0 and size % 16 == 0
    return size > 0 or (key != ECH and key != DOHPATH)


cdef bint is_mandatory(const uint8_t *value, Py_ssize_t size) noexcept nogil:
    """Keys in ascending order, not its own."""
    cdef Py_ssize_t pos
    cdef int before = 0
    if size == 0 or size % 2:
        return False
    for pos in range(0, size, 2):
        if load_u16(value + pos) <= before:
            return False
        before = load_u16(value + pos)
    return True


cdef bint is_string_list(const uint8_t *value, Py_ssize_t size, bint may_be_empty) noexcept nogil:
    cdef Py_ssize_t pos = 0
    while pos < size:
        if value[pos] == 0:
            return False
        pos += 1 + value[pos]
    return pos == size and (size > 0 or may_be_empty)


cdef void pass_field(Reader *reader, const Field *field, Writer *out) noexcept nogil:
    """Move behind a field if it is valid. Names go to out decompressed; all else the caller copies."""
    cdef int kind = field.kind
    cdef Py_ssize_t size
    if fixed_size(kind):
        read_octets(reader, fixed_size(kind))
    elif kind == NAME:
        pass_name(reader, out)
    elif kind == STRING or kind == LABEL or kind == DECIMAL or kind == SALT or kind == HASH:
        pass_form(reader, kind)
    elif kind == HEX or kind == DIGEST or kind == BASE64 or kind == TEXT or kind == NSAP or kind == PORTS:
        pass_rest(reader, field)
    elif kind == STRINGS:
        pass_strings(reader)
    elif kind == BITMAP:
        pass_bitmap(reader, field.detail == 0)
    elif kind == OPTIONAL:
        if reader.pos < reader.size:
            pass_string(reader, &size)
    elif kind == PARAMETERS:
        pass_parameters(reader)
    elif kind == LOCATION:
        pass_location(reader)
    elif kind == PREFIXES:
        pass_prefixes(reader)
    elif kind == IDENTITY:
        pass_identity(reader)
    elif kind == GATEWAY:
        pass_gateway(reader, field.detail, out)
    else:
        pass_names(reader, out)


cdef int rdata_check(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    cdef Reader reader
    cdef int index
    if size > MAX_RDATA:
        return OVERFLOW
    if shape.count == 0:
        return OK
    reader_init(&reader, rdata, size)
    for index in range(shape.count):
        pass_field(&reader, &shape.fields[index], NULL)
        if reader.status != OK:
            return reader.status
    return OK if reader.pos == size else EXTRA_OCTETS


cdef void unpack_fields(Reader *reader, const Shape *shape, Writer *out) noexcept nogil:
    cdef Py_ssize_t before
    cdef Py_ssize_t written
    cdef int index
    for index in range(shape.count):
        before = reader.pos
        written = out.pos
        pass_field(reader, &shape.fields[index], out)
        if reader.status != OK:
            return
        if out.pos == written:  # no name: as it lies
            write_octets(out, reader.data + before, reader.pos - before)
    if shape.count == 0:
        before = reader.pos
        write_octets(out, read_octets(reader, reader.size - before), reader.size - before)
    if reader.pos != reader.size:
        fail(&reader.status, EXTRA_OCTETS)


cdef int rdata_unpack(Reader *reader, uint16_t rrtype, Py_ssize_t size, Writer *out) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    cdef Py_ssize_t message_size = reader.size
    if not can_read(reader, size):
        return reader.status
    reader.size = reader.pos + size  # pointers reach backwards only, so the end of the rdata bounds all of it
    unpack_fields(reader, shape, out)
    reader.size = message_size
    if reader.status != OK:
        return reader.status
    return out.status


cdef bint rrtype_is_compressible(uint16_t rrtype) noexcept nogil:
    return shape_of(rrtype).compressible > 0


cdef int rdata_compressible(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size, Span *spans) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    cdef Py_ssize_t pos = 0
    cdef int index = 0
    cdef int found = 0
    cdef int length
    while found < shape.compressible:
        if shape.fields[index].kind == NAME:
            length = name_length(rdata + pos, size - pos)
            spans[found] = Span(<uint16_t>pos, <uint16_t>length)
            found += 1
            pos += length
        else:
            pos += fixed_size(shape.fields[index].kind)
        index += 1
    return found
