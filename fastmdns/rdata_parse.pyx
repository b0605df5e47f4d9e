# SPDX-License-Identifier: Apache-2.0
"""Rdata from presentation text: one reader per kind of field. What leaves is valid wire of the type.

A reader takes its tokens and appends octets to a writer that refuses what doesn't fit. It returns OK or a Status; the
token it took last is then the one to name in the error.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t, int64_t
from libc.string cimport memcpy, memset
from fastmdns.name cimport name_from_text, text_unescape
from fastmdns.rdata_wire cimport are_parameters, is_form, is_length
from fastmdns.shapes cimport (
    ALPN, BASE64, BITMAP, CERTIFICATE, DECIMAL, DIGEST, DOCPATH, ECH, EUI48, EUI64, HASH, HEX, IPV4HINT, IPV6HINT,
    LABEL, LOCATOR, MANDATORY, MAX_RDATA, NAME, NSAP, OPTIONAL, PARAMETERS, PERIOD, PORT, SALT, SCHEME, STRING, STRINGS,
    TEXT, TIME, TYPE, U8, U16, U32, U64, Field, IPv4, IPv6, Shape, fixed_size, is_digit, number_of_word,
    rrtype_from_text, upper,
)
from fastmdns.wire cimport (
    BAD_BASE64, BAD_ESCAPE, BAD_HEX, BAD_IPV4, BAD_IPV6, BAD_NUMBER, BAD_TIME, BAD_TYPE, BAD_VALUE, EXTRA_OCTETS,
    EXTRA_TEXT, MISSING_FIELD, OK, OUT_OF_RANGE, OVERFLOW, RARE, SHORT, STRING_TOO_LONG, Writer, can_write, load_u16,
    store_u16, write_octets, write_u8, write_u16, write_u32,
)

cdef enum:
    NO_DIGIT = 0xFF

cdef uint8_t HEX_DIGIT[256]
cdef uint8_t BASE64_DIGIT[256]
cdef uint8_t BASE32_DIGIT[256]


cdef void fill_digits(uint8_t *digits, const char *alphabet, int count, bint fold) noexcept:
    cdef int value
    memset(digits, NO_DIGIT, 256)
    for value in range(count):
        digits[<uint8_t>alphabet[value]] = <uint8_t>value
        if fold:
            digits[upper(<uint8_t>alphabet[value])] = <uint8_t>value


fill_digits(HEX_DIGIT, b"0123456789abcdef", 16, True)
fill_digits(BASE64_DIGIT, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 64, False)
fill_digits(BASE32_DIGIT, b"0123456789abcdefghijklmnopqrstuv", 32, True)


cdef inline const Token *next_token(Words *words) noexcept nogil:
    if words.at >= words.count:
        return NULL
    words.at += 1
    return &words.tokens[words.at - 1]


cdef int number(const char *text, Py_ssize_t size, uint64_t limit, uint64_t *value) noexcept nogil:
    cdef Py_ssize_t pos
    cdef uint64_t digit
    value[0] = 0
    if size < 1:
        return BAD_NUMBER
    for pos in range(size):
        if not is_digit(text[pos]):
            return BAD_NUMBER
        digit = <uint64_t>(text[pos] - 48)
        if value[0] > (limit - digit) // 10:
            return OUT_OF_RANGE
        value[0] = value[0] * 10 + digit
    return OK


cdef int unit_seconds(int letter) noexcept nogil:
    letter = upper(<uint8_t>letter)
    if letter == b"S":
        return 1
    if letter == b"M":
        return 60
    if letter == b"H":
        return 3600
    if letter == b"D":
        return 86400
    return 604800 if letter == b"W" else 0


cdef int period(const char *text, Py_ssize_t size, uint64_t *value) noexcept nogil:
    """Seconds, or numbers with units such as 1h30m."""
    cdef uint64_t part = 0
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t pos
    cdef int unit
    if size and is_digit(text[size - 1]):
        return number(text, size, 0xFFFFFFFFU, value)
    value[0] = 0
    for pos in range(size):
        if is_digit(text[pos]):
            continue
        unit = unit_seconds(text[pos])
        if unit == 0 or number(text + start, pos - start, 0xFFFFFFFFU, &part) != OK:
            return BAD_NUMBER
        value[0] += part * <uint64_t>unit
        if value[0] > 0xFFFFFFFFU:
            return OUT_OF_RANGE
        start = pos + 1
    return OK if size else BAD_NUMBER


cdef int64_t days_from_date(int year, int month, int day) noexcept nogil:
    """Days since 1970-01-01 in the Gregorian calendar; years begin in March so that the leap day is the last."""
    cdef int64_t era, of_era
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719469


cdef bint is_date(int year, int month, int day) noexcept nogil:
    cdef int longest = 31 - (month == 4 or month == 6 or month == 9 or month == 11)
    if month == 2:
        longest = 28 + (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return 1970 <= year and 1 <= month <= 12 and 1 <= day <= longest


cdef int two_digits(const char *text) noexcept nogil:
    return (text[0] - 48) * 10 + text[1] - 48


cdef int moment(const char *text, Py_ssize_t size, uint64_t *value) noexcept nogil:
    """YYYYMMDDHHmmSS or seconds since 1970."""
    cdef int status, year, month, day
    if size != 14:
        status = number(text, size, 0xFFFFFFFFU, value)
        return BAD_TIME if status == BAD_NUMBER else status
    if number(text, size, 99999999999999ULL, value) != OK:
        return BAD_TIME
    year = two_digits(text) * 100 + two_digits(text + 2)
    month = two_digits(text + 4)
    day = two_digits(text + 6)
    if not is_date(year, month, day) or two_digits(text + 8) > 23 or two_digits(text + 10) > 59 or two_digits(text + 12) > 59:
        return BAD_TIME
    value[0] = <uint64_t>(days_from_date(year, month, day) * 86400 + two_digits(text + 8) * 3600
                          + two_digits(text + 10) * 60 + two_digits(text + 12))
    return OK if value[0] <= 0xFFFFFFFFU else OUT_OF_RANGE


cdef int word_or_number(const Token *token, int kind, uint64_t limit, uint64_t *value) noexcept nogil:
    cdef int found
    if token.size and is_digit(token.text[0]):
        return number(token.text, token.size, limit, value)
    found = number_of_word(kind, token.text, token.size)
    value[0] = <uint64_t>found
    return BAD_VALUE if found < 0 else OK


cdef int type_word(const Token *token, uint64_t *value) noexcept nogil:
    cdef int rrtype = rrtype_from_text(token.text, token.size)
    value[0] = <uint64_t>rrtype
    return BAD_TYPE if rrtype < 0 else OK


cdef int scalar(const Token *token, int kind, uint64_t *value) noexcept nogil:
    if kind == U16:
        return number(token.text, token.size, 0xFFFF, value)
    if kind == U8:
        return number(token.text, token.size, 0xFF, value)
    if kind == U32:
        return number(token.text, token.size, 0xFFFFFFFFU, value)
    if kind == PERIOD:
        return period(token.text, token.size, value)
    if kind == TIME:
        return moment(token.text, token.size, value)
    if kind == TYPE:
        return type_word(token, value)
    if kind == CERTIFICATE:
        return word_or_number(token, kind, 0xFFFF, value)
    if kind == U64:
        return number(token.text, token.size, <uint64_t>0xFFFFFFFFFFFFFFFFULL, value)
    return word_or_number(token, kind, 0xFF, value)


cdef void write_number(Writer *out, uint64_t value, int octets) noexcept nogil:
    if octets == 1:
        write_u8(out, <uint8_t>value)
    elif octets == 2:
        write_u16(out, <uint16_t>value)
    else:
        if octets == 8:
            write_u32(out, <uint32_t>(value >> 32))
        write_u32(out, <uint32_t>(value & 0xFFFFFFFFU))


cdef int parse_scalar(Words *words, int kind, Writer *out) noexcept nogil:
    cdef const Token *token = next_token(words)
    cdef uint64_t value = 0
    cdef int status
    if token == NULL:
        return MISSING_FIELD
    status = scalar(token, kind, &value)
    if status == OK:
        write_number(out, value, fixed_size(kind))
    return status


cdef int ipv4(const char *text, Py_ssize_t size, uint8_t *address) noexcept nogil:
    """Four decimal numbers without leading zeros, as inet_pton(3)."""
    cdef Py_ssize_t pos = 0
    cdef int part, value, digits
    for part in range(4):
        value = 0
        digits = 0
        while pos < size and is_digit(text[pos]):
            if digits and value == 0:
                return BAD_IPV4
            value = value * 10 + text[pos] - 48
            if value > 255:
                return BAD_IPV4
            digits += 1
            pos += 1
        if digits == 0:
            return BAD_IPV4
        address[part] = <uint8_t>value
        if part < 3:
            if pos >= size or text[pos] != b".":
                return BAD_IPV4
            pos += 1
    return OK if pos == size else BAD_IPV4


cdef int ipv6(const char *text, Py_ssize_t size, uint8_t *address) noexcept nogil:
    """RFC 4291 §2.2: groups of one to four digits, one :: for two or more octets of zeros, IPv4 at the end allowed."""
    cdef uint8_t groups[16]
    cdef int used = 0
    cdef int gap = -1
    cdef int value, digits, start
    cdef Py_ssize_t pos = 0
    if size >= 2 and text[0] == b":":
        if text[1] != b":":
            return BAD_IPV6
        pos = 1  # the loop then meets the second colon at a group's place
    elif size < 2:
        return BAD_IPV6
    while pos < size:
        if text[pos] == b":":
            if gap >= 0:
                return BAD_IPV6
            gap = used
            pos += 1
            continue
        start = <int>pos
        value = 0
        while pos < size and pos - start < 5 and HEX_DIGIT[<uint8_t>text[pos]] != NO_DIGIT:
            value = (value << 4) | HEX_DIGIT[<uint8_t>text[pos]]
            pos += 1
        digits = <int>pos - start
        if pos < size and text[pos] == b"." and used <= 12:
            if ipv4(text + start, size - start, groups + used) != OK:
                return BAD_IPV6
            used += 4
            break
        if digits == 0 or digits > 4 or used > 14:
            return BAD_IPV6
        store_u16(groups + used, <uint16_t>value)
        used += 2
        if pos == size:
            break
        if text[pos] != b":" or pos + 1 == size:
            return BAD_IPV6
        pos += 1
    return spread_gap(groups, used, gap, address)


cdef int spread_gap(const uint8_t *groups, int used, int gap, uint8_t *address) noexcept nogil:
    """Put the zeros that :: stands for between the groups before and behind it."""
    if gap < 0:
        if used != 16:
            return BAD_IPV6
        gap = 16
    elif used > 14:
        return BAD_IPV6
    memset(address, 0, 16)
    memcpy(address, groups, gap)
    memcpy(address + 16 - (used - gap), groups + gap, used - gap)
    return OK


cdef int parse_address(Words *words, int kind, Writer *out) noexcept nogil:
    cdef const Token *token = next_token(words)
    cdef int status
    if token == NULL:
        return MISSING_FIELD
    if not can_write(out, fixed_size(kind)):
        return OVERFLOW
    if kind == IPv4:
        status = ipv4(token.text, token.size, out.data + out.pos)
    else:
        status = ipv6(token.text, token.size, out.data + out.pos)
    out.pos += fixed_size(kind)
    return status


cdef int parse_name(Words *words, Writer *out) noexcept nogil:
    cdef const Token *token = next_token(words)
    cdef uint8_t room[256]
    cdef uint8_t *name = room
    cdef int length
    if token == NULL:
        return MISSING_FIELD
    if out.size - out.pos >= 256:
        name = out.data + out.pos
    length = name_from_text(token.text, token.size, words.origin, words.origin_length, name)
    if length < 0:
        return -length
    if name == room:
        write_octets(out, room, length)
    else:
        out.pos += length
    return OK


cdef int put_text(const Token *token, Py_ssize_t limit, Writer *out) noexcept nogil:
    """The octets a token stands for, at most limit."""
    cdef const uint8_t *at = <const uint8_t *>token.text
    cdef const uint8_t *end = at + token.size
    cdef Py_ssize_t start = out.pos
    cdef int octet, escape
    while at < end:
        octet = at[0]
        at += 1
        if octet == b"\\":
            escape = text_unescape(at, end - at, &octet)
            if escape == 0:
                return BAD_ESCAPE
            at += escape
        if out.pos - start == limit:
            return STRING_TOO_LONG
        write_u8(out, <uint8_t>octet)
        if out.status != OK:
            return OVERFLOW
    return OK


cdef int put_string(const Token *token, Writer *out) noexcept nogil:
    """A character-string."""
    cdef Py_ssize_t start = out.pos
    cdef int status
    if token == NULL:
        return MISSING_FIELD
    write_u8(out, 0)
    status = put_text(token, 255, out)
    if status == OK and out.status == OK:
        out.data[start] = <uint8_t>(out.pos - start - 1)
    return status


cdef int parse_strings(Words *words, Writer *out) noexcept nogil:
    cdef int status = put_string(next_token(words), out)
    while status == OK and words.at < words.count:
        status = put_string(next_token(words), out)
    return status


cdef int parse_form(Words *words, int kind, Writer *out) noexcept nogil:
    cdef Py_ssize_t start = out.pos
    cdef int status = put_string(next_token(words), out)
    if status == OK and out.status == OK and not is_form(kind, out.data + start + 1, out.pos - start - 1):
        return BAD_VALUE
    return status


cdef int parse_text(Words *words, const Field *field, Writer *out) noexcept nogil:
    cdef const Token *token = next_token(words)
    cdef Py_ssize_t start = out.pos
    cdef int status
    if token == NULL:
        return MISSING_FIELD
    status = put_text(token, MAX_RDATA, out)
    if status == OK and out.pos - start < field.detail:
        return MISSING_FIELD
    return status


cdef Py_ssize_t put_hex_pairs(const uint8_t *text, Py_ssize_t size, Writer *out) noexcept nogil:
    """Pairs of digits as octets, as far as they go. How many characters."""
    cdef uint8_t *to = out.data + out.pos
    cdef Py_ssize_t pos = 0
    cdef uint8_t high, low
    if not can_write(out, size // 2):
        return 0
    while pos + 1 < size:
        high = HEX_DIGIT[text[pos]]
        low = HEX_DIGIT[text[pos + 1]]
        if high | low > 15:
            break
        to[0] = <uint8_t>((high << 4) | low)
        to += 1
        pos += 2
    out.pos += pos // 2
    return pos


cdef int put_hex(const char *text, Py_ssize_t size, int *carry, Writer *out) noexcept nogil:
    """Digits as octets. carry: the digit left over from the token before, or -1."""
    cdef Py_ssize_t pos = 0
    cdef uint8_t digit
    if carry[0] < 0:
        pos = put_hex_pairs(<const uint8_t *>text, size, out)
    for pos in range(pos, size):
        digit = HEX_DIGIT[<uint8_t>text[pos]]
        if digit == NO_DIGIT:
            return BAD_HEX
        if carry[0] < 0:
            carry[0] = digit
            continue
        write_u8(out, <uint8_t>((carry[0] << 4) | digit))
        carry[0] = -1
    return OK


cdef int parse_hex(Words *words, Writer *out) noexcept nogil:
    """All that is left; digits may be split into words anywhere."""
    cdef const Token *token = next_token(words)
    cdef int carry = -1
    cdef int status = OK
    while token != NULL and status == OK:
        status = put_hex(token.text, token.size, &carry, out)
        token = next_token(words)
    return BAD_HEX if status == OK and carry >= 0 else status


cdef int parse_octets(Words *words, const Field *field, Writer *out) noexcept nogil:
    cdef Py_ssize_t start = out.pos
    cdef int status
    if field.kind == BASE64:
        status = parse_base64(words, field.detail == 0, out)
    else:
        status = parse_hex(words, out)
    if status != OK or out.status != OK:
        return status
    if out.pos - start < field.detail:
        return MISSING_FIELD
    if field.kind == DIGEST and not is_length(field, out.data + start, out.pos - start):
        return BAD_VALUE
    return OK


cdef struct Quantum:  # up to four characters of base64
    uint32_t held
    int count
    int padding


cdef Py_ssize_t put_quanta(const uint8_t *text, Py_ssize_t size, Writer *out) noexcept nogil:
    """Four characters as three octets, as far as there is no padding and no mistake. How many characters."""
    cdef uint8_t *to = out.data + out.pos
    cdef Py_ssize_t pos = 0
    cdef uint8_t one, two, three, four
    if not can_write(out, size // 4 * 3):
        return 0
    while pos + 3 < size:
        one = BASE64_DIGIT[text[pos]]
        two = BASE64_DIGIT[text[pos + 1]]
        three = BASE64_DIGIT[text[pos + 2]]
        four = BASE64_DIGIT[text[pos + 3]]
        if one | two | three | four > 63:
            break
        to[0] = <uint8_t>((one << 2) | (two >> 4))
        to[1] = <uint8_t>((two << 4) & 0xFF | (three >> 2))
        to[2] = <uint8_t>((three << 6) & 0xFF | four)
        to += 3
        pos += 4
    out.pos += pos // 4 * 3
    return pos


cdef int put_base64(const char *text, Py_ssize_t size, Quantum *quantum, Writer *out) noexcept nogil:
    """Characters as octets; what does not fill a quantum waits in it."""
    cdef Py_ssize_t pos = 0
    cdef uint8_t digit
    if quantum.count == 0 and quantum.padding == 0:
        pos = put_quanta(<const uint8_t *>text, size, out)
    for pos in range(pos, size):
        digit = BASE64_DIGIT[<uint8_t>text[pos]]
        if digit == NO_DIGIT and text[pos] == b"=":
            quantum.padding += 1
            digit = 0
        elif digit == NO_DIGIT or quantum.padding:
            return BAD_BASE64
        quantum.held = (quantum.held << 6) | digit
        quantum.count += 1
        if quantum.count == 4:
            if not put_quantum(quantum.held & 0xFFFFFF, quantum.padding, out):
                return BAD_BASE64
            quantum.count = 0
    return OK


cdef inline bint put_quantum(uint32_t held, int padding, Writer *out) noexcept nogil:
    """24 bits of base64 as three octets, fewer by the padding, whose bits must be zero."""
    if padding > 2 or held & ((1 << (8 * padding)) - 1):
        return False
    write_u8(out, <uint8_t>(held >> 16))
    if padding < 2:
        write_u8(out, <uint8_t>((held >> 8) & 0xFF))
    if padding < 1:
        write_u8(out, <uint8_t>(held & 0xFF))
    return True


cdef inline bint is_whole(const Quantum *quantum) noexcept nogil:
    return quantum.count == 0 and quantum.padding <= 2


cdef int parse_base64(Words *words, bint may_be_empty, Writer *out) noexcept nogil:
    """All that is left; characters may be split into words anywhere (RFC 4648 §4, canonical padding)."""
    cdef const Token *token = next_token(words)
    cdef Quantum quantum = Quantum(0, 0, 0)
    cdef int status = OK
    if may_be_empty and token != NULL and token.size == 1 and token.text[0] == b"-":
        return OK
    while token != NULL and status == OK:
        status = put_base64(token.text, token.size, &quantum, out)
        token = next_token(words)
    return BAD_BASE64 if status == OK and not is_whole(&quantum) else status


cdef int parse_salt(Words *words, Writer *out) noexcept nogil:
    cdef const Token *token = next_token(words)
    cdef Py_ssize_t start = out.pos
    cdef int carry = -1
    if token == NULL:
        return MISSING_FIELD
    write_u8(out, 0)
    if token.size == 1 and token.text[0] == b"-":
        return OK
    if token.size == 0 or put_hex(token.text, token.size, &carry, out) != OK or carry >= 0:
        return BAD_HEX
    if token.size > 510:
        return STRING_TOO_LONG
    if out.status == OK:
        out.data[start] = <uint8_t>(token.size // 2)
    return OK


cdef int parse_hash(Words *words, Writer *out) noexcept nogil:
    cdef const Token *token = next_token(words)
    cdef uint32_t held = 0
    cdef int bits = 0
    cdef Py_ssize_t pos
    cdef uint8_t digit
    if token == NULL:
        return MISSING_FIELD
    if token.size > 408:  # 255 octets
        return STRING_TOO_LONG
    write_u8(out, <uint8_t>(token.size * 5 // 8))
    for pos in range(token.size):
        digit = BASE32_DIGIT[<uint8_t>token.text[pos]]
        if digit == NO_DIGIT:
            return BAD_VALUE
        held = ((held << 5) | digit) & 0xFFFF
        bits += 5
        if bits >= 8:
            bits -= 8
            write_u8(out, <uint8_t>((held >> bits) & 0xFF))
    # What is left over is less than a digit and zero, or the text is not the one spelling of its octets.
    return OK if token.size > 1 and bits < 5 and held & ((1 << bits) - 1) == 0 else BAD_VALUE


cdef int parse_bitmap(Words *words, bint may_be_empty, Writer *out) noexcept nogil:
    """Types in any order. A window's octets are cleared when a type first falls into it."""
    cdef uint8_t bits[8192]
    cdef uint8_t lengths[256]
    cdef int windows = 0  # how many lengths have a meaning
    cdef const Token *token = next_token(words)
    cdef int rrtype, window
    if token == NULL and not may_be_empty:
        return MISSING_FIELD
    while token != NULL:
        rrtype = rrtype_from_text(token.text, token.size)
        if rrtype < 0:
            return BAD_TYPE
        if rrtype >> 8 >= windows:
            memset(lengths + windows, 0, (rrtype >> 8) + 1 - windows)
            windows = (rrtype >> 8) + 1
        add_bit(bits + 32 * (rrtype >> 8), lengths + (rrtype >> 8), rrtype & 0xFF)
        token = next_token(words)
    for window in range(windows):
        if lengths[window]:
            write_u8(out, <uint8_t>window)
            write_u8(out, lengths[window])
            write_octets(out, bits + 32 * window, lengths[window])
    return OK


