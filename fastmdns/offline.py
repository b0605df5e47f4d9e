# SPDX-License-Identifier: Apache-2.0
"""What `check`, `compile` and `dump` do: work on zone files and on the store, with no server.

Every function returns the exit code of its command. What was asked for goes to stdout; progress, shown only on a
terminal and only where there is much to read, goes to stderr.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastmdns import name, zonetext
from fastmdns.config import ZoneSource, nearest
from fastmdns.errors import ConfigError, Problem, StoreError, TextError, ZoneError
from fastmdns.zonefile import Parsed, parse

if TYPE_CHECKING:
    from fastmdns.server.loading import LoadTotals, ZoneStatus
    from fastmdns.store import Snapshot, ZoneRow

MUCH = 16 << 20  # octets of zone files from which on progress is worth a line
SOA_NUMBERS = 20  # octets of a SOA's rdata from its serial on


@dataclass(frozen=True, slots=True)
class Checked:
    zone: str
    file: str
    serial: int | None  # None: the zone can't be served
    records: int
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check_zones(sources: Sequence[ZoneSource], as_json: bool) -> int:
    """Read every zone, print every problem."""
    with _meter(sources, "checking") as meter:
        checked = [_check(source, meter) for source in sources]
    if as_json:
        click.echo(json.dumps({"zones": [asdict(each) for each in checked]}))
    else:
        click.echo("\n".join([*_problem_lines(checked), _check_summary(checked)]))
    return int(any(each.serial is None for each in checked))


def _check(source: ZoneSource, meter: Meter) -> Checked:
    zone, file = str(source.apex), str(source.path)
    try:
        parsed = read_zone(source, meter)
    except ZoneError as error:
        return Checked(zone, file, None, 0, error.problems, ())
    return Checked(zone, file, serial_of(parsed), len(parsed.records), (), tuple(parsed.warnings))


def _problem_lines(checked: Iterable[Checked]) -> Iterator[str]:
    for each in checked:
        yield from (str(problem) for problem in each.problems)
        yield from (f"{problem} (warning)" for problem in each.warnings)


def _check_summary(checked: Sequence[Checked]) -> str:
    good = [each for each in checked if each.serial is not None]
    if len(checked) == len(good) == 1:
        return f"{good[0].zone} can be served: serial {good[0].serial}, {good[0].records} records"
    problems = sum(len(each.problems) for each in checked)
    records = sum(each.records for each in good)
    return f"{len(good)} of {len(checked)} zones can be served, {records} records; {problems} problems"


def list_zones(folder: Path, as_json: bool) -> int:
    """The zones of a store."""
    with _opened(folder) as snapshot:
        rows = [_row_facts(row) for row in snapshot.zones()]
    if as_json:
        click.echo(json.dumps({"zones": rows}))
        return 0
    for row in rows:
        state = f"serial={row['serial']} records={row['records']} octets={row['octets']}"
        click.echo(f"{row['zone']} {state if row['ready'] else 'was never loaded'}")
    return 0


def _row_facts(row: ZoneRow) -> dict[str, Any]:
    return {
        "zone": name.to_text(row.apex),
        "ready": row.ready,
        "serial": row.serial,
        "records": row.record_count,
        "octets": row.octets,
        "messages": row.page_count + (row.page_count > 1),
    }


def dump_zone(folder: Path, zone: str, output: Path | None) -> int:
    """One zone of a store as zone text."""
    try:
        apex = name.from_text(zone, b"\0")
    except TextError as error:
        raise ConfigError(f"{zone!r} is no name of a zone: {error}") from None
    with _opened(folder) as snapshot:
        row = snapshot.zone(apex)
        if row is None or not row.ready:
            known = (name.to_text(each.apex) for each in snapshot.zones())
            raise StoreError(f"the store {folder} has no zone {name.to_text(apex)}{nearest(name.to_text(apex), known)}")
        with zonetext.opened(output) as file:
            file.writelines(f"{line}\n" for line in map(zonetext.line, snapshot.records(row)))
    return 0


@contextmanager
def _opened(folder: Path) -> Iterator[Snapshot]:
    """A store as it is now."""
    from fastmdns.store import Store

    if not folder.is_dir():
        raise ConfigError(f"there is no store at {folder}: say which with --store")
    store = Store(folder, readonly=True)
    try:
        with store.snapshot() as snapshot:
            yield snapshot
    finally:
        store.close()


def compile_zones(sources: Sequence[ZoneSource], folder: Path, as_json: bool) -> int:
    """Bring a store up to what the files say, as a server does; zones of other files stay as they are."""
    from fastmdns.server.loading import Published, ZoneLoader
    from fastmdns.store import Store

    for source in sources:
        _refuse_missing(source)
    files = {name.lower(name.from_text(str(source.apex))): source for source in sources}
    logging.getLogger("fastmdns").addHandler(logging.NullHandler())  # what a log would say is printed below
    store = Store(folder)
    try:
        with _meter(sources, "compiling") as meter:

            def passed(event: object) -> None:
                if isinstance(event, Published):
                    meter.passed(files[name.lower(event.apex)])

            loader = ZoneLoader(store, tuple(sources), passed, keep_others=True, progress=meter.inside)
            totals = loader.load()
    finally:
        store.close()
    _print_compiled(list(loader.zones.values()), totals, folder, as_json)
    return int(totals.failed > 0)


def _print_compiled(zones: Sequence[ZoneStatus], totals: LoadTotals, folder: Path, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"zones": [asdict(zone) for zone in zones], **asdict(totals)}))
        return
    for zone in zones:
        for problem in zone.problems:
            click.echo(f"{problem}")
    counts = f"{totals.loaded} loaded, {totals.unchanged} unchanged, {totals.failed} failed"
    records = sum(zone.records for zone in zones)
    click.echo(f"{folder}: {counts}; {records} records in {totals.seconds:.2f} s")


def _refuse_missing(source: ZoneSource) -> None:
    if not source.path.is_file():
        raise ConfigError(f"{source.path}: no such file" if not source.path.exists() else f"{source.path}: not a file")


def read_zone(source: ZoneSource, meter: Meter) -> Parsed:
    """Parse a source's file; ConfigError where there is no such file to read."""
    _refuse_missing(source)
    try:
        return parse(source.path, name.from_text(str(source.apex)), progress=meter.inside)
    except TextError as error:
        raise ZoneError([Problem(f"{source.apex} is no name of a zone: {error}", str(source.path))]) from None
    finally:
        meter.passed(source)


def serial_of(parsed: Parsed) -> int:
    """The zone's serial; a parsed zone has one SOA."""
    for _, rrtype, _, rdata in parsed.records:
        if rrtype == zonetext.SOA:
            return int.from_bytes(rdata[-SOA_NUMBERS : 4 - SOA_NUMBERS], "big")
    raise ZoneError([Problem("the zone has no SOA record")])


class Meter:
    """How much has been read of all files, for a bar on a terminal."""

    def __init__(self, show: Callable[[int], object]) -> None:
        self._show = show
        self._behind = 0  # octets of the files that are done

    def inside(self, octets: int, total: int) -> None:
        """So far into the file that is being read."""
        self._show(self._behind + octets)

    def passed(self, source: ZoneSource) -> None:
        self._behind += source.path.stat().st_size
        self._show(self._behind)


@contextmanager
def _meter(sources: Sequence[ZoneSource], doing: str) -> Iterator[Meter]:
    total = sum(source.path.stat().st_size for source in sources if source.path.is_file())
    if total < MUCH or not sys.stderr.isatty():
        yield Meter(lambda octets: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{doing} {len(sources)} zones" if len(sources) > 1 else doing, total=total)
        yield Meter(lambda octets: bar.update(task, completed=octets))
