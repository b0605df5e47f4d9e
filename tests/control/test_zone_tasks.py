# SPDX-License-Identifier: Apache-2.0
"""xfr, abandon and pool_move."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from control.storage import journal
from control.storage.ids import new_id
from control.storage.tables import pool_ns_records
from tests.control.conftest import Api, add_pool
from tests.control.test_zones import NO_ZONE, confirmed, names, refused, row_of, shown, tasks_of


def other_pool(api: Api, **values: Any) -> str:
    """A pool whose first name server is its own."""
    pool_id = add_pool(api.core.db, new_id(), values.pop("name", "other"), **values)
    row = {"pool_id": pool_id, "hostname": "ns0.example.com.", "priority": 0}
    api.core.db.write(lambda tx: tx.execute(insert(pool_ns_records).values(**row)))
    return pool_id


def test_transfer_of_a_secondary_zone_is_asked_for(api: Api) -> None:
    zone = api.post("/v2/zones", {"name": "e.org.", "type": "SECONDARY", "masters": ["192.0.2.1"]}).get_json()
    answer = api.post(f"/v2/zones/{zone['id']}/tasks/xfr")
    assert (answer.status_code, answer.get_json()) == (202, "")
    assert [kind for kind, _ in tasks_of(api, zone)].count("transfer_in") == 2


def test_primary_zone_is_not_transferred(api: Api) -> None:
    zone = api.zone()
    assert refused(api.post(f"/v2/zones/{zone['id']}/tasks/xfr")) == {
        "code": 400,
        "type": "bad_request",
        "message": "Can't XFR a non Secondary zone",
    }


def test_abandoned_zone_is_gone_and_nobody_is_told(api_on: Api) -> None:
    zone = api_on.zone()
    url = f"/v2/zones/{zone['id']}/tasks/abandon"
    assert refused(api_on.post(url))["type"] == "forbidden"
    assert api_on.get(url).status_code == 405
    answer = api_on.as_admin.post(url)
    assert (answer.status_code, answer.data) == (204, b"")
    assert names(api_on, "") == []
    assert tasks_of(api_on, zone) == []
    api_on.zone("example.org.")


def test_moved_zone_has_the_name_servers_of_its_new_pool(api_on: Api) -> None:
    zone = confirmed(api_on, api_on.zone())
    pool_id = other_pool(api_on)
    answer = api_on.as_admin.post(f"/v2/zones/{zone['id']}/tasks/pool_move", {"pool_id": pool_id})
    assert (answer.status_code, answer.get_json()) == (202, "")
    moved = shown(api_on, zone)
    assert (moved["pool_id"], moved["action"], moved["status"]) == (pool_id, "UPDATE", "PENDING")
    assert moved["serial"] > zone["serial"]
    assert row_of(api_on, zone).mname == "ns0.example.com."
    assert tasks_of(api_on, zone)[-1] == ("update_zone", {"moved_from": zone["pool_id"]})
    ns = api_on.get(f"/v2/zones/{zone['id']}/recordsets?type=NS").get_json()["recordsets"][0]
    assert ns["records"] == ["ns0.example.com.", "ns1.example.net.", "ns2.example.net."]
    entry = api_on.core.db.read(lambda tx: journal.entries(tx, zone["id"], 1, 2)[0])
    added = api_on.core.db.read(lambda tx: [rrtype for _, rrtype, _, _ in journal.added(tx, entry)])
    assert added == [6, 2, 2, 2]


def test_zone_moves_to_where_its_attributes_belong(api: Api) -> None:
    zone = api.zone(attributes={"tier": "gold"})
    pool_id = other_pool(api, attributes={"tier": "gold"})
    assert api.as_admin.post(f"/v2/zones/{zone['id']}/tasks/pool_move", {}).status_code == 202
    assert shown(api, zone)["pool_id"] == pool_id


def test_move_is_for_admins_and_to_another_pool_that_is_there(api: Api) -> None:
    zone = api.zone()
    url = f"/v2/zones/{zone['id']}/tasks/pool_move"
    assert refused(api.post(url, {}))["type"] == "forbidden"
    assert refused(api.as_admin.post(url, {})) == {
        "code": 400,
        "type": "bad_request",
        "message": "the zone is in pool default already",
    }
    assert refused(api.as_admin.post(url, {"pool_id": NO_ZONE}))["type"] == "no_valid_pool_found"


def test_move_to_a_pool_with_a_zone_of_this_name_is_refused(api_on: Api) -> None:
    zone = api_on.zone()
    pool_id = other_pool(api_on, attributes={"tier": "gold"})
    api_on.zone(attributes={"tier": "gold"})
    assert refused(api_on.as_admin.post(f"/v2/zones/{zone['id']}/tasks/pool_move", {"pool_id": pool_id})) == {
        "code": 409,
        "type": "duplicate_zone",
        "message": "the pool other has a zone of this name",
    }


def test_rehearsed_move_moves_nothing(api: Api) -> None:
    zone = api.zone()
    url = f"/v2/zones/{zone['id']}/tasks/pool_move?dry_run=true"
    assert api.as_admin.post(url, {"pool_id": other_pool(api)}).status_code == 202
    assert shown(api, zone) == zone
