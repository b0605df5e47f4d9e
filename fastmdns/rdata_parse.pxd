# SPDX-License-Identifier: Apache-2.0
"""Rdata from presentation text, split into tokens."""

from libc.stdint cimport uint8_t
from fastmdns.shapes cimport Shape
from fastmdns.wire cimport Writer


cdef struct Token:
    const char *text  # borrowed; escapes still in place, quotes not
    Py_ssize_t size
    bint quoted
    int line  # from 1
    int column  # from 1, octets


cdef struct Words:  # the tokens of one record's data, and how far they are read
    const Token *tokens
    int count
    int at
    const uint8_t *origin
    int origin_length


# The fields of a type → out, appended. OK or a Status, and then words.at is behind the token that is wrong.
cdef int parse_fields(Words *words, const Shape *shape, Writer *out) noexcept nogil

# What stands behind \# (RFC 3597 §5): a length and as many octets → out, appended. The same.
cdef int parse_generic(Words *words, Writer *out) noexcept nogil

# Nothing stands between two tokens but quotes. tokens must be of one text.
cdef bint touches(const Token *one, const Token *other) noexcept nogil
