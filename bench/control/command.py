# SPDX-License-Identifier: Apache-2.0
"""`python -m bench api [group…]`: our API beside PowerDNS' on SQLite and PostgreSQL, ours alone on MariaDB.

Groups: writes, lists, import, tokens (writes with the built-in identity); none named means all. An engine that no
server answers for is left out with a remark. Every server is stopped and every database dropped at the end, and each
step has a deadline. Only a run without arguments rewrites the section of docs/performance.md.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from bench import report
from bench.control import bulk, databases
from bench.control.bulk import Content
from bench.control.measures import Size, measure_import, measure_lists, measure_writes
from bench.control.servers import Api, FastmdnsApi, PowerDnsApi
from bench.measure import OURS, Bench, Scale
from bench.targets import API_TARGETS, API_TITLES, api_cpu_rows, api_rows

GROUPS = ("writes", "lists", "import", "tokens")
PEER = "powerdns"
RESULTS = Path("bench/results/local/api.json")
PAGE = Path("docs/performance.md")
SECTION = "bench-api"
START_SECONDS = 60
IMPORTED = ("sqlite", "postgresql")
TOKENS_ON = ("postgresql", "sqlite", "mariadb")  # the first of these that is measured
Fill = Callable[[URL, Content], None]


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m bench api", description="Measure the API beside PowerDNS'.")
    sizes = Size()
    options.add_argument("groups", nargs="*", metavar="GROUP", help=f"what to measure: {', '.join(GROUPS)} [all]")
    options.add_argument("--engines", default=",".join(databases.ENGINES), help="which, by commas [%(default)s]")
    options.add_argument("--zones", type=int, default=sizes.zones, help="zones that are there before [%(default)s]")
    options.add_argument(
        "--recordsets", type=int, default=sizes.recordsets, help="recordsets in all of them [%(default)s]"
    )
    options.add_argument(
        "--import-records", type=int, default=sizes.import_records, help="of the imported zone [%(default)s]"
    )
    options.add_argument("--requests", type=int, default=sizes.requests, help="for each latency [%(default)s]")
    options.add_argument("--rounds", type=int, default=3, help="rounds of each measurement [%(default)s]")
    options.add_argument("--seconds", type=float, default=1.5, help="of writing in each round [%(default)s]")
    options.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="where results go [%(default)s]")
    return options


def measure(bench: Bench, engines: Sequence[str], groups: set[str], size: Size) -> None:
    for engine in engines:
        if not databases.reachable(engine):
            bench.remarks.append(f"{engine}: no server answers at {databases.SERVERS[engine]}")
            continue
        bench.say(f"{engine}: writing {size.zones:,} zones with {size.recordsets:,} recordsets")
        with running(bench, engine, size) as servers:
            if "lists" in groups:
                measure_lists(bench, engine, servers, size)
            if "writes" in groups:
                measure_writes(bench, engine, servers)
            if "import" in groups and engine in IMPORTED:
                measure_import(bench, engine, servers, size)
            if "tokens" in groups and engine == min(engines, key=TOKENS_ON.index):
                with with_token(servers[OURS]) as server:
                    measure_writes(bench, engine, {OURS: server}, "-token")


@contextlib.contextmanager
def running(bench: Bench, engine: str, size: Size) -> Iterator[dict[str, Api]]:
    """Ours and, where it has the engine, PowerDNS, each over its own database with the same zones."""
    kinds: dict[str, tuple[type[FastmdnsApi | PowerDnsApi], Fill]] = {OURS: (FastmdnsApi, bulk.fill_ours)}
    if engine in bulk.POWERDNS_BACKENDS and PEER in bench.servers:
        kinds[PEER] = (PowerDnsApi, bulk.fill_powerdns)
    with contextlib.ExitStack() as stack:
        servers: dict[str, Api] = {}
        for name, (kind, fill) in kinds.items():
            folder = bench.folder / engine / name
            url = stack.enter_context(databases.fresh(engine, folder))
            fill(url, size.content)
            server = kind(folder, url, size.content)
            stack.callback(server.stop)
            server.start(START_SECONDS)
            servers[name] = server
        yield servers


@contextlib.contextmanager
def with_token(server: Api) -> Iterator[Api]:
    """Ours once more over the same database, asked with a token of the built-in identity."""
    token = bulk.add_token(server.url)
    with FastmdnsApi(server.folder / "builtin", server.url, server.content, token) as other:
        yield other


def chosen(text: str, known: Sequence[str], what: str) -> list[str]:
    """The names in a list by commas, all of which must be known."""
    names = text.split(",")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no {what} {', '.join(unknown)}; there are {', '.join(known)}")
    return names


def content_of(bench: Bench, size: Size, load_before: Sequence[float], engines: Sequence[str]) -> dict[str, Any]:
    """The results with the facts of machine and databases."""
    scale = {**dataclasses.asdict(size), "rounds": bench.scale.rounds, "seconds": bench.scale.seconds}
    content = report.document(bench, report.command_line(), scale, API_TARGETS)
    content["machine"]["load_before"] = load_before
    content["databases"] = {engine: databases.facts(engine) for engine in engines if databases.reachable(engine)}
    return content


def text_of(bench: Bench, content: dict[str, Any], engines: Sequence[str]) -> str:
    facts, scale = content["machine"], content["scale"]
    intro = (
        f"Measured {str(content['date'])[:10]} by `{content['command']}` on {facts['cores']} cores of {facts['cpu']}, "
        f"Linux {facts['kernel']}, load average {facts['load_before'][0]:.1f} before it began; server, database and "
        f"clients on the same cores. {scale['zones']:,} zones with {scale['recordsets']:,} recordsets were there "
        f"before. Medians of {scale['rounds']} interleaved rounds; in brackets how many times better fastmdns is."
    )
    tables = [
        report.table(bench, API_TITLES[engine], rows, (OURS, PEER))
        for engine in engines
        for rows in (api_rows(engine), api_cpu_rows(engine))
    ]
    remarks = "\n".join(f"- {remark.splitlines()[0]}" for remark in bench.remarks)
    return "\n\n".join(filter(None, [intro, *tables, report.target_list(bench, API_TARGETS), remarks])) + "\n"


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    engines = chosen(options.engines, databases.ENGINES, "engine")
    groups = set(chosen(",".join(options.groups or GROUPS), GROUPS, "group"))
    size = Size(options.zones, options.recordsets, options.requests, options.import_records)
    load_before = os.getloadavg()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are stopped and databases dropped
    with tempfile.TemporaryDirectory(prefix="fastmdns-bench-") as folder:
        say = functools.partial(print, flush=True)
        peers = (PEER,) if PowerDnsApi.installed() else ()
        scale = Scale(rounds=options.rounds, seconds=options.seconds)
        bench = Bench(scale, Path(folder), (OURS, *peers), say=say)
        measure(bench, engines, groups, size)
    content = content_of(bench, size, load_before, engines)
    report.write_json(options.json, content)
    text = text_of(bench, content, engines)
    print(text)
    if options == parser().parse_args([]):
        report.fill(PAGE, text, SECTION)
    return 0
