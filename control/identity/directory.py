# SPDX-License-Identifier: Apache-2.0
"""Who and what there is, as far as the caller may know: an admin all of it, anyone else himself and his projects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from control.central.core import Core
from control.context import Context
from control.errors import Refused
from control.storage import accounts
from control.storage.accounts import Project, User

T = TypeVar("T", Project, User)


def projects_of(core: Core, ctx: Context) -> list[Project]:
    return core.db.read(lambda tx: accounts.projects_of(tx, str(ctx.user_id)))


def projects(core: Core, ctx: Context, name: str | None = None) -> list[Project]:
    found = core.db.read(accounts.find_projects) if "admin" in ctx.roles else projects_of(core, ctx)
    return [item for item in found if name in (None, item.name)]


def project(core: Core, ctx: Context, project_id: str) -> Project:
    return _one(projects(core, ctx), project_id, "project")


def users(core: Core, ctx: Context, name: str | None = None) -> list[User]:
    found = core.db.read(accounts.find_users)
    return [item for item in found if name in (None, item.name) and ("admin" in ctx.roles or item.id == ctx.user_id)]


def user(core: Core, ctx: Context, user_id: str) -> User:
    return _one(users(core, ctx), user_id, "user")


def _one(known: Iterable[T], wanted: str, kind: str) -> T:
    """By its id, with dashes or without."""
    for item in known:
        if wanted in (item.id, item.id.replace("-", "")):
            return item
    raise Refused(f"{kind}_not_found", f"Could not find {kind}: {wanted}.")
