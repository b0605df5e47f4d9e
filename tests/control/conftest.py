# SPDX-License-Identifier: Apache-2.0
"""A database of each kind, emptied for each test, and the API over it with a client that speaks as any project.

SQLite always; PostgreSQL and MariaDB where FASTMDNS_TEST_POSTGRESQL and FASTMDNS_TEST_MARIADB name a server (a URL
whose user may create databases), and on their usual loopback ports where one answers there.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from control.api.app import create_app
from control.central.core import Core
from control.config import ControlConfig
from control.storage.database import Database
from control.storage.ids import utcnow
from control.storage.tables import metadata, pool_ns_records, pools

# Read when this file is, since no test sees a FASTMDNS_* variable of the person who runs it.
SERVERS = {
    "postgresql": os.environ.get("FASTMDNS_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres"),
    "mariadb": os.environ.get("FASTMDNS_TEST_MARIADB", "mariadb://root@127.0.0.1:3306/mysql"),
}
INSTALL = {"postgresql": "postgresql", "mariadb": "mariadb-server"}
BACKENDS = ("sqlite", *SERVERS)


@pytest.fixture(autouse=True, scope="session")
def no_url_builders() -> Iterator[None]:
    """Routes compile no functions that build their URLs: nothing asks for one, and that was half the time of all tests,
    for each of which makes an application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", lambda rule, append_unknown=True: lambda **values: None)
        yield


def server_url(backend: str) -> str:
    """A URL of the server, or a skip that says how to have one; with CI=true a failure."""
    url = SERVERS[backend]
    server = Database(url)
    try:
        with server.engine.connect():
            return url
    except OperationalError as error:
        reason = (
            f"no {backend} answers at {url}: apt-get install {INSTALL[backend]}, or set"
            f" FASTMDNS_TEST_{backend.upper()} to the URL of a user that may create databases ({error.orig})"
        )
    finally:
        server.close()
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _execute(url: str, statement: str) -> None:
    engine = create_engine(Database(url).url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def database_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Database]]:
    """Backend → a database with our tables, made once for all tests."""
    made: dict[str, tuple[Database, str]] = {}

    def database_of(backend: str) -> Database:
        if backend not in made:
            made[backend] = _make(backend, tmp_path_factory.mktemp("database"))
            metadata.create_all(made[backend][0].engine)
        return made[backend][0]

    yield database_of
    for database, server in made.values():
        name = database.url.database
        database.close()
        if server:
            _execute(server, f"DROP DATABASE {name}")


def _make(backend: str, folder: Path) -> tuple[Database, str]:
    if backend == "sqlite":
        return Database(f"sqlite:///{folder}/control.db"), ""
    server = server_url(backend)
    name = f"fastmdns_test_{uuid.uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name}")
    return Database(make_url(server).set(database=name).render_as_string(hide_password=False)), server


@contextmanager
def new_database(backend: str, folder: Path) -> Iterator[Database]:
    """A database without tables, for one test alone."""
    database, server = _make(backend, folder)
    try:
        yield database
    finally:
        database.close()
        if server:
            _execute(server, f"DROP DATABASE {database.url.database}")


@pytest.fixture(params=BACKENDS)
def db(request: pytest.FixtureRequest, database_of: Callable[[str], Database]) -> Database:
    """An empty database, of each kind in turn."""
    return emptied(database_of(request.param))


@pytest.fixture
def sqlite(database_of: Callable[[str], Database]) -> Database:
    """An empty SQLite database, for tests that are not about databases."""
    return emptied(database_of("sqlite"))


def emptied(database: Database) -> Database:
    def work(tx: Any) -> None:
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())

    database.write(work)
    return database


POOL_ID = ControlConfig().default_pool_id
NAME_SERVERS = (("ns1.example.net.", 1), ("ns2.example.net.", 2))


def add_pool(database: Database, pool_id: str = POOL_ID, name: str = "default", **values: Any) -> str:
    """A pool with two name servers."""

    def work(tx: Any) -> None:
        row = {"id": pool_id, "name": name, "description": None, "attributes": {}, "created_at": utcnow(), **values}
        tx.execute(insert(pools).values(**row))
        rows = [{"pool_id": pool_id, "hostname": host, "priority": priority} for host, priority in NAME_SERVERS]
        tx.execute(insert(pool_ns_records), rows)

    database.write(work)
    return pool_id


def body_of(answer: TestResponse) -> dict[str, Any]:
    """An error's body, its request id and code checked, and the id taken out."""
    body: dict[str, Any] = answer.get_json()
    assert body.pop("request_id") == answer.headers["X-Openstack-Request-Id"]
    assert body["code"] == answer.status_code
    return body


@dataclass
class Api:
    """The API, spoken to as a member of a project. `api.as_admin`, `api.of("other")` and `api.with_headers()` give
    others on the same database."""

    core: Core
    app: Any
    headers: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = {**self.headers, **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        elif method in ("POST", "PATCH", "PUT"):
            headers.setdefault("Content-Type", "application/json")
        return self.app.test_client().open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.request("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.request("DELETE", path, **options)

    def of(self, project: str, role: str = "member") -> Api:
        """As a user of another project."""
        return self.with_headers({"X-Auth-Project-ID": project, "X-Roles": role, "X-Auth-User-ID": f"{project}-user"})

    def with_headers(self, headers: dict[str, str]) -> Api:
        return Api(self.core, self.app, {**self.headers, **headers})

    @property
    def as_admin(self) -> Api:
        return self.with_headers({"X-Roles": "admin"})

    @property
    def as_admin_of_all(self) -> Api:
        return self.with_headers({"X-Roles": "admin", "X-Auth-All-Projects": "true"})

    def zone(self, name: str = "example.org.", **values: Any) -> dict[str, Any]:
        """A zone, made by a request."""
        answer = self.post("/v2/zones", {"name": name, "email": "joe@example.org", **values})
        assert answer.status_code == 202, answer.text
        return answer.get_json()

    def recordset(self, zone: dict[str, Any], name: str, rrtype: str, *records: str, **values: Any) -> dict[str, Any]:
        """A recordset, made by a request."""
        body = {"name": name, "type": rrtype, "records": list(records), **values}
        answer = self.post(f"/v2/zones/{zone['id']}/recordsets", body)
        assert answer.status_code in (201, 202), answer.text
        return answer.get_json()


def make_api(database: Database, project: str = "project-1", **settings: Any) -> Api:
    """An API over the database with auth = none, and a pool. settings: of ControlConfig."""
    if not database.read(lambda tx: tx.execute(pools.select()).first()):
        add_pool(database)
    core = Core(database, ControlConfig(**{"auth": "none", **settings}))
    return Api(core, create_app(core)).of(project)


@pytest.fixture
def api(sqlite: Database) -> Api:
    """The API over SQLite: for tests of rules and answers."""
    return make_api(sqlite)


@pytest.fixture
def api_on(db: Database) -> Api:
    """The API over each database in turn: for tests of what is stored and how."""
    return make_api(db)
