# SPDX-License-Identifier: Apache-2.0
"""Many changes of a zone as one."""

from __future__ import annotations

import time
from typing import Any

from control.storage.tables import journal
from tests.control.conftest import Api, make_api
from tests.control.test_recordsets import confirm, failure, path_of, rows, share, zone_now


def change(api: Api, zone: dict[str, Any], *items: dict[str, Any], **options: Any) -> Any:
    return api.post(f"/v2/zones/{zone['id']}/changes", {"changes": list(items)}, **options)


def item(action: str, name: str = "www.example.org.", rrtype: str = "A", *records: str, **more: Any) -> dict[str, Any]:
    given = {"records": list(records)} if records else {}
    return {"action": action, "name": name, "type": rrtype, **given, **more}


def contents(api: Api, zone: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    found = api.get(path_of(zone) + "?limit=1000").get_json()["recordsets"]
    return {(one["name"], one["type"]): one["records"] for one in found if one["name"] != "example.org."}


def test_all_of_them_make_one_serial(api_on: Api) -> None:
    zone = api_on.zone()
    old = api_on.recordset(zone, "old.example.org.", "A", "192.0.2.1")
    kept = api_on.recordset(zone, "kept.example.org.", "A", "192.0.2.1", ttl=60)
    before = rows(api_on, journal)
    answer = change(
        api_on,
        zone,
        item("create", "new.example.org.", "TXT", "a"),
        item("update", "kept.example.org.", "A", ttl=None),
        item("upsert", "kept.example.org.", "AAAA", "2001:db8::1"),
        {"action": "delete", "id": old["id"]},
    )
    body = answer.get_json()
    assert answer.status_code == 202
    assert [(one["name"], one["action"]) for one in body["recordsets"]] == [
        ("new.example.org.", "CREATE"),
        ("kept.example.org.", "UPDATE"),
        ("kept.example.org.", "CREATE"),
        ("old.example.org.", "DELETE"),
    ]
    assert rows(api_on, journal) == before + 1
    assert {one["serial"] for one in body["recordsets"][:3]} == {body["serial"]} == {zone_now(api_on, zone)["serial"]}
    assert contents(api_on, zone) == {
        ("kept.example.org.", "A"): ["192.0.2.1"],
        ("kept.example.org.", "AAAA"): ["2001:db8::1"],
        ("new.example.org.", "TXT"): ["a"],
    }
    assert api_on.get(path_of(zone, kept)).get_json()["ttl"] is None


def test_one_bad_change_stops_all_and_every_bad_one_is_named(api_on: Api) -> None:
    zone = api_on.zone()
    before = zone_now(api_on, zone)
    answer = change(
        api_on,
        zone,
        item("create", "good.example.org.", "A", "192.0.2.1"),
        item("create", "bad.example.org.", "A", "192.0.2.1", "x"),
        item("delete", "none.example.org."),
        item("create", "www.example.com.", "A", "192.0.2.1"),
        item("create", "example.org.", "NS", "ns1.example.net."),
        {"action": "update", "id": zone["id"], "ttl": 5},
    )
    body = failure(answer)
    assert (body["code"], body["type"]) == (400, "invalid_object")
    assert [(problem["path"], problem["message"]) for problem in body["errors"]["errors"]] == [
        (
            ["changes", 1, "records", 1],
            "'x' is not valid A data: address: expected an IPv4 address such as 192.0.2.1, not 'x'",
        ),
        (["changes", 2], "Could not find RecordSet"),
        (["changes", 3, "name"], "www.example.com. is not within the zone"),
        (["changes", 4], "Duplicate RecordSet"),
        (["changes", 5], "Could not find RecordSet"),
    ]
    assert zone_now(api_on, zone) == before


def test_problems_of_one_kind_have_their_own_code(api: Api) -> None:
    zone = api.zone()
    api.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    body = failure(change(api, zone, item("create", "www.example.org.", "A", "192.0.2.1")))
    problem = {
        "path": ["changes", 0],
        "message": "Duplicate RecordSet",
        "validator": "uniqueness",
        "validator_value": None,
    }
    assert body == {
        "code": 409,
        "type": "duplicate_recordset",
        "message": "Duplicate RecordSet",
        "errors": {"errors": [problem]},
    }


def test_what_counts_is_how_it_ends(api_on: Api) -> None:
    """A CNAME makes way for an A and an A for a CNAME, whichever stands first."""
    zone = api_on.zone()
    api_on.recordset(zone, "a.example.org.", "A", "192.0.2.1")
    api_on.recordset(zone, "c.example.org.", "CNAME", "x.")
    answer = change(
        api_on,
        zone,
        item("create", "a.example.org.", "CNAME", "x."),
        item("delete", "a.example.org.", "A"),
        item("delete", "c.example.org.", "CNAME"),
        item("create", "c.example.org.", "A", "192.0.2.1"),
        item("create", "d.example.org.", "DNAME", "x."),
    )
    assert answer.status_code == 202, answer.text
    assert set(contents(api_on, zone)) == {
        ("a.example.org.", "CNAME"),
        ("c.example.org.", "A"),
        ("d.example.org.", "DNAME"),
    }


def test_rules_hold_between_the_changes(api: Api) -> None:
    zone = api.zone()
    answer = change(
        api,
        zone,
        item("create", "a.example.org.", "CNAME", "x."),
        item("create", "a.example.org.", "TXT", "x"),
        item("create", "d.example.org.", "DNAME", "x."),
        item("create", "b.d.example.org.", "TXT", "x"),
    )
    assert sorted(problem["path"][1] for problem in failure(answer)["errors"]["errors"]) == [0, 1, 2, 3]


def test_deleted_and_created_again_keeps_its_id(api_on: Api) -> None:
    zone = api_on.zone()
    made = api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1", ttl=5)
    answer = change(
        api_on,
        zone,
        item("delete"),
        item("create", "www.example.org.", "A", "192.0.2.2"),
        item("add", "www.example.org.", "A", "192.0.2.3"),
    )
    assert answer.status_code == 202, answer.text
    shown = api_on.get(path_of(zone, made)).get_json()
    assert (shown["records"], shown["ttl"], shown["version"]) == (["192.0.2.2", "192.0.2.3"], None, 2)


def test_two_acme_clients_don_t_disturb_each_other(api_on: Api) -> None:
    zone, name = api_on.zone(), "_acme-challenge.example.org."
    for token in ("one", "two"):
        assert change(api_on, zone, item("add", name, "TXT", token)).status_code == 202
    assert contents(api_on, zone) == {(name, "TXT"): ["one", "two"]}
    change(api_on, zone, item("remove", name, "TXT", '"one"'))
    assert contents(api_on, zone) == {(name, "TXT"): ["two"]}
    change(api_on, zone, item("remove", name, "TXT", "two"))
    assert contents(api_on, zone) == {}
    again = change(api_on, zone, item("remove", name, "TXT", "two"))
    assert (again.status_code, again.get_json()["recordsets"]) == (200, [])


def test_changes_that_change_nothing_leave_no_trace(api_on: Api) -> None:
    zone = api_on.zone()
    api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    confirm(api_on, zone)
    before = zone_now(api_on, zone), rows(api_on, journal)
    answer = change(
        api_on,
        zone,
        item("upsert", "www.example.org.", "A", "192.0.2.1"),
        item("create", "x.example.org.", "A", "192.0.2.1"),
        item("delete", "x.example.org.", "A"),
    )
    assert (answer.status_code, answer.get_json()["serial"]) == (200, zone["serial"] + 1)
    assert (zone_now(api_on, zone), rows(api_on, journal)) == before


def test_dry_run_says_what_would_be(api_on: Api) -> None:
    zone = api_on.zone()
    before = zone_now(api_on, zone)
    path = f"/v2/zones/{zone['id']}/changes?dry_run=true"
    answer = api_on.post(path, {"changes": [item("create", "www.example.org.", "A", "192.0.2.1")]})
    assert answer.get_json()["recordsets"][0]["action"] == "CREATE"
    assert zone_now(api_on, zone) == before


def test_change_that_says_too_little_or_too_much_is_refused(api: Api) -> None:
    zone = api.zone()
    answer = change(
        api,
        zone,
        {"action": "create", "type": "A"},
        {"action": "create", "id": zone["id"]},
        {"action": "add", "id": zone["id"]},
        {"action": "delete", "id": zone["id"], "name": "x."},
    )
    assert [problem["path"][1:] for problem in failure(answer)["errors"]["errors"]] == [
        [0, "name"],
        [1, "id"],
        [2, "records"],
        [3, "id"],
    ]
    assert failure(change(api, zone))["errors"]["errors"][0]["path"] == ["changes"]
    assert failure(change(api, zone, {"action": "replace"}))["errors"]["errors"][0]["path"] == ["changes", 0, "action"]


def test_guest_changes_its_own_and_not_the_owners(api: Api) -> None:
    zone, guest = api.zone(), api.of("guest")
    share(api, zone, "guest")
    api.recordset(zone, "owner.example.org.", "A", "192.0.2.1")
    assert change(guest, zone, item("create", "guest.example.org.", "A", "192.0.2.1")).status_code == 202
    assert change(guest, zone, item("delete", "guest.example.org.")).status_code == 202
    assert change(guest, zone, item("delete", "owner.example.org.")).status_code == 403
    assert change(guest, zone, item("upsert", "owner.example.org.", "A", "192.0.2.9")).status_code == 403


def test_ten_thousand_changes_are_quick(api_on: Api) -> None:
    big = make_api(api_on.core.db, quota_zone_recordsets=-1, quota_zone_records=-1)
    zone = big.zone()
    names = [f"host{number}.sub{number % 10}.example.org." for number in range(10_000)]
    began = time.monotonic()
    for items in (
        [item("create", name, "A", "192.0.2.1") for name in names],
        [item("upsert", name, "A", "192.0.2.2") for name in names],
        [item("delete", name) for name in names],
    ):
        answer = change(big, zone, *items)
        assert answer.status_code == 202, answer.text[:500]
        assert len(answer.get_json()["recordsets"]) == 10_000
    assert time.monotonic() - began < 60
    assert zone_now(big, zone)["version"] == 4
