# SPDX-License-Identifier: Apache-2.0
"""/v2/zones/tasks/transfer_requests and transfer_accepts: zones that go to another project."""

from __future__ import annotations

from typing import Any

from control.api.call import Call, uuid_of
from control.api.operations import NOTHING, ListSpec, Reply, operation
from control.api.render import timestamp
from control.api.schemas.zones import (
    TransferAcceptAnswer,
    TransferAcceptCreate,
    TransferAcceptList,
    TransferRequestAnswer,
    TransferRequestCreate,
    TransferRequestList,
    TransferRequestPatch,
)
from control.central import transfers
from control.central.transfers import ShownRequest
from control.storage.transfers import TransferAccept

REQUESTS = "/v2/zones/tasks/transfer_requests"
ACCEPTS = "/v2/zones/tasks/transfer_accepts"
FOR_OWNERS = ("project_id", "target_project_id", "key", "created_at", "updated_at")


@operation(
    "POST",
    "/v2/zones/<zone_id>/tasks/transfer_requests",
    body=TransferRequestCreate,
    body_required=False,
    answers={201: TransferRequestAnswer},
)
def create_transfer_request(call: Call) -> Reply:
    """Offer a zone to another project: to the one that is named, or to whoever has the key."""
    body = call.parsed(TransferRequestCreate)
    zone_id = call.path["zone_id"]
    shown = transfers.create_request(call.core, call.ctx, zone_id, body.target_project_id, body.description)
    answer = _render_request(call, shown)
    return Reply(answer, 201, _location(call, answer))


@operation("GET", REQUESTS, answers={200: TransferRequestList}, list_of=ListSpec(filters=("status",)))
def list_transfer_requests(call: Call) -> Reply:
    """List the requests that the project made, and those meant for it."""
    found, more = transfers.requests_page(call.core, call.ctx, call.filters().get("status"), call.page())
    return call.listing("transfer_requests", [_render_request(call, shown) for shown in found], more)


@operation("GET", f"{REQUESTS}/<request_id>", answers={200: TransferRequestAnswer})
def get_transfer_request(call: Call) -> Reply:
    """Show a request: all of it to the zone's owner, to others what they need to accept."""
    return Reply(_render_request(call, transfers.get_request(call.core, call.ctx, call.path["request_id"])))


@operation("PATCH", f"{REQUESTS}/<request_id>", body=TransferRequestPatch, answers={200: TransferRequestAnswer})
def update_transfer_request(call: Call) -> Reply:
    """Change a request's description, or name its target project where it has none."""
    request_id = call.path["request_id"]
    current = _render_request(call, transfers.get_request(call.core, call.ctx, request_id))
    wanted = call.changes(TransferRequestPatch, current)
    return Reply(_render_request(call, transfers.update_request(call.core, call.ctx, request_id, wanted)))


@operation("DELETE", f"{REQUESTS}/<request_id>", answers={204: NOTHING})
def delete_transfer_request(call: Call) -> Reply:
    """Take an offer back."""
    transfers.delete_request(call.core, call.ctx, call.path["request_id"])
    return Reply(status=204)


@operation("POST", ACCEPTS, body=TransferAcceptCreate, answers={201: TransferAcceptAnswer})
def create_transfer_accept(call: Call) -> Reply:
    """Accept a zone that is offered: it is this project's from then on, with all its recordsets."""
    body = call.parsed(TransferAcceptCreate)
    accepted = transfers.accept(call.core, call.ctx, uuid_of(body.zone_transfer_request_id), body.key)
    answer = {**_render_accept(call, accepted), "key": body.key}
    return Reply(answer, 201, _location(call, answer))


@operation("GET", ACCEPTS, answers={200: TransferAcceptList}, list_of=ListSpec(filters=("status",), counted=True))
def list_transfer_accepts(call: Call) -> Reply:
    """List the transfers that were accepted."""
    page = transfers.accepts_page(call.core, call.ctx, call.filters().get("status"), call.page())
    items = [_render_accept(call, accepted) for accepted in page.accepts]
    return call.listing("transfer_accepts", items, page.more, page.total)


@operation("GET", f"{ACCEPTS}/<accept_id>", answers={200: TransferAcceptAnswer})
def get_transfer_accept(call: Call) -> Reply:
    """Show a transfer that was accepted."""
    return Reply(_render_accept(call, transfers.get_accept(call.core, call.ctx, call.path["accept_id"])))


def _location(call: Call, answer: dict[str, Any]) -> dict[str, str]:
    return {} if call.ctx.dry_run else {"Location": answer["links"]["self"]}


def _render_request(call: Call, shown: ShownRequest) -> dict[str, Any]:
    request = shown.request
    answer = {
        "id": request.id,
        "zone_id": request.zone_id,
        "zone_name": request.zone_name,
        "project_id": request.project_id,
        "target_project_id": request.target_project_id,
        "description": request.description,
        "key": request.key,
        "status": request.status,
        "created_at": timestamp(request.created_at),
        "updated_at": timestamp(request.updated_at),
        "links": {"self": call.url(f"{REQUESTS}/{request.id}")},
    }
    return answer if shown.detailed else {key: value for key, value in answer.items() if key not in FOR_OWNERS}


def _render_accept(call: Call, accepted: TransferAccept) -> dict[str, Any]:
    return {
        "id": accepted.id,
        "zone_transfer_request_id": accepted.transfer_request_id,
        "project_id": accepted.project_id,
        "zone_id": accepted.zone_id,
        "key": None,
        "status": accepted.status,
        "created_at": timestamp(accepted.created_at),
        "updated_at": timestamp(accepted.updated_at),
        "links": {
            "self": call.url(f"{ACCEPTS}/{accepted.id}"),
            "zone": call.url(f"/v2/zones/{accepted.zone_id}"),
        },
    }
