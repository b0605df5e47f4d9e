# SPDX-License-Identifier: Apache-2.0
r"""Record data as tenants write it in `records`, to wire; and wire to canonical text.

Text is that of a zone file on one line, every name absolute, or `\# length hex` (RFC 3597). What clients of Designate
write besides is taken too: TXT without quotes, a CAA value without quotes (the rest of the line is the value), NAPTR
strings without quotes. A semicolon is never a comment: nothing that was written is dropped without a word.
What is wrong raises TextError, one sentence that names the field by its name in rrtypes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from fastmdns import rdata, rrtypes
from fastmdns.errors import STATUS_REASON, TextError, WireError
from fastmdns.rrtypes import Field, RRType

TXT, NAPTR, SPF, CAA = (rrtypes.by_name(name) for name in ("TXT", "NAPTR", "SPF", "CAA"))
SVCB = rrtypes.by_name("SVCB")

# What text a field of each kind takes. Where the kind isn't here, the codec's reason says it better.
EXPECTED: dict[type[Field], str] = {
    rrtypes.U8: "a number from 0 to 255",
    rrtypes.U16: "a number from 0 to 65535",
    rrtypes.U32: "a number from 0 to 4294967295",
    rrtypes.U64: "a number from 0 to 18446744073709551615",
    rrtypes.PERIOD: "seconds from 0 to 4294967295, or a time such as 1h30m",
    rrtypes.TIME: "a time as YYYYMMDDHHmmSS or in seconds since 1970",
    rrtypes.TYPE: "a record type such as A or TYPE65280",
    rrtypes.ALGORITHM: "a DNSSEC algorithm, its number from 0 to 255 or its mnemonic such as ED25519",
    rrtypes.CERTIFICATE: "a certificate type, its number from 0 to 65535 or its mnemonic such as PKIX",
    rrtypes.SCHEME: "a scheme, its number from 0 to 255 or NOTIFY",
    rrtypes.IPv4: "an IPv4 address such as 192.0.2.1",
    rrtypes.IPv6: "an IPv6 address such as 2001:db8::1",
    rrtypes.LABEL: "letters and digits",
    rrtypes.DECIMAL: "a decimal number such as -32.6882",
    rrtypes.HEX: "hexadecimal digits, two for each octet",
    rrtypes.DIGEST: "hexadecimal digits, two for each octet",
    rrtypes.BASE64: "base64",
    rrtypes.SALT: "hexadecimal digits, two for each octet, or - for none",
    rrtypes.HASH: "base32hex without padding",
    rrtypes.BITMAP: "record types such as A or TYPE65280",
    rrtypes.EUI48: "six octets such as 00-00-5e-00-53-2a",
    rrtypes.EUI64: "eight octets such as 00-00-5e-ef-10-00-00-2a",
    rrtypes.LOCATOR: "four groups of four hexadecimal digits such as 2001:0db8:1140:1000",
    rrtypes.NSAP: "0x and hexadecimal digits, two for each octet",
}
# The kinds with rules inside them, which the codec tells apart: what is asked for where nothing stands.
MISSING: dict[type[Field], str] = {
    rrtypes.NAME: "a domain name that ends with a dot",
    rrtypes.STRING: "a string",
    rrtypes.STRINGS: "one or more strings in quotes",
    rrtypes.TEXT: "a string in quotes",
}
# Kinds that take all words that are left.
GREEDY = (rrtypes.HEX, rrtypes.DIGEST, rrtypes.BASE64, rrtypes.STRINGS, rrtypes.BITMAP, rrtypes.PARAMETERS)
# The values of service parameters; "" is no value at all.
PARAMETER_VALUES = {
    "mandatory": "keys with commas between, each once, not mandatory itself, and all of them given",
    "alpn": "protocol names with commas between, such as h2,h3",
    "no-default-alpn": "",
    "port": EXPECTED[rrtypes.U16],
    "ipv4hint": "IPv4 addresses with commas between",
    "ech": "base64",
    "ipv6hint": "IPv6 addresses with commas between",
    "dohpath": "a relative URI template with the variable dns, such as /dns-query{?dns}",
    "ohttp": "",
    "docpath": "path segments with commas between",
}
# The text of rare types is dnspython's to read, which does not say in which field it stopped.
RARE_FORMS = {
    "WKS": "192.0.2.1 6 25 80",
    "LOC": "52 22 23 N 4 53 32 E -2m",
    "APL": "1:192.0.2.0/24 !2:2001:db8::/32",
    "IPSECKEY": "10 1 2 192.0.2.38 AQNRU3mG",
    "HIP": "2 200100107b1a74df365639cc39f1d578 AwEAAbdx rvs.example.com.",
    "AMTRELAY": "10 0 1 192.0.2.15",
}

ESCAPES = 'a quote within text is written \\" and a backslash \\\\'
OVERFLOW = STATUS_REASON[2]
ANY_ORIGIN = b"\1@\0"
GENERIC = re.compile(r"[ \t]*\\#(?:[ \t]|$)")
QUOTED = r'"(?>[^"\\]+|\\.)*+"'
PLAIN = r'(?>[^\s"\\]+|\\.)++'
TOKEN = re.compile(rf'{QUOTED}|(?>[^\s"\\()]+|\\.)++')
PARAMETER = re.compile(rf'(?>{QUOTED}|[^\s"\\()]+|\\.)++')
QUOTED_STRINGS = re.compile(rf"{QUOTED}(?:[ \t]+{QUOTED})*+")
PLAIN_WORD = re.compile(PLAIN)
QUOTED_OR_PLAIN = re.compile(f"{QUOTED}|{PLAIN}")
WORDS = re.compile(rf"(?>[ \t]+|{QUOTED}|{PLAIN})*+")
CAA_PARTS = re.compile(r"[ \t]*(\S+)[ \t]+(\S+)[ \t]+(.*?)[ \t]*")
UNESCAPED = re.compile(r'(?>[^"\\]+|\\.)*+')
BEFORE_COMMENT = re.compile(rf'(?>[^"\\;]+|\\.|{QUOTED})*+;')
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
DNS_VARIABLE = re.compile(rb"\{[+#./;?&]?(?:[^{}]*,)?dns(?:\*|:[0-9]+)?(?:,[^{}]*)?\}")


def to_wire(rrtype: int, text: str) -> bytes:
    """Uncompressed wire that is valid for the type. TextError says what is wrong."""
    if not (text.isascii() and text.isprintable()):
        _check_characters(rrtype, text)
    spelling = _SPELLINGS.get(rrtype)
    if spelling is not None and not ("\\#" in text and GENERIC.match(text)):
        spelt = spelling(text)
    else:
        spelt = text
        if ";" in text:
            _refuse_comment(rrtype, text)
    try:
        wire = rdata.from_text(rrtype, spelt)
        if rrtype in _RARE and rdata.from_text(rrtype, spelt, ANY_ORIGIN) != wire:
            raise TextError("a relative name")  # for dnspython, without an origin, all names are absolute
    except (TextError, WireError) as error:
        raise _refusal(rrtype, text, _reason(rrtype, spelt, error)) from None
    if rrtype in _RULES and (found := _RULES[rrtype](wire)):
        raise _refusal(rrtype, text, found)
    return wire


def to_text(rrtype: int, wire: bytes) -> str:
    """The canonical text of valid wire: one line, names absolute, strings in quotes."""
    return rdata.to_text(rrtype, wire)


def problem(rrtype: int, wire: bytes) -> str:
    """What an RFC forbids in data that is valid for the codec, "" where nothing is. It begins with the field's name."""
    return _RULES[rrtype](wire) if rrtype in _RULES else ""