cdef inline void add_bit(uint8_t *bits, uint8_t *length, int bit) noexcept nogil:
    """Set a bit of a window, which has no meaning yet where its length is 0."""
    if length[0] == 0:
        memset(bits, 0, 32)
    bits[bit >> 3] |= <uint8_t>(0x80 >> (bit & 7))
    if (bit >> 3) + 1 > length[0]:
        length[0] = <uint8_t>((bit >> 3) + 1)


cdef int parse_groups(Words *words, int octets, int digits, char mark, Writer *out) noexcept nogil:
    """Hexadecimal digits in groups of equal size with a mark between, such as 00-00-5e-00-53-2a."""
    cdef const Token *token = next_token(words)
    cdef int groups = 2 * octets // digits
    cdef int carry = -1
    cdef Py_ssize_t at = 0
    cdef int group
    if token == NULL:
        return MISSING_FIELD
    if token.size != groups * (digits + 1) - 1:
        return BAD_VALUE
    for group in range(groups):
        if group and token.text[at - 1] != mark:
            return BAD_VALUE
        if put_hex(token.text + at, digits, &carry, out) != OK:
            return BAD_HEX
        at += digits + 1
    return OK


cdef int parse_nsap(Words *words, Writer *out) noexcept nogil:
    cdef const Token *token = next_token(words)
    cdef int carry = -1
    cdef Py_ssize_t pos
    if token == NULL:
        return MISSING_FIELD
    if token.size < 4 or token.text[0] != b"0" or upper(<uint8_t>token.text[1]) != b"X":
        return BAD_VALUE
    for pos in range(2, token.size):
        if token.text[pos] != b"." and put_hex(token.text + pos, 1, &carry, out) != OK:
            return BAD_HEX
    return OK if carry < 0 else BAD_HEX


