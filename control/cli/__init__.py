# SPDX-License-Identifier: Apache-2.0
"""The control plane's commands, which join `fastmdns` through the entry-point group `fastmdns.commands`.

Exit codes are those of fastmdns.cli: 1 where something was refused, 2 where it could not be tried.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from control.central.core import open_core
from control.config import ControlConfig, load
from control.errors import ControlError, Unavailable
from fastmdns.errors import ConfigError, FastmdnsError

Command = Callable[..., Any]

config_option = click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings in TOML.")
database_option = click.option("--database", metavar="URL", help="The database [as the settings say].")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def settings_of(config: Path | None, **flags: Any) -> ControlConfig:
    """The settings in force: file < environment < flags. A flag that was not given is None."""
    return load(config, **{key: value for key, value in flags.items() if value is not None})


def with_core(command: Command) -> Command:
    """Gives a command --config and --database, and the Core that they name as its first argument."""

    @config_option
    @database_option
    @functools.wraps(command)
    def run(config: Path | None, database: str | None, **options: Any) -> Any:
        with said_plainly():
            core = open_core(settings_of(config, database=database))
            try:
                return command(core, **options)
            finally:
                core.db.close()

    return run


@contextmanager
def said_plainly() -> Iterator[None]:
    """What the control plane refuses becomes the one line and the exit code of `fastmdns`."""
    try:
        yield
    except Unavailable as error:
        raise ConfigError(str(error)) from error
    except ControlError as error:
        raise FastmdnsError(str(error)) from error


def show(thing: Mapping[str, Any], as_json: bool) -> None:
    """One thing, a line for each of its values."""
    if as_json:
        click.echo(json.dumps(thing, default=str))
        return
    width = max(map(len, thing))
    for key, value in thing.items():
        click.echo(f"{key:{width}}  {_text(value)}")


def show_all(things: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """A table with these columns; all that is known of each thing with --json."""
    if as_json:
        click.echo(json.dumps(things, default=str))
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for thing in things:
        table.add_row(*(Text(_text(thing[column])) for column in columns))  # not str: no markup in names
    Console(highlight=False, soft_wrap=True).print(table)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
