# SPDX-License-Identifier: Apache-2.0
"""Lists of zones: who may see which, their filters and their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, false, func, select

from control.context import Scope
from control.model import Zone, ZoneType
from control.storage import filters
from control.storage.paging import PageRequest, paged
from control.storage.scoping import zones_shown
from control.storage.tables import ALIVE, shared_zones, zones
from control.storage.zones import COLUMNS as ZONE
from control.storage.zones import aside, fetch

# Sort key → column. tenant_id is what Designate calls a project.
COLUMNS = {
    **{key: zones.c[key] for key in ("created_at", "id", "updated_at", "name", "serial", "ttl", "status")},
    "tenant_id": zones.c.project_id,
}


def conditions(tx: Connection, project_id: str | None, wanted: Mapping[str, str]) -> list[Any]:
    """Those of zones that a project has or is shared, of all projects for None, which the filters let through."""
    by_name = "name" in wanted and filters.is_range(wanted["name"])
    place = aside if by_name else _as_it_is
    return [place(zones.c.deleted) == ALIVE, *_visible(tx, project_id, place), *_matching(wanted)]


def _as_it_is(column: Any) -> Any:
    return column


def _visible(tx: Connection, project_id: str | None, place: Callable[[Any], Any]) -> list[Any]:
    if project_id is None:
        return []
    shared = select(shared_zones.c.zone_id).where(shared_zones.c.target_project_id == project_id)
    mine = place(zones.c.project_id) == project_id
    # Without a share, which is what most have, the list is walked along the project's index.
    return [mine | zones.c.id.in_(shared) if tx.execute(shared.limit(1)).first() else mine]


def _matching(wanted: Mapping[str, str]) -> list[Any]:
    """ttl is a number."""
    if any("\0" in value for value in wanted.values()):
        return [false()]  # no database holds it
    alike = [key for key in ("type", "email", "status", "description") if key in wanted]
    found = [filters.text_is(zones.c[key], wanted[key]) for key in alike]
    if "name" in wanted:
        found.append(filters.name_is(zones.c.name, zones.c.name_key, wanted["name"]))
    if "ttl" in wanted:
        found.append(zones.c.ttl == int(wanted["ttl"]))
    return found


def no_catalogs() -> Any:
    return zones.c.type != ZoneType.CATALOG


def page_of(tx: Connection, conditions: list[Any], page: PageRequest) -> tuple[list[Zone], bool]:
    """The zones of a page, and whether there are more."""
    found = fetch(tx, paged(tx, select(*ZONE).where(*conditions), page, COLUMNS))
    return found[: page.limit], len(found) > page.limit


def count(tx: Connection, conditions: list[Any]) -> int:
    query = select(func.count()).select_from(zones).where(*conditions)
    return int(tx.execute(query).scalar_one())


def readable(scope: Scope) -> Any:
    """What a restricted token may read something of."""
    return zones_shown(scope, zones.c.name)
