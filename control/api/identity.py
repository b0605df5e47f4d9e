# SPDX-License-Identifier: Apache-2.0
"""/identity: Keystone's API v3, as much of it as clients of DNS need. There is one domain, `default`.

Bodies and statuses are Keystone's; so are errors (see app.py).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from control.api.call import Call
from control.api.moments import moment
from control.api.operations import Reply, operation
from control.api.schemas import identity as schemas
from control.errors import Invalid, Problem, Refused
from control.identity import accounts, credentials, directory, sessions
from control.identity.sessions import ByCredential, ByPassword, ByToken, Wanted
from control.storage.accounts import Project, User
from control.storage.credentials import Credential
from control.storage.tokens import Holder

V3 = "/identity/v3"
DOMAIN = {"id": "default", "name": "Default"}
UPDATED = "2020-07-07T00:00:00Z"  # of version 3.14
VERSION = "v3.14"


# --------------------------------------------------------------------------------------------------------- discovery


@operation("GET", "/identity", answers={300: schemas.VersionsAnswer}, public=True)
def list_identity_versions(call: Call) -> Reply:
    """The versions of the identity API."""
    return Reply({"versions": {"values": [_version(call)]}}, 300, {"Location": call.url(f"{V3}/")})


@operation("GET", V3, answers={200: schemas.VersionAnswer}, public=True)
def get_identity_version(call: Call) -> Reply:
    """Version 3 of the identity API."""
    return Reply({"version": _version(call)})


def _version(call: Call) -> dict[str, Any]:
    return {
        "id": VERSION,
        "status": "stable",
        "updated": UPDATED,
        "links": [{"rel": "self", "href": call.url(f"{V3}/")}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }


# ------------------------------------------------------------------------------------------------------------ tokens


@operation("POST", f"{V3}/auth/tokens", body=schemas.AuthRequest, answers={201: schemas.TokenAnswer}, public=True)
def create_identity_token(call: Call) -> Reply:
    """Log in with a password, a token or an application credential, for a project."""
    wanted = _wanted(call.parsed(schemas.AuthRequest).auth)
    text, holder = sessions.log_in(call.core, wanted)
    return Reply({"token": _token(call, holder)}, 201, {"X-Subject-Token": text, "Vary": "X-Auth-Token"})


@operation("GET", f"{V3}/auth/tokens", answers={200: schemas.TokenAnswer})
def get_identity_token(call: Call) -> Reply:
    """Show what a token (X-Subject-Token) is worth. Of others' tokens: admins only."""
    text, holder = _subject(call)
    return Reply({"token": _token(call, holder)}, 200, {"X-Subject-Token": text, "Vary": "X-Auth-Token"})


@operation("DELETE", f"{V3}/auth/tokens", answers={204: None})
def delete_identity_token(call: Call) -> Reply:
    """Revoke a token (X-Subject-Token)."""
    sessions.log_out(call.core, _subject(call)[1])
    return Reply(status=204)


def _subject(call: Call) -> tuple[str, Holder]:
    text = call.request.headers.get("X-Subject-Token")
    if not text:
        raise Refused("bad_request", "X-Subject-Token is missing")
    found = sessions.find(call.core, text)
    if found.token.user_id != call.ctx.user_id and "admin" not in call.ctx.roles:
        raise Refused("forbidden", "You are not authorized to perform the requested action.")
    return text, found


@operation("GET", f"{V3}/auth/catalog", answers={200: schemas.CatalogAnswer})
def get_catalog(call: Call) -> Reply:
    """Show where the services are."""
    return Reply({"catalog": _catalog(call), "links": {"self": call.url(f"{V3}/auth/catalog")}})


@operation("GET", f"{V3}/auth/projects", answers={200: schemas.ProjectsAnswer})
def list_own_projects(call: Call) -> Reply:
    """List the projects that the caller may log in to."""
    return _list(call, "projects", [_project(call, item) for item in directory.projects_of(call.core, call.ctx)])


# ------------------------------------------------------------------------------------------------------- what there is


@operation("GET", f"{V3}/projects", answers={200: schemas.ProjectsAnswer}, query={"name": "Only the one of this name."})
def list_projects(call: Call) -> Reply:
    """List projects: all for an admin, for others their own."""
    found = directory.projects(call.core, call.ctx, call.request.args.get("name"))
    return _list(call, "projects", [_project(call, item) for item in found])


@operation("GET", f"{V3}/projects/<project>", answers={200: schemas.ProjectAnswer})
def get_project(call: Call) -> Reply:
    """Show a project."""
    return Reply({"project": _project(call, directory.project(call.core, call.ctx, call.path["project"]))})


@operation("GET", f"{V3}/users", answers={200: schemas.UsersAnswer}, query={"name": "Only the one of this name."})
def list_users(call: Call) -> Reply:
    """List users: all for an admin, for others themselves."""
    found = directory.users(call.core, call.ctx, call.request.args.get("name"))
    return _list(call, "users", [_user(call, item) for item in found])


