# SPDX-License-Identifier: Apache-2.0
"""What lists may show to a restricted token, as conditions of a query."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, func, or_, true
from sqlalchemy.sql.elements import SQLCoreOperations

from control.context import Grant, Scope
from control.storage.tables import rrsets
from fastmdns.rrtypes import by_name

ESCAPE = "!"


def zones_shown(scope: Scope, zone_name: SQLCoreOperations[str]) -> ColumnElement[bool]:
    """Zones that the token may read something of. zone_name: the column."""
    return or_(false(), *(_like(zone_name, grant.zone) for grant in scope.readable()))


def rrsets_shown(scope: Scope, zone_name: SQLCoreOperations[str]) -> ColumnElement[bool]:
    """Rrsets that the token may read, in a query that joins their zones."""
    return or_(false(), *(_covered(grant, zone_name) for grant in scope.readable()))


def _covered(grant: Grant, zone_name: SQLCoreOperations[str]) -> ColumnElement[bool]:
    conditions = [_like(zone_name, grant.zone)]
    if grant.name is not None:
        conditions.append(_like(rrsets.c.name, grant.name))
    if grant.types:
        conditions.append(rrsets.c.rrtype.in_([by_name(rrtype) for rrtype in grant.types]))
    return and_(*conditions)


def _like(column: SQLCoreOperations[str], pattern: str) -> ColumnElement[bool]:
    """Names with escapes are left out: an escaped dot is none, and SQL can't tell."""
    if pattern == "*":
        return true()
    escaped = pattern.replace(ESCAPE, ESCAPE * 2).replace("%", f"{ESCAPE}%").replace("_", f"{ESCAPE}_")
    return and_(
        func.lower(column).like(escaped.replace("*", "%"), escape=ESCAPE), column.not_like("%\\%", escape=ESCAPE)
    )
