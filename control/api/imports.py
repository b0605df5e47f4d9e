# SPDX-License-Identifier: Apache-2.0
"""/v2/zones/tasks/imports: zones made from zone files."""

from __future__ import annotations

import shutil
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from control.api.call import Call, check_content_type
from control.api.operations import DNS, JSON, NOTHING, ListSpec, Reply, operation
from control.api.render import timestamp
from control.api.schemas.zone_tasks import ImportAnswer, ImportCreate, ImportList
from control.central import imports, tasks
from control.storage.tasks import Kind, ZoneTask

PATH = "/v2/zones/tasks/imports"
IN_MEMORY = 1 << 20  # octets of a body; more of it waits in a file
TASKS = ListSpec(filters=("status", "message", "zone_id"), counted=True)


@operation(
    "POST", PATH, body=ImportCreate, body_types=(DNS, JSON), answers={202: ImportAnswer}, max_body="max_import_size"
)
def create_import(call: Call) -> Reply:
    """Import a zone file as a new zone.

    It is taken as it is: what is wrong with it stands in the import's message later. A file within JSON may have the
    size of a list of changes; larger ones come as text/dns.
    """
    check_content_type(call.request, call.operation.body_types)
    with SpooledTemporaryFile(IN_MEMORY) as file:
        attributes = _take(call, file)
        task = imports.create(call.core, call.ctx, file, attributes)
    return Reply(render(call, task), 202, {"Location": call.url(f"{PATH}/{task.id}")})


def _take(call: Call, file: IO[bytes]) -> dict[str, str]:
    """Writes the zone file → the attributes that came with it."""
    if call.request.mimetype == DNS:
        shutil.copyfileobj(call.request.stream, file, IN_MEMORY)
        return {}
    call.request.max_content_length = call.core.config.max_changes_size
    body = call.parsed(ImportCreate)
    file.write(body.zonefile.encode("utf-8", "replace"))
    return body.attributes or {}


@operation("GET", PATH, answers={200: ImportList}, list_of=TASKS)
def list_imports(call: Call) -> Reply:
    """List the project's imports."""
    found, more, total = tasks.page_of(call.core, call.ctx, Kind.IMPORT, call.filters(), call.page())
    return call.listing("imports", [render(call, task) for task in found], more, total)


@operation("GET", f"{PATH}/<import_id>", answers={200: ImportAnswer})
def get_import(call: Call) -> Reply:
    """Show an import, and how far it is."""
    return Reply(render(call, tasks.get(call.core, call.ctx, Kind.IMPORT, call.path["import_id"])))


@operation("DELETE", f"{PATH}/<import_id>", answers={204: NOTHING})
def delete_import(call: Call) -> Reply:
    """Delete an import; its zone stays. One that has not ended makes no zone any more."""
    tasks.delete(call.core, call.ctx, Kind.IMPORT, call.path["import_id"])
    return Reply(None, 204)


def render(call: Call, task: ZoneTask) -> dict[str, Any]:
    links = {"self": call.url(f"{PATH}/{task.id}")}
    if task.zone_id:
        links["zone"] = call.url(f"/v2/zones/{task.zone_id}")
    return {
        "id": task.id,
        "status": task.status,
        "message": task.message,
        "zone_id": task.zone_id,
        "project_id": task.project_id,
        "created_at": timestamp(task.created_at),
        "updated_at": timestamp(task.updated_at),
        "version": task.version,
        "progress": {"done": task.done, "octets": task.octets},
        "links": links,
    }
