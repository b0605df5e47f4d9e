# SPDX-License-Identifier: Apache-2.0
"""See message.pxd. For Python: where a message's TSIG record lies, what a query asks, and the records of an answer.

What is FORMERR here and ignored elsewhere is decided by form alone, before anyone asks who the peer is: not exactly one
question (RFC 9619), octets after the last record, a question of class 0, NONE or ANY, OPT or TSIG as a question's type,
records in a query's answer section, a second OPT, an OPT that is not at the root or not in the additional section, an
option that leaves its record, a malformed cookie, a TSIG that is not the last record, an IXFR without exactly one SOA
of the zone. Cookies are checked for form and otherwise ignored: TSIG says who a peer is.
"""

from libc.string cimport memcmp, memset
from fastmdns.name cimport name_length, name_lower, name_unpack
from fastmdns.wire cimport (
    HEADER_SIZE,
    MAX_MESSAGE,
    OK,
    Reader,
    Writer,
    load_u16,
    read_octets,
    read_u16,
    read_u32,
    reader_init,
    write_octets,
    write_u8,
    write_u16,
    write_u32,
)

from typing import NamedTuple

from fastmdns.errors import STATUS_REASON, WireError


# ------------------------------------------------------------------------------------------------------- one record


cdef bint head_read(Reader *reader, Head *head) noexcept nogil:
    head.at = reader.pos
    head.owner_length = name_unpack(reader, head.owner)
    head.rrtype = read_u16(reader)
    head.rrclass = read_u16(reader)
    head.ttl = read_u32(reader)
    head.rdlength = read_u16(reader)
    head.rdata = reader.pos
    read_octets(reader, head.rdlength)
    return reader.status == OK


cdef void rdata_reader(Reader *inner, const Reader *reader, const Head *head) noexcept nogil:
    """A reader that ends where the rdata does; names in it may still point back into the message."""
    reader_init(inner, reader.data, head.rdata + head.rdlength)
    inner.pos = head.rdata


cdef bint ended(const Reader *reader) noexcept nogil:
    return reader.status == OK and reader.pos == reader.size


cdef bint tsig_read(Tsig *tsig, const Reader *reader, const Head *head) noexcept nogil:
    """RFC 8945 §4.2. Key names may arrive compressed, algorithm names not: they lie inside rdata."""
    cdef Reader inner
    cdef uint16_t high
    rdata_reader(&inner, reader, head)
    tsig.at = head.at
    tsig.ttl = head.ttl
    tsig.name_length = head.owner_length
    name_lower(head.owner, head.owner_length, tsig.name)
    tsig.algorithm = inner.pos
    tsig.algorithm_length = name_length(inner.data + inner.pos, inner.size - inner.pos)
    read_octets(&inner, tsig.algorithm_length)
    high = read_u16(&inner)
    tsig.time = (<uint64_t>high << 32) | read_u32(&inner)
    tsig.fudge = read_u16(&inner)
    tsig.mac_length = read_u16(&inner)
    tsig.mac = inner.pos
    read_octets(&inner, tsig.mac_length)
    tsig.original_id = read_u16(&inner)
    tsig.error = read_u16(&inner)
    tsig.other_length = read_u16(&inner)
    tsig.other = inner.pos
    read_octets(&inner, tsig.other_length)
    return tsig.algorithm_length > 0 and head.rrclass == CLASS_ANY and ended(&inner)


# ---------------------------------------------------------------------------------------------------------- queries


cdef bint option_read(Query *query, int code, int size) noexcept nogil:
    """Note what one EDNS option asks. False: its length is wrong."""
    if code == OPTION_COOKIE:  # RFC 7873 §5.2: 8 octets of the client, perhaps 8 to 32 of the server
        return size == 8 or 16 <= size <= 40
    if code == OPTION_EXPIRE:
        query.asks_expire = True
    elif code == OPTION_NSID:
        query.asks_nsid = True
    elif code == OPTION_KEEPALIVE:
        query.asks_keepalive = True
    return True


cdef bint options_read(Query *query, Reader *inner) noexcept nogil:
    cdef int code, size
    while inner.status == OK and inner.pos < inner.size:
        code = read_u16(inner)
        size = read_u16(inner)
        read_octets(inner, size)
        if inner.status == OK and not option_read(query, code, size):
            return False
    return inner.status == OK


cdef bint opt_read(Query *query, const Reader *reader, const Head *head) noexcept nogil:
    """RFC 6891 §6.1. Options of an unknown version are not looked into: their form is unknown too."""
    cdef Reader inner
    if query.has_opt or reader.data[head.at] != 0:
        return False
    query.has_opt = True
    query.udp_size = head.rrclass if head.rrclass > 512 else 512
    query.version = <uint8_t>((head.ttl >> 16) & 0xFF)
    query.dnssec_ok = (head.ttl & 0x8000) != 0
    rdata_reader(&inner, reader, head)
    return query.version != 0 or options_read(query, &inner)


