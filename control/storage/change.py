# SPDX-License-Identifier: Apache-2.0
"""One change of one zone: the only way its records, its serial and its state move.

begin() takes a zone that is locked and says which serial and revision the change will have; what is stored meanwhile
carries them and is noted in the change; finish() writes the zone's row, the journal and the outbox, all in the same
transaction. A change that changes no record and no setting writes no more than the zone's counts. Serials only grow
(RFC 1982), whatever the clock says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert

from control import soa
from control.context import Context
from control.model import SERIAL_BITS, Event, Rrset, Status, WireRrset, Zone, ZoneType, after
from control.names import to_wire
from control.storage import journal, zones
from control.storage.ids import shard_of
from control.storage.tables import outbox

INSERT_TASK = insert(outbox).inline()
MODULUS = 1 << SERIAL_BITS
KIND_CHANGE, KIND_WHOLE = "change", "whole"


class Task(StrEnum):
    """What the outbox asks workers to do."""

    CREATE_ZONE = "create_zone"
    UPDATE_ZONE = "update_zone"
    DELETE_ZONE = "delete_zone"
    TRANSFER_IN = "transfer_in"


def next_serial(now: datetime, serial: int) -> int:
    """Unix time, or one more than the last serial where that is not newer (RFC 1982 §3.2)."""
    clock = int(now.replace(tzinfo=UTC).timestamp()) % MODULUS
    ahead = (clock - serial) % MODULUS
    return clock if 0 < ahead < MODULUS // 2 else (serial + 1) % MODULUS


@dataclass(slots=True)
class Change:
    """A change being made. before: the zone as it was; None where the change creates it."""

    zone: Zone  # as it will be
    before: Zone | None
    now: datetime
    kind: str = KIND_CHANGE
    note: str | None = None
    removed: journal.Packed = field(default_factory=journal.Packed)
    added: journal.Packed = field(default_factory=journal.Packed)
    empty: bool = True
    rrsets: int = 0  # how many more there are, and records of those that are not managed
    records: int = 0
    settings: dict[str, Any] = field(default_factory=dict)  # columns of the zone's row

    def add(self, rrset: Rrset) -> None:
        """Notes that the rrset is there from now on."""
        self._note(self.added, rrset, self.zone.ttl)
        self._count(rrset, 1)

    def add_many(self, found: Sequence[WireRrset]) -> None:
        """The same of many that are not managed."""
        self.empty = self.empty and not found
        for rrset in found:
            self._note_wire(self.added, rrset)
        self.rrsets += len(found)
        self.records += sum(len(rrset.wires) for rrset in found)

    def remove(self, rrset: Rrset) -> None:
        """Notes that the rrset, as it was, is there no longer."""
        self._note(self.removed, rrset, (self.before or self.zone).ttl)
        self._count(rrset, -1)

    def replace(self, old: Rrset, new: Rrset) -> None:
        self.remove(old)
        self.add(new)

    def set(self, **settings: Any) -> None:
        """Notes new values of the zone's own columns: email, ttl, description… The same values are no change."""
        changed = {key: value for key, value in settings.items() if getattr(self.zone, key) != value}
        if changed:
            self.settings |= changed
            self.zone = replace(self.zone, **changed)
            self.empty = False

    def make_whole(self) -> None:
        """The journal will only say how much was added: there was nothing before, and the rows tell what it was."""
        self.kind = KIND_WHOLE
        self.added = journal.Packed(count=self.added.count)

    def touch(self) -> None:
        """The zone gets a new serial even where nothing else changes."""
        self.empty = False

    def _note(self, packed: journal.Packed, rrset: Rrset, zone_ttl: int) -> None:
        self.empty = self.empty and not rrset.records
        ttl = zone_ttl if rrset.ttl is None else rrset.ttl
        wires = tuple(record.wire for record in rrset.records)
        self._note_wire(packed, WireRrset(to_wire(rrset.name), rrset.rrtype, ttl, wires))

    def _note_wire(self, packed: journal.Packed, rrset: WireRrset) -> None:
        if self.kind == KIND_WHOLE:
            packed.count += len(rrset.wires)
            return
        for wire in rrset.wires:
            packed.add(rrset.owner, rrset.rrtype, rrset.ttl, wire)

    def _count(self, rrset: Rrset, sign: int) -> None:
        self.rrsets += sign
        self.records += 0 if rrset.managed else sign * len(rrset.records)

    def counts(self) -> dict[str, Any]:
        """How many rrsets and records the zone has with this change."""
        zone = self.before or self.zone
        return {"rrset_count": zone.rrset_count + self.rrsets, "record_count": zone.record_count + self.records}


def begin(zone: Zone, now: datetime, note: str | None = None) -> Change:
    """A change of a zone that lock() gave. A SECONDARY zone's serial is its primary's."""
    serial = next_serial(now, zone.serial) if zone.type is ZoneType.PRIMARY else zone.serial
    return Change(replace(zone, serial=serial, revision=zone.revision + 1), zone, now, note=note)


