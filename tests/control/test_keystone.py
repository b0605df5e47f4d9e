# SPDX-License-Identifier: Apache-2.0
"""auth = keystone: the real keystonemiddleware, which asks our own identity as its Keystone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from control.api import identity
from control.config import ControlConfig, load
from control.identity import accounts
from control.storage.database import Database
from fastmdns.errors import ConfigError
from tests.control.conftest import Api, make_api
from tests.control.logins import PASSWORD, World, make_world, serving
from tests.nameservers import free_port

pytest.importorskip("keystonemiddleware", reason="pip install 'fastmdns[keystone]'")
# WebOb, which the middleware is built on, imports what Python 3.13 has no more; and the middleware hides what fails.
pytestmark = pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning")


def settings_for(url: str) -> dict[str, Any]:
    return {
        "auth_url": f"{url}/identity",
        "www_authenticate_uri": f"{url}/identity",
        "auth_type": "password",
        "username": "root",
        "password": PASSWORD,
        "project_name": "ops",
        "user_domain_id": "default",
        "project_domain_id": "default",
        "token_cache_time": -1,
        "http_request_max_retries": 0,
    }


@pytest.fixture
def world(sqlite: Database) -> World:
    return make_world(sqlite)


@pytest.fixture
def keystone(world: World) -> Iterator[str]:
    with serving(world.api.app) as url:
        yield url


@pytest.fixture
def dns(keystone: str, world: World) -> Api:
    """The API that asks it; without headers."""
    made = make_api(world.api.core.db, auth="keystone", keystone=settings_for(keystone))
    return Api(made.core, made.app)


def test_token_of_a_keystone_says_who_asks(dns: Api, world: World) -> None:
    joe = dns.with_headers({"X-Auth-Token": world.token("joe")})
    assert joe.zone()["project_id"] == world.projects["alpha"]


def test_what_a_client_says_of_himself_is_not_believed(dns: Api, world: World) -> None:
    claims = {"X-Roles": "admin", "X-Project-Id": world.projects["ops"], "X-Identity-Status": "Confirmed"}
    ann = dns.with_headers({"X-Auth-Token": world.token("ann"), **claims})
    answer = ann.post("/v2/zones", {"name": "example.org.", "email": "joe@example.org"})
    assert answer.status_code == 403
    assert dns.with_headers(claims).get("/v2/zones").status_code == 401


@pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": "wrong"}])
def test_no_token_and_a_wrong_one_are_refused_as_by_keystone(dns: Api, keystone: str, headers: Any) -> None:
    answer = dns.with_headers(headers).get("/v2/zones")
    assert answer.status_code == 401
    assert answer.get_json()["error"]["title"] == "Unauthorized"
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{keystone}/identity"'
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")


def test_revoked_token_is_refused(dns: Api, world: World) -> None:
    joe = dns.with_headers({"X-Auth-Token": world.token("joe")})
    assert joe.get("/v2/zones").status_code == 200
    accounts.set_user(world.api.core, "joe", enabled=False)
    assert joe.get("/v2/zones").status_code == 401


def test_roles_of_the_keystone_count(dns: Api, world: World) -> None:
    everyone = {"X-Auth-All-Projects": "true"}
    for user, status in (("root", 200), ("joe", 403)):
        caller = dns.with_headers({"X-Auth-Token": world.token(user), **everyone})
        assert caller.get("/v2/zones").status_code == status


def test_identity_of_our_own_is_not_there(dns: Api) -> None:
    assert dns.get("/identity").status_code == 404


def test_version_document_needs_no_keystone(sqlite: Database) -> None:
    settings = settings_for(f"http://127.0.0.1:{free_port()}")
    alone = make_api(sqlite, auth="keystone", keystone=settings)
    assert alone.get("/").status_code == 200


def test_keystone_that_does_not_answer_is_said_so(sqlite: Database) -> None:
    settings = settings_for(f"http://127.0.0.1:{free_port()}")
    alone = make_api(sqlite, auth="keystone", keystone=settings).with_headers({"X-Auth-Token": "any"})
    answer = alone.get("/v2/zones")
    body = answer.get_json()
    assert answer.status_code == 504
    assert body == {
        "code": 504,
        "type": "keystone_communication_failure",
        "message": "Keystone does not answer, so it is not known who asks",
        "request_id": body["request_id"],
    }


def test_token_of_the_system_is_refused(dns: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own identity gives none: so its answer is changed on its way."""
    plain = identity._token

    def of_the_system(call: Any, holder: Any) -> dict[str, Any]:
        token = plain(call, holder)
        if holder.user_name == "joe":
            del token["project"]
            token["system"] = {"all": True}
        return token

    monkeypatch.setattr(identity, "_token", of_the_system)
    answer = dns.with_headers({"X-Auth-Token": world.token("joe")}).get("/v2/zones")
    body = answer.get_json()
    assert answer.status_code == 403
    assert body == {
        "code": 403,
        "type": "invalid_token_scope",
        "message": "tokens of the system are not for projects: scope the token to a project",
        "request_id": body["request_id"],
    }


def test_settings_without_a_keystone_are_refused(tmp_path: Any) -> None:
    file = tmp_path / "control.toml"
    file.write_text('auth = "keystone"\n')
    with pytest.raises(ConfigError, match="auth = keystone needs a table \\[keystone\\] with auth_url"):
        load(file, {})


def test_password_of_the_service_is_in_no_repr() -> None:
    assert "s3cret" not in repr(ControlConfig(auth="keystone", keystone={"auth_url": "x", "password": "s3cret"}))
