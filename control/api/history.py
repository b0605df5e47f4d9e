# SPDX-License-Identifier: Apache-2.0
"""A zone's past: what was changed when and by whom, what lies between two serials, and the way back."""

from __future__ import annotations

from typing import Any

from control.api.call import Call
from control.api.operations import Reply, operation
from control.api.render import timestamp
from control.api.schemas.zone_tasks import Diff, History, RollbackCreate, RolledBack
from control.central import history
from control.errors import Refused
from control.storage.journal import Entry

PAGE = {"limit": "Changes on a page, or max.", "marker": "The revision of the last change that you have."}
SERIALS = {"from": "A serial that the zone had.", "to": "Another one."}


@operation("GET", "/v2/zones/<zone_id>/history", answers={200: History}, query=PAGE)
def list_history(call: Call) -> Reply:
    """List the changes of a zone, the newest first."""
    below = _number(call, "marker") if "marker" in call.request.args else None
    found, more = history.page_of(call.core, call.ctx, call.path["zone_id"], call.limit(), below)
    next_page = call.url_with(marker=str(found[-1].revision)) if more else None
    links = {"self": call.url_with(), **({"next": next_page} if next_page else {})}
    return Reply({"history": [_render(entry) for entry in found], "links": links})


@operation("GET", "/v2/zones/<zone_id>/diff", answers={200: Diff}, query=SERIALS)
def get_diff(call: Call) -> Reply:
    """Show what turns a zone as it was at one serial into what it was at another."""
    start, end = _number(call, "from"), _number(call, "to")
    found = history.diff(call.core, call.ctx, call.path["zone_id"], start, end)
    return Reply(
        {
            "from_serial": start,
            "to_serial": end,
            "removed": found.removed_text,
            "added": found.added_text,
            "links": {"self": call.url_with()},
        }
    )


@operation(
    "POST",
    "/v2/zones/<zone_id>/tasks/rollback",
    body=RollbackCreate,
    answers={200: RolledBack, 202: RolledBack},
)
def roll_back(call: Call) -> Reply:
    """Make a zone's records what they were at a serial, as one more change.

    SOA and NS of the apex stay as they are; descriptions of recordsets that come back are lost. 200 where nothing
    differs.
    """
    serial = call.parsed(RollbackCreate).serial
    done = history.roll_back(call.core, call.ctx, call.path["zone_id"], serial)
    body = {
        "serial": done.zone.serial,
        "created": done.counts.created,
        "updated": done.counts.updated,
        "deleted": done.counts.deleted,
        "removed": done.difference.removed_text,
        "added": done.difference.added_text,
        "links": {"self": call.url(call.request.path)},
    }
    return Reply(body, 202 if done.changed else 200)


def _number(call: Call, key: str) -> int:
    text = call.request.args.get(key, "")
    if not (text.isascii() and text.isdigit() and int(text) < 1 << 63):
        raise Refused("bad_request", f"{key} must be a whole number, got {text!r}")
    return int(text)


def _render(entry: Entry) -> dict[str, Any]:
    return {
        "revision": entry.revision,
        "kind": entry.kind,
        "from_serial": entry.from_serial if entry.revision > 1 else None,
        "to_serial": entry.to_serial,
        "project_id": entry.project_id,
        "user_id": entry.user_id,
        "request_id": entry.request_id,
        "note": entry.note,
        "removed": entry.removed_count,
        "added": entry.added_count,
        "created_at": timestamp(entry.created_at),
    }
