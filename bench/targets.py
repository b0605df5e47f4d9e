# SPDX-License-Identifier: Apache-2.0
"""Every row that is measured and every target it must meet: the one place where either is written.

A ratio says how many times better ours is: the peer's median time over ours, or our rate over the peer's; it is formed
in each round, and the median of the rounds counts.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
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

# Of the control plane's API, over each engine: the row's name begins with it.
API_TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
API_CLIENTS = (1, 8)


def api_rows(engine: str) -> tuple[Row, ...]:
    return (
        *(
            Row(f"{engine}-{what}-{clients}", f"{what} created, {_clients(clients)}", "/s", more_is_better=True)
            for what in ("recordsets", "zones")
            for clients in API_CLIENTS
        ),
        *(
            Row(f"{engine}-recordsets-{clients}-token", f"the same, {_clients(clients)}, built-in identity", "/s", True)
            for clients in API_CLIENTS
        ),
        *(
            Row(f"{engine}-{what}-8-p99", f"{what} created, {_clients(8)}, p99", "s")
            for what in ("recordsets", "zones")
        ),
        *(
            Row(f"{engine}-{row}-{cut}", f"{title}, {'median' if cut == 'p50' else cut}", "s")
            for row, title in API_READS.items()
            for cut in ("p50", "p99")
        ),
        Row(f"{engine}-import", "import of a large zone, records", "/s", more_is_better=True),
    )


API_READS = {
    "zones-page": "100 zones, first page",
    "zones-page-deep": "100 zones, a page far behind",
    "recordsets-page": "100 recordsets of all zones, first page",
    "recordsets-page-deep": "100 recordsets of all zones, a page far behind",
    "search-data": "search by data",
    "search-name": "search by `*.name.`",
}


API_SEARCHES = ("search-data", "search-name")


def _clients(count: int) -> str:
    return f"{count} client{'s' if count > 1 else ''}"


def api_cpu_rows(engine: str) -> tuple[Row, ...]:
    """CPU time of one write: of the server's processes (the database server's is not in it), and of the client."""
    return tuple(
        Row(f"{engine}-{what}-{clients}-{whose}cpu", f"{title}, {what}, {_clients(clients)}", "s")
        for whose, title in (("", "CPU time of the server for one"), ("client-", "CPU time of the load client for one"))
        for what in ("recordsets", "zones")
        for clients in API_CLIENTS
    )


ALL_API_ROWS = tuple(row for engine in API_TITLES for row in (*api_rows(engine), *api_cpu_rows(engine)))
ROW = {row.name: row for row in (*ROWS, *CPU_ROWS, *ALL_API_ROWS)}


def _of_engine(row: Row) -> str:
    """The row's title; where there is one for each engine, with that."""
    engine = API_TITLES.get(row.name.partition("-")[0])
    return f"{engine}, {row.title}" if engine else row.title


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
        target = f"{_of_engine(ROW[self.row])}: ≥ {self.factor:g} × {self.peer}"
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
class AtLeast:
    """A rate of its own, whatever the peers do."""

    row: str
    limit: float

    def check(self, measures: Measures) -> Verdict:
        row, ours = ROW[self.row], measures.get((self.row, OURS))
        target = f"{_of_engine(row)}: ≥ {show(self.limit, row.unit)}"
        if ours is None:
            return Verdict(target, "not measured", None)
        return Verdict(target, show(ours.median, row.unit), ours.median >= self.limit)


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


Target = Times | AtMost | AtLeast | Alike
TARGETS: tuple[Target, ...] = (
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


DESIGNATE = {"recordsets": 13, "zones": 3}  # writes a second with 8 clients, measured elsewhere
API_TARGETS: tuple[Target, ...] = (
    *(AtLeast(f"{engine}-recordsets-8", 40 * DESIGNATE["recordsets"]) for engine in API_TITLES),
    *(AtLeast(f"{engine}-zones-8", 100 * DESIGNATE["zones"]) for engine in API_TITLES),
    *(
        Times(f"{engine}-{what}-{clients}", "powerdns", 1)
        for engine in ("sqlite", "postgresql")
        for what in ("recordsets", "zones")
        for clients in API_CLIENTS
    ),
    *(Times(f"{engine}-{row}-p50", "powerdns", 1) for engine in ("sqlite", "postgresql") for row in API_SEARCHES),
    AtLeast("postgresql-import", 1_000_000 / 60),
)


def verdicts(measures: Measures, targets: Sequence[Target] = TARGETS) -> Iterator[Verdict]:
    return (target.check(measures) for target in targets)


def show(value: float, unit: str) -> str:
    """A number as a person reads it."""
    if unit == "s":
        return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.3g} ms" if value >= 1e-4 else f"{value * 1e6:.2g} µs"
    if unit == "octets":
        return f"{value / 1e6:.3g} MB" if value < 1e7 else f"{value / 1e6:.1f} MB"
    if unit == "/s":
        return f"{value / 1e3:.3g} k/s" if value >= 1e3 else f"{value:.0f} /s"
    return f"{value:,.0f}"
