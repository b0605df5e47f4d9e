# SPDX-License-Identifier: Apache-2.0
"""What is measured of the APIs over one engine: writes a second, latencies of lists and searches, imports.

Every measurement is checked by what the API says afterwards: as many zones and recordsets as there were answers, as
many finds as there are. A row's name begins with its engine; its server is ours or PowerDNS.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.client import LoadError
from bench.control.bulk import PATTERN, RARE, Content
from bench.control.load import Done, ask, drive
from bench.control.servers import PAGE, Api, FastmdnsApi
from bench.cost import running_time
from bench.measure import OURS, Bench
from bench.targets import API_CLIENTS

WORK = 64  # zones that recordsets are written into; each client has its own ones
LEAST = 2  # writes of a round that say something
IMPORT_SECONDS = 600
SOURCES = Callable[[Api, str, int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is, and how much is done; seconds and rounds are Bench.scale's."""

    zones: int = 10_000
    recordsets: int = 100_000
    requests: int = 100  # for each latency, each round
    import_records: int = 100_000

    @property
    def content(self) -> Content:
        return Content(self.zones, self.recordsets)


# ----------------------------------------------------------------------------------------------------------- writes


def measure_writes(bench: Bench, engine: str, servers: Mapping[str, Api], suffix: str = "") -> None:
    """Rows recordsets-N and zones-N for N clients, and what a write costs in CPU time."""
    for clients in API_CLIENTS:
        _measure_recordsets(bench, f"{engine}-recordsets-{clients}{suffix}", servers, clients)
        if not suffix:
            _measure_zones(bench, f"{engine}-zones-{clients}", servers, clients)


def _measure_recordsets(bench: Bench, row: str, servers: Mapping[str, Api], clients: int) -> None:
    def source(server: Api, tag: str, client: int) -> Iterator[bytes]:
        return server.new_recordsets(tag, _work_zones(server)[client::clients])

    _measure(bench, row, servers, clients, source, lambda server: sum(map(server.recordsets_in, _work_zones(server))))


def _measure_zones(bench: Bench, row: str, servers: Mapping[str, Api], clients: int) -> None:
    def source(server: Api, tag: str, client: int) -> Iterator[bytes]:
        return server.new_zones(tag)

    _measure(bench, row, servers, clients, source, lambda server: server.zone_count())


def _work_zones(server: Api) -> range:
    """Not zone 0, which the search looks for."""
    return range(1, 1 + min(WORK, server.content.zones - 1))


def _measure(
    bench: Bench, row: str, servers: Mapping[str, Api], clients: int, source: SOURCES, count: Callable[[Api], int]
) -> None:
    """Rounds of writes by so many clients; then there must be as many more things as were answered for."""
    rounds = itertools.count()
    failing: set[str] = set()
    expected = {name: count(server) for name, server in servers.items()}
    named = {id(server): name for name, server in servers.items()}

    def sample(server: Api) -> dict[str, float]:
        tag = f"{row}-{next(rounds)}"
        sources = [source(server, f"{tag}-{client}", client) for client in range(clients)]
        before = _cpu(server)
        name = named[id(server)]
        done = drive(server.api, sources, bench.scale.seconds, tolerant=name != OURS)
        writes = len(done.latencies)
        if done.failures:
            failing.add(name)
            bench.remarks.append(
                f"{row}: {name} failed {done.failures} of {writes + done.failures} writes (not counted)"
            )
        if writes < LEAST:
            raise LoadError(f"{row}: {writes} writes in {done.seconds:.1f} s, {done.failures} failures")
        expected[name] += writes
        cpu = {f"{row}-cpu": (_cpu(server) - before) / writes, f"{row}-client-cpu": done.client_cpu / writes}
        return {row: done.rate, f"{row}-p99": _cut(done, 99), **cpu}

    bench.interleave(servers, sample)
    for name, server in servers.items():
        if name not in failing and (there := count(server)) != expected[name]:
            raise LoadError(f"{row}: {name} has {there} where {expected[name]} were written")
    bench.tell((row,))


