# SPDX-License-Identifier: Apache-2.0
"""Clients that can't be installed here, replayed: the requests they send in their order, and what they check."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.clients import Http
from tests.e2e.conftest import Service, Workers

EMAIL = "hostmaster@example.org"
# gophercloud's JSONRFC3339MilliNoZ: a time with an offset is an error there.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")


@pytest.fixture
def http(service: Service) -> Http:
    return service.http("alice")


@pytest.fixture
def zone(http: Http, workers: Workers, apex: str) -> Any:
    made = http.ok("POST", "/zones", {"name": apex, "email": EMAIL})
    workers.confirm()
    return made


def test_lego_solves_a_challenge_and_cleans_up(http: Http, workers: Workers, zone: Any, apex: str) -> None:
    """TTL 10, and TXT without quotes; it gives up where either comes back otherwise."""
    recordsets, name = f"/zones/{zone['id']}/recordsets", f"_acme-challenge.{apex}"
    assert [found["id"] for found in http.ok("GET", "/zones", params={"name": apex})["zones"]] == [zone["id"]]
    wanted = {"name": name, "type": "TXT"}
    assert http.ok("GET", recordsets, params=wanted)["recordsets"] == []
    first, second = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo", "gfj9Xq-Rg85nM4vAsqKc2nTTjKvPyy0PVTqTZHkZxRk"
    answer = http("POST", recordsets, {**wanted, "description": "ACME verification", "ttl": 10, "records": [first]})
    assert answer.status_code in (201, 202)
    assert (answer.json()["ttl"], answer.json()["records"]) == (10, [first])
    (found,) = http.ok("GET", recordsets, params=wanted)["recordsets"]
    assert found["records"] == [first]
    body = {"description": "ACME verification", "ttl": 10, "records": [first, second]}
    answer = http("PUT", f"{recordsets}/{found['id']}", body)
    assert answer.status_code in (200, 202)
    assert (answer.json()["ttl"], answer.json()["records"]) == (10, [first, second])
    workers.confirm()
    assert http.ok("GET", f"{recordsets}/{found['id']}")["status"] == "ACTIVE"
    assert http("DELETE", f"{recordsets}/{found['id']}").status_code == 202
    assert http.ok("GET", recordsets, params=wanted)["recordsets"] == []


def test_cert_manager_finds_its_record_by_its_quoted_data(http: Http, zone: Any, apex: str) -> None:
    recordsets, data = f"/zones/{zone['id']}/recordsets", '"LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo"'
    wanted = {"name": f"_acme-challenge.{apex}", "type": "TXT", "records": [data]}
    made = http.ok("POST", recordsets, wanted)
    query = {"data": data, "name": wanted["name"], "type": "TXT"}
    (found,) = http.ok("GET", recordsets, params=query)["recordsets"]
    assert (found["id"], found["records"]) == (made["id"], [data])
    answer = http("POST", recordsets, {**wanted, "records": ['"another"']})
    assert (answer.status_code, answer.json()["type"]) == (409, "duplicate_recordset")
    assert http("DELETE", f"{recordsets}/{found['id']}").status_code == 202


def test_terraform_applies_changes_and_destroys(http: Http, workers: Workers, apex: str) -> None:
    """After each step it polls until the status is not PENDING, and a status other than ACTIVE fails the apply."""
    attributes = {"name": apex, "email": EMAIL, "ttl": 3000, "type": "PRIMARY", "description": "a zone"}
    answer = http("POST", "/zones", attributes)
    assert answer.status_code in (201, 202)
    zone = f"/zones/{answer.json()['id']}"
    assert settled(http, workers, zone) == ("PENDING", "ACTIVE")
    record = {"name": f"rs.{apex}", "type": "A", "ttl": 3000, "records": ["10.0.0.1"], "description": "a recordset"}
    made = http.ok("POST", f"{zone}/recordsets", record)
    recordset = f"{zone}/recordsets/{made['id']}"
    assert settled(http, workers, recordset) == ("PENDING", "ACTIVE")
    shown = http.ok("GET", recordset)
    assert {key: shown[key] for key in record} == record
    changed = http("PUT", recordset, {"ttl": 6000, "records": ["10.0.0.2", "10.0.0.1"], "description": "changed"})
    assert changed.status_code in (200, 202)
    assert settled(http, workers, recordset) == ("PENDING", "ACTIVE")
    assert http.ok("GET", recordset)["records"] == ["10.0.0.2", "10.0.0.1"]
    assert http.ok("PUT", recordset, {"records": ["10.0.0.2"], "ttl": None})["ttl"] is None
    assert http("PATCH", zone, {"email": "other@example.org", "ttl": 6000}).status_code in (200, 202)
    assert settled(http, workers, zone) == ("PENDING", "ACTIVE")
    for path in (recordset, zone):
        answer = http("DELETE", path)
        assert answer.status_code == 202
        assert answer.json()["action"] == "DELETE"  # gophercloud can't decode an answer without a body
        workers.confirm()
        assert http("GET", path).status_code == 404


def settled(http: Http, workers: Workers, path: str) -> tuple[str, str]:
    """What the status is before and after name servers have the change."""
    before = http.ok("GET", path)["status"]
    workers.confirm()
    return before, http.ok("GET", path)["status"]


def test_terraform_acts_for_another_project_by_the_old_header(service: Service, apex: str) -> None:
    alpha = service.projects["alpha"]
    body = {"name": apex, "email": EMAIL}
    made = service.http("root").ok("POST", "/zones", body, headers={"X-Auth-Sudo-Tenant-ID": alpha})
    assert made["project_id"] == alpha


def test_terraform_applies_twice_and_nothing_changes(http: Http, workers: Workers, zone: Any, apex: str) -> None:
    record = {"name": f"rs.{apex}", "type": "A", "ttl": 3000, "records": ["10.0.0.1", "10.0.0.2"]}
    made = http.ok("POST", f"/zones/{zone['id']}/recordsets", record)
    workers.confirm()
    before = http.ok("GET", f"/zones/{zone['id']}")
    answer = http("PUT", f"/zones/{zone['id']}/recordsets/{made['id']}", {"ttl": 3000, "records": record["records"]})
    assert (answer.status_code, answer.json()["status"]) == (200, "ACTIVE")
    assert http.ok("GET", f"/zones/{zone['id']}")["serial"] == before["serial"]


def test_gophercloud_can_decode_every_time_and_number(http: Http, zone: Any, apex: str) -> None:
    made = http.ok("POST", f"/zones/{zone['id']}/recordsets", {"name": apex, "type": "MX", "records": ["10 mx.a.b."]})
    for thing in (http.ok("GET", f"/zones/{zone['id']}"), made):
        for key in ("created_at", "updated_at", "transferred_at"):
            value = thing.get(key)
            assert value is None or TIME.fullmatch(value), (key, value)
    assert type(http.ok("GET", f"/zones/{zone['id']}")["serial"]) is int


def test_external_dns_reads_all_recordsets_of_all_zones(http: Http, zone: Any, apex: str) -> None:
    for number in range(30):
        body = {"name": f"host{number}.{apex}", "type": "A", "records": ["192.0.2.1"]}
        http.ok("POST", f"/zones/{zone['id']}/recordsets", body)
    found, path = [], f"/zones/{zone['id']}/recordsets"
    while path:
        page = http.ok("GET", path)
        found += page["recordsets"]
        path = page["links"].get("next", "").partition("/v2")[2]
    assert len({recordset["id"] for recordset in found}) == page["metadata"]["total_count"] == 32
