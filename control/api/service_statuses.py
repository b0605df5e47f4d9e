# SPDX-License-Identifier: Apache-2.0
"""/v2/service_statuses, and its older name /v2/service_status: which processes are alive."""

from __future__ import annotations

from control.api.call import Call
from control.api.kept import list_spec, listing, one, show
from control.api.operations import Reply, operation
from control.api.schemas.kept import ServiceStatusAnswer, ServiceStatusList
from control.storage.kept import SERVICE_STATUSES

LIST = list_spec("hostname", "service_name", "status", sort_keys=("hostname", "service_name", "status"))


@operation("GET", "/v2/service_statuses", answers={200: ServiceStatusList}, list_of=LIST)
def list_service_statuses(call: Call) -> Reply:
    """List the services of each host, and when each said last that it is alive."""
    return listing(call, SERVICE_STATUSES)


@operation("GET", "/v2/service_statuses/<service_status_id>", answers={200: ServiceStatusAnswer})
def get_service_status(call: Call) -> Reply:
    """Show one service on one host."""
    return Reply(show(call, SERVICE_STATUSES, one(call, SERVICE_STATUSES)))


@operation("GET", "/v2/service_status", answers={200: ServiceStatusList}, list_of=LIST)
def list_service_status(call: Call) -> Reply:
    """The same list by its older name."""
    return listing(call, SERVICE_STATUSES)


@operation("GET", "/v2/service_status/<service_status_id>", answers={200: ServiceStatusAnswer})
def get_one_service_status(call: Call) -> Reply:
    """The same service by its older name."""
    return Reply(show(call, SERVICE_STATUSES, one(call, SERVICE_STATUSES)))
