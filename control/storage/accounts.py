# SPDX-License-Identifier: Apache-2.0
"""Users, projects, and who has which role where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from control.errors import Refused
from control.storage.database import unique
from control.storage.tables import ALIVE, assignments, projects, users, zones


@dataclass(frozen=True, slots=True)
class Project:
    id: str
    name: str
    enabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    password: str = field(repr=False)  # its argon2id hash
    enabled: bool
    default_project_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    user_id: str
    project_id: str
    role: str


# ---------------------------------------------------------------------------------------------------------- projects


def project(tx: Connection, id_or_name: str) -> Project | None:
    """By id; by name where no id is so."""
    found = find_projects(tx, projects.c.id == id_or_name) or find_projects(tx, projects.c.name == id_or_name)
    return next(iter(found), None)


def project_of(tx: Connection, id_or_name: str) -> Project:
    found = project(tx, id_or_name)
    if found is None:
        raise Refused("project_not_found", f"Could not find project: {id_or_name}.")
    return found


def find_projects(tx: Connection, *conditions: ColumnElement[bool]) -> list[Project]:
    return [Project(*row) for row in tx.execute(select(projects).where(*conditions).order_by(projects.c.name))]


def projects_of(tx: Connection, user_id: str) -> list[Project]:
    """Those where the user has a role and that are enabled, by name."""
    assigned = select(assignments.c.project_id).where(assignments.c.user_id == user_id)
    return find_projects(tx, projects.c.id.in_(assigned), projects.c.enabled.is_(True))


def insert_project(tx: Connection, made: Project) -> None:
    with unique("duplicate_project", f"there is a project {made.name!r} already"):
        tx.execute(
            insert(projects).values(id=made.id, name=made.name, enabled=made.enabled, created_at=made.created_at)
        )


def delete_project(tx: Connection, project_id: str) -> None:
    """Refused conflict while it has zones."""
    owned = select(func.count()).where(zones.c.project_id == project_id, zones.c.deleted == ALIVE)
    count = tx.execute(owned).scalar_one()
    if count:
        raise Refused("conflict", f"the project has {count} zone{'s' * (count > 1)}; delete or transfer them first")
    tx.execute(delete(projects).where(projects.c.id == project_id))


# ------------------------------------------------------------------------------------------------------------- users


def user(tx: Connection, id_or_name: str) -> User | None:
    """By id; by name where no id is so."""
    return next(iter(find_users(tx, users.c.id == id_or_name)), None) or user_named(tx, id_or_name)


def user_named(tx: Connection, name: str) -> User | None:
    if "\0" in name:
        return None  # no database holds it, and PostgreSQL says so
    return next(iter(find_users(tx, users.c.name == name)), None)


def user_of(tx: Connection, id_or_name: str) -> User:
    found = user(tx, id_or_name)
    if found is None:
        raise Refused("user_not_found", f"Could not find user: {id_or_name}.")
    return found


def find_users(tx: Connection, *conditions: ColumnElement[bool]) -> list[User]:
    return [User(*row) for row in tx.execute(select(users).where(*conditions).order_by(users.c.name))]


def insert_user(tx: Connection, made: User) -> None:
    with unique("duplicate_user", f"there is a user {made.name!r} already"):
        values = {name: getattr(made, name) for name in User.__slots__}
        tx.execute(insert(users).values(**values))


def update_user(tx: Connection, user_id: str, **values: Any) -> None:
    tx.execute(update(users).where(users.c.id == user_id).values(**values))


def delete_user(tx: Connection, user_id: str) -> None:
    tx.execute(delete(users).where(users.c.id == user_id))


# ------------------------------------------------------------------------------------------------------- assignments


def roles_of(tx: Connection, user_id: str, project_id: str) -> list[str]:
    """As they were assigned, without those they imply."""
    own = assignments.c.user_id == user_id, assignments.c.project_id == project_id
    return list(tx.scalars(select(assignments.c.role).where(*own).order_by(assignments.c.role)))


def assignments_of(tx: Connection, user_ids: Iterable[str]) -> list[Assignment]:
    query = select(assignments).where(assignments.c.user_id.in_(list(user_ids)))
    return [Assignment(*row) for row in tx.execute(query.order_by(assignments.c.project_id, assignments.c.role))]


def assign(tx: Connection, made: Assignment) -> None:
    """Nothing where it is so already."""
    if made.role not in roles_of(tx, made.user_id, made.project_id):
        values = {"user_id": made.user_id, "project_id": made.project_id, "role": made.role}
        tx.execute(insert(assignments).values(**values))


def unassign(tx: Connection, gone: Assignment) -> None:
    table = assignments.c
    found = tx.execute(
        delete(assignments).where(
            table.user_id == gone.user_id, table.project_id == gone.project_id, table.role == gone.role
        )
    )
    if not found.rowcount:
        raise Refused("role_not_found", f"the user does not have the role {gone.role!r} there")
