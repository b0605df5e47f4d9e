# SPDX-License-Identifier: Apache-2.0
"""What operators keep: created, shown, listed, changed and deleted. The rules with the kind's name say who may."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection

from control.central.core import Core
from control.context import Context
from control.errors import Problem, refuse_if_any
from control.rules.kept import pattern_problems, tld_problems
from control.storage import kept
from control.storage.ids import new_id
from control.storage.kept import Kept
from control.storage.paging import PageRequest

T = TypeVar("T")
# Kind → what may be wrong with the values that are given. Others have a module of their own.
PROBLEMS: Mapping[str, Callable[[Mapping[str, Any]], list[Problem]]] = {
    "tld": lambda given: tld_problems(given["name"]) if "name" in given else [],
    "blacklist": lambda given: pattern_problems(given["pattern"]) if "pattern" in given else [],
}
# Where Designate's rule has another name than get_ and the code.
GET_RULES = {"service_status": "find_service_status"}


def create(core: Core, ctx: Context, kind: Kept[T], values: Mapping[str, Any]) -> T:
    """values: of the kind's columns."""
    core.policy.check(ctx, f"create_{kind.code}")
    refuse_if_any(PROBLEMS[kind.code](values))

    def work(tx: Connection) -> T:
        row = {"id": new_id(), "created_at": core.clock(), **values}
        kept.add(tx, kind, row)
        return kept.get(tx, kind, row["id"])

    return core.write(ctx, work)


def get(core: Core, ctx: Context, kind: Kept[T], thing_id: str) -> T:
    core.policy.check(ctx, GET_RULES.get(kind.code, f"get_{kind.code}"))
    return core.db.read(lambda tx: kept.get(tx, kind, thing_id))


def page_of(
    core: Core, ctx: Context, kind: Kept[T], filters: Mapping[str, str], page: PageRequest
) -> tuple[list[T], bool]:
    core.policy.check(ctx, f"find_{kind.plural}")
    return core.db.read(lambda tx: kept.page_of(tx, kind, filters, page))


def update(core: Core, ctx: Context, kind: Kept[T], thing_id: str, values: Mapping[str, Any]) -> T:
    """values: the columns that change. What is as it was already changes nothing."""
    core.policy.check(ctx, f"update_{kind.code}")
    refuse_if_any(PROBLEMS[kind.code](values))

    def work(tx: Connection) -> T:
        now = kept.get(tx, kind, thing_id, locked=True)
        if all(getattr(now, name) == value for name, value in values.items()):
            return now
        kept.alter(tx, kind, thing_id, {**values, "updated_at": core.clock()})
        return kept.get(tx, kind, thing_id)

    return core.write(ctx, work)


def delete(core: Core, ctx: Context, kind: Kept[Any], thing_id: str) -> None:
    core.policy.check(ctx, f"delete_{kind.code}")

    def work(tx: Connection) -> None:
        kept.get(tx, kind, thing_id)
        kept.remove(tx, kind, thing_id)

    core.write(ctx, work)
