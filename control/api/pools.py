# SPDX-License-Identifier: Apache-2.0
"""/v2/pools: groups of name servers. A zone is in one pool, and names its servers at the apex."""

from __future__ import annotations

from typing import Any

from control.api.call import Call
from control.api.kept import created, list_spec, listing, one, show
from control.api.operations import NOTHING, Reply, operation
from control.api.schemas.kept import NsRecordBody, PoolAnswer, PoolChange, PoolCreate, PoolList
from control.central import pools
from control.model import NsRecord, Pool
from control.storage.kept import Kept
from control.storage.pools import POOLS

ALL, ONE = "/v2/pools", "/v2/pools/<pool_id>"


@operation("POST", ALL, body=PoolCreate, answers={201: PoolAnswer})
def create_pool(call: Call) -> Reply:
    """Create a pool."""
    body = call.parsed(PoolCreate)
    values = body.model_dump(exclude={"ns_records"})
    return created(_show(call, POOLS, pools.create(call.core, call.ctx, values, _servers(body.ns_records))))


@operation("GET", ALL, answers={200: PoolList}, list_of=list_spec("name"))
def list_pools(call: Call) -> Reply:
    """List the pools."""
    return listing(call, POOLS, _show)


@operation("GET", ONE, answers={200: PoolAnswer})
def get_pool(call: Call) -> Reply:
    """Show a pool."""
    return Reply(_show(call, POOLS, one(call, POOLS)))


@operation("PATCH", ONE, body=PoolChange, answers={202: PoolAnswer})
def update_pool(call: Call) -> Reply:
    """Change a pool. New name servers are written to all its zones before the answer comes."""
    current = one(call, POOLS)
    values = call.changes(PoolChange, _show(call, POOLS, current))
    servers = _servers(values.pop("ns_records")) if "ns_records" in values else None
    return Reply(_show(call, POOLS, pools.update(call.core, call.ctx, current.id, values, servers)), 202)


@operation("DELETE", ONE, answers={204: NOTHING})
def delete_pool(call: Call) -> Reply:
    """Delete a pool that has no zones."""
    pools.delete(call.core, call.ctx, call.path["pool_id"])
    return Reply(status=204)


def _servers(given: list[NsRecordBody]) -> list[NsRecord]:
    return [NsRecord(server.hostname, server.priority) for server in given]


def _show(call: Call, kind: Kept[Pool], pool: Pool) -> dict[str, Any]:
    return {**show(call, kind, pool), "project_id": None}
