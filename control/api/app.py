# SPDX-License-Identifier: Apache-2.0
"""The Flask application: a route for each operation, and what happens around each request.

request id → limits → identity → wishes → view → answer; errors become JSON wherever they are raised
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pydantic_core
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from control.api.auth import none
from control.api.auth.wishes import with_wishes
from control.api.call import Call, uuid_of
from control.api.errors import STATUS, body_of
from control.api.observe import observe
from control.api.operations import JSON, OPERATIONS, Operation, Reply
from control.central.core import Core
from control.context import Context
from control.errors import ControlError, Refused
from fastmdns.server import logs

# Importing them fills OPERATIONS.
VIEWS = (
    "versions",
    "zones",
    "recordsets",
    "changes",
    "documents",
    "shares",
    "transfers",
    "zone_tasks",
)
AUTHENTICATORS: dict[str, Callable[[Core, Any, str], Context]] = {"none": none.authenticate}
# What werkzeug refuses by itself.
HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "request_too_large", 406: "unsupported_accept"}


def create_app(core: Core) -> Flask:
    app = Flask("fastmdns", static_folder=None)
    app.url_map.strict_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default provider
    for name in VIEWS:
        import_module(f"control.api.{name}")
    for operation in OPERATIONS:
        app.add_url_rule(
            operation.path,
            f"{operation.method} {operation.path}",
            _endpoint(core, operation),
            methods=[operation.method],
        )
    observe(app)
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(ControlError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    return app


def _begin() -> None:
    g.request_id = f"req-{uuid.uuid4()}"


def _endpoint(core: Core, operation: Operation) -> Callable[..., Response]:
    authenticate = AUTHENTICATORS[core.config.auth]

    def endpoint(**path: str) -> Response:
        request.max_content_length = getattr(core.config, operation.max_body)
        if operation.public:
            ctx = Context(g.request_id)
        else:
            ctx = with_wishes(core, authenticate(core, request, g.request_id), request)
        g.project_id = ctx.project_id
        ids = {key: uuid_of(value) if key.endswith("_id") else value for key, value in path.items()}
        return _answer(operation.view(Call(core, ctx, operation, request, ids)))

    return endpoint


def _answer(reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.body is None and reply.status in (204, 301, 304):
        return Response(status=reply.status, headers=headers)
    body = reply.body if reply.content_type.startswith("text/") else pydantic_core.to_json(reply.body)
    return Response(body, reply.status, headers, content_type=reply.content_type)


def _finish(response: Response) -> Response:
    response.headers["X-Openstack-Request-Id"] = g.get("request_id", "")
    return response


# ------------------------------------------------------------------------------------------------------------- errors


def _refused(error: ControlError) -> Response:
    return _json(body_of(error, g.request_id))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    code = HTTP_CODES.get(status)
    if code is None:
        return _json({"code": status, "type": "bad_request", "message": error.description, "request_id": g.request_id})
    return _refused(Refused(code, "" if status == 405 else error.description or ""))


def _unexpected(error: Exception) -> Response:
    logs.failure("request failed", request_id=g.request_id, method=request.method, path=request.path)
    return _json({"code": STATUS["unknown"], "type": "unknown", "request_id": g.request_id})


def _json(body: dict[str, Any]) -> Response:
    return Response(pydantic_core.to_json(body), body["code"], content_type=JSON)
