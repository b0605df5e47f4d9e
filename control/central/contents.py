# SPDX-License-Identifier: Apache-2.0
"""Many rrsets of a zone made what they are to be: what PUT zonefile and rollback have in common.

Nothing is said of rrsets that only we change (SOA, the NS of the apex): they stay. What is already as it is to be keeps
its id and all else; a record that stays keeps its author's spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from control.central.core import Core, check_quota
from control.context import Context
from control.errors import Problem, Refused
from control.model import NS, SOA, Action, Record, Rrset, WireRrset, Zone, ZoneType
from control.names import key_of
from control.rules import contents
from control.storage import bulk, rrsets
from control.storage.change import Change
from control.storage.ids import new_id
from fastmdns import name, rdata

Place = tuple[bytes, int]  # key of the name, type
Wanted = Mapping[Place, WireRrset | None]  # None: gone


@dataclass(frozen=True, slots=True)
class Counts:
    """Rrsets."""

    created: int = 0
    updated: int = 0
    deleted: int = 0


def check_writable(zone: Zone) -> None:
    if zone.type is not ZoneType.PRIMARY:
        raise Refused("forbidden", f"the records of a {zone.type} zone can't be changed here")
    if zone.deleting:
        raise Refused("bad_request", "Can not update a deleting zone")


def problems_of(
    core: Core, tx: Connection, ctx: Context, zone: Zone, found: Callable[[], Iterable[WireRrset]]
) -> list[Problem]:
    """What the rules have against these rrsets as the content of the zone."""
    return contents.problems(rules_of(core, tx, ctx, zone), found)


def rules_of(core: Core, tx: Connection, ctx: Context, zone: Zone) -> contents.Rules:
    least = 0 if core.policy.allows(ctx, "use_low_ttl") else core.config.min_ttl
    return contents.Rules(key_of(zone.name), core.config.supported_record_types, least, bulk.children(tx, zone))


def is_ours(zone: Zone, place: Place) -> bool:
    """SOA and NS of the apex."""
    return place[1] == SOA or place == (key_of(zone.name), NS)


def make_so(core: Core, tx: Connection, ctx: Context, change: Change, wanted: Wanted) -> Counts:
    """Stores what differs and notes it in the change. Refused where a quota forbids it; the rules were asked before."""
    zone = change.zone
    there = _present(tx, zone, wanted)
    managed = {place for place, rrset in there.items() if rrset.managed} if not ctx.edit_managed else set()
    places = [place for place in wanted if place not in managed and not is_ours(zone, place)]
    created = [_created(change, rrset) for place in places if (rrset := wanted[place]) and place not in there]
    updated = [
        (there[place], _updated(change, there[place], rrset))
        for place in places
        if (rrset := wanted[place]) and place in there
    ]
    deleted = [there[place] for place in places if wanted[place] is None and place in there]
    rrsets.delete_many(tx, change, deleted)
    rrsets.update_many(tx, change, updated)
    rrsets.insert_many(tx, change, created)
    check_growth(core, tx, change, [rrset for place in places if (rrset := wanted[place])])
    return Counts(len(created), len(updated), len(deleted))


def check_growth(core: Core, tx: Connection, change: Change, new: Iterable[WireRrset]) -> None:
    """Only what became more can be too much: a lowered quota doesn't stop anyone from cleaning up."""
    after = change.counts()
    counts = {"recordset_records": max((len(rrset.wires) for rrset in new), default=0)}
    if change.rrsets > 0:
        counts["zone_recordsets"] = after["rrset_count"]
    if change.records > 0:
        counts["zone_records"] = after["record_count"]
    check_quota(core, tx, change.zone.project_id, **counts)


def _present(tx: Connection, zone: Zone, places: Iterable[Place]) -> dict[Place, Rrset]:
    keys, types = sorted({key for key, _ in places}), {rrtype for _, rrtype in places}
    found = {(key_of(rrset.name), rrset.rrtype): rrset for rrset in rrsets.at_names(tx, zone, keys, types)}
    return {place: found[place] for place in places if place in found}


def _created(change: Change, wanted: WireRrset) -> Rrset:
    zone = change.zone
    return Rrset(
        id=new_id(),
        zone_id=zone.id,
        project_id=zone.project_id,
        name=name.to_text(wanted.owner),
        rrtype=wanted.rrtype,
        ttl=wanted.ttl,
        description=None,
        managed=False,
        action=Action.CREATE,
        serial=zone.serial,
        revision=zone.revision,
        version=1,
        created_at=change.now,
        updated_at=None,
        records=tuple(Record(rdata.to_text(wanted.rrtype, wire), wire) for wire in wanted.wires),
    )


def _updated(change: Change, old: Rrset, wanted: WireRrset) -> Rrset:
    known = {record.wire: record for record in old.records}
    records = tuple(
        known.get(wire) or Record(rdata.to_text(wanted.rrtype, wire), wire)
        for wire in (*(wire for wire in known if wire in wanted.wires), *(w for w in wanted.wires if w not in known))
    )
    inherits = old.ttl is None and wanted.ttl == change.zone.ttl
    return rrsets.changed(change, old, ttl=None if inherits else wanted.ttl, records=records)
