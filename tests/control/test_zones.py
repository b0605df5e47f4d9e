# SPDX-License-Identifier: Apache-2.0
"""Zones over HTTP: what they answer, how they change, what becomes of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import insert, select

from control.api.app import create_app
from control.api.errors import body_of
from control.central import zones
from control.central.core import Core
from control.context import Context, roles
from control.errors import Refused
from control.model import Event
from control.storage import journal, zone_lists
from control.storage.database import Database
from control.storage.ids import new_id, utcnow
from control.storage.paging import PageRequest, paged
from control.storage.tables import outbox, pools, rrsets
from control.storage.tables import zones as zone_table
from tests.control.conftest import Api, add_pool, make_api

NO_ZONE = "00000000-0000-4000-8000-000000000000"


def confirmed(api: Api, zone: dict[str, Any], event: Event = Event.CONFIRMED) -> dict[str, Any]:
    """The zone after its name servers were asked about its newest revision."""
    zones.confirm(api.core, zone["id"], row_of(api, zone).revision, event)
    return shown(api, zone)


def shown(api: Api, zone: dict[str, Any]) -> dict[str, Any]:
    return api.get(f"/v2/zones/{zone['id']}").get_json()


def row_of(api: Api, zone: dict[str, Any]) -> Any:
    query = select(zone_table).where(zone_table.c.id == zone["id"])
    return api.core.db.read(lambda tx: tx.execute(query).one())


def tasks_of(api: Api, zone: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    query = select(outbox.c.kind, outbox.c.options).where(outbox.c.zone_id == zone["id"]).order_by(outbox.c.id)
    return api.core.db.read(lambda tx: [tuple(row) for row in tx.execute(query)])


def names(api: Api, query: str) -> list[str]:
    answer = api.get(f"/v2/zones?{query}")
    assert answer.status_code == 200, answer.text
    return [zone["name"] for zone in answer.get_json()["zones"]]


# ------------------------------------------------------------------------------------------------------------ created


def test_created_zone_has_the_fields_of_designate_and_a_location(api_on: Api) -> None:
    answer = api_on.post("/v2/zones", {"name": "Example.org.", "email": "joe+dns@example.org"})
    zone = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == zone["links"]["self"] == f"http://localhost/v2/zones/{zone['id']}"
    assert zone == {
        "id": zone["id"],
        "pool_id": api_on.core.config.default_pool_id,
        "project_id": "project-1",
        "name": "Example.org.",
        "email": "joe+dns@example.org",
        "description": None,
        "ttl": 3600,
        "serial": zone["serial"],
        "shared": False,
        "status": "PENDING",
        "action": "CREATE",
        "version": 1,
        "attributes": {},
        "type": "PRIMARY",
        "masters": [],
        "created_at": zone["created_at"],
        "updated_at": None,
        "transferred_at": None,
        "links": zone["links"],
    }
    assert shown(api_on, zone) == zone


def test_new_zone_has_soa_and_ns_by_priority_in_its_journal_and_asks_for_its_creation(api_on: Api) -> None:
    zone = api_on.zone()
    row = row_of(api_on, zone)
    assert (row.rrset_count, row.record_count, row.mname) == (2, 0, "ns1.example.net.")
    added = api_on.core.db.read(lambda tx: list(journal.added(tx, journal.entries(tx, zone["id"], 0, 9)[0])))
    assert [rrtype for _, rrtype, _, _ in added] == [6, 2, 2]
    assert tasks_of(api_on, zone) == [("create_zone", {})]


def test_rehearsed_creation_answers_as_the_real_one_and_leaves_nothing(api_on: Api) -> None:
    answer = api_on.post("/v2/zones?dry_run=true", {"name": "example.org.", "email": "joe@example.org"})
    assert answer.status_code == 202
    assert answer.get_json()["status"] == "PENDING"
    assert names(api_on, "") == []


def test_secondary_zone_has_masters_of_both_families_and_no_records_of_ours(api_on: Api) -> None:
    masters = ["192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"]
    answer = api_on.post("/v2/zones", {"name": "example.org.", "type": "SECONDARY", "masters": masters})
    zone = answer.get_json()
    assert answer.status_code == 202
    assert zone["masters"] == masters
    assert zone["email"] == "hostmaster@example.com"
    assert row_of(api_on, zone).rrset_count == 0
    assert [kind for kind, _ in tasks_of(api_on, zone)] == ["create_zone", "transfer_in"]


def test_numbers_may_come_as_text(api: Api) -> None:
    assert api.zone(ttl="300")["ttl"] == 300


# ------------------------------------------------------------------------------------------------------------- listed


def test_list_has_the_total_and_a_next_page_only_where_there_is_one(api_on: Api) -> None:
    for letter in "abc":
        api_on.zone(f"{letter}.org.")
    first = api_on.get("/v2/zones?limit=2").get_json()
    assert [zone["name"] for zone in first["zones"]] == ["a.org.", "b.org."]
    assert first["metadata"] == {"total_count": 3}
    last = api_on.get(first["links"]["next"]).get_json()
    assert [zone["name"] for zone in last["zones"]] == ["c.org."]
    assert "next" not in last["links"]


@pytest.mark.parametrize("sort_key", ["created_at", "id", "updated_at", "name", "tenant_id", "serial", "ttl", "status"])
@pytest.mark.parametrize("sort_dir", ["asc", "desc"])
def test_pages_in_any_order_show_each_zone_once(api: Api, sort_key: str, sort_dir: str) -> None:
    made = {api.zone(f"z{number}.org.", ttl=number % 2)["id"] for number in range(5)}
    url, seen = f"/v2/zones?limit=2&sort_key={sort_key}&sort_dir={sort_dir}", []
    while url:
        page = api.get(url).get_json()
        seen += [zone["id"] for zone in page["zones"]]
        url = page["links"].get("next")
    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=EXAMPLE.org.", ["example.org."]),
        ("name=example.org", []),
        ("name=00000000-0000-4000-8000-000000000000", []),
        ("name=*.example.org.", ["A.example.org.", "b.a.example.org."]),
        ("name=*example.org.", ["example.org.", "A.example.org.", "b.a.example.org.", "my-example.org."]),
        ("name=a.*", ["A.example.org."]),
        ("name=*", ["example.org.", "A.example.org.", "b.a.example.org.", "my-example.org.", "my_example.com."]),
        ("name=my_*", ["my_example.com."]),
        ("name=my%25*", []),
        ("email=joe@*", ["example.org.", "A.example.org.", "b.a.example.org.", "my-example.org."]),
        ("email=JOE@*", []),
        ("ttl=60", ["my_example.com."]),
        ("description=100%25*", ["my_example.com."]),
        ("type=SECONDARY", []),
        ("name=%00", []),
        ("status=PENDING&name=my*org.", ["my-example.org."]),
    ],
)
def test_filters_and_their_wildcards(api_on: Api, query: str, expected: list[str]) -> None:
    for name in ("example.org.", "A.example.org.", "b.a.example.org.", "my-example.org."):
        api_on.zone(name)
    api_on.zone("my_example.com.", email="ann@example.com", ttl=60, description="100% mine")
    assert names(api_on, query) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("*.example.org.", "name_key>? AND name_key<?"), ("a.org.", "name_key=?")]
)
def test_names_are_found_by_the_index_of_keys(sqlite: Database, name: str, expected: str) -> None:
    def plan(tx: Any) -> str:
        conditions = zone_lists.conditions(tx, "project-1", {"name": name})
        page = paged(tx, select(zone_table.c.id).where(*conditions), PageRequest(), zone_lists.COLUMNS)
        query = page.compile(sqlite.engine, compile_kwargs={"render_postcompile": True})
        values = tuple(query.params[key] for key in query.positiontup or ())
        return str(tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all())

    assert expected in sqlite.read(plan)


def test_hidden_counts_leave_the_metadata_empty(api: Api) -> None:
    api.zone()
    assert api.get("/v2/zones", headers={"OpenStack-DNS-Hide-Counts": "true"}).get_json()["metadata"] == {}


def test_all_projects_are_listed_for_an_admin_who_asks(api: Api) -> None:
    api.zone("example.org.")
    api.of("other").zone("example.com.")
    assert names(api, "") == ["example.org."]
    assert names(api.as_admin, "") == ["example.org."]
    assert names(api.as_admin_of_all, "") == ["example.org.", "example.com."]


def test_zone_in_deletion_is_listed_until_that_is_confirmed(api_on: Api) -> None:
    zone = api_on.zone()
    api_on.delete(f"/v2/zones/{zone['id']}")
    assert names(api_on, "") == ["example.org."]
    confirmed(api_on, zone)
    assert names(api_on, "") == []


def test_name_servers_come_by_priority(api: Api) -> None:
    zone = api.zone()
    assert api.get(f"/v2/zones/{zone['id']}/nameservers").get_json() == {
        "nameservers": [
            {"hostname": "ns1.example.net.", "priority": 1},
            {"hostname": "ns2.example.net.", "priority": 2},
        ]
    }


# ------------------------------------------------------------------------------------------------------------ changed


def test_new_email_moves_the_serial_and_goes_out(api_on: Api) -> None:
    zone = confirmed(api_on, api_on.zone())
    answer = api_on.patch(f"/v2/zones/{zone['id']}", {"email": "ann@example.org"})
    new = answer.get_json()
    assert answer.status_code == 202
    assert new["serial"] > zone["serial"]
    assert (new["email"], new["action"], new["status"], new["version"]) == ("ann@example.org", "UPDATE", "PENDING", 2)
    assert [kind for kind, _ in tasks_of(api_on, zone)] == ["create_zone", "update_zone"]


def test_new_ttl_moves_all_rrsets_without_one_of_their_own(api_on: Api) -> None:
    zone = api_on.zone()
    answer = api_on.patch(f"/v2/zones/{zone['id']}", {"ttl": 60})
    assert answer.get_json()["ttl"] == 60

    def work(tx: Any) -> Any:
        entry = journal.entries(tx, zone["id"], 1, 2)[0]
        return list(journal.removed(tx, entry)), list(journal.added(tx, entry))

    removed, added = api_on.core.db.read(work)
    assert [(rrtype, ttl) for _, rrtype, ttl, _ in removed] == [(6, 3600), (2, 3600), (2, 3600)]
    assert [(rrtype, ttl) for _, rrtype, ttl, _ in added] == [(6, 60), (2, 60), (2, 60)]
    ns = select(rrsets.c.revision, rrsets.c.version).where(rrsets.c.zone_id == zone["id"], rrsets.c.rrtype == 2)
    assert api_on.core.db.read(lambda tx: tuple(tx.execute(ns).one())) == (2, 2)


def test_description_and_attributes_are_no_news_for_name_servers(api_on: Api) -> None:
    zone = confirmed(api_on, api_on.zone())
    answer = api_on.patch(f"/v2/zones/{zone['id']}", {"description": "ours", "attributes": {"tier": "gold"}})
    new = answer.get_json()
    assert answer.status_code == 200
    assert (new["serial"], new["status"], new["version"]) == (zone["serial"], "ACTIVE", 2)
    assert (new["description"], new["attributes"]) == ("ours", {"tier": "gold"})
    assert shown(api_on, zone) == new


def test_patch_with_the_zone_as_it_is_changes_nothing(api: Api) -> None:
    zone = confirmed(api, api.zone(description="ours", attributes={"tier": "gold"}))
    answer = api.patch(f"/v2/zones/{zone['id']}", zone)
    assert (answer.status_code, answer.get_json()) == (200, zone)
    assert len(tasks_of(api, zone)) == 1


def test_secondary_zone_takes_back_what_it_showed(api: Api) -> None:
    zone = api.post("/v2/zones", {"name": "e.org.", "type": "SECONDARY", "masters": ["192.0.2.1:5353"]}).get_json()
    assert api.patch(f"/v2/zones/{zone['id']}", zone).get_json() == zone


def test_new_masters_are_asked_for_the_zone(api: Api) -> None:
    zone = api.post("/v2/zones", {"name": "e.org.", "type": "SECONDARY", "masters": ["192.0.2.1"]}).get_json()
    answer = api.patch(f"/v2/zones/{zone['id']}", {"masters": ["[2001:db8::2]:54", "2001:DB8::3"]})
    assert answer.get_json()["masters"] == ["[2001:db8::2]:54", "2001:db8::3"]
    assert [kind for kind, _ in tasks_of(api, zone)][-1] == "transfer_in"


def test_immutable_keys_may_come_back_but_not_changed(api: Api) -> None:
    zone = api.zone()
    answer = api.patch(
        f"/v2/zones/{zone['id']}", {"name": "example.com.", "pool_id": NO_ZONE, "type": "SECONDARY", "nonsense": 1}
    )
    assert answer.status_code == 400
    body = answer.get_json()
    assert body["type"] == "invalid_object"
    assert [(problem["path"], problem["validator"]) for problem in body["errors"]["errors"]] == [
        (["name"], "readOnly"),
        (["pool_id"], "readOnly"),
        (["type"], "readOnly"),
        (["nonsense"], "additionalProperties"),
    ]


def test_rehearsed_change_leaves_the_zone_as_it_was(api_on: Api) -> None:
    zone = api_on.zone()
    answer = api_on.patch(f"/v2/zones/{zone['id']}?dry_run=1", {"ttl": 60})
    assert answer.get_json()["ttl"] == 60
    assert shown(api_on, zone) == zone


# --------------------------------------------------------------------------------------------------------------- tags


def test_tag_changes_with_the_state_and_the_version(api: Api) -> None:
    zone = api.zone()
    url = f"/v2/zones/{zone['id']}"
    pending = api.get(url).headers["ETag"]
    confirmed(api, zone)
    active = api.get(url).headers["ETag"]
    assert (pending, active) == ('"1.CP"', '"1.NA"')
    assert api.get(url, headers={"If-None-Match": pending}).status_code == 200
    seen = api.get(url, headers={"If-None-Match": active})
    assert (seen.status_code, seen.data, seen.headers["ETag"]) == (304, b"", active)


def test_change_of_a_version_that_is_gone_is_refused(api: Api) -> None:
    zone = api.zone()
    url, headers = f"/v2/zones/{zone['id']}", {"If-Match": api.get(f"/v2/zones/{zone['id']}").headers["ETag"]}
    confirmed(api, zone)
    assert api.patch(url, {"description": "a"}, headers=headers).status_code == 200
    for answer in (api.patch(url, {"description": "b"}, headers=headers), api.delete(url, headers=headers)):
        assert answer.status_code == 412
        body = answer.get_json()
        assert body == {
            "code": 412,
            "type": "precondition_failed",
            "message": "If-Match names another version than 2, the current one",
            "request_id": body["request_id"],
        }
    assert api.delete(url, headers={"If-Match": "*"}).status_code == 202


# ------------------------------------------------------------------------------------------------------------ deleted


def test_deleted_zone_waits_for_its_name_servers_then_its_name_is_free(api_on: Api) -> None:
    zone = confirmed(api_on, api_on.zone())
    answer = api_on.delete(f"/v2/zones/{zone['id']}")
    assert answer.status_code == 202
    assert (answer.get_json()["action"], answer.get_json()["status"]) == ("DELETE", "PENDING")
    again = api_on.post("/v2/zones", {"name": "example.org.", "email": "joe@example.org"})
    assert again.get_json()["type"] == "duplicate_zone"
    assert tasks_of(api_on, zone)[-1] == ("delete_zone", {})
    assert confirmed(api_on, zone)["type"] == "zone_not_found"
    left = select(rrsets.c.id).where(rrsets.c.zone_id == zone["id"])
    assert api_on.core.db.read(lambda tx: tx.execute(left).first()) is None
    api_on.zone("example.org.")


def test_late_word_about_the_last_change_does_not_confirm_the_deletion(api: Api) -> None:
    zone = api.zone()
    api.delete(f"/v2/zones/{zone['id']}")
    zones.confirm(api.core, zone["id"], 1, Event.CONFIRMED)
    assert shown(api, zone)["action"] == "DELETE"


def test_failed_deletion_is_never_recorded_as_deleted_and_can_be_asked_for_again(api: Api) -> None:
    zone = api.zone()
    api.delete(f"/v2/zones/{zone['id']}")
    failed = confirmed(api, zone, Event.FAILED)
    assert (failed["action"], failed["status"]) == ("DELETE", "ERROR")
    assert api.delete(f"/v2/zones/{zone['id']}").get_json()["status"] == "PENDING"
    assert [kind for kind, _ in tasks_of(api, zone)].count("delete_zone") == 2


def test_second_deletion_while_the_first_is_on_its_way_asks_for_nothing(api: Api) -> None:
    zone = api.zone()
    first = api.delete(f"/v2/zones/{zone['id']}").get_json()
    second = api.delete(f"/v2/zones/{zone['id']}")
    assert (second.status_code, second.get_json()) == (202, first)
    assert [kind for kind, _ in tasks_of(api, zone)].count("delete_zone") == 1


def test_admin_may_have_the_files_removed_too(api: Api) -> None:
    zone = api.zone()
    headers = {"X-Designate-Hard-Delete": "true"}
    assert api.delete(f"/v2/zones/{zone['id']}", headers=headers).get_json()["type"] == "forbidden"
    api.as_admin.delete(f"/v2/zones/{zone['id']}", headers=headers)
    assert tasks_of(api, zone)[-1] == ("delete_zone", {"hard": True})


def test_rehearsed_deletion_leaves_the_zone(api_on: Api) -> None:
    zone = api_on.zone()
    assert api_on.delete(f"/v2/zones/{zone['id']}?dry_run=true").get_json()["action"] == "DELETE"
    assert shown(api_on, zone) == zone


def test_parent_of_zones_in_deletion_may_go_too(api: Api) -> None:
    parent, child = api.zone("example.org."), api.zone("a.example.org.")
    api.delete(f"/v2/zones/{child['id']}")
    assert api.delete(f"/v2/zones/{parent['id']}").status_code == 202


# -------------------------------------------------------------------------------------------------------------- found


def test_missing_zone_is_created_again(api: Api) -> None:
    zone = confirmed(api, api.zone())
    missing = confirmed(api, zone, Event.MISSING)
    assert (missing["action"], missing["status"]) == ("CREATE", "PENDING")
    assert [kind for kind, _ in tasks_of(api, zone)] == ["create_zone", "create_zone"]


def test_confirmed_revision_that_is_not_the_newest_leaves_the_zone_pending(api_on: Api) -> None:
    zone = api_on.zone()
    api_on.patch(f"/v2/zones/{zone['id']}", {"ttl": 60})
    zones.confirm(api_on.core, zone["id"], 1, Event.CONFIRMED)
    assert shown(api_on, zone)["status"] == "PENDING"
    assert row_of(api_on, zone).confirmed == 1
    zones.confirm(api_on.core, zone["id"], 2, Event.CONFIRMED)
    assert (shown(api_on, zone)["action"], shown(api_on, zone)["status"]) == ("NONE", "ACTIVE")


def test_failure_of_a_revision_that_is_not_the_newest_is_no_error(api: Api) -> None:
    zone = api.zone()
    api.patch(f"/v2/zones/{zone['id']}", {"ttl": 60})
    zones.confirm(api.core, zone["id"], 1, Event.FAILED)
    assert shown(api, zone)["status"] == "PENDING"


def test_word_about_a_zone_that_is_gone_is_nothing(api: Api) -> None:
    assert zones.confirm(api.core, NO_ZONE, 1, Event.CONFIRMED) is None


# ------------------------------------------------------------------------------------------------------------ serials


def at(api: Api, moment: datetime) -> Api:
    """The same API at another time."""
    core = Core(api.core.db, api.core.config, api.core.policy, lambda: moment)
    return Api(core, create_app(core), api.headers)


def test_serial_is_the_time_and_grows_when_the_clock_is_set_back(api: Api) -> None:
    zone = at(api, datetime(2026, 11, 22)).zone()
    assert zone["serial"] == 1795305600
    later = at(api, datetime(2025, 1, 1)).patch(f"/v2/zones/{zone['id']}", {"ttl": 60}).get_json()
    assert later["serial"] == 1795305601


@pytest.mark.parametrize(
    ("serial", "following"),
    [(2026112201, 2026112202), (4294967295, 1795305600), (3942789248, 3942789249), (0, 1795305600)],
)
def test_serial_never_goes_backwards_in_the_sense_of_rfc_1982(api: Api, serial: int, following: int) -> None:
    here = at(api, datetime(2026, 11, 22))
    zone = here.zone()

    def work(tx: Any) -> None:
        tx.execute(zone_table.update().where(zone_table.c.id == zone["id"]).values(serial=serial))

    api.core.db.write(work)
    new = here.patch(f"/v2/zones/{zone['id']}", {"ttl": 60}).get_json()["serial"]
    assert new == following
    assert 0 < (new - serial) % 2**32 < 2**31


# ------------------------------------------------------------------------------------------------------------- refused


def zone_body(**values: Any) -> dict[str, Any]:
    return {"name": "example.org.", "email": "joe@example.org", **values}


def refused(answer: Any) -> dict[str, Any]:
    """The body of a refusal without its request id; the status is the body's code."""
    body = answer.get_json()
    assert body.pop("request_id") == answer.headers["X-Openstack-Request-Id"]
    assert body["code"] == answer.status_code
    return body


