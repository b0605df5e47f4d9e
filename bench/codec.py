# SPDX-License-Identifier: Apache-2.0
"""The codec beside dnspython, as pytest-benchmark cases: `python -m pytest bench/codec.py`, or the group `codec`.

A case is the same work done by both; both must give the same result before either is timed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone
import pytest

from bench.measure import Bench
from bench.zones import mixed_text
from fastmdns import message, name, rdata, zonefile

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

NAME = "A-long\\.label.With-Case.and.SOME.depth.example.org."
WIRE = dns.name.from_text(NAME).to_wire() or b""
MX = "10 mail.example.org."
TXT = '"v=spf1 mx include:_spf.example.net -all" "second string"'
DS = "12345 13 2 3490A6806D47F17A34C29E2CE80E8A999FFBE4BE0123456789ABCDEF01234567"
QUERY = dns.message.make_query("example.org.", "SOA", use_edns=0).to_wire()
ZONE_RECORDS = 1_000
ZONE = mixed_text(ZONE_RECORDS).encode()


def _dns_rdata(rrtype: str, text: str) -> Callable[[], bytes | None]:
    return lambda: dns.rdata.from_text("IN", rrtype, text).to_wire()


def _dns_text(rrtype: str, text: str) -> Callable[[], str]:
    wire = dns.rdata.from_text("IN", rrtype, text).to_wire() or b""
    number = dns.rdatatype.from_text(rrtype)
    return lambda: dns.rdata.from_wire(dns.rdataclass.IN, number, wire, 0, len(wire)).to_text()


def _our_text(rrtype: str, text: str) -> Callable[[], str]:
    wire = dns.rdata.from_text("IN", rrtype, text).to_wire() or b""
    number = int(dns.rdatatype.from_text(rrtype))
    return lambda: rdata.to_text(number, wire)


def _our_question() -> tuple[bytes, int]:
    facts = message.parse_query(QUERY)
    assert facts and facts.question
    return facts.question[:2]


def _dns_question() -> tuple[bytes, int]:
    question = dns.message.from_wire(QUERY).question[0]
    return question.name.to_wire() or b"", int(question.rdtype)


def _our_zone() -> int:
    return len(zonefile.parse_text(ZONE, name.from_text("mixed.example.")).records)


def _dns_zone() -> int:
    zone = dns.zone.from_file(StringIO(ZONE.decode()), "mixed.example.", relativize=False)
    return sum(len(rdataset) for _, rdataset in zone.iterate_rdatasets())


@dataclass(frozen=True, slots=True)
class Case:
    label: str
    fastmdns: Callable[[], Any]
    dnspython: Callable[[], Any]


CASES = (
    Case("name: text → wire", lambda: name.from_text(NAME), lambda: dns.name.from_text(NAME).to_wire()),
    Case("name: wire → text", lambda: name.to_text(WIRE), lambda: dns.name.from_wire(WIRE, 0)[0].to_text()),
    Case("MX: text → wire", lambda: rdata.from_text(15, MX), _dns_rdata("MX", MX)),
    Case("MX: wire → text", _our_text("MX", MX), _dns_text("MX", MX)),
    Case("TXT: text → wire", lambda: rdata.from_text(16, TXT), _dns_rdata("TXT", TXT)),
    Case("DS: text → wire", lambda: rdata.from_text(43, DS), _dns_rdata("DS", DS)),
    Case("query with EDNS: parsed", _our_question, _dns_question),
    Case(f"zone file of {ZONE_RECORDS:,} records", _our_zone, _dns_zone),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
@pytest.mark.parametrize("library", ["fastmdns", "dnspython"])
def test_codec(benchmark: BenchmarkFixture, case: Case, library: str) -> None:
    assert case.fastmdns() == case.dnspython()
    benchmark.group = case.label
    benchmark(getattr(case, library))


def measure(bench: Bench) -> None:
    """A row for each case, seconds, for fastmdns and dnspython."""
    results = bench.folder / "codec.json"
    command = [sys.executable, "-m", "pytest", __file__, "-p", "no:cacheprovider", f"--benchmark-json={results}"]
    command += [f"--benchmark-max-time={min(1.0, bench.scale.seconds)}", f"--benchmark-min-rounds={bench.scale.rounds}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    for result in json.loads(results.read_text())["benchmarks"]:
        bench.add(result["group"], result["params"]["library"], result["stats"]["median"])
    bench.tell(tuple(case.label for case in CASES))
