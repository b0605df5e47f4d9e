# SPDX-License-Identifier: Apache-2.0
"""Imports and exports: their rows, the bodies of imports, and who works on one.

A worker claims an import for a while and says again and again that it still does; once a claim lapses, another worker
may take the import over. Whoever ends it must have the claim then, in the transaction that ends it: so an import is
done once, whatever becomes of its workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from control.errors import Refused
from control.storage import filters
from control.storage.paging import PageRequest, paged
from control.storage.tables import task_bodies, zone_tasks

PART = 1 << 20  # octets of a body in one row
MESSAGE_SIZE = 255
NOT_FOUND = {"IMPORT": "zone_import_not_found", "EXPORT": "zone_export_not_found"}
SORT_KEYS = ("created_at", "id", "updated_at")


class Kind(StrEnum):
    IMPORT = "IMPORT"
    EXPORT = "EXPORT"


class TaskStatus(StrEnum):
    PENDING = "PENDING"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class ZoneTask:
    """done: how many of the body's octets are in the database, as far as that was told."""

    id: str
    kind: str
    project_id: str
    user_id: str | None
    request_id: str | None
    zone_id: str | None
    status: str
    message: str | None
    location: str | None
    options: Mapping[str, Any]
    done: int
    octets: int
    claimed_by: str | None
    claimed_until: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime | None


COLUMNS = [zone_tasks.c[name] for name in ZoneTask.__slots__]


def insert_task(tx: Connection, task: ZoneTask) -> None:
    tx.execute(insert(zone_tasks).values(**{name: getattr(task, name) for name in ZoneTask.__slots__}))


def get(tx: Connection, kind: Kind, task_id: str) -> ZoneTask:
    """Refused zone_import_not_found or zone_export_not_found where there is none."""
    row = tx.execute(select(*COLUMNS).where(zone_tasks.c.id == task_id, zone_tasks.c.kind == kind)).one_or_none()
    if row is None:
        raise Refused(NOT_FOUND[kind], f"Could not find Zone{kind.capitalize()}")
    return ZoneTask(*row)


def delete_task(tx: Connection, task_id: str) -> None:
    drop_body(tx, task_id)
    tx.execute(delete(zone_tasks).where(zone_tasks.c.id == task_id))


def page_of(
    tx: Connection, kind: Kind, project_id: str | None, wanted: Mapping[str, str], page: PageRequest
) -> tuple[list[ZoneTask], bool, int]:
    """The tasks of a page, whether there are more, and how many there are in all. project_id None: of all projects."""
    conditions = [zone_tasks.c.kind == kind, *(filters.text_is(zone_tasks.c[key], wanted[key]) for key in wanted)]
    if project_id is not None:
        conditions.append(zone_tasks.c.project_id == project_id)
    columns = {key: zone_tasks.c[key] for key in SORT_KEYS}
    rows = tx.execute(paged(tx, select(*COLUMNS).where(*conditions), page, columns))
    found = [ZoneTask(*row) for row in rows]
    total = tx.execute(select(func.count()).select_from(zone_tasks).where(*conditions)).scalar_one()
    return found[: page.limit], len(found) > page.limit, int(total)


# ------------------------------------------------------------------------------------------------------------- bodies


def put_body(tx: Connection, task_id: str, parts: Iterable[bytes]) -> None:
    for number, part in enumerate(parts):
        tx.execute(insert(task_bodies).values(task_id=task_id, part=number, data=part))


def body(tx: Connection, task_id: str) -> bytes:
    query = select(task_bodies.c.data).where(task_bodies.c.task_id == task_id).order_by(task_bodies.c.part)
    return b"".join(tx.execute(query.execution_options(yield_per=4)).scalars())


def drop_body(tx: Connection, task_id: str) -> None:
    tx.execute(delete(task_bodies).where(task_bodies.c.task_id == task_id))


# ------------------------------------------------------------------------------------------------------------- claims


def is_any_waiting(tx: Connection, now: datetime) -> bool:
    return tx.execute(select(zone_tasks.c.id).where(*_waiting(now)).limit(1)).first() is not None


def _waiting(now: datetime) -> tuple[Any, ...]:
    """Imports that nobody works on."""
    lapsed = or_(zone_tasks.c.claimed_until.is_(None), zone_tasks.c.claimed_until < now)
    return zone_tasks.c.kind == Kind.IMPORT, zone_tasks.c.status == TaskStatus.PENDING, lapsed


def claim(tx: Connection, worker: str, now: datetime, seconds: float) -> ZoneTask | None:
    """The oldest import that nobody works on, now the worker's; None where there is none."""
    waiting = _waiting(now)
    oldest = select(*COLUMNS).where(*waiting).order_by(zone_tasks.c.created_at).limit(1)
    row = tx.execute(oldest).one_or_none()
    if row is None:
        return None
    tries = {**row.options, "tries": row.options.get("tries", 0) + 1}
    values = {"claimed_by": worker, "claimed_until": now + timedelta(seconds=seconds), "options": tries, "done": 0}
    taken = tx.execute(update(zone_tasks).where(zone_tasks.c.id == row.id, *waiting).values(**values))
    return ZoneTask(**{**row._mapping, **values}) if taken.rowcount else None


def renew(tx: Connection, task: ZoneTask, until: datetime, done: int) -> bool:
    """False where the claim is lost."""
    return _of_worker(tx, task, {"claimed_until": until, "done": done})


def release(tx: Connection, task: ZoneTask) -> None:
    """Anyone may try again, at once."""
    _of_worker(tx, task, {"claimed_by": None, "claimed_until": None})


def settle(
    tx: Connection, task: ZoneTask, status: TaskStatus, message: str, now: datetime, zone_id: str | None = None
) -> bool:
    """The task's end. False where the claim is lost: then nothing of this may be committed."""
    values = {
        "status": status,
        "message": message[:MESSAGE_SIZE],
        "zone_id": zone_id,
        "done": task.octets if status is TaskStatus.COMPLETE else zone_tasks.c.done,
        "claimed_by": None,
        "claimed_until": None,
        "version": task.version + 1,
        "updated_at": now,
    }
    drop_body(tx, task.id)
    return _of_worker(tx, task, values)


def _of_worker(tx: Connection, task: ZoneTask, values: Mapping[str, Any]) -> bool:
    mine = (
        zone_tasks.c.id == task.id,
        zone_tasks.c.claimed_by == task.claimed_by,
        zone_tasks.c.status == TaskStatus.PENDING,
    )
    return bool(tx.execute(update(zone_tasks).where(*mine).values(**values)).rowcount)
