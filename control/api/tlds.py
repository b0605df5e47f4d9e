# SPDX-License-Identifier: Apache-2.0
"""/v2/tlds: below which names there may be zones. None registered: below any."""

from __future__ import annotations

from control.api.call import Call
from control.api.kept import created, list_spec, listing, one, show
from control.api.operations import NOTHING, Reply, operation
from control.api.schemas.kept import TldAnswer, TldChange, TldCreate, TldList
from control.central import kept
from control.storage.kept import TLDS

ALL, ONE = "/v2/tlds", "/v2/tlds/<tld_id>"


@operation("POST", ALL, body=TldCreate, answers={201: TldAnswer})
def create_tld(call: Call) -> Reply:
    """Register a TLD; from the first one on, zones must be below one that is registered."""
    values = call.parsed(TldCreate).model_dump()
    return created(show(call, TLDS, kept.create(call.core, call.ctx, TLDS, values)))


@operation("GET", ALL, answers={200: TldList}, list_of=list_spec("name"))
def list_tlds(call: Call) -> Reply:
    """List the registered TLDs."""
    return listing(call, TLDS)


@operation("GET", ONE, answers={200: TldAnswer})
def get_tld(call: Call) -> Reply:
    """Show a TLD."""
    return Reply(show(call, TLDS, one(call, TLDS)))


@operation("PATCH", ONE, body=TldChange, answers={200: TldAnswer})
def update_tld(call: Call) -> Reply:
    """Change a TLD."""
    current = one(call, TLDS)
    values = call.changes(TldChange, show(call, TLDS, current))
    return Reply(show(call, TLDS, kept.update(call.core, call.ctx, TLDS, current.id, values)))


@operation("DELETE", ONE, answers={204: NOTHING})
def delete_tld(call: Call) -> Reply:
    """Remove a TLD. Zones below it stay."""
    kept.delete(call.core, call.ctx, TLDS, call.path["tld_id"])
    return Reply(status=204)
