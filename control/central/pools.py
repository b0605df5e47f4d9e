# SPDX-License-Identifier: Apache-2.0
"""Pools. New name servers of a pool are those of all its zones: each zone gets a change of its own, if it needs one.

The pool changes first, then zone by zone, each in its own transaction. Who is interrupted repeats the request: zones
that have the name servers already are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from control.central.core import Core
from control.central.zone_tasks import replace_name_servers
from control.central.zones import ns_records
from control.context import Context
from control.errors import Refused, refuse_if_any
from control.model import NS, NsRecord, Pool, Rrset, Zone
from control.rules.kept import ns_record_problems
from control.storage import kept, pools, rrsets, zones
from control.storage.change import begin, finish
from control.storage.database import unique
from control.storage.ids import new_id
from control.storage.pools import POOLS

BATCH = 500  # zones looked at in one transaction


def create(core: Core, ctx: Context, values: Mapping[str, Any], servers: Sequence[NsRecord]) -> Pool:
    core.policy.check(ctx, "create_pool")
    refuse_if_any(ns_record_problems(servers))
    row = {"id": new_id(), "created_at": core.clock(), **values}

    def work(tx: Connection) -> Pool:
        kept.add(tx, POOLS, row)
        pools.replace_ns_records(tx, row["id"], servers)
        return pools.get(tx, row["id"])

    return core.write(ctx, work)


def update(
    core: Core, ctx: Context, pool_id: str, values: Mapping[str, Any], servers: Sequence[NsRecord] | None
) -> Pool:
    """servers: all of them from now on; None: as they are."""
    core.policy.check(ctx, "update_pool")
    refuse_if_any(ns_record_problems(servers or ()))

    def work(tx: Connection) -> Pool:
        pool = kept.get(tx, POOLS, pool_id, locked=True)
        if servers is not None and not servers and pool.ns_records:
            raise Refused("last_server_delete_not_allowed", "a pool keeps at least one name server")
        return _store(core, tx, pool, values, servers)

    pool = core.write(ctx, work)
    if servers is not None and not ctx.dry_run:
        for zone in _zones_behind(core, pool):
            _follow(core, ctx, zone.id)
    return pool


def _store(
    core: Core, tx: Connection, pool: Pool, values: Mapping[str, Any], servers: Sequence[NsRecord] | None
) -> Pool:
    new_servers = servers is not None and set(servers) != set(pool.ns_records)
    if servers is not None and new_servers:
        pools.replace_ns_records(tx, pool.id, servers)
    if new_servers or any(getattr(pool, name) != value for name, value in values.items()):
        kept.alter(tx, POOLS, pool.id, {**values, "updated_at": core.clock()})
    return pools.get(tx, pool.id)


def delete(core: Core, ctx: Context, pool_id: str) -> None:
    """Refused invalid_operation while it has zones, those in deletion included."""
    core.policy.check(ctx, "delete_pool")
    message = "the pool has zones; delete them or move them to another pool first"

    def work(tx: Connection) -> None:
        kept.get(tx, POOLS, pool_id, locked=True)
        if pools.has_zones(tx, pool_id):
            raise Refused("invalid_operation", message)
        pools.forget_deleted_zones(tx, pool_id)
        with unique("invalid_operation", message):
            kept.remove(tx, POOLS, pool_id)

    core.write(ctx, work)


# --------------------------------------------------------------------------------------------------------- its zones


def _zones_behind(core: Core, pool: Pool) -> Iterator[Zone]:
    """The pool's zones whose apex names other servers than the pool has."""
    last, more = "", True
    while more:
        found, behind = core.db.read(partial(_look, pool=pool, last=last))
        yield from behind
        more = len(found) == BATCH
        last = found[-1].id if found else ""


def _look(tx: Connection, pool: Pool, last: str) -> tuple[list[Zone], list[Zone]]:
    """The next zones of the pool, and those of them that are behind."""
    found = pools.zones_after(tx, pool.id, last, BATCH)
    apexes = {rrset.zone_id: rrset for rrset in rrsets.apexes(tx, found, NS)}
    return found, [zone for zone in found if not _is_up_to_date(zone, apexes.get(zone.id), pool)]


def _is_up_to_date(zone: Zone, apex: Rrset | None, pool: Pool) -> bool:
    named = apex is not None and apex.records == ns_records(pool)
    return zone.deleting or (named and zone.mname == pool.ns_records[0].hostname)


def _follow(core: Core, ctx: Context, zone_id: str) -> None:
    """The zone names the servers that its pool has now, unless it is gone or does so already."""

    def work(tx: Connection) -> None:
        try:
            zone = zones.lock(tx, zone_id)
        except Refused:
            return
        pool = pools.get(tx, zone.pool_id)
        if _is_up_to_date(zone, rrsets.find(tx, zone, zone.name, NS), pool):
            return
        change = begin(zone, core.clock(), f"name servers of pool {pool.name}")
        change.set(mname=pool.ns_records[0].hostname)
        replace_name_servers(tx, change, zone, pool)
        finish(tx, change, ctx)

    core.db.write(work)
