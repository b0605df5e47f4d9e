# SPDX-License-Identifier: Apache-2.0
"""A zone's content as one text: read as a stream that sees one state of it, or replaced by another text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from control import soa, zonefiles
from control.central import contents
from control.central.contents import Counts, Place
from control.central.core import Core, check_scope, zone_for
from control.context import Context
from control.errors import refuse_if_any
from control.model import WireRrset, Zone
from control.names import to_wire
from control.storage import bulk, zones
from control.storage import change as changes
from fastmdns import name

CHUNK = 64 << 10  # characters that are sent at once


@dataclass(frozen=True, slots=True)
class Replaced:
    """unchanged: rrsets that stayed as they were. changed: there is a new serial."""

    zone: Zone
    counts: Counts
    unchanged: int
    changed: bool


def text_of(core: Core, ctx: Context, zone_id: str, rule: str) -> Iterator[bytes]:
    """The zone file in canonical order, the SOA first. Refused before the first octet, or not at all."""

    def work(tx: Connection) -> None:
        check_scope(ctx, "read", zone_for(core, tx, ctx, zone_id, rule).name)

    core.db.read(work)
    return _chunks(core, zone_id)


def _chunks(core: Core, zone_id: str) -> Iterator[bytes]:
    text: list[str] = []
    size = 0
    with core.db.snapshot() as tx:
        for part in _parts(tx, zones.get(tx, zone_id)):
            text.append(part)
            size += len(part)
            if size >= CHUNK:
                yield "".join(text).encode()
                text.clear()
                size = 0
    yield "".join(text).encode()


def _parts(tx: Connection, zone: Zone) -> Iterator[str]:
    yield zonefiles.head(zone.name, zone.ttl)
    owner, rrtype, ttl, wire = soa.wire_record(zone)
    yield from zonefiles.lines([WireRrset(owner, rrtype, ttl, (wire,))])
    yield from zonefiles.lines(bulk.stream(tx, zone))


# ---------------------------------------------------------------------------------------------------------- replacing


def replace(core: Core, ctx: Context, zone_id: str, text: bytes) -> Replaced:
    """Makes the zone's rrsets those of the text, as one change. What is the same in both keeps its id."""

    def work(tx: Connection) -> Replaced:
        zone = zone_for(core, tx, ctx, zone_id, "update_zone", locked=True)
        check_scope(ctx, "update", zone.name)
        contents.check_writable(zone)
        file = zonefiles.read(text, to_wire(zone.name))
        refuse_if_any(contents.problems_of(core, tx, ctx, zone, file.rrsets))
        wanted, unchanged = _differences(tx, zone, file.rrsets())
        change = changes.begin(zone, core.clock(), "zone file")
        counts = contents.make_so(core, tx, ctx, change, wanted)
        after = changes.finish(tx, change, ctx)
        return Replaced(after, counts, unchanged, after.revision != zone.revision)

    return core.write(ctx, work)


def _differences(tx: Connection, zone: Zone, wanted: Iterator[WireRrset]) -> tuple[dict[Place, WireRrset | None], int]:
    """Both sides come in canonical order, so one walk along both tells; nothing is held but what differs."""
    found: dict[Place, WireRrset | None] = {}
    unchanged = 0
    stored = (rrset for rrset in bulk.stream(tx, zone) if not contents.is_ours(zone, _place(rrset)))
    old, new = next(stored, None), next(wanted, None)
    while old or new:
        order = _order(old, new)
        if order == 0 and old and new and _same(old, new):
            unchanged += 1
        elif order >= 0 and new:
            found[_place(new)] = new
        elif old:
            found[_place(old)] = None
        old = next(stored, None) if order <= 0 else old
        new = next(wanted, None) if order >= 0 else new
    return found, unchanged


def _order(old: WireRrset | None, new: WireRrset | None) -> int:
    """Below 0: the old one comes first; 0: they have one place."""
    if old is None or new is None:
        return 1 if old is None else -1
    here, there = _place(old), _place(new)
    return (here > there) - (here < there)


def _place(rrset: WireRrset) -> Place:
    return name.key(rrset.owner), rrset.rrtype


def _same(old: WireRrset, new: WireRrset) -> bool:
    return old.ttl == new.ttl and set(old.wires) == set(new.wires)