# Service parameters (RFC 9460): tokens of the form key, key=value and key="value", in any order.

cdef bint touches(const Token *one, const Token *other) noexcept nogil:
    return one.text + one.size + one.quoted + other.quoted == other.text


cdef Py_ssize_t find(const char *text, Py_ssize_t size, char wanted) noexcept nogil:
    """Where a character first stands, or the size."""
    cdef Py_ssize_t pos = 0
    while pos < size and text[pos] != wanted:
        pos += 1
    return pos


cdef int parameter_key(const char *text, Py_ssize_t size, uint64_t *key) noexcept nogil:
    """A name of the registry, or key123 without leading zeros."""
    cdef int known = number_of_word(PARAMETERS, text, size)
    key[0] = <uint64_t>known
    if known >= 0:
        return OK
    if size < 4 or upper(text[0]) != b"K" or upper(text[1]) != b"E" or upper(text[2]) != b"Y":
        return BAD_VALUE
    if size > 4 and text[3] == b"0":
        return BAD_VALUE
    return number(text + 3, size - 3, 0xFFFF, key)


cdef int put_key(const char *text, Py_ssize_t size, Py_ssize_t start, Writer *out) noexcept nogil:
    """A key among those already written from start on, in ascending order; twice is an error found by the check."""
    cdef uint64_t key = 0
    cdef Py_ssize_t at
    cdef int status = parameter_key(text, size, &key)
    write_u16(out, <uint16_t>key)
    at = out.pos - 2
    while status == OK and out.status == OK and at > start and load_u16(out.data + at - 2) > key:
        store_u16(out.data + at, load_u16(out.data + at - 2))
        at -= 2
        store_u16(out.data + at, <uint16_t>key)
    return status


