# SPDX-License-Identifier: Apache-2.0
"""/v2/zones/{zone_id}/recordsets and /v2/recordsets: recordsets, their search, and single records of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control import structured
from control.api import etags, media
from control.api.call import Call
from control.api.operations import JSON, STRUCTURED, ListSpec, Reply, operation
from control.api.render import timestamp
from control.api.schemas.recordsets import (
    Records,
    RecordsetAnswer,
    RecordsetCreate,
    RecordsetList,
    RecordsetUpdate,
    StructuredRecords,
    StructuredRecordsetCreate,
    StructuredRecordsetUpdate,
)
from control.central import recordsets
from control.central.recordsets import Listing, Shown, Verb, Wish
from control.model import Status
from fastmdns import rrtypes

IN_ZONE = "/v2/zones/<zone_id>/recordsets"
ONE = f"{IN_ZONE}/<recordset_id>"
FORMS = (JSON, STRUCTURED)
FILTERS = ("name", "type", "ttl", "data", "status", "description")
SORT_KEYS = ("created_at", "id", "updated_at", "zone_id", "tenant_id", "name", "type", "ttl")
LIST = ListSpec(FILTERS, SORT_KEYS, counted=True)


@operation(
    "POST", IN_ZONE, body=RecordsetCreate, body_types=FORMS, answers={202: RecordsetAnswer, 201: RecordsetAnswer}
)
def create_recordset(call: Call) -> Reply:
    """Create a recordset: 202, or 201 where it has no records yet."""
    objects = media.sends_structured(call.request)
    body = call.parsed(StructuredRecordsetCreate if objects else RecordsetCreate)
    values = {"ttl": body.ttl, "description": body.description}
    wish = Wish(Verb.CREATE, body.name, body.type, values=values, records=body.records)
    shown = recordsets.apply_one(call.core, call.ctx, call.path["zone_id"], wish)
    location = {} if call.ctx.dry_run else {"Location": url_of(call, shown)}
    return _reply(call, shown, 202 if shown.rrset.records else 201, location)


@operation("GET", ONE, answers={200: RecordsetAnswer})
def get_recordset(call: Call) -> Reply:
    """Show a recordset."""
    objects = media.wants_structured(call.request)
    shown = recordsets.get(call.core, call.ctx, call.path["zone_id"], call.path["recordset_id"])
    reply = etags.unless_seen(call.request, tag_of(shown, objects), render(call, shown, objects))
    return Reply(reply.body, reply.status, {**reply.headers, **media.VARY}, media.content_type(objects))


@operation("PUT", ONE, body=RecordsetUpdate, body_types=FORMS, answers={202: RecordsetAnswer, 200: RecordsetAnswer})
def update_recordset(call: Call) -> Reply:
    """Change a recordset: what is left out stays; a ttl of null is the zone's. 200 where nothing is on its way."""
    zone_id, rrset_id = call.path["zone_id"], call.path["recordset_id"]
    objects = media.sends_structured(call.request)
    current = render(call, recordsets.get(call.core, call.ctx, zone_id, rrset_id), objects)
    values = call.changes(StructuredRecordsetUpdate if objects else RecordsetUpdate, current)
    records = values.pop("records", None)
    check = etags.if_match(call.request)
    wish = Wish(Verb.UPDATE, rrset_id=rrset_id, values=values, records=records, check=check)
    return _changed(call, recordsets.apply_one(call.core, call.ctx, zone_id, wish))


@operation("DELETE", ONE, answers={202: RecordsetAnswer})
def delete_recordset(call: Call) -> Reply:
    """Delete a recordset."""
    check = etags.if_match(call.request)
    wish = Wish(Verb.DELETE, rrset_id=call.path["recordset_id"], check=check)
    shown = recordsets.apply_one(call.core, call.ctx, call.path["zone_id"], wish)
    return _reply(call, shown, 202)


# ----------------------------------------------------------------------------------------------------- single records


@operation(
    "POST",
    f"{ONE}/records",
    body=Records,
    body_types=FORMS,
    answers={202: RecordsetAnswer, 200: RecordsetAnswer},
)
def add_records(call: Call) -> Reply:
    """Add records to a recordset, beside those that are there; what is there already stays as it is."""
    return _change_records(call, Verb.ADD)


