# SPDX-License-Identifier: Apache-2.0
r"""What each kind of field of rrtypes is in JSON: how it is cut from wire, shown, read back and described.

Showing and reading are inverse to each other. Numbers are numbers, but those of eight octets are text (RFC 7493 §2.2);
names, addresses, hexadecimal and base64 are text. Octets are text with a zone file's escapes: `\DDD` for what is not
printable ASCII, `\\` for a backslash; characters outside ASCII are read as UTF-8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from control import recorddata
from fastmdns import name as names
from fastmdns import rdata, rrtypes
from fastmdns.errors import TextError, WireError

Schema = dict[str, Any]
Cut = Callable[[bytes, int], int]


@dataclass(frozen=True)
class Form:
    """cut: where a field that begins at an offset ends. spread: the value's members stand among the record's own."""

    cut: Cut
    show: Callable[[bytes], Any]
    read: Callable[[Any], bytes]
    schema: Schema
    spread: bool = False

    def wire(self, value: object) -> bytes:
        """TextError says what the value should have been."""
        try:
            return self.read(value)
        except (ValueError, OverflowError, WireError):
            raise TextError(f"expected {self.schema['description']}, not {shown(value)}") from None


def shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 60 else text[:57] + "..."


# Where a field ends.


def fixed(octets: int) -> Cut:
    return lambda _wire, start: start + octets


def rest(wire: bytes, _start: int) -> int:
    return len(wire)


def counted(wire: bytes, start: int) -> int:
    """Behind a length octet and as many octets; where nothing is left, there."""
    return start + 1 + wire[start] if start < len(wire) else start


def domain(wire: bytes, start: int) -> int:
    while wire[start]:
        start += 1 + wire[start]
    return start + 1


# Numbers and text.


def whole(value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError
    return value


def text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    value.encode()
    return value


WORD = re.compile(r"[!#-'*-:<-\[\]-~]+")  # printable ASCII without " ( ) ; \\


def word(value: object) -> str:
    """Text that the codec takes for one word, in which nothing is syntax."""
    if not WORD.fullmatch(text(value)):
        raise ValueError
    return text(value)


def number(octets: int, what: str = "a number", high: int | None = None) -> Form:
    limit = 256**octets - 1 if high is None else high
    schema = {"type": "integer", "minimum": 0, "maximum": limit, "description": f"{what} from 0 to {limit}"}
    return Form(fixed(octets), int.from_bytes, lambda value: whole(value, 0, limit).to_bytes(octets), schema)


def boolean(what: str) -> Form:
    """One octet of 0 or 1."""
    return Form(fixed(1), lambda octets: octets != b"\0", _read_boolean, {"type": "boolean", "description": what})


def _read_boolean(value: object) -> bytes:
    if not isinstance(value, bool):
        raise ValueError
    return bytes([value])


def through_codec(kind: type[rrtypes.Field], cut: Cut, of: str, before: tuple[str, bytes] = ("", b"")) -> Form:
    """The text which the codec has for this kind: last field of the type `of`, behind the fields `before`."""
    rrtype = rrtypes.by_name(of)
    lead, octets = before

    def read(value: object) -> bytes:
        try:
            return rdata.from_text(rrtype, lead + word(value))[len(octets) :]
        except TextError as error:
            if error.reason == recorddata.OVERFLOW:
                raise
            raise ValueError from None

    schema = {"type": "string", "description": recorddata.EXPECTED[kind]}
    return Form(cut, lambda wire: rdata.to_text(rrtype, octets + wire)[len(lead) :], read, schema)


ESCAPE = re.compile(rb"\\([0-9]{3}|[^0-9])")
ESCAPED = r"^([^\\\u0000-\u001f\u007f]|\\([01][0-9]{2}|2[0-4][0-9]|25[0-5]|[^0-9\u0000-\u001f\u007f]))*$"
IS_ESCAPED = re.compile(ESCAPED[:-1])


def escape(octets: bytes) -> str:
    return "".join(
        "\\\\" if octet == 0x5C else chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03}" for octet in octets
    )


def unescape(value: object) -> bytes:
    if not IS_ESCAPED.fullmatch(text(value)):
        raise ValueError
    return ESCAPE.sub(lambda found: bytes([int(found[1])]) if len(found[1]) == 3 else found[1], text(value).encode())


def _counted_octets(octets: bytes) -> bytes:
    if len(octets) > 255:
        raise TextError(f"a string holds at most 255 octets, this one has {len(octets)}")
    return bytes([len(octets)]) + octets


STRING = Form(
    counted,
    lambda octets: escape(octets[1:]),
    lambda value: _counted_octets(unescape(value)),
    {"type": "string", "pattern": ESCAPED, "description": r"at most 255 octets as text, escapes being \DDD and \\"},
)


def _read_not_empty(value: object) -> bytes:
    if value == "":
        raise ValueError
    return STRING.read(value)


NOT_EMPTY = replace(STRING, read=_read_not_empty, schema=STRING.schema | {"minLength": 1})


def octets_as_text(least: int) -> Form:
    """All octets up to the end."""

    def read(value: object) -> bytes:
        octets = unescape(value)
        if len(octets) < least:
            raise ValueError
        return octets

    what = r"text, escapes being \DDD and \\" + (", not empty" if least else "")
    return Form(rest, escape, read, {"type": "string", "pattern": ESCAPED, "minLength": least, "description": what})


def patterned(kind: type[rrtypes.Field], pattern: str) -> Form:
    """A string of a form of its own."""

    def read(value: object) -> bytes:
        if not re.fullmatch(pattern, text(value), re.ASCII):
            raise ValueError
        return STRING.read(value)

    schema = {"type": "string", "pattern": f"^({pattern})$", "description": recorddata.EXPECTED[kind]}
    return Form(counted, STRING.show, read, schema)


HEX_DIGITS = "([0-9A-Fa-f]{2})"


def hexadecimal(least: int, most: int | None = None) -> Form:
    many = f"{{{least},{'' if most is None else most}}}"
    schema = {
        "type": "string",
        "pattern": f"^{HEX_DIGITS}{many}$",
        "description": "hexadecimal digits, two for each octet",
    }

    def read(value: object) -> bytes:
        octets = bytes.fromhex(word(value)) if value != "" else b""
        if len(octets) < least or (most is not None and len(octets) > most):
            raise ValueError
        return octets

    return Form(rest, bytes.hex, read, schema)


_SALT = hexadecimal(0, 255)
SALT = replace(
    _SALT, cut=counted, show=lambda octets: octets[1:].hex(), read=lambda value: _counted_octets(_SALT.read(value))
)
_BASE64 = through_codec(rrtypes.BASE64, rest, "OPENPGPKEY")
_BASE64.schema["contentEncoding"] = "base64"


def base64(least: int) -> Form:
    if least:
        return _BASE64
    return replace(
        _BASE64,
        show=lambda octets: _BASE64.show(octets) if octets else "",
        read=lambda value: b"" if value == "" else _BASE64.read(value),
    )


NAME_PATTERN = r"([!#-'*-:<-\[\]-~]|\\[!-~])*\."  # what has a meaning in zone files is escaped


def _read_name(value: object) -> bytes:
    given = text(value)
    if not given.isascii():
        raise TextError(f"{shown(value)} must be ASCII; write each label outside it as xn--...")
    if not given.endswith("."):
        raise TextError(f"{shown(value)} must end with a dot")
    if not re.fullmatch(NAME_PATTERN, given):
        raise ValueError
    return names.from_text(given)


NAME = Form(
    domain, names.to_text, _read_name,
    {"type": "string", "pattern": f"^{NAME_PATTERN}$", "description": "a domain name that ends with a dot"},
)  # fmt: skip


def _read_type(value: object) -> bytes:
    return rrtypes.by_name(word(value)).to_bytes(2)


TYPE = Form(
    fixed(2), lambda octets: rrtypes.to_name(int.from_bytes(octets)), _read_type,
    {"type": "string", "pattern": "^[A-Za-z0-9-]+$", "description": recorddata.EXPECTED[rrtypes.TYPE]},
)  # fmt: skip


# Lists.


def pieces(wire: bytes, cut: Cut) -> Iterator[bytes]:
    start = 0
    while start < len(wire):
        end = cut(wire, start)
        yield wire[start:end]
        start = end


def listed(item: Form, what: str, least: int = 0) -> Form:
    """Items up to the end."""

    def read(value: object) -> bytes:
        if not isinstance(value, list) or len(value) < least:
            raise ValueError
        return b"".join(placed(f"[{index}]", item, part) for index, part in enumerate(value))

    schema: Schema = {"type": "array", "items": item.schema, "description": what}
    if least:
        schema["minItems"] = least
    return Form(rest, lambda wire: [item.show(piece) for piece in pieces(wire, item.cut)], read, schema)


def placed(place: str, form: Form, value: object) -> bytes:
    """A part's wire. What is wrong with it names its place."""
    try:
        return form.wire(value)
    except TextError as error:
        raise TextError(f"{place}{'' if str(error).startswith('[') else ': '}{error}") from None