def test_all_problems_of_a_body_come_at_once(api: Api) -> None:
    body = {"name": "exa mple..org", "email": "joe", "masters": ["x"], "attributes": {"k" * 51: "v"}}
    problems = refused(api.post("/v2/zones", body))["errors"]["errors"]
    assert [(problem["path"], problem["validator"]) for problem in problems] == [
        (["name"], "format"),
        (["name"], "format"),
        (["name"], "format"),
        (["masters"], "not_allowed"),
        (["email"], "format"),
        (["masters", 0], "format"),
        (["attributes", "k" * 51], "maxLength"),
    ]


def test_zone_without_a_name_or_an_email_is_refused(api: Api) -> None:
    assert refused(api.post("/v2/zones", {"type": "PRIMARY"})) == {
        "code": 400,
        "type": "invalid_object",
        "message": "'name' is a required property",
        "errors": {
            "errors": [
                {
                    "path": ["name"],
                    "message": "'name' is a required property",
                    "validator": "required",
                    "validator_value": ["name"],
                }
            ]
        },
    }
    assert refused(api.post("/v2/zones", {"name": "example.org."}))["message"] == "'email' is a required property"


def test_secondary_zone_has_neither_email_nor_ttl_but_masters(api: Api) -> None:
    problems = refused(api.post("/v2/zones", zone_body(type="SECONDARY", ttl=60)))["errors"]["errors"]
    assert [problem["message"] for problem in problems] == [
        "a SECONDARY zone has no email of its own",
        "a SECONDARY zone has no ttl of its own",
        "a SECONDARY zone needs masters",
    ]


