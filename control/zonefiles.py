# SPDX-License-Identifier: Apache-2.0
"""Zone files as whole zones come in and go out: parsed by fastmdns.zonefile, and written as canonical text.

The zone's name is the SOA's owner, so `$ORIGIN` is needed only where that is relative. An apex without NS records is
taken, because a zone gets those of its pool. What is wrong raises Invalid, each problem with line and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct

from control.errors import Invalid, Problem
from control.model import NS, SOA, WireRecord, WireRrset
from fastmdns import name, rdata, rrtypes, zonefile
from fastmdns.errors import Problem as Fault
from fastmdns.errors import TextError, ZoneError
from fastmdns.records import Records

PATH = ("zonefile",)
NO_ORIGIN = "The $ORIGIN statement is required and must be the first statement in the zonefile."
NO_SOA = "An SOA record is required."
ORIGIN = re.compile(rb"^\$ORIGIN[ \t]+([^\s;]+)", re.MULTILINE | re.IGNORECASE)
# An owner or a blank, TTL and class in either order, then the type; comments and quotes can't begin such a line.
SOA_LINE = re.compile(rb"^([^\s;\"()$]*)(?:[ \t]+(?:IN|\d\w*))*[ \t]+SOA[ \t(]", re.MULTILINE | re.IGNORECASE)
NUMBERS = Struct("!5I")  # what ends an SOA


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """What a file says of its zone. ttl: of the SOA's record."""

    apex: bytes
    ttl: int
    email: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int
    records: Records

    def rrsets(self) -> Iterator[WireRrset]:
        """In canonical order, without the SOA and the NS records of the apex: those are made from zone and pool."""
        apex = name.lower(self.apex)
        first: WireRecord | None = None
        wires: list[bytes] = []
        for row in self.records:
            owner, rrtype, _, wire = row
            if first and rrtype == first[1] and (owner == first[0] or name.lower(owner) == name.lower(first[0])):
                wires.append(wire)
                continue
            if first:
                yield WireRrset(*first[:3], tuple(wires))
            made = rrtype in (SOA, NS) and name.lower(owner) == apex
            first, wires = (None, []) if made else (row, [wire])
        if first:
            yield WireRrset(*first[:3], tuple(wires))


def read(data: bytes, apex: bytes | None = None) -> ZoneFile:
    """The file, checked. apex: the zone it must be of; None takes the one it is of."""
    apex = apex or apex_of(data)
    if apex is None:
        raise Invalid([Problem(PATH, NO_ORIGIN, "required")])
    # The parser wants an NS record at the apex; here it is one that rrsets() leaves out again.
    data += b"\n" + name.to_text(apex).encode() + b" 0 IN NS .\n"
    try:
        records = zonefile.parse_text(data, apex).records
    except ZoneError as error:
        raise Invalid([_problem(fault) for fault in error.problems]) from None
    soa = next(row for row in records if row[1] == SOA)
    return ZoneFile(apex, soa[2], *_soa(soa[3]), records)


def apex_of(data: bytes) -> bytes | None:
    """The SOA's owner, else the first $ORIGIN; None where the file has neither."""
    soa = SOA_LINE.search(data)
    origin: bytes | None = None
    try:
        for found in ORIGIN.finditer(data, 0, soa.start() if soa else len(data)):
            origin = name.from_text(found[1], origin)
            if soa is None:
                return origin
        return name.from_text(soa[1] or b"@", origin) if soa else None
    except TextError:
        return None


def _problem(fault: Fault) -> Problem:
    if not fault.line and fault.reason.startswith("no SOA record"):
        return Problem(PATH, NO_SOA, "required")
    place = f"line {fault.line}, column {fault.column}: " if fault.column else f"line {fault.line}: "
    return Problem(PATH, f"{place if fault.line else ''}{fault.reason}", "format")


def _soa(wire: bytes) -> tuple[str, int, int, int, int, int]:
    """email, serial, refresh, retry, expire, minimum."""
    rname = wire[_name_size(wire, 0) : -NUMBERS.size]
    local = rname[1 : 1 + rname[0]].decode("ascii", "replace")
    domain = name.to_text(rname[1 + rname[0] :]).rstrip(".")
    serial, refresh, retry, expire, minimum = NUMBERS.unpack_from(wire, len(wire) - NUMBERS.size)
    return f"{local}@{domain}", serial, refresh, retry, expire, minimum


def _name_size(wire: bytes, at: int) -> int:
    while wire[at]:
        at += 1 + wire[at]
    return at + 1


# --------------------------------------------------------------------------------------------------------------- text


def head(apex: str, ttl: int) -> str:
    return f"$ORIGIN {apex}\n$TTL {ttl}\n\n"


def lines(rrsets: Iterable[WireRrset]) -> Iterator[str]:
    """One record a line: owner TTL IN type data, every name absolute."""
    for rrset in rrsets:
        start = f"{name.to_text(rrset.owner)} {rrset.ttl} IN {rrtypes.to_name(rrset.rrtype)} "
        yield from (f"{start}{rdata.to_text(rrset.rrtype, wire)}\n" for wire in rrset.wires)


def line(owner: bytes, rrtype: int, ttl: int, wire: bytes) -> str:
    """One record as text, without a line's end."""
    return f"{name.to_text(owner)} {ttl} IN {rrtypes.to_name(rrtype)} {rdata.to_text(rrtype, wire)}"
