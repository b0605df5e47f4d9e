# SPDX-License-Identifier: Apache-2.0
"""A zone goes to another project: its owner asks for that and gets a key, who has the key accepts.

The key is a secret: it is shown to the request's owner alone, and compared in constant time.
"""

from __future__ import annotations

import hmac
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from control.central.core import Core, check_scope, zone_for
from control.central.projects import check_known
from control.central.zones import check_zone_quota, project_of, refuse_deleting
from control.context import Context
from control.errors import Refused
from control.model import Zone, ZoneType
from control.storage import rrsets, shares, transfers, zones
from control.storage.ids import new_id
from control.storage.paging import PageRequest
from control.storage.transfers import TransferAccept, TransferRequest, TransferStatus

KEY_OCTETS = string.ascii_uppercase + string.digits
KEY_SIZE = 8


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """detailed: whether the caller may see the key and the projects."""

    request: TransferRequest
    detailed: bool


def create_request(
    core: Core, ctx: Context, zone_id: str, target_project_id: str | None, description: str | None
) -> ShownRequest:
    def work(tx: Connection) -> ShownRequest:
        zone = zone_for(core, tx, ctx, zone_id, "create_zone_transfer_request", locked=True)
        check_scope(ctx, "update", zone.name)
        refuse_deleting(zone)
        if zone.type is ZoneType.CATALOG:
            raise Refused("forbidden", "a catalog zone can't be transferred")
        check_known(core, tx, target_project_id)
        request = TransferRequest(
            id=new_id(),
            zone_id=zone.id,
            project_id=zone.project_id,
            target_project_id=target_project_id,
            key="".join(secrets.choice(KEY_OCTETS) for _ in range(KEY_SIZE)),
            description=description,
            status=TransferStatus.ACTIVE,
            created_at=core.clock(),
            updated_at=None,
            zone_name=zone.name,
        )
        transfers.add_request(tx, request)
        return ShownRequest(request, True)

    return core.write(ctx, work)


def get_request(core: Core, ctx: Context, request_id: str) -> ShownRequest:
    return core.db.read(lambda tx: _shown(core, ctx, _visible(core, tx, ctx, request_id)))


def requests_page(core: Core, ctx: Context, status: str | None, page: PageRequest) -> tuple[list[ShownRequest], bool]:
    """Those of the caller's project, and those meant for it."""
    core.policy.check(ctx, "find_zone_transfer_requests")
    project_id = None if ctx.all_projects else ctx.project_id or ""
    found, more = core.db.read(lambda tx: transfers.requests_page(tx, project_id, status, page))
    return [_shown(core, ctx, request) for request in found], more


def update_request(core: Core, ctx: Context, request_id: str, wanted: Mapping[str, Any]) -> ShownRequest:
    """wanted: description, and target_project_id as long as there is none."""

    def work(tx: Connection) -> ShownRequest:
        request = _own(core, tx, ctx, request_id, "update_zone_transfer_request")
        new = {key: value for key, value in wanted.items() if value != getattr(request, key)}
        if "zone_id" in new:
            raise Refused("invalid_operation", "a request can't be for another zone")
        if "target_project_id" in new and request.target_project_id is not None:
            raise Refused("invalid_operation", "the target project of a request can't be changed once it is set")
        check_known(core, tx, new.get("target_project_id"))
        if new:
            new["updated_at"] = core.clock()
            transfers.update_request(tx, request_id, new)
        return _shown(core, ctx, replace(request, **new))

    return core.write(ctx, work)


def delete_request(core: Core, ctx: Context, request_id: str) -> None:
    def work(tx: Connection) -> None:
        _own(core, tx, ctx, request_id, "delete_zone_transfer_request")
        transfers.remove_request(tx, request_id)

    core.write(ctx, work)