def digest_problem(row: RRType, number: int) -> str:
    """How long a digest must be, by the number in the field before it."""
    field, before = row.fields[-1], row.fields[-2]
    octets = dict(field.lengths).get(number) if isinstance(field, rrtypes.DIGEST) else None
    return f"expected {octets} octets ({2 * octets} digits) for {before.name} {number}" if octets else ""


def parameters(wire: bytes) -> Iterator[tuple[int, bytes]]:
    """Key and value of each service parameter in valid SVCB or HTTPS data."""
    at = 2
    while wire[at]:
        at += 1 + wire[at]
    at += 1
    while at < len(wire):
        key, size = int.from_bytes(wire[at : at + 2]), int.from_bytes(wire[at + 2 : at + 4])
        yield key, wire[at + 4 : at + 4 + size]
        at += 4 + size


def _refusal(rrtype: int, text: str, reason: str) -> TextError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return TextError(f"{shown!r} is not valid {rrtypes.to_name(rrtype)} data: {reason}")


def _check_characters(rrtype: int, text: str) -> None:
    """Line ends and other control characters are refused; names outside ASCII too, other text becomes UTF-8."""
    if CONTROL.search(text):
        raise _refusal(rrtype, text, "it may not hold line ends or control characters; in a string write \\010")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refusal(rrtype, text, "half of a surrogate pair is no character") from None
    row = rrtypes.row(rrtype)
    if row is None or text.isascii():
        return
    for field, word in zip(row.fields, TOKEN.findall(text), strict=False):
        if isinstance(field, rrtypes.NAME) and not word.isascii():
            raise _refusal(rrtype, text, f"{field.name}: must be ASCII; write each label outside it as xn--...")


