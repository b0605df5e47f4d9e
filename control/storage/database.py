# SPDX-License-Identifier: Apache-2.0
"""The database: how it is opened, and the two ways to use it, read() and write().

Both are given the work as a function of the open transaction, because a transaction that lost against another one
(deadlock, serialisation failure, a connection that broke before the commit) is done again from its beginning.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from control import metrics
from control.errors import Refused, Unavailable
from control.storage import locks

T = TypeVar("T")
ATTEMPTS = 12
BUSY_SECONDS = 30  # how long we wait for another writer of an SQLite database
BLOCKED_MILLISECONDS = 20  # how much of that in SQLite itself, with the whole process
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mariadb+pymysql", "mariadb": "mariadb+pymysql"}
# PostgreSQL's SQLSTATEs, then MariaDB's numbers, of transactions that would do well when tried again.
TRY_AGAIN = {"40001", "40P01", "55P03", 1205, 1213, 1020}


class Database:
    """One engine and its pool of connections. Open it after a fork, never before."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = _with_driver(url)
        self.engine = _engine(self.url, pool_size)
        self.name = self.url.get_backend_name().replace("mysql", "mariadb")

    @property
    def file(self) -> Path | None:
        """SQLite's file; None for a database that is no file."""
        path = self.url.database
        return Path(path) if self.name == "sqlite" and path and path != ":memory:" else None

    def read(self, work: Callable[[Connection], T]) -> T:
        return self._run(work, writes=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Runs the work in one transaction and commits it. The work may run more than once."""
        return self._run(work, writes=True)

    def rehearse(self, work: Callable[[Connection], T]) -> T:
        """As write(), with the same answer and the same refusals, but nothing of it stays."""
        return self._run(work, writes=True, keep=False)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database however long it reads, on a connection beside the pool's.

        For streams: whoever reads one may be slow, and other requests should not wait for that.
        """
        self.read(lambda tx: tx.execute(select(1)))  # done again where the pool's connections are dead, and then fresh
        with self.engine.connect().execution_options(writes=False) as tx:
            if self.name != "sqlite":  # its readers see one state anyway
                tx.execution_options(isolation_level="REPEATABLE READ")
            tx.detach()
            with tx.begin():
                yield tx

    def ping(self) -> None:
        """Unavailable where the database does not answer."""
        self.read(lambda tx: tx.execute(select(1)))

    def close(self) -> None:
        self.engine.dispose()

    def _run(self, work: Callable[[Connection], T], writes: bool, keep: bool = True) -> T:
        for attempt in range(ATTEMPTS):
            try:
                with (
                    metrics.database_seconds.labels("write" if writes else "read").time(),
                    self._begin(writes, keep) as tx,
                ):
                    return work(tx)
            except DBAPIError as error:
                if not _worth_another_try(error):
                    if isinstance(error, OperationalError | InterfaceError):
                        raise Unavailable("database_unavailable", "the database does not answer") from error
                    raise
                if attempt + 1 == ATTEMPTS:
                    raise Unavailable("database_unavailable", "the database is too busy for this change") from error
            except NoConnectionError as error:
                raise Unavailable("database_unavailable", "all connections to the database are busy") from error
            metrics.database_retries.inc()
            time.sleep(random.uniform(0, 0.01 * 1.6**attempt))
        raise AssertionError("unreachable")

    @contextmanager
    def _begin(self, writes: bool, keep: bool) -> Iterator[Connection]:
        with self.engine.connect().execution_options(writes=writes) as tx, tx.begin() as transaction:
            yield tx
            if not keep:
                transaction.rollback()


def expect_long_lists(tx: Connection) -> None:
    """Statements of this transaction look for hundreds of keys at once.

    PostgreSQL would plan them without looking at the list, and then compare each row with each key.
    """
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")


@contextmanager
def together(tx: Connection) -> Iterator[None]:
    """What is executed in here goes to PostgreSQL at once, without a wait after each statement. For what gives no rows.

    An error may come as late as the end. The other drivers know of no such thing: there, each statement waits.
    """
    if tx.dialect.driver != "psycopg":
        yield
        return
    driver: Any = tx.connection.dbapi_connection
    try:
        with driver.pipeline():
            yield
    except tx.dialect.loaded_dbapi.Error as error:
        gone = tx.dialect.is_disconnect(error, driver, None)
        if gone:
            tx.invalidate(error)
        kind = tx.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(None, None, error, kind, connection_invalidated=gone, dialect=tx.dialect) from error


@contextmanager
def unique(code: str, message: str) -> Iterator[None]:
    """An insert that breaks a uniqueness constraint is refused with this code."""
    try:
        yield
    except IntegrityError as error:
        raise Refused(code, message) from error


def _with_driver(url: str) -> URL:
    parsed = make_url(url)
    return parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))


def _engine(url: URL, pool_size: int) -> Engine:
    """No connection is asked whether it still lives before it is used: _run() begins again on another one if not."""
    backend = url.get_backend_name()
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_use_lifo": True}
    if backend == "sqlite":
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Row locks do the work, so each statement may see what others committed.
    engine = create_engine(url, isolation_level="READ COMMITTED", **options)
    if backend != "postgresql":
        event.listen(engine, "reset", locks.give_back)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"busy_timeout={BLOCKED_MILLISECONDS}",
        "case_sensitive_like=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(tx: Connection) -> None:
    """A writer takes its lock at once: one that began as a reader could not become one."""
    if not tx.get_execution_options().get("writes"):
        tx.exec_driver_sql("BEGIN")
        return
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            tx.exec_driver_sql("BEGIN IMMEDIATE")
            return
        except OperationalError as error:
            if not _worth_another_try(error):
                raise
            if time.monotonic() > deadline:
                raise Unavailable("database_unavailable", "the database is too busy for this change") from error
        time.sleep(random.uniform(0.001, 0.01))  # here and not in SQLite, where every greenlet would wait


def _worth_another_try(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    original = error.orig
    code = getattr(original, "sqlstate", None) or (original.args[0] if original is not None and original.args else None)
    return code in TRY_AGAIN or (isinstance(code, str) and "database is locked" in code)


def version(tx: Connection) -> str:
    """The server's own version, for status pages."""
    info = tx.dialect.server_version_info
    return f"{tx.dialect.name} {'.'.join(str(part) for part in info or ())} (SQLAlchemy {sqlalchemy.__version__})"
