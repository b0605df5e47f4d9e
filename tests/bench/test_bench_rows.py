# SPDX-License-Identifier: Apache-2.0
"""Every row at a tiny size, so that the benchmarks can't rot: ours beside real peers, then the report of it."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import report
from bench.client import LoadError
from bench.measure import OURS, QUICK, Bench
from bench.servers import Fastmdns, running
from bench.size import measure as compare
from bench.targets import CPU_ROWS, ROWS, verdicts
from bench.zones import Zone, delegations
from tests import nameservers
from tests.conftest import need

TINY = dataclasses.replace(
    QUICK, records=600, update_records=1_500, small=12, slow=6, rounds=2, seconds=0.2, updates=3, processes=1
)
PEERS = ("nsd", "knot")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """All groups but the codec's, measured once."""
    for program in ("nsd", "knotd", "dnsperf"):
        need(program)
    bench = Bench(TINY, tmp_path_factory.mktemp("bench"), (OURS, *PEERS))
    command.measure(bench, set(command.GROUPS) - {"codec"}, bench.folder / "zones")
    return bench


def test_every_row_is_measured(bench: Bench) -> None:
    assert {row.name for row in (*ROWS, *CPU_ROWS)} == {row for row, _ in bench.measures}
    clocked = [m for m in bench.measures.values() if not m.row.endswith("-cpu")]  # a tiny sample may cost no CPU tick
    assert [m for m in clocked if min(m.values) <= 0] == []


def test_every_peer_has_every_row_that_is_not_ours_alone(bench: Bench) -> None:
    alone = {"update", "update-larger", "update-durable", "fsync", "raw-1", "raw-8", "raw-drain"}
    for peer in PEERS:
        measured = {row for row, server in bench.measures if server == peer}
        assert measured == {row.name for row in (*ROWS, *CPU_ROWS)} - alone


def test_every_target_has_a_verdict(bench: Bench) -> None:
    peers = {*PEERS, "raw", OURS}
    missing = [v.target for v in verdicts(bench.measures) if v.met is None]
    assert all(target.endswith("bind") for target in missing), f"{missing} beside {peers}"


def test_the_results_are_json_with_the_facts_of_the_machine(bench: Bench, tmp_path: Path) -> None:
    report.write_json(tmp_path / "deep" / "results.json", report.document(bench, "command"))
    content = json.loads((tmp_path / "deep" / "results.json").read_text())
    assert content["machine"]["cores"] >= 1
    assert content["versions"]["nsd"].count(".") == 2
    assert len(content["measures"]) == len(bench.measures)


def test_the_table_has_a_line_for_each_row(bench: Bench) -> None:
    text = report.markdown(bench, report.document(bench, "command"))
    assert all(f"| {row.title} |" in text for row in (*ROWS, *CPU_ROWS))


def test_a_server_that_lacks_records_is_found_out(tmp_path: Path) -> None:
    zone = delegations(tmp_path, 300)
    wrong = dataclasses.replace(zone, records=zone.records + 1)
    bench = Bench(TINY, tmp_path, (OURS,))
    served = [nameservers.Zone(zone.apex, zone.path)]
    with running((OURS,), tmp_path / "run", served, processes=1) as servers, pytest.raises(LoadError, match="records"):
        compare(bench, servers, [wrong], "large")


def test_two_servers_that_differ_are_found_out(tmp_path: Path) -> None:
    zones = [delegations(tmp_path / name, 300) for name in ("one", "other")]
    zones[1].path.write_text(zones[1].path.read_text().replace("192.0.2.1", "192.0.2.9"))

    def served(zone: Zone) -> list[nameservers.Zone]:
        return [nameservers.Zone(zone.apex, zone.path)]

    with (
        Fastmdns(tmp_path / "a", served(zones[0])) as one,
        Fastmdns(tmp_path / "b", served(zones[1])) as other,
        pytest.raises(LoadError, match="the same records"),
    ):
        compare(Bench(TINY, tmp_path, (OURS,)), {"one": one, "other": other}, zones[:1], "large")


def test_the_codec_cases_agree_with_dnspython() -> None:
    arguments = [sys.executable, "-m", "pytest", "bench/codec.py", "--benchmark-disable", "-p", "no:cacheprovider"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout


def test_an_unknown_group_is_named() -> None:
    with pytest.raises(SystemExit, match="no group axrf"):
        command.main(["axrf"])


def test_an_unknown_server_is_named() -> None:
    with pytest.raises(SystemExit, match="no server unbound"):
        command.main(["--servers", "unbound", "update"])
