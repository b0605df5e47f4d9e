# SPDX-License-Identifier: Apache-2.0
"""Quotas that were set for a project; the settings hold the defaults of all others."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from control.storage.database import unique
from control.storage.tables import quotas

# Made once, as each change asks it.
OF_PROJECT = select(quotas.c.resource, quotas.c.limit).where(quotas.c.project_id == bindparam("project"))


def of_project(tx: Connection, project_id: str) -> dict[str, int]:
    return {row.resource: row.limit for row in tx.execute(OF_PROJECT, {"project": project_id})}


def replace(tx: Connection, project_id: str, limits: Mapping[str, int]) -> None:
    for resource, limit in limits.items():
        tx.execute(delete(quotas).where(quotas.c.project_id == project_id, quotas.c.resource == resource))
        with unique("conflict", "another request sets the quotas of this project"):
            tx.execute(insert(quotas).values(project_id=project_id, resource=resource, limit=limit))


def reset(tx: Connection, project_id: str) -> None:
    tx.execute(delete(quotas).where(quotas.c.project_id == project_id))
