# SPDX-License-Identifier: Apache-2.0
"""Record data: text, wire, and what a name inside it may do. Every shape is read from the one table, rrtypes.py."""

from libc.stdint cimport uint8_t, uint16_t
from fastmdns.wire cimport Reader, Writer


cdef struct Token:
    const char *text  # borrowed; escapes still in place, quotes not
    Py_ssize_t size
    bint quoted
    int line  # from 1
    int column  # from 1, octets


cdef struct Span:  # a domain name inside rdata
    uint16_t offset
    uint16_t length

# Tokens of one record's data → rdata as uncompressed wire, appended to out. `\# length hex` is understood for every
# type (RFC 3597 §5) and then checked as wire where the type is known. OK, a Status with *bad_token = index of the
# token that is wrong, or RARE: the caller must take the GIL and use rdata_from_text_rare().
cdef int rdata_from_tokens(uint16_t rrtype, const Token *tokens, int count, const uint8_t *origin, int origin_length,
                           Writer *out, int *bad_token) noexcept nogil

# The same through dnspython, for types whose text has no fast path. text: the tokens as written, joined by blanks.
cdef bytes rdata_from_text_rare(uint16_t rrtype, bytes text, bytes origin)

# Is this valid uncompressed rdata of the type? OK or a Status. Unknown types always are. Never RARE.
cdef int rdata_check(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size) noexcept nogil

# Rdata of `size` octets at reader.pos inside a message, its names decompressed (A12.4: bounds are the rdata's), → out.
cdef int rdata_unpack(Reader *reader, uint16_t rrtype, Py_ssize_t size, Writer *out) noexcept nogil

# Where the names that may be compressed lie (only NS MD MF CNAME SOA MB MG MR PTR MINFO MX, RFC 3597 §4), at most 2,
# → spans. The rdata must be valid. Their count; 0 for all other types.
cdef int rdata_compressible(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size, Span *spans) noexcept nogil

# Fast answer to "can this type hold a compressible name at all".
cdef bint rrtype_is_compressible(uint16_t rrtype) noexcept nogil

# The type a mnemonic or TYPE123 names, whatever the case, or -1.
cdef int rrtype_from_text(const char *text, Py_ssize_t size) noexcept nogil

# Canonical presentation, absolute names → out, appended. OK, OVERFLOW where it does not fit, RARE where only
# rdata.to_text() can, or why the rdata is not valid.
cdef int rdata_to_text(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size, Writer *out) noexcept nogil

# Tokens as they were written, joined by blanks: what rdata_from_text_rare() reads.
cdef bytes tokens_as_text(const Token *tokens, int count)
