# SPDX-License-Identifier: Apache-2.0
"""What rdata must look like as octets: checked, and taken out of a message with its names decompressed."""

from libc.stdint cimport uint8_t, uint16_t
from fastmdns.shapes cimport Field
from fastmdns.wire cimport Reader, Writer


cdef struct Span:  # a domain name inside rdata
    uint16_t offset
    uint16_t length

# Is this valid uncompressed rdata of the type? OK or a Status. Unknown types always are. Never RARE.
cdef int rdata_check(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size) noexcept nogil

# Rdata of `size` octets at reader.pos inside a message, its names decompressed (nothing behind its end is read), → out.
cdef int rdata_unpack(Reader *reader, uint16_t rrtype, Py_ssize_t size, Writer *out) noexcept nogil

# Where the names that may be compressed lie (only NS CNAME SOA MB MG MR PTR MINFO MX; RFC 3597 §4), at most 2,
# → spans. The rdata must be valid. Their count; 0 for all other types.
cdef int rdata_compressible(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size, Span *spans) noexcept nogil

# Fast answer to "can this type hold a compressible name at all".
cdef bint rrtype_is_compressible(uint16_t rrtype) noexcept nogil

# Whether a character-string has the form its kind asks for.
cdef bint is_form(int kind, const uint8_t *octets, Py_ssize_t size) noexcept nogil

# Whether a digest is as long as the octet before it says.
cdef bint is_length(const Field *field, const uint8_t *digest, Py_ssize_t size) noexcept nogil

# Whether service parameters, keys ascending, agree with each other (RFC 9460 §7.1.1 and §8) and have valid values.
cdef bint are_parameters(const uint8_t *parameters, Py_ssize_t size) noexcept nogil
