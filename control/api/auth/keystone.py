# SPDX-License-Identifier: Apache-2.0
"""auth = keystone: a Keystone says who asks, through keystonemiddleware.

The middleware is asked by each operation that needs an identity and does not stand in front of the application: so the
version document and health checks never wait for Keystone, and its refusals are answered as all others are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from flask import Request

from control.central.core import Core
from control.context import Context, roles
from control.errors import Refused, Unavailable

Setting = tuple[str, str | int | bool]


def authenticate(core: Core, request: Request, request_id: str) -> Context:
    """Refused unauthorized; Unavailable keystone_communication_failure where Keystone does not answer."""
    environ = _confirmed(_middleware(tuple(sorted(core.config.keystone.items()))), request)
    if environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE"):
        raise Refused("invalid_token_scope", "tokens of the system are not for projects: scope the token to a project")
    return Context(
        request_id,
        user_id=environ.get("HTTP_X_USER_ID"),
        project_id=environ.get("HTTP_X_PROJECT_ID"),
        roles=roles(*environ.get("HTTP_X_ROLES", "").split(",")),
        catalog=tuple(json.loads(environ.get("HTTP_X_SERVICE_CATALOG", "[]"))),
        token=request.headers.get("X-Auth-Token"),
    )


def _confirmed(middleware: Any, request: Request) -> dict[str, Any]:
    """The request's headers as the middleware leaves them: it drops what a client says of himself."""
    environ = {key: value for key, value in request.environ.items() if key != "wsgi.input"}
    statuses: list[str] = []
    for _ in middleware(environ, lambda status, headers, *_: statuses.append(status)):
        pass
    if statuses[0].startswith("503"):
        raise Unavailable("keystone_communication_failure", "Keystone does not answer, so it is not known who asks")
    if environ.get("HTTP_X_IDENTITY_STATUS") != "Confirmed":
        raise Refused("unauthorized", "The request you have made requires authentication.")
    return environ


def _accept(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What the middleware stands in front of."""
    start_response("204 No Content", [])
    return []


@cache
def _middleware(settings: tuple[Setting, ...]) -> Any:
    """One for each process and its settings. They are those of [keystone_authtoken], and no others are read."""
    # Imported here: it takes a second, and only those with a Keystone have installed it. It has no types.
    from keystonemiddleware import auth_token  # type: ignore[import-untyped]
    from oslo_config import cfg

    nothing_else = cfg.ConfigOpts()
    nothing_else([], default_config_files=[], default_config_dirs=[])
    conf = {"service_token_roles_required": True, **{key: str(value) for key, value in settings}}
    return auth_token.AuthProtocol(_accept, {**conf, "oslo_config_config": nothing_else})
