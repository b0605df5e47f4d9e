# SPDX-License-Identifier: Apache-2.0
"""Messages as they arrive (a bounds-checked parse into one struct) and the parts every reply is written from.

The parse never allocates and never raises: a message that is no valid query still gives the struct, with `problem` set
and with all that was read before it, since an error answer repeats the question and the OPT record (RFC 5936 §2.2.2,
RFC 6891 §7).
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastmdns.wire cimport Reader, Writer


cdef enum Rcode:
    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NOTIMP = 4
    REFUSED = 5
    NOTAUTH = 9
    BADVERS = 16  # extended: its upper 8 bits travel in the OPT record


cdef enum Opcode:
    OPCODE_QUERY = 0
    OPCODE_NOTIFY = 4
    OPCODE_UPDATE = 5
    OPCODE_DSO = 6


cdef enum Rrtype:
    TYPE_NONE = 0
    TYPE_NS = 2
    TYPE_SOA = 6
    TYPE_OPT = 41
    TYPE_TKEY = 249
    TYPE_TSIG = 250
    TYPE_IXFR = 251
    TYPE_AXFR = 252
    TYPE_MAILB = 253
    TYPE_MAILA = 254
    TYPE_ANY = 255


cdef enum Rrclass:
    CLASS_IN = 1
    CLASS_NONE = 254
    CLASS_ANY = 255


cdef enum HeaderBits:
    QR = 0x8000
    AA = 0x0400
    TC = 0x0200
    RD = 0x0100
    OPCODE_MASK = 0x7800


cdef enum EdnsOption:
    OPTION_NSID = 3
    OPTION_EXPIRE = 9
    OPTION_COOKIE = 10
    OPTION_KEEPALIVE = 11
    OPTION_EDE = 15


cdef enum ExtendedError:  # RFC 8914 §4; 0 is "Other Error" there and "none" here
    EDE_NONE = 0
    EDE_NOT_READY = 14
    EDE_PROHIBITED = 18
    EDE_NOT_AUTHORITATIVE = 20
    EDE_NOT_SUPPORTED = 21


cdef enum:
    QUESTION_AT = 12
    FRAME_SIZE = 14  # TCP length prefix + header
    OPT_SIZE = 11  # an OPT record without options


cdef struct Head:  # the fixed part of a record, and where its parts lie
    Py_ssize_t at
    uint8_t owner[256]
    int owner_length
    uint16_t rrtype, rrclass
    uint32_t ttl
    Py_ssize_t rdata
    uint16_t rdlength

# A record up to and over its rdata. False where it is cut short or its owner is no name.
cdef bint head_read(Reader *reader, Head *head) noexcept nogil


cdef struct Tsig:  # where a TSIG record lies; offsets count from the start of the message
    Py_ssize_t at  # of the record
    uint8_t name[256]  # key name, lower-case, uncompressed
    int name_length
    Py_ssize_t algorithm  # offset of the algorithm's name, which is never compressed
    int algorithm_length
    uint64_t time  # 48 bits
    uint16_t fudge
    Py_ssize_t mac
    uint16_t mac_length
    uint16_t original_id
    uint16_t error
    Py_ssize_t other
    uint16_t other_length
    uint32_t ttl  # as sent: it is digested so


cdef struct Query:
    const uint8_t *data  # borrowed
    Py_ssize_t size
    uint16_t ident
    uint16_t flags
    uint16_t counts[4]  # question, answer, authority, additional
    int opcode
    int problem  # NOERROR, or the rcode that the message's form alone asks for
    bint has_question  # exactly one, and it parsed: qname, qtype and qclass are set
    const uint8_t *qname  # borrowed: data + 12, case as sent
    int qname_length
    uint8_t lower[256]  # qname in lower case
    uint16_t qtype, qclass
    bint has_opt
    uint16_t udp_size  # never below 512
    uint8_t version
    bint dnssec_ok
    bint asks_expire, asks_nsid, asks_keepalive
    bint has_tsig
    Tsig tsig
    bint has_soa  # IXFR: the authority section is one SOA of the question's name
    uint32_t serial  # of that SOA


cdef enum Form:  # what query_parse() says of a datagram
    IGNORE = 0  # shorter than a header, or a response: no answer at all
    ANSWER = 1

cdef int query_parse(Query *query, const uint8_t *data, Py_ssize_t size) noexcept nogil

# The header (flags = QR + opcode and RD of the query + `bits` + lower 4 bits of rcode) and the question, if it parsed.
cdef void reply_begin(Writer *writer, const Query *query, int bits, int rcode) noexcept nogil

# Section counts into a header already written: which = 1 answer, 2 authority, 3 additional.
cdef inline void reply_count(uint8_t *message, int which, int count) noexcept nogil:
    message[4 + 2 * which] = <uint8_t>(count >> 8)
    message[5 + 2 * which] = <uint8_t>(count & 0xFF)


cdef struct OptReply:  # what goes into the OPT record of an answer
    uint16_t udp_size  # ours
    int rcode
    bint dnssec_ok
    int extended_error  # EDE_NONE: no such option
    bint with_expire
    uint32_t expire
    int keepalive  # units of 100 ms; -1: no such option
    const uint8_t *nsid  # borrowed, NULL: no such option
    int nsid_length

# Octets the OPT record will take.
cdef int opt_size(const OptReply *opt) noexcept nogil
cdef void opt_write(Writer *writer, const OptReply *opt) noexcept nogil

# The same as Python's TsigRecord.
cdef object tsig_object(const uint8_t *data, const Tsig *tsig)