cdef int put_item(const char *text, Py_ssize_t size, int key, Py_ssize_t start, Writer *out) noexcept nogil:
    if key == MANDATORY:
        return put_key(text, size, start, out)
    if not can_write(out, 16):
        return OVERFLOW
    out.pos += 4 if key == IPV4HINT else 16
    if key == IPV4HINT:
        return ipv4(text, size, out.data + out.pos - 4)
    return ipv6(text, size, out.data + out.pos - 16)


cdef int put_items(const char *text, Py_ssize_t size, int key, Writer *out) noexcept nogil:
    """Keys or addresses with commas between."""
    cdef Py_ssize_t start = out.pos
    cdef Py_ssize_t item
    cdef int status = OK
    while status == OK:
        item = find(text, size, b",")
        status = put_item(text, item, key, start, out)
        if item == size:
            break
        text += item + 1
        size -= item + 1
    return status


cdef int divide(uint8_t *at, Py_ssize_t size, Writer *out) noexcept nogil:
    """Octets at out.pos + 1, commas dividing them and \\, being a comma, as strings at out.pos (RFC 9460 §A.1)."""
    cdef uint8_t *end = at + size
    cdef Py_ssize_t start = out.pos
    out.pos += 1
    while at < end:
        if at[0] == b",":
            if out.pos - start - 1 > 255:
                return STRING_TOO_LONG
            out.data[start] = <uint8_t>(out.pos - start - 1)
            start = out.pos
        elif at[0] == b"\\":
            at += 1
            if at == end or (at[0] != b"," and at[0] != b"\\"):
                return BAD_ESCAPE
            out.data[out.pos] = at[0]
        else:
            out.data[out.pos] = at[0]
        out.pos += 1
        at += 1
    if out.pos - start - 1 > 255:
        return STRING_TOO_LONG
    out.data[start] = <uint8_t>(out.pos - start - 1)
    return OK


