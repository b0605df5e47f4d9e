# SPDX-License-Identifier: Apache-2.0
"""Record data: text to wire, wire to text, wire checked, names decompressed. The contract stands in rdata.pxd.

At import the rows of rrtypes.py become the C array SHAPES; after that nothing here asks a Python object below the
rim. Each kind of field has a reader of text, a printer and a check of wire, found through three switches: parse_field,
print_field and pass_field. What leaves from_text is valid wire of the type, and what is printed reads back as itself.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t, int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from fastmdns.name cimport name_from_text, name_length, name_to_text, name_unpack, text_unescape
from fastmdns.wire cimport (
    BAD_BASE64, BAD_ESCAPE, BAD_HEX, BAD_IPV4, BAD_IPV6, BAD_LABEL, BAD_NUMBER, BAD_TIME, BAD_TYPE, BAD_VALUE,
    EXTRA_OCTETS, EXTRA_TEXT, MAX_NAME, MISSING_FIELD, NO_MEMORY, OK, OUT_OF_RANGE, OVERFLOW, RARE, SHORT,
    STRING_TOO_LONG, Reader, Writer, can_read, can_write, fail, load_u16, load_u32, read_octets, read_u8, read_u16,
    read_u32, reader_init, store_u16, store_u32, write_octets, write_u8, write_u16, write_u32, writer_init,
)

from fastmdns import rrtypes
from fastmdns.errors import STATUS_REASON, TextError, WireError


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
    SCHEME
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
    LOW_TYPES = 512  # types below have a direct index; the few above are searched
    MAX_SHAPES = 160
    HASH_SLOTS = 512
    MAX_RDATA = 65535
    NO_DIGIT = 0xFF
    CLASS_IN = 1


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


cdef struct Slot:  # of the hash of mnemonics
    uint64_t head, tail  # up to 16 characters, upper case
    uint16_t rrtype
    bint used


cdef struct Word:  # a mnemonic that stands for a number in fields of one kind
    uint8_t kind
    uint8_t value
    uint8_t size
    char text[20]


cdef struct Words:  # the tokens of one record's data, and how far they are read
    const Token *tokens
    int count
    int at
    const uint8_t *origin
    int origin_length


cdef Shape SHAPES[MAX_SHAPES]  # 0 is the shape of every type without a row
cdef int SHAPE_COUNT = 1
cdef uint8_t LOW[LOW_TYPES]  # type → index in SHAPES
cdef Slot SLOTS[HASH_SLOTS]
cdef Word WORDS[64]
cdef int WORD_COUNT = 0
cdef uint8_t FIXED[KIND_COUNT]  # octets of the kinds whose size is fixed, 0 for others
cdef uint8_t HEX_DIGIT[256]
cdef uint8_t BASE64_DIGIT[256]
cdef uint8_t BASE32_DIGIT[256]
cdef const char *HEX_ALPHABET = b"0123456789abcdef"
cdef const char *BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
cdef const char *BASE32_ALPHABET = b"0123456789abcdefghijklmnopqrstuv"


# --- The table, compiled at import ---

cdef inline uint8_t upper(uint8_t octet) noexcept nogil:
    return octet - 32 if 97 <= octet <= 122 else octet


cdef inline uint32_t slot_of(uint64_t head, uint64_t tail) noexcept nogil:
    return <uint32_t>(((head ^ (tail * <uint64_t>0x9E3779B97F4A7C15ULL)) * <uint64_t>0xFF51AFD7ED558CCDULL) >> 55)


cdef inline void pack_word(const char *text, Py_ssize_t size, uint64_t *head, uint64_t *tail) noexcept nogil:
    """Up to 16 characters in upper case as two numbers."""
    cdef Py_ssize_t pos
    head[0] = 0
    tail[0] = 0
    for pos in range(size if size < 8 else 8):
        head[0] = (head[0] << 8) | upper(<uint8_t>text[pos])
    for pos in range(8, size):
        tail[0] = (tail[0] << 8) | upper(<uint8_t>text[pos])


cdef void add_slot(Shape *shape) noexcept:
    cdef uint64_t head, tail
    cdef uint32_t slot
    pack_word(shape.name, shape.name_size, &head, &tail)
    slot = slot_of(head, tail)
    while SLOTS[slot].used:
        slot = (slot + 1) % HASH_SLOTS
    SLOTS[slot] = Slot(head, tail, shape.rrtype, True)


cdef int compile_field(Field *field, object source) except -1:
    field.kind = Kind[type(source).__name__]
    for attribute in ("compress", "least", "back"):
        field.detail |= getattr(source, attribute, 0)
    for value, length in getattr(source, "lengths", ()):
        field.lengths[field.length_count] = Lengths(value, length)
        field.length_count += 1
    return 0


cdef int compile_row(Shape *shape, object row) except -1:
    cdef bytes name = row.name.encode()
    shape.rrtype = row.number
    shape.rare = row.rare
    shape.meta = row.meta
    shape.name_size = <uint8_t>len(name)
    memcpy(shape.name, PyBytes_AS_STRING(name), len(name))
    for source in row.fields:
        compile_field(&shape.fields[shape.count], source)
        shape.compressible += getattr(source, "compress", False)
        shape.count += 1
    return 0


cdef int compile_words() except -1:
    global WORD_COUNT
    for kind, words in rrtypes.WORDS.items():
        for word, value in words.items():
            WORDS[WORD_COUNT].kind = Kind[kind.__name__]
            WORDS[WORD_COUNT].value = value
            WORDS[WORD_COUNT].size = <uint8_t>len(word)
            text = word.encode()
            memcpy(WORDS[WORD_COUNT].text, PyBytes_AS_STRING(text), len(word))
            WORD_COUNT += 1
    return 0


cdef void fill_digits(uint8_t *digits, const char *alphabet, int count, bint fold) noexcept:
    cdef int value
    memset(digits, NO_DIGIT, 256)
    for value in range(count):
        digits[<uint8_t>alphabet[value]] = <uint8_t>value
        if fold:
            digits[upper(<uint8_t>alphabet[value])] = <uint8_t>value


cdef int compile_table() except -1:
    global SHAPE_COUNT
    for row in rrtypes.rows():
        compile_row(&SHAPES[SHAPE_COUNT], row)
        add_slot(&SHAPES[SHAPE_COUNT])
        if row.number < LOW_TYPES:
            LOW[row.number] = <uint8_t>SHAPE_COUNT
        SHAPE_COUNT += 1
    compile_words()
    for kind, size in (
        (U8, 1), (ALGORITHM, 1), (SCHEME, 1), (U16, 2), (TYPE, 2), (CERTIFICATE, 2), (U32, 4), (PERIOD, 4), (TIME, 4),
        (IPv4, 4), (IPv6, 16), (U64, 8), (LOCATOR, 8), (EUI48, 6), (EUI64, 8),
    ):
        FIXED[<int>kind] = size
    fill_digits(HEX_DIGIT, HEX_ALPHABET, 16, True)
    fill_digits(BASE64_DIGIT, BASE64_ALPHABET, 64, False)
    fill_digits(BASE32_DIGIT, BASE32_ALPHABET, 32, True)
    return 0


compile_table()


cdef inline const Shape *shape_of(uint16_t rrtype) noexcept nogil:
    cdef int index
    if rrtype < LOW_TYPES:
        return &SHAPES[LOW[rrtype]]
    for index in range(SHAPE_COUNT - 1, 0, -1):  # those above stand at the table's end
        if SHAPES[index].rrtype < LOW_TYPES:
            break
        if SHAPES[index].rrtype == rrtype:
            return &SHAPES[index]
    return &SHAPES[0]


# --- Types by name ---

cdef int type_number(const char *text, Py_ssize_t size) noexcept nogil:
    """The number in TYPE123, or -1."""
    cdef int value = 0
    cdef Py_ssize_t pos
    cdef int digit
    if size < 5 or size > 9:
        return -1
    for pos in range(4):
        if upper(<uint8_t>text[pos]) != <uint8_t>(b"TYPE"[pos]):
            return -1
    for pos in range(4, size):
        digit = text[pos] - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value if value <= 0xFFFF else -1


cdef int rrtype_from_text(const char *text, Py_ssize_t size) noexcept nogil:
    cdef uint64_t head, tail
    cdef uint32_t slot
    if size < 1 or size > 16:
        return -1
    pack_word(text, size, &head, &tail)
    slot = slot_of(head, tail)
    while SLOTS[slot].used:
        if SLOTS[slot].head == head and SLOTS[slot].tail == tail:
            return SLOTS[slot].rrtype
        slot = (slot + 1) % HASH_SLOTS
    return type_number(text, size)


# --- Text to wire ---

cdef inline const Token *next_token(Words *words) noexcept nogil:
    if words.at >= words.count:
        return NULL
    words.at += 1
    return &words.tokens[words.at - 1]


cdef inline bint is_digit(int octet) noexcept nogil:
    return 48 <= octet <= 57


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


cdef bint same_word(const char *text, const char *word, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t pos
    for pos in range(size):
        if upper(<uint8_t>text[pos]) != <uint8_t>word[pos]:
            return False
    return True


cdef int word_or_number(const Token *token, int kind, uint64_t limit, uint64_t *value) noexcept nogil:
    cdef int index
    if token.size and is_digit(token.text[0]):
        return number(token.text, token.size, limit, value)
    for index in range(WORD_COUNT):
        if WORDS[index].kind == kind and WORDS[index].size == token.size and same_word(
                token.text, WORDS[index].text, token.size):
            value[0] = WORDS[index].value
            return OK
    return BAD_VALUE


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
        write_number(out, value, FIXED[kind])
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
    if not can_write(out, FIXED[kind]):
        return OVERFLOW
    if kind == IPv4:
        status = ipv4(token.text, token.size, out.data + out.pos)
    else:
        status = ipv6(token.text, token.size, out.data + out.pos)
    out.pos += FIXED[kind]
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


cdef bint is_label(const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    """ASCII letters and digits, at least one (RFC 8659 §4.1)."""
    cdef Py_ssize_t pos
    for pos in range(size):
        if not (is_digit(octets[pos]) or 65 <= upper(octets[pos]) <= 90):
            return False
    return size > 0


cdef bint is_decimal(const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    """A sign or none, digits, at most one dot, at least one digit."""
    cdef Py_ssize_t pos = 1 if size and (octets[0] == b"-" or octets[0] == b"+") else 0
    cdef int digits = 0
    cdef int dots = 0
    while pos < size:
        if is_digit(octets[pos]):
            digits += 1
        elif octets[pos] == b".":
            dots += 1
        else:
            return False
        pos += 1
    return digits > 0 and dots <= 1


cdef inline bint is_form(int kind, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    """Whether a character-string has the form its kind asks for."""
    if kind == LABEL:
        return is_label(octets, size)
    return is_decimal(octets, size) if kind == DECIMAL else True


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


cdef int put_hex(const char *text, Py_ssize_t size, int *carry, Writer *out) noexcept nogil:
    """Digits as octets. carry: the digit left over from the token before, or -1."""
    cdef Py_ssize_t pos
    cdef uint8_t digit
    for pos in range(size):
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


cdef bint is_length(const Field *field, const uint8_t *digest, Py_ssize_t size) noexcept nogil:
    """Whether a digest is as long as the octet before it says."""
    cdef int index
    for index in range(field.length_count):
        if field.lengths[index].value == (digest - 1)[0]:
            return size == field.lengths[index].length
    return size > 0


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


cdef int parse_base64(Words *words, bint may_be_empty, Writer *out) noexcept nogil:
    """All that is left; characters may be split into words anywhere (RFC 4648 §4, canonical padding)."""
    cdef const Token *token = next_token(words)
    cdef uint32_t held = 0
    cdef int count = 0  # characters in held, padding too
    cdef int padding = 0
    cdef Py_ssize_t pos
    cdef uint8_t digit
    if may_be_empty and token != NULL and token.size == 1 and token.text[0] == b"-":
        return OK
    while token != NULL:
        for pos in range(token.size):
            digit = BASE64_DIGIT[<uint8_t>token.text[pos]]
            if digit == NO_DIGIT and token.text[pos] == b"=":
                padding += 1
                digit = 0
            elif digit == NO_DIGIT or padding:
                return BAD_BASE64
            held = (held << 6) | digit
            count += 1
            if count == 4:
                if not put_quantum(held, padding, out):
                    return BAD_BASE64
                count = 0
        token = next_token(words)
    return OK if count == 0 and padding <= 2 else BAD_BASE64


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
    """Types in any order. A window's 32 octets are cleared when a type first falls into it."""
    cdef uint8_t bits[8192]
    cdef uint8_t lengths[256]
    cdef const Token *token = next_token(words)
    cdef int rrtype, window
    if token == NULL and not may_be_empty:
        return MISSING_FIELD
    memset(lengths, 0, 256)
    while token != NULL:
        rrtype = rrtype_from_text(token.text, token.size)
        if rrtype <= 0:
            return BAD_TYPE
        window = rrtype >> 8
        if lengths[window] == 0:
            memset(bits + 32 * window, 0, 32)
        bits[rrtype >> 3] |= <uint8_t>(0x80 >> (rrtype & 7))
        if ((rrtype & 0xFF) >> 3) + 1 > lengths[window]:
            lengths[window] = <uint8_t>(((rrtype & 0xFF) >> 3) + 1)
        token = next_token(words)
    for window in range(256):
        if lengths[window]:
            write_u8(out, <uint8_t>window)
            write_u8(out, lengths[window])
            write_octets(out, bits + 32 * window, lengths[window])
    return OK


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
        return parse_groups(words, FIXED[kind], 2, b"-", out)
    return parse_nsap(words, out) if kind == NSAP else RARE