def test_name_that_is_no_zone_is_refused_with_a_code_of_its_own(api: Api) -> None:
    body = refused(api.post("/v2/zones", zone_body(name="org.")))
    problem = {"path": ["name"], "message": "More than one label is required", "validator": "format"}
    assert body == {
        "code": 400,
        "type": "invalid_zone_name",
        "message": "More than one label is required",
        "errors": {"errors": [{**problem, "validator_value": None}]},
    }


def test_ttl_below_the_minimum_is_for_those_who_may(sqlite: Database) -> None:
    api = make_api(sqlite, min_ttl=100)
    body = refused(api.post("/v2/zones", zone_body(ttl=99)))
    assert (body["code"], body["type"]) == (400, "invalid_ttl")
    assert body["message"] == "a TTL of 99 is below the least allowed, 100"
    zone = api.as_admin.zone(ttl=99)
    assert api.patch(f"/v2/zones/{zone['id']}", {"ttl": 98}).get_json()["type"] == "invalid_ttl"
    assert api.patch(f"/v2/zones/{zone['id']}", {"ttl": 99, "description": "x"}).status_code == 202


def test_quota_of_zones_is_the_projects(sqlite: Database) -> None:
    api = make_api(sqlite, quota_zones=1)
    zone = api.zone("a.org.")
    body = {"code": 413, "type": "over_quota", "message": "Quota exceeded for zones."}
    assert refused(api.post("/v2/zones", zone_body())) == body
    api.of("other").zone("b.org.")
    api.delete(f"/v2/zones/{zone['id']}")
    confirmed(api, zone)
    api.zone("c.org.")


