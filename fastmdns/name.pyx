# SPDX-License-Identifier: Apache-2.0
"""Domain names: text, wire and canonical key. The contract stands in name.pxd; this is how it is kept.

A name that leaves a function here is valid: 1 to 255 octets, labels of 1 to 63, closed by the root. Text is octets, so
every name has one (RFC 1035 §5.1, RFC 4343); what would be read back otherwise is escaped.
"""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy
from fastmdns.wire cimport (
    BAD_ESCAPE, BAD_LABEL, BAD_POINTER, MAX_LABEL, MAX_NAME, NAME_TOO_LONG, OK, RELATIVE_NAME, SHORT, Reader, fail,
)

from fastmdns.errors import STATUS_REASON, TextError, WireError

cdef enum:
    MAX_LABELS = 127  # 127 labels of one octet and the root are 255 octets
    POINTER = 0xC0  # the two high bits of a length octet: 00 a label, 11 a pointer, others reserved

# What an octet becomes in lower case, and how it is printed inside a label: 0 as is, 1 after a backslash, 2 as \DDD.
cdef uint8_t LOWER[256]
cdef uint8_t ESCAPE[256]


cdef void fill_tables() noexcept:
    cdef int octet
    for octet in range(256):
        LOWER[octet] = <uint8_t>(octet + 32 if 65 <= octet <= 90 else octet)
        ESCAPE[octet] = 0 if 0x20 < octet < 0x7F else 2
    for octet in b'"().;\\@$':
        ESCAPE[octet] = 1


fill_tables()


