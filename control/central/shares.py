# SPDX-License-Identifier: Apache-2.0
"""Zones shared with another project: its members may see the zone and keep recordsets of their own in it."""

from __future__ import annotations

from sqlalchemy import Connection

from control.central.core import Core, check_scope, zone_for
from control.central.projects import check_known
from control.central.zones import refuse_deleting
from control.context import Context
from control.errors import Refused
from control.model import Zone, ZoneType
from control.names import key_of
from control.storage import shares
from control.storage.ids import new_id
from control.storage.paging import PageRequest
from control.storage.shares import Share


def create(core: Core, ctx: Context, zone_id: str, target_project_id: str) -> Share:
    def work(tx: Connection) -> Share:
        zone = zone_for(core, tx, ctx, zone_id, "share_zone", locked=True)
        check_scope(ctx, "update", zone.name)
        _check_sharable(zone, target_project_id)
        check_known(core, tx, target_project_id)
        share = Share(
            id=new_id(),
            zone_id=zone.id,
            project_id=ctx.project_id or zone.project_id,
            target_project_id=target_project_id,
            created_at=core.clock(),
            updated_at=None,
        )
        shares.add(tx, share)
        return share

    return core.write(ctx, work)


def _check_sharable(zone: Zone, target_project_id: str) -> None:
    refuse_deleting(zone)
    if zone.type is ZoneType.CATALOG:
        raise Refused("forbidden", "a catalog zone can't be shared")
    if target_project_id == zone.project_id:
        raise Refused("bad_request", "Cannot share the zone with the zone owner.")


def get(core: Core, ctx: Context, zone_id: str, share_id: str) -> Share:
    def work(tx: Connection) -> Share:
        zone = zone_for(core, tx, ctx, zone_id, "get_zone_share")
        return shares.get(tx, zone.id, share_id)

    return core.db.read(work)


def page_of(
    core: Core, ctx: Context, zone_id: str, target_project_id: str | None, page: PageRequest
) -> tuple[list[Share], bool]:
    """All shares for the zone's owner; for another project, those that are with it."""

    def work(tx: Connection) -> tuple[list[Share], bool]:
        zone = zone_for(core, tx, ctx, zone_id, "find_zone_shares")
        owns = core.policy.allows(ctx, "find_project_zone_share", project_id=zone.project_id)
        target = target_project_id
        if not owns:
            core.policy.check(ctx, "find_project_zone_share", project_id=ctx.project_id)
            if target not in (None, ctx.project_id):
                return [], False
            target = ctx.project_id
        return shares.page_of(tx, zone.id, target, page)

    return core.db.read(work)


def delete(core: Core, ctx: Context, zone_id: str, share_id: str) -> None:
    """Refused where the other project still has recordsets in the zone, or zones below it."""

    def work(tx: Connection) -> None:
        zone = zone_for(core, tx, ctx, zone_id, "unshare_zone", locked=True)
        check_scope(ctx, "update", zone.name)
        share = shares.get(tx, zone.id, share_id)
        if shares.owns_zones_below(tx, key_of(zone.name), share.target_project_id):
            raise Refused("shared_zone_has_sub_zone", f"project {share.target_project_id} has zones below this one")
        if shares.owns_rrsets(tx, zone.id, share.target_project_id):
            raise Refused("shared_zone_has_recordsets", f"project {share.target_project_id} has recordsets in it")
        shares.remove(tx, share.id)

    core.write(ctx, work)
