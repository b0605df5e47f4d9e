# SPDX-License-Identifier: Apache-2.0
"""Lists of rrsets: of one zone, of a project, of everyone; filtered, sorted, paged and counted.

Each filter becomes a range of an index wherever it can: an exact name and `*.example.org.` by the canonical key, text
before the first `*` by the text itself. `*` is the only wildcard; whatever else stands in a value stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection, Select, and_, case, exists, false, func, not_, or_, select, union_all

from control.context import Scope
from control.errors import Refused
from control.model import SOA, Rrset, Status, Zone
from control.names import key_of, keys_above, with_dot
from control.storage import rrsets as stored
from control.storage import zones as zone_rows
from control.storage.paging import PageRequest, paged
from control.storage.scoping import rrsets_shown
from control.storage.tables import ALIVE, DATA_HEAD, records, rrsets, shared_zones, zones
from control.storage.zones import key_end
from fastmdns import rrtypes
from fastmdns.errors import TextError

MAX_CHARACTER = "\U0010ffff"
ESCAPE = "!"
FEW = 1000  # zones in one condition
MAX_TTL = 2147483647
# Types in the order of their names; those without one come last.
TYPE_ORDER = case(
    {number: at for at, (_, number) in enumerate(sorted((row.name, row.number) for row in rrtypes.rows()))},
    value=rrsets.c.rrtype,
    else_=1000 + rrsets.c.rrtype,
)
SORT_COLUMNS: Mapping[str, Any] = {
    "created_at": rrsets.c.created_at,
    "id": rrsets.c.id,
    "updated_at": rrsets.c.updated_at,
    "zone_id": rrsets.c.zone_id,
    "tenant_id": rrsets.c.project_id,
    "name": rrsets.c.name,
    "type": TYPE_ORDER,
    "ttl": rrsets.c.ttl,
}


@dataclass(frozen=True, slots=True)
class Where:
    """Which rrsets. project None: everyone's; zone None: of all zones. filters: by the API's names for them.

    scope: of a restricted token; waiting: ids of the only zones that a filter by status leaves, where they are few.
    A deleted zone has no rrsets.
    """

    project: str | None = None
    zone: Zone | None = None
    scope: Scope | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    waiting: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    rrsets: list[Rrset]
    zones: dict[str, Zone]  # of these rrsets, by id
    more: bool


def find(tx: Connection, where: Where, page: PageRequest) -> Found:
    """One page."""
    query = _page(tx, where, page)
    rows = stored.fetch(tx, query, [where.zone] if where.zone else ())
    found = {where.zone.id: where.zone} if where.zone else _zones_of(tx, rows)
    shown = [_as_of(rrset, found[rrset.zone_id]) for rrset in rows[: page.limit] if rrset.zone_id in found]
    return Found(shown, found, len(rows) > page.limit)


def _as_of(rrset: Rrset, zone: Zone) -> Rrset:
    return stored.as_of(rrset, zone) if rrset.rrtype == SOA else rrset


def count(tx: Connection, where: Where) -> int:
    """How many there are on all pages. Without filters the zones know it."""
    plain = not where.filters and where.scope is None
    if plain and where.zone:
        return where.zone.rrset_count
    guests = _guest_zones(tx, where)
    where = _with_waiting(tx, where, guests)
    scopes = _scopes(where, guests)
    total = 0
    if plain:
        total, scopes = _count_owned(tx, where.project), scopes[1:]
    return total + sum(int(tx.execute(_query(where, scope, func.count())).scalar_one()) for scope in scopes)


def _count_owned(tx: Connection, project: str | None) -> int:
    owned = [] if project is None else [zones.c.project_id == project]
    return int(tx.execute(select(func.sum(zones.c.rrset_count)).where(zones.c.deleted == ALIVE, *owned)).scalar() or 0)


# ------------------------------------------------------------------------------------------------------------ whose


def _page(tx: Connection, where: Where, page: PageRequest) -> Select[Any]:
    """Own zones are walked along one index, others' along another: each gives a page, and the first of both remain."""
    guests = _guest_zones(tx, where)
    where = _with_waiting(tx, where, guests)
    scopes = _scopes(where, guests)
    if len(scopes) == 1:
        return paged(tx, _query(where, scopes[0], *stored.COLUMNS), page, SORT_COLUMNS)
    pages = [paged(tx, _query(where, scope, rrsets.c.id), page, SORT_COLUMNS).subquery() for scope in scopes]
    both = union_all(*(select(one.c.id) for one in pages)).subquery()
    return paged(tx, stored.everything().where(rrsets.c.id.in_(select(both.c.id))), page, SORT_COLUMNS)


