# SPDX-License-Identifier: Apache-2.0
"""Record data for the zone parser and for Python: which path a type's text takes, and errors instead of statuses.

The work is done by rdata_parse (text to wire), rdata_wire (check, decompress) and rdata_print (wire to text), all three
led by the table that shapes compiles from rrtypes.py.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t
from libc.stdlib cimport free, malloc
from fastmdns.name cimport name_length
from fastmdns.rdata_parse cimport Words, parse_fields, parse_generic, touches
from fastmdns.shapes cimport MAX_FIELDS, MAX_RDATA, Shape, shape_of
from fastmdns.wire cimport (
    BAD_TYPE, MISSING_FIELD, OK, OVERFLOW, RARE, SHORT, Reader, Writer, reader_init, writer_init,
)

from fastmdns.errors import STATUS_REASON, TextError, WireError

cdef enum:
    CLASS_IN = 1


cdef inline bint is_generic(const Token *tokens, int count) noexcept nogil:
    return count > 0 and tokens[0].size == 2 and not tokens[0].quoted and tokens[0].text[0] == b"\\" and (
        tokens[0].text[1] == b"#")


cdef int rdata_from_tokens(uint16_t rrtype, const Token *tokens, int count, const uint8_t *origin, int origin_length,
                           Writer *out, int *bad_token) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    cdef Words words = Words(tokens, count, 0, origin, origin_length)
    cdef Py_ssize_t start = out.pos
    cdef int status
    if is_generic(tokens, count) and not shape.meta:
        words.at = 1
        status = parse_generic(&words, out)
        if status == OK and out.status == OK:
            status = rdata_check(rrtype, out.data + start, out.pos - start)
    elif shape.rare:
        return RARE
    elif shape.meta or shape.count == 0:
        status = BAD_TYPE
    else:
        status = parse_fields(&words, shape, out)
    if status == OK and (out.status != OK or out.pos - start > MAX_RDATA):
        status = OVERFLOW
    if status != OK:
        bad_token[0] = words.count if status == MISSING_FIELD else (words.at - 1 if words.at else 0)
        out.pos = start
        out.status = OK
    return status


cdef bytes rdata_from_text_rare(uint16_t rrtype, bytes text, bytes origin):
    import dns.exception
    import dns.name
    import dns.rdata

    base = dns.name.root if origin is None else dns.name.from_wire(origin, 0)[0]
    try:
        rdata = dns.rdata.from_text(CLASS_IN, rrtype, text.decode("latin-1"), base, relativize=False)
        wire = rdata.to_wire()
    except (dns.exception.DNSException, ValueError, TypeError, AssertionError, OverflowError) as error:
        raise TextError(str(error) or type(error).__name__) from None
    check(rrtype, wire)
    return wire


cdef bytes tokens_as_text(const Token *tokens, int count):
    """Tokens as they were written; those that touched still do."""
    cdef bytes text = b""
    cdef int index
    for index in range(count):
        if index and not touches(&tokens[index - 1], &tokens[index]):
            text += b" "
        part = tokens[index].text[:tokens[index].size]
        text += b'"' + part + b'"' if tokens[index].quoted else part
    return text


cdef inline bint is_blank(int octet) noexcept nogil:
    return octet == b" " or octet == b"\t" or octet == b"\r" or octet == b"\n" or octet == b"(" or octet == b")"


cdef Py_ssize_t token_end(const char *text, Py_ssize_t size, Py_ssize_t pos, bint quoted) noexcept nogil:
    """Where a token that begins at pos ends; beyond size if an escape is cut off."""
    while pos < size:
        if text[pos] == b"\\":
            pos += 1
        elif text[pos] == b'"' or (not quoted and (is_blank(text[pos]) or text[pos] == b";")):
            break
        pos += 1
    return pos


cdef int split(const char *text, Py_ssize_t size, Token *tokens) noexcept nogil:
    """The tokens of a text: blanks, line ends and parentheses divide, ; begins a comment. -1: something has no end."""
    cdef Py_ssize_t pos = 0
    cdef Py_ssize_t start
    cdef int count = 0
    cdef bint quoted
    while pos < size:
        if is_blank(text[pos]):
            pos += 1
            continue
        if text[pos] == b";":
            while pos < size and text[pos] != b"\n":
                pos += 1
            continue
        quoted = text[pos] == b'"'
        start = pos + quoted
        pos = token_end(text, size, start, quoted)
        if pos > size or (quoted and pos == size):
            return -1
        tokens[count] = Token(text + start, pos - start, quoted, 1, <int>start + 1)
        count += 1
        pos += quoted
    return count


cdef bytes encoded(object text):
    if isinstance(text, bytes):
        return text
    return (<str>text).encode("utf-8")


cdef bytes parse(uint16_t rrtype, Token *tokens, bytes text, bytes origin):
    """Text to rdata through room that is always enough: no kind of field is longer in wire than in text, but names are."""
    cdef Py_ssize_t room = PyBytes_GET_SIZE(text) + (MAX_FIELDS + 1) * 256
    cdef int count = split(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), tokens)
    cdef const uint8_t *base = NULL
    cdef int base_length = 0
    cdef int bad_token = 0
    cdef Writer out
    cdef int status
    if count < 0:
        raise TextError("a quote or an escape has no end")
    if origin is not None:
        base = <const uint8_t *>PyBytes_AS_STRING(origin)
        base_length = <int>PyBytes_GET_SIZE(origin)
    rdata = bytearray(room)
    writer_init(&out, rdata, room)
    status = rdata_from_tokens(rrtype, tokens, count, base, base_length, &out, &bad_token)
    if status == RARE:
        return rdata_from_text_rare(rrtype, tokens_as_text(tokens, count), origin)
    if status != OK:
        raise TextError(STATUS_REASON[status], bad_token)
    return bytes(rdata[:out.pos])


def from_text(uint16_t rrtype, text, bytes origin=None):
    cdef bytes octets = encoded(text)
    cdef Token *tokens = <Token *>malloc((len(octets) + 1) * sizeof(Token))
    if tokens == NULL:
        raise MemoryError
    if origin is not None and name_length(<const uint8_t *>PyBytes_AS_STRING(origin), len(origin)) != len(origin):
        free(tokens)
        raise WireError("the origin is not a domain name")
    try:
        return parse(rrtype, tokens, octets, origin)
    finally:
        free(tokens)


def check(uint16_t rrtype, bytes wire not None):
    cdef int status = rdata_check(rrtype, <const uint8_t *>PyBytes_AS_STRING(wire), len(wire))
    if status != OK:
        raise WireError(STATUS_REASON[status])


cdef str text_rare(uint16_t rrtype, bytes wire):
    r"""Through dnspython; what it can't read, or would not read back as the same octets, is still sayable as \#."""
    import dns.exception
    import dns.rdata

    try:
        text = dns.rdata.from_wire(CLASS_IN, rrtype, wire, 0, len(wire)).to_text()
        if rdata_from_text_rare(rrtype, text.encode("latin-1"), None) == wire:
            return text
    except (dns.exception.DNSException, TextError, WireError, ValueError):
        pass
    return f"\\# {len(wire)} {wire.hex()}".rstrip()


