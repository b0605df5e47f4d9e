# SPDX-License-Identifier: Apache-2.0
"""Recordsets over HTTP: what is stored, what is answered, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from control.storage.ids import new_id, utcnow
from control.storage.tables import journal, outbox, rrsets, shared_zones, zones
from tests.control.conftest import Api

ABSENT = "11111111-1111-4111-8111-111111111111"


def path_of(zone: dict[str, Any], rrset: dict[str, Any] | None = None) -> str:
    path = f"/v2/zones/{zone['id']}/recordsets"
    return f"{path}/{rrset['id']}" if rrset else path


def confirm(api: Api, zone: dict[str, Any], **values: Any) -> None:
    """As if the zone's name servers had answered."""
    settled = {"confirmed": zones.c.revision, "status": "ACTIVE", "action": "NONE", **values}
    api.core.db.write(lambda tx: tx.execute(update(zones).where(zones.c.id == zone["id"]).values(**settled)))


def share(api: Api, zone: dict[str, Any], project: str) -> None:
    row = {"id": new_id(), "zone_id": zone["id"], "project_id": zone["project_id"], "target_project_id": project}
    api.core.db.write(lambda tx: tx.execute(insert(shared_zones).values(**row, created_at=utcnow())))


def rows(api: Api, table: Any) -> int:
    return api.core.db.read(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar_one())


def zone_now(api: Api, zone: dict[str, Any]) -> dict[str, Any]:
    return api.get(f"/v2/zones/{zone['id']}").get_json()


# ------------------------------------------------------------------------------------------------------------- create


def test_new_recordset_is_answered_whole(api_on: Api) -> None:
    zone = api_on.zone()
    answer = api_on.post(
        path_of(zone),
        {"name": "www.example.org.", "type": "A", "records": ["192.0.2.2", "192.0.2.1"], "ttl": 60, "description": "x"},
    )
    body = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == body["links"]["self"] == f"http://localhost{path_of(zone, body)}"
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["ETag"] == '"1.CP"'
    body.pop("created_at"), body.pop("id"), body.pop("links")
    assert body == {
        "zone_id": zone["id"],
        "project_id": "project-1",
        "name": "www.example.org.",
        "zone_name": "example.org.",
        "type": "A",
        "records": ["192.0.2.2", "192.0.2.1"],
        "description": "x",
        "ttl": 60,
        "status": "PENDING",
        "action": "CREATE",
        "version": 1,
        "serial": zone_now(api_on, zone)["serial"],
        "updated_at": None,
    }


def test_what_was_created_is_what_is_read(api_on: Api) -> None:
    zone = api_on.zone()
    texts = ['"two"  "words"', "unquoted", '"b"']
    made = api_on.recordset(zone, "TXT.example.org.", "TXT", *texts)
    assert api_on.get(path_of(zone, made)).get_json() == made
    assert made["records"] == texts
    assert made["name"] == "TXT.example.org."


def test_recordset_without_records_is_201_and_active_and_makes_no_serial(api_on: Api) -> None:
    zone = api_on.zone()
    answer = api_on.post(path_of(zone), {"name": "www.example.org.", "type": "A"})
    assert answer.status_code == 201
    assert (answer.get_json()["status"], answer.get_json()["action"]) == ("ACTIVE", "NONE")
    assert zone_now(api_on, zone)["serial"] == zone["serial"]
    assert api_on.get(path_of(zone)).get_json()["metadata"]["total_count"] == 3


def test_records_that_are_the_same_text_are_one(api: Api) -> None:
    made = api.recordset(api.zone(), "www.example.org.", "A", "192.0.2.1", "192.0.2.2", "192.0.2.1")
    assert made["records"] == ["192.0.2.1", "192.0.2.2"]


def test_every_change_has_its_serial_its_journal_and_its_task(api_on: Api) -> None:
    zone = api_on.zone()
    before = rows(api_on, journal), rows(api_on, outbox)
    made = api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    api_on.put(path_of(zone, made), {"records": ["192.0.2.2"]})
    api_on.delete(path_of(zone, made))
    assert (rows(api_on, journal), rows(api_on, outbox)) == (before[0] + 3, before[1] + 3)
    assert zone_now(api_on, zone)["serial"] >= zone["serial"] + 3


# ---------------------------------------------------------------------------------------------------------- is it live


def test_recordset_is_active_once_its_zone_is_confirmed(api_on: Api) -> None:
    zone = api_on.zone()
    first = api_on.recordset(zone, "a.example.org.", "A", "192.0.2.1")
    confirm(api_on, zone)
    second = api_on.recordset(zone, "b.example.org.", "A", "192.0.2.1")
    states = [
        (body["action"], body["status"])
        for body in (api_on.get(path_of(zone, rrset)).get_json() for rrset in (first, second))
    ]
    assert states == [("NONE", "ACTIVE"), ("CREATE", "PENDING")]


