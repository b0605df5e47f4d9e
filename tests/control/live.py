# SPDX-License-Identifier: Apache-2.0
"""The API as a process of its own, over a database that has its tables and a pool: for tests of what serving adds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from control.storage import schema
from control.storage.database import Database
from control.storage.tables import pools
from tests.control.conftest import add_pool
from tests.nameservers import free_port, wait_until

START_SECONDS = 60
MEMBER = {"X-Auth-Project-ID": "project-1", "X-Roles": "member"}


@dataclass
class Answer:
    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Live:
    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def client(self, port: int = 0) -> Iterator[Client]:
        """A connection that is kept open meanwhile."""
        with closing(HTTPConnection("127.0.0.1", port or self.port, timeout=60)) as connection:
            yield Client(connection)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """On a connection of its own."""
        with self.client() as client:
            return client.request(method, path, body, **headers)

    def metrics(self) -> str:
        with self.client(self.metrics_port) as client:
            return client.request("GET", "/metrics").text

    def workers(self) -> list[int]:
        """Those that answer requests: the jobs process is another command."""
        return [pid for pid, command in self._children() if b"control.cli.jobs" not in command]

    def jobs(self) -> list[int]:
        return [pid for pid, command in self._children() if b"control.cli.jobs" in command]

    def _children(self) -> Iterator[tuple[int, bytes]]:
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with suppress(FileNotFoundError):  # it ended just now
                yield int(pid), Path(f"/proc/{pid}/cmdline").read_bytes()

    def answers(self) -> bool:
        try:
            return self.request("GET", "/").status == 200
        except OSError:
            return False


@dataclass
class Client:
    connection: HTTPConnection

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        data = None if body is None else json.dumps(body)
        sent = {**MEMBER, "Content-Type": "application/json", **headers}
        self.connection.request(method, path, data, sent)
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.read().decode(), dict(answer.getheaders()))


@contextmanager
def live_api(database: Database, folder: Path, **settings: str) -> Iterator[Live]:
    """settings: of ControlConfig. The database gets the tables and a pool that it lacks."""
    schema.upgrade(database)
    if not database.read(lambda tx: tx.execute(pools.select()).first()):
        add_pool(database)
    live = start(database, folder, settings)
    try:
        wait_until("it answers", lambda: live.answers() or live.process.poll() is not None, START_SECONDS)
        assert live.process.poll() is None, live.log.read_text()
        yield live
    finally:
        live.process.send_signal(signal.SIGTERM)
        try:
            assert live.process.wait(40) == 0, live.log.read_text()
        finally:
            live.process.kill()


def start(database: Database, folder: Path, settings: dict[str, str]) -> Live:
    port, metrics_port = free_port(), free_port()
    given = {
        "database": database.url.render_as_string(hide_password=False),
        "auth": "none",
        "listen": f"127.0.0.1:{port}",
        "metrics": f"127.0.0.1:{metrics_port}",
        "workers": "2",
        "jobs": "false",
        **settings,
    }
    environ = {**os.environ, **{f"FASTMDNS_CONTROL_{key.upper()}": value for key, value in given.items()}}
    log = folder / "api.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "control.serving"], env=environ, stdout=output, stderr=subprocess.STDOUT
        )
    return Live(process, port, metrics_port, log)
