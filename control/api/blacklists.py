# SPDX-License-Identifier: Apache-2.0
"""/v2/blacklists: regular expressions of names that no zone may have, but those of admins."""

from __future__ import annotations

from control.api.call import Call
from control.api.kept import created, list_spec, listing, one, show
from control.api.operations import NOTHING, Reply, operation
from control.api.schemas.kept import BlacklistAnswer, BlacklistChange, BlacklistCreate, BlacklistList
from control.central import kept
from control.storage.kept import BLACKLISTS

ALL, ONE = "/v2/blacklists", "/v2/blacklists/<blacklist_id>"


@operation("POST", ALL, body=BlacklistCreate, answers={201: BlacklistAnswer})
def create_blacklist(call: Call) -> Reply:
    """Forbid the zones whose names, with the last dot, a regular expression is found in."""
    values = call.parsed(BlacklistCreate).model_dump()
    return created(show(call, BLACKLISTS, kept.create(call.core, call.ctx, BLACKLISTS, values)))


@operation("GET", ALL, answers={200: BlacklistList}, list_of=list_spec("pattern", sort_keys=("pattern",)))
def list_blacklists(call: Call) -> Reply:
    """List the forbidden patterns."""
    return listing(call, BLACKLISTS)


@operation("GET", ONE, answers={200: BlacklistAnswer})
def get_blacklist(call: Call) -> Reply:
    """Show a pattern."""
    return Reply(show(call, BLACKLISTS, one(call, BLACKLISTS)))


@operation("PATCH", ONE, body=BlacklistChange, answers={200: BlacklistAnswer})
def update_blacklist(call: Call) -> Reply:
    """Change a pattern. Zones that it would have forbidden stay."""
    current = one(call, BLACKLISTS)
    values = call.changes(BlacklistChange, show(call, BLACKLISTS, current))
    return Reply(show(call, BLACKLISTS, kept.update(call.core, call.ctx, BLACKLISTS, current.id, values)))


@operation("DELETE", ONE, answers={204: NOTHING})
def delete_blacklist(call: Call) -> Reply:
    """Remove a pattern."""
    kept.delete(call.core, call.ctx, BLACKLISTS, call.path["blacklist_id"])
    return Reply(status=204)
