# SPDX-License-Identifier: Apache-2.0
"""Pools and the name servers that the zones of a pool name at their apex."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from control.errors import Refused
from control.model import NsRecord, Pool
from control.storage.tables import pool_ns_records, pools

COLUMNS = [pools.c[name] for name in Pool.__slots__ if name != "ns_records"]


def get(tx: Connection, pool_id: str) -> Pool:
    row = tx.execute(select(*COLUMNS).where(pools.c.id == pool_id)).one_or_none()
    if row is None:
        raise Refused("pool_not_found", "Could not find Pool")
    return from_row(tx, row)


def with_attributes(tx: Connection) -> list[Pool]:
    """The pools that have attributes, the oldest first: what a zone's attributes are held against."""
    rows = tx.execute(select(*COLUMNS).order_by(pools.c.created_at, pools.c.id)).all()
    return [from_row(tx, row) for row in rows if row.attributes]


def from_row(tx: Connection, row: Row[Any]) -> Pool:
    return Pool(**row._mapping, ns_records=ns_records(tx, row.id))


def ns_records(tx: Connection, pool_id: str) -> tuple[NsRecord, ...]:
    """By priority, then name: the first is the mname of the pool's zones."""
    table = pool_ns_records.c
    query = select(table.hostname, table.priority).where(table.pool_id == pool_id)
    return tuple(NsRecord(*row) for row in tx.execute(query.order_by(table.priority, table.hostname)))


def add_default(tx: Connection, pool_id: str, now: datetime, hostnames: Sequence[str]) -> None:
    """A pool with these name servers, where there is none at all."""
    if tx.execute(select(pools.c.id).limit(1)).first() is not None:
        return
    tx.execute(insert(pools).values(id=pool_id, name="default", attributes={}, created_at=now))
    for hostname in hostnames:
        tx.execute(insert(pool_ns_records).values(pool_id=pool_id, hostname=hostname, priority=1))
