# SPDX-License-Identifier: Apache-2.0
"""What was measured, as JSON with the facts of the machine, and as tables for a person and for the README."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.codec import CASES
from bench.measure import OURS, Bench
from bench.servers import SERVERS
from bench.targets import ALL_API_ROWS, CPU_ROWS, ROWS, TARGETS, Row, Target, ratios, show, verdicts
from tests.nameservers import find_program

TITLES = {
    "fastmdns": "fastmdns",
    "nsd": "NSD",
    "knot": "Knot DNS",
    "bind": "BIND",
    "powerdns": "PowerDNS",
    "raw": "raw writev",
    "dnspython": "dnspython",
}
CODEC_ROWS = tuple(Row(case.label, case.label, "s") for case in CASES)
VERSION = {"nsd": "-v", "knot": "--version", "bind": "-v", "powerdns": "--version"}


def version(name: str) -> str:
    """The number a server says it has."""
    if name == OURS:
        from fastmdns import __version__

        return __version__
    program = find_program(SERVERS[name].program)
    if program is None:
        return "not installed"
    done = subprocess.run([program, VERSION[name]], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
    return found[0] if found else "unknown"


def machine() -> dict[str, Any]:
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(int(memory[1]) / 1e6, 1) if memory else None,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }


def document(
    bench: Bench, command: str, scale: dict[str, Any] | None = None, targets: Sequence[Target] = TARGETS
) -> dict[str, Any]:
    """scale: how large, where Bench.scale doesn't say it."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "machine": machine(),
        "versions": {name: version(name) for name in bench.servers},
        "scale": scale or {name: getattr(bench.scale, name) for name in type(bench.scale).__dataclass_fields__},
        "measures": [
            {"row": m.row, "server": m.server, "median": m.median, "spread": m.spread, "values": m.values}
            for m in bench.measures.values()
        ],
        "ratios": [
            {"row": row.name, "peer": peer, "rounds": found, "median": statistics.median(found)}
            for row in (*ROWS, *CPU_ROWS, *CODEC_ROWS, *ALL_API_ROWS)
            for peer in TITLES
            if peer != OURS and (found := ratios(bench.measures, row, peer))
        ],
        "targets": [{"target": v.target, "value": v.value, "met": v.met} for v in verdicts(bench.measures, targets)],
        "remarks": bench.remarks,
    }


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def _cell(bench: Bench, row: Row, server: str) -> str:
    measure = bench.measures.get((row.name, server))
    if measure is None:
        return "–"
    text = show(measure.median, row.unit)
    if server == OURS:
        return f"**{text}**" + (f" ±{measure.spread / 2:.0%}" if len(measure.values) > 1 else "")
    found = ratios(bench.measures, row, server)
    return f"{text} ({statistics.median(found):.3g} ×)" if found else text


def table(bench: Bench, title: str, rows: Sequence[Row], servers: Sequence[str]) -> str:
    """A line a row: what each server did, and in brackets how many times better ours is."""
    lines = [f"| {title} | " + " | ".join(TITLES[name] for name in servers) + " |", "|---|" + "---:|" * len(servers)]
    for row in rows:
        cells = [_cell(bench, row, name) for name in servers]
        if any(cell != "–" for cell in cells):
            lines.append(f"| {row.title} | {' | '.join(cells)} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def target_list(bench: Bench, targets: Sequence[Target] = TARGETS) -> str:
    """A line a target that was measured: met or not."""
    word = {True: "met", False: "**missed**"}
    rows = [
        f"| {v.target} | {v.value} | {word[v.met]} |" for v in verdicts(bench.measures, targets) if v.met is not None
    ]
    return "\n".join(["| target | measured | |", "|---|---:|---|", *rows]) if rows else ""


def markdown(bench: Bench, content: dict[str, Any]) -> str:
    facts, scale = content["machine"], bench.scale
    servers = [name for name in TITLES if name in bench.servers or name == "raw"]
    peers = ", ".join(f"{TITLES[name]} {content['versions'][name]}" for name in bench.servers if name != OURS)
    intro = (
        f"Measured {content['date'][:10]} by `{content['command']}` on {facts['cores']} cores of {facts['cpu']}, "
        f"Linux {facts['kernel']}, beside {peers}; each with {scale.processes} processes or threads, all on loopback, "
        f"clients on the same cores. The large zone has {scale.records:,} records like a TLD's, the small ones are "
        f"{scale.small:,} of 26 records. Medians of {scale.rounds} interleaved rounds; in brackets how many times "
        f"better fastmdns is."
    )
    tables = (
        table(bench, "", ROWS, servers),
        target_list(bench),
        table(bench, "CPU time of the server", CPU_ROWS, [name for name in servers if name != "raw"]),
        table(bench, "codec", CODEC_ROWS, (OURS, "dnspython")),
    )
    remarks = "\n".join(f"- {remark.splitlines()[0]}" for remark in bench.remarks)
    return "\n\n".join(filter(None, [intro, *tables, remarks])) + "\n"


def fill(page: Path, text: str, section: str = "bench") -> None:
    """Put the text between the section's two markers."""
    start, end = markers(section)
    before, found_start, rest = page.read_text().partition(start)
    _, found_end, after = rest.partition(end)
    if not found_start or not found_end:
        raise ValueError(f"{page} lacks {start} or {end}")
    page.write_text(f"{before}{start}\n{text}{end}{after}")


def markers(section: str) -> tuple[str, str]:
    return f"<!-- {section}:start -->", f"<!-- {section}:end -->"


def command_line() -> str:
    return " ".join(["python -m bench", *sys.argv[1:]])
