# SPDX-License-Identifier: Apache-2.0
"""Tokens for machines: made by a user for one project, restricted to grants, and never with the role admin.

Such a token is its user's: it may never do more than he may, and it ends with him. It can't make another token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from control import scopes
from control.central.core import Core
from control.context import Context
from control.errors import Problem, Refused, refuse_if_any
from control.identity import passwords
from control.storage import accounts, tokens
from control.storage.ids import new_id
from control.storage.paging import PageRequest
from control.storage.tokens import API, Holder, Token

PREFIX = "fmd_"  # what leaked ones are recognised by
ROLES = ["member", "reader"]
USED_SECONDS = 60  # how exact used_at is: a write for each request would be dear


@dataclass(frozen=True, slots=True)
class TokenWanted:
    name: str
    grants: Sequence[Mapping[str, Any]]
    networks: Sequence[str] = ()
    expires_at: datetime | None = None


def create(core: Core, ctx: Context, wanted: TokenWanted) -> tuple[str, Token]:
    """→ what the client holds from now on, told this once, and the token."""
    if ctx.project_id is None or ctx.user_id is None:
        raise Refused("missing_project_id", "an API token is for one project")
    core.policy.check(ctx, "create_token", project_id=ctx.project_id)
    _check_maker(core, ctx)
    text, made = _new(core, ctx.user_id, ctx.project_id, wanted)
    core.write(ctx, lambda tx: tokens.insert_token(tx, made, passwords.digest_of(text)))
    return text, made


def _check_maker(core: Core, ctx: Context) -> None:
    """A token would outlive the credential, and what it may do is bound by other things."""
    digest = passwords.digest_of(ctx.token or "")
    maker = core.db.read(lambda tx: tokens.holder(tx, digest, core.clock()))
    if maker and maker.token.credential_id is not None:
        raise Refused("forbidden", "an application credential makes no tokens: log in with a password")


def create_for(core: Core, user: str, project: str | None, wanted: TokenWanted) -> tuple[str, Token]:
    """By an operator, for a user in one of his projects."""

    def work(tx: Connection) -> tuple[str, Token]:
        owner = accounts.user_of(tx, user)
        home = accounts.project_of(tx, project).id if project else owner.default_project_id
        if home is None:
            raise Refused("bad_request", f"user {owner.name} has no default project: name one")
        if not accounts.roles_of(tx, owner.id, home):
            raise Refused("forbidden", f"user {owner.name} has no role in that project")
        text, made = _new(core, owner.id, home, wanted)
        tokens.insert_token(tx, made, passwords.digest_of(text))
        return text, made

    return core.db.write(work)


def get(core: Core, ctx: Context, token_id: str) -> Token:
    return core.db.read(lambda tx: _checked(core, tx, ctx, token_id, "get_token"))


def page(core: Core, ctx: Context, wanted: PageRequest) -> list[Token]:
    """A page, and the one behind it."""
    core.policy.check(ctx, "find_tokens", project_id=ctx.project_id)
    return core.db.read(lambda tx: tokens.page_of(tx, None if ctx.all_projects else ctx.project_id, wanted))


def revoke(core: Core, ctx: Context, token_id: str) -> None:
    core.write(ctx, lambda tx: tokens.revoke(tx, _checked(core, tx, ctx, token_id, "delete_token").id))


def every(core: Core, project: str | None = None) -> list[Token]:
    def work(tx: Connection) -> list[Token]:
        return tokens.every(tx, accounts.project_of(tx, project).id if project else None)

    return core.db.read(work)


def revoke_any(core: Core, token_id: str) -> None:
    core.db.write(lambda tx: tokens.revoke(tx, tokens.get(tx, token_id).id))


def note_use(core: Core, found: Holder) -> None:
    """Writes down that it was used, at most once in a while."""
    now = core.clock()
    if found.token.used_at is None or now - found.token.used_at > timedelta(seconds=USED_SECONDS):
        core.db.write(lambda tx: tokens.used(tx, found.token.id, now))


def _checked(core: Core, tx: Connection, ctx: Context, token_id: str, rule: str) -> Token:
    found = tokens.get(tx, token_id, None if ctx.all_projects else ctx.project_id)
    core.policy.check(ctx, rule, project_id=found.project_id)
    return found


def _new(core: Core, user_id: str, project_id: str, wanted: TokenWanted) -> tuple[str, Token]:
    now = core.clock()
    scope, problems = scopes.read(wanted.grants, wanted.networks)
    if wanted.expires_at is not None and wanted.expires_at <= now:
        problems.append(Problem(("expires_at",), "expires_at has passed"))
    refuse_if_any(problems)
    assert scope is not None
    made = Token(
        id=new_id(),
        kind=API,
        name=wanted.name,
        user_id=user_id,
        project_id=project_id,
        credential_id=None,
        roles=ROLES,
        scope=scopes.to_json(scope),
        methods=["token"],
        created_at=now,
        expires_at=wanted.expires_at,
    )
    return passwords.new_token(PREFIX), made
