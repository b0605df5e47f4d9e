# SPDX-License-Identifier: Apache-2.0
"""Rrsets and their records: rows in, Rrset out. The SOA rrset has a row but no records: soa.py makes them.

A function that stores takes a Change and notes in it what it did, so that no row changes without the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    union_all,
    update,
)

from control import soa
from control.errors import Refused
from control.model import SOA, Action, Record, Rrset, Zone
from control.names import key_of, keys_above
from control.storage.change import Change
from control.storage.database import unique
from control.storage.paging import behind
from control.storage.tables import ALIVE, DATA_HEAD, records, rrsets, zones
from control.storage.zones import key_end

T = TypeVar("T")

COLUMNS = [rrsets.c[name] for name in Rrset.__slots__ if name != "records"]  # in the order of Rrset's fields
ACTION = Rrset.__slots__.index("action")
# What every change does: such statements are made once.
SOME: BindParameter[list[str]] = bindparam("ids", expanding=True)
RECORDS = (
    select(records.c.rrset_id, records.c.data, records.c.wire)
    .where(records.c.rrset_id.in_(SOME))
    .order_by(records.c.rrset_id, records.c.position)
)
INSERT, INSERT_RECORDS = insert(rrsets), insert(records)
UPDATE = update(rrsets).where(rrsets.c.id == bindparam("rrset"))
DELETE, DELETE_RECORDS = (
    delete(rrsets).where(rrsets.c.id.in_(SOME)),
    delete(records).where(records.c.rrset_id.in_(SOME)),
)
BATCH = 1000  # rows of one INSERT, and rrsets of one SELECT


def everything() -> Select[Any]:
    return select(*COLUMNS)


def fetch(tx: Connection, query: Select[Any], zones: Iterable[Zone] = ()) -> list[Rrset]:
    """The rrsets of a query over COLUMNS, each with its records. zones: theirs, for the SOA's record."""
    rows = tx.execute(query).all()
    found = _records_of(tx, [row.id for row in rows])
    by_id = {zone.id: zone for zone in zones}
    return [_rrset(row, found.get(row.id, ()), by_id.get(row.zone_id)) for row in rows]


def get(tx: Connection, zone: Zone, rrset_id: str) -> Rrset:
    """Refused recordset_not_found where the zone has no such rrset."""
    found = fetch(tx, everything().where(rrsets.c.id == rrset_id, rrsets.c.zone_id == zone.id), [zone])
    if not found:
        raise Refused("recordset_not_found", "Could not find RecordSet")
    return found[0]


def find(tx: Connection, zone: Zone, name: str, rrtype: int) -> Rrset | None:
    place = rrsets.c.zone_id == zone.id, rrsets.c.name_key == key_of(name), rrsets.c.rrtype == rrtype
    return next(iter(fetch(tx, everything().where(*place), [zone])), None)


def apexes(tx: Connection, zones: Sequence[Zone], rrtype: int) -> list[Rrset]:
    """The rrsets of this type that we keep at the apex of each of the zones."""
    ours = rrsets.c.zone_id.in_([zone.id for zone in zones]), rrsets.c.rrtype == rrtype, rrsets.c.managed
    keys = rrsets.c.name_key.in_({key_of(zone.name) for zone in zones})
    return fetch(tx, everything().where(*ours, keys), zones)


def zone_of(tx: Connection, rrset_id: str) -> str:
    """The id of the zone of any rrset. Refused recordset_not_found where there is none."""
    found = tx.execute(select(rrsets.c.zone_id).where(rrsets.c.id == rrset_id)).scalar_one_or_none()
    if found is None:
        raise Refused("recordset_not_found", "Could not find RecordSet")
    return str(found)


def by_ids(tx: Connection, zone: Zone, ids: Sequence[str]) -> list[Rrset]:
    """Those of the zone among the ids."""
    return [
        rrset
        for some in _batches(ids)
        for rrset in fetch(tx, everything().where(rrsets.c.id.in_(some), rrsets.c.zone_id == zone.id), [zone])
    ]


def at_names(tx: Connection, zone: Zone, keys: Sequence[bytes], types: Iterable[int]) -> list[Rrset]:
    """The rrsets of these types at names with these keys."""
    if not keys:
        return []
    place = rrsets.c.zone_id == zone.id, rrsets.c.rrtype.in_(list(types))
    return [
        rrset
        for some in _batches(keys)
        for rrset in fetch(tx, everything().where(*place, rrsets.c.name_key.in_(some)), [zone])
    ]