cdef int name_length(const uint8_t *wire, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t pos = 0
    cdef Py_ssize_t end = size if size < MAX_NAME else MAX_NAME
    while pos < end:
        if wire[pos] == 0:
            return <int>pos + 1
        if wire[pos] > MAX_LABEL:
            return 0
        pos += 1 + wire[pos]
    return 0


cdef inline bint is_digit(int octet) noexcept nogil:
    return 48 <= octet <= 57


cdef int text_unescape(const uint8_t *text, Py_ssize_t size, int *octet) noexcept nogil:
    if size < 1:
        return 0
    if not is_digit(text[0]):
        octet[0] = text[0]
        return 1
    if size < 3 or not is_digit(text[1]) or not is_digit(text[2]):
        return 0
    octet[0] = (text[0] - 48) * 100 + (text[1] - 48) * 10 + (text[2] - 48)
    return 3 if octet[0] <= 255 else 0


cdef int put_origin(const uint8_t *origin, int origin_length, uint8_t *out, int pos) noexcept nogil:
    """Complete a relative name of pos octets."""
    if origin == NULL or origin_length == 0:
        return -RELATIVE_NAME
    if pos + origin_length > MAX_NAME:
        return -NAME_TOO_LONG
    memcpy(out + pos, origin, origin_length)
    return pos + origin_length


cdef int name_from_text(const char *text, Py_ssize_t size, const uint8_t *origin, int origin_length,
                        uint8_t *out) noexcept nogil:
    cdef const uint8_t *at = <const uint8_t *>text
    cdef const uint8_t *end = at + size
    cdef int start = 0  # where the length octet of the label being read belongs
    cdef int pos = 1
    cdef int octet = 0
    cdef int escape
    if size == 1 and at[0] == b".":
        out[0] = 0
        return 1
    if size == 1 and at[0] == b"@":
        return put_origin(origin, origin_length, out, 0)
    while at < end:
        octet = at[0]
        at += 1
        if octet == b".":
            if pos - start == 1 or pos - start > MAX_LABEL + 1:
                return -BAD_LABEL
            out[start] = <uint8_t>(pos - start - 1)
            start = pos
            pos += 1
            if pos > MAX_NAME:
                return -NAME_TOO_LONG
            continue
        if octet == b"\\":
            escape = text_unescape(at, end - at, &octet)
            if escape == 0:
                return -BAD_ESCAPE
            at += escape
        if pos >= MAX_NAME:  # the root's octet must still follow
            return -NAME_TOO_LONG
        out[pos] = <uint8_t>octet
        pos += 1
    if pos - start == 1:  # the text ended in a dot, or had nothing
        out[start] = 0
        return start + 1 if start else -BAD_LABEL
    if pos - start > MAX_LABEL + 1:
        return -BAD_LABEL
    out[start] = <uint8_t>(pos - start - 1)
    return put_origin(origin, origin_length, out, pos)


cdef int name_unpack(Reader *reader, uint8_t *out) noexcept nogil:
    cdef Py_ssize_t pos = reader.pos
    cdef Py_ssize_t low = reader.pos  # a pointer must reach below this: where the part being read begins
    cdef Py_ssize_t after = -1  # behind the name as it lies at reader.pos, once a pointer tells
    cdef int length = 0
    cdef int octet
    if reader.status != OK:
        return 0
    while True:
        if pos >= reader.size:
            fail(&reader.status, SHORT)
            return 0
        octet = reader.data[pos]
        if octet & POINTER == POINTER:
            if pos + 2 > reader.size:
                fail(&reader.status, SHORT)
                return 0
            if after < 0:
                after = pos + 2
            pos = ((octet & 0x3F) << 8) | reader.data[pos + 1]
            if pos >= low:
                fail(&reader.status, BAD_POINTER)
                return 0
            low = pos
            continue
        if octet > MAX_LABEL:
            fail(&reader.status, BAD_LABEL)
            return 0
        if length + 1 + octet > MAX_NAME:
            fail(&reader.status, NAME_TOO_LONG)
            return 0
        if pos + 1 + octet > reader.size:
            fail(&reader.status, SHORT)
            return 0
        memcpy(out + length, reader.data + pos, 1 + octet)
        length += 1 + octet
        pos += 1 + octet
        if octet == 0:
            reader.pos = pos if after < 0 else after
            return length


cdef int label_starts(const uint8_t *wire, int length, uint8_t *starts) noexcept nogil:
    """Where each label begins, the root left out. Their count."""
    cdef int pos = 0
    cdef int count = 0
    while pos < length and wire[pos] and count < MAX_LABELS:
        starts[count] = <uint8_t>pos
        count += 1
        pos += 1 + wire[pos]
    return count


cdef int name_key(const uint8_t *wire, int length, uint8_t *key) noexcept nogil:
    cdef uint8_t starts[MAX_LABELS]
    cdef int label = label_starts(wire, length, starts)
    cdef const uint8_t *at
    cdef const uint8_t *end
    cdef uint8_t octet
    cdef int used = 0
    while label:
        label -= 1
        at = wire + starts[label] + 1
        end = at + wire[starts[label]]
        while at < end:
            octet = LOWER[at[0]]
            at += 1
            if octet <= 1:
                key[used] = 1
                used += 1
                octet += 1
            key[used] = octet
            used += 1
        key[used] = 0
        used += 1
    return used


cdef int key_label(const uint8_t *key, int length, uint8_t *label) noexcept nogil:
    """The first label of a key, its length octet in front → label (room 65). Octets of the key used, 0 if malformed."""
    cdef int at = 0
    cdef int used = 1
    while at < length and key[at]:
        if used > MAX_LABEL:
            return 0
        label[used] = key[at]
        if key[at] == 1:
            at += 1
            if at == length or key[at] < 1 or key[at] > 2:
                return 0
            label[used] = key[at] - 1
        at += 1
        used += 1
    label[0] = <uint8_t>(used - 1)
    return at + 1 if at < length and used > 1 else 0


cdef int name_from_key(const uint8_t *key, int length, uint8_t *out) noexcept nogil:
    """Labels come from the root side, so the name grows from the back. 0 where the key is malformed."""
    cdef uint8_t back[MAX_NAME]
    cdef uint8_t label[MAX_LABEL + 1]
    cdef int front = MAX_NAME - 1
    cdef int at = 0
    cdef int step
    back[front] = 0
    while at < length:
        step = key_label(key + at, length - at, label)
        if step == 0 or label[0] + 1 > front:
            return 0
        front -= label[0] + 1
        memcpy(back + front, label, label[0] + 1)
        at += step
    memcpy(out, back + front, MAX_NAME - front)
    return MAX_NAME - front


cdef void name_lower(const uint8_t *wire, int length, uint8_t *out) noexcept nogil:
    """A length octet is at most 63, below the letters, so the whole name goes through the table."""
    cdef int pos
    for pos in range(length):
        out[pos] = LOWER[wire[pos]]


cdef bint name_equal(const uint8_t *one, int one_length, const uint8_t *other, int other_length) noexcept nogil:
    cdef int pos
    if one_length != other_length:
        return False
    for pos in range(one_length):
        if LOWER[one[pos]] != LOWER[other[pos]]:
            return False
    return True


cdef bint name_within(const uint8_t *wire, int length, const uint8_t *zone, int zone_length) noexcept nogil:
    cdef int pos = 0
    while length - pos > zone_length:
        pos += 1 + wire[pos]
    return name_equal(wire + pos, length - pos, zone, zone_length)


cdef int put_octet(uint8_t octet, char *out) noexcept nogil:
    """An octet of a label as text. How many characters."""
    if ESCAPE[octet] == 0:
        out[0] = <char>octet
        return 1
    out[0] = b"\\"
    if ESCAPE[octet] == 1:
        out[1] = <char>octet
        return 2
    out[1] = <char>(48 + octet // 100)
    out[2] = <char>(48 + octet // 10 % 10)
    out[3] = <char>(48 + octet % 10)
    return 4


cdef int name_to_text(const uint8_t *wire, int length, char *out) noexcept nogil:
    cdef int pos = 0
    cdef int used = 0
    cdef int end
    if length == 1:
        out[0] = b"."
        return 1
    while pos < length and wire[pos]:
        end = pos + 1 + wire[pos]
        pos += 1
        while pos < end:
            used += put_octet(wire[pos], out + used)
            pos += 1
        out[used] = b"."
        used += 1
    return used


cdef int checked(bytes wire) except 0:
    """The length of a name given by Python."""
    cdef int length = name_length(<const uint8_t *><const char *>wire, len(wire))
    if length == 0 or length != len(wire):
        raise WireError("not a domain name")
    return length


cdef bytes octets_of(object text):
    """Text given by Python. Only ASCII has one meaning as octets; IDNA is the caller's business."""
    if isinstance(text, bytes):
        return text
    try:
        return (<str>text).encode("ascii")
    except UnicodeEncodeError:
        raise TextError("a name has characters beyond ASCII; write it in its xn-- form") from None


def from_text(text, bytes origin=None):
    cdef uint8_t out[256]
    cdef bytes octets = octets_of(text)
    cdef const uint8_t *base = NULL
    cdef int origin_length = 0
    cdef int length
    if origin is not None:
        origin_length = checked(origin)
        base = <const uint8_t *><const char *>origin
    length = name_from_text(octets, len(octets), base, origin_length, out)
    if length < 0:
        raise TextError(STATUS_REASON[-length])
    return (<char *>out)[:length]


def to_text(bytes wire not None):
    cdef char out[1024]
    cdef int used = name_to_text(wire, checked(wire), out)
    return out[:used].decode("ascii")


def lower(bytes wire not None):
    cdef uint8_t out[256]
    cdef int length = checked(wire)
    name_lower(wire, length, out)
    return (<char *>out)[:length]


cdef bytes key_of(bytes wire):
    cdef uint8_t out[MAX_KEY]
    cdef int used = name_key(wire, checked(wire), out)
    return (<char *>out)[:used]


def key(bytes wire not None):
    return key_of(wire)


def from_key(bytes key not None):
    cdef uint8_t out[256]
    cdef int length = name_from_key(<const uint8_t *><const char *>key, <int>min(len(key), MAX_KEY), out)
    cdef bytes wire = (<char *>out)[:length]
    if length == 0 or key_of(wire) != key:
        raise WireError("not a canonical key")
    return wire


def labels(bytes wire not None):
    cdef uint8_t starts[MAX_LABELS]
    return label_starts(wire, checked(wire), starts)


def parent(bytes wire not None):
    if checked(wire) == 1:
        raise ValueError("the root has no parent")
    return wire[1 + wire[0]:]


def within(bytes wire not None, bytes zone not None):
    return bool(name_within(wire, checked(wire), zone, checked(zone)))


def check(bytes wire not None):
    checked(wire)
