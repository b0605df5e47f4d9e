# SPDX-License-Identifier: Apache-2.0
"""The jobs process, as it is started and as it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import func, select

from control import jobs
from control.storage import tasks
from control.storage.database import Database
from control.storage.tables import journal, records, rrsets, task_bodies, zones
from control.storage.tasks import Kind
from tests.control.conftest import Api, emptied, make_api

HEAD = "$ORIGIN example.org.\n$TTL 60\n@ SOA a. b.example.org. 1 2 3 4 5\n"
RECORDS = 60_000
QUOTAS = {"FASTMDNS_CONTROL_QUOTA_ZONE_RECORDS": "-1", "FASTMDNS_CONTROL_QUOTA_ZONE_RECORDSETS": "-1"}


@contextmanager
def jobs_process(database: Database, lease: float = 1) -> Iterator[subprocess.Popen[bytes]]:
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "control.cli.jobs", "--database", url, "--lease", str(lease)]
    process = subprocess.Popen(command, env={"PATH": "/usr/bin:/bin", **QUOTAS})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], Any], seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")


def count(database: Database, table: Any) -> int:
    return int(database.read(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar_one()))


def start(api: Api, text: str) -> str:
    answer = api.post("/v2/zones/tasks/imports", data=text, headers={"Content-Type": "text/dns"})
    return str(answer.get_json()["id"])


def ended(api: Api, import_id: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = api.get(f"/v2/zones/tasks/imports/{import_id}").get_json()
    return None if shown["status"] == "PENDING" else shown


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_worker_killed_amid_an_import_loses_nothing(database_of: Callable[[str], Database], backend: str) -> None:
    db = emptied(database_of(backend))
    api = make_api(db)
    import_id = start(api, HEAD + "".join(f"host{number} A 192.0.2.{number % 250}\n" for number in range(RECORDS)))
    with jobs_process(db) as process:
        until(lambda: is_amid(db, import_id))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert [count(db, table) for table in (zones, rrsets, records, journal)] == [0, 0, 0, 0]
    assert ended(api, import_id) is None
    with jobs_process(db):
        shown = until(lambda: ended(api, import_id))
    assert (shown["status"], shown["message"]) == ("COMPLETE", "example.org. imported")
    assert [count(db, table) for table in (zones, rrsets, journal, task_bodies)] == [1, RECORDS + 2, 1, 0]


def is_amid(database: Database, import_id: str) -> bool:
    """PostgreSQL's worker tells its progress beside the import; with SQLite nobody else writes while it does."""
    task = database.read(lambda tx: tasks.get(tx, Kind.IMPORT, import_id))
    if database.name == "sqlite":
        return task.claimed_by is not None and is_writing(database)
    return task.done > 0


def is_writing(database: Database) -> bool:
    """Whether somebody holds SQLite's one write lock for longer than a moment."""
    with database.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA busy_timeout = 300")
        try:
            raw.execute("BEGIN IMMEDIATE")
        except Exception as error:  # noqa: BLE001  the driver's own
            return "locked" in str(error)
        else:
            raw.execute("ROLLBACK")
            return False
        finally:
            raw.execute("PRAGMA busy_timeout = 30000")


def test_a_worker_asked_to_end_does_so(sqlite: Database) -> None:
    api = make_api(sqlite)
    import_id = start(api, HEAD)
    with jobs_process(sqlite) as process:
        until(lambda: ended(api, import_id))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_claim_that_lapsed_is_taken_over_and_its_first_owner_ends_nothing(api_on: Api) -> None:
    core = api_on.core
    start(api_on, HEAD)
    first = core.db.write(lambda tx: tasks.claim(tx, "first", core.clock(), -1))
    second = core.db.write(lambda tx: tasks.claim(tx, "second", core.clock(), 60))
    assert first is not None
    assert second is not None
    with pytest.raises(jobs.ClaimLost):
        jobs.imports.run(core, first, lambda done: None)
    assert api_on.get("/v2/zones").get_json()["zones"] == []
    jobs.imports.run(core, second, lambda done: None)
    assert len(api_on.get("/v2/zones").get_json()["zones"]) == 1


def test_two_workers_never_have_the_same_import(api_on: Api) -> None:
    core = api_on.core
    start(api_on, HEAD)
    assert core.db.write(lambda tx: tasks.claim(tx, "first", core.clock(), 60)) is not None
    assert core.db.write(lambda tx: tasks.claim(tx, "second", core.clock(), 60)) is None


def test_an_import_that_ends_its_workers_is_given_up(api: Api) -> None:
    core = api.core
    import_id = start(api, HEAD)
    for _ in range(5):
        core.db.write(lambda tx: tasks.claim(tx, "killed", core.clock(), -1))
    jobs.run_once(core)
    shown = ended(api, import_id)
    assert shown is not None
    assert shown["message"] == "An undefined error occurred. The import did not end in 5 tries."