cdef bint ixfr_soa_read(Query *query, const Reader *reader, const Head *head) noexcept nogil:
    """The client's SOA: of the zone asked for, and only one (RFC 1995 §3)."""
    cdef Reader inner
    cdef uint8_t lower[256]
    cdef uint8_t name[256]
    if query.has_soa or head.rrtype != TYPE_SOA or head.rrclass != query.qclass:
        return False
    name_lower(head.owner, head.owner_length, lower)
    if head.owner_length != query.qname_length or memcmp(lower, query.lower, head.owner_length) != 0:
        return False
    rdata_reader(&inner, reader, head)
    name_unpack(&inner, name)
    name_unpack(&inner, name)
    query.serial = read_u32(&inner)
    read_octets(&inner, 16)
    query.has_soa = ended(&inner)
    return query.has_soa


cdef bint is_ixfr(const Query *query) noexcept nogil:
    return query.opcode == OPCODE_QUERY and query.qtype == TYPE_IXFR


cdef bint record_read(Query *query, Reader *reader, int section, bint last) noexcept nogil:
    """One record of a query. False: the query is malformed."""
    cdef Head head
    if not head_read(reader, &head):
        return False
    if head.rrtype == TYPE_OPT:
        return section == 3 and opt_read(query, reader, &head)
    if head.rrtype == TYPE_TSIG:
        query.has_tsig = section == 3 and last and tsig_read(&query.tsig, reader, &head)
        return query.has_tsig
    if section == 2 and is_ixfr(query):
        return ixfr_soa_read(query, reader, &head)
    return True


cdef bint records_read(Query *query, Reader *reader) noexcept nogil:
    cdef int section, index
    cdef bint good = True
    for section in range(1, 4):
        for index in range(query.counts[section]):
            # After the first bad record only the OPT record still matters, and only while records can be read.
            if not record_read(query, reader, section, index == query.counts[section] - 1):
                good = False
                if reader.status != OK:
                    return False
    return good and reader.pos == reader.size


cdef bint name_skip(Reader *reader) noexcept nogil:
    cdef int length = name_length(reader.data + reader.pos, reader.size - reader.pos)
    read_octets(reader, length)
    return length > 0


cdef bint questions_read(Query *query, Reader *reader) noexcept nogil:
    """Exactly one question is good. More are walked over, so that an OPT behind them is found."""
    cdef int index
    for index in range(query.counts[0]):
        if not name_skip(reader):
            reader.status = 1
            return False
        read_u32(reader)
    if query.counts[0] != 1 or reader.status != OK:
        return False
    query.has_question = True
    query.qname = query.data + QUESTION_AT
    query.qname_length = <int>(reader.pos - QUESTION_AT - 4)
    name_lower(query.qname, query.qname_length, query.lower)
    query.qtype = load_u16(query.data + reader.pos - 4)
    query.qclass = load_u16(query.data + reader.pos - 2)
    return True


cdef bint question_is_sound(const Query *query) noexcept nogil:
    if query.qclass == 0 or query.qclass == CLASS_NONE or query.qclass == CLASS_ANY:
        return False
    return query.qtype != TYPE_OPT and query.qtype != TYPE_TSIG


cdef bint body_read(Query *query, Reader *reader) noexcept nogil:
    cdef bint good = questions_read(query, reader)
    if reader.status != OK:
        return False
    good = records_read(query, reader) and good
    if not good or not question_is_sound(query):
        return False
    if query.opcode == OPCODE_QUERY and query.counts[1] != 0:
        return False
    return not is_ixfr(query) or query.has_soa


