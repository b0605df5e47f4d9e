# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from control.storage.database import Database
from tests.control.conftest import Api, body_of, make_api

DEFAULTS = {
    "api_export_size": 1000,
    "recordset_records": 20,
    "zone_records": 500,
    "zone_recordsets": 500,
    "zones": 10,
}
OURS = "/v2/quotas/project-1"
ALL = {"X-Auth-All-Projects": "true"}


def test_project_without_quotas_of_its_own_has_the_defaults(api: Api) -> None:
    assert api.get("/v2/quotas").get_json() == DEFAULTS
    assert api.get(OURS).get_json() == DEFAULTS


def test_admin_sets_some_quotas_and_the_others_stay(api_on: Api) -> None:
    answer = api_on.as_admin.patch(OURS, {"zones": -1, "zone_records": "7"})
    assert (answer.status_code, answer.get_json()) == (200, DEFAULTS | {"zones": -1, "zone_records": 7})
    assert api_on.as_admin.patch(OURS, {"zones": 3}).get_json() == DEFAULTS | {"zones": 3, "zone_records": 7}
    assert api_on.get("/v2/quotas").get_json() == DEFAULTS | {"zones": 3, "zone_records": 7}


def test_reset_gives_the_defaults_again(api_on: Api) -> None:
    api_on.as_admin.patch(OURS, {"zones": 3})
    answer = api_on.as_admin.delete(OURS)
    assert (answer.status_code, answer.data) == (204, b"")
    assert api_on.get(OURS).get_json() == DEFAULTS


def test_rehearsed_change_of_quotas_answers_and_changes_nothing(api: Api) -> None:
    assert api.as_admin.patch(OURS + "?dry_run=true", {"zones": 3}).get_json()["zones"] == 3
    assert api.get(OURS).get_json() == DEFAULTS


def test_quotas_of_another_project_need_all_projects_even_of_an_admin(api: Api) -> None:
    admin = api.of("boss", "admin")
    message = "quotas of another project: ask with X-Auth-All-Projects"
    for answer in (admin.get(OURS), admin.patch(OURS, {"zones": 1}), admin.delete(OURS)):
        assert body_of(answer) == {"code": 403, "type": "forbidden", "message": message}
    assert admin.get(OURS, headers=ALL).status_code == 200
    assert admin.patch(OURS, {"zones": 1}, headers=ALL).status_code == 200


def test_member_may_name_his_own_project_in_the_sudo_header_as_openstacksdk_does(api: Api) -> None:
    assert api.get(OURS, headers={"X-Auth-Sudo-Project-ID": "project-1"}).status_code == 200
    answer = api.get(OURS, headers={"X-Auth-Sudo-Project-ID": "other"})
    assert body_of(answer) == {"code": 403, "type": "forbidden", "message": "policy use_sudo does not allow this"}


def test_member_sets_no_quota(api: Api) -> None:
    answer = api.patch(OURS, {"zones": 100})
    assert body_of(answer) == {"code": 403, "type": "forbidden", "message": "policy set_quota does not allow this"}
    answer = api.of("other").get(OURS)
    assert body_of(answer) == {"code": 403, "type": "forbidden", "message": "policy get_quotas does not allow this"}


def test_all_that_is_wrong_with_quotas_is_told_at_once(api: Api) -> None:
    answer = api.as_admin.patch(OURS, {"zones": -2, "zone_records": 2147483648, "domains": 1})
    body = body_of(answer)
    assert (body["code"], body["type"]) == (400, "invalid_object")
    assert body["errors"]["errors"] == [
        {
            "path": ["zone_records"],
            "message": "zone_records: input should be less than or equal to 2147483647",
            "validator": "maximum",
            "validator_value": 2147483647,
        },
        {
            "path": ["zones"],
            "message": "zones: input should be greater than or equal to -1",
            "validator": "minimum",
            "validator_value": -1,
        },
        {
            "path": ["domains"],
            "message": "'domains' is not allowed here",
            "validator": "additionalProperties",
            "validator_value": False,
        },
    ]


def test_limits_are_the_quotas_and_settings_of_the_caller(sqlite: Database) -> None:
    api = make_api(sqlite, min_ttl=60, max_limit=50)
    api.as_admin.patch(OURS, {"zones": 3})
    assert api.get("/v2/limits").get_json() == {
        "max_zones": 3,
        "max_zone_recordsets": 500,
        "max_zone_records": 500,
        "max_recordset_records": 20,
        "min_ttl": 60,
        "max_page_limit": 50,
        "max_zone_name_length": 255,
        "max_recordset_name_length": 255,
    }


# ------------------------------------------------------------------------------------------------------------- /admin


def test_admin_api_has_the_quotas_of_every_project(api: Api) -> None:
    admin, path = api.of("boss", "admin"), "/admin/quotas/project-1"
    assert admin.patch(path, {"quota": {"zones": 0}}).get_json() == {"quota": DEFAULTS | {"zones": 0}}
    assert admin.get(path).get_json() == {"quota": DEFAULTS | {"zones": 0}}
    assert admin.delete(path).status_code == 204
    assert admin.get(path).get_json() == {"quota": DEFAULTS}
    body = body_of(admin.patch(path, {"quota": {"zones": -1}}))
    assert body["errors"]["errors"][0]["path"] == ["quota", "zones"]


@pytest.mark.parametrize("path", ["quotas/project-1", "reports/counts", "reports/tenants", "reports/tenants/x"])
def test_admin_api_is_for_admins(api: Api, path: str) -> None:
    assert body_of(api.get(f"/admin/{path}"))["type"] == "forbidden"


@pytest.mark.parametrize("path", ["quotas/project-1", "reports/counts", "zones/export/x"])
def test_admin_api_can_be_off(sqlite: Database, path: str) -> None:
    answer = make_api(sqlite, admin_api=False).as_admin.get(f"/admin/{path}")
    assert body_of(answer) == {"code": 404, "type": "not_found", "message": "there is nothing at this URL"}


def test_reports_count_zones_records_and_projects(api_on: Api) -> None:
    api_on.recordset(api_on.zone("a.org."), "www.a.org.", "A", "192.0.2.1", "192.0.2.2")
    api_on.zone("b.org.")
    api_on.of("other").zone("c.org.")
    admin = api_on.as_admin
    assert admin.get("/admin/reports/counts").get_json() == {"counts": [{"zones": 3, "records": 2, "tenants": 2}]}
    assert admin.get("/admin/reports/counts/zones").get_json() == {"counts": [{"zones": 3}]}
    delayed = admin.get("/admin/reports/counts/zones_delayed_notify").get_json()
    assert delayed == {"counts": [{"zones_delayed_notify": 0}]}
    tenants = admin.get("/admin/reports/tenants").get_json()
    assert [(one["id"], one["zone_count"]) for one in tenants["tenants"]] == [("other", 1), ("project-1", 2)]
    assert admin.get("/admin/reports/tenants/project-1").get_json() == {
        "id": "project-1",
        "zones_count": 2,
        "zones": ["a.org.", "b.org."],
        "links": {"self": "http://localhost/admin/reports/tenants/project-1"},
    }


def test_unknown_report_is_404_and_names_those_there_are(api: Api) -> None:
    answer = api.as_admin.get("/admin/reports/counts/cats")
    message = "there is no report cats: zones, records, tenants, zones_delayed_notify"
    assert body_of(answer) == {"code": 404, "type": "report_not_found", "message": message}
