# SPDX-License-Identifier: Apache-2.0
"""Record data: text, wire, and what a name inside it may do. Every shape is read from the one table, rrtypes.py."""

from libc.stdint cimport uint8_t, uint16_t
from fastmdns.rdata_parse cimport Token
from fastmdns.rdata_print cimport rdata_to_text
from fastmdns.rdata_wire cimport Span, rdata_check, rdata_compressible, rdata_unpack, rrtype_is_compressible
from fastmdns.shapes cimport rrtype_from_text
from fastmdns.wire cimport Writer

# Tokens of one record's data → rdata as uncompressed wire, appended to out. `\# length hex` is understood for every
# type (RFC 3597 §5) and then checked as wire where the type is known. OK, a Status with *bad_token = index of the
# token that is wrong (count: one is missing), or RARE: the caller must take the GIL and use rdata_from_text_rare().
# Where it is not OK, out is as it was.
cdef int rdata_from_tokens(uint16_t rrtype, const Token *tokens, int count, const uint8_t *origin, int origin_length,
                           Writer *out, int *bad_token) noexcept nogil

# The same through dnspython, for types whose text has no fast path. text: the tokens as written, joined by blanks.
cdef bytes rdata_from_text_rare(uint16_t rrtype, bytes text, bytes origin)
