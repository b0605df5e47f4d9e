# SPDX-License-Identifier: Apache-2.0
"""The schema's life: brought up to date by the revisions in migrations/, and compared with tables.py.

upgrade() may be called by any number of processes at once: one works, the others wait and find nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text

from control.errors import Unavailable
from control.storage.database import Database
from control.storage.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
COMPARED: dict[str, Any] = {"compare_type": True, "render_as_batch": True}
WAIT_SECONDS = 600
# How one process at a time changes the schema; SQLite's transaction does it alone. MariaDB has no DDL in transactions.
LOCKS = {
    "postgresql": ("SELECT pg_advisory_xact_lock(7235419861)", ""),
    "mysql": (
        f"SELECT GET_LOCK(CONCAT('fastmdns.', DATABASE()), {WAIT_SECONDS})",
        "SELECT RELEASE_LOCK(CONCAT('fastmdns.', DATABASE()))",
    ),
}
LOCKS["mariadb"] = LOCKS["mysql"]


def upgrade(db: Database) -> None:
    """Creates all tables in an empty database, or brings those of an older release up to date."""
    with _alone(db) as tx:
        command.upgrade(_config(tx), "head")


def current(db: Database) -> str | None:
    """The revision the database is at; None where it has none of our tables."""
    return db.read(lambda tx: MigrationContext.configure(tx).get_current_revision())


def newest() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there is no revision"
    return head


def history() -> list[Script]:
    """All revisions, the oldest first."""
    return list(reversed(list(ScriptDirectory.from_config(_config()).walk_revisions())))


def differences(db: Database) -> list[str]:
    """What the database has that tables.py hasn't, and the other way round, a line each."""
    return db.read(lambda tx: [_in_words(found) for found in compare_metadata(_compared(tx), metadata)])


def need_newest(db: Database) -> None:
    """Unavailable where the schema isn't the one that this release works with."""
    have, need = current(db), newest()
    if have != need:
        where = f"is at revision {have}" if have else "has no tables yet"
        raise Unavailable("database_unavailable", f"the database {where}; {need} is needed: fastmdns db upgrade")


def _config(tx: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = tx
    return config


def _compared(tx: Connection) -> MigrationContext:
    return MigrationContext.configure(tx, opts=COMPARED)


@contextmanager
def _alone(db: Database) -> Iterator[Connection]:
    """A transaction that no other process changes the schema beside."""
    take, release = LOCKS.get(db.engine.dialect.name, ("", ""))
    with db.engine.connect().execution_options(writes=True) as tx, tx.begin():
        if take and tx.execute(text(take)).scalar() == 0:
            raise Unavailable(
                "database_unavailable", f"another process has been changing the schema for {WAIT_SECONDS} s"
            )
        yield tx
        if release:
            tx.execute(text(release))


def _in_words(found: Any) -> str:
    """One difference of Alembic's: ("add_table", Table) or a list of ("modify_type", schema, table, column, …)."""
    if isinstance(found, list):
        return "; ".join(_in_words(item) for item in found)
    kind, *what = found
    return f"{kind.replace('_', ' ')}: {', '.join(str(item) for item in what if item is not None and item != {})}"
