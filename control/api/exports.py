# SPDX-License-Identifier: Apache-2.0
"""Zones as text: Designate's exports, which are fetched, and the zone file itself, which is read and replaced."""

from __future__ import annotations

from typing import Any

from control.api.call import Call, check_content_type
from control.api.operations import DNS, NOTHING, TEXT, ListSpec, Reply, operation
from control.api.render import timestamp
from control.api.schemas.zone_tasks import ExportAnswer, ExportList, Replaced
from control.central import exports, tasks, zone_texts
from control.storage.tasks import Kind, ZoneTask

PATH = "/v2/zones/tasks/exports"
TASKS = ListSpec(filters=("status", "message", "zone_id"), counted=True)


@operation("POST", "/v2/zones/<zone_id>/tasks/export", answers={202: ExportAnswer}, body_required=False)
def create_export(call: Call) -> Reply:
    """Export a zone. It can be fetched at once, at links.export."""
    task = exports.create(call.core, call.ctx, call.path["zone_id"])
    return Reply(render(call, task), 202, {"Location": call.url(f"{PATH}/{task.id}")})


@operation("GET", PATH, answers={200: ExportList}, list_of=TASKS)
def list_exports(call: Call) -> Reply:
    """List the project's exports."""
    found, more, total = tasks.page_of(call.core, call.ctx, Kind.EXPORT, call.filters(), call.page())
    return call.listing("exports", [render(call, task) for task in found], more, total)


@operation("GET", f"{PATH}/<export_id>", answers={200: ExportAnswer})
def get_export(call: Call) -> Reply:
    """Show an export."""
    return Reply(render(call, tasks.get(call.core, call.ctx, Kind.EXPORT, call.path["export_id"])))


@operation("DELETE", f"{PATH}/<export_id>", answers={204: NOTHING})
def delete_export(call: Call) -> Reply:
    """Delete an export."""
    tasks.delete(call.core, call.ctx, Kind.EXPORT, call.path["export_id"])
    return Reply(None, 204)


@operation("GET", f"{PATH}/<export_id>/export", answers={200: TEXT}, answer_types=(DNS,))
def fetch_export(call: Call) -> Reply:
    """Fetch the zone of an export as a zone file, as the zone is now."""
    return Reply(exports.text_of(call.core, call.ctx, call.path["export_id"]), content_type=DNS)


@operation("GET", "/v2/zones/<zone_id>/zonefile", answers={200: TEXT}, answer_types=(DNS,))
def get_zonefile(call: Call) -> Reply:
    """Show a zone as a zone file, in canonical order."""
    return Reply(zone_texts.text_of(call.core, call.ctx, call.path["zone_id"], "get_recordsets"), content_type=DNS)


@operation("GET", "/admin/zones/export/<zone_id>", answers={200: TEXT}, answer_types=(DNS,))
def admin_export(call: Call) -> Reply:
    """Show a zone as a zone file, at Designate's address of it."""
    return Reply(zone_texts.text_of(call.core, call.ctx, call.path["zone_id"], "zone_export"), content_type=DNS)


@operation(
    "PUT",
    "/v2/zones/<zone_id>/zonefile",
    body_types=(DNS,),
    answers={200: Replaced, 202: Replaced},
    max_body="max_changes_size",
)
def replace_zonefile(call: Call) -> Reply:
    """Replace all recordsets of a zone by those of a zone file, as one change.

    Only what differs is touched; the rest keeps its ids. SOA and NS of the apex stay as they are. 200 where nothing
    differs.
    """
    check_content_type(call.request, call.operation.body_types)
    text = call.request.get_data(cache=False)
    done = zone_texts.replace(call.core, call.ctx, call.path["zone_id"], text)
    counts = {"created": done.counts.created, "updated": done.counts.updated, "deleted": done.counts.deleted}
    links = {"self": call.url(call.request.path)}
    body = {"serial": done.zone.serial, **counts, "unchanged": done.unchanged, "links": links}
    return Reply(body, 202 if done.changed else 200)


def render(call: Call, task: ZoneTask) -> dict[str, Any]:
    url = call.url(f"{PATH}/{task.id}")
    return {
        "id": task.id,
        "status": task.status,
        "message": task.message,
        "location": task.location,
        "zone_id": task.zone_id,
        "project_id": task.project_id,
        "created_at": timestamp(task.created_at),
        "updated_at": timestamp(task.updated_at),
        "version": task.version,
        "links": {"self": url, "export": f"{url}/export"},
    }
