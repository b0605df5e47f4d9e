# SPDX-License-Identifier: Apache-2.0
"""The JSON form of kinds that hold several values, and form_of(), which finds the form of any field of rrtypes.

Service parameters are an object by key. The members of a location, an identity and a relay type stand among those of
the record. A gateway's form hangs on the number before it. Lengths, precisions and altitude are metres, angles degrees:
decimal numbers that give the same wire again, rounded to the RFC's units where they are finer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from typing import Any

from control import recorddata
from control.fieldforms import (
    NAME,
    NAMES,
    NOT_EMPTY,
    PORTS,
    SALT,
    STRING,
    STRINGS,
    TYPE,
    Cut,
    Form,
    base64,
    bitmap,
    boolean,
    chosen,
    counted,
    fixed,
    hexadecimal,
    listed,
    members,
    number,
    object_schema,
    octets_as_text,
    patterned,
    pieces,
    placed,
    rest,
    text,
    through_codec,
)
from fastmdns import rrtypes
from fastmdns.errors import TextError
from fastmdns.rrtypes import Field

IPV4 = through_codec(rrtypes.IPv4, fixed(4), "A")
IPV6 = through_codec(rrtypes.IPv6, fixed(16), "AAAA")


# Service parameters (RFC 9460).

KEY_NAMES = {key: word.lower() for word, key in rrtypes.WORDS[rrtypes.PARAMETERS].items()}
KEY_NUMBERS = {word: key for key, word in KEY_NAMES.items()}
OTHER_KEY = re.compile("key(0|[1-9][0-9]{0,4})", re.ASCII)


def _key_name(octets: bytes) -> str:
    key = int.from_bytes(octets)
    return KEY_NAMES.get(key, f"key{key}")


def _read_key(value: object) -> bytes:
    word = text(value)
    key = KEY_NUMBERS.get(word, -1)
    if OTHER_KEY.fullmatch(word):
        key = int(word[3:])
        if key in KEY_NAMES:
            raise TextError(f"{word} is written {KEY_NAMES[key]}")
    if not 0 <= key <= 0xFFFF:
        raise ValueError
    return key.to_bytes(2)


def _flag(what: str) -> Form:
    """A key without a value."""
    return Form(rest, lambda _octets: True, _read_true, {"const": True, "description": what})


def _read_true(value: object) -> bytes:
    if value is not True:
        raise ValueError
    return b""


_KEY = Form(fixed(2), _key_name, _read_key, {"type": "string", "description": "a key such as port or key123"})
_PARAMETER_FORMS = {
    "mandatory": chosen(_KEY, "keys that clients must understand, each once", 1),
    "alpn": listed(NOT_EMPTY, "protocol names such as h2", 1),
    "no-default-alpn": _flag("true"),
    "port": number(2),
    "ipv4hint": listed(IPV4, "IPv4 addresses", 1),
    "ech": base64(1),
    "ipv6hint": listed(IPV6, "IPv6 addresses", 1),
    "dohpath": octets_as_text(1),
    "ohttp": _flag("true"),
    "docpath": listed(NOT_EMPTY, "path segments"),
}
_OTHER_PARAMETER = octets_as_text(0)
_PARAMETERS_SCHEMA = {
    "type": "object",
    "properties": {key: form.schema for key, form in _PARAMETER_FORMS.items()},
    "patternProperties": {"^key(0|[1-9][0-9]{0,4})$": _OTHER_PARAMETER.schema},
    "additionalProperties": False,
    "description": "service parameters by key",
}


def _show_parameters(wire: bytes) -> dict[str, Any]:
    named = ((_key_name(key.to_bytes(2)), value) for key, value in recorddata.parameters(b"\0\0\0" + wire))
    return {key: _PARAMETER_FORMS.get(key, _OTHER_PARAMETER).show(value) for key, value in named}


def _read_parameters(value: object) -> bytes:
    if not isinstance(value, Mapping):
        raise ValueError
    numbers = {key: _KEY.wire(key) for key in value}
    wires = members(value, {key: _PARAMETER_FORMS.get(key, _OTHER_PARAMETER) for key in value})
    _check_mandatory({_key_name(key) for key in pieces(wires.get("mandatory", b""), fixed(2))}, value.keys())
    ordered = sorted((numbers[key], wires[key]) for key in value)
    return b"".join(key + len(wire).to_bytes(2) + wire for key, wire in ordered)


def _check_mandatory(mandatory: Set[str], given: Set[str]) -> None:
    if lacking := mandatory - (given - {"mandatory"}):
        raise TextError(f"mandatory: expected other keys that are given, which {', '.join(sorted(lacking))} is not")
    if "no-default-alpn" in given and "alpn" not in given:
        raise TextError("no-default-alpn needs alpn")


PARAMETERS = Form(rest, _show_parameters, _read_parameters, _PARAMETERS_SCHEMA)


# Location (RFC 1876).


def _scaled(unit: int, origin: int, low: float, high: float, what: str) -> Form:
    """Four octets that count parts of a unit from an origin."""

    def read(value: object) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError
        return (round(value * unit) + origin).to_bytes(4)

    schema = {"type": "number", "minimum": low, "maximum": high, "description": f"{what} from {low} to {high}"}
    return Form(fixed(4), lambda wire: _decimal(int.from_bytes(wire) - origin, unit), read, schema)


def _decimal(count: int, unit: int) -> int | float:
    return count / unit if count % unit else count // unit


def _show_size(octets: bytes) -> int | float:
    mantissa, exponent = divmod(int.from_bytes(octets), 16)
    return _decimal(mantissa * 10**exponent, 100)


def _read_size(value: object) -> bytes:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 90_000_000:
        raise ValueError
    digits = str(round(value * 100))
    if digits.strip("0")[1:]:
        raise ValueError
    return bytes([int(digits[0]) << 4 | len(digits) - 1])


def _size(what: str) -> Form:
    description = f"{what} in metres, one digit and zeros, such as 0.3 or 20, up to 90000000"
    schema = {"type": "number", "minimum": 0, "maximum": 90_000_000, "description": description}
    return Form(fixed(1), _show_size, _read_size, schema)


def spread(forms: Mapping[str, Form], cut: Cut, lead: bytes = b"") -> Form:
    """Forms one behind the other, whose members stand among the record's own."""

    def show(wire: bytes) -> dict[str, Any]:
        values, start = {}, len(lead)
        for key, form in forms.items():
            end = form.cut(wire, start)
            values[key] = form.show(wire[start:end])
            start = end
        return values

    return Form(cut, show, lambda value: lead + b"".join(members(value, forms).values()), object_schema(forms), True)


