# SPDX-License-Identifier: Apache-2.0
"""The command `fastmdns`. A command here is: parse, one call, an exit code.

Exit codes: 0 all well · 1 what was asked for is not so (a zone has errors, two zones differ, a transfer failed) ·
2 it could not be tried (usage, settings, a file that can't be read). Errors are one line on stderr, with no traceback.
Other packages join with commands of their own through the entry-point group `fastmdns.commands`. Modules are imported
by the command that needs them: `serve` is ready to fork before the others would have been read.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from dataclasses import Field
from pathlib import Path
from typing import Any

import click

from fastmdns import __version__
from fastmdns.config import SETTINGS, Resolved, default_store, flag_of, nearest, paths_missing, resolve
from fastmdns.errors import ConfigError, FastmdnsError

DONE, NOT_SO, CANNOT = 0, 1, 2


class Commands(click.Group):
    """Our commands in the order they are written, then those of other packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *sorted(_entry_points())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = self.commands.get(cmd_name)
        if command is None and (point := _entry_points().get(cmd_name)):
            command = _loaded(cmd_name, point)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.fail(f"no command {args[0]!r}{nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def _entry_points() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group="fastmdns.commands")}


def _loaded(name: str, point: Any) -> click.Command:
    """Another package's command; where the libraries it needs are not installed, one that says so."""
    try:
        return point.load()  # type: ignore[no-any-return]  # what entry points name has no type
    except ModuleNotFoundError as error:
        reason = f"`{name}` needs more than is installed ({error.name} is missing): pip install 'fastmdns[control]'"

    def refuse(args: tuple[str, ...]) -> None:
        raise ConfigError(reason)

    anything = {"ignore_unknown_options": True, "help_option_names": []}
    return click.Command(
        name, anything, refuse, [click.Argument(["args"], nargs=-1, type=click.UNPROCESSED)], hidden=True
    )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="fastmdns")
def cli() -> None:
    """A hidden primary that serves zone transfers from images rendered when a zone changes."""


# ------------------------------------------------------------------------------------------------------ shared flags


def _option(setting: Field[Any]) -> click.Option:
    """The flag of a setting, made from its declaration in config.py."""
    flag = "--" + flag_of(setting)
    if setting.type == "bool":
        both = f"{flag}/--no-{flag_of(setting)}"
        return click.Option([both, setting.name], default=None, help=setting.metadata["help"])
    many = str(setting.type).startswith("tuple")
    metavar = setting.metadata["metavar"]
    return click.Option([flag, setting.name], multiple=many, metavar=metavar, help=_help_with_default(setting))


def _help_with_default(setting: Field[Any]) -> str:
    default = setting.default
    shown = " ".join(default) if isinstance(default, tuple) else default
    known = isinstance(shown, str | int | float) and shown not in ("", 0)
    return f"{setting.metadata['help']} [{shown}]" if known else str(setting.metadata["help"])


# All that can be set: PATHs, --config, and a flag for each key. Made once for the three commands that take it.
SETTINGS_PARAMS = [
    click.Argument(["zones"], nargs=-1, metavar="PATH..."),
    click.Option(["--config"], type=click.Path(path_type=Path), metavar="FILE", help="Settings in TOML."),
    *(_option(setting) for setting in SETTINGS.values() if setting.name != "zones"),
]


def _resolved(config: Path | None, flags: dict[str, Any]) -> Resolved:
    return resolve(config, flags={key: value for key, value in flags.items() if value not in (None, ())})


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_store = click.option(
    "--store", type=click.Path(path_type=Path), metavar="FOLDER", help="The store [as `fastmdns serve` has it]."
)


# ---------------------------------------------------------------------------------------------------------- commands


@cli.command(params=SETTINGS_PARAMS)
def serve(config: Path | None, **flags: Any) -> int:
    """Serve zone transfers.

    PATH is a zone file named <zone>.zone, a folder of such files, or zone=file. Settings are read from --config, then
    the environment (FASTMDNS_ and the key in capitals), then the flags; the later ones win.
    """
    settings = _resolved(config, flags).config
    if not settings.zones:
        raise ConfigError("no zones to serve: name a zone file or a folder of them (fastmdns serve PATH)")
    missing = paths_missing(settings)
    if len(missing) == len(settings.zones):  # where some are there, the others go on from the store
        raise ConfigError(missing[0])
    from fastmdns.server.master import serve as run

    return run(settings)


