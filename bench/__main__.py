# SPDX-License-Identifier: Apache-2.0
"""`python -m bench [group…]`: measure ours beside NSD, Knot, BIND and PowerDNS, check each target, say what is met.

`python -m bench api` is another benchmark, of the control plane's API: see bench/control/command.py.

Groups: cold (zone file → first answers), size, axfr, soa, memory, small, update, codec; none named means all. A full
run of all groups takes a quarter of an hour or more; --quick takes about a minute and gives no numbers to quote. Only
a full run of all groups rewrites the README's section.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import axfr, codec, coldstart, memory, report, size, small, soa, update, zones
from bench.measure import QUICK, Bench, Scale
from bench.servers import KEY, SERVERS, running
from tests import nameservers

GROUPS = ("cold", "size", "axfr", "soa", "memory", "small", "update", "codec")
LARGE = {"size", "axfr", "soa", "memory"}
RESULTS = Path("bench/results/local/latest.json")


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m bench", description="Measure fastmdns beside its peers.")
    options.add_argument("groups", nargs="*", metavar="GROUP", help=f"what to measure: {', '.join(GROUPS)} [all]")
    options.add_argument("--quick", action="store_true", help="small sizes, two rounds: about a minute")
    options.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="where results go [%(default)s]")
    options.add_argument("--scale", type=int, metavar="N", help="records of the large zone")
    options.add_argument("--rounds", type=int, metavar="N", help="rounds of each measurement")
    options.add_argument("--servers", metavar="NAMES", help=f"which, by commas [{','.join(SERVERS)}]")
    options.add_argument("--folder", type=Path, default=Path("build/bench"), help="keeps zone files [%(default)s]")
    return options


def scale_of(options: argparse.Namespace) -> Scale:
    scale = QUICK if options.quick else Scale()
    if options.scale:
        scale = dataclasses.replace(scale, records=options.scale, update_records=5 * options.scale)
    return dataclasses.replace(scale, rounds=options.rounds) if options.rounds else scale


def chosen(names: str | None) -> tuple[str, ...]:
    """The servers asked for, or all that are installed."""
    if names is None:
        return tuple(name for name, kind in SERVERS.items() if kind.installed())
    unknown = set(names.split(",")) - set(SERVERS)
    if unknown:
        raise SystemExit(f"no server {', '.join(sorted(unknown))}; there are {', '.join(SERVERS)}")
    return tuple(names.split(","))


def measure_large(bench: Bench, groups: set[str], files: Path) -> None:
    """All that needs every server up with the large zone."""
    zone = zones.delegations(files, bench.scale.records)
    served = [nameservers.Zone(zone.apex, zone.path, key=KEY)]
    with running(bench.servers, bench.folder / "large", served, processes=bench.scale.processes) as servers:
        size.measure(bench, servers, [zone], "large")
        if "axfr" in groups:
            axfr.measure(bench, servers, zone)
        if "soa" in groups:
            soa.measure_udp(bench, servers, zone)
            soa.measure_latency(bench, servers, zone)
        if "memory" in groups:
            memory.measure(bench, servers, zone)


def measure_small(bench: Bench, files: Path) -> None:
    many = zones.small_zones(files, bench.scale.small)
    served = [nameservers.Zone(zone.apex, zone.path) for zone in many]
    with running(bench.servers, bench.folder / "small", served, processes=bench.scale.processes) as servers:
        size.measure(bench, servers, many, "small")
        small.measure(bench, servers, many)


def measure(bench: Bench, groups: set[str], files: Path) -> None:
    if "cold" in groups:
        coldstart.measure(bench, bench.servers, zones.delegations(files, bench.scale.records))
    if groups & LARGE:
        measure_large(bench, groups, files)
    if "small" in groups:
        measure_small(bench, files)
    if "update" in groups:
        update.measure(bench, files)
    if "codec" in groups:
        codec.measure(bench)


def main(arguments: Sequence[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] == "api":
        from bench.control import command  # what it needs is not needed to measure the server alone

        return command.main(given[1:])
    options = parser().parse_args(arguments)
    groups = set(options.groups) or set(GROUPS)
    if groups - set(GROUPS):
        raise SystemExit(f"no group {', '.join(sorted(groups - set(GROUPS)))}; there are {', '.join(GROUPS)}")
    with tempfile.TemporaryDirectory(prefix="fastmdns-bench-") as folder:
        say = functools.partial(print, flush=True)
        bench = Bench(scale_of(options), Path(folder), chosen(options.servers), say=say)
        measure(bench, groups, options.folder.resolve())
    content = report.document(bench, report.command_line())
    report.write_json(options.json, content)
    text = report.markdown(bench, content)
    print(text)
    if groups == set(GROUPS) and options == parser().parse_args([]):
        report.fill(Path("README.md"), text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
