# SPDX-License-Identifier: Apache-2.0
"""Which pool a new zone goes to: the one it names, the one whose attributes it asks for, else the default."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from control.central.core import Core
from control.context import Context
from control.errors import Refused
from control.model import Pool
from control.storage import pools

FORCED = "pool_id"  # the attribute that names a pool


def pool_for(
    core: Core, tx: Connection, ctx: Context, attributes: Mapping[str, str], pool_id: str | None = None
) -> Pool:
    """Refused no_valid_pool_found where there is none, no_servers_configured where it can't serve a zone."""
    forced = pool_id or attributes.get(FORCED)
    wanted = {key: value for key, value in attributes.items() if key != FORCED}
    pool = _forced(core, tx, ctx, forced) if forced else _matching(core, tx, wanted)
    if not pool.ns_records:
        raise Refused("no_servers_configured", f"the pool {pool.name} has no name servers")
    return pool


def _forced(core: Core, tx: Connection, ctx: Context, pool_id: str) -> Pool:
    if pool_id != core.config.default_pool_id:  # which anyone gets
        core.policy.check(ctx, "zone_create_forced_pool")
    return _pool(tx, pool_id)


def _matching(core: Core, tx: Connection, wanted: Mapping[str, str]) -> Pool:
    """The default pool wherever it will do; else the first one that was made with all that is wanted."""
    if wanted:
        fitting = [pool for pool in pools.with_attributes(tx) if wanted.items() <= pool.attributes.items()]
        default = [pool for pool in fitting if pool.id == core.config.default_pool_id]
        if fitting:
            return (default or fitting)[0]
    return _pool(tx, core.config.default_pool_id)


def _pool(tx: Connection, pool_id: str) -> Pool:
    try:
        return pools.get(tx, pool_id)
    except Refused:
        raise Refused("no_valid_pool_found", f"There is no pool {pool_id} for this zone") from None