def test_recordset_of_a_failed_zone_is_in_error(api: Api) -> None:
    zone = api.zone()
    made = api.recordset(zone, "a.example.org.", "A", "192.0.2.1")
    confirm(api, zone, confirmed=0, status="ERROR", action="CREATE")
    shown = api.get(path_of(zone, made)).get_json()
    assert (shown["action"], shown["status"]) == ("CREATE", "ERROR")


def test_soa_recordset_is_as_its_zone(api: Api) -> None:
    zone = api.zone()
    api.recordset(zone, "a.example.org.", "A", "192.0.2.1")
    soa = api.get(path_of(zone) + "?type=SOA").get_json()["recordsets"][0]
    now = zone_now(api, zone)
    assert soa["serial"] == now["serial"]
    assert str(now["serial"]) in soa["records"][0].split()


# ------------------------------------------------------------------------------------------------------------- update


def test_put_changes_only_what_it_names(api_on: Api) -> None:
    zone = api_on.zone()
    made = api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1", ttl=60, description="x")
    answer = api_on.put(path_of(zone, made), {"records": ["192.0.2.9"]})
    body = answer.get_json()
    assert answer.status_code == 202
    assert (body["ttl"], body["description"], body["records"]) == (60, "x", ["192.0.2.9"])
    assert (body["action"], body["version"]) == ("UPDATE", 2)
    assert body["serial"] > made["serial"]
    assert body["updated_at"] is not None


def test_put_of_null_resets_the_ttl(api: Api) -> None:
    zone = api.zone()
    made = api.recordset(zone, "www.example.org.", "A", "192.0.2.1", ttl=60)
    assert api.put(path_of(zone, made), {"ttl": None}).get_json()["ttl"] is None


def test_what_was_read_may_be_put_back(api: Api) -> None:
    zone = api.zone()
    made = api.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    answer = api.put(path_of(zone, made), made)
    assert answer.status_code == 202
    assert answer.get_json() == made


def test_a_write_that_changes_nothing_leaves_no_trace(api_on: Api) -> None:
    zone = api_on.zone()
    made = api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1", ttl=60)
    confirm(api_on, zone)
    before = zone_now(api_on, zone), rows(api_on, journal), rows(api_on, outbox)
    answer = api_on.put(path_of(zone, made), {"records": ["192.0.2.1"], "ttl": 60})
    assert answer.status_code == 200
    assert answer.get_json()["version"] == 1
    assert (zone_now(api_on, zone), rows(api_on, journal), rows(api_on, outbox)) == before


def test_a_description_makes_no_serial(api_on: Api) -> None:
    zone = api_on.zone()
    made = api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1", "192.0.2.2")
    before = zone_now(api_on, zone)["serial"]
    wanted = {"description": "x", "records": ["192.0.2.2", "192.0.2.1"]}
    shown = api_on.put(path_of(zone, made), wanted).get_json()
    assert zone_now(api_on, zone)["serial"] == before
    assert shown | wanted == shown == api_on.get(path_of(zone, made)).get_json()
    assert shown["version"] == 2


def test_records_may_all_go_and_come_back(api_on: Api) -> None:
    zone = api_on.zone()
    made = api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    emptied = api_on.put(path_of(zone, made), {"records": []})
    assert (emptied.status_code, emptied.get_json()["status"]) == (200, "ACTIVE")
    assert api_on.put(path_of(zone, made), {"records": ["192.0.2.1"]}).get_json()["status"] == "PENDING"


# ------------------------------------------------------------------------------------------------------------- delete


def test_deleted_recordset_is_shown_once_more_and_gone(api_on: Api) -> None:
    zone = api_on.zone()
    made = api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    answer = api_on.delete(path_of(zone, made))
    assert answer.status_code == 202
    assert answer.get_json() == {**made, "action": "DELETE", "status": "PENDING"}
    assert api_on.get(path_of(zone, made)).status_code == 404
    assert rows(api_on, rrsets) == 2


# ------------------------------------------------------------------------------------------------------------- errors


def failure(answer: Any) -> dict[str, Any]:
    body = answer.get_json()
    assert body.pop("request_id") == answer.headers["X-Openstack-Request-Id"]
    assert body["code"] == answer.status_code
    return body


NOT_FOUND = {"code": 404, "type": "recordset_not_found", "message": "Could not find RecordSet"}