@operation("GET", f"{V3}/users/<user>", answers={200: schemas.UserAnswer})
def get_user(call: Call) -> Reply:
    """Show a user."""
    return Reply({"user": _user(call, directory.user(call.core, call.ctx, call.path["user"]))})


@operation("GET", f"{V3}/roles", answers={200: schemas.RolesAnswer}, query={"name": "Only the one of this name."})
def list_roles(call: Call) -> Reply:
    """List roles."""
    name = call.request.args.get("name")
    return _list(call, "roles", [_role(call, role) for role in accounts.ROLES if name in (None, role)])


@operation("GET", f"{V3}/roles/<role>", answers={200: schemas.RoleAnswer})
def get_role(call: Call) -> Reply:
    """Show a role."""
    if call.path["role"] not in accounts.ROLES:
        raise Refused("not_found", f"Could not find role: {call.path['role']}.")
    return Reply({"role": _role(call, call.path["role"])})


@operation("GET", f"{V3}/domains", answers={200: schemas.DomainsAnswer}, query={"name": "Only the one of this name."})
def list_domains(call: Call) -> Reply:
    """List domains: the one there is."""
    name = call.request.args.get("name")
    return _list(call, "domains", [_domain(call)] if name in (None, DOMAIN["name"]) else [])


@operation("GET", f"{V3}/domains/<domain>", answers={200: schemas.DomainAnswer})
def get_domain(call: Call) -> Reply:
    """Show a domain."""
    if call.path["domain"] != DOMAIN["id"]:
        raise Refused("not_found", f"Could not find domain: {call.path['domain']}.")
    return Reply({"domain": _domain(call)})


# ------------------------------------------------------------------------------------------- application credentials

CREDENTIALS = f"{V3}/users/<user>/application_credentials"


@operation("POST", CREDENTIALS, body=schemas.CredentialCreate, answers={201: schemas.CredentialAnswer})
def create_application_credential(call: Call) -> Reply:
    """Create an application credential for the token's project. Its secret is shown this once."""
    body = call.parsed(schemas.CredentialCreate).application_credential
    _check_supported(body)
    wanted = credentials.CredentialWanted(
        name=body.name,
        description=body.description,
        secret=body.secret,
        roles=[role.name or role.id or "" for role in body.roles],
        expires_at=moment("expires_at", body.expires_at),
    )
    secret, made = credentials.create(call.core, _own(call), wanted)
    return Reply({"application_credential": {**_credential(call, made), "secret": secret}}, 201)


@operation("GET", CREDENTIALS, answers={200: schemas.CredentialsAnswer}, query={"name": "Only the one of this name."})
def list_application_credentials(call: Call) -> Reply:
    """List one's application credentials."""
    name = call.request.args.get("name")
    found = credentials.of_user(call.core, _own(call).token.user_id)
    shown = [_credential(call, item) for item in found if name in (None, item.name)]
    return _list(call, "application_credentials", shown)


@operation("GET", f"{CREDENTIALS}/<credential>", answers={200: schemas.CredentialAnswer})
def get_application_credential(call: Call) -> Reply:
    """Show an application credential."""
    found = credentials.get(call.core, _own(call).token.user_id, call.path["credential"])
    return Reply({"application_credential": _credential(call, found)})


@operation("DELETE", f"{CREDENTIALS}/<credential>", answers={204: None})
def delete_application_credential(call: Call) -> Reply:
    """Delete an application credential, and with it the tokens that were opened with it."""
    credentials.delete(call.core, _own(call), call.path["credential"])
    return Reply(status=204)


def _own(call: Call) -> Holder:
    """The caller's token, where the path is about the caller himself."""
    if call.ctx.token is None or call.path["user"] not in (call.ctx.user_id, str(call.ctx.user_id).replace("-", "")):
        raise Refused("forbidden", "You are not authorized to perform the requested action.")
    return sessions.holder(call.core, call.ctx.token)


def _check_supported(body: schemas.CredentialBody) -> None:
    problems = []
    if body.unrestricted:
        problems.append(Problem(("unrestricted",), "a credential can't make others here: leave unrestricted out"))
    if body.access_rules:
        problems.append(Problem(("access_rules",), "there are no access rules here: use an API token (/v2/tokens)"))
    if problems:
        raise Invalid([problem.below("application_credential") for problem in problems])


# ------------------------------------------------------------------------------------------------ what was asked for


def _wanted(auth: schemas.Auth) -> Wanted:
    if auth.scope is None:
        return Wanted(_proof(auth.identity))
    if auth.scope == "unscoped" or auth.scope.unscoped is not None:
        return Wanted(_proof(auth.identity), unscoped=True)
    project = auth.scope.project
    if project is None or not (project.id or project.name):
        raise sessions.unauthorized("Tokens are for projects here: scope them to one")
    if project.id is None:
        _check_domain(project.domain)
    return Wanted(_proof(auth.identity), project=project.id or project.name)


