# SPDX-License-Identifier: Apache-2.0
"""What operators keep, each kind a table of its own: found, listed, stored and deleted by the same six functions.

A kind is a row of facts (Kept). Its model has the names of the columns; what lies in further tables is fetched by load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Row, Select, Table, delete, insert, select, update

from control.errors import Refused
from control.model import Blacklist, Scope, ServiceStatus, Tld, TsigKey
from control.names import key_of, with_dot
from control.storage.database import unique
from control.storage.filters import text_is
from control.storage.paging import PageRequest, paged
from control.storage.tables import blacklists, service_statuses, tlds, tsigkeys

T = TypeVar("T")
Load = Callable[[Connection, Sequence[Row[Any]]], list[T]]


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """code: as in tld_not_found and create_tld; plural: as in /v2/tlds and find_tlds; word: in messages."""

    code: str
    plural: str
    word: str
    table: Table
    columns: tuple[str, ...]
    load: Load[T]


def names_of(model: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(model))


def _tlds(tx: Connection, rows: Sequence[Row[Any]]) -> list[Tld]:
    return [Tld(**row._mapping) for row in rows]


def _blacklists(tx: Connection, rows: Sequence[Row[Any]]) -> list[Blacklist]:
    return [Blacklist(**row._mapping) for row in rows]


def _tsigkeys(tx: Connection, rows: Sequence[Row[Any]]) -> list[TsigKey]:
    return [TsigKey(**{**row._mapping, "scope": Scope(row.scope)}) for row in rows]


def _service_statuses(tx: Connection, rows: Sequence[Row[Any]]) -> list[ServiceStatus]:
    return [ServiceStatus(**row._mapping) for row in rows]


TLDS = Kept("tld", "tlds", "Tld", tlds, names_of(Tld), _tlds)
BLACKLISTS = Kept("blacklist", "blacklists", "Blacklist", blacklists, names_of(Blacklist), _blacklists)
TSIGKEYS = Kept("tsigkey", "tsigkeys", "TsigKey", tsigkeys, names_of(TsigKey), _tsigkeys)
SERVICE_STATUSES = Kept(
    "service_status", "service_statuses", "ServiceStatus", service_statuses, names_of(ServiceStatus), _service_statuses
)


def get(tx: Connection, kind: Kept[T], thing_id: str, *, locked: bool = False) -> T:
    """Refused …_not_found where there is none; locked: nobody else changes it until the transaction's end."""
    query = _all(kind).where(kind.table.c.id == thing_id)
    found = kind.load(tx, tx.execute(query.with_for_update() if locked else query).all())
    if not found:
        raise Refused(f"{kind.code}_not_found", f"Could not find {kind.word}")
    return found[0]


def page_of(tx: Connection, kind: Kept[T], filters: Mapping[str, str], page: PageRequest) -> tuple[list[T], bool]:
    """One page, and whether there is another. filters: column → what it is, with * for anything."""
    query = _all(kind).where(*(text_is(kind.table.c[name], wanted) for name, wanted in filters.items()))
    rows = tx.execute(paged(tx, query, page, dict(kind.table.c.items()))).all()
    return kind.load(tx, rows[: page.limit]), len(rows) > page.limit


def everything(tx: Connection, kind: Kept[T]) -> list[T]:
    return kind.load(tx, tx.execute(_all(kind).order_by(kind.table.c.id)).all())


def add(tx: Connection, kind: Kept[Any], values: Mapping[str, Any]) -> None:
    """Refused duplicate_… where a unique value is taken."""
    with unique(f"duplicate_{kind.code}", f"Duplicate {kind.word}"):
        tx.execute(insert(kind.table).values(**_with_key(kind, values)))


def alter(tx: Connection, kind: Kept[Any], thing_id: str, values: Mapping[str, Any]) -> None:
    with unique(f"duplicate_{kind.code}", f"Duplicate {kind.word}"):
        tx.execute(update(kind.table).where(kind.table.c.id == thing_id).values(**_with_key(kind, values)))


def remove(tx: Connection, kind: Kept[Any], thing_id: str) -> None:
    tx.execute(delete(kind.table).where(kind.table.c.id == thing_id))


def _with_key(kind: Kept[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A name that is a domain name comes with its key, whatever its last dot."""
    keyed = "name_key" in kind.table.c and "name" in values
    return {**values, "name_key": key_of(with_dot(values["name"]))} if keyed else dict(values)


def _all(kind: Kept[Any]) -> Select[Any]:
    return select(*(kind.table.c[name] for name in kind.columns))
