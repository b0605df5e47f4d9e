# SPDX-License-Identifier: Apache-2.0
"""Zones shared with other projects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from control.errors import Refused
from control.storage.database import unique
from control.storage.paging import PageRequest, paged
from control.storage.tables import ALIVE, rrsets, shared_zones, zones
from control.storage.zones import aside, below


@dataclass(frozen=True, slots=True)
class Share:
    """project_id: who shared it; target_project_id: with whom."""

    id: str
    zone_id: str
    project_id: str
    target_project_id: str
    created_at: datetime
    updated_at: datetime | None


COLUMNS = {name: shared_zones.c[name] for name in Share.__slots__}


def add(tx: Connection, share: Share) -> None:
    """Refused duplicate_shared_zone where it is shared with that project already."""
    with unique("duplicate_shared_zone", "Duplicate Shared Zone"):
        tx.execute(insert(shared_zones).values(**asdict(share)))


def get(tx: Connection, zone_id: str, share_id: str) -> Share:
    query = select(*COLUMNS.values()).where(shared_zones.c.id == share_id, shared_zones.c.zone_id == zone_id)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise Refused("shared_zone_not_found", "Could not find Shared Zone")
    return Share(*row)


def page_of(tx: Connection, zone_id: str, target_project_id: str | None, page: PageRequest) -> tuple[list[Share], bool]:
    """The shares of a zone; with a target, those with that project."""
    query = select(*COLUMNS.values()).where(shared_zones.c.zone_id == zone_id)
    if target_project_id is not None:
        query = query.where(shared_zones.c.target_project_id == target_project_id)
    found = [Share(*row) for row in tx.execute(paged(tx, query, page, COLUMNS))]
    return found[: page.limit], len(found) > page.limit


def remove(tx: Connection, share_id: str) -> None:
    tx.execute(delete(shared_zones).where(shared_zones.c.id == share_id))


def has_any(tx: Connection, zone_id: str) -> bool:
    return _exists(tx, select(shared_zones.c.id).where(shared_zones.c.zone_id == zone_id))


def delete_all(tx: Connection, zone_id: str) -> None:
    tx.execute(delete(shared_zones).where(shared_zones.c.zone_id == zone_id))


def hand_over(tx: Connection, zone_id: str, project_id: str) -> None:
    """The zone's shares are its new owner's, who needs none for itself."""
    of_zone = shared_zones.c.zone_id == zone_id
    tx.execute(delete(shared_zones).where(of_zone, shared_zones.c.target_project_id == project_id))
    tx.execute(update(shared_zones).where(of_zone).values(project_id=project_id))


def owns_rrsets(tx: Connection, zone_id: str, project_id: str) -> bool:
    return _exists(tx, select(rrsets.c.id).where(rrsets.c.zone_id == zone_id, rrsets.c.project_id == project_id))


def owns_zones_below(tx: Connection, key: bytes, project_id: str) -> bool:
    theirs = aside(zones.c.project_id) == project_id, aside(zones.c.deleted) == ALIVE
    return _exists(tx, select(zones.c.id).where(below(key), *theirs))


def _exists(tx: Connection, query: Any) -> bool:
    return tx.execute(query.limit(1)).first() is not None
