# SPDX-License-Identifier: Apache-2.0
"""Zones: rows in, Zone out. Only change.py alters a zone's records, serial or state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, select, update

from control.errors import Refused
from control.model import Action, Master, Status, Zone, ZoneExtras, ZoneType
from control.names import keys_above as keys_above
from control.storage.tables import (
    ALIVE,
    outbox,
    rrsets,
    shared_zones,
    transfer_requests,
    zone_attributes,
    zone_masters,
    zones,
)

COLUMNS = [zones.c[name] for name in Zone.__slots__]


def alive() -> Select[Any]:
    """All zones that are not deleted; those in deletion are."""
    return select(*COLUMNS).where(zones.c.deleted == ALIVE)


# What every change asks and does. Such statements are made once: to make one costs more than to execute it.
GET = alive().where(zones.c.id == bindparam("zone"))
LOCK = GET.with_for_update()
UPDATE = update(zones).where(zones.c.id == bindparam("zone"))
INSERT = insert(zones)
INSERT_ATTRIBUTES, INSERT_MASTERS = insert(zone_attributes), insert(zone_masters)
IS_SHARED = (
    select(shared_zones.c.id)
    .where(shared_zones.c.zone_id == bindparam("zone"), shared_zones.c.target_project_id == bindparam("project"))
    .limit(1)
)


def from_row(row: Row[Any]) -> Zone:
    values = row._mapping
    return Zone(
        **{
            **values,
            "type": ZoneType(values["type"]),
            "action": Action(values["action"]),
            "status": Status(values["status"]),
        }
    )


def get(tx: Connection, zone_id: str) -> Zone:
    """Refused zone_not_found where there is none, or where it is deleted."""
    return _one(tx, GET, zone_id)


def lock(tx: Connection, zone_id: str) -> Zone:
    """The zone, held until the transaction's end: who changes it next waits here."""
    return _one(tx, LOCK, zone_id)


def _one(tx: Connection, query: Select[Any], zone_id: str) -> Zone:
    row = tx.execute(query, {"zone": zone_id}).one_or_none()
    if row is None:
        raise Refused("zone_not_found", "Could not find Zone")
    return from_row(row)


def fetch(tx: Connection, query: Select[Any]) -> list[Zone]:
    return [from_row(row) for row in tx.execute(query)]


def insert_zone(tx: Connection, values: Mapping[str, Any]) -> None:
    tx.execute(INSERT, values)


def update_zone(tx: Connection, zone_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(UPDATE, {"zone": zone_id, **values})


def amend(tx: Connection, zone: Zone, now: datetime, **columns: Any) -> Zone:
    """New values of columns that no name server sees. It counts as a version; the serial stays."""
    values = {**columns, "version": zone.version + 1, "updated_at": now}
    update_zone(tx, zone.id, values)
    return replace(zone, **values)


def mark_deleted(tx: Connection, zone_id: str, now: datetime) -> None:
    """The name may be used again; the row and its journal stay until they are purged, its rrsets go at once."""
    tx.execute(delete(rrsets).where(rrsets.c.zone_id == zone_id))  # and with them their records
    for table in (shared_zones, transfer_requests, outbox):
        tx.execute(delete(table).where(table.c.zone_id == zone_id))
    gone = {"deleted": zone_id, "deleted_at": now, "action": Action.NONE, "status": Status.DELETED, "updated_at": now}
    update_zone(tx, zone_id, gone)


# --------------------------------------------------------------------------------------------- what hangs on a zone


def extras(tx: Connection, found: Sequence[Zone]) -> dict[str, ZoneExtras]:
    """Attributes, masters and whether it is shared, of many zones with three queries."""
    ids = [zone.id for zone in found]
    secondary = [zone.id for zone in found if zone.type is ZoneType.SECONDARY]
    attributes: dict[str, dict[str, str]] = {zone_id: {} for zone_id in ids}
    masters: dict[str, list[Master]] = {zone_id: [] for zone_id in ids}
    for zone_id, key, value in _children(tx, zone_attributes, ("key", "value"), ids, "key"):
        attributes[zone_id][key] = value
    for zone_id, host, port in _children(tx, zone_masters, ("host", "port"), secondary, "position"):
        masters[zone_id].append(Master(host, port))
    shared = {zone_id for (zone_id,) in _children(tx, shared_zones, (), ids, "id")}
    return {zone_id: ZoneExtras(attributes[zone_id], tuple(masters[zone_id]), zone_id in shared) for zone_id in ids}


def _children(tx: Connection, table: Any, names: Sequence[str], ids: Sequence[str], order: str) -> Iterable[Any]:
    if not ids:
        return ()
    wanted = select(table.c.zone_id, *(table.c[name] for name in names))
    return tx.execute(wanted.where(table.c.zone_id.in_(ids)).order_by(table.c.zone_id, table.c[order]))


def is_shared_with(tx: Connection, zone_id: str, project_id: str | None) -> bool:
    return (
        project_id is not None and tx.execute(IS_SHARED, {"zone": zone_id, "project": project_id}).first() is not None
    )


def replace_attributes(tx: Connection, zone_id: str, attributes: Mapping[str, str]) -> None:
    tx.execute(delete(zone_attributes).where(zone_attributes.c.zone_id == zone_id))
    insert_attributes(tx, zone_id, attributes)


def insert_attributes(tx: Connection, zone_id: str, attributes: Mapping[str, str]) -> None:
    if attributes:
        rows = [{"zone_id": zone_id, "key": key, "value": value} for key, value in attributes.items()]
        tx.execute(INSERT_ATTRIBUTES, rows)


def replace_masters(tx: Connection, zone_id: str, masters: Sequence[Master]) -> None:
    tx.execute(delete(zone_masters).where(zone_masters.c.zone_id == zone_id))
    insert_masters(tx, zone_id, masters)


def insert_masters(tx: Connection, zone_id: str, masters: Sequence[Master]) -> None:
    if masters:
        rows = [
            {"zone_id": zone_id, "position": position, "host": master.host, "port": master.port}
            for position, master in enumerate(masters)
        ]
        tx.execute(INSERT_MASTERS, rows)


# ------------------------------------------------------------------------------------------------------ by their names


def aside(column: Any) -> Any:
    """The column, but so that no index is entered by it.

    For conditions beside one on a name, which leaves few rows. Without it SQLite, and the others where a list is cut
    to a page, would rather walk all zones of a project, or of everyone, along an index that has them in order.
    """
    return column.concat("")


def below(key: bytes, column: Any = zones.c.name_key) -> Any:
    """The condition that a zone lies below the name of this key (the name itself not included)."""
    return (column > key) & (column < key_end(key))


def key_end(key: bytes) -> bytes:
    """The first key behind all names below this one. A key ends with 0, the end of its label."""
    return key[:-1] + b"\x01" if key else b"\xff" * 2
