# SPDX-License-Identifier: Apache-2.0
"""Exports: a note that somebody may fetch a zone as text. Nothing is stored: the text is made when it is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection

from control.central import zone_texts
from control.central.core import Core, check_quota, check_scope, zone_for
from control.central.tasks import get, new_task
from control.context import Context
from control.errors import Refused
from control.storage import tasks
from control.storage.tasks import Kind, TaskStatus, ZoneTask


def create(core: Core, ctx: Context, zone_id: str) -> ZoneTask:
    """Refused over_quota where the zone has more rrsets than the caller's project may export."""

    def work(tx: Connection) -> ZoneTask:
        zone = zone_for(core, tx, ctx, zone_id, "create_zone_export")
        check_scope(ctx, "read", zone.name)
        task = new_task(core, ctx, Kind.EXPORT, TaskStatus.COMPLETE)
        check_quota(core, tx, task.project_id, api_export_size=zone.rrset_count)
        location = f"designate://v2/zones/tasks/exports/{task.id}/export"
        task = replace(task, zone_id=zone.id, location=location)
        tasks.insert_task(tx, task)
        return task

    return core.write(ctx, work)


def text_of(core: Core, ctx: Context, export_id: str) -> Iterator[bytes]:
    """The zone as it is now."""
    task = get(core, ctx, Kind.EXPORT, export_id)
    if task.zone_id is None:
        raise Refused("zone_not_found", "Could not find Zone")
    return zone_texts.text_of(core, ctx, task.zone_id, "zone_export")
