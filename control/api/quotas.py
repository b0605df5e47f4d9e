# SPDX-License-Identifier: Apache-2.0
"""Quotas of projects, and the limits that a caller is told."""

from __future__ import annotations

from control.api.call import Call
from control.api.operations import NOTHING, Reply, operation
from control.api.schemas.quotas import LimitsAnswer, QuotaAnswer, QuotaChange
from control.central import quotas

NAME_LENGTH = 255  # as Designate says it


@operation("GET", "/v2/quotas", answers={200: QuotaAnswer})
def get_own_quotas(call: Call) -> Reply:
    """The quotas of the caller's project."""
    return Reply(quotas.get(call.core, call.ctx, None))


@operation("GET", "/v2/quotas/<project>", answers={200: QuotaAnswer})
def get_quotas(call: Call) -> Reply:
    """The quotas of a project."""
    return Reply(quotas.get(call.core, call.ctx, call.path["project"]))


@operation("PATCH", "/v2/quotas/<project>", body=QuotaChange, answers={200: QuotaAnswer})
def update_quotas(call: Call) -> Reply:
    """Set some quotas of a project; -1 is no limit."""
    limits = call.parsed(QuotaChange).model_dump(exclude_unset=True)
    return Reply(quotas.update(call.core, call.ctx, call.path["project"], limits))


@operation("DELETE", "/v2/quotas/<project>", answers={204: NOTHING})
def reset_quotas(call: Call) -> Reply:
    """Give a project the default quotas again."""
    quotas.reset(call.core, call.ctx, call.path["project"])
    return Reply(status=204)


@operation("GET", "/v2/limits", answers={200: LimitsAnswer})
def get_limits(call: Call) -> Reply:
    """What the caller's project may have, and the limits of every request."""
    mine = quotas.of_caller(call.core, call.ctx)
    limits = {f"max_{name}": mine[name] for name in ("zones", "zone_recordsets", "zone_records", "recordset_records")}
    limits |= {"min_ttl": call.core.config.min_ttl, "max_page_limit": call.core.config.max_limit}
    return Reply(limits | {"max_zone_name_length": NAME_LENGTH, "max_recordset_name_length": NAME_LENGTH})
