# SPDX-License-Identifier: Apache-2.0
"""The schema's life: what the revisions make is what tables.py says, whoever starts them and however often."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import MetaData, text

from control.errors import Unavailable
from control.storage import schema
from control.storage.database import Database
from control.storage.tables import metadata
from fastmdns import cli
from tests.control.conftest import BACKENDS, new_database


@pytest.fixture(params=BACKENDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table, of each kind in turn."""
    with new_database(request.param, tmp_path) as database:
        yield database


def shape(db: Database) -> dict[str, object]:
    """Tables, columns, keys and indexes, as the database tells them."""
    found = MetaData()
    found.reflect(db.engine)
    return {
        name: (
            sorted((column.name, repr(column.type), column.nullable) for column in table.columns),
            sorted(str(index.name) for index in table.indexes),
            sorted(str(constraint.name) for constraint in table.constraints),
        )
        for name, table in found.tables.items()
        if name != "alembic_version"
    }


def test_revisions_make_what_the_tables_say(empty: Database) -> None:
    schema.upgrade(empty)
    assert schema.differences(empty) == []
    made_by_revisions = shape(empty)
    metadata.drop_all(empty.engine)
    metadata.create_all(empty.engine)
    assert made_by_revisions == shape(empty)


def test_upgrade_is_repeatable_and_keeps_what_is_stored(empty: Database) -> None:
    schema.upgrade(empty)
    empty.write(lambda tx: tx.execute(text("INSERT INTO quotas VALUES ('p', 'zones', 7)")))
    schema.upgrade(empty)
    assert empty.read(lambda tx: tx.execute(text("SELECT * FROM quotas")).all()) == [("p", "zones", 7)]
    assert schema.current(empty) == schema.newest()


def test_several_upgrades_at_once_do_not_disturb_each_other(empty: Database) -> None:
    others = [Database(empty.url.render_as_string(hide_password=False)) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(schema.upgrade, others))
    for other in others:
        other.close()
    assert schema.differences(empty) == []


def test_what_differs_is_named(empty: Database) -> None:
    schema.upgrade(empty)
    with empty.engine.connect().execution_options(writes=True) as tx, tx.begin():
        tx.execute(text("DROP TABLE floatingip_ptrs"))
    assert "add table: floatingip_ptrs" in schema.differences(empty)


def test_command_upgrades_checks_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def db(command: str) -> tuple[int, str]:
        code = cli._run(["db", command, *(() if command == "history" else ("--database", f"sqlite:///{tmp_path}/db"))])
        return code, "".join(capsys.readouterr())

    assert db("current") == (0, "empty\n")
    code, told = db("check")
    assert code == 1
    assert "add table: zones" in told
    assert db("upgrade") == (0, f"the database is at {schema.newest()}; it was empty\n")
    assert db("upgrade") == (0, f"the database is at {schema.newest()}\n")
    assert db("check") == (0, f"the database is at {schema.newest()}\n")
    assert "0001  The first schema: everything." in db("history")[1]


def test_database_without_our_tables_is_refused_with_what_to_do(empty: Database) -> None:
    with pytest.raises(Unavailable, match=r"has no tables yet.*fastmdns db upgrade"):
        schema.need_newest(empty)
    schema.upgrade(empty)
    schema.need_newest(empty)
