# SPDX-License-Identifier: Apache-2.0
"""Tokens, by the SHA-256 of what the client holds.

What a token may do is read with it, in one query: whether its user and project are enabled, and the roles that the user
has there now. So a role that is taken away, or a user who is disabled, is so for the next request. No copy is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, insert, select, update

from control.context import roles as with_implied
from control.errors import Refused
from control.storage.paging import PageRequest, paged
from control.storage.tables import assignments, projects, tokens, users

SESSION, API = "session", "api"


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    kind: str
    name: str | None
    user_id: str
    project_id: str | None
    credential_id: str | None
    roles: list[str] | None
    scope: dict[str, Any] | None
    methods: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A token that is valid, with what its user may do now. roles: with those they imply."""

    token: Token
    user_name: str
    project_name: str | None
    roles: frozenset[str]


COLUMNS = [tokens.c[name] for name in Token.__slots__]
# What each request asks, so it is made once. A row for each role.
HOLDER = (
    select(*COLUMNS, users.c.name, users.c.enabled, projects.c.name, projects.c.enabled, assignments.c.role)
    .select_from(tokens)
    .join(users, users.c.id == tokens.c.user_id)
    .outerjoin(projects, projects.c.id == tokens.c.project_id)
    .outerjoin(
        assignments, and_(assignments.c.user_id == tokens.c.user_id, assignments.c.project_id == tokens.c.project_id)
    )
    .where(tokens.c.digest == bindparam("digest"))
)


def holder(tx: Connection, digest: bytes, now: datetime) -> Holder | None:
    """None for a token that is unknown, has expired, or whose user, project or last role is gone."""
    rows = tx.execute(HOLDER, {"digest": digest}).all()
    if not rows:
        return None
    token = Token(*rows[0][: len(COLUMNS)])
    user_name, user_enabled, project_name, project_enabled, _ = rows[0][len(COLUMNS) :]
    roles = with_implied(*(row[-1] for row in rows if row[-1] is not None))
    if token.roles is not None:
        roles &= with_implied(*token.roles)
    expired = token.expires_at is not None and token.expires_at <= now
    homeless = token.project_id is not None and not (project_enabled and roles)
    if expired or homeless or not user_enabled:
        return None
    return Holder(token, user_name, project_name, roles)


def insert_token(tx: Connection, made: Token, digest: bytes) -> None:
    values = {name: getattr(made, name) for name in Token.__slots__}
    tx.execute(insert(tokens).values(digest=digest, **values))


def used(tx: Connection, token_id: str, now: datetime) -> None:
    tx.execute(update(tokens).where(tokens.c.id == token_id).values(used_at=now))


def revoke(tx: Connection, token_id: str) -> None:
    tx.execute(delete(tokens).where(tokens.c.id == token_id))


def revoke_sessions(tx: Connection, user_id: str) -> None:
    """All that the user logged in for. Those for machines are revoked one by one, by who made them."""
    tx.execute(delete(tokens).where(tokens.c.user_id == user_id, tokens.c.kind == SESSION))


def purge(tx: Connection, now: datetime) -> int:
    """Deletes those that have expired → how many."""
    return tx.execute(delete(tokens).where(tokens.c.expires_at <= now)).rowcount


# --------------------------------------------------------------------------------------------- those for machines


def get(tx: Connection, token_id: str, project_id: str | None = None) -> Token:
    """One for a machine. project_id None: any project's."""
    row = tx.execute(select(*COLUMNS).where(tokens.c.id == token_id, *_for_machines(project_id))).one_or_none()
    if row is None:
        raise Refused("token_not_found", "Could not find Token")
    return Token(*row)


def page_of(tx: Connection, project_id: str | None, page: PageRequest) -> list[Token]:
    """A page, and the one behind it."""
    columns = {name: tokens.c[name] for name in ("id", "created_at", "name")}
    query = paged(tx, select(*COLUMNS).where(*_for_machines(project_id)), page, columns)
    return [Token(*row) for row in tx.execute(query)]


def every(tx: Connection, project_id: str | None = None) -> list[Token]:
    query = select(*COLUMNS).where(*_for_machines(project_id)).order_by(tokens.c.created_at, tokens.c.id)
    return [Token(*row) for row in tx.execute(query)]


def _for_machines(project_id: str | None) -> list[ColumnElement[bool]]:
    return [tokens.c.kind == API, *([tokens.c.project_id == project_id] if project_id else [])]