cdef int put_list(const Token *value, Writer *out) noexcept nogil:
    """Strings with commas between. They are unescaped one octet further on, where the first length octet leaves room."""
    cdef Py_ssize_t start = out.pos
    cdef Py_ssize_t size
    cdef int status
    write_u8(out, 0)
    status = put_text(value, MAX_RDATA, out)
    size = out.pos - start - 1
    if status != OK:
        return status
    out.pos = start
    return divide(out.data + start + 1, size, out) if size else OK


cdef int put_port(const Token *value, Writer *out) noexcept nogil:
    cdef uint64_t port = 0
    cdef int status = number(value.text, value.size, 0xFFFF, &port)
    write_u16(out, <uint16_t>port)
    return status


cdef int put_ech(const Token *value, Writer *out) noexcept nogil:
    cdef Quantum quantum = Quantum(0, 0, 0)
    cdef int status = put_base64(value.text, value.size, &quantum, out)
    return BAD_BASE64 if status == OK and not is_whole(&quantum) else status


cdef int put_value(const Token *value, int key, bint generic, Writer *out) noexcept nogil:
    """The value of one parameter; a key written by number has its value in octets."""
    if value.size == 0 or generic:
        return put_text(value, MAX_RDATA, out)
    if key == MANDATORY or key == IPV4HINT or key == IPV6HINT:
        return put_items(value.text, value.size, key, out)
    if key == ALPN or key == DOCPATH:
        return put_list(value, out)
    if key == PORT:
        return put_port(value, out)
    return put_ech(value, out) if key == ECH else put_text(value, MAX_RDATA, out)


