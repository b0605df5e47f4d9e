# SPDX-License-Identifier: Apache-2.0
"""Record data as objects: read by Accept, written by Content-Type."""

from __future__ import annotations

from typing import Any

import pytest

from control.api.operations import JSON, STRUCTURED
from tests.control.conftest import Api
from tests.control.test_recordsets import failure, path_of

OBJECTS = {"Accept": STRUCTURED}
WRITTEN = {"Content-Type": STRUCTURED}


def test_records_are_read_as_objects(api: Api) -> None:
    zone = api.zone()
    made = api.recordset(zone, "example.org.", "MX", "10 mail.example.org.")
    for path in (path_of(zone, made), path_of(zone) + "?type=MX", "/v2/recordsets?type=MX"):
        answer = api.get(path, headers=OBJECTS)
        body = answer.get_json()
        assert (answer.mimetype, answer.headers["Vary"]) == (STRUCTURED, "Accept")
        shown = body["recordsets"][0] if "recordsets" in body else body
        assert shown["records"] == [{"preference": 10, "exchange": "mail.example.org."}]


def test_soa_is_an_object_too(api: Api) -> None:
    zone = api.zone()
    shown = api.get(path_of(zone) + "?type=SOA", headers=OBJECTS).get_json()["recordsets"][0]
    assert shown["records"][0]["serial"] == zone["serial"]


def test_records_are_written_as_objects(api_on: Api) -> None:
    zone = api_on.zone()
    body: dict[str, Any] = {"name": "example.org.", "type": "MX"}
    body["records"] = [{"preference": 10, "exchange": "mail.example.org."}]
    answer = api_on.post(path_of(zone), body, headers=WRITTEN)
    assert (answer.status_code, answer.mimetype) == (202, JSON)
    made = answer.get_json()
    assert made["records"] == ["10 mail.example.org."]
    changed = {"records": [{"preference": 20, "exchange": "mail.example.org."}]}
    answer = api_on.put(path_of(zone, made), changed, headers=WRITTEN | OBJECTS)
    assert (answer.get_json()["records"], answer.mimetype) == (changed["records"], STRUCTURED)


def test_what_was_read_as_objects_may_be_put_back(api: Api) -> None:
    zone = api.zone()
    made = api.recordset(zone, "www.example.org.", "TXT", '"a" "b"')
    shown = api.get(path_of(zone, made), headers=OBJECTS).get_json()
    assert api.put(path_of(zone, made), shown, headers=WRITTEN | OBJECTS).get_json()["serial"] == made["serial"]


def test_changes_take_and_give_objects(api: Api) -> None:
    zone = api.zone()
    item = {"action": "create", "name": "a.example.org.", "type": "A", "records": [{"address": "192.0.2.1"}]}
    answer = api.post(f"/v2/zones/{zone['id']}/changes", {"changes": [item]}, headers=WRITTEN | OBJECTS)
    assert answer.get_json()["recordsets"][0]["records"] == item["records"]


def test_single_records_are_taken_as_objects(api: Api) -> None:
    zone = api.zone()
    made = api.recordset(zone, "a.example.org.", "A", "192.0.2.1")
    answer = api.post(path_of(zone, made) + "/records", {"records": [{"address": "192.0.2.2"}]}, headers=WRITTEN)
    assert answer.get_json()["records"] == ["192.0.2.1", "192.0.2.2"]


def test_wrong_object_says_what_is_wrong_in_it(api: Api) -> None:
    body = {"name": "example.org.", "type": "MX", "records": [{"preference": 70000}]}
    problems = failure(api.post(path_of(api.zone()), body, headers=WRITTEN))["errors"]["errors"]
    assert [problem["path"] for problem in problems] == [["records", 0]]
    assert "preference" in problems[0]["message"]
    assert "exchange" in problems[0]["message"]


@pytest.mark.parametrize(
    ("records", "headers"), [(["192.0.2.1"], WRITTEN), ([{"address": "192.0.2.1"}], {"Content-Type": JSON})]
)
def test_each_form_has_its_content_type(api: Api, records: list[Any], headers: dict[str, str]) -> None:
    body = {"name": "a.example.org.", "type": "A", "records": records}
    problems = failure(api.post(path_of(api.zone()), body, headers=headers))["errors"]["errors"]
    assert problems[0]["path"] == ["records", 0]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (STRUCTURED, STRUCTURED),
        (f"{STRUCTURED}, {JSON}", STRUCTURED),
        (f"{STRUCTURED};q=0.5, {JSON}", JSON),
        (f"{STRUCTURED}, */*;q=0.1", STRUCTURED),
        ("text/html, */*;q=0.1", JSON),
    ],
)
def test_accept_chooses_the_form(api: Api, accept: str, wanted: str) -> None:
    zone = api.zone()
    assert api.get(path_of(zone), headers={"Accept": accept}).mimetype == wanted


@pytest.mark.parametrize("accept", ["text/html", "application/xml;q=1", f"{JSON};q=0"])
def test_what_we_can_t_give_is_406_before_anything_is_written(api: Api, accept: str) -> None:
    zone = api.zone()
    body = {"name": "a.example.org.", "type": "A", "records": ["192.0.2.1"]}
    wanted = {
        "code": 406,
        "type": "unsupported_accept",
        "message": f"Accept allows none of what this can be had as: {JSON}, {STRUCTURED}",
    }
    assert failure(api.get(path_of(zone), headers={"Accept": accept})) == wanted
    assert failure(api.post(path_of(zone), body, headers={"Accept": accept})) == wanted
    assert api.get(path_of(zone)).get_json()["metadata"]["total_count"] == 2


def test_other_content_types_are_415(api: Api) -> None:
    answer = api.post(path_of(api.zone()), data="name=x", headers={"Content-Type": "text/plain"})
    assert failure(answer) == {
        "code": 415,
        "type": "unsupported_content_type",
        "message": f"Content-Type must be {JSON} or {STRUCTURED}",
    }
