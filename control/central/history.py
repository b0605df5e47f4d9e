# SPDX-License-Identifier: Apache-2.0
"""A zone's past, from its journal: what changed when and by whom, what lies between two serials, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection

from control import zonefiles
from control.central import contents
from control.central.contents import Counts, Place
from control.central.core import Core, check_scope, zone_for
from control.context import Context
from control.errors import Refused, refuse_if_any
from control.model import SOA, WireRecord, WireRrset, Zone
from control.storage import bulk, journal
from control.storage import change as changes
from control.storage.change import KIND_WHOLE
from control.storage.journal import Entry
from fastmdns import name

RULE = "get_recordsets"  # whoever may list the zone's records may know what they were
Identity = tuple[bytes, int, int, bytes]  # a record with its owner in lower case


@dataclass(frozen=True, slots=True)
class Difference:
    """Records in canonical order. What was removed and came back is in neither."""

    removed: tuple[WireRecord, ...]
    added: tuple[WireRecord, ...]

    @property
    def removed_text(self) -> list[str]:
        return [zonefiles.line(*record) for record in self.removed]

    @property
    def added_text(self) -> list[str]:
        return [zonefiles.line(*record) for record in self.added]


@dataclass(frozen=True, slots=True)
class RolledBack:
    zone: Zone
    difference: Difference
    counts: Counts
    changed: bool


def page_of(core: Core, ctx: Context, zone_id: str, limit: int, below: int | None) -> tuple[list[Entry], bool]:
    """Changes before a revision, the newest first, and whether there are more."""

    def work(tx: Connection) -> tuple[list[Entry], bool]:
        zone = _readable(core, tx, ctx, zone_id)
        found = journal.newest(tx, zone.id, limit + 1, below)
        return list(found[:limit]), len(found) > limit

    return core.db.read(work)


def diff(core: Core, ctx: Context, zone_id: str, from_serial: int, to_serial: int) -> Difference:
    """What turns the zone as it was at one serial into what it was at the other, whichever came first."""

    def work(tx: Connection) -> Difference:
        zone = _readable(core, tx, ctx, zone_id)
        start, end = (_revision(tx, zone, serial) for serial in (from_serial, to_serial))
        if start > end:
            back = _net(tx, zone, end, start)
            return Difference(back.added, back.removed)
        return _net(tx, zone, start, end)

    return core.db.read(work)


def roll_back(core: Core, ctx: Context, zone_id: str, serial: int) -> RolledBack:
    """One more change, which makes the records what they were at a serial. The zone's own settings stay."""

    def work(tx: Connection) -> RolledBack:
        zone = zone_for(core, tx, ctx, zone_id, "update_zone", locked=True)
        check_scope(ctx, "update", zone.name)
        contents.check_writable(zone)
        wanted = _wanted(tx, zone, _net(tx, zone, _revision(tx, zone, serial), zone.revision))
        new = [rrset for rrset in wanted.values() if rrset]
        refuse_if_any(contents.problems_of(core, tx, ctx, zone, lambda: new))
        change = changes.begin(zone, core.clock(), f"rollback to serial {serial}")
        counts = contents.make_so(core, tx, ctx, change, wanted)
        made = Difference(*(_in_order(journal.unpacked(side)) for side in (change.removed, change.added)))
        after = changes.finish(tx, change, ctx)
        return RolledBack(after, _without_same(made), counts, after.revision != zone.revision)

    return core.write(ctx, work)


def _readable(core: Core, tx: Connection, ctx: Context, zone_id: str) -> Zone:
    zone = zone_for(core, tx, ctx, zone_id, RULE)
    check_scope(ctx, "read", zone.name)
    return zone


# ------------------------------------------------------------------------------------------------------- the journal


def _revision(tx: Connection, zone: Zone, serial: int) -> int:
    found = journal.revision_at(tx, zone.id, serial)
    if found is None:
        raise Refused("change_not_found", f"{zone.name} never had the serial {serial}, or its journal has forgotten it")
    return found


def _net(tx: Connection, zone: Zone, above: int, up_to: int) -> Difference:
    """What the changes with above < revision <= up_to did together."""
    sums: dict[Identity, int] = {}
    records: dict[Identity, WireRecord] = {}
    entries = journal.entries(tx, zone.id, above, up_to)
    _check_told(zone, entries, up_to - above)
    for entry in entries:
        for sign, side in ((-1, journal.removed(tx, entry)), (1, journal.added(tx, entry))):
            for owner, rrtype, ttl, rdata in side:
                key = name.lower(owner), rrtype, ttl, rdata
                records[key] = owner, rrtype, ttl, rdata
                sums[key] = sums.get(key, 0) + sign
    return Difference(
        _in_order(records[key] for key, total in sums.items() if total < 0),
        _in_order(records[key] for key, total in sums.items() if total > 0),
    )


def _check_told(zone: Zone, entries: Iterable[Entry], wanted: int) -> None:
    """Refused where a change between is forgotten, or is one of which only the outcome is known."""
    found = list(entries)
    if len(found) != wanted:
        raise Refused("change_not_found", f"the journal of {zone.name} does not reach back so far")
    for entry in found:
        if entry.kind == KIND_WHOLE:
            said = f"the journal does not tell what was in {zone.name} before serial {entry.to_serial}"
            raise Refused("change_not_found", f"{said}, when it came as a whole")


def _in_order(found: Iterable[WireRecord]) -> tuple[WireRecord, ...]:
    return tuple(sorted(found, key=lambda record: (name.key(record[0]), record[1], record[3])))


def _without_same(made: Difference) -> Difference:
    """Without the records of changed rrsets that are on both sides."""
    both = set(map(_identity, made.removed)) & set(map(_identity, made.added))
    return Difference(
        tuple(record for record in made.removed if _identity(record) not in both),
        tuple(record for record in made.added if _identity(record) not in both),
    )


def _identity(record: WireRecord) -> Identity:
    owner, rrtype, ttl, rdata = record
    return name.lower(owner), rrtype, ttl, rdata


# ---------------------------------------------------------------------------------------------------------- going back


def _wanted(tx: Connection, zone: Zone, since: Difference) -> dict[Place, WireRrset | None]:
    """Each rrset that was touched since, as it was."""
    wanted: dict[Place, WireRrset | None] = {}
    places = {_place(record) for record in (*since.removed, *since.added) if record[1] != SOA}
    now = {_place_of(rrset): rrset for rrset in bulk.at_places(tx, zone, places)}
    newer = set(map(_identity, since.added))
    older = {place: list(records) for place, records in groupby(since.removed, _place)}
    for place in places:
        kept = [record for record in _records(now.get(place)) if _identity(record) not in newer]
        wanted[place] = _rrset([*kept, *older.get(place, ())])
    return wanted


def _place(record: WireRecord) -> Place:
    return name.key(record[0]), record[1]


def _place_of(rrset: WireRrset) -> Place:
    return name.key(rrset.owner), rrset.rrtype


def _records(rrset: WireRrset | None) -> list[WireRecord]:
    return [(rrset.owner, rrset.rrtype, rrset.ttl, wire) for wire in rrset.wires] if rrset else []


def _rrset(found: list[WireRecord]) -> WireRrset | None:
    if not found:
        return None
    owner, rrtype, ttl, _ = found[0]
    return WireRrset(owner, rrtype, ttl, tuple(record[3] for record in found))
