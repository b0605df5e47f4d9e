# SPDX-License-Identifier: Apache-2.0
"""How much a project may have: what was set for it, else the settings' defaults."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from control.central.core import QUOTAS, Core
from control.context import Context
from control.errors import Refused
from control.storage import quotas


def get(core: Core, ctx: Context, project_id: str | None) -> dict[str, int]:
    """Every quota of the project (None: the caller's)."""
    project_id = _target(core, ctx, project_id, "get_quotas")
    return core.db.read(lambda tx: _in_force(core, tx, project_id))


def of_caller(core: Core, ctx: Context) -> dict[str, int]:
    """What anybody may know of himself; the defaults for who has no project."""
    return core.db.read(lambda tx: _in_force(core, tx, ctx.project_id or ""))


def update(core: Core, ctx: Context, project_id: str, limits: Mapping[str, int]) -> dict[str, int]:
    project_id = _target(core, ctx, project_id, "set_quota")

    def work(tx: Connection) -> dict[str, int]:
        quotas.replace(tx, project_id, limits)
        return _in_force(core, tx, project_id)

    return core.write(ctx, work)


def reset(core: Core, ctx: Context, project_id: str) -> None:
    """Back to the defaults."""
    project_id = _target(core, ctx, project_id, "reset_quotas")
    core.write(ctx, lambda tx: quotas.reset(tx, project_id))


def _target(core: Core, ctx: Context, project_id: str | None, rule: str) -> str:
    """The project that is meant; another one's quotas are for who asks for all projects, admin or not."""
    if ctx.project_id is None and not ctx.all_projects:
        raise Refused("missing_project_id", "the token is of no project")
    if project_id is None:
        project_id = ctx.project_id or ""
    core.policy.check(ctx, rule, project_id=project_id)
    if project_id != ctx.project_id and not ctx.all_projects:
        raise Refused("forbidden", "quotas of another project: ask with X-Auth-All-Projects")
    return project_id


def _in_force(core: Core, tx: Connection, project_id: str) -> dict[str, int]:
    defaults = {resource: getattr(core.config, key) for resource, key in QUOTAS.items()}
    return defaults | quotas.of_project(tx, project_id)
