# SPDX-License-Identifier: Apache-2.0
"""`fastmdns user`, `project`, `role` and `token`: who may come in, and as what.

No secret is an argument, since arguments are seen by everyone on the host: passwords are asked for, read from a file or
made here; what was made is printed once.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from control import scopes
from control.central.core import Core
from control.cli import json_option, show, show_all, with_core
from control.identity import accounts, apitokens, passwords
from control.identity.apitokens import TokenWanted
from control.storage.tokens import Token
from fastmdns.errors import ConfigError

password_option = click.option(
    "--password-file", type=click.Path(path_type=Path), metavar="FILE", help="Read the password from FILE; - is stdin."
)
generate_option = click.option("--generate", is_flag=True, help="Make a password and print it once.")
role_type = click.Choice(accounts.ROLES)


def _password(file: Path | None, generate: bool) -> tuple[str, bool]:
    """→ the password, and whether it was made here."""
    if generate and file:
        raise click.UsageError("--generate and --password-file exclude each other")
    if generate:
        return passwords.new_password(), True
    if file is None:
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return asked, False
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"can't read {file}: {error.strerror}") from error
    return text.rstrip("\r\n"), False


# ------------------------------------------------------------------------------------------------------------- users


@click.group()
def user() -> None:
    """Create, list, change and delete users of the built-in identity."""


@user.command("create")
@click.argument("name")
@click.option("--project", metavar="PROJECT", help="His default project.")
@click.option("--role", "roles", multiple=True, type=role_type, help="His roles there [member].")
@password_option
@generate_option
@json_option
@with_core
def create_user(core: Core, name: str, project: str | None, as_json: bool, **given: Any) -> None:
    """Create a user."""
    if given["roles"] and not project:
        raise click.UsageError("--role needs --project: a role is in a project")
    password, made_here = _password(given["password_file"], given["generate"])
    made = accounts.create_user(core, name, password, project, given["roles"] or ("member",))
    shown = {"id": made.id, "name": made.name, "project": project}
    show({**shown, "password": password} if made_here else shown, as_json)


@user.command("list")
@json_option
@with_core
def list_users(core: Core, as_json: bool) -> None:
    """List all users with their roles."""
    show_all(accounts.users(core), ("name", "enabled", "default_project", "roles", "id"), as_json)


@user.command("set")
@click.argument("user")
@click.option("--enable/--disable", "enabled", default=None, help="Whether he may come in.")
@click.option("--project", metavar="PROJECT", help="His default project.")
@with_core
def set_user(core: Core, user: str, enabled: bool | None, project: str | None) -> None:
    """Change a user. One who is disabled is out at once."""
    if enabled is None and project is None:
        raise click.UsageError("nothing to change: give --enable, --disable or --project")
    accounts.set_user(core, user, enabled=enabled, project=project)


@user.command("password")
@click.argument("user")
@password_option
@generate_option
@json_option
@with_core
def set_password(core: Core, user: str, password_file: Path | None, generate: bool, as_json: bool) -> None:
    """Give a user a new password. What was opened with the old one ends at once."""
    password, made_here = _password(password_file, generate)
    accounts.set_password(core, user, password)
    if made_here:
        show({"name": user, "password": password}, as_json)


@user.command("delete")
@click.argument("user")
@with_core
def delete_user(core: Core, user: str) -> None:
    """Delete a user, with his tokens and application credentials."""
    accounts.delete_user(core, user)


# ---------------------------------------------------------------------------------------------------------- projects


@click.group()
def project() -> None:
    """Create, list and delete projects: what zones belong to."""


@project.command("create")
@click.argument("name")
@json_option
@with_core
def create_project(core: Core, name: str, as_json: bool) -> None:
    """Create a project."""
    made = accounts.create_project(core, name)
    show({"id": made.id, "name": made.name}, as_json)


@project.command("list")
@json_option
@with_core
def list_projects(core: Core, as_json: bool) -> None:
    """List all projects."""
    show_all([asdict(item) for item in accounts.projects(core)], ("name", "enabled", "id"), as_json)


@project.command("delete")
@click.argument("project")
@with_core
def delete_project(core: Core, project: str) -> None:
    """Delete a project that has no zones."""
    accounts.delete_project(core, project)


# ------------------------------------------------------------------------------------------------------------- roles


@click.group()
def role() -> None:
    """Give users roles in projects, and take them away."""


@role.command("add")
@click.argument("role", type=role_type)
@click.option("--user", required=True, metavar="USER", help="Who gets it.")
@click.option("--project", required=True, metavar="PROJECT", help="Where he has it.")
@with_core
def add_role(core: Core, role: str, user: str, project: str) -> None:
    """Give a user a role in a project: admin (of everything), member (changes zones) or reader (sees them)."""
    accounts.add_role(core, user, project, role)


@role.command("remove")
@click.argument("role", type=role_type)
@click.option("--user", required=True, metavar="USER", help="Who loses it.")
@click.option("--project", required=True, metavar="PROJECT", help="Where he had it.")
@with_core
def remove_role(core: Core, role: str, user: str, project: str) -> None:
    """Take a role away. Tokens that are out lose it at once."""
    accounts.remove_role(core, user, project, role)


# ------------------------------------------------------------------------------------------------------------ tokens


@click.group()
def token() -> None:
    """Create, list and revoke API tokens: what machines hold, restricted to what they need."""


@token.command("create")
@click.argument("name")
@click.option("--user", required=True, metavar="USER", help="Whose it is: it may never do more than he may.")
@click.option("--project", metavar="PROJECT", help="Where [his default project].")
@click.option("--zone", "zones", multiple=True, required=True, metavar="PATTERN", help="Zones; * is anything.")
@click.option("--name", "record_name", metavar="PATTERN", help="Only recordsets with such names: _acme-challenge.*")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only recordsets of this type.")
@click.option("--action", "actions", multiple=True, type=click.Choice(scopes.ACTIONS), help="What it may do [all].")
@click.option("--network", "networks", multiple=True, metavar="PREFIX", help="Where from [anywhere].")
@click.option("--expires", type=click.DateTime(), metavar="TIME", help="When it ends, in UTC [never].")
@json_option
@with_core
def create_token(core: Core, name: str, user: str, project: str | None, as_json: bool, **given: Any) -> None:
    """Create an API token with the same rights in each zone that is named."""
    grants = [
        {
            "zone": zone,
            "name": given["record_name"],
            "types": list(given["types"]),
            "actions": list(given["actions"] or scopes.ACTIONS),
        }
        for zone in given["zones"]
    ]
    expires: datetime | None = given["expires"]
    wanted = TokenWanted(name, grants, given["networks"], expires)
    text, made = apitokens.create_for(core, user, project, wanted)
    show({**_shown(made), "token": text}, as_json)


@token.command("list")
@click.option("--project", metavar="PROJECT", help="Only those of this project.")
@json_option
@with_core
def list_tokens(core: Core, project: str | None, as_json: bool) -> None:
    """List API tokens, without their secrets."""
    found = [_shown(item) for item in apitokens.every(core, project)]
    show_all(found, ("name", "grants", "expires_at", "used_at", "id"), as_json)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@with_core
def revoke_token(core: Core, token_id: str) -> None:
    """Revoke an API token: the next request with it is refused."""
    apitokens.revoke_any(core, token_id)


def _shown(made: Token) -> dict[str, Any]:
    scope = made.scope or {"grants": [], "networks": []}
    return {
        "id": made.id,
        "name": made.name,
        "user_id": made.user_id,
        "project_id": made.project_id,
        "grants": [_grant_text(grant) for grant in scope["grants"]],
        "networks": scope["networks"],
        "expires_at": _time(made.expires_at),
        "used_at": _time(made.used_at),
    }


def _grant_text(grant: dict[str, Any]) -> str:
    """`read,update of TXT at _acme-challenge.* in example.org.`"""
    types = f" of {'/'.join(grant['types'])}" if grant["types"] else ""
    name = f" at {grant['name']}" if grant["name"] else ""
    return f"{'+'.join(grant['actions'])}{types}{name} in {grant['zone']}"


def _time(moment: datetime | None) -> str | None:
    return moment.replace(tzinfo=UTC).isoformat(timespec="seconds") if moment else None