cdef int parse_generic(Words *words, uint16_t rrtype, Writer *out) noexcept nogil:
    r"""What follows \#: the length and the octets (RFC 3597 §5), valid for the type."""
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
    return rdata_check(rrtype, out.data + start, out.pos - start)


cdef int parse_known(Words *words, const Shape *shape, Writer *out) noexcept nogil:
    cdef int index
    cdef int status = OK
    if shape.rare:
        return RARE
    if shape.meta or shape.count == 0:
        return BAD_TYPE
    for index in range(shape.count):
        status = parse_field(words, &shape.fields[index], out)
        if status != OK:
            return status
    if words.at < words.count:
        words.at += 1
        return EXTRA_TEXT
    return OK


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
        status = parse_generic(&words, rrtype, out)
    else:
        status = parse_known(&words, shape, out)
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


# --- Wire: check and decompress ---

cdef void pass_name(Reader *reader, Writer *out) noexcept nogil:
    """A name: whole where there is no out, else perhaps compressed."""
    cdef uint8_t name[256]
    cdef int length
    if out == NULL:
        length = name_length(reader.data + reader.pos, reader.size - reader.pos)
        if length == 0:
            fail(&reader.status, BAD_LABEL)
        reader.pos += length
        return
    length = name_unpack(reader, name)
    write_octets(out, name, length)


