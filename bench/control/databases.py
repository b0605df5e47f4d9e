# SPDX-License-Identifier: Apache-2.0
"""A database of each engine for one run, dropped afterwards, and what the engine promises about a commit.

SQLite is a file in the run's folder. PostgreSQL and MariaDB are servers that run already, reached by a URL whose user
may create databases.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from control.storage.database import DRIVERS

ENGINES = ("sqlite", "postgresql", "mariadb")
SERVERS = {
    "postgresql": os.environ.get("FASTMDNS_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres"),
    "mariadb": os.environ.get("FASTMDNS_TEST_MARIADB", "mariadb://root@127.0.0.1:3306/mysql"),
}
CONNECT_SECONDS = 10
# What says how durable a commit is: these are left as they are found, and told with the results.
SETTINGS = {
    "postgresql": ("SHOW server_version", "SHOW fsync", "SHOW synchronous_commit", "SHOW shared_buffers"),
    "mariadb": (
        *("SELECT version()", "SELECT @@innodb_flush_log_at_trx_commit", "SELECT @@log_bin"),
        "SELECT @@innodb_buffer_pool_size",
    ),
    "sqlite": ("SELECT sqlite_version()",),
}


def connected(url: URL) -> Engine:
    driver = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
    timeout = {} if url.drivername == "sqlite" else {"connect_timeout": CONNECT_SECONDS}
    return create_engine(driver, isolation_level="AUTOCOMMIT", connect_args=timeout)


def execute(url: URL, *statements: str) -> list[Any]:
    """The first value that each statement gives; None where it gives no rows."""
    engine = connected(url)
    try:
        with engine.connect() as connection:
            results = [connection.execute(text(statement)) for statement in statements]
            return [result.scalar() if result.returns_rows else None for result in results]
    finally:
        engine.dispose()


def reachable(engine: str) -> bool:
    """True where a run can have a database of it."""
    if engine == "sqlite":
        return True
    try:
        execute(make_url(SERVERS[engine]), "SELECT 1")
    except OperationalError:
        return False
    return True


@contextlib.contextmanager
def fresh(engine: str, folder: Path) -> Iterator[URL]:
    """The URL of an empty database."""
    folder.mkdir(parents=True, exist_ok=True)
    if engine == "sqlite":
        yield make_url(f"sqlite:///{folder}/control.db")
        return
    server, name = make_url(SERVERS[engine]), f"fastmdns_bench_{uuid.uuid4().hex[:12]}"
    execute(server, f"CREATE DATABASE {name}")
    try:
        yield server.set(database=name)
    finally:
        execute(server, f"DROP DATABASE {name}{' WITH (FORCE)' if engine == 'postgresql' else ''}")


def facts(engine: str) -> dict[str, str]:
    """Statement → what the engine answered."""
    url = make_url("sqlite://" if engine == "sqlite" else SERVERS[engine])
    statements = SETTINGS[engine]
    return dict(zip(statements, map(str, execute(url, *statements)), strict=True))
