# SPDX-License-Identifier: Apache-2.0
"""auth = builtin: our own identity says who asks, by X-Auth-Token, Bearer or HTTP Basic (RFC 7617).

A Basic user is in his default project, or in the one that X-Auth-Project-ID names.
"""

from __future__ import annotations

from flask import Request

from control import scopes
from control.central.core import Core
from control.context import Context
from control.errors import Refused
from control.identity import apitokens, passwords, sessions
from control.storage.tokens import Holder

_remembered = passwords.Remembered()


def authenticate(core: Core, request: Request, request_id: str) -> Context:
    """Refused unauthorized; forbidden where a token is used from elsewhere than it may be."""
    found, token = _holder(core, request)
    scope = scopes.from_json(found.token.scope) if found.token.scope is not None else None
    if scope is not None:
        if not scope.allows_address(request.remote_addr):
            raise Refused("forbidden", f"this token may not be used from {request.remote_addr}")
        apitokens.note_use(core, found)
    return Context(
        request_id,
        user_id=found.token.user_id,
        project_id=found.token.project_id,
        roles=found.roles,
        scope=scope,
        token=token,
    )


def _holder(core: Core, request: Request) -> tuple[Holder, str | None]:
    given = request.authorization
    if given is not None and given.type == "basic" and "X-Auth-Token" not in request.headers:
        project = request.headers.get("X-Auth-Project-ID")
        name, password = given.username or "", given.password or ""
        return sessions.holder_by_password(core, name, password, project, _remembered), None
    bearer = given.token if given is not None and given.type == "bearer" else None
    token = request.headers.get("X-Auth-Token") or bearer
    if not token:
        raise sessions.unauthorized()
    return sessions.holder(core, token.strip()), token.strip()
