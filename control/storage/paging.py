# SPDX-License-Identifier: Apache-2.0
"""Pages of a list, by keyset: a page begins behind its marker, so the millionth page costs what the first one does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Select, and_, func, or_, select, tuple_

from control.errors import Refused


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What the client asked for, checked. sort_key: a key of the list's columns; marker: the last id it has."""

    limit: int = 20
    marker: str | None = None
    sort_key: str = "created_at"
    descending: bool = False


def paged(tx: Connection, query: Select[Any], page: PageRequest, columns: Mapping[str, Any]) -> Select[Any]:
    """The query, ordered and cut to limit + 1 rows: the one more tells that there is a next page.

    columns: sort key → column, with `id`. Refused marker_not_found where the marker is nothing in the table.
    """
    order = _order(page, columns)
    if page.marker is not None:
        query = query.where(behind(tx, order, _place(tx, page.marker, order, columns["id"]), page.descending))
    return query.order_by(*(column.desc() if page.descending else column for column in order)).limit(page.limit + 1)


def _order(page: PageRequest, columns: Mapping[str, Any]) -> list[Any]:
    """The sort key, then the id that makes it unique."""
    column = columns[page.sort_key]
    return [columns["id"]] if page.sort_key == "id" else [_never_null(column), columns["id"]]


def _never_null(column: Any) -> Any:
    """Nulls are the least, with every database; columns that can't be null keep their index."""
    if not getattr(column, "nullable", False):
        return column
    return func.coalesce(column, datetime(1970, 1, 1) if isinstance(column.type, DateTime) else -1)


def _place(tx: Connection, marker: str, order: list[Any], id_column: Any) -> tuple[Any, ...]:
    row = tx.execute(select(*order).where(id_column == marker)).one_or_none()
    if row is None:
        raise Refused("marker_not_found", f"Marker {marker} could not be found")
    return tuple(row)


def behind(tx: Connection, order: Sequence[Any], place: Sequence[Any], descending: bool = False) -> Any:
    """(a, b) > (x, y), so that each database enters its index there even where a million rows share their a.

    MariaDB makes ranges of the condition written out and none of a row; the others do it the other way round.
    """
    if len(order) > 1 and tx.dialect.name in ("sqlite", "postgresql"):
        row, start = tuple_(*order), tuple_(*place)
        return row < start if descending else row > start
    last, value = order[-1], place[-1]
    condition = last < value if descending else last > value
    if len(order) == 1:
        return condition
    first, least = order[0], place[0]
    return or_(first < least if descending else first > least, and_(first == least, condition))
