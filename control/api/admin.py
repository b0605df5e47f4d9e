# SPDX-License-Identifier: Apache-2.0
"""/admin: quotas in their older shape, and reports over all projects. Only where the setting admin_api is on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from control.api.call import Call
from control.api.operations import NOTHING, Reply, operation
from control.api.schemas.admin import CountsAnswer, TenantAnswer, TenantsAnswer
from control.api.schemas.quotas import AdminQuotaAnswer, AdminQuotaChange
from control.central import quotas, reports
from control.context import Context

ANY_QUOTA, ANY_COUNT = "/admin/quotas/<project>", "/admin/reports/counts"


def _of_all(call: Call) -> Context:
    """The caller as one who asks for all projects, which nothing else here needs a header for."""
    call.core.policy.check(call.ctx, "all_tenants")
    return replace(call.ctx, all_projects=True)


@operation("GET", ANY_QUOTA, answers={200: AdminQuotaAnswer})
def get_admin_quotas(call: Call) -> Reply:
    """The quotas of any project."""
    return Reply({"quota": quotas.get(call.core, _of_all(call), call.path["project"])})


@operation("PATCH", ANY_QUOTA, body=AdminQuotaChange, answers={200: AdminQuotaAnswer})
def update_admin_quotas(call: Call) -> Reply:
    """Set some quotas of any project."""
    ctx, limits = _of_all(call), call.parsed(AdminQuotaChange).quota.model_dump(exclude_unset=True)
    return Reply({"quota": quotas.update(call.core, ctx, call.path["project"], limits)})


@operation("DELETE", ANY_QUOTA, answers={204: NOTHING})
def reset_admin_quotas(call: Call) -> Reply:
    """Give any project the default quotas again."""
    quotas.reset(call.core, _of_all(call), call.path["project"])
    return Reply(status=204)


@operation("GET", ANY_COUNT, answers={200: CountsAnswer})
def count_everything(call: Call) -> Reply:
    """How many zones, records and projects there are."""
    return Reply({"counts": [reports.counts(call.core, call.ctx, None)]})


@operation("GET", f"{ANY_COUNT}/<report>", answers={200: CountsAnswer})
def count_one_thing(call: Call) -> Reply:
    """How many there are of one thing: zones, records, tenants or zones_delayed_notify."""
    return Reply({"counts": [reports.counts(call.core, call.ctx, call.path["report"])]})


@operation("GET", "/admin/reports/tenants", answers={200: TenantsAnswer})
def list_tenants(call: Call) -> Reply:
    """The projects that have zones, and how many each."""
    found = reports.projects(call.core, call.ctx)
    tenants = [{"id": one, "zone_count": count, "links": _links(call, f"/{one}")} for one, count in found]
    return Reply({"tenants": tenants, "links": _links(call, ""), "metadata": {}})


@operation("GET", "/admin/reports/tenants/<project>", answers={200: TenantAnswer})
def get_tenant(call: Call) -> Reply:
    """The zones of a project by name."""
    project = call.path["project"]
    names = reports.zone_names(call.core, call.ctx, project)
    return Reply({"id": project, "zones_count": len(names), "zones": names, "links": _links(call, f"/{project}")})


def _links(call: Call, path: str) -> dict[str, Any]:
    return {"self": call.url(f"/admin/reports/tenants{path}")}
