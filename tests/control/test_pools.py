# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from tests.control.conftest import POOL_ID, Api, body_of

OURS = f"/v2/pools/{POOL_ID}"
SERVERS = [{"hostname": "ns1.example.net.", "priority": 1}, {"hostname": "ns2.example.net.", "priority": 2}]
NEW = [{"hostname": "ns3.example.net.", "priority": 1}, {"hostname": "ns1.example.net.", "priority": 5}]


def apex(api: Api, zone: dict[str, Any]) -> dict[str, list[str]]:
    """The records of SOA and NS."""
    found = api.get(f"/v2/zones/{zone['id']}/recordsets?name={zone['name']}").get_json()["recordsets"]
    return {rrset["type"]: rrset["records"] for rrset in found}


def test_pool_is_created_shown_changed_and_deleted(api_on: Api) -> None:
    admin = api_on.as_admin
    body = {"name": "gold", "description": "fast", "attributes": {"tier": "gold"}, "ns_records": SERVERS}
    made = admin.post("/v2/pools", body)
    pool = made.get_json()
    path = f"/v2/pools/{pool['id']}"
    assert (made.status_code, made.headers["Location"]) == (201, f"http://localhost{path}")
    assert pool == {**pool, **body, "project_id": None, "updated_at": None}
    assert admin.get(path).get_json() == pool
    changed = admin.patch(path, {**pool, "name": "silver"})
    assert changed.status_code == 202
    assert changed.get_json() == {**pool, "name": "silver", "updated_at": changed.get_json()["updated_at"]}
    assert admin.delete(path).status_code == 204
    assert body_of(admin.get(path)) == {"code": 404, "type": "pool_not_found", "message": "Could not find Pool"}


def test_pools_are_listed_with_their_name_servers(api_on: Api) -> None:
    admin = api_on.as_admin
    admin.post("/v2/pools", {"name": "gold"})
    found = admin.get("/v2/pools?sort_key=name").get_json()["pools"]
    assert [(pool["name"], pool["ns_records"]) for pool in found] == [("default", SERVERS), ("gold", [])]
    assert [pool["name"] for pool in admin.get("/v2/pools?name=g*").get_json()["pools"]] == ["gold"]


def test_new_name_servers_are_those_of_all_zones_of_the_pool(api_on: Api) -> None:
    zones, admin = [api_on.zone(f"{name}.org.") for name in "abc"], api_on.as_admin
    answer = admin.patch(OURS, {"ns_records": NEW})
    assert (answer.status_code, answer.get_json()["ns_records"]) == (202, NEW)
    for zone in zones:
        records = apex(api_on, zone)
        serial = api_on.get(f"/v2/zones/{zone['id']}").get_json()["serial"]
        assert records["NS"] == ["ns3.example.net.", "ns1.example.net."]
        assert records["SOA"][0].startswith(f"ns3.example.net. joe.example.org. {serial} ")
        assert serial > zone["serial"]


def test_zones_that_have_the_name_servers_already_stay_as_they_are(api: Api) -> None:
    zone, admin = api.zone(), api.as_admin
    admin.patch(OURS, {"ns_records": NEW})
    before = api.get(f"/v2/zones/{zone['id']}").get_json()
    admin.patch(OURS, {"ns_records": NEW[::-1]})
    admin.patch(OURS, {"name": "other"})
    assert api.get(f"/v2/zones/{zone['id']}").get_json() == before


def test_zones_of_other_pools_and_those_in_deletion_are_left_alone(api: Api) -> None:
    zone, admin = api.zone(), api.as_admin
    api.delete(f"/v2/zones/{zone['id']}")
    before = api.get(f"/v2/zones/{zone['id']}").get_json()
    admin.post("/v2/pools", {"name": "gold", "ns_records": SERVERS})
    admin.patch(OURS, {"ns_records": NEW})
    assert api.get(f"/v2/zones/{zone['id']}").get_json() == before


def test_rehearsed_change_of_name_servers_changes_no_zone(api: Api) -> None:
    zone = api.zone()
    assert api.as_admin.patch(f"{OURS}?dry_run=true", {"ns_records": NEW}).get_json()["ns_records"] == NEW
    assert apex(api, zone)["NS"] == ["ns1.example.net.", "ns2.example.net."]


def test_last_name_server_can_t_be_taken_away(api: Api) -> None:
    answer = api.as_admin.patch(OURS, {"ns_records": []})
    message = "a pool keeps at least one name server"
    assert body_of(answer) == {"code": 400, "type": "last_server_delete_not_allowed", "message": message}


def test_pool_with_zones_is_not_deleted_and_one_without_is(api_on: Api) -> None:
    zone, admin = api_on.zone(), api_on.as_admin
    message = "the pool has zones; delete them or move them to another pool first"
    assert body_of(admin.delete(OURS)) == {"code": 400, "type": "invalid_operation", "message": message}
    admin.post(f"/v2/zones/{zone['id']}/tasks/abandon")
    assert admin.delete(OURS).status_code == 204


def test_pool_of_the_same_name_is_a_conflict(api_on: Api) -> None:
    answer = api_on.as_admin.post("/v2/pools", {"name": "default"})
    assert body_of(answer) == {"code": 409, "type": "duplicate_pool", "message": "Duplicate Pool"}


@pytest.mark.parametrize(
    ("servers", "path", "word"),
    [
        ([{"hostname": "ns1", "priority": 1}], ["ns_records", 0, "hostname"], "dot"),
        ([{"hostname": "ns1.a.", "priority": -1}], ["ns_records", 0, "priority"], "greater than or equal to 0"),
        ([{"hostname": host, "priority": 1} for host in ("ns1.a.", "NS1.a.")], ["ns_records", 0, "hostname"], "twice"),
    ],
)  # fmt: skip
def test_name_server_that_is_wrong_is_named(api: Api, servers: list[Any], path: list[Any], word: str) -> None:
    problems = body_of(api.as_admin.patch(OURS, {"ns_records": servers}))["errors"]["errors"]
    assert problems[0]["path"] == path
    assert word in problems[0]["message"]


def test_owner_of_a_pool_can_t_be_changed_but_may_come_back(api: Api) -> None:
    assert api.as_admin.patch(OURS, {"project_id": None}).status_code == 202
    (problem,) = body_of(api.as_admin.patch(OURS, {"project_id": "x"}))["errors"]["errors"]
    assert (problem["path"], problem["validator"]) == (["project_id"], "readOnly")


def test_members_see_no_pools(api: Api) -> None:
    answer = api.get("/v2/pools")
    assert body_of(answer) == {"code": 403, "type": "forbidden", "message": "policy find_pools does not allow this"}
