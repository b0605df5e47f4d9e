# SPDX-License-Identifier: Apache-2.0
"""/v2/zones: zones and their name servers."""

from __future__ import annotations

from typing import Any

from control.api import etags
from control.api.call import Call
from control.api.operations import ListSpec, Reply, operation
from control.api.render import timestamp
from control.api.schemas.zones import NameServers, ZoneAnswer, ZoneCreate, ZoneList, ZonePatch
from control.central import zones
from control.errors import Refused
from control.model import Status, Zone, ZoneExtras, ZoneType
from control.rules.zone_fields import master_text

ZONES = ListSpec(
    filters=("name", "type", "email", "status", "description", "ttl"),
    sort_keys=("created_at", "id", "updated_at", "name", "tenant_id", "serial", "ttl", "status"),
    counted=True,
)


@operation("POST", "/v2/zones", body=ZoneCreate, answers={202: ZoneAnswer})
def create_zone(call: Call) -> Reply:
    """Create a zone."""
    body = call.parsed(ZoneCreate)
    wanted = zones.NewZone(
        name=body.name,
        type=ZoneType(body.type),
        email=body.email,
        ttl=body.ttl,
        description=body.description,
        masters=body.masters or (),
        attributes=body.attributes or {},
        pool_id=body.pool_id,
    )
    zone, extras = zones.create(call.core, call.ctx, wanted)
    location = {} if call.ctx.dry_run else {"Location": call.url(f"/v2/zones/{zone.id}")}
    return _reply(call, zone, extras, location)


@operation("GET", "/v2/zones/<zone_id>", answers={200: ZoneAnswer})
def get_zone(call: Call) -> Reply:
    """Show a zone."""
    zone, extras = zones.get(call.core, call.ctx, call.path["zone_id"])
    return etags.unless_seen(call.request, tag_of(zone, extras), render(call, zone, extras))


@operation("GET", "/v2/zones", answers={200: ZoneList}, list_of=ZONES)
def list_zones(call: Call) -> Reply:
    """List the zones of the project, and those shared with it."""
    wanted = call.filters()
    if not wanted.get("ttl", "0").isdecimal():
        raise Refused("bad_request", f"the filter ttl is a number of seconds, not {wanted['ttl']!r}")
    page = zones.page_of(call.core, call.ctx, wanted, call.page())
    return call.listing("zones", [render(call, *shown) for shown in page.zones], page.more, page.total)


@operation("PATCH", "/v2/zones/<zone_id>", body=ZonePatch, answers={200: ZoneAnswer, 202: ZoneAnswer})
def update_zone(call: Call) -> Reply:
    """Change a zone. 200 where name servers have nothing to learn from it."""
    zone_id = call.path["zone_id"]
    current = render(call, *zones.get(call.core, call.ctx, zone_id))
    wanted = call.changes(ZonePatch, current)
    return _reply(call, *zones.update(call.core, call.ctx, zone_id, wanted, etags.if_match(call.request)))


@operation("DELETE", "/v2/zones/<zone_id>", answers={202: ZoneAnswer})
def delete_zone(call: Call) -> Reply:
    """Delete a zone. It stays, with action DELETE, until its name servers are rid of it."""
    return _reply(call, *zones.delete(call.core, call.ctx, call.path["zone_id"], etags.if_match(call.request)))


@operation("GET", "/v2/zones/<zone_id>/nameservers", answers={200: NameServers})
def list_name_servers(call: Call) -> Reply:
    """List the name servers that a zone is to be delegated to."""
    found = zones.name_servers(call.core, call.ctx, call.path["zone_id"])
    return Reply({"nameservers": [{"hostname": ns.hostname, "priority": ns.priority} for ns in found]})


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
