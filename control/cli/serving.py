# SPDX-License-Identifier: Apache-2.0
"""`fastmdns api`: checks that the API can work, then becomes its master process."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from control.central.core import Core, open_core
from control.cli import config_option, database_option, said_plainly, settings_of
from control.config import PREFIX, ControlConfig
from control.identity.bootstrap import Created
from control.identity.bootstrap import bootstrap as make_what_is_missing
from control.storage import schema


@click.command()
@config_option
@database_option
@click.option("--listen", multiple=True, metavar="ADDRESS:PORT", help="Where to answer [127.0.0.1:9001].")
@click.option("--metrics", metavar="ADDRESS:PORT", help="Where to answer /metrics [127.0.0.1:9154]; empty is nowhere.")
@click.option("--workers", type=int, metavar="N", help="Worker processes [one for each core].")
@click.option("--auth", type=click.Choice(["none", "builtin", "keystone"]), help="Who says who a caller is [builtin].")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="The form of log lines [text].")
@click.option("--bootstrap", is_flag=True, help="First make what is missing: tables, the default pool, an admin.")
@click.option("--name-server", "name_servers", multiple=True, metavar="NAME", help="With --bootstrap: of that pool.")
def api(
    config: Path | None, bootstrap: bool, name_servers: tuple[str, ...], listen: tuple[str, ...], **flags: Any
) -> None:
    """Serve the API over HTTP."""
    with said_plainly():
        settings = settings_of(config, listen=listen or None, **flags)
        created = prepare(settings, name_servers) if bootstrap else None
        check(settings)
    if created:
        click.echo(f"user {created.user} of project {created.project} has the password {created.password}")
        click.echo("It is told this once: keep it.")
    environ = {**os.environ, **_environment(config, {**flags, "listen": " ".join(listen) or None})}
    os.execve(sys.executable, [sys.executable, "-m", "control.serving"], environ)


def prepare(settings: ControlConfig, name_servers: Sequence[str]) -> Created | None:
    """Makes what is missing in the database → the admin, where it was made just now."""
    with closing(open_core(settings).db) as database:
        schema.upgrade(database)
        return make_what_is_missing(Core(database, settings), name_servers)


def check(settings: ControlConfig) -> None:
    """Unavailable where the database is none that can be worked with."""
    with closing(open_core(settings).db) as database:
        schema.need_newest(database)


def _environment(config: Path | None, flags: dict[str, Any]) -> dict[str, str]:
    """The flags as the settings' variables, which the master and SIGHUP read."""
    given = {**flags, "config": config and config.absolute()}
    return {PREFIX + key.upper(): str(value) for key, value in given.items() if value is not None}