def test_same_name_is_refused_in_the_same_pool_whatever_its_case(api_on: Api) -> None:
    api_on.zone("example.org.")
    expected = {"code": 409, "type": "duplicate_zone", "message": "Duplicate Zone"}
    assert refused(api_on.post("/v2/zones", zone_body(name="EXAMPLE.ORG."))) == expected
    assert refused(api_on.of("other").post("/v2/zones", zone_body())) == expected


def test_same_name_in_another_pool_is_for_the_same_project(api_on: Api) -> None:
    other_pool = add_pool(api_on.core.db, new_id(), "other", attributes={"tier": "gold"})
    api_on.zone()
    assert api_on.zone(attributes={"tier": "gold"})["pool_id"] == other_pool
    body = zone_body(attributes={"pool_id": other_pool})
    assert refused(api_on.of("other", "admin").post("/v2/zones", body))["type"] == "duplicate_zone"


def test_zone_below_or_above_one_of_another_project_is_refused(api_on: Api) -> None:
    other = api_on.of("other")
    api_on.zone("a.example.org.")
    assert refused(other.post("/v2/zones", zone_body(name="b.x.A.example.org."))) == {
        "code": 403,
        "type": "illegal_child",
        "message": "Unable to create subzone in another tenants zone",
    }
    assert refused(other.post("/v2/zones", zone_body())) == {
        "code": 403,
        "type": "illegal_parent",
        "message": "Unable to create zone because another tenant owns a subzone of the zone",
    }
    other.zone("ba.example.org.")
    api_on.zone("b.a.example.org.")


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"ttl": 1}), ("DELETE", None)])
def test_zone_of_another_project_is_not_found(api: Api, method: str, body: Any) -> None:
    answer = api.of("other").request(method, f"/v2/zones/{api.zone()['id']}", body)
    assert refused(answer) == {"code": 404, "type": "zone_not_found", "message": "Could not find Zone"}