def to_text(uint16_t rrtype, bytes wire not None):
    cdef Py_ssize_t room = 256 + 80 * len(wire)  # a bit of a bitmap is up to 10 characters
    cdef Writer out
    cdef int status
    text = bytearray(room)
    writer_init(&out, text, room)
    status = rdata_to_text(rrtype, <const uint8_t *>PyBytes_AS_STRING(wire), len(wire), &out)
    if status == RARE:
        return text_rare(rrtype, wire)
    if status != OK:
        raise WireError(STATUS_REASON[status])
    return text[:out.pos].decode("ascii")


def unpack(uint16_t rrtype, bytes message not None, Py_ssize_t offset, Py_ssize_t size):
    cdef Reader reader
    cdef Writer out
    cdef int status
    rdata = bytearray(65536 + 512)
    if not 0 <= offset <= len(message):
        raise WireError(STATUS_REASON[SHORT])
    reader_init(&reader, <const uint8_t *>PyBytes_AS_STRING(message), len(message))
    reader.pos = offset
    writer_init(&out, rdata, len(rdata))
    status = rdata_unpack(&reader, rrtype, size, &out)
    if status != OK:
        raise WireError(STATUS_REASON[status], reader.pos)
    return bytes(rdata[:out.pos])


def compressible(uint16_t rrtype, bytes wire not None):
    cdef Span spans[2]
    cdef int index
    check(rrtype, wire)
    cdef int count = rdata_compressible(rrtype, <const uint8_t *>PyBytes_AS_STRING(wire), len(wire), spans)
    return [(spans[index].offset, spans[index].length) for index in range(count)]
