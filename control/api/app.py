# SPDX-License-Identifier: Apache-2.0
"""The Flask application: a route for each operation, and what happens around each request.

request id → limits → identity → maintenance → wishes → view → answer; errors become JSON wherever they are raised
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import pydantic_core
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.middleware.proxy_fix import ProxyFix

from control.api import cors
from control.api.auth import builtin, keystone, none
from control.api.auth.scoped import narrowed
from control.api.auth.wishes import with_wishes
from control.api.call import Call, uuid_of
from control.api.errors import STATUS, body_of, keystone_body_of
from control.api.observe import observe
from control.api.operations import IDENTITY, JSON, OPERATIONS, Operation, Reply, offered
from control.api.paths import Paths, collections
from control.central.core import Core
from control.context import Context
from control.errors import ControlError, Refused, Unavailable
from fastmdns.server import logs

# Importing them fills OPERATIONS.
VIEWS = (
    "health",
    "versions",
    "zones",
    "recordsets",
    "changes",
    "documents",
    "shares",
    "transfers",
    "zone_tasks",
    "quotas",
    "floatingips",
    "pools",
    "tlds",
    "blacklists",
    "tsigkeys",
    "service_statuses",
    "admin",
    "identity",
    "tokens",
    "imports",
    "exports",
    "history",
)
Authenticator = Callable[[Core, Any, str], Context]
AUTHENTICATORS: dict[str, Authenticator] = {
    "none": none.authenticate,
    "builtin": builtin.authenticate,
    "keystone": keystone.authenticate,
}
# What werkzeug refuses by itself: status → code and message.
HTTP_CODES = {
    404: ("not_found", "there is nothing at this URL"),
    405: ("method_not_allowed", ""),
    413: ("request_too_large", "the body is larger than this request may have"),
}
# Whoever asks for something unknown below these says who he is first.
PRIVATE = ("/v2", "/admin")
RETRY_AFTER = {"maintenance": "60"}  # seconds
REQUEST_ID = re.compile(r"(req-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def create_app(core: Core) -> Flask:
    app = Flask("fastmdns", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # a redirect would lose the body
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default provider
    for name in VIEWS:
        import_module(f"control.api.{name}")
    for operation in offered(core.config.auth, core.config.admin_api):
        app.add_url_rule(
            operation.path,
            f"{operation.method} {operation.path}",
            _endpoint(core, operation),
            methods=[operation.method],
        )
    observe(app)
    app.before_request(partial(_begin, core))
    app.after_request(partial(_finish, core))
    app.register_error_handler(ControlError, partial(_refused, core))
    app.register_error_handler(HTTPException, partial(_http_error, core))
    app.register_error_handler(Exception, _unexpected)
    app.wsgi_app = _wsgi(core, app.wsgi_app)  # type: ignore[method-assign]  # Flask's way to wrap an application
    return app


def _wsgi(core: Core, app: Any) -> Any:
    """The application behind what mends URLs and, where proxies stand in front, who asked and for which host."""
    app = Paths(app, collections(operation.path for operation in OPERATIONS))
    count = core.config.proxies
    return ProxyFix(app, x_for=count, x_proto=count, x_host=count, x_port=count, x_prefix=count) if count else app


def _begin(core: Core) -> Response | None:
    """Gives the request its id. A valid one that came with it is the caller's own, and goes to the logs."""
    g.request_id = f"req-{uuid.uuid4()}"
    theirs = request.headers.get("X-Openstack-Request-Id", "")
    g.global_request_id = theirs if REQUEST_ID.fullmatch(theirs) else ""
    return cors.preflight(core.config.cors_origins, request)


def _endpoint(core: Core, operation: Operation) -> Callable[..., Response]:
    def endpoint(**path: str) -> Response:
        request.max_content_length = getattr(core.config, operation.max_body)
        ctx = Context(g.request_id) if operation.public else narrowed(_identified(core), operation)
        _check_accept(operation)
        ids = {key: uuid_of(value) if key.endswith("_id") else value for key, value in path.items()}
        return _answer(operation.view(Call(core, ctx, operation, request, ids)))

    return endpoint


def _identified(core: Core) -> Context:
    ctx = AUTHENTICATORS[core.config.auth](core, request, g.request_id)
    if core.config.maintenance_mode and core.config.maintenance_mode_role.lower() not in ctx.roles:
        raise Unavailable("maintenance", "the service is being maintained; please try again later")
    ctx = with_wishes(core, ctx, request)
    g.project_id = ctx.project_id
    return ctx


def _check_accept(operation: Operation) -> None:
    wanted, types = request.accept_mimetypes, operation.answer_types
    if wanted and types and wanted.best_match(types) is None:
        raise Refused("unsupported_accept", f"Accept allows none of what this can be had as: {', '.join(types)}")


def _answer(reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.body is None and reply.status in (204, 301, 304):
        return Response(status=reply.status, headers=headers)
    body = reply.body if reply.content_type.startswith("text/") else pydantic_core.to_json(reply.body)
    return Response(body, reply.status, headers, content_type=reply.content_type)


def _finish(core: Core, response: Response) -> Response:
    response.headers["X-Openstack-Request-Id"] = g.get("request_id", "")
    cors.add_headers(core.config.cors_origins, request, response)
    return response


# ------------------------------------------------------------------------------------------------------------- errors


def _refused(core: Core, error: ControlError) -> Response:
    """Clients of an identity expect Keystone's shape; and all do of a 401, which its middleware answers elsewhere."""
    in_keystones_words = error.code == "unauthorized" or request.path.startswith(IDENTITY)
    body = keystone_body_of(error) if in_keystones_words else body_of(error, g.request_id)
    answer = Response(pydantic_core.to_json(body), STATUS[error.code], content_type=JSON)
    if error.code in RETRY_AFTER:
        answer.headers["Retry-After"] = RETRY_AFTER[error.code]
    if answer.status_code == 401:
        answer.headers["WWW-Authenticate"] = f'Keystone uri="{_identity_uri(core)}"'
    return answer


def _identity_uri(core: Core) -> str:
    """Where tokens are to be had."""
    config = core.config
    if config.auth == "keystone":
        return str(config.keystone.get("www_authenticate_uri") or config.keystone["auth_url"])
    return (config.base_uri or request.root_url).rstrip("/") + IDENTITY


def _http_error(core: Core, error: HTTPException) -> Response:
    status = error.code or 500
    if status not in HTTP_CODES:
        return _json({"code": status, "type": "bad_request", "message": error.description, "request_id": g.request_id})
    try:
        if status in (404, 405) and request.path.startswith(PRIVATE):
            _identified(core)
    except ControlError as refusal:
        return _refused(core, refusal)
    answer = _refused(core, Refused(*HTTP_CODES[status]))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def _unexpected(error: Exception) -> Response:
    logs.failure(
        "request failed",
        request_id=g.request_id,
        global_request_id=g.global_request_id,
        method=request.method,
        path=request.path,
    )
    return _json({"code": STATUS["unknown"], "type": "unknown", "request_id": g.request_id})


def _json(body: dict[str, Any]) -> Response:
    return Response(pydantic_core.to_json(body), body["code"], content_type=JSON)
