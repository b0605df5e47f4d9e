# SPDX-License-Identifier: Apache-2.0
"""The same zones for us and for PowerDNS, written straight into the tables: a million of them takes minutes, not days.

Zone i has a SOA, a NS rrset and hosts with one address each. Every RARE_EACHth rrset has the address RARE, so that a
search by data has something to find. Ids are made from numbers, so that any of them is known without being kept.
"""

from __future__ import annotations

import contextlib
import ipaddress
import itertools
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import URL

from bench.control.databases import connected, execute
from control.central.core import Core
from control.config import ControlConfig
from control.identity.accounts import create_user
from control.identity.sessions import ByPassword, Wanted, log_in
from control.model import NS, SOA, Action, Status, ZoneType
from control.names import key_of, to_wire
from control.storage import accounts, schema
from control.storage.accounts import Project
from control.storage.database import Database
from control.storage.ids import shard_of
from control.storage.tables import pool_ns_records, pools

PROJECT = "5b9f1fd3a4c84f4d9c1f3b6d2a7e8c10"
RARE, RARE_EACH = "8.8.8.8", 1000
PASSWORD = "correct horse battery staple"
PATTERN = "*.x.zones.bench."  # the hosts of one zone
NAME_SERVERS = ("ns1.bench.example.", "ns2.bench.example.")
POOL_ID = ControlConfig().default_pool_id
MANAGED = 2  # SOA and NS
TYPE_A = 1
TTL, SERIAL = 3600, 1_750_000_000
BORN = datetime(2025, 6, 15, 12)
BATCH = 5_000
POWERDNS_BACKENDS = {"sqlite": "sqlite3", "postgresql": "pgsql"}  # engine → what Debian calls the backend

