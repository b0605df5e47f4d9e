# SPDX-License-Identifier: Apache-2.0
"""How much there is in all, and of whom: sums over the zones' rows, so they cost one walk of one table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, null, select

from control.storage.tables import ALIVE, zones

_LIVING = zones.c.deleted == ALIVE
# Report → what it counts. No change waits for its NOTIFY to be let out, so none is delayed.
COUNTS = {
    "zones": func.count(zones.c.id),
    "records": func.coalesce(func.sum(zones.c.record_count), 0),
    "tenants": func.count(zones.c.project_id.distinct()),
    "zones_delayed_notify": func.count(null()),
}


def counts(tx: Connection, names: Sequence[str]) -> dict[str, int]:
    row = tx.execute(select(*(COUNTS[name].label(name) for name in names)).where(_LIVING)).one()
    return {name: int(value) for name, value in zip(names, row, strict=True)}


def projects(tx: Connection) -> list[tuple[str, int]]:
    """Every project that has zones, and how many."""
    query = select(zones.c.project_id, func.count(zones.c.id)).where(_LIVING).group_by(zones.c.project_id)
    return [(project_id, count) for project_id, count in tx.execute(query.order_by(zones.c.project_id))]


def zone_names(tx: Connection, project_id: str) -> list[str]:
    query = select(zones.c.name).where(_LIVING, zones.c.project_id == project_id)
    return list(tx.execute(query.order_by(zones.c.name_key)).scalars())
