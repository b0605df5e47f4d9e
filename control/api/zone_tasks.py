# SPDX-License-Identifier: Apache-2.0
"""/v2/zones/{zone_id}/tasks: what is done with a zone as a whole."""

from __future__ import annotations

from control.api.call import Call, uuid_of
from control.api.operations import NOTHING, TEXT, Reply, operation
from control.api.schemas.zones import PoolMove
from control.central import zone_tasks

TASKS = "/v2/zones/<zone_id>/tasks"


@operation("POST", f"{TASKS}/xfr", answers={202: TEXT})
def transfer_zone(call: Call) -> Reply:
    """Transfer a SECONDARY zone from its masters now."""
    zone_tasks.transfer_in(call.core, call.ctx, call.path["zone_id"])
    return Reply("", 202)


@operation("POST", f"{TASKS}/abandon", answers={204: NOTHING})
def abandon_zone(call: Call) -> Reply:
    """Forget a zone without asking its name servers to."""
    zone_tasks.abandon(call.core, call.ctx, call.path["zone_id"])
    return Reply(status=204)


@operation("POST", f"{TASKS}/pool_move", body=PoolMove, body_required=False, answers={202: TEXT})
def move_zone(call: Call) -> Reply:
    """Move a zone to another pool."""
    body = call.parsed(PoolMove)
    pool_id = uuid_of(body.pool_id) if body.pool_id else None
    zone_tasks.move(call.core, call.ctx, call.path["zone_id"], pool_id)
    return Reply("", 202)
