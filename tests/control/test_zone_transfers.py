# SPDX-License-Identifier: Apache-2.0
"""Zones that go to another project."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.control.conftest import Api, make_api
from tests.control.test_zones import NO_ZONE, names, refused, shown

REQUESTS = "/v2/zones/tasks/transfer_requests"
ACCEPTS = "/v2/zones/tasks/transfer_accepts"


def offer(api: Api, zone: dict[str, Any], **values: Any) -> dict[str, Any]:
    answer = api.post(f"/v2/zones/{zone['id']}/tasks/transfer_requests", values or None)
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def accepting(request: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"key": request["key"], "zone_transfer_request_id": request["id"], **values}


def test_request_shows_its_key_to_the_owner(api_on: Api) -> None:
    zone = api_on.zone()
    answer = api_on.post(f"/v2/zones/{zone['id']}/tasks/transfer_requests", {"description": "yours"})
    request = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == request["links"]["self"]
    assert re.fullmatch("[A-Z0-9]{8}", request["key"])
    assert request == {
        "id": request["id"],
        "zone_id": zone["id"],
        "zone_name": "example.org.",
        "project_id": "project-1",
        "target_project_id": None,
        "description": "yours",
        "key": request["key"],
        "status": "ACTIVE",
        "created_at": request["created_at"],
        "updated_at": None,
        "links": {"self": f"http://localhost{REQUESTS}/{request['id']}"},
    }
    assert api_on.get(f"{REQUESTS}/{request['id']}").get_json() == request
    assert api_on.get(REQUESTS).get_json()["transfer_requests"] == [request]


def test_request_without_a_target_is_shown_to_anyone_with_its_id_but_not_the_key(api: Api) -> None:
    request = offer(api, api.zone())
    assert api.of("other").get(f"{REQUESTS}/{request['id']}").get_json() == {
        key: request[key] for key in ("id", "zone_id", "zone_name", "description", "status", "links")
    }
    assert api.of("other").get(REQUESTS).get_json()["transfer_requests"] == []


def test_request_for_a_project_is_listed_there_and_hidden_elsewhere(api: Api) -> None:
    request = offer(api, api.zone(), target_project_id="other")
    assert [found["id"] for found in api.of("other").get(REQUESTS).get_json()["transfer_requests"]] == [request["id"]]
    assert api.of("third").get(REQUESTS).get_json()["transfer_requests"] == []
    expected = {
        "code": 404,
        "type": "zone_transfer_request_not_found",
        "message": "Could not find ZoneTransferRequest",
    }
    assert refused(api.of("third").get(f"{REQUESTS}/{request['id']}")) == expected
    assert refused(api.get(f"{REQUESTS}/{NO_ZONE}")) == expected


def test_accepted_zone_is_the_other_projects_with_all_that_is_in_it(api_on: Api) -> None:
    zone = api_on.zone()
    api_on.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    request = offer(api_on, zone)
    other = api_on.of("other")
    answer = other.post(ACCEPTS, accepting(request))
    accept = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == accept["links"]["self"]
    assert accept == {
        "id": accept["id"],
        "zone_transfer_request_id": request["id"],
        "project_id": "other",
        "zone_id": zone["id"],
        "key": request["key"],
        "status": "COMPLETE",
        "created_at": accept["created_at"],
        "updated_at": None,
        "links": {
            "self": f"http://localhost{ACCEPTS}/{accept['id']}",
            "zone": f"http://localhost/v2/zones/{zone['id']}",
        },
    }
    assert other.get(f"{ACCEPTS}/{accept['id']}").get_json() == {**accept, "key": None}
    assert api_on.get(f"{REQUESTS}/{request['id']}").get_json()["status"] == "COMPLETE"
    assert (names(api_on, ""), names(other, "")) == ([], ["example.org."])
    assert shown(other, zone)["serial"] >= zone["serial"]
    owners = {found["project_id"] for found in other.get("/v2/recordsets").get_json()["recordsets"]}
    assert owners == {"other"}
    assert api_on.get("/v2/recordsets").get_json()["recordsets"] == []
    assert other.get("/v2/recordsets?data=192.0.2.1").get_json()["metadata"]["total_count"] == 1


def test_shares_go_with_the_zone_but_not_the_one_with_its_new_owner(api: Api) -> None:
    zone = api.zone()
    for target in ("other", "third"):
        api.post(f"/v2/zones/{zone['id']}/shares", {"target_project_id": target})
    api.of("other").post(ACCEPTS, accepting(offer(api, zone)))
    shares = api.of("other").get(f"/v2/zones/{zone['id']}/shares").get_json()["shared_zones"]
    assert [(share["project_id"], share["target_project_id"]) for share in shares] == [("other", "third")]


def test_nearest_zone_above_decides_whose_zones_may_be_below(api: Api) -> None:
    api.zone("example.org.")
    child = api.zone("a.example.org.")
    api.of("other").post(ACCEPTS, accepting(offer(api, child)))
    api.of("other").zone("b.a.example.org.")
    body = {"name": "c.a.example.org.", "email": "joe@example.org"}
    assert refused(api.post("/v2/zones", body))["type"] == "illegal_child"


def test_rehearsed_acceptance_moves_nothing(api_on: Api) -> None:
    request = offer(api_on, api_on.zone())
    assert api_on.of("other").post(f"{ACCEPTS}?dry_run=true", accepting(request)).status_code == 201
    assert api_on.get(f"{REQUESTS}/{request['id']}").get_json() == request
    assert names(api_on, "") == ["example.org."]


def test_wrong_key_is_refused(api: Api) -> None:
    request = offer(api, api.zone())
    assert refused(api.of("other").post(ACCEPTS, accepting(request, key="é" * 8))) == {
        "code": 403,
        "type": "invalid_key",
        "message": "Key does not match stored key for Zone Transfer Request",
    }


def test_request_is_accepted_once_and_not_by_its_owner(api: Api) -> None:
    request = offer(api, api.zone())
    expected = {
        "code": 400,
        "type": "invalid_zone_transfer_request",
        "message": "Zone Transfer Request does not exist or is not active",
    }
    assert refused(api.post(ACCEPTS, accepting(request))) == expected
    assert api.of("other").post(ACCEPTS, accepting(request)).status_code == 201
    assert refused(api.of("third").post(ACCEPTS, accepting(request))) == expected


def test_request_for_a_project_is_accepted_by_no_other(api: Api) -> None:
    request = offer(api, api.zone(), target_project_id="other")
    assert refused(api.of("third").post(ACCEPTS, accepting(request)))["type"] == "forbidden"
    assert api.of("other").post(ACCEPTS, accepting(request)).status_code == 201


def test_reader_accepts_nothing(api: Api) -> None:
    request = offer(api, api.zone())
    assert refused(api.of("other", "reader").post(ACCEPTS, accepting(request)))["type"] == "forbidden"


def test_quota_of_the_accepting_project_counts(sqlite: Any) -> None:
    api = make_api(sqlite, quota_zones=1)
    request = offer(api, api.zone())
    api.of("other").zone("own.org.")
    body = {"code": 413, "type": "over_quota", "message": "Quota exceeded for zones."}
    assert refused(api.of("other").post(ACCEPTS, accepting(request))) == body


def test_zone_has_one_active_request_at_most(api_on: Api) -> None:
    zone = api_on.zone()
    request = offer(api_on, zone)
    assert refused(api_on.post(f"/v2/zones/{zone['id']}/tasks/transfer_requests")) == {
        "code": 409,
        "type": "duplicate_zone_transfer_request",
        "message": "Duplicate Zone Transfer Request",
    }
    assert api_on.delete(f"{REQUESTS}/{request['id']}").status_code == 204
    offer(api_on, zone)


def test_zone_in_deletion_is_not_offered(api: Api) -> None:
    zone = api.zone()
    request = offer(api, zone)
    api.delete(f"/v2/zones/{zone['id']}")
    expected = {"code": 400, "type": "bad_request", "message": "the zone is being deleted"}
    assert refused(api.post(f"/v2/zones/{zone['id']}/tasks/transfer_requests")) == expected
    assert refused(api.of("other").post(ACCEPTS, accepting(request))) == expected


def test_request_may_be_described_and_aimed_once(api_on: Api) -> None:
    request = offer(api_on, api_on.zone())
    url = f"{REQUESTS}/{request['id']}"
    new = api_on.patch(url, {**request, "description": "new", "target_project_id": "other"})
    assert (new.status_code, new.get_json()["target_project_id"]) == (200, "other")
    assert new.get_json()["updated_at"]
    assert api_on.patch(url, new.get_json()).get_json() == new.get_json()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"zone_id": NO_ZONE}, "a request can't be for another zone"),
        ({"target_project_id": "third"}, "the target project of a request can't be changed once it is set"),
    ],
)
def test_zone_and_target_of_a_request_stay(api: Api, body: dict[str, str], message: str) -> None:
    request = offer(api, api.zone(), target_project_id="other")
    answer = refused(api.patch(f"{REQUESTS}/{request['id']}", body))
    assert answer == {"code": 400, "type": "invalid_operation", "message": message}


def test_request_is_changed_and_taken_back_by_its_owner_alone(api: Api) -> None:
    request = offer(api, api.zone())
    url = f"{REQUESTS}/{request['id']}"
    assert refused(api.of("other").patch(url, {"description": "x"}))["type"] == "forbidden"
    assert refused(api.of("other").delete(url))["type"] == "forbidden"


def test_accepts_are_listed_for_admins_and_shown_to_those_who_made_them(api: Api) -> None:
    accept = api.of("other").post(ACCEPTS, accepting(offer(api, api.zone()))).get_json()
    assert refused(api.of("other").get(ACCEPTS))["type"] == "forbidden"
    listed = api.as_admin_of_all.get(f"{ACCEPTS}?status=COMPLETE").get_json()
    assert [found["id"] for found in listed["transfer_accepts"]] == [accept["id"]]
    assert listed["metadata"] == {"total_count": 1}
    assert refused(api.get(f"{ACCEPTS}/{accept['id']}")) == {
        "code": 404,
        "type": "zone_transfer_accept_not_found",
        "message": "Could not find ZoneTransferAccept",
    }


def test_body_of_an_acceptance_has_both_its_fields(api: Api) -> None:
    problems = refused(api.post(ACCEPTS, {"zone_transfer_request_id": "x"}))["errors"]["errors"]
    assert [problem["path"] for problem in problems] == [["key"], ["zone_transfer_request_id"]]
