# SPDX-License-Identifier: Apache-2.0
"""The rows of rrtypes.py as C: what kinds of fields a type has, and the mnemonics of types and numbers."""

from libc.stdint cimport uint8_t, uint16_t, uint64_t


cpdef enum Kind:  # named like the classes of rrtypes.py
    U8
    U16
    U32
    U64
    PERIOD
    TIME
    TYPE
    ALGORITHM
    CERTIFICATE
    SCHEME  # up to here a field is one number
    IPv4
    IPv6
    NAME
    NAMES
    STRING
    OPTIONAL
    STRINGS
    LABEL
    DECIMAL
    TEXT
    HEX
    DIGEST
    BASE64
    SALT
    HASH
    BITMAP
    EUI48
    EUI64
    LOCATOR
    NSAP
    PARAMETERS
    LOCATION
    PREFIXES
    PORTS
    IDENTITY
    GATEWAY
    KIND_COUNT


cdef enum:
    MAX_FIELDS = 9  # SIG and RRSIG
    MAX_LENGTHS = 4
    MAX_RDATA = 65535


cdef enum:  # service parameters (RFC 9460 §14.3.2) whose values have a form of their own
    MANDATORY = 0
    ALPN = 1
    NO_DEFAULT_ALPN = 2
    PORT = 3
    IPV4HINT = 4
    ECH = 5
    IPV6HINT = 6
    DOHPATH = 7
    OHTTP = 8
    DOCPATH = 10


cdef struct Lengths:  # how long a DIGEST is where the octet before it is `value`
    uint8_t value
    uint8_t length


cdef struct Field:
    uint8_t kind
    uint8_t detail  # NAME: may be compressed; HEX, BASE64, TEXT, BITMAP: the least length; GATEWAY: how far back its type lies
    uint8_t length_count
    Lengths lengths[MAX_LENGTHS]


cdef struct Shape:
    uint16_t rrtype
    uint8_t count  # of fields; 0: any wire is good
    uint8_t compressible  # names that may be compressed
    bint rare
    bint meta
    uint8_t name_size
    char name[16]
    Field fields[MAX_FIELDS]


# The shape of a type, never NULL: types without a row share an empty one.
cdef const Shape *shape_of(uint16_t rrtype) noexcept nogil

# Octets of a field of the kind where all have the same size, else 0.
cdef int fixed_size(int kind) noexcept nogil

# The type a mnemonic or TYPE123 names, whatever the case, or -1.
cdef int rrtype_from_text(const char *text, Py_ssize_t size) noexcept nogil

# The number a mnemonic stands for in fields of the kind, whatever the case, or -1.
cdef int number_of_word(int kind, const char *text, Py_ssize_t size) noexcept nogil

# The mnemonic of a number in fields of the kind → text (borrowed). Its size, 0 where there is none.
cdef int word_of_number(int kind, uint64_t number, const char **text) noexcept nogil


cdef inline uint8_t upper(uint8_t octet) noexcept nogil:
    return octet - 32 if 97 <= octet <= 122 else octet


cdef inline uint8_t lower(uint8_t octet) noexcept nogil:
    return octet + 32 if 65 <= octet <= 90 else octet


cdef inline bint is_digit(int octet) noexcept nogil:
    return 48 <= octet <= 57
