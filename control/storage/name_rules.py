# SPDX-License-Identifier: Apache-2.0
"""What the tables say about a zone's name: TLDs, blacklists, and the zones of others above, below and at it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from control.model import Action
from control.storage.tables import ALIVE, blacklists, tlds, zones
from control.storage.zones import aside, below, keys_above


def has_tlds(tx: Connection) -> bool:
    return tx.execute(select(tlds.c.id).limit(1)).first() is not None


def tlds_among(tx: Connection, keys: Sequence[bytes]) -> set[bytes]:
    return set(tx.execute(select(tlds.c.name_key).where(tlds.c.name_key.in_(keys))).scalars())


def blacklist_patterns(tx: Connection) -> list[str]:
    return list(tx.execute(select(blacklists.c.pattern).order_by(blacklists.c.id)).scalars())


LIVING = aside(zones.c.deleted) == ALIVE


def owners_at(tx: Connection, key: bytes) -> set[str]:
    """The projects that have a zone of this name, in whatever pool."""
    return set(tx.execute(select(zones.c.project_id).where(zones.c.name_key == key, LIVING)).scalars())


def owners_above(tx: Connection, key: bytes) -> set[str]:
    """The projects that have the nearest zone above the name; none where nothing is above it."""
    query = select(zones.c.name_key, zones.c.project_id).where(zones.c.name_key.in_(keys_above(key)), LIVING)
    found = tx.execute(query).all()
    nearest = max((len(row.name_key) for row in found), default=0)
    return {row.project_id for row in found if len(row.name_key) == nearest}


def others_below(tx: Connection, key: bytes, project_id: str) -> bool:
    """True where another project has a zone below the name."""
    others = aside(zones.c.project_id) != project_id
    return tx.execute(select(zones.c.id).where(below(key), LIVING, others).limit(1)).first() is not None


def has_zones_below(tx: Connection, key: bytes, pool_id: str) -> bool:
    """True where a zone of this pool lies below the name. Those in deletion don't count."""
    staying = LIVING, zones.c.action != Action.DELETE, aside(zones.c.pool_id) == pool_id
    return tx.execute(select(zones.c.id).where(below(key), *staying).limit(1)).first() is not None


def count_zones(tx: Connection, project_id: str) -> int:
    mine = zones.c.project_id == project_id, zones.c.deleted == ALIVE
    return int(tx.execute(select(func.count()).select_from(zones).where(*mine)).scalar_one())
