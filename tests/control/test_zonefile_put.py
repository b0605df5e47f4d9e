# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from control.api.errors import STATUS
from tests.control.conftest import Api, make_api

HEAD = "$ORIGIN example.org.\n$TTL 3600\n@ SOA a. b.example.org. 1 2 3 4 5\n"


def put(api: Api, zone: dict[str, Any], text: str, query: str = "") -> Any:
    return api.put(f"/v2/zones/{zone['id']}/zonefile{query}", data=text, headers={"Content-Type": "text/dns"})


def recordsets(api: Api, zone: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    found = api.get(f"/v2/zones/{zone['id']}/recordsets?limit=max").get_json()["recordsets"]
    return {(each["name"], each["type"]): each for each in found}


def filled(api: Api) -> dict[str, Any]:
    zone = api.zone()
    api.recordset(zone, "same.example.org.", "A", "192.0.2.2", "192.0.2.1", description="stays")
    api.recordset(zone, "Changed.example.org.", "TXT", "old", "kept")
    api.recordset(zone, "gone.example.org.", "A", "192.0.2.1")
    return api.get(f"/v2/zones/{zone['id']}").get_json()


NEW = (
    HEAD
    + """\
@ NS ns.elsewhere.net.
same A 192.0.2.1
same A 192.0.2.2
changed TXT kept
changed TXT "new"
more 60 AAAA 2001:db8::1
"""
)


def test_only_what_differs_is_touched_and_the_rest_keeps_its_ids(api_on: Api) -> None:
    zone = filled(api_on)
    before = recordsets(api_on, zone)
    answer = put(api_on, zone, NEW)
    after = recordsets(api_on, zone)
    now = api_on.get(f"/v2/zones/{zone['id']}").get_json()
    assert (answer.status_code, answer.get_json()) == (
        202,
        {
            "serial": now["serial"],
            "created": 1,
            "updated": 1,
            "deleted": 1,
            "unchanged": 1,
            "links": {"self": f"http://localhost/v2/zones/{zone['id']}/zonefile"},
        },
    )
    assert now["serial"] > zone["serial"]
    assert after["same.example.org.", "A"] == {**before["same.example.org.", "A"], "status": "PENDING"}
    changed = after["Changed.example.org.", "TXT"]
    assert changed["id"] == before["Changed.example.org.", "TXT"]["id"]
    assert (changed["records"], changed["ttl"]) == (["kept", '"new"'], None)
    assert (after["more.example.org.", "AAAA"]["ttl"], "gone.example.org." in after) == (60, False)
    assert after["example.org.", "NS"]["records"] == ["ns1.example.net.", "ns2.example.net."]


def test_the_file_that_was_read_changes_nothing(api_on: Api) -> None:
    zone = filled(api_on)
    text = api_on.get(f"/v2/zones/{zone['id']}/zonefile").text
    answer = put(api_on, zone, text)
    assert (answer.status_code, answer.get_json()["unchanged"]) == (200, 3)
    assert api_on.get(f"/v2/zones/{zone['id']}").get_json() == zone


def test_a_rehearsal_answers_the_counts_and_changes_nothing(api_on: Api) -> None:
    zone = filled(api_on)
    before = recordsets(api_on, zone)
    answer = put(api_on, zone, NEW, "?dry_run=true").get_json()
    assert [answer[key] for key in ("created", "updated", "deleted", "unchanged")] == [1, 1, 1, 1]
    assert recordsets(api_on, zone) == before


def test_the_numbers_of_the_file_do_not_move_the_zones_own(api: Api) -> None:
    zone = filled(api)
    put(api, zone, HEAD)
    now = api.get(f"/v2/zones/{zone['id']}").get_json()
    assert (now["email"], now["ttl"]) == (zone["email"], zone["ttl"])
    assert set(recordsets(api, zone)) == {("example.org.", "SOA"), ("example.org.", "NS")}


def problem(message: str, validator: str = "format", value: Any = None) -> dict[str, Any]:
    return {"path": ["zonefile"], "message": message, "validator": validator, "validator_value": value}


@pytest.mark.parametrize(
    ("text", "code", "problems"),
    [
        (
            HEAD + "www A 192.0.2\nwww MX x\n",
            "invalid_object",
            [
                problem('line 4, column 7: expected an IPv4 address, found "192.0.2"'),
                problem('line 5, column 8: expected a number, found "x"'),
            ],
        ),
        ("www.example.org. 60 A 192.0.2.1\n", "invalid_object", [problem("An SOA record is required.", "required")]),
        (
            HEAD + "www.example.com. 60 A 192.0.2.1\n",
            "invalid_object",
            [problem('line 4, column 1: the owner is not within the zone: "www.example.com."')],
        ),
        (
            HEAD + "srv SRV 1 2 3 .\n",
            "invalid_object",
            [
                problem(
                    "srv.example.org. SRV: 'srv.example.org.' is no name of an SRV record:"
                    " _sip._tcp.example.org. is one"
                )
            ],
        ),
        (
            HEAD + "a.child A 192.0.2.1\n",
            "invalid_recordset_location",
            [problem("a.child.example.org. A: a.child.example.org. belongs in a child zone", "location")],
        ),
        (
            HEAD + "@ DS 1 8 1 0123456789012345678901234567890123456789\n",
            "invalid_recordset_location",
            [problem("example.org. DS: the DS records of a zone belong in its parent", "location")],
        ),
        (
            HEAD + "tiny 1 A 192.0.2.1\n",
            "invalid_ttl",
            [problem("tiny.example.org. A: a TTL of 1 is below the least allowed, 10", "minimum", 10)],
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_nothing_is_changed(
    api: Api, text: str, code: str, problems: list[dict[str, Any]]
) -> None:
    api = make_api(api.core.db, min_ttl=10)
    zone = api.zone()
    api.zone("child.example.org.")
    answer = put(api, zone, text)
    body = answer.get_json()
    assert body == {
        "code": STATUS[code],
        "type": code,
        "message": "; ".join(each["message"] for each in problems),
        "request_id": body["request_id"],
        "errors": {"errors": problems},
    }
    assert api.get(f"/v2/zones/{zone['id']}").get_json()["serial"] == zone["serial"]


def test_quotas_hold_for_what_becomes_more(api: Api) -> None:
    zone = filled(api)
    few = make_api(api.core.db, quota_zone_records=2)
    body = put(few, zone, HEAD + "".join(f"a{number} A 192.0.2.1\n" for number in range(6))).get_json()
    assert (body["code"], body["type"], body["message"]) == (413, "over_quota", "Quota exceeded for zone_records.")
    assert put(few, zone, HEAD + "a A 192.0.2.1\nb A 192.0.2.2\nc A 192.0.2.3\n").status_code == 202


def test_a_secondary_zone_is_not_replaced(api: Api) -> None:
    answer = api.post("/v2/zones", {"name": "example.org.", "type": "SECONDARY", "masters": ["192.0.2.1"]})
    body = put(api, answer.get_json(), HEAD).get_json()
    assert (body["type"], body["message"]) == ("forbidden", "the records of a SECONDARY zone can't be changed here")


def test_only_zone_text_replaces_a_zone(api: Api) -> None:
    answer = api.put(f"/v2/zones/{api.zone()['id']}/zonefile", {})
    assert (answer.status_code, answer.get_json()["message"]) == (415, "Content-Type must be text/dns")
