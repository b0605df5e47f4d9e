# SPDX-License-Identifier: Apache-2.0
"""The built-in identity over HTTP: Keystone's API v3, as clients use it."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Any

import pytest

from control.api.app import create_app
from control.identity import accounts, bootstrap, passwords
from control.storage import tokens
from control.storage.accounts import find_users
from control.storage.database import Database
from control.storage.ids import utcnow
from control.storage.tables import tokens as table
from tests.control.conftest import Api
from tests.control.logins import PASSWORD, TOKENS, World, make_world, password_of


@pytest.fixture
def world(sqlite: Database) -> World:
    return make_world(sqlite)


@pytest.fixture
def world_on(db: Database) -> World:
    return make_world(db)


UNAUTHORIZED = {
    "error": {
        "code": 401,
        "title": "Unauthorized",
        "message": "The request you have made requires authentication.",
    }
}


def refused(answer: Any) -> bool:
    return bool(answer.status_code == 401 and answer.get_json() == UNAUTHORIZED)


# --------------------------------------------------------------------------------------------------------- discovery


@pytest.mark.parametrize("path", ["/identity", "/identity/"])
def test_versions_are_offered_without_a_token(world: World, path: str) -> None:
    answer = world.api.get(path)
    assert answer.status_code == 300
    (version,) = answer.get_json()["versions"]["values"]
    assert version["id"].startswith("v3")
    assert version["status"] == "stable"
    assert version["links"] == [{"rel": "self", "href": "http://localhost/identity/v3/"}]


@pytest.mark.parametrize("path", ["/identity/v3", "/identity/v3/"])
def test_version_3_tells_of_itself(world: World, path: str) -> None:
    answer = world.api.get(path)
    assert (answer.status_code, answer.get_json()["version"]["status"]) == (200, "stable")


def test_identity_and_api_tokens_are_there_with_auth_builtin_only(api: Api) -> None:
    assert api.get("/identity").status_code == 404
    assert api.get("/v2/tokens").status_code == 404


def test_links_and_catalog_begin_with_base_uri(sqlite: Database) -> None:
    world = make_world(sqlite, base_uri="https://dns.example.org/x")
    version = world.api.get("/identity").get_json()["versions"]["values"][0]
    assert version["links"][0]["href"] == "https://dns.example.org/x/identity/v3/"
    catalog = world.log_in("joe").get_json()["token"]["catalog"]
    urls = {service["type"]: service["endpoints"][0]["url"] for service in catalog}
    assert urls == {"dns": "https://dns.example.org/x", "identity": "https://dns.example.org/x/identity"}


# ------------------------------------------------------------------------------------------------------------ logins


def test_password_gets_a_token_for_the_project(world_on: World) -> None:
    answer = world_on.log_in("joe", "alpha")
    assert answer.status_code == 201
    token = answer.get_json()["token"]
    assert token["methods"] == ["password"]
    assert token["project"] == {
        "id": world_on.projects["alpha"],
        "name": "alpha",
        "domain": {"id": "default", "name": "Default"},
    }
    assert token["user"]["name"] == "joe"
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]
    assert {service["type"] for service in token["catalog"]} == {"dns", "identity"}
    assert token["expires_at"] > token["issued_at"]
    assert token["expires_at"].endswith("Z")
    assert len(token["audit_ids"]) == 1
    zones = world_on.holding(answer.headers["X-Subject-Token"])
    assert zones.zone()["project_id"] == world_on.projects["alpha"]


def test_catalog_names_the_dns_service_without_a_version(world: World) -> None:
    catalog = world.log_in("joe").get_json()["token"]["catalog"]
    (dns,) = [service for service in catalog if service["type"] == "dns"]
    assert {endpoint["interface"] for endpoint in dns["endpoints"]} == {"public", "internal", "admin"}
    assert {endpoint["url"] for endpoint in dns["endpoints"]} == {"http://localhost"}


def test_login_without_a_scope_is_for_the_default_project(world: World) -> None:
    assert world.log_in("joe").get_json()["token"]["project"]["name"] == "alpha"


def test_login_that_wants_no_scope_gets_a_token_without_project(world: World) -> None:
    answer = world.ask_for_token(password_of("joe"), "unscoped")
    assert "project" not in answer.get_json()["token"]
    caller = world.holding(answer.headers["X-Subject-Token"])
    projects = caller.get("/identity/v3/auth/projects").get_json()["projects"]
    assert [project["name"] for project in projects] == ["alpha"]
    assert caller.post("/v2/zones", {"name": "example.org.", "email": "a@example.org"}).status_code in (401, 403)


@pytest.mark.parametrize("dashes", [True, False])
def test_project_may_be_named_by_its_id(world: World, dashes: bool) -> None:
    project_id = world.projects["alpha"]
    scope = {"project": {"id": project_id if dashes else project_id.replace("-", "")}}
    assert world.ask_for_token(password_of("joe"), scope).get_json()["token"]["project"]["id"] == project_id


def test_user_may_be_named_by_his_id(world: World) -> None:
    identity = {"methods": ["password"], "password": {"user": {"id": world.users["joe"], "password": PASSWORD}}}
    assert world.ask_for_token(identity).status_code == 201


@pytest.mark.parametrize(("user", "password"), [("joe", "wrong"), ("nobody", PASSWORD), ("", ""), ("joe", "")])
def test_wrong_password_and_unknown_user_are_refused_alike(world: World, user: str, password: str) -> None:
    answer = world.log_in(user, password=password)
    assert refused(answer)
    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://localhost/identity"'


def test_unknown_user_takes_as_long_as_a_wrong_password(world: World) -> None:
    def seconds(user: str) -> float:
        begin = time.perf_counter()
        world.log_in(user, password="wrong")
        return time.perf_counter() - begin

    known, unknown = (median(seconds(user) for _ in range(7)) for user in ("joe", "nobody"))
    assert 0.5 < known / unknown < 2


def test_name_that_no_database_holds_is_unknown(world_on: World) -> None:
    assert world_on.log_in("joe\0").status_code == 400
    assert world_on.log_in("joe", "alpha\0").status_code == 400
    assert refused(basic(world_on, "joe\0").get("/identity/v3/auth/catalog"))
    path = f"/identity/v3/users/{world_on.users['joe']}/application_credentials"
    caller = world_on.as_("joe")
    assert caller.get(f"{path}/%00").status_code == 404
    assert caller.post(path, {"application_credential": {"name": "a\0"}}).status_code == 400
    assert caller.post("/v2/tokens", {"name": "a\0", "grants": []}).status_code == 400


def test_user_of_another_domain_is_unknown(world: World) -> None:
    identity = password_of("joe")
    identity["password"]["user"]["domain"] = {"name": "Elsewhere"}
    assert refused(world.ask_for_token(identity))


@pytest.mark.parametrize("scope", [{"project": {"name": "beta"}}, {"project": {"name": "nothing"}}])
def test_project_that_one_has_no_role_in_is_refused_as_one_that_is_not(world: World, scope: Any) -> None:
    answer = world.ask_for_token(password_of("joe"), scope)
    assert answer.status_code == 401
    assert answer.get_json()["error"]["message"] == f"User joe has no access to project {scope['project']['name']}"


@pytest.mark.parametrize("scope", [{"system": {"all": True}}, {"domain": {"id": "default"}}])
def test_tokens_are_for_projects_only(world: World, scope: Any) -> None:
    assert world.ask_for_token(password_of("root"), scope).status_code == 401


def test_login_that_is_no_login_is_a_bad_request_in_keystones_words(world: World) -> None:
    answer = world.api.post(TOKENS, {"auth": {"identity": {"methods": ["password"]}}})
    assert answer.status_code == 400
    assert answer.get_json()["error"]["message"] == "'password' is a required property"


def test_token_gets_a_token_for_another_project_that_ends_no_later(world: World) -> None:
    accounts.add_role(world.api.core, "joe", "beta", "reader")
    first = world.log_in("joe", "alpha")
    identity = {"methods": ["token"], "token": {"id": first.headers["X-Subject-Token"]}}
    second = world.ask_for_token(identity, {"project": {"name": "beta", "domain": {"id": "default"}}})
    assert second.status_code == 201
    assert second.get_json()["token"]["project"]["name"] == "beta"
    assert second.get_json()["token"]["methods"] == ["token", "password"]
    assert second.get_json()["token"]["expires_at"] == first.get_json()["token"]["expires_at"]


# ------------------------------------------------------------------------------------------------ tokens and their end


@pytest.mark.parametrize("token", [None, "", "wrong", "wrong\u00e4"])
def test_request_without_a_valid_token_is_refused_as_keystone_does(world: World, token: str | None) -> None:
    caller = world.api if token is None else world.holding(token)
    answer = caller.get("/v2/zones/00000000-0000-0000-0000-000000000000")
    assert refused(answer)
    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://localhost/identity"'
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")


def test_token_may_be_sent_as_bearer(world: World) -> None:
    caller = world.api.with_headers({"Authorization": f"Bearer {world.token('joe')}"})
    assert caller.get("/identity/v3/auth/catalog").status_code == 200


def test_token_is_shown_to_its_user_and_to_admins(world: World) -> None:
    token = world.token("joe")
    for who, status in (("joe", 200), ("root", 200), ("ann", 403)):
        answer = world.as_(who).get(TOKENS, headers={"X-Subject-Token": token})
        assert answer.status_code == status
    assert (
        world.as_("root").get(TOKENS, headers={"X-Subject-Token": token}).get_json()["token"]["user"]["name"] == "joe"
    )


def test_head_of_a_token_has_its_status_and_no_body(world: World) -> None:
    token = world.token("joe")
    answer = world.holding(token).request("HEAD", TOKENS, headers={"X-Subject-Token": token})
    assert (answer.status_code, answer.data) == (200, b"")


def test_unknown_subject_token_is_not_found(world: World) -> None:
    answer = world.as_("root").get(TOKENS, headers={"X-Subject-Token": "wrong"})
    assert (answer.status_code, answer.get_json()["error"]["title"]) == (404, "Not Found")


def test_deleted_token_is_worth_nothing(world_on: World) -> None:
    token = world_on.token("joe")
    caller = world_on.holding(token)
    assert caller.delete(TOKENS, headers={"X-Subject-Token": token}).status_code == 204
    assert refused(caller.get("/identity/v3/auth/catalog"))


REVOKED = {
    "password changed": lambda core: accounts.set_password(core, "joe", "another one"),
    "user disabled": lambda core: accounts.set_user(core, "joe", enabled=False),
    "user deleted": lambda core: accounts.delete_user(core, "joe"),
    "last role removed": lambda core: accounts.remove_role(core, "joe", "alpha", "member"),
    "project deleted": lambda core: accounts.delete_project(core, "alpha"),
}


@pytest.mark.parametrize("event", REVOKED)
def test_token_ends_at_once_when(world_on: World, event: str) -> None:
    caller = world_on.as_("joe")
    assert caller.get("/identity/v3/auth/catalog").status_code == 200
    REVOKED[event](world_on.api.core)
    assert refused(caller.get("/identity/v3/auth/catalog"))


def test_role_that_is_taken_away_is_gone_for_tokens_that_are_out(world: World) -> None:
    accounts.add_role(world.api.core, "joe", "alpha", "admin")
    token = world.token("joe")
    accounts.remove_role(world.api.core, "joe", "alpha", "admin")
    shown = world.holding(token).get(TOKENS, headers={"X-Subject-Token": token}).get_json()["token"]
    assert [role["name"] for role in shown["roles"]] == ["member", "reader"]


def test_token_expires_and_is_purged(world_on: World) -> None:
    caller, core = world_on.as_("joe"), world_on.api.core
    later = utcnow() + timedelta(seconds=core.config.token_seconds + 1)
    tomorrow = Api(core, create_app(replace(core, clock=lambda: later)), caller.headers)
    assert refused(tomorrow.get("/identity/v3/auth/catalog"))
    assert core.db.write(lambda tx: tokens.purge(tx, later)) == 1
    assert core.db.write(lambda tx: tokens.purge(tx, later)) == 0


def test_database_holds_no_token_and_no_password(world: World) -> None:
    token = world.token("joe")
    rows = world.api.core.db.read(lambda tx: str(tx.execute(table.select()).all()) + str(accounts_of(tx)))
    assert token not in rows
    assert PASSWORD not in rows


def accounts_of(tx: Any) -> list[str]:
    return [user.password for user in find_users(tx)]


# -------------------------------------------------------------------------------------------------------- HTTP Basic


def basic(world: World, user: str, password: str = PASSWORD, **headers: str) -> Api:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return world.api.with_headers({"Authorization": f"Basic {pair}", **headers})


def test_basic_is_for_the_default_project(world_on: World) -> None:
    assert basic(world_on, "joe").zone()["project_id"] == world_on.projects["alpha"]


def test_basic_is_for_the_project_that_a_header_names_if_one_has_a_role_there(world: World) -> None:
    accounts.add_role(world.api.core, "joe", "beta", "member")
    headers = {"X-Auth-Project-Id": world.projects["beta"]}
    assert basic(world, "joe", **headers).zone()["project_id"] == world.projects["beta"]
    assert basic(world, "joe", **{"X-Auth-Project-Id": "ops"}).get("/identity/v3/auth/catalog").status_code == 401


def test_basic_with_a_wrong_password_is_refused(world: World) -> None:
    assert refused(basic(world, "joe", "wrong").get("/identity/v3/auth/catalog"))
    assert refused(basic(world, "nobody").get("/identity/v3/auth/catalog"))


def test_basic_costs_one_slow_hash_a_minute(world: World) -> None:
    basic(world, "joe").get("/identity/v3/auth/catalog")
    begin = time.perf_counter()
    for _ in range(5):
        assert basic(world, "joe").get("/identity/v3/auth/catalog").status_code == 200
    fast = (time.perf_counter() - begin) / 5
    begin = time.perf_counter()
    basic(world, "joe", "wrong").get("/identity/v3/auth/catalog")
    assert fast < time.perf_counter() - begin


@pytest.mark.parametrize("event", ["password changed", "user disabled", "last role removed"])
def test_password_that_is_remembered_ends_at_once_when(world: World, event: str) -> None:
    caller = basic(world, "joe")
    assert caller.get("/v2/tokens").status_code == 200
    REVOKED[event](world.api.core)
    assert caller.get("/v2/tokens").status_code in (401, 403)


# -------------------------------------------------------------------------------------------------- what there is


def test_admin_sees_all_projects_and_others_their_own(world: World) -> None:
    def names(who: str, query: str = "") -> list[str]:
        projects = world.as_(who).get(f"/identity/v3/projects{query}").get_json()["projects"]
        return [project["name"] for project in projects]

    assert names("root") == ["alpha", "beta", "ops"]
    assert names("joe") == ["alpha"]
    assert names("root", "?name=beta&domain_id=default") == ["beta"]
    assert names("joe", "?name=beta") == []


def test_user_sees_himself_and_admins_see_everyone(world: World) -> None:
    joe = world.users["joe"]
    assert world.as_("joe").get(f"/identity/v3/users/{joe}").get_json()["user"]["name"] == "joe"
    assert world.as_("root").get(f"/identity/v3/users/{joe}").get_json()["user"]["domain_id"] == "default"
    answer = world.as_("ann").get(f"/identity/v3/users/{joe}")
    assert answer.status_code == 404
    assert answer.get_json() == {
        "error": {"code": 404, "title": "Not Found", "message": f"Could not find user: {joe}."}
    }


def test_no_answer_shows_a_hash(world: World) -> None:
    assert "argon2" not in world.as_("root").get("/identity/v3/users").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/identity/v3/domains/default", 200),
        ("/identity/v3/domains/other", 404),
        ("/identity/v3/domains?name=Default", 200),
        ("/identity/v3/roles/member", 200),
        ("/identity/v3/roles/king", 404),
        ("/identity/v3/roles?name=member", 200),
        ("/identity/v3/projects/nothing", 404),
    ],
)
def test_what_clients_look_up_is_there(world: World, path: str, status: int) -> None:
    assert world.as_("joe").get(path).status_code == status


# -------------------------------------------------------------------------------------------- application credentials


def credential(world: World, who: Api, **values: Any) -> dict[str, Any]:
    body = {"application_credential": {"name": "robot", **values}}
    answer = who.post(f"/identity/v3/users/{world.users['joe']}/application_credentials", body)
    assert answer.status_code == 201, answer.text
    return answer.get_json()["application_credential"]


def with_credential(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "methods": ["application_credential"],
        "application_credential": {"id": made["id"], "secret": made["secret"]},
    }


def test_credential_logs_in_to_its_project_with_its_roles(world_on: World) -> None:
    made = credential(world_on, world_on.as_("joe"), roles=[{"name": "reader"}])
    answer = world_on.ask_for_token(with_credential(made))
    token = answer.get_json()["token"]
    assert answer.status_code == 201
    assert token["project"]["name"] == "alpha"
    assert [role["name"] for role in token["roles"]] == ["reader"]
    assert token["methods"] == ["application_credential"]


def test_credential_may_be_named_with_its_user(world: World) -> None:
    made = credential(world, world.as_("joe"))
    user = {"name": "joe", "domain": {"id": "default"}}
    data = {"name": "robot", "secret": made["secret"], "user": user}
    identity = {"methods": ["application_credential"], "application_credential": data}
    assert world.ask_for_token(identity).status_code == 201


def test_secret_is_shown_once(world: World) -> None:
    caller = world.as_("joe")
    made = credential(world, caller)
    path = f"/identity/v3/users/{world.users['joe']}/application_credentials"
    assert "secret" not in caller.get(f"{path}/{made['id']}").get_json()["application_credential"]
    (listed,) = caller.get(f"{path}?name=robot").get_json()["application_credentials"]
    assert listed["id"] == made["id"]
    assert "secret" not in listed


def test_deleted_credential_ends_the_tokens_it_opened(world_on: World) -> None:
    caller = world_on.as_("joe")
    made = credential(world_on, caller)
    robot = world_on.holding(world_on.ask_for_token(with_credential(made)).headers["X-Subject-Token"])
    path = f"/identity/v3/users/{world_on.users['joe']}/application_credentials/{made['id']}"
    assert robot.get("/identity/v3/auth/catalog").status_code == 200
    assert caller.delete(path).status_code == 204
    assert refused(robot.get("/identity/v3/auth/catalog"))
    assert refused(world_on.ask_for_token(with_credential(made)))


def test_token_of_a_credential_makes_no_other_credential_and_no_broader_token(world: World) -> None:
    accounts.add_role(world.api.core, "joe", "beta", "member")
    made = credential(world, world.as_("joe", "alpha"), roles=[{"name": "reader"}])
    token = world.ask_for_token(with_credential(made)).headers["X-Subject-Token"]
    path = f"/identity/v3/users/{world.users['joe']}/application_credentials"
    body = {"application_credential": {"name": "second"}}
    assert world.holding(token).post(path, body).status_code == 403
    member = world.ask_for_token(with_credential(credential(world, world.as_("joe", "alpha"), name="member")))
    grants = [{"zone": "*", "actions": ["read"]}]
    robot = world.holding(member.headers["X-Subject-Token"])
    assert robot.post("/v2/tokens", {"name": "robot", "grants": grants}).status_code == 403
    renewed = {"methods": ["token"], "token": {"id": token}}
    assert world.ask_for_token(renewed, {"project": {"name": "beta"}}).status_code == 401
    again = world.ask_for_token(renewed).get_json()["token"]
    assert [role["name"] for role in again["roles"]] == ["reader"]


def test_credential_expires_and_so_do_its_tokens(world: World) -> None:
    soon = (utcnow() + timedelta(minutes=5)).isoformat()
    made = credential(world, world.as_("joe"), expires_at=soon)
    assert world.ask_for_token(with_credential(made)).get_json()["token"]["expires_at"] == made["expires_at"]
    later = replace(world.api.core, clock=lambda: utcnow() + timedelta(minutes=6))
    assert refused(replace(world, api=Api(later, create_app(later))).ask_for_token(with_credential(made)))


WRONG_CREDENTIALS = {
    "role one has not": ({"roles": [{"name": "admin"}]}, 400, "you don't have the role 'admin' here"),
    "role that is none": ({"roles": [{"name": "raeder"}]}, 400, "no role 'raeder'; did you mean 'reader'?"),
    "past": ({"expires_at": "2020-01-01T00:00:00"}, 400, "expires_at has passed"),
    "no time": ({"expires_at": "soon"}, 400, "'soon' is no time"),
    "unrestricted": ({"unrestricted": True}, 400, "leave unrestricted out"),
}


@pytest.mark.parametrize("case", WRONG_CREDENTIALS)
def test_credential_that_can_not_be_is_refused(world: World, case: str) -> None:
    values, status, message = WRONG_CREDENTIALS[case]
    body = {"application_credential": {"name": "robot", **values}}
    answer = world.as_("joe").post(f"/identity/v3/users/{world.users['joe']}/application_credentials", body)
    assert answer.status_code == status
    assert message in answer.get_json()["error"]["message"]


def test_name_of_a_credential_is_its_users_only_one(world_on: World) -> None:
    caller = world_on.as_("joe")
    credential(world_on, caller)
    path = f"/identity/v3/users/{world_on.users['joe']}/application_credentials"
    answer = caller.post(path, {"application_credential": {"name": "robot"}})
    assert answer.status_code == 409
    assert answer.get_json()["error"]["message"] == "there is an application credential 'robot' already"


def test_credential_that_is_not_there_is_not_found(world: World) -> None:
    path = f"/identity/v3/users/{world.users['joe']}/application_credentials/nothing"
    for answer in (world.as_("joe").get(path), world.as_("joe").delete(path)):
        assert answer.status_code == 404
        message = "Could not find Application Credential: nothing."
        assert answer.get_json() == {"error": {"code": 404, "title": "Not Found", "message": message}}


def test_credentials_of_others_are_nobodys_business(world: World) -> None:
    path = f"/identity/v3/users/{world.users['joe']}/application_credentials"
    assert world.as_("root").get(path).status_code == 403


# ----------------------------------------------------------------------------------------------------- the first start


def test_bootstrap_makes_an_admin_who_can_log_in_and_a_pool_once(db: Database) -> None:
    world = make_world(db)
    for name in world.users:
        accounts.delete_user(world.api.core, name)
    created = bootstrap.bootstrap(world.api.core)
    assert created is not None
    token = world.log_in(created.user, created.project, created.password).get_json()["token"]
    assert token["roles"][0]["name"] == "admin"
    assert created.password not in repr(created)
    assert bootstrap.bootstrap(world.api.core) is None


# ---------------------------------------------------------------------------------------------------------- passwords

GREEN = """
from gevent import monkey; monkey.patch_all()
import gevent, time
from control.identity import passwords
stored = passwords.hash_of("right one")
gaps, last = [], time.monotonic()
def tick():
    global last
    while True:
        gevent.sleep(0.001)
        now = time.monotonic(); gaps.append(now - last); last = now
ticking = gevent.spawn(tick)
gevent.sleep(0.02); gaps.clear(); begin = last = time.monotonic()
jobs = [gevent.spawn(passwords.is_right, "wrong", stored) for _ in range(4)]
gevent.joinall(jobs); spent = time.monotonic() - begin
print(len(gaps), spent)
"""


def test_argon2_does_not_stop_the_event_loop_of_gevent() -> None:
    done = subprocess.run([sys.executable, "-c", GREEN], capture_output=True, text=True, timeout=60, check=True)
    ticks, _ = done.stdout.split()
    assert int(ticks) >= 4


def test_password_is_right_only_with_its_own_hash() -> None:
    stored = passwords.hash_of("right one")
    assert passwords.is_right("right one", stored)
    assert not passwords.is_right("wrong one", stored)
    assert not passwords.is_right("right one", None)
    assert not passwords.is_right("right one", "no hash")