cdef int query_parse(Query *query, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    cdef Reader reader
    cdef int section
    cdef bint good
    if size < HEADER_SIZE or size > MAX_MESSAGE or data[2] & 0x80:
        return IGNORE
    memset(query, 0, sizeof(Query))
    query.data = data
    query.size = size
    query.ident = load_u16(data)
    query.flags = load_u16(data + 2)
    query.opcode = (query.flags & OPCODE_MASK) >> 11
    for section in range(4):
        query.counts[section] = load_u16(data + 4 + 2 * section)
    reader_init(&reader, data, size)
    reader.pos = HEADER_SIZE
    if query.opcode == OPCODE_UPDATE or query.opcode == OPCODE_DSO:  # their other sections are not ours to read
        questions_read(query, &reader)
        query.problem = NOTIMP
        return ANSWER
    good = body_read(query, &reader)
    if query.opcode != OPCODE_QUERY and query.opcode != OPCODE_NOTIFY:
        query.problem = NOTIMP
    elif not good:
        query.problem = FORMERR
    elif query.version != 0:
        query.problem = BADVERS
    return ANSWER


# ---------------------------------------------------------------------------------------------------------- replies


cdef void reply_begin(Writer *writer, const Query *query, int bits, int rcode) noexcept nogil:
    write_u16(writer, query.ident)
    write_u16(writer, <uint16_t>(QR | (query.flags & (OPCODE_MASK | RD)) | bits | (rcode & 0xF)))
    write_u16(writer, query.has_question)
    write_u32(writer, 0)
    write_u16(writer, 0)
    if query.has_question:
        write_octets(writer, query.qname, query.qname_length + 4)


cdef int opt_size(const OptReply *opt) noexcept nogil:
    cdef int size = OPT_SIZE
    if opt.extended_error != EDE_NONE:
        size += 6
    if opt.with_expire:
        size += 8
    if opt.keepalive >= 0:
        size += 6
    if opt.nsid != NULL:
        size += 4 + opt.nsid_length
    return size


cdef void option_begin(Writer *writer, int code, int size) noexcept nogil:
    write_u16(writer, <uint16_t>code)
    write_u16(writer, <uint16_t>size)


cdef void opt_write(Writer *writer, const OptReply *opt) noexcept nogil:
    write_u8(writer, 0)
    write_u16(writer, TYPE_OPT)
    write_u16(writer, opt.udp_size)
    write_u8(writer, <uint8_t>(opt.rcode >> 4))
    write_u8(writer, 0)
    write_u16(writer, 0x8000 if opt.dnssec_ok else 0)
    write_u16(writer, <uint16_t>(opt_size(opt) - OPT_SIZE))
    if opt.extended_error != EDE_NONE:
        option_begin(writer, OPTION_EDE, 2)
        write_u16(writer, <uint16_t>opt.extended_error)
    if opt.with_expire:
        option_begin(writer, OPTION_EXPIRE, 4)
        write_u32(writer, opt.expire)
    if opt.keepalive >= 0:
        option_begin(writer, OPTION_KEEPALIVE, 2)
        write_u16(writer, <uint16_t>opt.keepalive)
    if opt.nsid != NULL:
        option_begin(writer, OPTION_NSID, opt.nsid_length)
        write_octets(writer, opt.nsid, opt.nsid_length)


# -------------------------------------------------------------------------------------------------------- for Python


class TsigRecord(NamedTuple):
    """A TSIG record of a message: `at` is where it starts, names are lower-case wire."""

    at: int
    name: bytes
    algorithm: bytes
    time: int
    fudge: int
    mac: bytes
    original_id: int
    error: int
    other: bytes
    ttl: int


cdef object tsig_object(const uint8_t *data, const Tsig *tsig):
    return TsigRecord(
        tsig.at,
        tsig.name[:tsig.name_length],
        data[tsig.algorithm : tsig.algorithm + tsig.algorithm_length].lower(),
        tsig.time,
        tsig.fudge,
        data[tsig.mac : tsig.mac + tsig.mac_length],
        tsig.original_id,
        tsig.error,
        data[tsig.other : tsig.other + tsig.other_length],
        tsig.ttl,
    )


class QueryFacts(NamedTuple):
    """What query_parse() made of a message. rcode: what its form alone asks for, 0 where it is sound."""

    ident: int
    opcode: int
    rcode: int
    question: tuple[bytes, int, int] | None
    udp_size: int | None
    version: int
    serial: int | None
    tsig: TsigRecord | None


cdef object query_object(const Query *query):
    cdef bint keyed = query.has_tsig and query.problem != FORMERR
    return QueryFacts(
        query.ident,
        query.opcode,
        query.problem,
        (query.qname[:query.qname_length], query.qtype, query.qclass) if query.has_question else None,
        query.udp_size if query.has_opt else None,
        query.version,
        query.serial if query.has_soa else None,
        tsig_object(query.data, &query.tsig) if keyed else None,
    )


def parse_query(const uint8_t[::1] wire not None):
    """The query, or None where it deserves no answer at all: a response, or shorter than a header."""
    cdef Query query
    if wire.shape[0] == 0 or query_parse(&query, &wire[0], wire.shape[0]) == IGNORE:
        return None
    return query_object(&query)


cdef object wire_error(const Reader *reader):
    return WireError(STATUS_REASON[reader.status], reader.pos)


def find_tsig(const uint8_t[::1] wire not None):
    """The TSIG record of any message, or None. WireError where either is malformed, or the record is not the last."""
    cdef Reader reader
    cdef Head head
    cdef Tsig tsig
    cdef int index, records
    if wire.shape[0] < HEADER_SIZE:
        raise WireError("a message is shorter than its header", wire.shape[0])
    reader_init(&reader, &wire[0], wire.shape[0])
    reader.pos = HEADER_SIZE
    skip_questions(&reader, load_u16(&wire[4]))
    records = load_u16(&wire[6]) + load_u16(&wire[8]) + load_u16(&wire[10])
    for index in range(records):
        if not head_read(&reader, &head):
            break
        if head.rrtype == TYPE_TSIG:
            if index != records - 1 or load_u16(&wire[10]) == 0 or not tsig_read(&tsig, &reader, &head):
                raise WireError("malformed or misplaced TSIG record", head.at)
            if reader.pos != reader.size:
                raise WireError("octets after the last record", reader.pos)
            return tsig_object(reader.data, &tsig)
    if reader.status != OK:
        raise wire_error(&reader)
    return None


cdef void skip_questions(Reader *reader, int count) noexcept nogil:
    cdef uint8_t name[256]
    cdef int index
    for index in range(count):
        name_unpack(reader, name)
        read_u32(reader)
        if reader.status != OK:
            return
