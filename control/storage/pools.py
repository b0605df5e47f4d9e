# SPDX-License-Identifier: Apache-2.0
"""Pools and the name servers that the zones of a pool name at their apex."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from control.model import NsRecord, Pool, Zone, ZoneType
from control.storage import kept, zones
from control.storage.kept import Kept, names_of
from control.storage.tables import ALIVE, pool_ns_records, pools
from control.storage.tables import zones as zones_table


def _load(tx: Connection, rows: Sequence[Row[Any]]) -> list[Pool]:
    servers: dict[str, list[NsRecord]] = {row.id: [] for row in rows}
    for pool_id, hostname, priority in tx.execute(NS_RECORDS, {"pools": list(servers)}):
        servers[pool_id].append(NsRecord(hostname, priority))
    return [Pool(**row._mapping, ns_records=tuple(servers[row.id])) for row in rows]


COLUMNS = tuple(name for name in names_of(Pool) if name != "ns_records")
POOLS = Kept("pool", "pools", "Pool", pools, COLUMNS, _load)
# Made once, as each new zone asks it.
NS_RECORDS = (
    select(pool_ns_records.c.pool_id, pool_ns_records.c.hostname, pool_ns_records.c.priority)
    .where(pool_ns_records.c.pool_id.in_(bindparam("pools", expanding=True)))
    .order_by(pool_ns_records.c.priority, pool_ns_records.c.hostname)
)


def get(tx: Connection, pool_id: str) -> Pool:
    return kept.get(tx, POOLS, pool_id)


def with_attributes(tx: Connection) -> list[Pool]:
    """The pools that have attributes, the oldest first: what a zone's attributes are held against."""
    found = kept.everything(tx, POOLS)
    return sorted((pool for pool in found if pool.attributes), key=lambda pool: (pool.created_at, pool.id))


def ns_records(tx: Connection, pool_id: str) -> tuple[NsRecord, ...]:
    """By priority, then name: the first is the mname of the pool's zones."""
    return get(tx, pool_id).ns_records


def add_default(tx: Connection, pool_id: str, now: datetime, hostnames: Sequence[str]) -> None:
    """A pool with these name servers, where there is none at all."""
    if tx.execute(select(pools.c.id).limit(1)).first() is not None:
        return
    tx.execute(insert(pools).values(id=pool_id, name="default", attributes={}, created_at=now))
    for hostname in hostnames:
        tx.execute(insert(pool_ns_records).values(pool_id=pool_id, hostname=hostname, priority=1))


def replace_ns_records(tx: Connection, pool_id: str, servers: Sequence[NsRecord]) -> None:
    tx.execute(delete(pool_ns_records).where(pool_ns_records.c.pool_id == pool_id))
    rows = [{"pool_id": pool_id, "hostname": one.hostname, "priority": one.priority} for one in servers]
    if rows:
        tx.execute(insert(pool_ns_records), rows)


# ------------------------------------------------------------------------------------------------------- its zones


def has_zones(tx: Connection, pool_id: str) -> bool:
    mine = zones_table.c.pool_id == pool_id, zones_table.c.deleted == ALIVE
    return tx.execute(select(zones_table.c.id).where(*mine).limit(1)).first() is not None


def zones_after(tx: Connection, pool_id: str, zone_id: str, limit: int) -> list[Zone]:
    """The next zones of the pool, by id, that have the pool's name servers at their apex."""
    mine = zones_table.c.pool_id == pool_id, zones_table.c.id > zone_id, zones_table.c.type == ZoneType.PRIMARY
    return zones.fetch(tx, zones.alive().where(*mine).order_by(zones_table.c.id).limit(limit))


def forget_deleted_zones(tx: Connection, pool_id: str) -> None:
    """Purges the pool's zones that are deleted, so that it can be removed."""
    gone = zones_table.c.pool_id == pool_id, zones_table.c.deleted != ALIVE
    tx.execute(delete(zones_table).where(*gone))
