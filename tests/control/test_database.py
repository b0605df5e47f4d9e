# SPDX-License-Identifier: Apache-2.0
"""What a database may do to us: go away and come back."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from control.storage.database import Database
from tests.control.conftest import Api

KILL = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = :name AND pid <> pg_backend_pid()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE db = :name AND id <> connection_id()",
}


def cut_connections(database: Database) -> None:
    """As a restart of the server does, and a firewall that forgets."""
    with create_engine(database.url, isolation_level="AUTOCOMMIT").connect() as connection:
        found = connection.execute(text(KILL[database.name]), {"name": database.url.database}).scalars().all()
        for process in found if database.name == "mariadb" else ():
            connection.execute(text(f"KILL {process}"))
        connection.invalidate()


def test_connections_that_died_are_replaced_without_an_error(api_on: Api) -> None:
    database = api_on.core.db
    if database.name == "sqlite":
        pytest.skip("SQLite has no connections to lose")
    zone = api_on.zone()
    cut_connections(database)
    api_on.recordset(zone, "a.example.org.", "A", "192.0.2.1")
    cut_connections(database)
    with database.snapshot() as tx:
        assert tx.execute(text("SELECT count(*) FROM rrsets")).scalar() == 3
    cut_connections(database)
    assert api_on.get("/v2/recordsets").status_code == 200
