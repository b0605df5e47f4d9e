# SPDX-License-Identifier: Apache-2.0
"""One log line and one count for each request, once its answer has been written."""

from __future__ import annotations

from functools import partial
from time import perf_counter

from flask import Flask, Response, g, request

from control import metrics
from fastmdns.server import logs


def observe(app: Flask) -> None:
    """Registers the hooks; the one that begins must be the first that runs."""
    app.before_request(_begin)
    app.after_request(_answered)


def _begin() -> None:
    g.started = perf_counter()


def _answered(response: Response) -> Response:
    fields = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "request_id": g.get("request_id", ""),
        "global_request_id": g.get("global_request_id") or "-",
        "project": g.get("project_id") or "-",
        "peer": request.remote_addr or "-",
    }
    # An unknown path is one route, whatever it is, or anyone could make as many as they like.
    route = request.url_rule.rule if request.url_rule else "-"
    response.call_on_close(partial(_closed, g.started, route, fields))
    return response


def _closed(started: float, route: str, fields: dict[str, object]) -> None:
    seconds = perf_counter() - started
    metrics.http_requests.labels(fields["method"], route, fields["status"]).inc()
    metrics.http_seconds.labels(fields["method"], route).observe(seconds)
    logs.info("request answered", **fields, ms=seconds * 1000)
