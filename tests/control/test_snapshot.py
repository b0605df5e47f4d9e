# SPDX-License-Identifier: Apache-2.0
from sqlalchemy import select

from control.storage.database import Database
from control.storage.tables import pools
from tests.control.conftest import add_pool


def test_a_snapshot_sees_nothing_of_what_is_committed_meanwhile(db: Database) -> None:
    add_pool(db)
    with db.snapshot() as tx:
        assert len(tx.execute(select(pools.c.id)).all()) == 1
        add_pool(db, "00000000-0000-0000-0000-000000000002", "second")
        assert len(tx.execute(select(pools.c.id)).all()) == 1
    assert len(db.read(lambda tx: tx.execute(select(pools.c.id)).all())) == 2


def test_snapshots_take_no_connection_from_the_pool(db: Database) -> None:
    with db.snapshot(), db.snapshot():
        assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # of the pool we chose
