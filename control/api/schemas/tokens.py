# SPDX-License-Identifier: Apache-2.0
"""API tokens: what may be asked for, and what is shown of them."""

from __future__ import annotations

from pydantic import Field

from control.api.schemas.base import Answer, Links, ListLinks, Name, Request, Timestamp


class GrantBody(Request):
    zone: str = Field(max_length=255, description="A zone's name; `*` stands for anything: *.example.org.")
    name: str | None = Field(None, max_length=255, description="Only recordsets with such names: _acme-challenge.*")
    types: list[str] = Field(default_factory=list, description="Only recordsets of these types; empty: of all.")
    actions: list[str] = Field(description="Of read, create, update, delete.")


class TokenCreate(Request):
    name: Name
    grants: list[GrantBody] = Field(description="What it may do; nothing else.")
    networks: list[str] = Field(default_factory=list, max_length=100, description="Where from; empty: from anywhere.")
    expires_at: str | None = Field(None, description="ISO 8601, UTC where it says nothing; null: it never expires.")


class GrantAnswer(Answer):
    zone: str
    name: str | None
    types: list[str]
    actions: list[str]


class ApiToken(Answer):
    id: str
    name: str | None
    project_id: str | None
    user_id: str
    grants: list[GrantAnswer]
    networks: list[str]
    created_at: Timestamp
    expires_at: Timestamp | None
    used_at: Timestamp | None = Field(description="When it was used last, to the minute.")
    links: Links


class NewApiToken(ApiToken):
    token: str = Field(description="What the client holds. It is told this once.")


class ApiTokens(Answer):
    tokens: list[ApiToken]
    links: ListLinks


class SelfToken(Answer):
    """What the caller may do."""

    kind: str = Field(description="api where it is restricted; else session.")
    name: str | None
    project_id: str | None
    user_id: str
    roles: list[str]
    grants: list[GrantAnswer] | None = Field(description="null: all that the roles allow.")
    networks: list[str]
    expires_at: Timestamp | None
