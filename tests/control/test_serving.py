# SPDX-License-Identifier: Apache-2.0
"""`fastmdns api` as a process: reloads without losing a request, one log line each, numbers that add up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.storage import schema
from control.storage.database import Database
from tests.control.live import MEMBER, Live, live_api
from tests.nameservers import free_port, wait_until


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    database = Database(f"sqlite:///{tmp_path}/control.db")
    with live_api(database, tmp_path, log_format="json") as live:
        yield live
    database.close()


ZONE_FILE = """\
$ORIGIN example.org.
@ 3600 IN SOA ns1.example.net. joe.example.org. 1 3600 600 86400 300
@ 3600 IN NS ns1.example.net.
www 300 IN A 192.0.2.1
"""


def wait_for_line(live: Live, event: str, **fields: object) -> dict[str, object]:
    """The one log line of the event that has these fields."""

    def find() -> dict[str, object] | None:
        lines = [json.loads(text) for text in live.log.read_text().splitlines()]
        found = [line for line in lines if line["event"] == event and fields.items() <= line.items()]
        assert len(found) < 2
        return found[0] if found else None

    return wait_until(f"it logs {event}", find, 10)


def test_each_request_is_one_log_line_and_one_count(live: Live) -> None:
    answer = live.request("POST", "/v2/zones?limit=1", {"name": "example.org.", "email": "joe@example.org"})
    line = wait_for_line(live, "request answered", path="/v2/zones")
    expected = {"method": "POST", "status": 202, "project": "project-1", "peer": "127.0.0.1"}
    assert expected.items() <= line.items()
    assert line["request_id"] == answer.headers["X-Openstack-Request-Id"]
    count = 'fastmdns_http_requests_total{code="202",method="POST",route="/v2/zones"} 1.0'
    wait_until("it is counted", lambda: count in live.metrics(), 10)


def test_numbers_of_all_workers_add_up_and_outlive_a_worker(live: Live) -> None:
    count = 'fastmdns_http_requests_total{code="404",method="GET",route="-"} '
    for _ in range(20):
        live.request("GET", "/nothing-here")
    wait_until("all are counted", lambda: count + "20.0" in live.metrics(), 10)  # once the answer is written
    before = live.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_until("there is another one", lambda: before[0] not in live.workers() and len(live.workers()) == 2, 20)
    assert count + "20.0" in live.metrics()


def test_metrics_are_not_on_the_port_of_the_api(live: Live) -> None:
    assert live.request("GET", "/metrics").status == 404
    assert "fastmdns_control_build_info" in live.metrics()


def test_reload_loses_no_request(live: Live) -> None:
    answers: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answers.append(live.request("GET", "/").status)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        before = set(live.workers())
        live.process.send_signal(signal.SIGHUP)
        wait_until("workers are new", lambda: len(live.workers()) == 2 and not before & set(live.workers()), 30)
    finally:
        done.set()
        asker.join()
    assert set(answers) == {200}


def test_settings_that_are_wrong_leave_the_old_ones_in_force(tmp_path: Path) -> None:
    settings = tmp_path / "control.toml"
    settings.write_text("default_limit = 7")
    database = Database(f"sqlite:///{tmp_path}/control.db")
    with live_api(database, tmp_path, log_format="json", config=str(settings)) as live:
        settings.write_text("default_limitt = 7")
        live.process.send_signal(signal.SIGHUP)
        refused = wait_for_line(live, "settings refused, the old ones stay")
        assert "did you mean 'default_limit'?" in str(refused["reason"])
        assert live.request("GET", "/").status == 200
    database.close()


def test_process_for_imports_runs_beside_the_api_and_again_when_it_dies(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/control.db")
    with live_api(database, tmp_path, jobs="true") as live:
        with live.client() as client:
            client.connection.request(
                "POST", "/v2/zones/tasks/imports", ZONE_FILE, {**MEMBER, "Content-Type": "text/dns"}
            )
            made = json.loads(client.connection.getresponse().read())
        place = f"/v2/zones/tasks/imports/{made['id']}"
        wait_until("it is imported", lambda: live.request("GET", place).json["status"] == "COMPLETE", 60)
        before = live.jobs()
        os.kill(before[0], signal.SIGKILL)
        after = wait_until(
            "there is another one", lambda: [pid for pid in live.jobs() if pid not in before] or None, 30
        )
    wait_until("it ended with the master", lambda: not Path(f"/proc/{after[0]}").exists(), 10)
    database.close()


def command(*options: str) -> list[str]:
    """The command, whether the package is installed or not."""
    code = "from control.cli.serving import api; from fastmdns import cli; cli.cli.add_command(api); cli.main()"
    return [sys.executable, "-c", code, "api", *options]


def test_database_without_tables_is_refused_with_what_to_do(tmp_path: Path) -> None:
    asked = command("--database", f"sqlite:///{tmp_path}/new.db")
    result = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2
    assert result.stderr == "fastmdns: the database has no tables yet; 0001 is needed: fastmdns db upgrade\n"


def test_bootstrap_makes_what_is_missing_and_serves(tmp_path: Path) -> None:
    url, port = f"sqlite:///{tmp_path}/new.db", free_port()
    listen = ("--listen", f"127.0.0.1:{port}", "--metrics", "", "--workers", "1", "--name-server", "ns1.example.net.")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command("--database", url, "--bootstrap", *listen), stdout=log, stderr=log)
    live = Live(process, port, 0, tmp_path / "log")
    try:
        wait_until("it answers", lambda: live.answers() or process.poll() is not None, 60)
        assert process.poll() is None, live.log.read_text()
        password = live.log.read_text().partition("has the password ")[2].splitlines()[0]
        basic = "Basic " + b64encode(f"admin:{password}".encode()).decode()
        zone = {"name": "example.org.", "email": "joe@example.org"}
        as_admin = {"Authorization": basic, "X-Auth-Project-ID": "admin"}
        assert live.request("POST", "/v2/zones", zone, **as_admin).status == 202
    finally:
        process.terminate()
        process.wait(40)
    database = Database(url)
    assert schema.differences(database) == []
    database.close()
