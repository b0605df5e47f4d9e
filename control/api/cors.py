# SPDX-License-Identifier: Apache-2.0
"""Which pages of other origins browsers may let call the API (Fetch Standard §3.2).

Identity is in headers and never in cookies, so any origin may be allowed.
"""

from __future__ import annotations

from collections.abc import Collection

from flask import Request, Response

METHODS = "GET, PUT, POST, DELETE, PATCH, HEAD"
ALLOWED = (
    "Accept, Authorization, Content-Type, If-Match, If-None-Match, Prefer, X-OpenStack-Request-ID, X-Auth-Token,"
    " X-Subject-Token, X-Auth-All-Projects, X-Auth-Sudo-Project-ID, X-Auth-Sudo-Tenant-ID,"
    " X-Designate-Edit-Managed-Records, X-Designate-Hard-Delete, X-Designate-Delete-Shares, OpenStack-DNS-Hide-Counts"
)
EXPOSED = "X-OpenStack-Request-ID, Host, Location, ETag, Retry-After, X-Subject-Token"
MAX_AGE = "3600"  # seconds that a browser keeps the answer to a preflight


def preflight(origins: Collection[str], request: Request) -> Response | None:
    """The answer to a browser's question before the request itself; None for every other request."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    answer = Response(status=204)
    if allowed(origins, request):
        answer.headers["Access-Control-Allow-Methods"] = METHODS
        answer.headers["Access-Control-Allow-Headers"] = ALLOWED
        answer.headers["Access-Control-Max-Age"] = MAX_AGE
    return answer


def add_headers(origins: Collection[str], request: Request, answer: Response) -> None:
    """To every answer: whether the page that asked may read it."""
    if not origins:
        return
    answer.vary.add("Origin")
    if allowed(origins, request):
        answer.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else request.headers["Origin"]
        answer.headers["Access-Control-Expose-Headers"] = EXPOSED


def allowed(origins: Collection[str], request: Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is not None and ("*" in origins or origin in origins)