def test_unknown_recordset_is_404_for_every_method(api: Api) -> None:
    path = path_of(api.zone(), {"id": ABSENT})
    assert failure(api.get(path)) == NOT_FOUND
    assert failure(api.put(path, {"ttl": 1})) == NOT_FOUND
    assert failure(api.delete(path)) == NOT_FOUND
    assert failure(api.get(f"/v2/recordsets/{ABSENT}")) == NOT_FOUND


def test_zone_of_another_project_is_not_there(api: Api) -> None:
    zone, other = api.zone(), api.of("other")
    made = api.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    wanted = {"code": 404, "type": "zone_not_found", "message": "Could not find Zone"}
    assert failure(other.get(path_of(zone))) == wanted
    assert failure(other.post(path_of(zone), {"name": "x.example.org.", "type": "A"})) == wanted
    assert failure(other.delete(path_of(zone, made))) == wanted
    assert failure(other.get(f"/v2/recordsets/{made['id']}")) == NOT_FOUND


def test_second_recordset_of_a_name_and_type_is_409(api_on: Api) -> None:
    zone = api_on.zone()
    api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    answer = api_on.post(path_of(zone), {"name": "WWW.example.org.", "type": "A", "records": ["192.0.2.2"]})
    assert failure(answer) == {"code": 409, "type": "duplicate_recordset", "message": "Duplicate RecordSet"}


def test_all_problems_come_at_once(api: Api) -> None:
    answer = api.post(path_of(api.zone()), {"name": "a..b", "type": "AAAA", "records": ["::1", "192.0.2.1", "x"]})
    body = failure(answer)
    assert (body["code"], body["type"]) == (400, "invalid_object")
    paths = [problem["path"] for problem in body["errors"]["errors"]]
    assert paths == [["name"], ["name"], ["records", 1], ["records", 2]]


def test_wrong_record_says_what_is_wrong_in_it(api: Api) -> None:
    answer = api.post(path_of(api.zone()), {"name": "_sip._tcp.example.org.", "type": "SRV", "records": ["0 50 1 a.b"]})
    message = "'0 50 1 a.b' is not valid SRV data: target: must end with a dot"
    assert failure(answer) == {
        "code": 400,
        "type": "invalid_object",
        "message": message,
        "errors": {
            "errors": [{"path": ["records", 0], "message": message, "validator": "format", "validator_value": ["SRV"]}]
        },
    }


def test_two_spellings_of_one_record_are_refused_by_name(api: Api) -> None:
    body = {"name": "www.example.org.", "type": "AAAA", "records": ["2001:db8::1", "2001:DB8:0::1"]}
    assert failure(api.post(path_of(api.zone()), body))["errors"]["errors"] == [
        {
            "path": ["records", 1],
            "message": "'2001:db8::1' and '2001:DB8:0::1' are the same record",
            "validator": "uniqueItems",
            "validator_value": True,
        }
    ]


@pytest.mark.parametrize("rrtype", ["NOSUCH", "ANY", "AXFR", "a", "TYPE1", "TYPE0", ""])
def test_type_that_is_none_is_refused(api: Api, rrtype: str) -> None:
    body = failure(api.post(path_of(api.zone()), {"name": "x.example.org.", "type": rrtype, "records": []}))
    assert body["type"] == "invalid_object"
    assert [problem["path"] for problem in body["errors"]["errors"]] == [["type"]]


@pytest.mark.parametrize(
    "change",
    [{"id": ABSENT}, {"name": "x.example.org."}, {"type": "TXT"}, {"zone_id": ABSENT}, {"status": "ERROR"}, {"x": 1}],
)
def test_key_that_can_t_be_changed_is_named(api: Api, change: dict[str, Any]) -> None:
    zone = api.zone()
    made = api.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    body = failure(api.put(path_of(zone, made), change))
    assert body["type"] == "invalid_object"
    assert [problem["path"] for problem in body["errors"]["errors"]] == [list(change)]


def test_records_must_be_a_list(api: Api) -> None:
    answer = api.post(path_of(api.zone()), {"name": "x.example.org.", "type": "A", "records": "192.0.2.1"})
    assert failure(answer)["errors"]["errors"][0]["path"] == ["records"]


def test_managed_recordsets_are_for_those_who_may(api: Api) -> None:
    zone = api.zone()
    ns, soa = api.get(path_of(zone) + "?sort_key=type").get_json()["recordsets"]
    refused = {"code": 400, "type": "bad_request", "message": "Managed records may not be updated"}
    assert failure(api.put(path_of(zone, ns), {"ttl": 5})) == refused
    assert failure(api.delete(path_of(zone, ns))) == refused
    editor = api.as_admin.with_headers({"X-Designate-Edit-Managed-Records": "true"})
    assert editor.put(path_of(zone, ns), {"ttl": 5}).status_code == 202
    assert failure(editor.delete(path_of(zone, ns)))["message"] == "a zone needs name servers at its apex"
    message = "SOA recordsets are made from their zones and can't be changed"
    assert failure(editor.put(path_of(zone, soa), {"ttl": 5}))["message"] == message
    assert failure(api.post(path_of(zone), {"name": "example.org.", "type": "SOA", "records": []}))["type"] == (
        "bad_request"
    )


