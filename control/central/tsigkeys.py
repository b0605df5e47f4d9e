# SPDX-License-Identifier: Apache-2.0
"""TSIG keys. Their secrets are sealed on the way into the database, and opened for admins and for what signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from control import secrets
from control.central import kept as central_kept
from control.central.core import Core
from control.context import Context
from control.errors import Refused, refuse_if_any
from control.model import Scope, TsigKey
from control.rules.kept import tsigkey_problems
from control.storage import kept, pools, zones
from control.storage.ids import new_id
from control.storage.kept import TSIGKEYS


def create(core: Core, ctx: Context, wanted: Mapping[str, Any]) -> TsigKey:
    core.policy.check(ctx, "create_tsigkey")
    refuse_if_any(tsigkey_problems(wanted))
    row = {"id": new_id(), "created_at": core.clock(), **wanted}

    def work(tx: Connection) -> TsigKey:
        _check_resource(tx, row["scope"], row["resource_id"])
        kept.add(tx, TSIGKEYS, _stored(core, row["id"], row))
        return kept.get(tx, TSIGKEYS, row["id"])

    return core.write(ctx, work)


def update(core: Core, ctx: Context, key_id: str, wanted: Mapping[str, Any]) -> TsigKey:
    core.policy.check(ctx, "update_tsigkey")
    refuse_if_any(tsigkey_problems(wanted))

    def work(tx: Connection) -> TsigKey:
        old = kept.get(tx, TSIGKEYS, key_id, locked=True)
        new = {key: value for key, value in wanted.items() if value != _current(core, old, key)}
        if not new:
            return old
        _check_resource(tx, new.get("scope", old.scope), new.get("resource_id", old.resource_id))
        kept.alter(tx, TSIGKEYS, key_id, {**_stored(core, key_id, new), "updated_at": core.clock()})
        return kept.get(tx, TSIGKEYS, key_id)

    return core.write(ctx, work)


def secret_of(core: Core, key: TsigKey) -> str:
    """In base64, as its owner gave it."""
    return _box(core).open(key.secret, _place(key.id))


def reseal(core: Core) -> int:
    """Seals every secret with the first of the keys → how many there are. Then older keys may go."""

    def work(tx: Connection) -> int:
        keys = kept.everything(tx, TSIGKEYS)
        for key in keys:
            kept.alter(tx, TSIGKEYS, key.id, {"secret": _box(core).seal(secret_of(core, key), _place(key.id))})
        return len(keys)

    return core.db.write(work)


def delete(core: Core, ctx: Context, key_id: str) -> None:
    central_kept.delete(core, ctx, TSIGKEYS, key_id)


def _check_resource(tx: Connection, scope: Scope, resource_id: str) -> None:
    """Refused where no pool or zone, as the scope says, has this id."""
    find = pools.get if scope is Scope.POOL else zones.get
    try:
        find(tx, resource_id)
    except Refused:
        message = f"resource_id: there is no {scope.lower()} {resource_id}"
        raise Refused("invalid_tsigkey", message) from None


def _stored(core: Core, key_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the columns hold them."""
    sealed = {"secret": _box(core).seal(values["secret"], _place(key_id))} if "secret" in values else {}
    return {**values, **sealed}


def _current(core: Core, key: TsigKey, field: str) -> object:
    return secret_of(core, key) if field == "secret" else getattr(key, field)


def _box(core: Core) -> secrets.Box:
    return secrets.box(core.config.secret_key, core.db.file)


def _place(key_id: str) -> str:
    return f"tsigkeys/{key_id}"
