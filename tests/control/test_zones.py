# SPDX-License-Identifier: Apache-2.0
from tests.control.conftest import Api


def test_created_zone_is_pending_and_can_be_read_again(api_on: Api) -> None:
    zone = api_on.zone("example.org.")
    assert (zone["action"], zone["status"], zone["version"]) == ("CREATE", "PENDING", 1)
    assert api_on.get(f"/v2/zones/{zone['id']}").get_json() == zone


def test_zone_of_another_project_is_not_found(api: Api) -> None:
    zone = api.zone()
    answer = api.of("other").get(f"/v2/zones/{zone['id']}")
    assert answer.status_code == 404
    assert answer.get_json()["type"] == "zone_not_found"


def test_rehearsed_creation_answers_as_the_real_one_and_leaves_nothing(api_on: Api) -> None:
    answer = api_on.post("/v2/zones?dry_run=true", {"name": "example.org.", "email": "joe@example.org"})
    assert answer.status_code == 202
    assert answer.get_json()["status"] == "PENDING"
    assert api_on.get(f"/v2/zones/{answer.get_json()['id']}").status_code == 404