def test_zone_in_deletion_takes_no_changes(api: Api) -> None:
    zone = api.zone()
    confirm(api, zone, action="DELETE", status="PENDING")
    answer = api.post(path_of(zone), {"name": "x.example.org.", "type": "A", "records": ["192.0.2.1"]})
    assert failure(answer) == {"code": 400, "type": "bad_request", "message": "Can not update a deleting zone"}


def test_records_of_a_secondary_zone_are_its_primarys(api: Api) -> None:
    zone = api.zone()
    confirm(api, zone, type="SECONDARY")
    body = {"name": "x.example.org.", "type": "A", "records": ["192.0.2.1"]}
    assert failure(api.post(path_of(zone), body))["type"] == "forbidden"
    assert failure(api.as_admin.post(path_of(zone), body)) == {
        "code": 403,
        "type": "forbidden",
        "message": "the records of a SECONDARY zone can't be changed here",
    }


def test_reader_may_look_and_not_write(api: Api) -> None:
    zone, reader = api.zone(), api.of("project-1", "reader")
    made = api.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    assert reader.get(path_of(zone)).status_code == 200
    assert reader.get(path_of(zone, made)).status_code == 200
    assert reader.put(path_of(zone, made), {"ttl": 1}).status_code == 403
    assert reader.delete(path_of(zone, made)).status_code == 403
    assert reader.post(path_of(zone), {"name": "x.example.org.", "type": "A"}).status_code == 403


# --------------------------------------------------------------------------------------- conditions, rehearsals, forms


def test_if_match_guards_against_lost_updates(api_on: Api) -> None:
    zone = api_on.zone()
    made = api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    tag = api_on.get(path_of(zone, made)).headers["ETag"]
    confirm(api_on, zone)
    first = api_on.put(path_of(zone, made), {"ttl": 5}, headers={"If-Match": tag})
    assert first.status_code == 202
    for method in (api_on.put, api_on.delete):
        answer = method(
            path_of(zone, made), **({"body": {"ttl": 6}} if method == api_on.put else {}), headers={"If-Match": tag}
        )
        assert failure(answer) == {
            "code": 412,
            "type": "precondition_failed",
            "message": "If-Match names another version than 2, the current one",
        }


def test_if_none_match_is_304_until_something_happened(api: Api) -> None:
    zone = api.zone()
    made = api.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    tag = api.get(path_of(zone, made)).headers["ETag"]
    assert api.get(path_of(zone, made), headers={"If-None-Match": tag}).status_code == 304
    confirm(api, zone)
    assert api.get(path_of(zone, made), headers={"If-None-Match": tag}).status_code == 200


def test_dry_run_answers_and_stores_nothing(api_on: Api) -> None:
    zone = api_on.zone()
    before = zone_now(api_on, zone)
    body = {"name": "www.example.org.", "type": "A", "records": ["192.0.2.1"]}
    answer = api_on.post(path_of(zone) + "?dry_run=true", body)
    assert (answer.status_code, answer.get_json()["records"]) == (202, ["192.0.2.1"])
    assert "Location" not in answer.headers
    assert zone_now(api_on, zone) == before
    assert api_on.get(path_of(zone)).get_json()["metadata"]["total_count"] == 2


# ----------------------------------------------------------------------------------------------------- single records


def test_records_are_added_beside_those_that_are_there(api_on: Api) -> None:
    zone = api_on.zone()
    made = api_on.recordset(zone, "_acme-challenge.example.org.", "TXT", '"one"')
    answer = api_on.post(path_of(zone, made) + "/records", {"records": ["two", "one"]})
    assert answer.status_code == 202
    assert answer.get_json()["records"] == ['"one"', "two"]
    again = api_on.post(path_of(zone, made) + "/records", {"records": ["two"]})
    assert again.get_json()["version"] == 2


def test_removing_the_last_record_deletes_the_recordset(api_on: Api) -> None:
    zone = api_on.zone()
    made = api_on.recordset(zone, "_acme-challenge.example.org.", "TXT", "one", "two")
    path = path_of(zone, made)
    rest = api_on.delete(path + "/records", body={"records": ['"one"', '"never"']})
    assert rest.get_json()["records"] == ["two"]
    last = api_on.delete(path + "/records", body={"records": ["two"]})
    assert (last.status_code, last.get_json()["action"]) == (202, "DELETE")
    assert api_on.get(path).status_code == 404