def _proof(identity: schemas.IdentityMethods) -> ByPassword | ByCredential | ByToken:
    """The one method that was used."""
    method = identity.methods[0]
    if len(identity.methods) > 1 or method not in ("password", "token", "application_credential"):
        raise sessions.unauthorized("The method must be one of password, token and application_credential")
    given = getattr(identity, method)
    if given is None:
        raise Invalid([Problem(("auth", "identity", method), f"'{method}' is a required property", "required")])
    if isinstance(given, schemas.TokenMethod):
        return ByToken(given.id)
    if isinstance(given, schemas.PasswordMethod):
        return ByPassword(_user_of(given.user), given.user.password)
    user = _user_of(given.user) if given.id is None and given.user else None
    return ByCredential(given.id, given.name, user, given.secret)


def _user_of(user: schemas.UserRef) -> str:
    if user.id is not None:
        return user.id
    _check_domain(user.domain)
    return user.name or ""


def _check_domain(domain: schemas.DomainRef | None) -> None:
    """None is the one there is: clients that were told no domain send none."""
    named = domain and (domain.id or domain.name)
    if named and named.lower() != DOMAIN["id"]:
        raise sessions.unauthorized()


# ------------------------------------------------------------------------------------------------------ what is shown


def _token(call: Call, holder: Holder) -> dict[str, Any]:
    token = holder.token
    body: dict[str, Any] = {
        "methods": token.methods,
        "user": {"id": token.user_id, "name": holder.user_name, "domain": DOMAIN, "password_expires_at": None},
        "audit_ids": [base64.urlsafe_b64encode(bytes.fromhex(token.id.replace("-", ""))).decode().rstrip("=")],
        "issued_at": _time(token.created_at),
        "expires_at": _time(token.expires_at),
    }
    if token.credential_id is not None:
        body["application_credential"] = {"id": token.credential_id, "restricted": True}
    if token.project_id is not None:
        body["project"] = {"id": token.project_id, "name": holder.project_name, "domain": DOMAIN}
        body["is_domain"] = False
        body["roles"] = [{"id": role, "name": role} for role in sorted(holder.roles)]
        if "nocatalog" not in call.request.args:
            body["catalog"] = _catalog(call)
    return body


def _catalog(call: Call) -> list[dict[str, Any]]:
    return [
        _service(call, "dns", "designate", call.url("")),
        _service(call, "identity", "keystone", call.url("/identity")),
    ]


def _service(call: Call, kind: str, name: str, url: str) -> dict[str, Any]:
    region = call.core.config.region
    endpoints = [
        {"id": f"{kind}-{interface}", "interface": interface, "region": region, "region_id": region, "url": url}
        for interface in ("public", "internal", "admin")
    ]
    return {"id": kind, "type": kind, "name": name, "endpoints": endpoints}


def _project(call: Call, project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "description": "",
        "domain_id": DOMAIN["id"],
        "parent_id": DOMAIN["id"],
        "enabled": project.enabled,
        "is_domain": False,
        "tags": [],
        "options": {},
        "links": {"self": call.url(f"{V3}/projects/{project.id}")},
    }


def _user(call: Call, user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "domain_id": DOMAIN["id"],
        "default_project_id": user.default_project_id,
        "enabled": user.enabled,
        "password_expires_at": None,
        "options": {},
        "links": {"self": call.url(f"{V3}/users/{user.id}")},
    }


def _role(call: Call, role: str) -> dict[str, Any]:
    links = {"self": call.url(f"{V3}/roles/{role}")}
    return {"id": role, "name": role, "domain_id": None, "description": None, "options": {}, "links": links}


def _domain(call: Call) -> dict[str, Any]:
    links = {"self": call.url(f"{V3}/domains/{DOMAIN['id']}")}
    return {**DOMAIN, "description": "", "enabled": True, "tags": [], "options": {}, "links": links}


def _credential(call: Call, credential: Credential) -> dict[str, Any]:
    path = f"{V3}/users/{credential.user_id}/application_credentials/{credential.id}"
    return {
        "id": credential.id,
        "name": credential.name,
        "description": credential.description,
        "project_id": credential.project_id,
        "user_id": credential.user_id,
        "roles": [{"id": role, "name": role, "domain_id": None} for role in credential.roles],
        "expires_at": _time(credential.expires_at),
        "unrestricted": False,
        "links": {"self": call.url(path)},
    }


def _list(call: Call, key: str, items: Sequence[dict[str, Any]]) -> Reply:
    return Reply({key: list(items), "links": {"self": call.request.url, "next": None, "previous": None}})


def _time(moment: datetime | None) -> str | None:
    """Unlike DNS resources, Keystone's have a Z."""
    return None if moment is None else f"{moment.isoformat(timespec='microseconds')}Z"
