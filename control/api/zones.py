# SPDX-License-Identifier: Apache-2.0
"""/v2/zones: zones and their name servers."""

from __future__ import annotations

from typing import Any

from control.api import etags
from control.api.call import Call
from control.api.operations import Reply, operation
from control.api.render import timestamp
from control.api.schemas.zones import ZoneAnswer, ZoneCreate
from control.central import zones
from control.errors import refuse_if_any
from control.model import Status, Zone, ZoneExtras, ZoneType
from control.rules.zone_fields import master_text, masters


@operation("POST", "/v2/zones", body=ZoneCreate, answers={202: ZoneAnswer})
def create_zone(call: Call) -> Reply:
    """Create a zone."""
    body = call.parsed(ZoneCreate)
    found, problems = masters(body.masters or [])
    refuse_if_any(problems)
    wanted = zones.NewZone(
        name=body.name,
        type=ZoneType(body.type),
        email=body.email,
        ttl=body.ttl,
        description=body.description,
        masters=found,
        attributes=body.attributes or {},
    )
    zone, extras = zones.create(call.core, call.ctx, wanted)
    return _reply(call, zone, extras, {"Location": call.url(f"/v2/zones/{zone.id}")})


@operation("GET", "/v2/zones/<zone_id>", answers={200: ZoneAnswer})
def get_zone(call: Call) -> Reply:
    """Show a zone."""
    zone, extras = zones.get(call.core, call.ctx, call.path["zone_id"])
    return etags.unless_seen(call.request, tag_of(zone, extras), render(call, zone, extras))


def _reply(call: Call, zone: Zone, extras: ZoneExtras, headers: dict[str, str] | None = None) -> Reply:
    """202 as long as name servers don't have it yet."""
    status = 202 if zone.status is Status.PENDING else 200
    return Reply(render(call, zone, extras), status, {"ETag": tag_of(zone, extras), **(headers or {})})


def tag_of(zone: Zone, extras: ZoneExtras) -> str:
    return etags.etag(zone.version, zone.action, zone.status, "s" if extras.shared else "")


def render(call: Call, zone: Zone, extras: ZoneExtras) -> dict[str, Any]:
    return {
        "id": zone.id,
        "pool_id": zone.pool_id,
        "project_id": zone.project_id,
        "name": zone.name,
        "email": zone.email,
        "description": zone.description,
        "ttl": zone.ttl,
        "serial": zone.serial,
        "shared": extras.shared,
        "status": zone.status,
        "action": zone.action,
        "version": zone.version,
        "attributes": dict(extras.attributes),
        "type": zone.type,
        "masters": [master_text(master) for master in extras.masters],
        "created_at": timestamp(zone.created_at),
        "updated_at": timestamp(zone.updated_at),
        "transferred_at": timestamp(zone.transferred_at),
        "links": {"self": call.url(f"/v2/zones/{zone.id}")},
    }
