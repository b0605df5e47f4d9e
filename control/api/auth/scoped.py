# SPDX-License-Identifier: Apache-2.0
"""Which operations a restricted token is let into at all. What it may do there is checked against its grants.

An operation that is new is shut for it, or open to grants over whole zones where it is about one zone.
"""

from __future__ import annotations

from dataclasses import replace

from control.api.operations import Operation
from control.context import Context
from control.errors import Refused

# Their code checks zone by zone and rrset by rrset.
CHECKED = (
    "/v2/zones",
    "/v2/zones/<zone_id>",
    "/v2/zones/<zone_id>/nameservers",
    "/v2/zones/<zone_id>/recordsets",
    "/v2/zones/<zone_id>/recordsets/<recordset_id>",
    "/v2/zones/<zone_id>/recordsets/<recordset_id>/records",
    "/v2/zones/<zone_id>/changes",
    "/v2/recordsets",
    "/v2/recordsets/<recordset_id>",
    "/v2/limits",
    "/v2/tokens/self",
)
OF_A_ZONE = "/v2/zones/<zone_id>/"


def narrowed(ctx: Context, operation: Operation) -> Context:
    """The caller as this operation may see him. Refused forbidden where it is not for restricted tokens."""
    if ctx.scope is None or operation.path in CHECKED:
        return ctx
    if operation.path.startswith(OF_A_ZONE):
        return replace(ctx, scope=ctx.scope.whole_zones())
    raise Refused("forbidden", "an API token can't do this: it is for zones and recordsets only")
