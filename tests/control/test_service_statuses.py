# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import datetime, timedelta

from control.storage.service_statuses import heartbeat
from tests.control.conftest import Api, body_of

NOW = datetime(2026, 11, 22, 12, 0, 0, 5)


def beat(api: Api, host: str, at: datetime = NOW, status: str = "UP") -> None:
    api.core.db.write(lambda tx: heartbeat(tx, "worker", host, at, status=status, stats={"tasks": 3}))


def test_service_that_says_twice_that_it_is_alive_is_there_once(api_on: Api) -> None:
    beat(api_on, "n1")
    beat(api_on, "n1", NOW + timedelta(seconds=10), "WARNING")
    (found,) = api_on.as_admin.get("/v2/service_statuses").get_json()["service_statuses"]
    assert found == {
        "id": found["id"],
        "service_name": "worker",
        "hostname": "n1",
        "status": "WARNING",
        "stats": {"tasks": 3},
        "capabilities": {},
        "heartbeated_at": "2026-11-22T12:00:10.000005",
        "created_at": "2026-11-22T12:00:00.000005",
        "updated_at": "2026-11-22T12:00:10.000005",
        "links": {"self": f"http://localhost/v2/service_statuses/{found['id']}"},
    }
    assert api_on.as_admin.get(found["links"]["self"]).get_json() == found


def test_older_name_lists_and_shows_the_same(api: Api) -> None:
    beat(api, "n1")
    (found,) = api.as_admin.get("/v2/service_status").get_json()["service_statuses"]
    assert api.as_admin.get(f"/v2/service_status/{found['id']}").get_json() == found


def test_services_are_filtered_and_sorted_by_host(api: Api) -> None:
    for host in ("n2", "n1", "m1"):
        beat(api, host)
    found = api.as_admin.get("/v2/service_statuses?hostname=n*&sort_key=hostname").get_json()["service_statuses"]
    assert [one["hostname"] for one in found] == ["n1", "n2"]


def test_services_are_for_admins_and_an_unknown_one_is_404(api: Api) -> None:
    path = "/v2/service_statuses/0e3f2a5c-8f4d-4c5e-9a53-6a3d1a2b3c4d"
    message = "policy find_service_status does not allow this"
    assert body_of(api.get(path)) == {"code": 403, "type": "forbidden", "message": message}
    wanted = {"code": 404, "type": "service_status_not_found", "message": "Could not find ServiceStatus"}
    assert body_of(api.as_admin.get(path)) == wanted