def _refuse_comment(rrtype: int, text: str) -> None:
    if BEFORE_COMMENT.match(text):
        raise _refusal(rrtype, text, "a ; would begin a comment; put the string that holds it in quotes")


# How clients of Designate spell some types, and how a zone file does.


def _spell_strings(text: str) -> str:
    """TXT and SPF: strings in quotes, or one word in which only quotes and escapes mean something."""
    text = text.strip(" \t")
    if not text.startswith('"') and PLAIN_WORD.fullmatch(text):
        return f'"{text}"'
    if not text or QUOTED_STRINGS.fullmatch(text):
        return text
    raise _refusal(TXT, text, f"strings: {_quoting_fault(text)}")


def _quoting_fault(text: str) -> str:
    if UNESCAPED.fullmatch(text):
        return f'text with spaces must stand in quotes: "{text[:60]}"'
    if text.startswith('"'):
        return 'each string must begin and end with a quote, spaces between; a quote within is written \\"'
    return ESCAPES


def _spell_caa(text: str) -> str:
    """Where the value begins without a quote, the rest of the line is the value."""
    parts = CAA_PARTS.fullmatch(text)
    if parts is None or parts[3].startswith('"') or not parts[3]:
        _refuse_comment(CAA, text)
        return text
    if not UNESCAPED.fullmatch(parts[3]):
        raise _refusal(CAA, text, f"value: {ESCAPES}")
    return f'{parts[1]} {parts[2]} "{parts[3]}"'


def _spell_naptr(text: str) -> str:
    """Flags, services and regexp with quotes or without: parentheses and semicolons in them are no syntax."""
    words = QUOTED_OR_PLAIN.findall(text) if WORDS.fullmatch(text) else [text]  # else the codec says what has no end
    words[2:5] = [word if word.startswith('"') else f'"{word}"' for word in words[2:5]]
    spelt = " ".join(words)
    _refuse_comment(NAPTR, spelt)
    return spelt


_SPELLINGS: dict[int, Callable[[str], str]] = {
    TXT: _spell_strings,
    SPF: _spell_strings,
    CAA: _spell_caa,
    NAPTR: _spell_naptr,
}


# Which field the codec refused, and what it takes.


def _reason(rrtype: int, text: str, error: TextError | WireError) -> str:
    row = rrtypes.row(rrtype)
    if row is not None and row.meta:
        return f"{row.name} is a type of questions, not of records"
    if GENERIC.match(text):
        return f"\\# must be followed by a count of octets and as many pairs of hexadecimal digits: {error.reason}"
    if row is None or not row.fields:
        return "expected \\#, a count of octets and as many pairs of hexadecimal digits (RFC 3597)"
    if row.rare:
        return f"expected a form such as {RARE_FORMS[row.name]!r}, every name ending with a dot"
    if isinstance(error, WireError) or error.token < 0 or error.reason == OVERFLOW:
        return error.reason
    return _field_reason(row, TOKEN.findall(text), error)


