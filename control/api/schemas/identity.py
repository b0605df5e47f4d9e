# SPDX-License-Identifier: Apache-2.0
"""Keystone's bodies, as far as clients send and read them. What they send beyond is ignored, as Keystone does."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from control.api.schemas.base import Answer, Name


class Sent(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class DomainRef(Sent):
    id: str | None = None
    name: str | None = None


class UserRef(Sent):
    id: str | None = None
    name: str | None = None
    domain: DomainRef | None = None


class UserSecret(UserRef):
    password: str = Field(repr=False)


class PasswordMethod(Sent):
    user: UserSecret


class TokenMethod(Sent):
    id: str = Field(repr=False)


class CredentialMethod(Sent):
    id: str | None = None
    name: str | None = None
    secret: str = Field(repr=False)
    user: UserRef | None = None


class IdentityMethods(Sent):
    methods: list[str] = Field(min_length=1)
    password: PasswordMethod | None = None
    token: TokenMethod | None = None
    application_credential: CredentialMethod | None = None


class ProjectRef(Sent):
    id: str | None = None
    name: str | None = None
    domain: DomainRef | None = None


class AuthScope(Sent):
    project: ProjectRef | None = None
    domain: DomainRef | None = None
    system: dict[str, Any] | None = None
    unscoped: dict[str, Any] | None = None


class Auth(Sent):
    identity: IdentityMethods
    scope: AuthScope | Literal["unscoped"] | None = None


class AuthRequest(Sent):
    auth: Auth


class RoleRef(Sent):
    id: str | None = None
    name: str | None = None


class CredentialBody(Sent):
    name: Name
    description: str | None = Field(None, max_length=255)
    secret: str | None = Field(None, min_length=16, max_length=4096, repr=False)
    expires_at: str | None = None
    roles: list[RoleRef] = Field(default_factory=list)
    unrestricted: bool = False
    access_rules: list[dict[str, Any]] = Field(default_factory=list)


class CredentialCreate(Sent):
    application_credential: CredentialBody


class TokenAnswer(Answer):
    token: dict[str, Any] = Field(
        description="methods, user, project, roles, catalog, issued_at, expires_at, audit_ids."
    )


class CatalogAnswer(Answer):
    catalog: list[dict[str, Any]]
    links: dict[str, Any]


class ProjectAnswer(Answer):
    project: dict[str, Any]


class ProjectsAnswer(Answer):
    projects: list[dict[str, Any]]
    links: dict[str, Any]


class UserAnswer(Answer):
    user: dict[str, Any]


class UsersAnswer(Answer):
    users: list[dict[str, Any]]
    links: dict[str, Any]


class RoleAnswer(Answer):
    role: dict[str, Any]


class RolesAnswer(Answer):
    roles: list[dict[str, Any]]
    links: dict[str, Any]


class DomainAnswer(Answer):
    domain: dict[str, Any]


class DomainsAnswer(Answer):
    domains: list[dict[str, Any]]
    links: dict[str, Any]


class CredentialAnswer(Answer):
    application_credential: dict[str, Any]


class CredentialsAnswer(Answer):
    application_credentials: list[dict[str, Any]]
    links: dict[str, Any]


class VersionAnswer(Answer):
    version: dict[str, Any]


class VersionsAnswer(Answer):
    versions: dict[str, Any]
