# SPDX-License-Identifier: Apache-2.0
"""Each measurement of the API at a tiny size, beside PowerDNS on SQLite: what it says was done has been done."""

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.client import LoadError
from bench.control import command, databases
from bench.control.bulk import PATTERN, RARE, Content, fill_ours
from bench.control.load import ask, drive, request
from bench.control.measures import Size, measure_import, measure_lists, measure_writes
from bench.control.servers import Api
from bench.measure import OURS, Bench, Scale
from bench.targets import API_TARGETS, api_rows, verdicts
from tests.conftest import need
from tests.nameservers import Address

SIZE = Size(zones=20, recordsets=200, requests=5, import_records=300)
PEER = "powerdns"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    need("pdns_server")
    return Bench(Scale(rounds=2, seconds=0.3), tmp_path_factory.mktemp("bench"), (OURS, PEER))


@pytest.fixture(scope="module")
def servers(bench: Bench) -> Iterator[dict[str, Api]]:
    with command.running(bench, "sqlite", SIZE) as servers:
        yield servers


def test_both_servers_begin_with_the_same_zones(servers: dict[str, Api]) -> None:
    assert [server.zone_count() for server in servers.values()] == [20, 20]
    assert [server.recordsets_in(7) for server in servers.values()] == [10, 10]


def test_lists_and_searches_are_measured_and_find_what_is_there(bench: Bench, servers: dict[str, Api]) -> None:
    measure_lists(bench, "sqlite", servers, SIZE)
    rows = {row.name for row in api_rows("sqlite") if "page" in row.name or "search" in row.name}
    assert {row for row, server in bench.measures if server == OURS} >= rows
    assert all(value > 0 for measure in bench.measures.values() for value in measure.values)
    found = ask(servers[OURS].api, servers[OURS].search_by_name(PATTERN))["recordsets"]
    assert [item["records"] for item in found[:2]] == [[RARE], ["10.0.0.1"]]


def test_a_page_far_behind_begins_behind_its_marker(servers: dict[str, Api]) -> None:
    ours = servers[OURS]
    page = ask(ours.api, request("GET", f"/v2/zones?limit=5&marker={ours.content.zone_id(14)}", ours.headers))
    assert [zone["name"] for zone in page["zones"]] == [ours.content.name(at) for at in range(15, 20)]


def test_as_many_writes_are_counted_as_there_are_things_afterwards(bench: Bench, servers: dict[str, Api]) -> None:
    zones = {name: server.zone_count() for name, server in servers.items()}
    measure_writes(bench, "sqlite", servers)
    for clients, what in itertools.product((1, 8), ("recordsets", "zones")):
        measure = bench.measures[f"sqlite-{what}-{clients}", OURS]
        assert min(measure.values) > 0
    assert servers[OURS].zone_count() > zones[OURS]
    assert servers[PEER].zone_count() > zones[PEER]
    assert bench.measures["sqlite-zones-1-client-cpu", OURS].median > 0


def test_writes_with_a_token_are_rows_of_their_own(bench: Bench, servers: dict[str, Api]) -> None:
    with command.with_token(servers[OURS]) as server:
        measure_writes(bench, "sqlite", {OURS: server}, "-token")
    assert ("sqlite-recordsets-8-token", OURS) in bench.measures


def test_an_import_is_there_afterwards(bench: Bench, servers: dict[str, Api]) -> None:
    measure_import(bench, "sqlite", servers, SIZE)
    assert {server for row, server in bench.measures if row == "sqlite-import"} == {OURS, PEER}


def test_the_report_has_a_line_for_each_row_and_target_that_was_measured(bench: Bench, tmp_path: Path) -> None:
    bench.add("sqlite-recordsets-8", OURS, 600.0)
    content = command.content_of(bench, SIZE, (0.5, 0.5, 0.5), ["sqlite"])
    text = command.text_of(bench, content, ["sqlite"])
    assert "| recordsets created, 8 clients | **" in text
    assert "| SQLite, recordsets created, 8 clients: ≥ 520 /s | " in text
    assert json.loads(json.dumps(content))["databases"]["sqlite"]


def test_targets_of_the_api_that_were_not_measured_are_neither_met_nor_missed() -> None:
    assert {verdict.met for verdict in verdicts({}, API_TARGETS)} == {None}


@pytest.mark.parametrize("engine", databases.ENGINES)
def test_the_rows_of_each_engine_are_as_the_schema_says(engine: str, tmp_path: Path) -> None:
    if not databases.reachable(engine):
        pytest.skip(f"no {engine} answers")
    with databases.fresh(engine, tmp_path) as url:
        fill_ours(url, Content(3, 30))
        counts = ("SELECT count(*) FROM zones", "SELECT count(*) FROM rrsets", "SELECT count(*) FROM records")
        assert databases.execute(url, *counts) == [3, 30, 30]


# ---------------------------------------------------------------------------------------------------------- the client


@contextmanager
def answering(status: int, close: bool = False) -> Iterator[tuple[Address, list[int]]]:
    """A server that answers everything with this status; and the ports its clients came from."""
    peers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            peers.append(self.client_address[1])
            self.send_response(status)
            self.send_header("Content-Length", "2")
            if close:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Address("127.0.0.1", server.server_port), peers
        finally:
            server.shutdown()
            thread.join()


def test_every_request_of_every_client_is_answered_once() -> None:
    with answering(200) as (address, peers):
        done = drive(address, [itertools.repeat(request("GET", "/", {}), 5) for _ in range(3)])
    assert (len(done.latencies), len(peers), len(set(peers))) == (15, 15, 3)


def test_a_connection_that_the_server_closes_is_made_again() -> None:
    with answering(200, close=True) as (address, peers):
        drive(address, [itertools.repeat(request("GET", "/", {}), 4)])
    assert len(set(peers)) == 4


def test_an_answer_that_is_no_2xx_ends_the_run() -> None:
    with answering(404) as (address, _), pytest.raises(LoadError, match="404"):
        drive(address, [itertools.repeat(request("GET", "/", {}), 4)], tolerant=True)


def test_failures_that_are_tolerated_are_counted_apart() -> None:
    with answering(500) as (address, _):
        done = drive(address, [itertools.repeat(request("GET", "/", {}), 4)], tolerant=True)
    assert (done.failures, done.latencies) == (4, [])


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(SystemExit, match="no engine oracle"):
        command.main(["--engines", "oracle"])
