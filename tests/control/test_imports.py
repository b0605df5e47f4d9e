# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from control import jobs
from control.storage import tasks
from control.storage.database import Database
from control.storage.ids import new_id, utcnow
from control.storage.tables import blacklists
from control.storage.tasks import PART
from tests.control.conftest import Api, make_api

HEAD = """\
$ORIGIN example.org.
$TTL 300
@ 7200 IN SOA ns.elsewhere.net. joe\\.x.example.org. 2026010101 11 22 33 44
@ IN NS ns.elsewhere.net.
"""
FILE = (
    HEAD
    + """\
www IN A 192.0.2.2
www IN A 192.0.2.1
WWW 0 IN TXT "some text" more
sub IN NS ns.other.net.
"""
)


def start(api: Api, text: str | bytes = FILE) -> dict[str, Any]:
    answer = api.post("/v2/zones/tasks/imports", data=text, headers={"Content-Type": "text/dns"})
    assert answer.status_code == 202, answer.text
    return answer.get_json()


def imported(api: Api, text: str | bytes = FILE) -> dict[str, Any]:
    """The import, once it ended."""
    made = start(api, text)
    assert jobs.run_once(api.core)
    return api.get(f"/v2/zones/tasks/imports/{made['id']}").get_json()


def refused_body(answer: Any) -> dict[str, Any]:
    body = answer.get_json()
    assert answer.status_code == body["code"]
    del body["request_id"]
    return body


# ----------------------------------------------------------------------------------------------------- what is made


def test_an_import_waits_until_a_worker_makes_its_zone(api_on: Api) -> None:
    answer = api_on.post("/v2/zones/tasks/imports", data=FILE, headers={"Content-Type": "text/dns"})
    waiting = answer.get_json()
    url = f"http://localhost/v2/zones/tasks/imports/{waiting['id']}"
    assert answer.headers["Location"] == url
    assert waiting == {
        "id": waiting["id"],
        "status": "PENDING",
        "message": None,
        "zone_id": None,
        "project_id": "project-1",
        "created_at": waiting["created_at"],
        "updated_at": None,
        "version": 1,
        "progress": {"done": 0, "octets": len(FILE)},
        "links": {"self": url},
    }
    assert jobs.run_once(api_on.core)
    done = api_on.get(f"/v2/zones/tasks/imports/{waiting['id']}").get_json()
    assert done == {
        **waiting,
        "status": "COMPLETE",
        "message": "example.org. imported",
        "zone_id": done["zone_id"],
        "updated_at": done["updated_at"],
        "version": 2,
        "progress": {"done": len(FILE), "octets": len(FILE)},
        "links": {"self": url, "zone": f"http://localhost/v2/zones/{done['zone_id']}"},
    }
    assert not jobs.run_once(api_on.core)


def test_the_zone_takes_email_ttl_and_numbers_from_the_file(api: Api) -> None:
    zone = api.get(f"/v2/zones/{imported(api)['zone_id']}").get_json()
    assert (zone["email"], zone["ttl"], zone["serial"]) == ("joe.x@example.org", 7200, 2026010101)
    assert (zone["status"], zone["action"]) == ("PENDING", "CREATE")
    soa = api.get(f"/v2/zones/{zone['id']}/recordsets?type=SOA").get_json()["recordsets"][0]["records"][0].split()
    assert (soa[0], soa[2], soa[4], soa[5], soa[6]) == ("ns1.example.net.", "2026010101", "22", "33", "3600")


def test_the_recordsets_are_those_of_the_file_but_for_the_apex_ns(api_on: Api) -> None:
    zone_id = imported(api_on)["zone_id"]
    found = api_on.get(f"/v2/zones/{zone_id}/recordsets?sort_key=name").get_json()["recordsets"]
    shown = {(each["name"], each["type"]): (each["ttl"], each["records"]) for each in found if each["type"] != "SOA"}
    assert shown == {
        ("example.org.", "NS"): (None, ["ns1.example.net.", "ns2.example.net."]),
        ("www.example.org.", "A"): (300, ["192.0.2.1", "192.0.2.2"]),
        ("WWW.example.org.", "TXT"): (0, ['"some text" "more"']),
        ("sub.example.org.", "NS"): (300, ["ns.other.net."]),
    }


def test_a_change_of_an_imported_zone_raises_its_date_serial(api: Api) -> None:
    zone_id = imported(api)["zone_id"]
    api.recordset({"id": zone_id}, "more.example.org.", "A", "192.0.2.9")
    assert api.get(f"/v2/zones/{zone_id}").get_json()["serial"] == 2026010102