def begin_create(zone: Zone, now: datetime, note: str | None = None) -> Change:
    """The change that creates a zone whose row was inserted just now, with revision 1 and no rrsets."""
    return Change(zone, None, now, note=note, empty=False)


def finish(tx: Connection, change: Change, ctx: Context, **options: Any) -> Zone:
    """Writes the change down and asks for the task → the zone as it is now; as it was where nothing changed."""
    if change.empty:
        return _counted(tx, change)
    zone = _settled(change)
    zones.update_zone(tx, zone.id, _columns(zone, change))
    journal.write(tx, _entry(change, zone, ctx), *_with_soa(change, zone))
    task = Task.UPDATE_ZONE if change.before else Task.CREATE_ZONE
    ask(tx, zone, task, change.now, ctx, **options)
    return zone


def _counted(tx: Connection, change: Change) -> Zone:
    """The zone as it was, but for rrsets without records that came or went."""
    zone = change.before or change.zone
    if not change.rrsets:
        return zone
    zones.update_zone(tx, zone.id, change.counts())
    return replace(zone, **change.counts())


def delete(tx: Connection, zone: Zone, now: datetime, ctx: Context, **options: Any) -> Zone:
    """The zone is to go: from the name servers first, from here once they confirmed it.

    It is a revision of its own, so that a late word about the last change is not taken for one about the deletion.
    """
    gone = _in_state(zone, Event.DELETED)
    zone = zones.amend(tx, gone, now, action=gone.action, status=gone.status, revision=zone.revision + 1)
    ask(tx, zone, Task.DELETE_ZONE, now, ctx, **options)
    return zone


def settle(tx: Connection, zone: Zone, revision: int, event: Event, now: datetime, ctx: Context) -> Zone:
    """What name servers were found to have → the zone as it is then. Word about an older revision moves no state."""
    settled = zone if revision < zone.revision else _in_state(zone, event)
    if settled.status is Status.DELETED:
        zones.mark_deleted(tx, zone.id, now)
        return settled
    if event is Event.CONFIRMED:
        settled = replace(settled, confirmed=max(zone.confirmed, revision))
    columns = {"action": settled.action, "status": settled.status, "confirmed": settled.confirmed}
    zones.update_zone(tx, zone.id, columns)
    if event is Event.MISSING and revision == zone.revision and not settled.deleting:
        ask(tx, settled, Task.CREATE_ZONE, now, ctx)
    return settled


def ask(tx: Connection, zone: Zone, task: Task, now: datetime, ctx: Context, **options: Any) -> None:
    """A task into the outbox. options: what the worker needs beyond the zone, as JSON."""
    values = {
        "zone_id": zone.id,
        "kind": task,
        "pool_id": zone.pool_id,
        "shard": shard_of(zone.id),
        "serial": zone.serial,
        "revision": zone.revision,
        "options": options,
        "request_id": ctx.request_id,
        "due_at": now,
        "attempts": 0,
        "created_at": now,
    }
    tx.execute(INSERT_TASK, values)


def _in_state(zone: Zone, event: Event) -> Zone:
    action, status = after((zone.action, zone.status), event)
    return replace(zone, action=action, status=status)


def _settled(change: Change) -> Zone:
    """The zone with the state, the version and the time that the change leaves it in."""
    if change.before is None:
        return replace(change.zone, **change.counts())
    action, status = after((change.zone.action, change.zone.status), Event.CHANGED)
    version = change.before.version + 1
    return replace(change.zone, action=action, status=status, version=version, updated_at=change.now, **change.counts())


def _columns(zone: Zone, change: Change) -> dict[str, Any]:
    names = ["serial", "revision", "version", "action", "status", "rrset_count", "record_count", "updated_at"]
    return {**{name: getattr(zone, name) for name in names}, **change.settings}


def _entry(change: Change, zone: Zone, ctx: Context) -> dict[str, Any]:
    return {
        "zone_id": zone.id,
        "revision": zone.revision,
        "kind": change.kind,
        "from_serial": change.before.serial if change.before else 0,
        "to_serial": zone.serial,
        "project_id": ctx.project_id,
        "user_id": ctx.user_id,
        "request_id": ctx.request_id,
        "note": change.note,
        "created_at": change.now,
    }


def _with_soa(change: Change, zone: Zone) -> tuple[journal.Packed, journal.Packed]:
    """What was removed and added, each behind the SOA of its side. A SECONDARY zone's SOA is among its records."""
    if zone.type is ZoneType.PRIMARY:
        change.added.put_first(*soa.wire_record(zone))
        if change.before:
            change.removed.put_first(*soa.wire_record(change.before))
    return change.removed, change.added