@operation(
    "DELETE",
    f"{ONE}/records",
    body=Records,
    body_types=FORMS,
    answers={202: RecordsetAnswer, 200: RecordsetAnswer},
)
def remove_records(call: Call) -> Reply:
    """Remove records from a recordset. What isn't there is no error; with the last one the recordset is deleted."""
    return _change_records(call, Verb.REMOVE)


def _change_records(call: Call, verb: Verb) -> Reply:
    body = call.parsed(StructuredRecords) if media.sends_structured(call.request) else call.parsed(Records)
    check = etags.if_match(call.request)
    wish = Wish(verb, rrset_id=call.path["recordset_id"], records=body.records, check=check)
    return _changed(call, recordsets.apply_one(call.core, call.ctx, call.path["zone_id"], wish))


# -------------------------------------------------------------------------------------------------------------- lists


@operation("GET", IN_ZONE, answers={200: RecordsetList}, list_of=LIST)
def list_recordsets(call: Call) -> Reply:
    """List the recordsets of a zone."""
    listing = recordsets.in_zone(call.core, call.ctx, call.path["zone_id"], call.filters(), call.page())
    return _listing(call, listing)


@operation("GET", "/v2/recordsets", answers={200: RecordsetList}, list_of=LIST)
def search_recordsets(call: Call) -> Reply:
    """List the recordsets of all of the project's zones, and those it made in zones shared with it."""
    return _listing(call, recordsets.everywhere(call.core, call.ctx, call.filters(), call.page()))


@operation("GET", "/v2/recordsets/<recordset_id>", answers={301: None})
def find_recordset(call: Call) -> Reply:
    """Where a recordset is: a redirection to it."""
    rrset_id = call.path["recordset_id"]
    zone_id = recordsets.zone_of(call.core, call.ctx, rrset_id)
    return Reply(status=301, headers={"Location": call.url(f"/v2/zones/{zone_id}/recordsets/{rrset_id}")})


def _listing(call: Call, listing: Listing) -> Reply:
    objects = media.wants_structured(call.request)
    items = [render(call, shown, objects) for shown in listing.shown]
    reply = call.listing("recordsets", items, listing.more, listing.total)
    return Reply(reply.body, reply.status, media.VARY, media.content_type(objects))


# ------------------------------------------------------------------------------------------------------------ answers


def _changed(call: Call, shown: Shown) -> Reply:
    return _reply(call, shown, 202 if shown.state[1] is Status.PENDING else 200)


def _reply(call: Call, shown: Shown, status: int, headers: Mapping[str, str] | None = None) -> Reply:
    objects = media.wants_structured(call.request)
    tag = {} if shown.deleted else {"ETag": tag_of(shown, objects)}
    return Reply(
        render(call, shown, objects), status, {**media.VARY, **tag, **(headers or {})}, media.content_type(objects)
    )


def tag_of(shown: Shown, objects: bool) -> str:
    return etags.etag(shown.rrset.version, *shown.state, "o" if objects else "")


def url_of(call: Call, shown: Shown) -> str:
    return call.url(f"/v2/zones/{shown.zone.id}/recordsets/{shown.rrset.id}")


def render(call: Call, shown: Shown, objects: bool) -> dict[str, Any]:
    rrset, (action, status) = shown.rrset, shown.state
    rrtype = rrset.rrtype
    return {
        "id": rrset.id,
        "zone_id": rrset.zone_id,
        "project_id": rrset.project_id,
        "name": rrset.name,
        "zone_name": shown.zone.name,
        "type": rrtypes.to_name(rrtype),
        "records": [
            structured.to_structured(rrtype, record.wire) if objects else record.text for record in rrset.records
        ],
        "description": rrset.description,
        "ttl": rrset.ttl,
        "status": status,
        "action": action,
        "version": rrset.version,
        "serial": rrset.serial,
        "created_at": timestamp(rrset.created_at),
        "updated_at": timestamp(rrset.updated_at),
        "links": {"self": url_of(call, shown)},
    }
