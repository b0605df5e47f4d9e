# SPDX-License-Identifier: Apache-2.0
"""/v2/zones/{zone_id}/shares: with whom a zone is shared."""

from __future__ import annotations

from typing import Any

from control.api.call import Call
from control.api.operations import NOTHING, ListSpec, Reply, operation
from control.api.render import timestamp
from control.api.schemas.zones import ShareAnswer, ShareCreate, ShareList
from control.central import shares
from control.storage.shares import Share

OF_ZONE = "/v2/zones/<zone_id>/shares"
LIST = ListSpec(filters=("target_project_id",), sort_keys=("created_at", "updated_at"))


@operation("POST", OF_ZONE, body=ShareCreate, answers={201: ShareAnswer})
def create_share(call: Call) -> Reply:
    """Share a zone with another project."""
    body = call.parsed(ShareCreate)
    return Reply(_render(call, shares.create(call.core, call.ctx, call.path["zone_id"], body.target_project_id)), 201)


@operation("GET", OF_ZONE, answers={200: ShareList}, list_of=LIST)
def list_shares(call: Call) -> Reply:
    """List the shares of a zone; for a project that it is shared with, its own ones."""
    target = call.filters().get("target_project_id")
    found, more = shares.page_of(call.core, call.ctx, call.path["zone_id"], target, call.page())
    return call.listing("shared_zones", [_render(call, share) for share in found], more)


@operation("GET", f"{OF_ZONE}/<share_id>", answers={200: ShareAnswer})
def get_share(call: Call) -> Reply:
    """Show a share."""
    return Reply(_render(call, shares.get(call.core, call.ctx, call.path["zone_id"], call.path["share_id"])))


@operation("DELETE", f"{OF_ZONE}/<share_id>", answers={204: NOTHING})
def delete_share(call: Call) -> Reply:
    """Stop sharing, which takes that the other project has nothing in the zone any more."""
    shares.delete(call.core, call.ctx, call.path["zone_id"], call.path["share_id"])
    return Reply(status=204)


def _render(call: Call, share: Share) -> dict[str, Any]:
    zone = call.url(f"/v2/zones/{share.zone_id}")
    return {
        "id": share.id,
        "zone_id": share.zone_id,
        "project_id": share.project_id,
        "target_project_id": share.target_project_id,
        "created_at": timestamp(share.created_at),
        "updated_at": timestamp(share.updated_at),
        "links": {"self": f"{zone}/shares/{share.id}", "zone": zone},
    }
