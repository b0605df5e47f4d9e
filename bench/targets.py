# SPDX-License-Identifier: Apache-2.0
"""Every row that is measured and every target it must meet: the one place where either is written.

A ratio says how many times better ours is: the peer's median time over ours, or our rate over the peer's; it is formed
in each round, and the median of the rounds counts.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from bench.measure import OURS, Measure

Measures = dict[tuple[str, str], Measure]


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    title: str
    unit: str  # s, ms, octets, /s or a count
    more_is_better: bool = False


ROWS = (
    Row("cold-soa", "zone file → first SOA", "s"),
    Row("cold-axfr", "zone file → first transfer", "s"),
    Row("axfr-1", "AXFR, one stream", "s"),
    Row("axfr-8", "AXFR, eight streams", "s"),
    Row("axfr-1-tsig", "AXFR, one stream, hmac-sha256", "s"),
    Row("axfr-8-tsig", "AXFR, eight streams, hmac-sha256", "s"),
    Row("raw-1", "raw loopback writev of the same octets, one stream", "s"),
    Row("raw-8", "raw loopback writev of the same octets, eight streams", "s"),
    Row("raw-drain", "the same, one stream, read but not walked", "s"),
    Row("size-large", "wire size, large zone", "octets"),
    Row("messages-large", "messages, large zone", "count"),
    Row("size-small", "wire size, all small zones", "octets"),
    Row("messages-small", "messages, all small zones", "count"),
    Row("memory-process", "private memory of a server process", "octets"),
    Row("memory-total", "memory of all processes (PSS)", "octets"),
    Row("soa-udp", "SOA over UDP (dnsperf)", "/s", more_is_better=True),
    Row("soa-udp-own", "SOA over UDP (loader of `bench`)", "/s", more_is_better=True),
    Row("soa-busy-p50", "SOA over new TCP beside two transfers, median", "s"),
    Row("soa-busy-p99", "SOA over new TCP beside two transfers, p99", "s"),
    Row("small-new", "small zones, new connection each, 10 at once", "/s", more_is_better=True),
    Row("small-new-1", "small zones, new connection each, one at a time", "/s", more_is_better=True),
    Row("small-reused", "small zones, one connection, one at a time", "/s", more_is_better=True),
    Row("small-reused-50", "small zones, one connection, 50 on their way", "/s", more_is_better=True),
    Row("small-reused-50-quickack", "the same, client acknowledges at once", "/s", more_is_better=True),
    Row("update", "one record changed, large zone", "s"),
    Row("update-larger", "one record changed, zone five times as large", "s"),
    Row("update-durable", "one record changed, large zone, on the disk", "s"),
    Row("fsync", "the disk alone: one page written, one fsync", "s"),
)
WITH_CPU = (
    *("axfr-1", "axfr-8", "axfr-1-tsig", "axfr-8-tsig", "soa-udp-own"),
    *("small-new", "small-new-1", "small-reused", "small-reused-50", "small-reused-50-quickack"),
)
CPU_ROWS = tuple(Row(f"{row.name}-cpu", row.title, "s") for row in ROWS if row.name in WITH_CPU)
ROW = {row.name: row for row in (*ROWS, *CPU_ROWS)}


def ratios(measures: Measures, row: Row, peer: str, peer_row: str = "") -> list[float]:
    """How many times better ours is than the peer, round by round."""
    ours, theirs = measures.get((row.name, OURS)), measures.get((peer_row or row.name, peer))
    if ours is None or theirs is None:
        return []
    pairs = zip(ours.values, theirs.values, strict=False)  # a slow peer has fewer rounds
    return [(mine / other if row.more_is_better else other / mine) for mine, other in pairs if mine and other]


@dataclass(frozen=True, slots=True)
class Verdict:
    target: str
    value: str
    met: bool | None  # None: not measured in this run


@dataclass(frozen=True, slots=True)
class Times:
    """Ours is at least `factor` times as good as the peer."""

    row: str
    peer: str
    factor: float
    peer_row: str = ""

    def check(self, measures: Measures) -> Verdict:
        found = ratios(measures, ROW[self.row], self.peer, self.peer_row)
        target = f"{ROW[self.row].title}: ≥ {self.factor:g} × {self.peer}"
        if not found:
            return Verdict(target, "not measured", None)
        value = statistics.median(found)
        return Verdict(target, f"{value:.2f} ×", value >= self.factor)


@dataclass(frozen=True, slots=True)
class AtMost:
    """A limit of its own, whatever the peers do."""

    row: str
    limit: float

    def check(self, measures: Measures) -> Verdict:
        unit = ROW[self.row].unit
        target = f"{ROW[self.row].title}: ≤ {show(self.limit, unit)}"
        ours = measures.get((self.row, OURS))
        if ours is None:
            return Verdict(target, "not measured", None)
        return Verdict(target, show(ours.median, unit), ours.median <= self.limit)


@dataclass(frozen=True, slots=True)
class Alike:
    """Two rows of ours differ by no more than the share; being better in the second is no fault."""

    row: str
    other: str
    share: float

    def check(self, measures: Measures) -> Verdict:
        target = f"{ROW[self.other].title}: within {self.share:.0%} of {ROW[self.row].title}"
        one, other = measures.get((self.row, OURS)), measures.get((self.other, OURS))
        if one is None or other is None:
            return Verdict(target, "not measured", None)
        ratio = other.median / one.median
        return Verdict(target, f"{ratio:.2f} ×", ratio <= 1 + self.share)


TARGETS: tuple[Times | AtMost | Alike, ...] = (
    *(Times(row, peer, 15) for row in ("axfr-1", "axfr-8") for peer in ("nsd", "knot")),
    *(Times(f"axfr-{streams}", "raw", 0.6, f"raw-{streams}") for streams in (1, 8)),
    *(Times(row, "nsd", 5) for row in ("axfr-1-tsig", "axfr-8-tsig")),
    Times("small-new", "nsd", 1.5),
    Times("small-reused-50", "nsd", 5),
    *(Times("soa-udp", peer, 2) for peer in ("nsd", "knot")),
    *(Times("soa-udp-own", peer, 2) for peer in ("nsd", "knot")),
    *(Times("cold-axfr", peer, 3) for peer in ("nsd", "knot")),
    Times("cold-axfr", "bind", 5),
    Times("size-large", "nsd", 1),
    Times("size-small", "nsd", 1),
    AtMost("memory-process", 60e6),
    AtMost("soa-busy-p50", 0.001),
    AtMost("soa-busy-p99", 0.010),
    AtMost("update", 0.005),
    Alike("update", "update-larger", 0.2),
)


def verdicts(measures: Measures) -> Iterator[Verdict]:
    return (target.check(measures) for target in TARGETS)


def show(value: float, unit: str) -> str:
    """A number as a person reads it."""
    if unit == "s":
        return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.3g} ms" if value >= 1e-4 else f"{value * 1e6:.2g} µs"
    if unit == "octets":
        return f"{value / 1e6:.3g} MB" if value < 1e7 else f"{value / 1e6:.1f} MB"
    if unit == "/s":
        return f"{value / 1e3:.3g} k/s" if value >= 1e3 else f"{value:.0f} /s"
    return f"{value:,.0f}"