cdef int parse_parameter(Words *words, Writer *out) noexcept nogil:
    cdef const Token *token = next_token(words)
    cdef Py_ssize_t size = find(token.text, token.size, b"=")
    cdef Py_ssize_t start = out.pos
    cdef Token value = Token(token.text + token.size, 0, False, 0, 0)
    cdef uint64_t key = 0
    cdef int status = parameter_key(token.text, size, &key)
    if status != OK or token.quoted:
        return BAD_VALUE
    if size < token.size:
        value = Token(token.text + size + 1, token.size - size - 1, False, 0, 0)
        if value.size == 0 and words.at < words.count and touches(token, words.tokens + words.at):
            value = next_token(words)[0]
    write_u16(out, <uint16_t>key)
    write_u16(out, 0)
    status = put_value(&value, <int>key, number_of_word(PARAMETERS, token.text, size) < 0, out)
    if status == OK and out.status == OK and out.pos - start - 4 <= 0xFFFF:
        store_u16(out.data + start + 2, <uint16_t>(out.pos - start - 4))
    return status


cdef void reverse(uint8_t *first, uint8_t *last) noexcept nogil:
    cdef uint8_t octet
    while first < last:
        octet = first[0]
        first[0] = last[0]
        last[0] = octet
        first += 1
        last -= 1