def _cpu(server: Api) -> float:
    return sum(map(running_time, server.pids()))


def _cut(done: Done, percent: int) -> float:
    return statistics.quantiles(done.latencies, n=100, method="inclusive")[percent - 1]


# ------------------------------------------------------------------------------------------------ lists and searches


def measure_lists(bench: Bench, engine: str, servers: Mapping[str, Api], size: Size) -> None:
    """Rows zones-page, recordsets-page, …-deep (ours: PowerDNS has no pages) and search-… of both."""
    ours = {name: server for name, server in servers.items() if isinstance(server, FastmdnsApi)}
    content = size.content
    zone = int(content.zones * 0.9)
    markers = {"zones": content.zone_id(zone), "recordsets": content.rrset_id(zone, 0)}
    for what, marker in markers.items():
        for row, query in ((f"{what}-page", ""), (f"{what}-page-deep", marker)):
            pages = {name: server.page(what, query) for name, server in ours.items()}
            _measure_latency(bench, f"{engine}-{row}", ours, pages, size.requests)
    by_data = {name: server.search_by_data(RARE) for name, server in servers.items()}
    by_name = {name: server.search_by_name(PATTERN) for name, server in servers.items()}
    for row, requests, there in (("search-data", by_data, content.rare), ("search-name", by_name, content.hosts)):
        _check_finds(servers, requests, min(PAGE, there))
        _measure_latency(bench, f"{engine}-{row}", servers, requests, size.requests)


def _check_finds(servers: Mapping[str, Api], requests: Mapping[str, bytes], expected: int) -> None:
    for name, server in servers.items():
        if (found := server.found(ask(server.api, requests[name]))) != expected:
            raise LoadError(f"{name} found {found} recordsets where there are {expected}: {requests[name]!r}")


def _measure_latency(
    bench: Bench, row: str, servers: Mapping[str, Api], requests: Mapping[str, bytes], count: int
) -> None:
    named = {id(server): requests[name] for name, server in servers.items()}

    def sample(server: Api) -> dict[str, float]:
        done = drive(server.api, [itertools.repeat(named[id(server)], count)], bench.scale.seconds)
        return {f"{row}-p50": _cut(done, 50), f"{row}-p99": _cut(done, 99)}

    bench.interleave(servers, sample)
    bench.tell((f"{row}-p50", f"{row}-p99"))


# ---------------------------------------------------------------------------------------------------------- imports


def measure_import(bench: Bench, engine: str, servers: Mapping[str, Api], size: Size) -> None:
    """Row import: records a second of one large zone file, once; PowerDNS by pdnsutil load-zone."""
    name = "import.bench."
    file = bench.folder / "import.zone"
    write_zone_file(file, name, size.import_records)
    for server_name, server in servers.items():
        started = time.perf_counter()
        try:
            found = server.import_zone(name, file, IMPORT_SECONDS)
        except LoadError as error:
            bench.remark(server_name, error)
            continue
        seconds = time.perf_counter() - started
        if found < size.import_records:
            raise LoadError(f"{server_name} imported {found} recordsets of {size.import_records}")
        bench.add(f"{engine}-import", server_name, size.import_records / seconds)
    bench.tell((f"{engine}-import",))


def write_zone_file(file: Path, apex: str, count: int) -> None:
    """SOA, NS and so many hosts, each with an address."""
    with file.open("w") as out:
        out.write(f"$ORIGIN {apex}\n$TTL 3600\n")
        out.write("@ IN SOA ns1.bench.example. hostmaster.bench.example. 1 3600 600 86400 60\n")
        out.write("@ IN NS ns1.bench.example.\n@ IN NS ns2.bench.example.\n")
        for host in range(count):
            out.write(f"host{host} IN A 10.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}\n")
