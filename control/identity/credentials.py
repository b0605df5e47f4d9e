# SPDX-License-Identifier: Apache-2.0
"""Application credentials: made by their user for the project he is in, never by another credential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from control.central.core import Core
from control.errors import Problem, Refused, refuse_if_any
from control.identity import passwords
from control.identity.accounts import role_problems
from control.storage import credentials
from control.storage.credentials import Credential
from control.storage.ids import new_id
from control.storage.tokens import Holder


@dataclass(frozen=True, slots=True)
class CredentialWanted:
    name: str
    description: str | None = None
    secret: str | None = field(default=None, repr=False)  # None: made here
    roles: Sequence[str] = ()  # none: all of the token's
    expires_at: datetime | None = None


def create(core: Core, maker: Holder, wanted: CredentialWanted) -> tuple[str, Credential]:
    """→ the secret, which is told this once, and the credential."""
    _check_maker(maker)
    refuse_if_any(_problems(core, maker, wanted))
    secret = wanted.secret or passwords.new_token()
    made = Credential(
        id=new_id(),
        user_id=maker.token.user_id,
        project_id=str(maker.token.project_id),
        name=wanted.name,
        secret=passwords.hash_of(secret),
        description=wanted.description,
        roles=sorted(wanted.roles or maker.roles),
        expires_at=wanted.expires_at,
        created_at=core.clock(),
    )
    core.db.write(lambda tx: credentials.insert_credential(tx, made))
    return secret, made


def delete(core: Core, maker: Holder, credential_id: str) -> None:
    """With the tokens that were opened with it."""
    _check_maker(maker)
    found = get(core, maker.token.user_id, credential_id)
    core.db.write(lambda tx: credentials.delete_credential(tx, found.id))


def get(core: Core, user_id: str, credential_id: str) -> Credential:
    return core.db.read(lambda tx: credentials.get(tx, user_id, credential_id))


def of_user(core: Core, user_id: str) -> list[Credential]:
    return core.db.read(lambda tx: credentials.of_user(tx, user_id))


def _check_maker(maker: Holder) -> None:
    if maker.token.credential_id is not None or maker.token.scope is not None:
        raise Refused("forbidden", "only someone who logged in with a password may make or delete a credential")
    if maker.token.project_id is None:
        raise Refused("forbidden", "a credential is for one project: log in to one first")


def _problems(core: Core, maker: Holder, wanted: CredentialWanted) -> list[Problem]:
    problems = role_problems(wanted.roles)
    problems += [
        Problem(("roles",), f"you don't have the role {role!r} here")
        for role in wanted.roles
        if role not in maker.roles and not role_problems([role])
    ]
    if wanted.expires_at is not None and wanted.expires_at <= core.clock():
        problems.append(Problem(("expires_at",), "expires_at has passed"))
    return problems