def _guest_zones(tx: Connection, where: Where) -> Sequence[str]:
    """Zones of others that are shared with the project."""
    if where.zone or where.project is None:
        return ()
    query = select(shared_zones.c.zone_id).where(shared_zones.c.target_project_id == where.project).distinct()
    return tx.execute(query).scalars().all()


def _with_waiting(tx: Connection, where: Where, guests: Sequence[str]) -> Where:
    """What is on its way is mostly nothing, or in a few zones; to find that by the rrsets would read them all."""
    status = where.filters.get("status", "").upper()
    if where.zone or status not in (Status.PENDING, Status.ERROR):
        return where
    query = select(zones.c.id).where(zones.c.deleted == ALIVE, zones.c.status == status)
    if where.project is not None:
        query = query.where(or_(zones.c.project_id == where.project, zones.c.id.in_(guests)))
    ids = tx.execute(query.limit(FEW + 1)).scalars().all()
    return replace(where, waiting=ids) if len(ids) <= FEW else where


def _scopes(where: Where, guests: Sequence[str]) -> list[list[Any]]:
    """Conditions that an index each answers; together they are all rrsets that the caller may see."""
    if where.zone:
        return [[rrsets.c.zone_id == where.zone.id]]
    if where.project is None:
        return [[]]
    own = [_entered(rrsets.c.owner_id, where) == where.project]
    made = [rrsets.c.zone_id.in_(guests), rrsets.c.project_id == where.project, rrsets.c.owner_id != where.project]
    return [own, made] if guests else [own]


def _query(where: Where, scope: Sequence[Any], *columns: Any) -> Select[Any]:
    query = select(*columns).select_from(rrsets).where(*scope)
    if where.scope is not None or "status" in where.filters:
        query = query.join(zones, zones.c.id == rrsets.c.zone_id)
    if where.scope is not None:
        query = query.where(rrsets_shown(where.scope, zones.c.name))
    return query.where(*_conditions(where))


def _entered(column: Any, where: Where) -> Any:
    """The column, set aside where exact data leaves few rows: SQLite can't know, and would walk all of a project's."""
    return column if "*" in where.filters.get("data", "*") else zone_rows.aside(column)


def _zones_of(tx: Connection, found: Iterable[Rrset]) -> dict[str, Zone]:
    ids = {rrset.zone_id for rrset in found}
    return {zone.id: zone for zone in zone_rows.fetch(tx, zone_rows.alive().where(zones.c.id.in_(ids)))} if ids else {}


# ---------------------------------------------------------------------------------------------------------- filters


def _conditions(where: Where) -> Iterator[Any]:
    for key, value in where.filters.items():
        if "\0" in value:
            yield false()  # no database holds it
        elif value != "*":
            yield from FILTERS[key](value, where)


def _by_name(value: str, where: Where) -> Iterator[Any]:
    """Exact names match in any case. With a wildcard elsewhere than before the first dot, as they were written."""
    if "*" not in value:
        key = _key(value)
        yield false() if key is None else rrsets.c.name_key == key
        if key is not None and _of_everyone(where):
            yield _in_zones(zones.c.name_key.in_([key, *keys_above(key)]))
        return
    before, *_, behind = value.split("*")
    parent = _key(behind.partition(".")[2]) if "." in behind and "\\" not in behind else None
    if parent:
        yield from (rrsets.c.name_key > parent, rrsets.c.name_key < key_end(parent))
        if _of_everyone(where):
            below = and_(zones.c.name_key > parent, zones.c.name_key < key_end(parent))
            yield _in_zones(or_(below, zones.c.name_key.in_([parent, *keys_above(parent)])))
    if before or value.count("*") > 1 or not parent or not behind.startswith("."):
        yield from _like(rrsets.c.name, value)