cdef void pass_names(Reader *reader, Writer *out) noexcept nogil:
    while reader.status == OK and reader.pos < reader.size:
        pass_name(reader, out)


cdef const uint8_t *pass_string(Reader *reader, Py_ssize_t *size) noexcept nogil:
    """The octets of a character-string or of anything else behind a length octet, NULL where it is cut off."""
    size[0] = read_u8(reader)
    return read_octets(reader, size[0])


cdef void pass_strings(Reader *reader) noexcept nogil:
    cdef Py_ssize_t size
    pass_string(reader, &size)
    while reader.status == OK and reader.pos < reader.size:
        pass_string(reader, &size)


cdef void pass_form(Reader *reader, int kind) noexcept nogil:
    cdef Py_ssize_t size
    cdef const uint8_t *octets = pass_string(reader, &size)
    if octets == NULL:
        return
    if not is_form(kind, octets, size) or (kind == HASH and size == 0):
        fail(&reader.status, BAD_VALUE)


cdef void pass_rest(Reader *reader, const Field *field) noexcept nogil:
    cdef const uint8_t *octets = reader.data + reader.pos
    cdef Py_ssize_t size = reader.size - reader.pos
    if size < field.detail:
        fail(&reader.status, SHORT)
    elif field.kind == DIGEST and not is_length(field, octets, size):
        fail(&reader.status, BAD_VALUE)
    elif field.kind == PORTS and size > 8192:
        fail(&reader.status, EXTRA_OCTETS)
    elif field.kind == NSAP and size == 0:
        fail(&reader.status, SHORT)
    reader.pos = reader.size


