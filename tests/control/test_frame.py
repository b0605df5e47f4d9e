# SPDX-License-Identifier: Apache-2.0
"""What happens around every request, whatever it asks for."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from control.api.app import create_app
from control.central.core import Core
from control.config import ControlConfig
from control.storage.database import Database
from tests.control.conftest import Api, body_of, make_api

REQUEST_ID = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PAGE = {"Origin": "https://ui.example.org"}
PREFLIGHT = {**PAGE, "Access-Control-Request-Method": "PATCH"}


# ----------------------------------------------------------------------------------------------------------- paths


def test_v2_answers_with_the_version_document_and_so_does_the_root(api: Api) -> None:
    assert api.get("/v2").get_json() == api.get("/").get_json()
    assert api.get("/v2/").status_code == 200


def test_slash_at_the_end_changes_nothing(api: Api) -> None:
    assert api.get("/healthcheck/").text == "OK"


def test_unknown_path_is_404_with_a_json_body(api: Api) -> None:
    for path in ("/v2/nothere", "/nothere", "/v2/nothere/", "/admin/nothere", "/v2/zones.json"):
        answer = api.get(path)
        assert body_of(answer) == {"code": 404, "type": "not_found", "message": "there is nothing at this URL"}


def test_method_that_a_path_has_not_is_405_and_names_those_it_has(api: Api) -> None:
    answer = api.delete("/v2")
    assert body_of(answer) == {"code": 405, "type": "method_not_allowed"}
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_head_has_the_headers_of_get_and_no_body(api: Api) -> None:
    answer = api.request("HEAD", "/v2")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == api.get("/v2").headers["Content-Length"]


def test_links_name_the_host_that_the_proxy_was_asked_for_where_proxies_are_believed(sqlite: Database) -> None:
    headers = {"X-Forwarded-Host": "dns.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/dns"}
    believed = make_api(sqlite, proxies=1).get("/", headers=headers).get_json()
    assert believed["versions"][0]["links"][0]["href"] == "https://dns.example.org/dns/v2"
    ignored = make_api(sqlite).get("/", headers=headers).get_json()
    assert ignored["versions"][0]["links"][0]["href"] == "http://localhost/v2"


# ---------------------------------------------------------------------------------------------------------- requests


def test_every_answer_has_a_request_id_of_its_own(api: Api) -> None:
    ids = {api.get(path).headers["X-Openstack-Request-Id"] for path in ("/", "/v2/nothere", "/healthcheck")}
    assert len(ids) == 3
    assert all(REQUEST_ID.fullmatch(one) for one in ids)


def test_request_id_of_the_caller_goes_to_the_logs(sqlite: Database, caplog: pytest.LogCaptureFixture) -> None:
    api, theirs = make_api(sqlite), "req-7f1c66c4-9f3c-4d0d-b3cd-9a1c4d5c1a10"
    api.app.view_functions["GET /"] = lambda: 1 / 0
    with caplog.at_level(logging.ERROR):
        answer = api.get("/", headers={"X-OpenStack-Request-ID": theirs})
    assert body_of(answer) == {"code": 500, "type": "unknown"}
    assert {getattr(record, "fields", {}).get("global_request_id") for record in caplog.records} == {theirs}
    assert answer.headers["X-Openstack-Request-Id"] != theirs


def test_accept_of_what_we_do_not_have_is_406(api: Api) -> None:
    answer = api.get("/v2/limits", headers={"Accept": "text/html"})
    types = "application/json, application/vnd.openstack.dns-v2+json"
    message = f"Accept allows none of what this can be had as: {types}"
    assert body_of(answer) == {"code": 406, "type": "unsupported_accept", "message": message}


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html, application/*;q=0.5", ""])
def test_accept_that_takes_json_gets_json(api: Api, accept: str) -> None:
    assert api.get("/v2/limits", headers={"Accept": accept}).status_code == 200


def test_body_over_the_limit_is_413(sqlite: Database) -> None:
    answer = make_api(sqlite, max_body_size=1024).as_admin.patch("/v2/quotas/project-1", {"zones": "1" * 1024})
    assert body_of(answer) == {
        "code": 413,
        "type": "request_too_large",
        "message": "the body is larger than this request may have",
    }


# ----------------------------------------------------------------------------------------------------------- service


def test_healthcheck_needs_no_identity(api_on: Api) -> None:
    answer = api_on.app.test_client().get("/healthcheck")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "OK", "text/plain")


def test_healthcheck_is_503_while_the_file_is_there(sqlite: Database, tmp_path: Path) -> None:
    api = make_api(sqlite, healthcheck_disable_file=tmp_path / "disable")
    assert api.get("/healthcheck").status_code == 200
    (tmp_path / "disable").touch()
    answer = api.get("/healthcheck")
    assert (answer.status_code, answer.text) == (503, "DISABLED BY FILE")


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/none", "mariadb://nobody@127.0.0.1:1/none", "sqlite:////proc/none.db"]
)
def test_database_that_is_away_is_503(url: str) -> None:
    api = Api(None, create_app(Core(Database(url), ControlConfig(auth="none"))))  # type: ignore[arg-type]  # unused
    answer = api.get("/v2/limits")
    message = "the database does not answer"
    assert body_of(answer) == {"code": 503, "type": "database_unavailable", "message": message}
    answer = api.get("/healthcheck")
    assert (answer.status_code, answer.text) == (503, f"UNAVAILABLE: {message}")


def test_maintenance_serves_only_the_role_that_may(sqlite: Database) -> None:
    api = make_api(sqlite, maintenance_mode=True, maintenance_mode_role="admin")
    answer = api.get("/v2/limits")
    message = "the service is being maintained; please try again later"
    assert body_of(answer) == {"code": 503, "type": "maintenance", "message": message}
    assert answer.headers["Retry-After"] == "60"
    assert api.get("/").status_code == 200
    assert api.as_admin.get("/v2/limits").status_code == 200


# -------------------------------------------------------------------------------------------------------------- CORS


def test_preflight_names_every_header_that_clients_send(sqlite: Database) -> None:
    api = make_api(sqlite, cors_origins=("https://ui.example.org",))
    answer = api.request("OPTIONS", "/v2/zones", headers=PREFLIGHT)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://ui.example.org"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, PUT, POST, DELETE, PATCH, HEAD"
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"X-Auth-Token", "X-Designate-Delete-Shares", "OpenStack-DNS-Hide-Counts", "If-Match"} <= set(allowed)


def test_answer_may_be_read_by_the_pages_that_were_named_and_by_no_others(sqlite: Database) -> None:
    api = make_api(sqlite, cors_origins=("https://ui.example.org",))
    answer = api.get("/", headers=PAGE)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://ui.example.org"
    assert "X-OpenStack-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "Origin"
    other = api.get("/", headers={"Origin": "https://evil.example.net"})
    assert "Access-Control-Allow-Origin" not in other.headers
    refused = api.request("OPTIONS", "/", headers={**PREFLIGHT, "Origin": "https://evil.example.net"})
    assert "Access-Control-Allow-Methods" not in refused.headers


def test_errors_may_be_read_too(sqlite: Database) -> None:
    answer = make_api(sqlite, cors_origins=("*",)).get("/nothere", headers=PAGE)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_without_the_setting_no_page_may_read_anything(api: Api) -> None:
    assert not [name for name, _ in api.get("/", headers=PAGE).headers if name.startswith("Access-Control")]
