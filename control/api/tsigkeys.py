# SPDX-License-Identifier: Apache-2.0
"""/v2/tsigkeys: the keys that transfers of a pool's zones, or of one zone, are signed with."""

from __future__ import annotations

from typing import Any

from control.api.call import Call, uuid_of
from control.api.kept import created, list_spec, listing, one, show
from control.api.operations import NOTHING, Reply, operation
from control.api.schemas.kept import TsigKeyAnswer, TsigKeyChange, TsigKeyCreate, TsigKeyList
from control.central import tsigkeys
from control.model import TsigKey
from control.storage.kept import TSIGKEYS, Kept

ALL, ONE = "/v2/tsigkeys", "/v2/tsigkeys/<tsigkey_id>"


@operation("POST", ALL, body=TsigKeyCreate, answers={201: TsigKeyAnswer})
def create_tsigkey(call: Call) -> Reply:
    """Store a TSIG key for a pool or a zone."""
    wanted = _with_id(call.parsed(TsigKeyCreate).model_dump())
    return created(_show(call, TSIGKEYS, tsigkeys.create(call.core, call.ctx, wanted)))


@operation("GET", ALL, answers={200: TsigKeyList}, list_of=list_spec("name", "algorithm", "scope"))
def list_tsigkeys(call: Call) -> Reply:
    """List the TSIG keys, with their secrets."""
    return listing(call, TSIGKEYS, _show)


@operation("GET", ONE, answers={200: TsigKeyAnswer})
def get_tsigkey(call: Call) -> Reply:
    """Show a TSIG key, with its secret."""
    return Reply(_show(call, TSIGKEYS, one(call, TSIGKEYS)))


@operation("PATCH", ONE, body=TsigKeyChange, answers={200: TsigKeyAnswer})
def update_tsigkey(call: Call) -> Reply:
    """Change a TSIG key."""
    current = one(call, TSIGKEYS)
    wanted = _with_id(call.changes(TsigKeyChange, _show(call, TSIGKEYS, current)))
    return Reply(_show(call, TSIGKEYS, tsigkeys.update(call.core, call.ctx, current.id, wanted)))


@operation("DELETE", ONE, answers={204: NOTHING})
def delete_tsigkey(call: Call) -> Reply:
    """Delete a TSIG key. What is signed with it is refused from then on."""
    tsigkeys.delete(call.core, call.ctx, call.path["tsigkey_id"])
    return Reply(status=204)


def _with_id(values: dict[str, Any]) -> dict[str, Any]:
    return {key: uuid_of(value) if key == "resource_id" else value for key, value in values.items()}


def _show(call: Call, kind: Kept[TsigKey], key: TsigKey) -> dict[str, Any]:
    return {**show(call, kind, key), "secret": tsigkeys.secret_of(call.core, key)}
