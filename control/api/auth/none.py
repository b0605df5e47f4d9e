# SPDX-License-Identifier: Apache-2.0
"""auth = none: the headers are believed. For trials, and behind something that has checked who asks."""

from __future__ import annotations

from flask import Request

from control.central.core import Core
from control.context import Context, roles


def authenticate(core: Core, request: Request, request_id: str) -> Context:
    headers = request.headers
    return Context(
        request_id,
        user_id=headers.get("X-Auth-User-ID", "noauth-user"),
        project_id=headers.get("X-Auth-Project-ID", "noauth-project"),
        roles=roles(*headers.get("X-Roles", "admin").split(",")),
        token=headers.get("X-Auth-Token"),
    )
