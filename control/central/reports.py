# SPDX-License-Identifier: Apache-2.0
"""What an admin is told of all projects together."""

from __future__ import annotations

from control.central.core import Core
from control.context import Context
from control.errors import Refused
from control.storage import reports

# Report → the rule that allows it. What is counted is nobody's own, so the rules for one project's don't hold.
RULES = {
    "zones": "count_zones",
    "records": "count_records",
    "tenants": "count_tenants",
    "zones_delayed_notify": "count_zones_pending_notify",
}
TOGETHER = ("zones", "records", "tenants")


def counts(core: Core, ctx: Context, name: str | None) -> dict[str, int]:
    """One count, or without a name those that are told together."""
    names = TOGETHER if name is None else (name,)
    if not RULES.keys() >= set(names):
        raise Refused("report_not_found", f"there is no report {name}: {', '.join(RULES)}")
    for each in names:
        core.policy.check(ctx, RULES[each], project_id=None)
    return core.db.read(lambda tx: reports.counts(tx, names))


def projects(core: Core, ctx: Context) -> list[tuple[str, int]]:
    core.policy.check(ctx, "find_tenants")
    return core.db.read(reports.projects)


def zone_names(core: Core, ctx: Context, project_id: str) -> list[str]:
    core.policy.check(ctx, "get_tenant")
    return core.db.read(lambda tx: reports.zone_names(tx, project_id))