def test_json_brings_a_zone_file_with_attributes(api: Api) -> None:
    answer = api.post("/v2/zones/tasks/imports", {"zonefile": FILE, "attributes": {}})
    assert answer.status_code == 202
    jobs.run_once(api.core)
    assert api.get(f"/v2/zones/tasks/imports/{answer.get_json()['id']}").get_json()["status"] == "COMPLETE"


@pytest.mark.parametrize(
    "head",
    [
        "example.org. 300 IN SOA a. b.example.org. 1 2 3 4 5",
        "$ORIGIN .\nexample.org 300 IN SOA a. b.example.org. 1 2 3 4 5\n$ORIGIN example.org.",
        "; a comment\n$TTL 300\n$ORIGIN org.\n$ORIGIN example\n@ IN 300 SOA a. b.example.org. (1 2\n 3 4 5)",
        "$origin example.org.\n  300 soa a. b.example.org. 1 2 3 4 5".replace("\n  ", "\n@ "),
    ],
)
def test_the_name_of_the_zone_is_the_owner_of_the_soa(api: Api, head: str) -> None:
    assert imported(api, head + "\nwww.example.org. 300 A 192.0.2.1\n")["message"] == "example.org. imported"


def test_a_body_larger_than_a_part_comes_back_as_it_was(api_on: Api) -> None:
    text = HEAD + "; " + "x" * PART + "\nwww A 192.0.2.1\n"
    assert imported(api_on, text)["status"] == "COMPLETE"


def test_many_records_are_stored_as_they_are(api_on: Api) -> None:
    api = make_api(api_on.core.db, quota_zone_records=-1, quota_zone_recordsets=-1)
    text = HEAD + "".join(f"host{number} A 192.0.2.{number % 250}\n" for number in range(10_500))
    zone_id = imported(api, text)["zone_id"]
    assert api.get(f"/v2/zones/{zone_id}/recordsets?limit=1").get_json()["metadata"] == {"total_count": 10_502}
    lines = api.get(f"/v2/zones/{zone_id}/zonefile").text.splitlines()
    assert len([line for line in lines if " IN A " in line]) == 10_500


# -------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The $ORIGIN statement is required and must be the first statement in the zonefile."),
        ("www A 192.0.2.1\n", "The $ORIGIN statement is required and must be the first statement in the zonefile."),
        ("$ORIGIN example.org.\nwww 60 A 192.0.2.1\n", "An SOA record is required."),
        (HEAD + "www A 192.0.2\n", 'Malformed zonefile. line 5, column 7: expected an IPv4 address, found "192.0.2"'),
        (
            HEAD + "www CNAME a.\nwww A 192.0.2.1\n",
            "Malformed zonefile. line 6: www.example.org. has a CNAME record, so it can have no other data",
        ),
        (
            HEAD + "-x A 192.0.2.1\n",
            "Malformed zonefile. -x.example.org. A: '-x.example.org.' is no name of a recordset: the label '-x'"
            " begins or ends with a hyphen",
        ),
        (HEAD.replace("example.org.", "org."), "More than one label is required"),
    ],
)
def test_what_is_wrong_with_a_file_stands_in_the_message(api: Api, text: str, message: str) -> None:
    failed = imported(api, text)
    assert (failed["status"], failed["zone_id"]) == ("ERROR", None)
    assert failed["message"] == message
    assert api.get("/v2/zones").get_json()["zones"] == []


def test_a_zone_that_is_there_is_not_imported_again(api: Api) -> None:
    api.zone("example.org.")
    assert imported(api)["message"] == "Duplicate zone."


def test_quotas_hold_for_imports(api: Api) -> None:
    few = make_api(api.core.db, quota_zone_records=3)
    assert imported(few)["message"] == "Quota exceeded during zone import."
    assert few.get("/v2/zones").get_json()["zones"] == []


def test_a_ttl_below_the_least_is_said_with_its_record(api: Api) -> None:
    assert imported(make_api(api.core.db, min_ttl=100))["message"] == (
        "WWW.example.org. TXT: a TTL of 0 is below the least allowed, 100"
    )


def test_names_of_a_child_zone_are_not_imported_into_its_parent(api: Api) -> None:
    api.zone("www.example.org.")
    assert imported(api)["message"].startswith("www.example.org. A: www.example.org. belongs in a child zone")


def test_blacklists_hold_for_imports_with_the_rights_of_their_author(api: Api) -> None:
    row = {"id": new_id(), "pattern": "^example", "created_at": utcnow()}
    api.core.db.write(lambda tx: tx.execute(blacklists.insert().values(**row)))
    assert imported(api)["message"] == "Blacklisted zone name: example.org."
    assert imported(api.as_admin)["status"] == "COMPLETE"


