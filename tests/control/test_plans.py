# SPDX-License-Identifier: Apache-2.0
"""Lists and searches walk an index, on each database: no table is read whole and no more than a page is sorted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text

from control.names import key_of
from control.storage import schema
from control.storage.database import Database
from control.storage.ids import new_id, shard_of, utcnow
from control.storage.tables import records, rrsets
from control.storage.tables import zones as zones_table
from tests.control.conftest import BACKENDS, POOL_ID, Api, make_api, new_database

PROJECTS, ZONES, RRSETS = 10, 400, 50  # 400 zones, 20,000 rrsets
FEW = 200  # rows that may be sorted: what one name or one address has
LARGE = {"zones", "rrsets", "records", "journal", "outbox"}


def fill(tx: Connection) -> None:
    now = utcnow()
    row = {"pool_id": POOL_ID, "type": "PRIMARY", "email": "joe@example.org", "ttl": 3600, "mname": "ns1.example.net."}
    row |= {"serial": 1, "refresh": 3600, "retry": 600, "expire": 86400, "minimum": 300, "action": "NONE"}
    row |= {
        "status": "ACTIVE",
        "version": 1,
        "revision": 1,
        "confirmed": 1,
        "rrset_count": RRSETS,
        "record_count": RRSETS,
    }
    for number in range(ZONES):
        project, zone_id, name = f"project-{number % PROJECTS}", new_id(), f"z{number}.example."
        place = {
            "id": zone_id,
            "project_id": project,
            "name": name,
            "name_key": key_of(name),
            "shard": shard_of(zone_id),
        }
        tx.execute(insert(zones_table).values(**row, **place, created_at=now))
        made = [_rrset(zone_id, project, f"h{one}.{name}", now) for one in range(RRSETS)]
        tx.execute(insert(rrsets), made)
        data = [(one["id"], f"192.0.{number % 256}.{at}") for at, one in enumerate(made)]
        tx.execute(insert(records), [_record(rrset_id, project, address) for rrset_id, address in data])


def _rrset(zone_id: str, project: str, name: str, now: Any) -> dict[str, Any]:
    of_name = {"id": new_id(), "zone_id": zone_id, "owner_id": project, "project_id": project, "name": name}
    row = {"name_key": key_of(name), "rrtype": 1, "managed": False, "action": "CREATE", "serial": 1, "revision": 1}
    return {**of_name, **row, "version": 1, "created_at": now}


def _record(rrset_id: str, project: str, address: str) -> dict[str, Any]:
    wire = bytes(map(int, address.split(".")))
    return {
        "rrset_id": rrset_id,
        "position": 0,
        "owner_id": project,
        "data": address,
        "data_head": address,
        "wire": wire,
    }


@pytest.fixture(scope="module", params=BACKENDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API over a database with 20,000 rrsets, of each kind in turn."""
    with new_database(request.param, tmp_path_factory.mktemp("plans")) as database:
        schema.upgrade(database)
        api = make_api(database)
        database.write(fill)
        analyse(database)
        yield api


def analyse(database: Database) -> None:
    names = {"sqlite": "ANALYZE", "postgresql": "ANALYZE", "mariadb": f"ANALYZE TABLE {', '.join(sorted(LARGE))}"}
    with database.engine.connect() as connection:
        connection.execute(text(names[database.name]))
        connection.commit()


def statements(api: Api, path: str) -> list[tuple[str, Any]]:
    """The SELECTs that a request makes, with their values."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        if statement.startswith("SELECT"):
            found.append((statement, values))

    event.listen(api.core.db.engine, "before_cursor_execute", note)
    try:
        answer = api.get(path)
        assert answer.status_code == 200, answer.text
    finally:
        event.remove(api.core.db.engine, "before_cursor_execute", note)
    return found


def faults(database: Database, statement: str, values: Any) -> list[str]:
    """What in the statement's plan grows with the table."""
    with database.engine.connect() as connection:
        head = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN (FORMAT JSON) ", "mariadb": "EXPLAIN "}
        rows = connection.exec_driver_sql(head[database.name] + statement, values).mappings().all()
        return list(FAULTS[database.name](rows))


def _in_sqlite(rows: Any) -> Iterator[str]:
    """It doesn't say how many rows it expects: those that one value of an index has may be sorted."""
    found_by_value = any(re.search(r"(name_key|data_head)=\?", row["detail"]) for row in rows)
    for row in rows:
        words = row["detail"].split()
        if words[0] == "SCAN" and words[1] in LARGE and "INDEX" not in words:
            yield row["detail"]
        if "TEMP B-TREE FOR ORDER BY" in row["detail"] and not found_by_value:
            yield row["detail"]


def _in_postgresql(rows: Any) -> Iterator[str]:
    plan = next(iter(rows[0].values()))
    yield from _in_node((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def _in_node(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in LARGE:
        yield f"Seq Scan of {node['Relation Name']}"
    if node["Node Type"] == "Sort" and node["Plan Rows"] > FEW:
        yield f"Sort of {node['Plan Rows']} rows"
    for inner in node.get("Plans", ()):
        yield from _in_node(inner)


def _in_mariadb(rows: Any) -> Iterator[str]:
    for row in rows:
        extra = row["Extra"] or ""
        if row["table"] in LARGE and (row["type"] == "ALL" or ("filesort" in extra and int(row["rows"] or 0) > FEW)):
            yield f"{row['type']} of {row['table']}, {row['rows']} rows, {extra}"


FAULTS = {"sqlite": _in_sqlite, "postgresql": _in_postgresql, "mariadb": _in_mariadb}


@pytest.mark.parametrize(
    "path",
    [
        "/v2/zones",
        "/v2/zones?sort_key=name",
        "/v2/zones?name=z7.example.",
        "/v2/zones/{zone}",
        "/v2/zones/{zone}/recordsets",
        "/v2/zones/{zone}/recordsets?name=h7.{name}",
        "/v2/zones/{zone}/recordsets/{recordset}",
        "/v2/recordsets",
        "/v2/recordsets?name=h7.z17.example.",
        "/v2/recordsets?data=192.0.17.5",
        "/v2/recordsets?marker={recordset}",
    ],
)
def test_list_walks_an_index(filled: Api, path: str) -> None:
    api = filled.of("project-7")
    zone = api.get("/v2/zones?limit=1").get_json()["zones"][0]
    recordset = api.get(f"/v2/zones/{zone['id']}/recordsets?limit=1").get_json()["recordsets"][0]
    asked = path.format(zone=zone["id"], name=zone["name"], recordset=recordset["id"])
    made = statements(api, asked)
    assert made
    wrong = {statement: fault for statement, values in made if (fault := faults(api.core.db, statement, values))}
    assert not wrong