cdef void pass_bitmap(Reader *reader, bint may_be_empty) noexcept nogil:
    """Windows ascend, have 1 to 32 octets, and the last one is not zero (RFC 4034 §4.1.2)."""
    cdef const uint8_t *bits
    cdef Py_ssize_t size
    cdef int window
    cdef int before = -1
    if reader.pos == reader.size and not may_be_empty:
        fail(&reader.status, SHORT)
    while reader.status == OK and reader.pos < reader.size:
        window = read_u8(reader)
        bits = pass_string(reader, &size)
        if bits == NULL:
            return
        if window <= before or size < 1 or size > 32 or bits[size - 1] == 0:
            fail(&reader.status, BAD_VALUE)
        before = window


cdef void pass_location(Reader *reader) noexcept nogil:
    """Version 0 has 16 octets and sizes in two decimal digits; others may be anything (RFC 1876 §2)."""
    cdef const uint8_t *octets
    cdef int index
    if reader.pos < reader.size and reader.data[reader.pos] != 0:
        reader.pos = reader.size
        return
    octets = read_octets(reader, 16)
    if octets == NULL:
        return
    for index in range(1, 4):
        if octets[index] >> 4 > 9 or octets[index] & 15 > 9:
            fail(&reader.status, BAD_VALUE)


cdef void pass_prefixes(Reader *reader) noexcept nogil:
    """Family, prefix length, sign and size, and an address without trailing zeros (RFC 3123 §4)."""
    cdef const uint8_t *address
    cdef Py_ssize_t size
    cdef int family, prefix
    while reader.status == OK and reader.pos < reader.size:
        family = read_u16(reader)
        prefix = read_u8(reader)
        size = read_u8(reader) & 0x7F
        address = read_octets(reader, size)
        if address == NULL:
            return
        if (family == 1 and (prefix > 32 or size > 4)) or (family == 2 and (prefix > 128 or size > 16)):
            fail(&reader.status, BAD_VALUE)
        if (family == 1 or family == 2) and size and address[size - 1] == 0:
            fail(&reader.status, BAD_VALUE)


