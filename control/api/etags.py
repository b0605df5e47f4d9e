# SPDX-License-Identifier: Apache-2.0
"""Entity tags (RFC 9110 §8.8.3): `"7.UP"` is version 7 of a thing whose last change, an UPDATE, is PENDING.

The version changes with what its owner wrote, the marks with what became of it. If-None-Match compares both, so a
poller sees a zone become ACTIVE; If-Match compares the version alone, so a zone that became ACTIVE between a client's
GET and its PATCH does not make the PATCH fail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Request
from werkzeug.http import parse_etags

from control.api.operations import Reply
from control.errors import Refused
from control.model import Action, Status

Check = Callable[[int], None]


def etag(version: int, action: Action, status: Status, more: str = "") -> str:
    """The tag with its quotes. more: letters for what else the answer shows."""
    return f'"{version}.{action[0]}{status[0]}{more}"'


def if_match(request: Request) -> Check:
    """A check of a thing's version against the request's If-Match, to be made where the thing is locked.

    Refused precondition_failed where the client has seen another version. `*` matches anything that exists.
    """
    wanted = parse_etags(request.headers.get("If-Match"))
    # The parser has None among the tags for what is no tag.
    versions = {tag.partition(".")[0] for tag in wanted.as_set(include_weak=True) if tag}

    def check(version: int) -> None:
        if wanted and not wanted.star_tag and str(version) not in versions:
            raise Refused("precondition_failed", f"If-Match names another version than {version}, the current one")

    return check


def unless_seen(request: Request, tag: str, body: Any) -> Reply:
    """The answer to a GET: 304 and no body where If-None-Match has the tag."""
    seen = parse_etags(request.headers.get("If-None-Match"))
    headers = {"ETag": tag}
    if seen and seen.contains_weak(tag.strip('"')):
        return Reply(None, 304, headers)
    return Reply(body, 200, headers)
