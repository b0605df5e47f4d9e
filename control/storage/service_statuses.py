# SPDX-License-Identifier: Apache-2.0
"""The processes that say they are alive: one row for each service on each host, however often it says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, update

from control.storage.database import unique
from control.storage.ids import new_id
from control.storage.tables import service_statuses


def heartbeat(
    tx: Connection,
    service_name: str,
    hostname: str,
    now: datetime,
    *,
    status: str = "UP",
    stats: Mapping[str, object] | None = None,
    capabilities: Mapping[str, object] | None = None,
) -> None:
    """status: UP, or what else the process says of itself: WARNING, STOPPED."""
    values = {"status": status, "stats": stats or {}, "capabilities": capabilities or {}, "heartbeated_at": now}
    mine = service_statuses.c.service_name == service_name, service_statuses.c.hostname == hostname
    if tx.execute(update(service_statuses).where(*mine).values(**values, updated_at=now)).rowcount:
        return
    with unique("conflict", f"another {service_name} on {hostname} says at this moment that it is alive"):
        names = {"id": new_id(), "service_name": service_name, "hostname": hostname, "created_at": now}
        tx.execute(insert(service_statuses).values(**names, **values))