# -------------------------------------------------------------------------------------------------- what is refused


def test_json_without_a_zone_file_is_refused(api: Api) -> None:
    assert refused_body(api.post("/v2/zones/tasks/imports", {"attributes": {}})) == {
        "code": 400,
        "type": "invalid_object",
        "message": "'zonefile' is a required property",
        "errors": {
            "errors": [
                {
                    "path": ["zonefile"],
                    "message": "'zonefile' is a required property",
                    "validator": "required",
                    "validator_value": ["zonefile"],
                }
            ]
        },
    }


def test_attributes_that_no_pool_has_are_refused_at_once(api: Api) -> None:
    answer = api.as_admin.post(
        "/v2/zones/tasks/imports",
        {"zonefile": FILE, "attributes": {"pool_id": "00000000-0000-0000-0000-000000000009"}},
    )
    assert refused_body(answer) == {
        "code": 404,
        "type": "no_valid_pool_found",
        "message": "There is no pool 00000000-0000-0000-0000-000000000009 for this zone",
    }


def test_another_content_type_is_refused(api: Api) -> None:
    answer = api.post("/v2/zones/tasks/imports", data=FILE, headers={"Content-Type": "text/plain"})
    assert refused_body(answer) == {
        "code": 415,
        "type": "unsupported_content_type",
        "message": "Content-Type must be text/dns or application/json",
    }


def test_a_file_above_the_limit_is_refused(api: Api) -> None:
    small = make_api(api.core.db, max_import_size=1024)
    answer = small.post("/v2/zones/tasks/imports", data="x" * 1025, headers={"Content-Type": "text/dns"})
    assert (answer.status_code, answer.get_json()["type"]) == (413, "request_too_large")
    assert small.get("/v2/zones/tasks/imports").get_json()["imports"] == []


def test_a_reader_may_list_and_not_import(api: Api) -> None:
    reader = api.of("project-1", "reader")
    answer = reader.post("/v2/zones/tasks/imports", data=FILE, headers={"Content-Type": "text/dns"})
    assert refused_body(answer) == {
        "code": 403,
        "type": "forbidden",
        "message": "policy create_zone_import does not allow this",
    }
    assert reader.get("/v2/zones/tasks/imports").status_code == 200


# ---------------------------------------------------------------------------------------------------- the imports


def test_imports_are_listed_with_filters_and_pages(api_on: Api) -> None:
    first, second = start(api_on), start(api_on, "")
    jobs.run_once(api_on.core)
    url = "http://localhost/v2/zones/tasks/imports?limit=1"
    page = api_on.get("/v2/zones/tasks/imports?limit=1").get_json()
    assert [each["id"] for each in page["imports"]] == [first["id"]]
    assert page["links"] == {"self": url, "next": f"{url}&marker={first['id']}"}
    assert page["metadata"] == {"total_count": 2}
    found = api_on.get("/v2/zones/tasks/imports?status=COMPLETE&message=*imported").get_json()["imports"]
    assert [each["id"] for each in found] == [first["id"]]
    assert api_on.of("other").get("/v2/zones/tasks/imports").get_json()["imports"] == []
    assert second["status"] == "PENDING"


def test_a_deleted_import_makes_no_zone(api_on: Api) -> None:
    made = start(api_on)
    assert api_on.delete(f"/v2/zones/tasks/imports/{made['id']}").status_code == 204
    assert not jobs.run_once(api_on.core)
    assert refused_body(api_on.get(f"/v2/zones/tasks/imports/{made['id']}")) == {
        "code": 404,
        "type": "zone_import_not_found",
        "message": "Could not find ZoneImport",
    }


def test_imports_of_other_projects_are_not_found(api: Api) -> None:
    made = start(api)
    assert api.of("other").get(f"/v2/zones/tasks/imports/{made['id']}").status_code == 404
    assert api.as_admin_of_all.get(f"/v2/zones/tasks/imports/{made['id']}").status_code == 200


def test_a_rehearsed_import_is_not_kept(api: Api) -> None:
    answer = api.post("/v2/zones/tasks/imports?dry_run=true", data=FILE, headers={"Content-Type": "text/dns"})
    assert answer.status_code == 202
    assert api.get("/v2/zones/tasks/imports").get_json()["imports"] == []


def test_the_body_of_an_import_goes_with_its_end(db: Database) -> None:
    api = make_api(db)
    made = imported(api)
    assert db.read(lambda tx: tasks.body(tx, made["id"])) == b""