def surroundings(tx: Connection, zone: Zone, keys: Iterable[bytes]) -> tuple[dict[bytes, set[int]], frozenset[bytes]]:
    """The types that the zone has at and above each of these names, and the zones of its pool that lie around them.

    Above means between the name and the apex; the zones are given by the keys of their names.
    """
    apex = key_of(zone.name)
    below = {place for key in keys for place in (key, *keys_above(key)) if len(place) > len(apex)} | set(keys)
    types: dict[bytes, set[int]] = {}
    children: set[bytes] = set()
    for some in _batches(sorted(below)):
        for key, rrtype in tx.execute(AROUND, {"zone": zone.id, "pool": zone.pool_id, "keys": some}):
            if rrtype < 0:
                children.add(bytes(key))
            else:
                types.setdefault(bytes(key), set()).add(rrtype)
    return types, frozenset(children - {apex})


# One query for both, because each change asks it: a type below 0 is no type but a zone.
AROUND = union_all(
    select(rrsets.c.name_key, rrsets.c.rrtype).where(
        rrsets.c.zone_id == bindparam("zone"), rrsets.c.name_key.in_(bindparam("keys", expanding=True))
    ),
    select(zones.c.name_key, literal_column("-1")).where(
        zones.c.name_key.in_(bindparam("keys", expanding=True)),
        zones.c.pool_id == bindparam("pool"),
        zones.c.deleted == ALIVE,
    ),
)


def types_below(tx: Connection, zone: Zone, key: bytes, limit: int) -> dict[bytes, set[int]]:
    """Some of the names below this one at which the zone has rrsets, with their types."""
    span = rrsets.c.name_key > key, rrsets.c.name_key < key_end(key)
    query = select(rrsets.c.name_key, rrsets.c.rrtype).where(rrsets.c.zone_id == zone.id, *span).limit(limit)
    types: dict[bytes, set[int]] = {}
    for found, rrtype in tx.execute(query):
        types.setdefault(bytes(found), set()).add(rrtype)
    return types


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def stream(tx: Connection, zone: Zone, *conditions: Any, canonical: bool = False) -> Iterator[Rrset]:
    """All rrsets of a zone, read in batches: oldest first, or in canonical order. Memory stays small."""
    order = (rrsets.c.name_key, rrsets.c.rrtype) if canonical else (rrsets.c.created_at, rrsets.c.id)
    query = everything().where(rrsets.c.zone_id == zone.id, *conditions).order_by(*order)
    after: tuple[Any, ...] | None = None
    while True:
        page = query if after is None else query.where(behind(tx, order, after))
        rows = tx.execute(page.limit(BATCH).add_columns(*(column.label(f"key{at}") for at, column in enumerate(order))))
        batch = rows.all()
        found = _records_of(tx, [row.id for row in batch])
        for row in batch:
            yield _rrset(row, found.get(row.id, ()), zone)
        if len(batch) < BATCH:
            return
        after = batch[-1].key0, batch[-1].key1


def _records_of(tx: Connection, ids: Sequence[str]) -> dict[str, tuple[Record, ...]]:
    found: dict[str, tuple[Record, ...]] = {}
    for some in _batches(ids):
        rows = tx.execute(RECORDS, {"ids": some})
        for rrset_id, group in groupby(rows, lambda row: row[0]):
            found[rrset_id] = tuple(Record(data, wire) for _, data, wire in group)
    return found


def _rrset(row: Row[Any], its_records: tuple[Record, ...], zone: Zone | None) -> Rrset:
    """row: COLUMNS, and whatever stands behind them."""
    values: list[Any] = [*row[: len(COLUMNS)], its_records]
    values[ACTION] = Action(values[ACTION])
    rrset = Rrset(*values)
    return as_of(rrset, zone) if rrset.rrtype == SOA and zone and not its_records else rrset


def as_of(rrset: Rrset, zone: Zone) -> Rrset:
    """The SOA rrset as the zone's row has it now."""
    return replace(
        rrset,
        records=(soa.record(zone),),
        action=zone.action,
        serial=zone.serial,
        revision=zone.revision,
        version=zone.version,
        updated_at=zone.updated_at,
    )


# ---------------------------------------------------------------------------------------------------------- storing


def insert_rrset(tx: Connection, change: Change, rrset: Rrset) -> None:
    """Refused duplicate_recordset where its name and type are taken."""
    with unique("duplicate_recordset", "Duplicate RecordSet"):
        tx.execute(INSERT, _columns(rrset, change.zone))
    _insert_records(tx, [rrset], change.zone)
    change.add(rrset)


def insert_many(tx: Connection, change: Change, found: Iterable[Rrset]) -> None:
    """Many at once; their names and types are known to be free."""
    batch: list[Rrset] = []
    for rrset in found:
        batch.append(rrset)
        change.add(rrset)
        if len(batch) == BATCH:
            _insert_batch(tx, batch, change.zone)
            batch.clear()
    _insert_batch(tx, batch, change.zone)