def _field_reason(row: RRType, words: list[str], error: TextError) -> str:
    last = row.fields[-1]
    if len(row.fields) <= error.token < len(words) and not isinstance(last, GREEDY):
        return f"there is more than {', '.join(field.name for field in row.fields)}: {words[error.token]!r}"
    field = row.fields[min(error.token, len(row.fields) - 1)]
    if error.token >= len(words) and not isinstance(field, rrtypes.PARAMETERS):
        return f"{field.name}: is missing; expected {EXPECTED.get(type(field)) or MISSING.get(type(field), 'a value')}"
    return f"{field.name}: {_word_reason(row, field, words, error)}"


def _word_reason(row: RRType, field: Field, words: list[str], error: TextError) -> str:
    word = words[min(error.token, len(words) - 1)]
    if isinstance(field, rrtypes.NAME) and not word.endswith("."):
        return "must end with a dot"
    if isinstance(field, rrtypes.PARAMETERS):
        return _parameters_reason(words)
    if isinstance(field, rrtypes.DIGEST) and error.reason == STATUS_REASON[17]:
        return digest_problem(row, int(words[len(row.fields) - 2]))
    if isinstance(field, rrtypes.STRINGS) and error.reason == STATUS_REASON[13]:
        return 'a string holds at most 255 octets; write several: "first part" "second part"'
    expected = EXPECTED.get(type(field))
    return f"expected {expected}, not {word!r}" if expected else error.reason


def _parameters_reason(words: list[str]) -> str:
    """The first parameter that is wrong in itself, or what is wrong with all of them together."""
    given: set[str] = set()
    for word in PARAMETER.findall(" ".join(words[2:])):
        key = word.partition("=")[0].lower()
        if key in given:
            return f"{key} stands there twice"
        given.add(key)
        if key not in ("mandatory", "no-default-alpn") and not _is_parameter(word):
            return _parameter_reason(key)
    if "no-default-alpn" in given and "alpn" not in given:
        return "no-default-alpn needs alpn"
    return _parameter_reason("mandatory" if "mandatory" in given else "no-default-alpn")


def _is_parameter(word: str) -> bool:
    try:
        rdata.from_text(SVCB, f"1 . {word}")
    except TextError:
        return False
    return True


def _parameter_reason(key: str) -> str:
    if key not in PARAMETER_VALUES:
        return f"{key!r} is no key; expected {', '.join(PARAMETER_VALUES)} or key123"
    return f"{key}: expected {PARAMETER_VALUES[key] or 'no value'}"


# What the codec lets pass and an RFC does not.


def _association_problem(wire: bytes) -> str:
    """RFC 6698 §2.1.3: the matching type gives the digest, and so its length."""
    octets = {1: 32, 2: 64}.get(wire[2])
    if octets is None or len(wire) == 3 + octets:
        return ""
    return f"data: expected {octets} octets ({2 * octets} digits) for matching_type {wire[2]}"


def _service_problem(wire: bytes) -> str:
    """RFC 9461 §5: dohpath is a relative URI template in UTF-8 with the variable dns."""
    path = dict(parameters(wire)).get(7)
    if path is None or (path.startswith(b"/") and DNS_VARIABLE.search(path) and _is_utf8(path)):
        return ""
    return f"parameters: {_parameter_reason('dohpath')}"


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


_RULES: dict[int, Callable[[bytes], str]] = {
    rrtypes.by_name("TLSA"): _association_problem,
    rrtypes.by_name("SMIMEA"): _association_problem,
    rrtypes.by_name("SVCB"): _service_problem,
    rrtypes.by_name("HTTPS"): _service_problem,
}
_RARE = frozenset(row.number for row in rrtypes.rows() if row.rare)
