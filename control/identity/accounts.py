# SPDX-License-Identifier: Apache-2.0
"""How users, projects and roles come and go. Only operators do that, with `fastmdns user`, `project` and `role`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from control.central.core import Core
from control.context import IMPLIED
from control.errors import Problem, refuse_if_any
from control.identity import passwords
from control.storage import accounts, tokens
from control.storage.accounts import Assignment, Project, User
from control.storage.ids import new_id
from fastmdns.config import nearest

ROLES = (*IMPLIED, "reader")
LEAST_PASSWORD = 8
LONGEST = {"project": 64, "user": 255}


def create_project(core: Core, name: str) -> Project:
    refuse_if_any(_name_problems("project", name))
    made = Project(new_id(), name, True, core.clock())
    core.db.write(lambda tx: accounts.insert_project(tx, made))
    return made


def delete_project(core: Core, project: str) -> None:
    core.db.write(lambda tx: accounts.delete_project(tx, accounts.project_of(tx, project).id))


def projects(core: Core) -> list[Project]:
    return core.db.read(accounts.find_projects)


def create_user(core: Core, name: str, password: str, project: str | None, roles: Sequence[str]) -> User:
    """A user with these roles in the project, which is his default one."""
    refuse_if_any([*_name_problems("user", name), *password_problems(password), *role_problems(roles)])
    hashed = passwords.hash_of(password)

    def work(tx: Connection) -> User:
        home = accounts.project_of(tx, project).id if project else None
        made = User(new_id(), name, hashed, True, home, core.clock())
        accounts.insert_user(tx, made)
        for role in roles if home else ():
            accounts.assign(tx, Assignment(made.id, str(home), role))
        return made

    return core.db.write(work)


def set_user(core: Core, user: str, *, enabled: bool | None = None, project: str | None = None) -> User:
    """Whether he may come in, and his default project."""

    def work(tx: Connection) -> User:
        found = accounts.user_of(tx, user)
        values: dict[str, Any] = {} if enabled is None else {"enabled": enabled}
        if project is not None:
            values["default_project_id"] = accounts.project_of(tx, project).id
        if values:
            accounts.update_user(tx, found.id, **values)
        if enabled is False:
            tokens.revoke_sessions(tx, found.id)
        return accounts.user_of(tx, found.id)

    return core.db.write(work)


def set_password(core: Core, user: str, password: str) -> None:
    """A new password ends what was opened with the old one."""
    refuse_if_any(password_problems(password))
    hashed = passwords.hash_of(password)

    def work(tx: Connection) -> None:
        found = accounts.user_of(tx, user)
        accounts.update_user(tx, found.id, password=hashed)
        tokens.revoke_sessions(tx, found.id)

    core.db.write(work)


def delete_user(core: Core, user: str) -> None:
    """With his tokens and application credentials."""
    core.db.write(lambda tx: accounts.delete_user(tx, accounts.user_of(tx, user).id))


def users(core: Core) -> list[dict[str, Any]]:
    """Each with his roles, as `project: role`."""

    def work(tx: Connection) -> list[dict[str, Any]]:
        found = accounts.find_users(tx)
        names = {project.id: project.name for project in accounts.find_projects(tx)}
        roles: dict[str, list[str]] = {}
        for item in accounts.assignments_of(tx, [user.id for user in found]):
            roles.setdefault(item.user_id, []).append(f"{names[item.project_id]}: {item.role}")
        return [
            {
                "id": user.id,
                "name": user.name,
                "enabled": user.enabled,
                "default_project": names.get(user.default_project_id or ""),
                "roles": roles.get(user.id, []),
            }
            for user in found
        ]

    return core.db.read(work)


def add_role(core: Core, user: str, project: str, role: str) -> None:
    refuse_if_any(role_problems([role]))
    core.db.write(lambda tx: accounts.assign(tx, _assignment(tx, user, project, role)))


def remove_role(core: Core, user: str, project: str, role: str) -> None:
    core.db.write(lambda tx: accounts.unassign(tx, _assignment(tx, user, project, role)))


def _assignment(tx: Connection, user: str, project: str, role: str) -> Assignment:
    return Assignment(accounts.user_of(tx, user).id, accounts.project_of(tx, project).id, role)


# ------------------------------------------------------------------------------------------------------------- rules


def _name_problems(kind: str, name: str) -> list[Problem]:
    if name.strip() and len(name) <= LONGEST[kind] and name.isprintable():
        return []
    return [Problem(("name",), f"a {kind}'s name is 1 to {LONGEST[kind]} printable characters")]


def password_problems(password: str) -> list[Problem]:
    if len(password) >= LEAST_PASSWORD:
        return []
    return [Problem(("password",), f"a password has {LEAST_PASSWORD} characters or more")]


def role_problems(roles: Sequence[str]) -> list[Problem]:
    return [
        Problem(
            ("roles",), f"no role {role!r}{nearest(role, ROLES)}; there are {', '.join(ROLES)}", "enum", list(ROLES)
        )
        for role in roles
        if role not in ROLES
    ]