def _insert_batch(tx: Connection, batch: Sequence[Rrset], zone: Zone) -> None:
    if batch:
        tx.execute(INSERT, _one_or_many([_columns(rrset, zone) for rrset in batch]))
        _insert_records(tx, batch, zone)


def update_rrset(tx: Connection, change: Change, old: Rrset, new: Rrset) -> None:
    """new: made by changed(old, …)."""
    update_many(tx, change, [(old, new)])


def update_many(tx: Connection, change: Change, pairs: Sequence[tuple[Rrset, Rrset]]) -> None:
    rewrite_many(tx, change.zone, pairs)
    for old, new in pairs:
        change.replace(old, new)


def rewrite_many(tx: Connection, zone: Zone, pairs: Sequence[tuple[Rrset, Rrset]]) -> None:
    """Stores what no name server sees: a description, another order or spelling of the same records."""
    names = ["ttl", "description", "action", "serial", "revision", "version", "updated_at"]
    if pairs:
        rows = [{"rrset": new.id, **{name: getattr(new, name) for name in names}} for _, new in pairs]
        tx.execute(UPDATE, _one_or_many(rows))
    rewritten = [new for old, new in pairs if new.records != old.records]
    _delete_records(tx, rewritten)
    _insert_records(tx, rewritten, zone)


def follow_ttl(tx: Connection, change: Change) -> None:
    """Those without a ttl of their own get the zone's new one, which change.set() was given."""
    following = rrsets.c.zone_id == change.zone.id, rrsets.c.ttl.is_(None), rrsets.c.rrtype != SOA
    for rrset in stream(tx, change.zone, *following[1:]):
        change.replace(rrset, rrset)
    values = {
        "action": Action.UPDATE,
        "serial": change.zone.serial,
        "revision": change.zone.revision,
        "version": rrsets.c.version + 1,
        "updated_at": change.now,
    }
    tx.execute(update(rrsets).where(*following).values(**values))


def hand_over(tx: Connection, zone_id: str, project_id: str) -> None:
    """All of a zone's rrsets and records belong to another project now."""
    ids = list(tx.execute(select(rrsets.c.id).where(rrsets.c.zone_id == zone_id)).scalars())
    tx.execute(update(rrsets).where(rrsets.c.zone_id == zone_id).values(owner_id=project_id, project_id=project_id))
    for start in range(0, len(ids), BATCH):  # MariaDB would read all records for a subquery
        some = records.c.rrset_id.in_(ids[start : start + BATCH])
        tx.execute(update(records).where(some).values(owner_id=project_id))


def delete_rrset(tx: Connection, change: Change, rrset: Rrset) -> None:
    delete_many(tx, change, [rrset])


def delete_many(tx: Connection, change: Change, gone: Sequence[Rrset]) -> None:
    _delete_records(tx, gone)
    for some in _batches(gone):
        tx.execute(DELETE, {"ids": [rrset.id for rrset in some]})
    for rrset in gone:
        change.remove(rrset)


def _delete_records(tx: Connection, found: Sequence[Rrset]) -> None:
    for some in _batches(found):
        tx.execute(DELETE_RECORDS, {"ids": [rrset.id for rrset in some]})


def changed(change: Change, old: Rrset, **values: Any) -> Rrset:
    """The rrset with new values, as this change leaves it."""
    of_change: dict[str, Any] = {
        "action": Action.UPDATE,
        "serial": change.zone.serial,
        "revision": change.zone.revision,
        "version": old.version + 1,
        "updated_at": change.now,
    }
    return replace(old, **of_change, **values)


def _one_or_many(rows: list[dict[str, Any]]) -> Any:
    """A list of one is executed as such a list, which takes longer than the one."""
    return rows[0] if len(rows) == 1 else rows


def _columns(rrset: Rrset, zone: Zone) -> dict[str, Any]:
    values = {column.name: getattr(rrset, column.name) for column in COLUMNS}
    return {**values, "name_key": key_of(rrset.name), "owner_id": zone.project_id}


def _insert_records(tx: Connection, found: Sequence[Rrset], zone: Zone) -> None:
    rows = [
        {
            "rrset_id": rrset.id,
            "position": position,
            "owner_id": zone.project_id,
            "data": record.text,
            "data_head": record.text[:DATA_HEAD],
            "wire": record.wire,
        }
        for rrset in found
        if rrset.rrtype != SOA
        for position, record in enumerate(rrset.records)
    ]
    if rows:
        tx.execute(INSERT_RECORDS, _one_or_many(rows))