@cli.command("compile")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@_store
@_as_json
def compile_(paths: tuple[str, ...], store: Path | None, as_json: bool) -> int:
    """Render zone files into a store, as `serve` does when it starts.

    A zone with errors keeps what the store held before, and the exit code is 1.
    """
    from fastmdns import offline

    return offline.compile_zones(_sources(paths), store or default_store(), as_json)


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@_as_json
def check(paths: tuple[str, ...], as_json: bool) -> int:
    """Check zone files: every error at once, each with file, line and column.

    Exit code 0: all can be served. 1: at least one can't. 2: a file can't be read.
    """
    from fastmdns import offline

    return offline.check_zones(_sources(paths), as_json)


@cli.command()
@click.argument("zone", required=False)
@_store
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE, not to stdout.")
@click.option("--list", "only_list", is_flag=True, help="List the zones of the store, and nothing else.")
@_as_json
def dump(zone: str | None, store: Path | None, output: Path | None, only_list: bool, as_json: bool) -> int:
    """Print a ZONE of a store as zone text in canonical order, one record a line."""
    from fastmdns import offline

    folder = store or default_store()
    if only_list:
        return offline.list_zones(folder, as_json)
    if zone is None:
        raise click.UsageError("name a ZONE, or --list them")
    return offline.dump_zone(folder, zone, output)


@cli.command()
@click.argument("zone")
@click.argument("server", default="127.0.0.1:5300", metavar="[ADDRESS[:PORT]]")
@click.option("--tsig-key", "-y", metavar="NAME:ALG:SECRET", help="Sign with this key; @FILE reads the secret.")
@click.option("--serial", type=click.IntRange(0, 2**32 - 1), metavar="N", help="Ask for changes since N (IXFR).")
@click.option("--compare", metavar="FILE|ADDRESS[:PORT]", help="Compare with a zone file or with another server.")
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Save as zone text; - is stdout.")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=10.0, metavar="S", help="Longest silence [10].")
@_as_json
def transfer(**options: Any) -> int:
    """Transfer ZONE from a server [127.0.0.1:5300] and check what came.

    Both ends of the stream must hold the same SOA, and with a key every message must be signed. Prints serial and
    counts; --compare says which records differ (exit code 1 if any do).
    """
    from fastmdns import client

    return client.run(client.Request(**options))


@cli.command()
@click.argument("address", required=False, metavar="[ADDRESS:PORT]")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings in TOML.")
@_as_json
def status(address: str | None, config: Path | None, as_json: bool) -> int:
    """Show what a running server is doing, from its metrics address [127.0.0.1:9153]."""
    from fastmdns import status as reader

    metrics = resolve(config, flags={"metrics": address} if address else {}).config.metrics
    if not metrics:
        raise ConfigError("metrics are turned off here: say the server's metrics address")
    return reader.show(metrics, as_json)


@cli.group("config")
def config_() -> None:
    """Show or check settings."""


@config_.command("show", params=SETTINGS_PARAMS)
def config_show(config: Path | None, **flags: Any) -> int:
    """Print the settings in force as TOML, each with where it comes from. Secrets are not printed."""
    from fastmdns.reference import settings_in_force

    click.echo(settings_in_force(_resolved(config, flags)), nl=False)
    return DONE


@config_.command("check", params=SETTINGS_PARAMS)
def config_check(config: Path | None, **flags: Any) -> int:
    """Check the settings and the paths they name; zone files themselves are read by `fastmdns check`."""
    settings = _resolved(config, flags).config
    missing = paths_missing(settings) if settings.zones else ["zones: there are none to serve"]
    for line in missing:
        click.echo(line, err=True)
    click.echo("the settings can't work" if missing else "the settings are good")
    return CANNOT if missing else DONE


def _sources(paths: Sequence[str]) -> list[Any]:
    """PATH arguments as zones with their apex; folders are read here."""
    from fastmdns.config import zone_files

    zones = resolve(environ={}, flags={"zones": tuple(paths)}).config.zones
    found = [zone for source in zones for zone in zone_files(source)]
    if not found:
        raise ConfigError(f"no zone files (*.zone) in {' '.join(paths)}")
    return found


# -------------------------------------------------------------------------------------------------------------- main


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command and end the process with its exit code."""
    gc.freeze()  # modules stay: what is collected from here on need not walk them
    gc.enable()
    sys.exit(_run(argv))


def _run(argv: Sequence[str] | None) -> int:
    try:
        return cli.main(argv, prog_name="fastmdns", standalone_mode=False) or DONE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        see = f" (see {context.command_path} --help)" if context else ""
        click.echo(f"fastmdns: {' '.join(error.format_message().split())}{see}", err=True)
        return CANNOT
    except (click.Abort, KeyboardInterrupt):
        return 130
    except FastmdnsError as error:
        click.echo(f"fastmdns: {error}", err=True)
        return CANNOT if isinstance(error, ConfigError) else NOT_SO
    except BrokenPipeError:
        # The reader of our output went away, as in `fastmdns dump … | head`: nothing is left to say, at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_SO
