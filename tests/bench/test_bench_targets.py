# SPDX-License-Identifier: Apache-2.0
"""Ratios, verdicts and the README's section from numbers that are known."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.client import LoadError
from bench.measure import OURS, QUICK, Bench, Measure
from bench.report import fill, markers
from bench.targets import ROW, TARGETS, Alike, AtMost, Measures, Times, ratios, show

START, END = markers("bench")


def measures(**values: list[float]) -> Measures:
    """axfr_nsd=[...] → row axfr-1 of nsd."""
    rows = {"time": "axfr-1", "rate": "soa-udp"}
    found = {}
    for name, numbers in values.items():
        row, server = name.split("_")
        found[rows[row], server] = Measure(rows[row], server, numbers)
    return found


def test_a_time_is_compared_round_by_round() -> None:
    found = measures(time_fastmdns=[1.0, 2.0], time_nsd=[15.0, 32.0])
    assert ratios(found, ROW["axfr-1"], "nsd") == [15.0, 16.0]


def test_a_rate_is_compared_the_other_way_round() -> None:
    assert ratios(measures(rate_fastmdns=[200.0], rate_nsd=[100.0]), ROW["soa-udp"], "nsd") == [2.0]


def test_rounds_that_a_slow_peer_did_not_run_are_left_out() -> None:
    assert ratios(measures(time_fastmdns=[1.0, 1.0, 1.0], time_bind=[9.0]), ROW["axfr-1"], "bind") == [9.0]


@pytest.mark.parametrize(("nsd", "met"), [(15.0, True), (14.9, False)])
def test_a_ratio_target_is_met_from_its_factor_on(nsd: float, met: bool) -> None:
    assert Times("axfr-1", "nsd", 15).check(measures(time_fastmdns=[1.0], time_nsd=[nsd])).met is met


def test_a_target_that_was_not_measured_is_neither_met_nor_missed() -> None:
    assert [target.check({}).met for target in TARGETS] == [None] * len(TARGETS)


@pytest.mark.parametrize(("seconds", "met"), [(0.005, True), (0.0051, False)])
def test_a_limit_of_its_own_counts_the_median(seconds: float, met: bool) -> None:
    found = {("update", "fastmdns"): Measure("update", "fastmdns", [0.0, seconds, 9.0])}
    assert AtMost("update", 0.005).check(found).met is met


@pytest.mark.parametrize(("larger", "met"), [(1.2, True), (1.21, False), (0.5, True)])
def test_the_larger_zone_may_cost_a_fifth_more(larger: float, met: bool) -> None:
    found = {
        (row, "fastmdns"): Measure(row, "fastmdns", [v]) for row, v in (("update", 1.0), ("update-larger", larger))
    }
    assert Alike("update", "update-larger", 0.2).check(found).met is met


@pytest.mark.parametrize(("budget", "expected"), [(60.0, ["a", "b", "a", "b"]), (1e-9, ["a", "b"])])
def test_rounds_are_interleaved_until_the_budget_is_spent(budget: float, expected: list[str]) -> None:
    bench = Bench(replace(QUICK, rounds=2, budget=budget), Path(), ("a", "b"))
    order: list[str] = []

    def sample(name: str) -> dict[str, float]:
        order.append(name)
        return {"axfr-1": 1.0}

    bench.interleave({"a": "a", "b": "b"}, sample)
    assert order == expected


@pytest.mark.parametrize(("values", "spread"), [([2.0, 1.0, 3.0], 1.0), ([1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 90.0], 0.0)])
def test_the_spread_of_many_values_is_that_of_their_middle_half(values: list[float], spread: float) -> None:
    assert Measure("axfr-1", OURS, values).spread == spread


def failing(_: str) -> dict[str, float]:
    raise LoadError("no answer")


def test_a_peer_that_fails_is_left_out_with_a_remark() -> None:
    bench = Bench(QUICK, Path(), ("nsd",))
    bench.interleave({"nsd": "nsd"}, failing)
    assert (bench.measures, bench.remarks) == ({}, ["nsd: no answer"])


def test_a_failure_of_ours_ends_the_run() -> None:
    with pytest.raises(LoadError):
        Bench(QUICK, Path(), (OURS,)).interleave({OURS: OURS}, failing)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.345, "s", "2.35 s"),
        (0.0123, "s", "12.3 ms"),
        (0.0000021, "s", "2.1 µs"),
        (26_000_000, "octets", "26.0 MB"),
        (123_456, "/s", "123 k/s"),
        (21.4, "/s", "21 /s"),
        (1584, "count", "1,584"),
    ],
)
def test_numbers_read_well(value: float, unit: str, text: str) -> None:
    assert show(value, unit) == text


def test_the_readme_keeps_all_but_the_section(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    fill(readme, "new\n")
    assert readme.read_text() == f"before\n{START}\nnew\n{END}\nafter\n"


def test_a_readme_without_the_markers_is_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing here\n")
    with pytest.raises(ValueError, match="lacks"):
        fill(readme, "new\n")
    assert readme.read_text() == "nothing here\n"
