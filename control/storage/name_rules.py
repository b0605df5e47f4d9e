# SPDX-License-Identifier: Apache-2.0
"""What the tables say about a zone's name: TLDs, blacklists, and the zones of others above, below and at it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from control.model import Action
from control.storage.tables import ALIVE, blacklists, tlds, zones
from control.storage.zones import aside, below, key_end, keys_above

LIVING = aside(zones.c.deleted) == ALIVE
# Made once, as each new zone asks them.
ANY_TLD = select(tlds.c.id).limit(1)
PATTERNS = select(blacklists.c.pattern).order_by(blacklists.c.id)
OWNERS = select(zones.c.name_key, zones.c.project_id).where(
    zones.c.name_key.in_(bindparam("keys", expanding=True)), LIVING
)
OTHERS_BELOW = (
    select(zones.c.id)
    .where(zones.c.name_key > bindparam("key"), zones.c.name_key < bindparam("end"), LIVING)
    .where(aside(zones.c.project_id) != bindparam("project"))
    .limit(1)
)
COUNT = (
    select(func.count()).select_from(zones).where(zones.c.project_id == bindparam("project"), zones.c.deleted == ALIVE)
)


def has_tlds(tx: Connection) -> bool:
    return tx.execute(ANY_TLD).first() is not None


def tlds_among(tx: Connection, keys: Sequence[bytes]) -> set[bytes]:
    return set(tx.execute(select(tlds.c.name_key).where(tlds.c.name_key.in_(keys))).scalars())


def blacklist_patterns(tx: Connection) -> list[str]:
    return list(tx.execute(PATTERNS).scalars())


def owners(tx: Connection, key: bytes) -> tuple[set[str], set[str]]:
    """The projects that have a zone of this name, in whatever pool; and those that have the nearest zone above it."""
    found = [(bytes(at), project) for at, project in tx.execute(OWNERS, {"keys": [key, *keys_above(key)]})]
    nearest = max((len(at) for at, _ in found if at != key), default=0)
    return {project for at, project in found if at == key}, {project for at, project in found if len(at) == nearest}


def others_below(tx: Connection, key: bytes, project_id: str) -> bool:
    """True where another project has a zone below the name."""
    span = {"key": key, "end": key_end(key), "project": project_id}
    return tx.execute(OTHERS_BELOW, span).first() is not None


def has_zones_below(tx: Connection, key: bytes, pool_id: str) -> bool:
    """True where a zone of this pool lies below the name. Those in deletion don't count."""
    staying = LIVING, zones.c.action != Action.DELETE, aside(zones.c.pool_id) == pool_id
    return tx.execute(select(zones.c.id).where(below(key), *staying).limit(1)).first() is not None


def count_zones(tx: Connection, project_id: str) -> int:
    return int(tx.execute(COUNT, {"project": project_id}).scalar_one())