def chosen(item: Form, what: str, least: int = 0) -> Form:
    """Numbers of two octets, each once, in ascending order on the wire."""
    plain = listed(item, what, least)

    def read(value: object) -> bytes:
        parts = sorted(pieces(plain.read(value), fixed(2)))
        if len(set(parts)) < len(parts):
            raise TextError("the same stands there twice")
        return b"".join(parts)

    return replace(plain, read=read, schema=plain.schema | {"uniqueItems": True})


STRINGS = listed(STRING, "one or more strings", 1)
NAMES = listed(NAME, "domain names that end with a dot")


def _pack_bits(numbers: list[int]) -> bytes:
    bits = bytearray(max(numbers) // 8 + 1 if numbers else 0)
    for bit in numbers:
        bits[bit // 8] |= 0x80 >> bit % 8
    return bytes(bits)


def _unpack_bits(bits: bytes) -> list[int]:
    return [bit for bit in range(8 * len(bits)) if bits[bit // 8] & 0x80 >> bit % 8]


def bitmap(least: int) -> Form:
    """RFC 4034 §4.1.2: a window for each 256 types."""
    types = chosen(TYPE, "record types, each once", least)

    def show(wire: bytes) -> list[str]:
        windows = pieces(wire, lambda octets, start: start + 2 + octets[start + 1])
        return [rrtypes.to_name(window[0] << 8 | bit) for window in windows for bit in _unpack_bits(window[2:])]

    def read(value: object) -> bytes:
        windows: dict[int, list[int]] = {}
        for window, bit in pieces(types.read(value), fixed(2)):
            windows.setdefault(window, []).append(bit)
        return b"".join(bytes([window]) + _counted_octets(_pack_bits(bits)) for window, bits in windows.items())

    return replace(types, show=show, read=read)


_PORT = number(2, "a port")
_PORT_LIST = chosen(_PORT, "ports from 0 to 65535, each once")


def _read_ports(value: object) -> bytes:
    return _pack_bits([int.from_bytes(port) for port in pieces(_PORT_LIST.read(value), fixed(2))])


PORTS = replace(_PORT_LIST, show=_unpack_bits, read=_read_ports)


# Objects.


def members(value: object, forms: Mapping[str, Form], missing: Container[str] = ()) -> dict[str, bytes]:
    """The wire of each member of an object; `missing` may be so. One TextError tells all that is wrong with them."""
    if not isinstance(value, Mapping):
        raise ValueError
    known = [key for name, form in forms.items() for key in keys(name, form)]
    problems = [f"{key}: unknown; expected {', '.join(known)}" for key in value if key not in known]
    wires: dict[str, bytes] = {}
    for name, form in forms.items():
        try:
            wires[name] = b"" if name in missing and name not in value else _member(value, name, form)
        except TextError as error:
            problems.append(str(error))
    if problems:
        raise TextError("; ".join(problems))
    return wires


def keys(name: str, form: Form) -> list[str]:
    return list(form.schema["properties"]) if form.spread else [name]


def _member(value: Mapping[str, Any], name: str, form: Form) -> bytes:
    if form.spread:
        return form.wire({key: value[key] for key in keys(name, form) if key in value})
    if name not in value:
        raise TextError(f"{name}: is missing; expected {form.schema['description']}")
    return placed(name, form, value[name])


def object_schema(forms: Mapping[str, Form], missing: Container[str] = ()) -> Schema:
    properties: Schema = {}
    for name, form in forms.items():
        properties |= form.schema["properties"] if form.spread else {name: form.schema}
    required = [name for name in properties if name not in missing]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
