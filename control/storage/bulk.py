# SPDX-License-Identifier: Apache-2.0
"""Whole zones: their rrsets stored by the hundred thousand, and read as wire in canonical order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, Table, and_, insert, or_, select
from sqlalchemy.exc import DBAPIError

from control.model import SOA, Action, WireRrset, Zone
from control.names import key_of
from control.storage.change import Change
from control.storage.ids import new_ids
from control.storage.rrsets import at_names
from control.storage.tables import ALIVE, DATA_HEAD, records, rrsets, zones
from control.storage.zones import below
from fastmdns import name, rdata

BATCH = 10_000  # rrsets that are stored at once
PAGE = 2_000  # rrsets of one SELECT; MariaDB and SQLite take so many parameters
RRSET_COLUMNS = (
    "id", "zone_id", "owner_id", "project_id", "name", "name_key", "rrtype", "ttl", "description", "managed", "action",
    "serial", "revision", "version", "created_at", "updated_at",
)  # fmt: skip
RECORD_COLUMNS = ("rrset_id", "position", "owner_id", "data", "data_head", "wire")
Row = tuple[Any, ...]
Batch = tuple[list[WireRrset], tuple[list[Row], list[Row]]]  # with the rows of both tables


def insert_all(tx: Connection, change: Change, found: Iterable[WireRrset]) -> Iterator[Sequence[WireRrset]]:
    """New rrsets, whose names and types are known to be free. Yields each batch once it is stored.

    The next batch is made ready by another thread while the server is busy with this one.
    """
    for batch, (rrset_rows, record_rows) in _one_ahead(_batches(change, found)):
        _insert(tx, rrsets, RRSET_COLUMNS, rrset_rows)
        _insert(tx, records, RECORD_COLUMNS, record_rows)
        change.add_many(batch)
        yield batch


def _batches(change: Change, found: Iterable[WireRrset]) -> Iterator[Batch]:
    source = iter(found)
    while batch := list(islice(source, BATCH)):
        yield batch, _rows(change, batch)


def _one_ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, batches, None)
        while batch := coming.result():
            coming = thread.submit(next, batches, None)
            yield batch


def _rows(change: Change, batch: Sequence[WireRrset]) -> tuple[list[Row], list[Row]]:
    zone, now = change.zone, change.now
    same = (None, False, Action.CREATE.value, zone.serial, zone.revision, 1, now, None)
    place = (zone.id, zone.project_id, zone.project_id)
    rrset_rows: list[Row] = []
    record_rows: list[Row] = []
    for rrset_id, (owner, rrtype, ttl, wires) in zip(new_ids(len(batch)), batch, strict=True):
        rrset_rows.append((rrset_id, *place, name.to_text(owner), name.key(owner), rrtype, ttl, *same))
        for position, wire in enumerate(wires):
            text = rdata.to_text(rrtype, wire)
            record_rows.append((rrset_id, position, zone.project_id, text, text[:DATA_HEAD], wire))
    return rrset_rows, record_rows


def _insert(tx: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    if tx.dialect.name == "postgresql":
        _copy(tx, table, columns, rows)
    else:
        tx.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])


def _copy(tx: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """COPY takes a third of the time that INSERT does."""
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
    driver: Any = tx.connection.driver_connection
    try:
        with driver.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except tx.dialect.loaded_dbapi.Error as error:
        base = tx.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(statement, None, error, base, dialect=tx.dialect) from error


# ------------------------------------------------------------------------------------------------------------ reading


def stream(tx: Connection, zone: Zone) -> Iterator[WireRrset]:
    """All rrsets but the SOA in canonical order, with the TTL that is served. Those without records are left out."""
    for _, rrset in stream_with_ids(tx, zone):
        yield rrset


def stream_with_ids(tx: Connection, zone: Zone) -> Iterator[tuple[str, WireRrset]]:
    columns = [rrsets.c[key] for key in ("id", "name", "name_key", "rrtype", "ttl")]
    of_zone = rrsets.c.zone_id == zone.id
    query = select(*columns).where(of_zone, rrsets.c.rrtype != SOA).order_by(rrsets.c.name_key, rrsets.c.rrtype)
    page = tx.execute(query.limit(PAGE)).all()
    while page:
        wires = _wires(tx, [row.id for row in page])
        for rrset_id, text, _, rrtype, ttl in page:
            if rrset_id in wires:
                served = zone.ttl if ttl is None else ttl
                yield rrset_id, WireRrset(name.from_text(text), rrtype, served, wires[rrset_id])
        last = page[-1]
        behind = and_(rrsets.c.name_key == last.name_key, rrsets.c.rrtype > last.rrtype)
        page = tx.execute(query.where(or_(rrsets.c.name_key > last.name_key, behind)).limit(PAGE)).all()


def _wires(tx: Connection, ids: Sequence[str]) -> dict[str, tuple[bytes, ...]]:
    query = select(records.c.rrset_id, records.c.wire).where(records.c.rrset_id.in_(ids))
    rows = tx.execute(query.order_by(records.c.rrset_id, records.c.position)).all()
    return {rrset_id: tuple(row[1] for row in group) for rrset_id, group in groupby(rows, lambda row: row[0])}


def children(tx: Connection, zone: Zone) -> frozenset[bytes]:
    """The keys of the zones of the same pool that lie below this one."""
    of_pool = zones.c.pool_id == zone.pool_id, zones.c.deleted == ALIVE
    query = select(zones.c.name_key).where(below(key_of(zone.name), zones.c.name_key), *of_pool)
    return frozenset(bytes(key) for key in tx.execute(query).scalars())


def at_places(tx: Connection, zone: Zone, places: Collection[tuple[bytes, int]]) -> list[WireRrset]:
    """The rrsets with these keys and types, as they are served."""
    types = {rrtype for _, rrtype in places}
    found = at_names(tx, zone, sorted({key for key, _ in places}), types)
    return [
        WireRrset(
            name.from_text(rrset.name),
            rrset.rrtype,
            zone.ttl if rrset.ttl is None else rrset.ttl,
            tuple(record.wire for record in rrset.records),
        )
        for rrset in found
    ]
