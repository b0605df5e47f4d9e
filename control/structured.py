# SPDX-License-Identifier: Apache-2.0
r"""Record data as a JSON object, one-to-one with wire: the fields of the type's row in rrtypes, by their names there.

Types without fields, unknown types, and the few LOC and WKS whose wire no object says, are {"rdata": hexadecimal}: what
`\#` is in text. from_structured() reads what to_structured() gives and what the type's JSON Schema describes; all that
is wrong with a record stands in one TextError.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from control import recorddata
from control.compoundforms import ANY_GATEWAY, GATEWAY_TYPE, GATEWAYS, RELAY_TYPE, form_of
from control.fieldforms import Form, hexadecimal, members, object_schema
from fastmdns import rdata, rrtypes
from fastmdns.errors import TextError, WireError
from fastmdns.rrtypes import Field, RRType

Schema = dict[str, Any]
UNKNOWN_GATEWAY = -1
GENERIC = {"rdata": hexadecimal(0)}


def to_structured(rrtype: int, wire: bytes) -> dict[str, Any]:
    """The structured form of valid wire."""
    row = rrtypes.row(rrtype)
    rdata.check(rrtype, wire)
    if row is not None and row.fields:
        value = _show(row, wire)
        if not _may_be_generic(row) or _reads_back(row, value, wire):
            return value
    return {"rdata": wire.hex()}


def from_structured(rrtype: int, value: Mapping[str, Any]) -> bytes:
    """Valid wire of the type. TextError lists all that is wrong."""
    row = rrtypes.row(rrtype)
    kind = rrtypes.to_name(rrtype)
    if row is not None and row.meta:
        raise TextError(f"{kind} is a type of questions, not of records")
    if not isinstance(value, Mapping):
        raise TextError(f"not valid {kind} data: expected an object with the fields {', '.join(_names(row))}")
    try:
        return _read(rrtype, row, value)
    except (TextError, WireError) as error:
        raise TextError(f"not valid {kind} data: {error}") from None


def schema(rrtype: int) -> Schema:
    """JSON Schema 2020-12 of the structured form."""
    row = rrtypes.row(rrtype)
    title = {"title": rrtypes.to_name(rrtype)}
    if row is None or not row.fields:
        return title | object_schema(GENERIC)
    fields = object_schema(_forms(row, UNKNOWN_GATEWAY), _optional(row))
    return title | ({"anyOf": [fields, object_schema(GENERIC)]} if _may_be_generic(row) else fields)


def schemas() -> dict[str, Schema]:
    """The schemas of all types that the table names and zones may hold."""
    return {row.name: schema(row.number) for row in rrtypes.rows() if not row.meta}


def _may_be_generic(row: RRType) -> bool:
    """Whether some wire of the type has no form by its fields."""
    return not row.fields or any(isinstance(field, rrtypes.LOCATION | rrtypes.PORTS) for field in row.fields)


def _names(row: RRType | None) -> list[str]:
    schema = object_schema(_forms(row, UNKNOWN_GATEWAY) if row and row.fields else GENERIC)
    return list(schema["properties"])


def _optional(row: RRType) -> set[str]:
    return {field.name for field in row.fields if isinstance(field, rrtypes.OPTIONAL)}


@cache
def _forms(row: RRType, gateway: int) -> dict[str, Form]:
    """The forms of a row's fields in wire order, where the octet before a gateway says `gateway`."""
    forms = {field.name: _form(field, gateway) for field in row.fields}
    typed = _gateway(row)
    if typed is not None:
        field, at = typed
        forms[row.fields[at].name] = RELAY_TYPE if field.back == 1 else GATEWAY_TYPE
    return forms


def _form(field: Field, gateway: int) -> Form:
    if not isinstance(field, rrtypes.GATEWAY):
        return form_of(field)
    return ANY_GATEWAY if gateway == UNKNOWN_GATEWAY else GATEWAYS[gateway]


def _gateway(row: RRType) -> tuple[rrtypes.GATEWAY, int] | None:
    """A row's gateway and the place of its type: index of the field and offset on the wire, all before being octets."""
    for index, field in enumerate(row.fields):
        if isinstance(field, rrtypes.GATEWAY):
            return field, index - field.back
    return None


def _show(row: RRType, wire: bytes) -> dict[str, Any]:
    typed = _gateway(row)
    gateway = wire[typed[1]] & 0x7F if typed else UNKNOWN_GATEWAY
    value: dict[str, Any] = {}
    start = 0
    for key, form in _forms(row, gateway).items():
        end = form.cut(wire, start)
        if form.spread:
            value |= form.show(wire[start:end])
        elif end > start or key not in _optional(row):
            value[key] = form.show(wire[start:end])
        start = end
    return value


def _reads_back(row: RRType, value: dict[str, Any], wire: bytes) -> bool:
    try:
        return _read(row.number, row, value) == wire
    except TextError:
        return False


def _read(rrtype: int, row: RRType | None, value: Mapping[str, Any]) -> bytes:
    if row is None or not row.fields or (_may_be_generic(row) and value.keys() == GENERIC.keys()):
        wire = members(value, GENERIC)["rdata"]
        rdata.check(rrtype, wire)
        return wire
    forms = _forms(row, _given_gateway(row, value))
    wire = b"".join(members(value, forms, _optional(row)).values())
    _check(row, wire, value)
    return wire


def _given_gateway(row: RRType, value: Mapping[str, Any]) -> int:
    typed = _gateway(row)
    kind = value.get(row.fields[typed[1]].name) if typed else None
    return kind if type(kind) is int and 0 <= kind < len(GATEWAYS) else UNKNOWN_GATEWAY


def _check(row: RRType, wire: bytes, value: Mapping[str, Any]) -> None:
    """What no field can say alone."""
    try:
        rdata.check(row.number, wire)
    except WireError:
        last = row.fields[-1]
        if isinstance(last, rrtypes.DIGEST):
            raise TextError(f"{last.name}: {recorddata.digest_problem(row, value[row.fields[-2].name])}") from None
        raise
    if problem := recorddata.problem(row.number, wire):
        raise TextError(problem)
