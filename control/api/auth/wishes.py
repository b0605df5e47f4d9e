# SPDX-License-Identifier: Apache-2.0
"""What a request asks beyond its identity's own view, by header or query, each allowed by a policy rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Request

from control.api.call import is_true
from control.central.core import Core
from control.context import Context

# Field of the Context → its header, its twins in the query, and the rule that allows it.
WISHES = {
    "all_projects": ("X-Auth-All-Projects", ("all_projects", "all_tenants"), "all_tenants"),
    "edit_managed": ("X-Designate-Edit-Managed-Records", ("edit_managed_records",), "edit_managed_records"),
    "hard_delete": ("X-Designate-Hard-Delete", (), "hard_delete"),
    "delete_shares": ("X-Designate-Delete-Shares", (), None),
    "hide_counts": ("OpenStack-DNS-Hide-Counts", (), None),
    "dry_run": ("", ("dry_run",), None),
}
SUDO_HEADERS = ("X-Auth-Sudo-Project-ID", "X-Auth-Sudo-Tenant-ID")


def with_wishes(core: Core, ctx: Context, request: Request) -> Context:
    """The context with what was asked. Refused forbidden where a rule doesn't allow it."""
    granted: dict[str, Any] = {}
    for field, (header, queries, rule) in WISHES.items():
        asked = [request.headers.get(header) if header else None, *(request.args.get(query) for query in queries)]
        if any(is_true(value) for value in asked):
            if rule:
                core.policy.check(ctx, rule)
            granted[field] = True
    ctx = replace(ctx, **granted)
    sudo = next((value for header in SUDO_HEADERS if (value := request.headers.get(header))), None)
    if sudo and sudo != ctx.project_id:  # openstacksdk names the caller's own project, too
        core.policy.check(ctx, "use_sudo")
        ctx = replace(ctx, original_project_id=ctx.project_id, project_id=sudo)
    return ctx