Rows = Iterator[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Content:
    """So many zones with so many rrsets in all."""

    zones: int
    recordsets: int

    @property
    def hosts(self) -> int:
        """Of each zone."""
        return max(1, self.recordsets // self.zones - MANAGED)

    def name(self, zone: int) -> str:
        return f"z{zone:07d}.zones.bench." if zone else PATTERN.removeprefix("*.")

    def host(self, zone: int, host: int) -> str:
        return f"host{host}.{self.name(zone)}"

    def address(self, zone: int, host: int) -> str:
        number = zone * self.hosts + host
        return RARE if number % RARE_EACH == 0 else str(ipaddress.IPv4Address(0x0A000000 + number % (1 << 24)))

    @property
    def rare(self) -> int:
        """How many rrsets a search for RARE finds."""
        return -(-self.zones * self.hosts // RARE_EACH)

    def zone_id(self, zone: int) -> str:
        return str(uuid.UUID(int=(7 << 76) | (2 << 62) | zone))

    def rrset_id(self, zone: int, number: int) -> str:
        """number: 0 and 1 are SOA and NS, then the hosts."""
        return str(uuid.UUID(int=(7 << 76) | (3 << 62) | zone * (self.hosts + MANAGED) + number))


# ------------------------------------------------------------------------------------------------------------- ours


def fill_ours(url: URL, content: Content) -> None:
    """Creates the tables and fills them; the zones are ACTIVE and all belong to PROJECT."""
    database = Database(url.render_as_string(hide_password=False))
    try:
        schema.upgrade(database)
        database.write(_add_pool)
    finally:
        database.close()
    load(url, {"zones": _zone_rows(content), "rrsets": _rrset_rows(content), "records": _record_rows(content)})


def _add_pool(tx: Any) -> None:
    tx.execute(pools.delete())
    row: dict[str, Any] = {"id": POOL_ID, "name": "default", "description": None, "attributes": {}, "created_at": BORN}
    tx.execute(insert(pools).values(**row))
    servers = [{"pool_id": POOL_ID, "hostname": host, "priority": 1} for host in NAME_SERVERS]
    tx.execute(insert(pool_ns_records), servers)


def add_token(url: URL) -> str:
    """What a member of PROJECT holds after a login."""
    database = Database(url.render_as_string(hide_password=False))
    try:
        core = Core(database, ControlConfig())
        project = Project(PROJECT, "bench", True, BORN)
        database.write(lambda tx: accounts.insert_project(tx, project))
        create_user(core, "bench", PASSWORD, PROJECT, ["member"])
        return log_in(core, Wanted(ByPassword("bench", PASSWORD), PROJECT))[0]
    finally:
        database.close()


def _zone_rows(content: Content) -> Rows:
    for zone in range(content.zones):
        zone_id, name = content.zone_id(zone), content.name(zone)
        yield {
            "id": zone_id,
            "project_id": PROJECT,
            "pool_id": POOL_ID,
            "name": name,
            "name_key": key_of(name),
            "type": ZoneType.PRIMARY.value,
            "email": "hostmaster@bench.example",
            "ttl": TTL,
            "mname": NAME_SERVERS[0],
            "serial": SERIAL,
            "refresh": 3600,
            "retry": 600,
            "expire": 86400,
            "minimum": 3600,
            "action": Action.NONE.value,
            "status": Status.ACTIVE.value,
            "shard": shard_of(zone_id),
            "version": 1,
            "revision": 1,
            "confirmed": 1,
            "rrset_count": content.hosts + MANAGED,
            "record_count": content.hosts,
            "created_at": BORN + timedelta(milliseconds=zone),
            "deleted": "0",
        }


def _rrset_rows(content: Content) -> Rows:
    for zone in range(content.zones):
        places = [(content.name(zone), SOA), (content.name(zone), NS)]
        places += [(content.host(zone, host), TYPE_A) for host in range(content.hosts)]
        for number, (name, rrtype) in enumerate(places):
            yield {
                "id": content.rrset_id(zone, number),
                "zone_id": content.zone_id(zone),
                "owner_id": PROJECT,
                "project_id": PROJECT,
                "name": name,
                "name_key": key_of(name),
                "rrtype": rrtype,
                "managed": rrtype != TYPE_A,
                "action": Action.CREATE.value,
                "serial": SERIAL,
                "revision": 1,
                "version": 1,
                "created_at": BORN + timedelta(milliseconds=zone),
            }


def _record_rows(content: Content) -> Rows:
    for zone in range(content.zones):
        for position, host in enumerate(NAME_SERVERS):
            yield _record(content.rrset_id(zone, 1), position, host, to_wire(host))
        for number in range(content.hosts):
            address = content.address(zone, number)
            wire = ipaddress.IPv4Address(address).packed
            yield _record(content.rrset_id(zone, number + MANAGED), 0, address, wire)


def _record(rrset_id: str, position: int, data: str, wire: bytes) -> Mapping[str, Any]:
    return {
        "rrset_id": rrset_id,
        "position": position,
        "owner_id": PROJECT,
        "data": data,
        "data_head": data,
        "wire": wire,
    }


# --------------------------------------------------------------------------------------------------------- PowerDNS


def fill_powerdns(url: URL, content: Content) -> None:
    """Creates the tables as PowerDNS' packages bring them, and fills them with the same zones."""
    backend = POWERDNS_BACKENDS[url.get_backend_name()]
    script = (Path("/usr/share") / f"pdns-backend-{backend}" / "schema" / f"schema.{backend}.sql").read_text()
    execute(url, *(statement for statement in script.split(";") if statement.strip()))
    load(url, {"domains": _domain_rows(content), "records": _powerdns_rows(content)})
    if backend == "pgsql":
        execute(url, f"SELECT setval('domains_id_seq', {content.zones})")


def _domain_rows(content: Content) -> Rows:
    for zone in range(content.zones):
        yield {"id": zone + 1, "name": content.name(zone).rstrip("."), "type": "NATIVE"}


def _powerdns_rows(content: Content) -> Rows:
    soa = f"{NAME_SERVERS[0]} hostmaster.bench.example. {SERIAL} 3600 600 86400 3600"
    for zone in range(content.zones):
        apex = content.name(zone)
        rows = [(apex, "SOA", soa), *((apex, "NS", host) for host in NAME_SERVERS)]
        rows += [(content.host(zone, host), "A", content.address(zone, host)) for host in range(content.hosts)]
        for owner, rrtype, text in rows:
            yield {
                "domain_id": zone + 1,
                "name": owner.rstrip("."),
                "type": rrtype,
                "content": text.rstrip("."),
                "ttl": TTL,
                "prio": 0,
                "disabled": False,
                "auth": True,
            }


# ---------------------------------------------------------------------------------------------------------- loading


def load(url: URL, tables: Mapping[str, Rows]) -> None:
    """The rows into the tables, in order, by the fastest way that the engine's driver has."""
    backend = url.get_backend_name()
    engine = connected(url)
    try:
        connection = engine.raw_connection()
        with contextlib.closing(connection.cursor()) as cursor:
            for table, rows in tables.items():
                (_copy if backend == "postgresql" else _insert)(cursor, backend, table, rows)
        connection.commit()
        connection.close()
    finally:
        engine.dispose()
    if backend == "postgresql":  # autovacuum would do it soon
        execute(url, *(f"ANALYZE {table}" for table in tables))


def _copy(cursor: Any, _: str, table: str, rows: Rows) -> None:
    first = next(rows)
    with cursor.copy(f"COPY {table} ({', '.join(first)}) FROM STDIN") as copy:
        for row in itertools.chain([first], rows):
            copy.write_row(tuple(row.values()))


def _insert(cursor: Any, backend: str, table: str, rows: Rows) -> None:
    mark = "?" if backend == "sqlite" else "%s"
    cursor.execute("BEGIN")
    while batch := list(itertools.islice(rows, BATCH)):
        columns, marks = ", ".join(batch[0]), ", ".join([mark] * len(batch[0]))
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [tuple(row.values()) for row in batch])
    cursor.execute("COMMIT")
