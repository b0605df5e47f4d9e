# SPDX-License-Identifier: Apache-2.0
"""`fastmdns db`: the database's schema, from outside the API."""

from __future__ import annotations

import click

from control.central import tsigkeys
from control.central.core import Core
from control.cli import with_core
from control.storage import schema
from fastmdns.errors import FastmdnsError


@click.group()
def db() -> None:
    """Create the control plane's tables, and bring them up to date."""


@db.command()
@with_core
def upgrade(core: Core) -> None:
    """Create the tables, or bring those of an older release up to date."""
    before = schema.current(core.db)
    schema.upgrade(core.db)
    after = schema.newest()
    click.echo(f"the database is at {after}" + ("" if before == after else f"; it was {_named(before)}"))


@db.command()
@with_core
def current(core: Core) -> None:
    """Print the revision of the schema that the database has."""
    click.echo(_named(schema.current(core.db)))


@db.command()
@with_core
def check(core: Core) -> None:
    """Exit code 1, and what differs, where the database isn't what this release works with."""
    found = schema.differences(core.db)
    for difference in found:
        click.echo(difference)
    if found or schema.current(core.db) != schema.newest():
        raise FastmdnsError(f"the database is {_named(schema.current(core.db))}, not as {schema.newest()} says")
    click.echo(f"the database is at {schema.newest()}")


@db.command()
def history() -> None:
    """List all revisions of the schema, the oldest first."""
    for revision in schema.history():
        click.echo(f"{revision.revision}  {revision.doc}")


@db.command()
@with_core
def reseal(core: Core) -> None:
    """Seal the TSIG secrets again with the first of secret_key's keys; after that the other keys may go."""
    click.echo(f"{tsigkeys.reseal(core)} secrets are sealed with the first key")


def _named(revision: str | None) -> str:
    return f"at {revision}" if revision else "empty"
