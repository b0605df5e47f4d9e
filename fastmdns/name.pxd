# SPDX-License-Identifier: Apache-2.0
"""Domain names: text, wire, canonical key.

`wire` is an uncompressed name of 1 to 255 octets, case kept. `key` is a string whose memcmp order is the canonical
order of RFC 4034 §6.1: labels from the root side, lower-cased, each closed by 0x00; inside a label 0x00 is written
0x01 0x01 and 0x01 is written 0x01 0x02. The root's key is empty. A key starts with the key of every ancestor.
"""

from libc.stdint cimport uint8_t
from fastmdns.wire cimport Reader, Writer

cdef enum:
    MAX_KEY = 504  # 250 label octets, each escaped, and 4 closing octets

# The length of the name at wire (no pointers allowed), or 0 where it is malformed or longer than size.
cdef int name_length(const uint8_t *wire, Py_ssize_t size) noexcept nogil

# Text without surrounding blanks → out (room 256). origin may be NULL. The length, or -Status.
# "@" alone is the origin. "." is the root.
cdef int name_from_text(const char *text, Py_ssize_t size, const uint8_t *origin, int origin_length, uint8_t *out) noexcept nogil

# The name at reader.pos, pointers followed, → out (room 256). The length, or 0 with reader.status set.
# reader.pos ends behind the name as it lies there. Pointers: strictly backwards, RFC 1035 §4.1.4.
cdef int name_unpack(Reader *reader, uint8_t *out) noexcept nogil

# The canonical key → key (room MAX_KEY). Its length.
cdef int name_key(const uint8_t *wire, int length, uint8_t *key) noexcept nogil

# The key of a name back to its lower-case wire form → out (room 256). The length.
cdef int name_from_key(const uint8_t *key, int length, uint8_t *out) noexcept nogil

# ASCII lower case, octets >= 0x80 untouched (RFC 4343 §3). wire and out may be the same.
cdef void name_lower(const uint8_t *wire, int length, uint8_t *out) noexcept nogil

# Equal but for ASCII case.
cdef bint name_equal(const uint8_t *one, int one_length, const uint8_t *other, int other_length) noexcept nogil

# True where wire is zone or below it, whatever the case.
cdef bint name_within(const uint8_t *wire, int length, const uint8_t *zone, int zone_length) noexcept nogil

# Presentation text, absolute with a closing dot → out. Its length (room 1024 is always enough).
cdef int name_to_text(const uint8_t *wire, int length, char *out) noexcept nogil

# What follows a backslash in text (\DDD or \X) → octet. How many characters it has, 0 where it is no escape.
cdef int text_unescape(const uint8_t *text, Py_ssize_t size, int *octet) noexcept nogil
