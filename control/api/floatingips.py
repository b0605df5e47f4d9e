# SPDX-License-Identifier: Apache-2.0
"""/v2/reverse/floatingips: the PTR records of the caller's floating IPs."""

from __future__ import annotations

from typing import Any

from control.api.call import Call
from control.api.operations import Reply, operation
from control.api.schemas.floatingips import FloatingIpAnswer, FloatingIpChange, FloatingIpList
from control.central import floatingips
from control.central.floatingips import Shown, Wanted
from control.model import rrset_state

ALL, ONE = "/v2/reverse/floatingips", "/v2/reverse/floatingips/<key>"


@operation("GET", ALL, answers={200: FloatingIpList})
def list_floatingips(call: Call) -> Reply:
    """List the floating IPs of the caller's project, with their PTR records."""
    found = floatingips.of_caller(call.core, call.ctx)
    return Reply({"floatingips": [_show(call, shown) for shown in found], "links": {"self": call.url(ALL)}})


@operation("GET", ONE, answers={200: FloatingIpAnswer})
def get_floatingip(call: Call) -> Reply:
    """Show a floating IP; it is named REGION:ID."""
    return Reply(_show(call, floatingips.get(call.core, call.ctx, call.path["key"])))


@operation("PATCH", ONE, body=FloatingIpChange, answers={202: FloatingIpAnswer})
def update_floatingip(call: Call) -> Reply:
    """Set the PTR record of a floating IP; without ptrdname, or with null, it is removed."""
    body, key = call.parsed(FloatingIpChange), call.path["key"]
    if body.ptrdname is None:
        # Designate answers null, at which openstacksdk's unset_floating_ip dies.
        return Reply(_show(call, floatingips.unset_ptr(call.core, call.ctx, key)), 202)
    wanted = Wanted(body.ptrdname, body.ttl, body.description)
    return Reply(_show(call, floatingips.set_ptr(call.core, call.ctx, key, wanted)), 202)


def _show(call: Call, shown: Shown) -> dict[str, Any]:
    ip, rrset = shown.ip, shown.rrset
    key = f"{ip.region}:{ip.id}"
    action, status = rrset_state(rrset, shown.zone) if rrset and shown.zone else ("NONE", "INACTIVE")
    return {
        "id": key,
        "address": ip.address,
        "ptrdname": rrset.records[0].text if rrset else None,
        "description": rrset.description if rrset else None,
        "ttl": rrset.ttl if rrset else None,
        "action": action,
        "status": status,
        "links": {"self": call.url(f"{ALL}/{key}")},
    }
