# SPDX-License-Identifier: Apache-2.0
"""What can be done with a zone as a whole: transferred anew, given up, moved to another pool."""

from __future__ import annotations

from sqlalchemy import Connection

from control.central import scheduler
from control.central.core import Core, check_scope, zone_for
from control.central.zones import ns_records, refuse_deleting
from control.context import Context
from control.errors import Refused
from control.model import NS, Pool, Zone, ZoneType
from control.storage import rrsets, zones
from control.storage.change import Change, Task, ask, begin, finish
from control.storage.database import unique


def transfer_in(core: Core, ctx: Context, zone_id: str) -> None:
    """Asks for a transfer of a SECONDARY zone, whatever its serial."""

    def work(tx: Connection) -> None:
        zone = zone_for(core, tx, ctx, zone_id, "xfr_zone", locked=True)
        check_scope(ctx, "update", zone.name)
        refuse_deleting(zone)
        if zone.type is not ZoneType.SECONDARY:
            raise Refused("bad_request", "Can't XFR a non Secondary zone")
        ask(tx, zone, Task.TRANSFER_IN, core.clock(), ctx)

    core.write(ctx, work)


def abandon(core: Core, ctx: Context, zone_id: str) -> None:
    """The zone is gone from here at once; what name servers have of it stays there."""

    def work(tx: Connection) -> None:
        zone = zone_for(core, tx, ctx, zone_id, "abandon_zone", locked=True)
        check_scope(ctx, "delete", zone.name)
        zones.mark_deleted(tx, zone.id, core.clock())

    core.write(ctx, work)


def move(core: Core, ctx: Context, zone_id: str, pool_id: str | None) -> None:
    """To another pool, the one that the zone's attributes ask for where none is named.

    The task tells from where (moved_from), so that the old pool's name servers can be rid of the zone.
    """

    def work(tx: Connection) -> None:
        zone = zone_for(core, tx, ctx, zone_id, "pool_move_zone", locked=True)
        check_scope(ctx, "update", zone.name)
        refuse_deleting(zone)
        pool = _target(core, tx, ctx, zone, pool_id)
        change = begin(zone, core.clock(), f"moved to pool {pool.name}")
        with unique("duplicate_zone", f"the pool {pool.name} has a zone of this name"):
            zones.update_zone(tx, zone.id, {"pool_id": pool.id})
        change.set(pool_id=pool.id, mname=pool.ns_records[0].hostname)
        change.touch()
        if zone.type is ZoneType.PRIMARY:
            replace_name_servers(tx, change, zone, pool)
        finish(tx, change, ctx, moved_from=zone.pool_id)

    core.write(ctx, work)


def _target(core: Core, tx: Connection, ctx: Context, zone: Zone, pool_id: str | None) -> Pool:
    attributes = zones.extras(tx, [zone])[zone.id].attributes
    pool = scheduler.pool_for(core, tx, ctx, attributes, pool_id)
    if pool.id == zone.pool_id:
        raise Refused("bad_request", f"the zone is in pool {pool.name} already")
    return pool


def replace_name_servers(tx: Connection, change: Change, zone: Zone, pool: Pool) -> None:
    """The apex NS rrset names the pool's name servers from now on."""
    old = rrsets.find(tx, zone, zone.name, NS)
    if old is not None:
        rrsets.update_rrset(tx, change, old, rrsets.changed(change, old, records=ns_records(pool)))
