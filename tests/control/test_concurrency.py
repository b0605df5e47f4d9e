# SPDX-License-Identifier: Apache-2.0
"""Eight clients at once, workers that are killed, databases that drop their connections: nothing lost, nothing torn."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import select, text

from control.model import SOA
from control.storage.database import Database
from control.storage.tables import journal, outbox, records, rrsets, zones
from tests.control.conftest import BACKENDS, new_database
from tests.control.live import Live, live_api
from tests.nameservers import wait_until

CLIENTS = 8
ROUNDS = 8
NO_LIMITS = {"quota_zones": "-1", "quota_zone_recordsets": "-1", "quota_zone_records": "-1"}


@pytest.fixture(scope="module", params=BACKENDS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Database]]:
    """A live API over a new database of each kind in turn; each test has zones of its own."""
    tmp_path = tmp_path_factory.mktemp("served")
    with (
        new_database(request.param, tmp_path) as database,
        live_api(database, tmp_path, **NO_LIMITS) as live,
    ):
        yield live, database


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What the work gave for 0, 1, 2…, all of them begun at the same moment."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        start.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def make_zone(live: Live, name: str) -> str:
    answer = live.request("POST", "/v2/zones", {"name": name, "email": "joe@example.org"})
    assert answer.status == 202, answer.text
    return str(answer.json["id"])


def check_everything(database: Database) -> None:
    """What must hold whatever happened: the journal tells the zone, serials only grow, counts are right, no orphans."""

    def work(tx: Any) -> None:
        for zone in tx.execute(select(zones)).all():
            entries = tx.execute(select(journal).where(journal.c.zone_id == zone.id).order_by(journal.c.revision)).all()
            assert [entry.revision for entry in entries] == list(range(1, zone.revision + 1))
            serials = [entry.to_serial for entry in entries]
            assert serials == sorted(set(serials))
            assert serials[-1] == zone.serial
            assert [entry.from_serial for entry in entries[1:]] == serials[:-1]
            tasks = tx.execute(select(outbox.c.revision).where(outbox.c.zone_id == zone.id)).scalars()
            assert sorted(tasks) == list(range(1, zone.revision + 1))
            its = tx.execute(select(rrsets).where(rrsets.c.zone_id == zone.id)).all()
            assert len(its) == zone.rrset_count
            counts = Counter(
                tx.execute(select(records.c.rrset_id).join(rrsets).where(rrsets.c.zone_id == zone.id)).scalars()
            )
            assert sum(counts[one.id] for one in its if not one.managed) == zone.record_count
            assert all(counts[one.id] for one in its if one.rrtype != SOA)

    database.read(work)


def test_writers_of_one_zone_lose_nothing(served: tuple[Live, Database]) -> None:
    live, database = served
    zone = make_zone(live, "shared.example.")

    def write(number: int) -> list[int]:
        with live.client() as client:
            bodies = [
                {"name": f"h{number}-{turn}.shared.example.", "type": "A", "records": [f"192.0.2.{turn}"]}
                for turn in range(ROUNDS)
            ]
            return [client.request("POST", f"/v2/zones/{zone}/recordsets", body).status for body in bodies]

    assert Counter(chain.from_iterable(at_once(CLIENTS, write))) == {202: CLIENTS * ROUNDS}
    listed = live.request("GET", f"/v2/zones/{zone}/recordsets?type=A&limit=max").json["recordsets"]
    assert {one["name"] for one in listed} == {
        f"h{number}-{turn}.shared.example." for number in range(CLIENTS) for turn in range(ROUNDS)
    }
    check_everything(database)


def test_writers_of_zones_of_their_own_lose_nothing(served: tuple[Live, Database]) -> None:
    live, database = served

    def write(number: int) -> list[int]:
        with live.client() as client:
            zone = client.request("POST", "/v2/zones", {"name": f"z{number}.example.", "email": "joe@example.org"})
            place, statuses = f"/v2/zones/{zone.json['id']}", [zone.status]
            for turn in range(ROUNDS):
                body = {"name": f"h{turn}.z{number}.example.", "type": "TXT", "records": [f'"{turn}"']}
                made = client.request("POST", f"{place}/recordsets", body)
                changed = client.request("PUT", f"{place}/recordsets/{made.json['id']}", {"ttl": 60 + turn})
                statuses += [made.status, changed.status, client.request("PATCH", place, {"ttl": 600 + turn}).status]
            return statuses

    assert Counter(chain.from_iterable(at_once(CLIENTS, write))) == {202: CLIENTS * (1 + 3 * ROUNDS)}
    check_everything(database)


def test_one_of_many_who_want_the_same_gets_it(served: tuple[Live, Database]) -> None:
    live, database = served
    bodies = {"name": "wanted.example.", "email": "joe@example.org"}
    zones_made = at_once(CLIENTS, lambda _: live.request("POST", "/v2/zones", bodies))
    assert Counter(answer.status for answer in zones_made) == {202: 1, 409: CLIENTS - 1}
    zone = next(answer.json["id"] for answer in zones_made if answer.status == 202)
    body = {"name": "www.wanted.example.", "type": "A", "records": ["192.0.2.1"]}
    made = at_once(CLIENTS, lambda _: live.request("POST", f"/v2/zones/{zone}/recordsets", body).status)
    assert Counter(made) == {202: 1, 409: CLIENTS - 1}
    check_everything(database)


def test_changes_and_deletions_of_one_recordset_leave_no_torn_state(served: tuple[Live, Database]) -> None:
    live, database = served
    zone = make_zone(live, "churn.example.")
    place = f"/v2/zones/{zone}/recordsets"

    def write(number: int) -> set[int]:
        statuses = set()
        with live.client() as client:
            for turn in range(ROUNDS):
                body = {"name": "www.churn.example.", "type": "A", "records": [f"192.0.2.{number}"]}
                made = client.request("POST", place, body)
                statuses.add(made.status)
                found = client.request("GET", f"{place}?name=www.churn.example.").json["recordsets"]
                for one in found:
                    change = {"records": [f"198.51.100.{turn}", f"192.0.2.{number}"]}
                    statuses.add(client.request("PUT", f"{place}/{one['id']}", change).status)
                    statuses.add(client.request("DELETE", f"{place}/{one['id']}").status)
        return statuses

    assert set().union(*at_once(CLIENTS, write)) <= {200, 202, 404, 409}
    check_everything(database)


def test_killed_workers_leave_all_or_nothing(served: tuple[Live, Database]) -> None:
    live, database = served
    zone = make_zone(live, "killed.example.")
    done = threading.Event()
    kept: list[str] = []

    def write(number: int) -> None:
        for turn in range(10_000):
            if done.is_set():
                return
            name = f"h{number}-{turn}.killed.example."
            changes = [
                {"action": "create", "name": f"{kind}.{name}", "type": "A", "records": ["192.0.2.1"]} for kind in "ab"
            ]
            try:
                if live.request("POST", f"/v2/zones/{zone}/changes", {"changes": changes}).status == 202:
                    kept.append(name)
            except (OSError, HTTPException):
                continue  # the worker that had it is dead: done or not, but not half

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(4)]
        for _ in range(3):
            so_far = len(kept)
            wait_until("more is written", lambda so_far=so_far: len(kept) > so_far + 5, 60)  # type: ignore[misc]
            os.kill(live.workers()[0], signal.SIGKILL)
            wait_until("both are there again", lambda: len(live.workers()) == 2, 30)
        done.set()
        for writer in writers:
            writer.result(60)
    check_everything(database)
    names = set(database.read(lambda tx: tx.execute(select(rrsets.c.name)).scalars().all()))
    halves = {name[2:] for name in names if name[:2] in ("a.", "b.")}
    assert all({f"a.{name}", f"b.{name}"} <= names for name in halves)
    assert halves >= set(kept)


CUT = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
}


def cut_all_connections(database: Database) -> None:
    with database.engine.connect() as tx:
        found = tx.execute(text(CUT[database.name])).scalars().all()
        if database.name == "mariadb":
            for connection in found:
                tx.execute(text(f"KILL {connection}"))


@pytest.mark.parametrize("served", ["postgresql", "mariadb"], indirect=True)
def test_connections_that_the_database_drops_cost_no_request(served: tuple[Live, Database]) -> None:
    live, database = served
    zone = make_zone(live, "cut.example.")
    done = threading.Event()

    def write(number: int) -> Counter[int]:
        statuses: Counter[int] = Counter()
        with live.client() as client:
            for turn in range(10_000):
                if done.is_set():
                    break
                body = {"name": f"h{number}-{turn}.cut.example.", "type": "A", "records": ["192.0.2.1"]}
                statuses[client.request("POST", f"/v2/zones/{zone}/recordsets", body).status] += 1
        return statuses

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(4)]
        for _ in range(5):
            cut_all_connections(database)
        done.set()
        statuses = sum((writer.result(60) for writer in writers), Counter())
    assert live.request("GET", f"/v2/zones/{zone}").status == 200
    assert set(statuses) <= {202, 409, 503}  # 409: the commit was done when its answer was cut off
    assert statuses[202]
    check_everything(database)
