# SPDX-License-Identifier: Apache-2.0
"""/v2/zones/{zone_id}/changes: many changes of recordsets as one, with one serial, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from control.api import media
from control.api.call import Call, uuid_of
from control.api.operations import JSON, STRUCTURED, Reply, operation
from control.api.recordsets import render
from control.api.schemas.recordsets import ChangeItem, Changes, ChangesAnswer, StructuredChanges
from control.central import recordsets
from control.central.recordsets import Verb, Wish
from control.errors import Problem, refuse_if_any

VALUES = {"ttl", "description"}


@operation(
    "POST",
    "/v2/zones/<zone_id>/changes",
    body=Changes,
    body_types=(JSON, STRUCTURED),
    answers={202: ChangesAnswer, 200: ChangesAnswer},
    max_body="max_changes_size",
)
def change_recordsets(call: Call) -> Reply:
    """Make many changes of a zone's recordsets as one: with one serial, all of them or none.

    They are applied in their order, and what is there in the end must be right. 200 where nothing changed.
    """
    objects = media.wants_structured(call.request)
    body = call.parsed(StructuredChanges if media.sends_structured(call.request) else Changes)
    refuse_if_any(problem for at, item in enumerate(body.changes) for problem in _problems(at, item))
    wishes = [_wish(item) for item in body.changes]
    outcome = recordsets.apply(call.core, call.ctx, call.path["zone_id"], wishes, "changes", body.note or "")
    answer = {
        "recordsets": [render(call, shown, objects) for shown in outcome.shown if shown],
        "serial": outcome.zone.serial,
        "links": {"self": call.url(call.request.path)},
    }
    return Reply(answer, 202 if outcome.changed else 200, media.VARY, media.content_type(objects))


def _problems(at: int, item: ChangeItem) -> Iterator[Problem]:
    """Which fields go together: an id, or a name and a type; no action without its subject."""
    path = ("changes", at)
    by_name = {"name": item.name, "type": item.type}
    if item.id is None:
        for key, value in by_name.items():
            if value is None:
                yield Problem((*path, key), f"'{key}' is a required property where there is no id", "required", [key])
    elif item.action == "create":
        yield Problem((*path, "id"), "a new recordset gets its id by itself", "not_allowed")
    elif item.name is not None or item.type is not None:
        yield Problem((*path, "id"), "either an id or a name and a type", "not_allowed")
    if item.action in ("add", "remove") and not item.records:
        yield Problem((*path, "records"), f"which records to {item.action}?", "required", ["records"])


def _wish(item: ChangeItem) -> Wish:
    return Wish(
        Verb(item.action),
        item.name or "",
        item.type or "",
        uuid_of(item.id) if item.id else None,
        {key: getattr(item, key) for key in item.model_fields_set & VALUES},
        item.records,
    )
