# SPDX-License-Identifier: Apache-2.0
"""Which PTR rrset is a floating IP's. A row goes with its rrset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from control.model import Action, Rrset, Zone, ZoneType
from control.names import keys_above
from control.storage import rrsets, zones
from control.storage.tables import floatingip_ptrs
from control.storage.tables import rrsets as rrsets_table
from control.storage.tables import zones as zones_table


@dataclass(frozen=True, slots=True)
class Ptr:
    """project_id: who had the floating IP when the record was set."""

    region: str
    floatingip_id: str
    address: str
    project_id: str
    rrset_id: str


COLUMNS = [floatingip_ptrs.c[field.name] for field in fields(Ptr)]


def of_project(tx: Connection, project_id: str) -> list[Ptr]:
    return _fetch(tx, floatingip_ptrs.c.project_id == project_id)


def of_ids(tx: Connection, ids: Iterable[str]) -> list[Ptr]:
    """Those of floating IPs, whosever they were."""
    return _fetch(tx, floatingip_ptrs.c.floatingip_id.in_(list(ids)))


def _fetch(tx: Connection, condition: Any) -> list[Ptr]:
    return [Ptr(*row) for row in tx.execute(select(*COLUMNS).where(condition))]


def put(tx: Connection, ptr: Ptr) -> None:
    """The rrset is this floating IP's from now on, and no other's."""
    mine = (floatingip_ptrs.c.region == ptr.region) & (floatingip_ptrs.c.floatingip_id == ptr.floatingip_id)
    tx.execute(delete(floatingip_ptrs).where(mine | (floatingip_ptrs.c.rrset_id == ptr.rrset_id)))
    tx.execute(insert(floatingip_ptrs).values(**asdict(ptr)))


def records_of(tx: Connection, ptrs: Iterable[Ptr]) -> dict[str, tuple[Rrset, Zone]]:
    """Rrset id → the rrset and its zone."""
    ids = [ptr.rrset_id for ptr in ptrs]
    found = rrsets.fetch(tx, rrsets.everything().where(rrsets_table.c.id.in_(ids)))
    of_these = zones_table.c.id.in_({rrset.zone_id for rrset in found})
    by_id = {zone.id: zone for zone in zones.fetch(tx, zones.alive().where(of_these))}
    return {rrset.id: (rrset, by_id[rrset.zone_id]) for rrset in found if rrset.zone_id in by_id}


def zone_above(tx: Connection, key: bytes, project_id: str) -> Zone | None:
    """The nearest zone of the project that the name can be in."""
    mine = zones_table.c.project_id == project_id, zones_table.c.type == ZoneType.PRIMARY
    staying = zones_table.c.action != Action.DELETE
    found = zones.fetch(tx, zones.alive().where(zones_table.c.name_key.in_(keys_above(key)), *mine, staying))
    return max(found, key=lambda zone: len(zone.name), default=None)