LOCATION = spread(
    {
        "size": _size("diameter"),
        "horizontal_precision": _size("diameter of the circle of error"),
        "vertical_precision": _size("the vertical error"),
        "latitude": _scaled(3_600_000, 2**31, -90, 90, "degrees north"),
        "longitude": _scaled(3_600_000, 2**31, -180, 180, "degrees east"),
        "altitude": _scaled(100, 10_000_000, -100_000, 42_849_672.95, "metres above the WGS 84 spheroid"),
    },
    rest,
    lead=b"\0",  # the version
)


# Address prefixes (RFC 3123).

_FAMILIES = {1: (IPV4, 4), 2: (IPV6, 16)}
_OTHER_FAMILY = hexadecimal(0, 127)
_ADDRESS = Form(
    rest, bytes.decode, lambda value: text(value).encode(),
    {"type": "string", "description": "an address, in hexadecimal where the family is neither 1 nor 2"},
)  # fmt: skip
_PREFIX_FORMS = {
    "family": number(2, "1 for IPv4, 2 for IPv6, or a number"),
    "prefix": number(1, "bits"),
    "negation": boolean("true or false"),
    "address": _ADDRESS,
}


def _show_prefix(wire: bytes) -> dict[str, Any]:
    family, address = int.from_bytes(wire[:2]), wire[4:]
    form, octets = _FAMILIES.get(family, (_OTHER_FAMILY, 0))
    shown_address = form.show(address.ljust(octets, b"\0"))
    return {"family": family, "prefix": wire[2], "negation": wire[3] > 127, "address": shown_address}


def _read_prefix(value: object) -> bytes:
    wires = members(value, _PREFIX_FORMS)
    form, octets = _FAMILIES.get(int.from_bytes(wires["family"]), (_OTHER_FAMILY, 0))
    address = placed("address", form, wires["address"].decode())
    if octets:
        address = address.rstrip(b"\0")
        placed("prefix", number(1, "bits", 8 * octets), wires["prefix"][0])
    return wires["family"] + wires["prefix"] + bytes([wires["negation"][0] << 7 | len(address)]) + address


_PREFIX = Form(
    lambda wire, start: start + 4 + (wire[start + 3] & 0x7F),
    _show_prefix,
    _read_prefix,
    object_schema(_PREFIX_FORMS) | {"description": "an object of family, prefix, negation and address"},
)
PREFIXES = listed(_PREFIX, "address prefixes")


# Host identity (RFC 8005).

_IDENTITY_FORMS = {"pk_algorithm": number(1), "hit": hexadecimal(1, 255), "public_key": base64(1)}


def _identity_end(wire: bytes, start: int) -> int:
    return start + 4 + wire[start] + int.from_bytes(wire[start + 2 : start + 4])