cdef void sort_in(uint8_t *first, uint8_t *last, uint8_t *end) noexcept nogil:
    """Move the parameter that stands last to its place among those before it, which ascend."""
    cdef uint8_t *at = first
    while at < last and load_u16(at) <= load_u16(last):
        at += 4 + load_u16(at + 2)
    if at < last:
        reverse(at, last - 1)
        reverse(last, end - 1)
        reverse(at, end - 1)


cdef int parse_parameters(Words *words, Writer *out) noexcept nogil:
    cdef Py_ssize_t first = out.pos
    cdef Py_ssize_t last
    cdef int status = OK
    while words.at < words.count:
        last = out.pos
        status = parse_parameter(words, out)
        if status != OK or out.status != OK:
            return status
        sort_in(out.data + first, out.data + last, out.data + out.pos)
    return OK if are_parameters(out.data + first, out.pos - first) else BAD_VALUE


cdef int parse_field(Words *words, const Field *field, Writer *out) noexcept nogil:
    cdef int kind = field.kind
    if kind == NAME:
        return parse_name(words, out)
    if kind == IPv4 or kind == IPv6:
        return parse_address(words, kind, out)
    if kind <= SCHEME:
        return parse_scalar(words, kind, out)
    if kind == HEX or kind == DIGEST or kind == BASE64:
        return parse_octets(words, field, out)
    if kind == STRINGS:
        return parse_strings(words, out)
    if kind == STRING or kind == LABEL or kind == DECIMAL:
        return parse_form(words, kind, out)
    if kind == OPTIONAL:
        return OK if words.at == words.count else put_string(next_token(words), out)
    if kind == TEXT:
        return parse_text(words, field, out)
    if kind == BITMAP:
        return parse_bitmap(words, field.detail == 0, out)
    if kind == SALT:
        return parse_salt(words, out)
    if kind == HASH:
        return parse_hash(words, out)
    if kind == LOCATOR:
        return parse_groups(words, 8, 4, b":", out)
    if kind == EUI48 or kind == EUI64:
        return parse_groups(words, fixed_size(kind), 2, b"-", out)
    if kind == PARAMETERS:
        return parse_parameters(words, out)
    return parse_nsap(words, out) if kind == NSAP else RARE


cdef int parse_generic(Words *words, Writer *out) noexcept nogil:
    cdef Py_ssize_t start = out.pos
    cdef uint64_t length = 0
    cdef const Token *token = next_token(words)
    cdef int status
    if token == NULL:
        return MISSING_FIELD
    status = number(token.text, token.size, MAX_RDATA, &length)
    if status == OK:
        status = parse_hex(words, out)
    if status != OK or out.status != OK:
        return status
    if <uint64_t>(out.pos - start) != length:
        return SHORT if <uint64_t>(out.pos - start) < length else EXTRA_OCTETS
    return OK


cdef int parse_fields(Words *words, const Shape *shape, Writer *out) noexcept nogil:
    cdef int index
    cdef int status = OK
    for index in range(shape.count):
        status = parse_field(words, &shape.fields[index], out)
        if status != OK:
            return status
    if words.at < words.count:
        words.at += 1
        return EXTRA_TEXT
    return OK
