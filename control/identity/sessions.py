# SPDX-License-Identifier: Apache-2.0
"""From a password, a token or an application credential to a token for one project; and from a token to its holder.

Whoever is refused learns nothing but that: a wrong password, an unknown user and a disabled one are the same answer
after the same time. Passwords are compared outside of transactions, so no database connection waits for argon2.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from control.central.core import Core
from control.context import roles as with_implied
from control.errors import Refused
from control.identity import passwords
from control.storage import accounts, credentials, tokens
from control.storage.accounts import Project, User
from control.storage.credentials import Credential
from control.storage.ids import new_id
from control.storage.tokens import SESSION, Holder, Token

PURGE_SECONDS = 60  # at most so often does a process delete tokens that have expired


@dataclass(frozen=True, slots=True)
class ByPassword:
    user: str  # its name or id
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ByCredential:
    """id, or name and user."""

    id: str | None
    name: str | None
    user: str | None
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ByToken:
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """project: its id or name; None: the default one. unscoped: none at all."""

    by: ByPassword | ByCredential | ByToken
    project: str | None = None
    unscoped: bool = False


@dataclass(frozen=True, slots=True)
class Proven:
    """Who it is, and what bounds his new token."""

    user: User
    methods: list[str]
    expires_at: datetime | None = None
    credential: Credential | None = None


def log_in(core: Core, wanted: Wanted) -> tuple[str, Holder]:
    """→ what the client holds from now on, and what it is worth. Refused unauthorized."""
    proven = PROOFS[type(wanted.by)](core, wanted.by)
    text = passwords.new_token()

    def work(tx: Connection) -> Holder:
        _purge_at_times(tx, core.clock())
        project = None if wanted.unscoped else _project(tx, proven, wanted.project)
        tokens.insert_token(tx, _token(core, proven, project), passwords.digest_of(text))
        return _valid(tx, text, core.clock())

    return text, core.db.write(work)


def holder(core: Core, token: str) -> Holder:
    """Refused unauthorized for a token that is worth nothing."""
    return core.db.read(lambda tx: _valid(tx, token, core.clock()))


def find(core: Core, token: str) -> Holder:
    """The same for a login's token that is asked about, not asked with: Refused not_found.

    Those for machines are none here: who asks could not know how they are restricted.
    """
    found = core.db.read(lambda tx: tokens.holder(tx, passwords.digest_of(token), core.clock()))
    if found is None or found.token.kind != SESSION:
        raise Refused("not_found", "Could not find token.")
    return found


def log_out(core: Core, found: Holder) -> None:
    core.db.write(lambda tx: tokens.revoke(tx, found.token.id))


def holder_by_password(
    core: Core, name: str, password: str, project: str | None, remembered: passwords.Remembered
) -> Holder:
    """For HTTP Basic: no token is made. Refused unauthorized."""
    user = core.db.read(lambda tx: accounts.user_named(tx, name))
    if not remembered.is_right(password, user.password if user else None) or user is None or not user.enabled:
        raise unauthorized()
    proven = Proven(user, ["password"])

    def work(tx: Connection) -> Holder:
        home = _project(tx, proven, project)
        roles = with_implied(*accounts.roles_of(tx, user.id, home.id)) if home else frozenset[str]()
        return Holder(_token(core, proven, home), user.name, home.name if home else None, roles)

    return core.db.read(work)


def unauthorized(reason: str = "The request you have made requires authentication.") -> Refused:
    return Refused("unauthorized", reason)


# ------------------------------------------------------------------------------------------------------- who it is


def _by_password(core: Core, given: ByPassword) -> Proven:
    user = core.db.read(lambda tx: accounts.user(tx, given.user))
    if not passwords.is_right(given.password, user.password if user else None) or user is None or not user.enabled:
        raise unauthorized()
    return Proven(user, ["password"])


def _by_credential(core: Core, given: ByCredential) -> Proven:
    def work(tx: Connection) -> tuple[Credential | None, User | None]:
        if given.id is not None:
            found = credentials.by_id(tx, given.id)
        else:
            owner = accounts.user(tx, given.user or "")
            found = credentials.by_name(tx, owner.id, given.name or "") if owner else None
        return found, accounts.user(tx, found.user_id) if found else None

    found, user = core.db.read(work)
    right = passwords.is_right(given.secret, found.secret if found else None)
    expired = found and found.expires_at and found.expires_at <= core.clock()
    if not right or expired or found is None or user is None or not user.enabled:
        raise unauthorized()
    return Proven(user, ["application_credential"], found.expires_at, found)


def _by_token(core: Core, given: ByToken) -> Proven:
    """Never worth more than the old one: it ends with it, and what bounds it bounds the new one too."""

    def work(tx: Connection) -> Proven:
        old = _valid(tx, given.token, core.clock()).token
        if old.kind != SESSION:
            raise Refused("forbidden", "an API token can't be changed into another token")
        credential = credentials.by_id(tx, old.credential_id) if old.credential_id else None
        methods = list(dict.fromkeys(["token", *old.methods]))
        return Proven(accounts.user_of(tx, old.user_id), methods, old.expires_at, credential)

    return core.db.read(work)


PROOFS: Mapping[type, Any] = {ByPassword: _by_password, ByCredential: _by_credential, ByToken: _by_token}


# ------------------------------------------------------------------------------------------------ what he may have


def _project(tx: Connection, proven: Proven, wanted: str | None) -> Project | None:
    """The project that was asked for; else the credential's, the default one, or the only one. Refused unauthorized."""
    mine = accounts.projects_of(tx, proven.user.id)
    if proven.credential:
        mine = [project for project in mine if project.id == proven.credential.project_id]
        wanted = wanted or proven.credential.project_id
    if wanted is not None:
        found = next((project for project in mine if wanted in (project.id, project.id.replace("-", ""))), None)
        found = found or next((project for project in mine if wanted == project.name), None)
        if found is None:
            raise unauthorized(f"User {proven.user.name} has no access to project {wanted}")
        return found
    default = next((project for project in mine if project.id == proven.user.default_project_id), None)
    return default or (mine[0] if len(mine) == 1 else None)


def _token(core: Core, proven: Proven, project: Project | None) -> Token:
    now = core.clock()
    expires_at = now + timedelta(seconds=core.config.token_seconds)
    return Token(
        id=new_id(),
        kind=SESSION,
        name=None,
        user_id=proven.user.id,
        project_id=project.id if project else None,
        credential_id=proven.credential.id if proven.credential else None,
        roles=proven.credential.roles if proven.credential else None,
        scope=None,
        methods=proven.methods,
        created_at=now,
        expires_at=min(expires_at, proven.expires_at) if proven.expires_at else expires_at,
    )


def _valid(tx: Connection, token: str, now: datetime) -> Holder:
    found = tokens.holder(tx, passwords.digest_of(token), now)
    if found is None:
        raise unauthorized()
    return found


_purged_at = [0.0]


def _purge_at_times(tx: Connection, now: datetime) -> None:
    if time.monotonic() - _purged_at[0] > PURGE_SECONDS:
        _purged_at[0] = time.monotonic()
        tokens.purge(tx, now)