def _show_identity(wire: bytes) -> dict[str, Any]:
    parts = {"pk_algorithm": wire[1:2], "hit": wire[4 : 4 + wire[0]], "public_key": wire[4 + wire[0] :]}
    return {key: form.show(parts[key]) for key, form in _IDENTITY_FORMS.items()}


def _read_identity(value: object) -> bytes:
    wires = members(value, _IDENTITY_FORMS)
    hit, key = wires["hit"], wires["public_key"]
    return bytes([len(hit)]) + wires["pk_algorithm"] + len(key).to_bytes(2) + hit + key


IDENTITY = Form(_identity_end, _show_identity, _read_identity, object_schema(_IDENTITY_FORMS), True)


# Gateways (RFC 4025, RFC 8777): the number before them says which of these.

GATEWAY_TYPE = number(1, "a type", 3)
_RELAY_FORMS = {"discovery_optional": boolean("true or false"), "relay_type": GATEWAY_TYPE}


def _read_nothing(value: object) -> bytes:
    if value is not None:
        raise ValueError
    return b""


def _read_relay(value: object) -> bytes:
    wires = members(value, _RELAY_FORMS)
    return bytes([wires["discovery_optional"][0] << 7 | wires["relay_type"][0]])


def _show_relay(octets: bytes) -> dict[str, Any]:
    return {"discovery_optional": octets[0] > 127, "relay_type": octets[0] & 0x7F}


RELAY_TYPE = Form(fixed(1), _show_relay, _read_relay, object_schema(_RELAY_FORMS), True)
GATEWAYS = (
    Form(fixed(0), lambda _octets: None, _read_nothing, {"type": "null", "description": "null"}),
    IPV4,
    IPV6,
    NAME,
)
_GATEWAY_SCHEMA = {
    "type": ["string", "null"],
    "description": "by the type: 0 null, 1 an IPv4 address, 2 an IPv6 address, 3 a domain name that ends with a dot",
}
# Where the type is not known, its own problem is told and none of the gateway's.
ANY_GATEWAY = Form(rest, bytes.hex, lambda _value: b"", _GATEWAY_SCHEMA)


# Every kind.

_FORMS: dict[type[Field], Form] = {
    rrtypes.U8: number(1),
    rrtypes.U16: number(2),
    rrtypes.U32: number(4),
    rrtypes.U64: through_codec(rrtypes.U64, fixed(8), "IPN"),
    rrtypes.PERIOD: number(4, "seconds"),
    rrtypes.TIME: number(4, "seconds since 1970"),
    rrtypes.TYPE: TYPE,
    rrtypes.ALGORITHM: number(1),
    rrtypes.CERTIFICATE: number(2),
    rrtypes.SCHEME: number(1),
    rrtypes.IPv4: IPV4,
    rrtypes.IPv6: IPV6,
    rrtypes.NAME: NAME,
    rrtypes.NAMES: NAMES,
    rrtypes.STRING: STRING,
    rrtypes.OPTIONAL: STRING,
    rrtypes.STRINGS: STRINGS,
    rrtypes.LABEL: patterned(rrtypes.LABEL, "[0-9A-Za-z]+"),
    rrtypes.DECIMAL: patterned(rrtypes.DECIMAL, r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"),
    rrtypes.DIGEST: hexadecimal(1),
    rrtypes.SALT: SALT,
    rrtypes.HASH: through_codec(rrtypes.HASH, counted, "NSEC3", ("1 0 0 - ", b"\1\0\0\0\0")),
    rrtypes.EUI48: through_codec(rrtypes.EUI48, fixed(6), "EUI48"),
    rrtypes.EUI64: through_codec(rrtypes.EUI64, fixed(8), "EUI64"),
    rrtypes.LOCATOR: through_codec(rrtypes.LOCATOR, fixed(8), "NID", ("0 ", b"\0\0")),
    rrtypes.NSAP: through_codec(rrtypes.NSAP, rest, "NSAP"),
    rrtypes.PARAMETERS: PARAMETERS,
    rrtypes.LOCATION: LOCATION,
    rrtypes.PREFIXES: PREFIXES,
    rrtypes.PORTS: PORTS,
    rrtypes.IDENTITY: IDENTITY,
}
# What the row says about the field decides about its form. Gateways and the types before them: see structured.
_FORMS_BY_FIELD: dict[type[Field], Callable[[Any], Form]] = {
    rrtypes.TEXT: lambda field: octets_as_text(field.least),
    rrtypes.HEX: lambda field: hexadecimal(field.least),
    rrtypes.BASE64: lambda field: base64(field.least),
    rrtypes.BITMAP: lambda field: bitmap(field.least),
}


def form_of(field: Field) -> Form:
    kind = type(field)
    return _FORMS[kind] if kind in _FORMS else _FORMS_BY_FIELD[kind](field)