cdef void pass_identity(Reader *reader) noexcept nogil:
    cdef Py_ssize_t tag = read_u8(reader)
    cdef Py_ssize_t key
    read_u8(reader)
    key = read_u16(reader)
    if reader.status == OK and (tag == 0 or key == 0):
        fail(&reader.status, BAD_VALUE)
    read_octets(reader, tag)
    read_octets(reader, key)


cdef void pass_gateway(Reader *reader, int back, Writer *out) noexcept nogil:
    cdef int kind = reader.data[reader.pos - back]
    if back == 1:
        kind &= 0x7F  # AMTRELAY: the high bit is the discovery-optional flag
    if kind == 3:
        pass_name(reader, out)
    elif kind > 3:
        fail(&reader.status, BAD_VALUE)
    else:
        read_octets(reader, kind * 4 if kind < 2 else 16)


cdef void pass_parameters(Reader *reader) noexcept nogil:
    """Keys ascend and each value has the form its key asks for (RFC 9460 §2.2)."""
    cdef int key
    cdef int before = -1
    cdef Py_ssize_t size
    while reader.status == OK and reader.pos < reader.size:
        key = read_u16(reader)
        size = read_u16(reader)
        if not can_read(reader, size):
            return
        if key <= before or not is_parameter(key, reader.data + reader.pos, size):
            fail(&reader.status, BAD_VALUE)
        before = key
        reader.pos += size


cdef bint is_parameter(int key, const uint8_t *value, Py_ssize_t size) noexcept nogil:
    if key == 0:
        return is_mandatory(value, size)
    if key == 1 or key == 10:
        return is_string_list(value, size, key == 10)
    if key == 2 or key == 8:
        return size == 0
    if key == 3:
        return size == 2
    if key == 4:
        return size > 0 and size % 4 == 0
    if key == 6:
        return size > 0 and size % 16 == 0
    return size > 0 or (key != 5 and key != 7)


cdef bint is_mandatory(const uint8_t *value, Py_ssize_t size) noexcept nogil:
    """Keys in ascending order, not its own."""
    cdef Py_ssize_t pos
    cdef int before = 0
    if size == 0 or size % 2:
        return False
    for pos in range(0, size, 2):
        if load_u16(value + pos) <= before:
            return False
        before = load_u16(value + pos)
    return True


cdef bint is_string_list(const uint8_t *value, Py_ssize_t size, bint may_be_empty) noexcept nogil:
    cdef Py_ssize_t pos = 0
    while pos < size:
        if value[pos] == 0:
            return False
        pos += 1 + value[pos]
    return pos == size and (size > 0 or may_be_empty)


cdef void pass_field(Reader *reader, const Field *field, Writer *out) noexcept nogil:
    """Move behind a field if it is valid. Names go to out decompressed; all else the caller copies."""
    cdef int kind = field.kind
    cdef Py_ssize_t size
    if FIXED[kind]:
        read_octets(reader, FIXED[kind])
    elif kind == NAME:
        pass_name(reader, out)
    elif kind == STRING or kind == LABEL or kind == DECIMAL or kind == SALT or kind == HASH:
        pass_form(reader, kind)
    elif kind == HEX or kind == DIGEST or kind == BASE64 or kind == TEXT or kind == NSAP or kind == PORTS:
        pass_rest(reader, field)
    elif kind == STRINGS:
        pass_strings(reader)
    elif kind == BITMAP:
        pass_bitmap(reader, field.detail == 0)
    elif kind == OPTIONAL:
        if reader.pos < reader.size:
            pass_string(reader, &size)
    elif kind == PARAMETERS:
        pass_parameters(reader)
    elif kind == LOCATION:
        pass_location(reader)
    elif kind == PREFIXES:
        pass_prefixes(reader)
    elif kind == IDENTITY:
        pass_identity(reader)
    elif kind == GATEWAY:
        pass_gateway(reader, field.detail, out)
    else:
        pass_names(reader, out)