def _visible(core: Core, tx: Connection, ctx: Context, request_id: str, *, locked: bool = False) -> TransferRequest:
    """Others don't learn that there is one."""
    request = transfers.request(tx, request_id, locked=locked)
    if not core.policy.allows(ctx, "get_zone_transfer_request", **_facts(request)):
        raise Refused("zone_transfer_request_not_found", "Could not find ZoneTransferRequest")
    return request


def _own(core: Core, tx: Connection, ctx: Context, request_id: str, rule: str) -> TransferRequest:
    request = _visible(core, tx, ctx, request_id, locked=True)
    core.policy.check(ctx, rule, **_facts(request))
    check_scope(ctx, "update", request.zone_name)
    return request


def _facts(request: TransferRequest) -> dict[str, str | None]:
    return {"project_id": request.project_id, "target_project_id": request.target_project_id}


def _shown(core: Core, ctx: Context, request: TransferRequest) -> ShownRequest:
    return ShownRequest(request, core.policy.allows(ctx, "get_zone_transfer_request_detailed", **_facts(request)))


# ----------------------------------------------------------------------------------------------------------- accepted


def accept(core: Core, ctx: Context, request_id: str, key: str) -> TransferAccept:
    """Moves the zone with all its rrsets to the caller's project."""

    def work(tx: Connection) -> TransferAccept:
        project_id = project_of(ctx)
        zone = zones.lock(tx, transfers.request(tx, request_id).zone_id)
        request = transfers.request(tx, request_id, locked=True)
        _check_accept(core, ctx, request, key, project_id)
        refuse_deleting(zone)
        check_zone_quota(core, tx, project_id)
        _hand_over(core, tx, zone, project_id)
        now = core.clock()
        transfers.update_request(tx, request_id, {"status": TransferStatus.COMPLETE, "updated_at": now})
        accepted = TransferAccept(new_id(), zone.id, request_id, project_id, TransferStatus.COMPLETE, now, None)
        transfers.add_accept(tx, accepted)
        return accepted

    return core.write(ctx, work)


def _check_accept(core: Core, ctx: Context, request: TransferRequest, key: str, project_id: str) -> None:
    core.policy.check(ctx, "create_zone_transfer_accept", **_facts(request))
    core.policy.check(ctx, "create_zone", project_id=project_id)  # who gets one must be somebody who may have one
    check_scope(ctx, "create", request.zone_name)
    if request.status != TransferStatus.ACTIVE or request.project_id == project_id:
        raise Refused("invalid_zone_transfer_request", "Zone Transfer Request does not exist or is not active")
    if not hmac.compare_digest(request.key.encode(), key.encode()):
        raise Refused("invalid_key", "Key does not match stored key for Zone Transfer Request")


def _hand_over(core: Core, tx: Connection, zone: Zone, project_id: str) -> None:
    zones.amend(tx, zone, core.clock(), project_id=project_id)
    rrsets.hand_over(tx, zone.id, project_id)
    shares.hand_over(tx, zone.id, project_id)


def get_accept(core: Core, ctx: Context, accept_id: str) -> TransferAccept:
    def work(tx: Connection) -> TransferAccept:
        accepted = transfers.accept(tx, accept_id)
        if accepted.project_id != ctx.project_id and not ctx.all_projects:
            raise Refused("zone_transfer_accept_not_found", "Could not find ZoneTransferAccept")
        core.policy.check(ctx, "get_zone_transfer_accept", project_id=accepted.project_id)
        return accepted

    return core.db.read(work)


@dataclass(frozen=True, slots=True)
class Accepts:
    accepts: list[TransferAccept]
    more: bool
    total: int | None


def accepts_page(core: Core, ctx: Context, status: str | None, page: PageRequest) -> Accepts:
    core.policy.check(ctx, "find_zone_transfer_accepts")
    project_id = None if ctx.all_projects else ctx.project_id or ""

    def work(tx: Connection) -> Accepts:
        found, more = transfers.accepts_page(tx, project_id, status, page)
        return Accepts(found, more, None if ctx.hide_counts else transfers.count_accepts(tx, project_id, status))

    return core.db.read(work)
