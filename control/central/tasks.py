# SPDX-License-Identifier: Apache-2.0
"""What imports and exports have in common: who sees them, and that they can be thrown away."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from control.central.core import Core
from control.context import Context
from control.errors import Refused
from control.storage import tasks
from control.storage.ids import new_id
from control.storage.paging import PageRequest
from control.storage.tasks import NOT_FOUND, Kind, TaskStatus, ZoneTask

Page = tuple[list[ZoneTask], bool, int]


def new_task(core: Core, ctx: Context, kind: Kind, status: TaskStatus) -> ZoneTask:
    if ctx.project_id is None:
        raise Refused("missing_project_id", f"the token has no project, and an {kind.lower()} needs one")
    return ZoneTask(
        id=new_id(),
        kind=kind,
        project_id=ctx.project_id,
        user_id=ctx.user_id,
        request_id=ctx.request_id,
        zone_id=None,
        status=status,
        message=None,
        location=None,
        options={},
        done=0,
        octets=0,
        claimed_by=None,
        claimed_until=None,
        version=1,
        created_at=core.clock(),
        updated_at=None,
    )


def get(core: Core, ctx: Context, kind: Kind, task_id: str) -> ZoneTask:
    return core.db.read(lambda tx: visible(core, tx, ctx, kind, task_id, "get"))


def visible(core: Core, tx: Connection, ctx: Context, kind: Kind, task_id: str, verb: str) -> ZoneTask:
    """The task, if the caller may see it (else zone_import_not_found or zone_export_not_found)."""
    task = tasks.get(tx, kind, task_id)
    if task.project_id != ctx.project_id and not ctx.all_projects:
        raise Refused(NOT_FOUND[kind], f"Could not find Zone{kind.capitalize()}")
    core.policy.check(ctx, f"{verb}_zone_{kind.lower()}", project_id=task.project_id)
    return task


def page_of(core: Core, ctx: Context, kind: Kind, wanted: Mapping[str, str], page: PageRequest) -> Page:
    core.policy.check(ctx, f"find_zone_{kind.lower()}s", project_id=ctx.project_id)
    project_id = None if ctx.all_projects else ctx.project_id or ""
    return core.db.read(lambda tx: tasks.page_of(tx, kind, project_id, wanted, page))


def delete(core: Core, ctx: Context, kind: Kind, task_id: str) -> None:
    """An import that is being worked on ends without a zone."""

    def work(tx: Connection) -> None:
        tasks.delete_task(tx, visible(core, tx, ctx, kind, task_id, "delete").id)

    core.write(ctx, work)
