# SPDX-License-Identifier: Apache-2.0
"""What a new installation needs before anyone can log in: a project, an admin, and a pool for zones to be in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from control.central.core import Core
from control.identity import passwords
from control.storage import accounts, pools
from control.storage.accounts import Assignment, Project, User
from control.storage.ids import new_id

NAME = "admin"


@dataclass(frozen=True, slots=True)
class Created:
    """What was made. The password is told this once."""

    user: str
    project: str
    password: str = field(repr=False)


def bootstrap(core: Core, name_servers: Sequence[str] = ()) -> Created | None:
    """The pool where there is none; project and user where there is no user, else None. May be run at each start.

    name_servers: of the pool; without one it can hold no zones yet.
    """
    password = passwords.new_password()
    hashed = passwords.hash_of(password)

    def work(tx: Connection) -> Created | None:
        pools.add_default(tx, core.config.default_pool_id, core.clock(), name_servers)
        if accounts.find_users(tx):
            return None
        now = core.clock()
        project = accounts.project(tx, NAME)
        if project is None:
            project = Project(new_id(), NAME, True, now)
            accounts.insert_project(tx, project)
        user = User(new_id(), NAME, hashed, True, project.id, now)
        accounts.insert_user(tx, user)
        accounts.assign(tx, Assignment(user.id, project.id, "admin"))
        return Created(user.name, project.name, password)

    return core.db.write(work)