def _key(text: str) -> bytes | None:
    """The key of a name; None for what is none, and for the root."""
    try:
        return key_of(with_dot(text)) or None
    except TextError:
        return None


def _of_everyone(where: Where) -> bool:
    return where.zone is None and where.project is None


def _in_zones(condition: Any) -> Any:
    return rrsets.c.zone_id.in_(select(zones.c.id).where(condition, zones.c.deleted == ALIVE))


def _by_type(value: str, where: Where) -> Iterator[Any]:
    if "*" in value:
        yield rrsets.c.rrtype.in_([row.number for row in rrtypes.rows() if fnmatchcase(row.name, _glob(value.upper()))])
        return
    try:
        yield rrsets.c.rrtype == rrtypes.by_name(value)
    except ValueError:
        yield false()


def _glob(value: str) -> str:
    return value.replace("[", "[[]").replace("?", "[?]")


def _by_ttl(value: str, where: Where) -> Iterator[Any]:
    if not (value.isascii() and value.isdigit()):
        raise Refused("bad_request", f"Invalid value for filter ttl: {value!r} is no number")
    yield rrsets.c.ttl == int(value) if len(value) < 11 and int(value) <= MAX_TTL else false()


def _by_data(value: str, where: Where) -> Iterator[Any]:
    owner = where.zone.project_id if where.zone else None
    conditions = [records.c.owner_id == owner] if owner else []
    if "*" not in value:
        conditions += [records.c.data_head == value[:DATA_HEAD], records.c.data == value]
    else:
        before = value.partition("*")[0]
        conditions += [*_range(records.c.data_head, before[:DATA_HEAD]), *_like(records.c.data, value)]
    yield rrsets.c.id.in_(select(records.c.rrset_id).where(*conditions))


def _by_status(value: str, where: Where) -> Iterator[Any]:
    """As rrset_state() has it: an rrset is on its way while its zone's confirmed revision is older than its own."""
    has_records = exists().where(records.c.rrset_id == rrsets.c.id)
    own = and_(rrsets.c.revision > zones.c.confirmed, has_records)
    waiting = and_(zones.c.revision > zones.c.confirmed, or_(rrsets.c.rrtype == SOA, own))
    states = {
        Status.ACTIVE: not_(waiting),
        Status.PENDING: and_(zones.c.status == Status.PENDING, waiting),
        Status.ERROR: and_(zones.c.status == Status.ERROR, waiting),
    }
    matching = [states[status] for status in states if fnmatchcase(status.value, _glob(value.upper()))]
    yield or_(false(), *matching)
    if where.waiting is not None:
        yield rrsets.c.zone_id.in_(where.waiting)


def _by_description(value: str, where: Where) -> Iterator[Any]:
    yield from _like(rrsets.c.description, value) if "*" in value else [rrsets.c.description == value]


FILTERS: Mapping[str, Callable[[str, Where], Iterator[Any]]] = {
    "name": _by_name,
    "type": _by_type,
    "ttl": _by_ttl,
    "data": _by_data,
    "status": _by_status,
    "description": _by_description,
}


def _like(column: Any, value: str) -> Iterator[Any]:
    """`*` is anything. The text before it enters the index; LIKE is asked only where there is more to it."""
    before, _, behind = value.partition("*")
    yield from _range(column, before)
    if behind:
        escaped = "".join(ESCAPE + octet if octet in "%_" + ESCAPE else octet for octet in value)
        yield column.like(escaped.replace("*", "%"), escape=ESCAPE)


def _range(column: Any, prefix: str) -> list[Any]:
    return [column >= prefix, column < prefix + MAX_CHARACTER] if prefix else []