def test_reader_may_read_and_no_more(api: Api) -> None:
    zone = api.zone()
    reader = api.of("project-1", "reader")
    assert reader.get(f"/v2/zones/{zone['id']}").status_code == 200
    assert refused(reader.delete(f"/v2/zones/{zone['id']}")) == {
        "code": 403,
        "type": "forbidden",
        "message": "policy delete_zone does not allow this",
    }
    assert refused(reader.post("/v2/zones", zone_body()))["type"] == "forbidden"


def test_token_without_a_project_makes_no_zone(api: Api) -> None:
    nobody = Context("test", roles=roles("admin"))
    with pytest.raises(Refused, match="the token has no project, and a zone needs one") as refusal:
        zones.create(api.core, nobody, zones.NewZone("example.org.", email="joe@example.org"))
    assert body_of(refusal.value, "")["code"] == 401
    assert refusal.value.code == "missing_project_id"


def test_catalog_zones_are_not_made_over_the_api(api: Api) -> None:
    assert refused(api.as_admin.post("/v2/zones", zone_body(type="CATALOG"))) == {
        "code": 403,
        "type": "forbidden",
        "message": "catalog zones are made for pools, by the operator",
    }


def test_zone_in_deletion_takes_no_changes(api: Api) -> None:
    zone = api.zone()
    api.delete(f"/v2/zones/{zone['id']}")
    assert refused(api.patch(f"/v2/zones/{zone['id']}", {"ttl": 60})) == {
        "code": 400,
        "type": "bad_request",
        "message": "the zone is being deleted",
    }


