# SPDX-License-Identifier: Apache-2.0
"""`fastmdns api`: checks that the API can work, then becomes its master process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from control.central.core import open_core
from control.cli import config_option, database_option, said_plainly, settings_of
from control.config import PREFIX, ControlConfig
from control.storage import schema


@click.command()
@config_option
@database_option
@click.option("--listen", multiple=True, metavar="ADDRESS:PORT", help="Where to answer [127.0.0.1:9001].")
@click.option("--metrics", metavar="ADDRESS:PORT", help="Where to answer /metrics [127.0.0.1:9154]; empty is nowhere.")
@click.option("--workers", type=int, metavar="N", help="Worker processes [one for each core].")
@click.option("--auth", type=click.Choice(["none", "builtin", "keystone"]), help="Who says who a caller is [builtin].")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="The form of log lines [text].")
@click.option("--bootstrap", is_flag=True, help="First bring the schema up to date, and make what is missing to begin.")
def api(config: Path | None, bootstrap: bool, listen: tuple[str, ...], **flags: Any) -> None:
    """Serve the API over HTTP."""
    with said_plainly():
        settings = settings_of(config, listen=listen or None, **flags)
        prepare(settings, bootstrap)
    environ = {**os.environ, **_environment(config, {**flags, "listen": " ".join(listen) or None})}
    os.execve(sys.executable, [sys.executable, "-m", "control.serving"], environ)


def prepare(settings: ControlConfig, bootstrap: bool) -> None:
    """Refuses to start on a database that can't be worked with; bootstrap makes it one."""
    core = open_core(settings)
    try:
        if bootstrap:
            schema.upgrade(core.db)
        schema.need_newest(core.db)
    finally:
        core.db.close()


def _environment(config: Path | None, flags: dict[str, Any]) -> dict[str, str]:
    """The flags as the settings' variables, which the master and SIGHUP read."""
    given = {**flags, "config": config and config.absolute()}
    return {PREFIX + key.upper(): str(value) for key, value in given.items() if value is not None}