cdef int rdata_check(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    cdef Reader reader
    cdef int index
    if size > MAX_RDATA:
        return OVERFLOW
    if shape.count == 0:
        return OK
    reader_init(&reader, rdata, size)
    for index in range(shape.count):
        pass_field(&reader, &shape.fields[index], NULL)
        if reader.status != OK:
            return reader.status
    return OK if reader.pos == size else EXTRA_OCTETS


cdef void unpack_fields(Reader *reader, const Shape *shape, Writer *out) noexcept nogil:
    cdef Py_ssize_t before
    cdef Py_ssize_t written
    cdef int index
    for index in range(shape.count):
        before = reader.pos
        written = out.pos
        pass_field(reader, &shape.fields[index], out)
        if reader.status != OK:
            return
        if out.pos == written:  # no name: as it lies
            write_octets(out, reader.data + before, reader.pos - before)
    if shape.count == 0:
        before = reader.pos
        write_octets(out, read_octets(reader, reader.size - before), reader.size - before)
    if reader.pos != reader.size:
        fail(&reader.status, EXTRA_OCTETS)


cdef int rdata_unpack(Reader *reader, uint16_t rrtype, Py_ssize_t size, Writer *out) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    cdef Py_ssize_t message_size = reader.size
    if not can_read(reader, size):
        return reader.status
    reader.size = reader.pos + size  # pointers reach backwards only, so the end of the rdata bounds all of it
    unpack_fields(reader, shape, out)
    reader.size = message_size
    if reader.status != OK:
        return reader.status
    return out.status


cdef bint rrtype_is_compressible(uint16_t rrtype) noexcept nogil:
    return shape_of(rrtype).compressible > 0


cdef int rdata_compressible(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size, Span *spans) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    cdef Py_ssize_t pos = 0
    cdef int index = 0
    cdef int found = 0
    cdef int length
    while found < shape.compressible:
        if shape.fields[index].kind == NAME:
            length = name_length(rdata + pos, size - pos)
            spans[found] = Span(<uint16_t>pos, <uint16_t>length)
            found += 1
            pos += length
        else:
            pos += FIXED[shape.fields[index].kind]
        index += 1
    return found


# --- Wire to text ---

cdef void write_text(Writer *out, const char *text, Py_ssize_t size) noexcept nogil:
    write_octets(out, <const uint8_t *>text, size)


cdef void print_number(Writer *out, uint64_t value) noexcept nogil:
    cdef char digits[20]
    cdef int at = 20
    while True:
        at -= 1
        digits[at] = <char>(48 + value % 10)
        value //= 10
        if value == 0:
            break
    write_text(out, digits + at, 20 - at)


cdef void print_two(Writer *out, int value) noexcept nogil:
    write_u8(out, <uint8_t>(48 + value // 10))
    write_u8(out, <uint8_t>(48 + value % 10))


cdef void print_moment(Writer *out, uint32_t seconds) noexcept nogil:
    """YYYYMMDDHHmmSS: the inverse of moment(), by the same calendar that begins in March."""
    cdef int64_t days = seconds // 86400 + 719468
    cdef int64_t era = days // 146097
    cdef int64_t of_era = days - era * 146097
    cdef int64_t year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    cdef int64_t of_year = of_era - (365 * year + year // 4 - year // 100)
    cdef int month = <int>((5 * of_year + 2) // 153)
    cdef int day = <int>(of_year - (153 * month + 2) // 5 + 1)
    cdef int second = <int>(seconds % 86400)
    month = month + 3 if month < 10 else month - 9
    year += era * 400 + (month <= 2)
    print_two(out, <int>(year // 100))
    print_two(out, <int>(year % 100))
    print_two(out, month)
    print_two(out, day)
    print_two(out, second // 3600)
    print_two(out, second // 60 % 60)
    print_two(out, second % 60)


cdef void print_type(Writer *out, uint16_t rrtype) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    if shape.name_size:
        write_text(out, shape.name, shape.name_size)
        return
    write_text(out, b"TYPE", 4)
    print_number(out, rrtype)


cdef void print_word(Writer *out, int kind, uint64_t value) noexcept nogil:
    """The first word that stands for the value, or the number."""
    cdef int index
    for index in range(WORD_COUNT):
        if WORDS[index].kind == kind and WORDS[index].value == value:
            write_text(out, WORDS[index].text, WORDS[index].size)
            return
    print_number(out, value)


cdef uint64_t read_number(Reader *reader, int octets) noexcept nogil:
    cdef uint64_t high
    if octets == 1:
        return read_u8(reader)
    if octets == 2:
        return read_u16(reader)
    high = read_u32(reader)
    return high if octets == 4 else (high << 32) | read_u32(reader)


cdef void print_scalar(Reader *reader, int kind, Writer *out) noexcept nogil:
    cdef uint64_t value = read_number(reader, FIXED[kind])
    if kind == TIME:
        print_moment(out, <uint32_t>value)
    elif kind == TYPE:
        print_type(out, <uint16_t>value)
    elif kind == CERTIFICATE or kind == SCHEME:
        print_word(out, kind, value)
    else:
        print_number(out, value)


cdef void print_ipv4(Writer *out, const uint8_t *address) noexcept nogil:
    cdef int part
    for part in range(4):
        if part:
            write_u8(out, b".")
        print_number(out, address[part])


cdef void longest_zeros(const uint8_t *address, int *start, int *count) noexcept nogil:
    """The first of the longest runs of two or more zero groups."""
    cdef int group
    cdef int run = 0
    start[0] = -1
    count[0] = 1
    for group in range(8):
        run = run + 1 if load_u16(address + 2 * group) == 0 else 0
        if run > count[0]:
            count[0] = run
            start[0] = group - run + 1


cdef void print_group(Writer *out, uint16_t value) noexcept nogil:
    cdef int shift = 12
    while shift and value >> shift == 0:
        shift -= 4
    while shift >= 0:
        write_u8(out, <uint8_t>HEX_ALPHABET[(value >> shift) & 15])
        shift -= 4


cdef void print_ipv6(Writer *out, const uint8_t *address) noexcept nogil:
    """RFC 5952; the last four octets as IPv4 behind ::ffff: and behind six groups of zeros, as inet_ntop(3)."""
    cdef int start, count
    cdef int group = 0
    longest_zeros(address, &start, &count)
    while group < 8:
        if group == start:
            write_text(out, b"::", 2)
            group += count
            continue
        if group == 6 and start == 0 and (count == 6 or (count == 5 and load_u16(address + 10) == 0xFFFF)):
            if count == 5:
                write_u8(out, b":")
            print_ipv4(out, address + 12)
            return
        if group and group != start + count:
            write_u8(out, b":")
        print_group(out, load_u16(address + 2 * group))
        group += 1


cdef void print_address(Reader *reader, int kind, Writer *out) noexcept nogil:
    cdef const uint8_t *address = read_octets(reader, FIXED[kind])
    if address == NULL:
        return
    if kind == IPv4:
        print_ipv4(out, address)
    else:
        print_ipv6(out, address)


cdef void print_name(Reader *reader, Writer *out) noexcept nogil:
    cdef char text[1024]
    cdef const uint8_t *wire = reader.data + reader.pos
    cdef int length = name_length(wire, reader.size - reader.pos)
    if length == 0:
        fail(&reader.status, BAD_LABEL)
        return
    write_text(out, text, name_to_text(wire, length, text))
    reader.pos += length


cdef void print_octets(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    """Octets as they stand between quotes."""
    cdef Py_ssize_t pos
    cdef uint8_t octet
    for pos in range(size):
        octet = octets[pos]
        if octet < 0x20 or octet >= 0x7F:
            write_u8(out, b"\\")
            write_u8(out, <uint8_t>(48 + octet // 100))
            print_two(out, octet % 100)
            continue
        if octet == b'"' or octet == b"\\":
            write_u8(out, b"\\")
        write_u8(out, octet)


cdef void print_quoted(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    write_u8(out, b'"')
    print_octets(out, octets, size)
    write_u8(out, b'"')


cdef void print_string(Reader *reader, int kind, Writer *out) noexcept nogil:
    cdef Py_ssize_t size
    cdef const uint8_t *octets = pass_string(reader, &size)
    if octets == NULL:
        return
    if kind == LABEL or kind == DECIMAL:
        print_octets(out, octets, size)
    else:
        print_quoted(out, octets, size)


cdef void print_strings(Reader *reader, Writer *out) noexcept nogil:
    print_string(reader, STRING, out)
    while reader.status == OK and reader.pos < reader.size:
        write_u8(out, b" ")
        print_string(reader, STRING, out)


cdef void print_hex(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t pos
    for pos in range(size):
        write_u8(out, <uint8_t>HEX_ALPHABET[octets[pos] >> 4])
        write_u8(out, <uint8_t>HEX_ALPHABET[octets[pos] & 15])


cdef void print_groups(Reader *reader, int octets, int width, char mark, Writer *out) noexcept nogil:
    """Octets in hexadecimal, a mark before each group of `width` octets but the first."""
    cdef const uint8_t *at = read_octets(reader, octets)
    cdef int pos
    if at == NULL:
        return
    for pos in range(octets):
        if pos and pos % width == 0:
            write_u8(out, mark)
        print_hex(out, at + pos, 1)


cdef void print_base64(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t pos
    cdef uint32_t held
    cdef int sextet
    for pos in range(0, size, 3):
        held = <uint32_t>octets[pos] << 16
        if pos + 1 < size:
            held |= <uint32_t>octets[pos + 1] << 8
        if pos + 2 < size:
            held |= octets[pos + 2]
        for sextet in range(4):
            if pos + sextet > size:
                write_u8(out, b"=")
            else:
                write_u8(out, <uint8_t>BASE64_ALPHABET[(held >> (18 - 6 * sextet)) & 63])


cdef void print_base32(Writer *out, const uint8_t *octets, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t pos
    cdef uint32_t held = 0
    cdef int bits = 0
    for pos in range(size):
        held = ((held << 8) | octets[pos]) & 0xFFFF
        bits += 8
        while bits >= 5:
            bits -= 5
            write_u8(out, <uint8_t>BASE32_ALPHABET[(held >> bits) & 31])
    if bits:
        write_u8(out, <uint8_t>BASE32_ALPHABET[(held << (5 - bits)) & 31])


cdef void print_counted(Reader *reader, int kind, Writer *out) noexcept nogil:
    """A salt or a hash."""
    cdef Py_ssize_t size
    cdef const uint8_t *octets = pass_string(reader, &size)
    if octets == NULL:
        return
    if kind == HASH:
        print_base32(out, octets, size)
    elif size:
        print_hex(out, octets, size)
    else:
        write_u8(out, b"-")


cdef void print_rest(Reader *reader, const Field *field, Writer *out) noexcept nogil:
    cdef Py_ssize_t size = reader.size - reader.pos
    cdef const uint8_t *octets = read_octets(reader, size)
    if field.kind == TEXT:
        print_quoted(out, octets, size)
    elif field.kind == BASE64:
        if size == 0:
            write_u8(out, b"-")
        print_base64(out, octets, size)
    else:
        if field.kind == NSAP:
            write_text(out, b"0x", 2)
        print_hex(out, octets, size)


cdef void print_bitmap(Reader *reader, Writer *out) noexcept nogil:
    cdef const uint8_t *bits
    cdef Py_ssize_t size
    cdef int window, bit
    while reader.status == OK and reader.pos < reader.size:
        window = read_u8(reader)
        bits = pass_string(reader, &size)
        if bits == NULL:
            return
        for bit in range(<int>size * 8):
            if bits[bit >> 3] & (0x80 >> (bit & 7)):
                write_u8(out, b" ")
                print_type(out, <uint16_t>(window << 8 | bit))


cdef void print_field(Reader *reader, const Field *field, Writer *out) noexcept nogil:
    cdef int kind = field.kind
    if kind == BITMAP or (kind == OPTIONAL and reader.pos == reader.size):
        print_bitmap(reader, out)  # an empty list has no blank before it
        return
    if out.pos:
        write_u8(out, b" ")
    if kind <= SCHEME:
        print_scalar(reader, kind, out)
    elif kind == NAME:
        print_name(reader, out)
    elif kind == IPv4 or kind == IPv6:
        print_address(reader, kind, out)
    elif kind == STRINGS:
        print_strings(reader, out)
    elif kind == STRING or kind == LABEL or kind == DECIMAL or kind == OPTIONAL:
        print_string(reader, kind, out)
    elif kind == SALT or kind == HASH:
        print_counted(reader, kind, out)
    elif kind == LOCATOR:
        print_groups(reader, 8, 2, b":", out)
    elif kind == EUI48 or kind == EUI64:
        print_groups(reader, FIXED[kind], 1, b"-", out)
    else:
        print_rest(reader, field, out)


cdef void print_generic(Writer *out, const uint8_t *rdata, Py_ssize_t size) noexcept nogil:
    r"""\# and the octets (RFC 3597 §5)."""
    write_text(out, b"\\# ", 3)
    print_number(out, <uint64_t>size)
    if size:
        write_u8(out, b" ")
    print_hex(out, rdata, size)


cdef int rdata_to_text(uint16_t rrtype, const uint8_t *rdata, Py_ssize_t size, Writer *out) noexcept nogil:
    cdef const Shape *shape = shape_of(rrtype)
    cdef Py_ssize_t start = out.pos
    cdef Writer text
    cdef Reader reader
    cdef int status = rdata_check(rrtype, rdata, size)
    cdef int index
    if shape.rare or status != OK:
        return RARE if status == OK else status
    writer_init(&text, out.data + start, out.size - start)
    if shape.count == 0:
        print_generic(&text, rdata, size)
    reader_init(&reader, rdata, size)
    for index in range(shape.count):
        print_field(&reader, &shape.fields[index], &text)
    out.pos += text.pos
    return text.status


# --- The rim ---

cdef bytes tokens_as_text(const Token *tokens, int count):
    parts = []
    cdef int index
    for index in range(count):
        part = tokens[index].text[:tokens[index].size]
        parts.append(b'"' + part + b'"' if tokens[index].quoted else part)
    return b" ".join(parts)


cdef inline bint is_blank(int octet) noexcept nogil:
    return octet == b" " or octet == b"\t" or octet == b"\r" or octet == b"\n" or octet == b"(" or octet == b")"


cdef int split(const char *text, Py_ssize_t size, Token *tokens) noexcept nogil:
    """The words of a text: blanks, line ends and parentheses divide, ; begins a comment. Their count, -1: no end quote."""
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
        pos += quoted
        start = pos
        while pos < size and (text[pos] != b'"' if quoted else not (is_blank(text[pos]) or text[pos] == b";")):
            pos += 2 if text[pos] == b"\\" else 1
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
    r"""Through dnspython; what it can't read is still sayable as \#."""
    import dns.exception
    import dns.rdata

    try:
        return dns.rdata.from_wire(CLASS_IN, rrtype, wire, 0, len(wire)).to_text()
    except (dns.exception.DNSException, ValueError):
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
