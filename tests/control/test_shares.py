# SPDX-License-Identifier: Apache-2.0
"""Zones shared with another project."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.central import shares, transfers
from control.config import ControlConfig
from control.context import Context, roles
from control.errors import Refused
from control.identity import accounts
from control.storage.database import Database
from tests.control.conftest import Api, make_api
from tests.control.test_zones import NO_ZONE, refused, shown


def share(api: Api, zone: dict[str, Any], target: str = "other") -> dict[str, Any]:
    answer = api.post(f"/v2/zones/{zone['id']}/shares", {"target_project_id": target})
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def test_share_has_the_fields_of_designate(api_on: Api) -> None:
    zone = api_on.zone()
    made = share(api_on, zone)
    assert made == {
        "id": made["id"],
        "zone_id": zone["id"],
        "project_id": "project-1",
        "target_project_id": "other",
        "created_at": made["created_at"],
        "updated_at": None,
        "links": {
            "self": f"http://localhost/v2/zones/{zone['id']}/shares/{made['id']}",
            "zone": f"http://localhost/v2/zones/{zone['id']}",
        },
    }
    url = f"/v2/zones/{zone['id']}/shares"
    assert api_on.get(f"{url}/{made['id']}").get_json() == made
    assert api_on.get(url).get_json() == {"shared_zones": [made], "links": {"self": f"http://localhost{url}"}}


def test_shared_zone_is_shown_listed_and_counted_for_the_other_project(api_on: Api) -> None:
    api_on.zone("hidden.org.")
    zone = api_on.zone()
    share(api_on, zone)
    share(api_on, zone, "third")
    other = api_on.of("other")
    own = other.zone("own.org.")
    assert shown(other, zone)["shared"] is True
    listed = other.get("/v2/zones").get_json()
    assert [found["name"] for found in listed["zones"]] == ["example.org.", "own.org."]
    assert listed["metadata"] == {"total_count": 2}
    assert own["shared"] is False


def test_shared_zone_is_not_for_the_other_project_to_change(api: Api) -> None:
    zone = api.zone()
    share(api, zone)
    other = api.of("other")
    assert refused(other.patch(f"/v2/zones/{zone['id']}", {"ttl": 60})) == {
        "code": 403,
        "type": "forbidden",
        "message": "policy update_zone does not allow this",
    }
    assert refused(other.delete(f"/v2/zones/{zone['id']}"))["type"] == "forbidden"
    assert refused(other.post(f"/v2/zones/{zone['id']}/shares", {"target_project_id": "x"}))["type"] == "forbidden"
    body = {"name": "a.example.org.", "email": "joe@example.org"}
    assert refused(other.post("/v2/zones", body))["type"] == "illegal_child"


def test_tag_of_a_zone_tells_that_it_is_shared(api: Api) -> None:
    zone = api.zone()
    before = api.get(f"/v2/zones/{zone['id']}").headers["ETag"]
    share(api, zone)
    answer = api.get(f"/v2/zones/{zone['id']}", headers={"If-None-Match": before})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1.CPs"')


def test_other_project_sees_its_own_shares_only(api: Api) -> None:
    zone = api.zone()
    mine, theirs = share(api, zone), share(api, zone, "third")
    url = f"/v2/zones/{zone['id']}/shares"
    assert api.of("other").get(url).get_json()["shared_zones"] == [mine]
    assert api.get(f"{url}?target_project_id=third").get_json()["shared_zones"] == [theirs]
    assert api.of("other").get(f"{url}?target_project_id=third").get_json()["shared_zones"] == []
    assert refused(api.of("other").get(f"{url}/{mine['id']}"))["type"] == "forbidden"
    assert refused(api.of("fourth").get(url))["type"] == "zone_not_found"


def test_shares_are_paged(api: Api) -> None:
    zone = api.zone()
    made = [share(api, zone, f"p{number}")["id"] for number in range(3)]
    first = api.get(f"/v2/zones/{zone['id']}/shares?limit=2").get_json()
    rest = api.get(first["links"]["next"]).get_json()
    assert [item["id"] for item in first["shared_zones"] + rest["shared_zones"]] == made
    assert "metadata" not in first


def test_share_with_the_same_project_again_is_a_duplicate(api_on: Api) -> None:
    zone = api_on.zone()
    share(api_on, zone)
    assert refused(api_on.post(f"/v2/zones/{zone['id']}/shares", {"target_project_id": "other"})) == {
        "code": 409,
        "type": "duplicate_shared_zone",
        "message": "Duplicate Shared Zone",
    }


def test_share_with_the_owner_is_refused(api: Api) -> None:
    zone = api.zone()
    assert refused(api.post(f"/v2/zones/{zone['id']}/shares", {"target_project_id": "project-1"})) == {
        "code": 400,
        "type": "bad_request",
        "message": "Cannot share the zone with the zone owner.",
    }


def test_share_that_is_not_there_is_not_found(api: Api) -> None:
    zone = api.zone()
    assert refused(api.get(f"/v2/zones/{zone['id']}/shares/{NO_ZONE}")) == {
        "code": 404,
        "type": "shared_zone_not_found",
        "message": "Could not find Shared Zone",
    }


def test_rehearsed_share_is_none(api_on: Api) -> None:
    zone = api_on.zone()
    url = f"/v2/zones/{zone['id']}/shares"
    assert api_on.post(f"{url}?dry_run=true", {"target_project_id": "other"}).status_code == 201
    assert api_on.get(url).get_json()["shared_zones"] == []


def test_unshared_zone_is_out_of_sight(api_on: Api) -> None:
    zone = api_on.zone()
    made = share(api_on, zone)
    answer = api_on.delete(f"/v2/zones/{zone['id']}/shares/{made['id']}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert refused(api_on.of("other").get(f"/v2/zones/{zone['id']}"))["type"] == "zone_not_found"


def test_share_stays_while_the_other_project_has_recordsets(api: Api) -> None:
    zone = api.zone()
    made = share(api, zone)
    api.of("other").recordset(zone, "www.example.org.", "A", "192.0.2.1")
    assert refused(api.delete(f"/v2/zones/{zone['id']}/shares/{made['id']}")) == {
        "code": 400,
        "type": "shared_zone_has_recordsets",
        "message": "project other has recordsets in it",
    }


def test_share_stays_while_the_other_project_has_zones_below(api: Api) -> None:
    zone, child = api.zone(), api.zone("a.example.org.")
    made = share(api, zone)
    request = api.post(f"/v2/zones/{child['id']}/tasks/transfer_requests").get_json()
    accept = {"key": request["key"], "zone_transfer_request_id": request["id"]}
    assert api.of("other").post("/v2/zones/tasks/transfer_accepts", accept).status_code == 201
    assert refused(api.delete(f"/v2/zones/{zone['id']}/shares/{made['id']}")) == {
        "code": 400,
        "type": "shared_zone_has_sub_zone",
        "message": "project other has zones below this one",
    }


def test_shared_zone_is_deleted_with_its_shares_only_where_that_is_asked(api: Api) -> None:
    zone = api.zone()
    share(api, zone)
    assert refused(api.delete(f"/v2/zones/{zone['id']}")) == {
        "code": 400,
        "type": "zone_is_shared",
        "message": "it is shared; delete its shares first, or send X-Designate-Delete-Shares: true",
    }
    answer = api.delete(f"/v2/zones/{zone['id']}", headers={"X-Designate-Delete-Shares": "true"})
    assert (answer.status_code, answer.get_json()["shared"]) == (202, False)


def test_project_that_the_built_in_identity_lacks_gets_no_share(sqlite: Database) -> None:
    api = make_api(sqlite)
    zone = api.zone()
    core = replace(api.core, config=ControlConfig(auth="builtin"))
    owner = Context("test", project_id="project-1", roles=roles("member"))
    known = accounts.create_project(core, "friends")
    assert shares.create(core, owner, zone["id"], known.id).target_project_id == known.id
    for target in ("friends", NO_ZONE):
        with pytest.raises(Refused, match=f"there is no project with the id {target}") as refusal:
            shares.create(core, owner, zone["id"], target)
        assert refusal.value.code == "invalid_project"
        with pytest.raises(Refused, match="there is no project"):
            transfers.create_request(core, owner, zone["id"], target, None)
