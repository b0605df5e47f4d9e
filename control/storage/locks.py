# SPDX-License-Identifier: Apache-2.0
"""Locks on what has no row yet: a name that is about to be a zone's, the number of zones of a project.

They are held until the transaction's end. SQLite has one writer at a time anyway. PostgreSQL locks a name for itself
and those above it together with others, so that only zones of which one is above the other wait for each other.
MariaDB has no shared ones: there all zones below the same two last labels wait.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, func, select

from control.errors import Unavailable
from control.names import keys_above

PATIENCE_SECONDS = 30
TAKEN = "locks"  # set on a connection that has some to give back


def name(tx: Connection, key: bytes) -> None:
    """Nobody else makes a zone at this name, above or below it."""
    above = keys_above(key)[:-1]  # a TLD is no zone
    if tx.dialect.name == "postgresql":
        _in_postgresql(tx, [b"name" + key], [b"name" + other for other in above])
    elif tx.dialect.name != "sqlite":
        _in_mariadb(tx, b"name" + (above[-1] if above else key))


def project(tx: Connection, project_id: str) -> None:
    """Nobody else makes a zone in this project."""
    if tx.dialect.name == "postgresql":
        _in_postgresql(tx, [b"project" + project_id.encode()], [])
    elif tx.dialect.name != "sqlite":
        _in_mariadb(tx, b"project" + project_id.encode())


def _in_postgresql(tx: Connection, alone: Iterable[bytes], together: Iterable[bytes]) -> None:
    taken: list[Any] = [func.pg_advisory_xact_lock_shared(_number(what)) for what in together]
    tx.execute(select(*taken, *(func.pg_advisory_xact_lock(_number(what)) for what in alone)))


def _in_mariadb(tx: Connection, what: bytes) -> None:
    tx.info[TAKEN] = True
    if tx.execute(select(func.get_lock(f"fastmdns {_number(what)}", PATIENCE_SECONDS))).scalar() != 1:
        raise Unavailable("database_unavailable", "the database is too busy for this change")


def _number(what: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(what, digest_size=8).digest(), signed=True)


def give_back(connection: Any, record: Any, _: object) -> None:
    """For each connection of MariaDB that goes back to the pool: its locks know no transaction."""
    if record.info.pop(TAKEN, False):
        with connection.cursor() as cursor:
            cursor.execute("DO RELEASE_ALL_LOCKS()")
