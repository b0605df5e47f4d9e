# SPDX-License-Identifier: Apache-2.0
"""Application credentials: what a program holds instead of its user's password, for one project and some roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from control.errors import Refused
from control.storage.database import unique
from control.storage.tables import application_credentials as table


@dataclass(frozen=True, slots=True)
class Credential:
    id: str
    user_id: str
    project_id: str
    name: str
    secret: str = field(repr=False)  # its argon2id hash
    description: str | None
    roles: list[str]
    expires_at: datetime | None
    created_at: datetime


COLUMNS = [table.c[name] for name in Credential.__slots__]


def find(tx: Connection, *conditions: ColumnElement[bool]) -> list[Credential]:
    return [Credential(*row) for row in tx.execute(select(*COLUMNS).where(*conditions).order_by(table.c.name))]


def by_id(tx: Connection, credential_id: str) -> Credential | None:
    return None if "\0" in credential_id else next(iter(find(tx, table.c.id == credential_id)), None)


def by_name(tx: Connection, user_id: str, name: str) -> Credential | None:
    return next(iter(find(tx, table.c.user_id == user_id, table.c.name == name)), None)


def of_user(tx: Connection, user_id: str) -> list[Credential]:
    return find(tx, table.c.user_id == user_id)


def get(tx: Connection, user_id: str, credential_id: str) -> Credential:
    found = by_id(tx, credential_id)
    if found is None or found.user_id != user_id:
        raise Refused("credential_not_found", f"Could not find Application Credential: {credential_id}.")
    return found


def insert_credential(tx: Connection, made: Credential) -> None:
    with unique("duplicate_credential", f"there is an application credential {made.name!r} already"):
        tx.execute(insert(table).values({name: getattr(made, name) for name in Credential.__slots__}))


def delete_credential(tx: Connection, credential_id: str) -> None:
    tx.execute(delete(table).where(table.c.id == credential_id))