def test_zone_with_zones_below_it_stays(api: Api) -> None:
    parent = api.zone("example.org.")
    api.zone("a.b.example.org.")
    assert refused(api.delete(f"/v2/zones/{parent['id']}")) == {
        "code": 400,
        "type": "zone_has_sub_zone",
        "message": "zones below it must be deleted first",
    }


def test_filter_of_ttl_is_a_number(api: Api) -> None:
    assert refused(api.get("/v2/zones?ttl=x")) == {
        "code": 400,
        "type": "bad_request",
        "message": "the filter ttl is a number of seconds, not 'x'",
    }


# ------------------------------------------------------------------------------------------------------------- pools


def test_pool_that_has_all_the_attributes_is_taken_else_the_default(api: Api) -> None:
    gold = add_pool(api.core.db, new_id(), "gold", attributes={"tier": "gold", "region": "eu"})
    assert api.zone("a.org.", attributes={"tier": "gold"})["pool_id"] == gold
    assert api.zone("b.org.", attributes={"tier": "tin"})["pool_id"] == api.core.config.default_pool_id


def test_pool_is_chosen_by_id_only_by_those_who_may(api: Api) -> None:
    pool = add_pool(api.core.db, new_id(), "other")
    body = zone_body(attributes={"pool_id": pool})
    assert refused(api.post("/v2/zones", body)) == {
        "code": 403,
        "type": "forbidden",
        "message": "policy zone_create_forced_pool does not allow this",
    }
    assert api.as_admin.post("/v2/zones", body).get_json()["pool_id"] == pool
    assert refused(api.post("/v2/zones", zone_body(name="b.org.", pool_id=pool)))["type"] == "forbidden"
    assert api.zone("c.org.", pool_id=api.core.config.default_pool_id)["attributes"] == {}


def test_pool_that_is_not_there_is_no_valid_pool(api: Api) -> None:
    assert refused(api.as_admin.post("/v2/zones", zone_body(attributes={"pool_id": NO_ZONE}))) == {
        "code": 404,
        "type": "no_valid_pool_found",
        "message": f"There is no pool {NO_ZONE} for this zone",
    }


def test_pool_without_name_servers_can_have_no_zone(api: Api) -> None:
    row = {"id": new_id(), "name": "bare", "attributes": {"bare": "yes"}, "created_at": utcnow()}
    api.core.db.write(lambda tx: tx.execute(insert(pools).values(**row)))
    assert refused(api.post("/v2/zones", zone_body(attributes={"bare": "yes"}))) == {
        "code": 500,
        "type": "no_servers_configured",
        "message": "the pool bare has no name servers",
    }


@pytest.mark.parametrize("tag", ['W/"", W/"", W/"uK"', '""', "W/", '"1', "\x85"])
def test_if_match_that_names_no_version_is_a_failed_condition_or_none(api: Api, tag: str) -> None:
    zone = api.zone()
    answer = api.delete(f"/v2/zones/{zone['id']}", headers={"If-Match": tag})
    assert answer.status_code in (202, 412), answer.text
