# SPDX-License-Identifier: Apache-2.0
"""API tokens over HTTP: how they are made, shown and revoked, and that they open nothing beyond their grants."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from control.api.app import create_app
from control.api.auth.scoped import CHECKED
from control.api.operations import offered
from control.identity import accounts
from control.storage.database import Database
from control.storage.ids import utcnow
from tests.control.conftest import Api
from tests.control.logins import TOKENS, World, make_world

ALL = ["read", "create", "update", "delete"]
ACME = {"zone": "*.org.", "name": "_acme-challenge.*", "types": ["TXT"], "actions": ALL}
WHOLE = {"zone": "example.org.", "actions": ALL}


@pytest.fixture
def world(sqlite: Database) -> World:
    return make_world(sqlite)


@pytest.fixture
def world_on(db: Database) -> World:
    return make_world(db)


def make(who: Api, *grants: dict[str, Any], **values: Any) -> dict[str, Any]:
    answer = who.post("/v2/tokens", {"name": "robot", "grants": list(grants), **values})
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def robot(world: World, *grants: dict[str, Any], user: str = "joe", **values: Any) -> Api:
    return world.holding(make(world.as_(user), *grants, **values)["token"])


def forbidden(answer: Any) -> str:
    assert answer.status_code == 403, answer.text
    return str(answer.get_json()["message"])


# -------------------------------------------------------------------------------------------------------- management


def test_token_is_shown_once_and_listed_without_its_secret(world_on: World) -> None:
    joe = world_on.as_("joe")
    made = make(joe, ACME, networks=["127.0.0.0/8"])
    assert made["token"].startswith("fmd_")
    (listed,) = joe.get("/v2/tokens").get_json()["tokens"]
    assert listed == {key: value for key, value in made.items() if key != "token"}
    assert joe.get(f"/v2/tokens/{made['id']}").get_json() == listed
    assert (listed["grants"], listed["networks"], listed["used_at"]) == ([ACME], ["127.0.0.0/8"], None)
    assert listed["project_id"] == world_on.projects["alpha"]


def test_tokens_are_paged(world_on: World) -> None:
    joe = world_on.as_("joe")
    ids = [make(joe, WHOLE)["id"] for _ in range(3)]
    first = joe.get("/v2/tokens?limit=2").get_json()
    rest = joe.get(first["links"]["next"]).get_json()
    assert [token["id"] for token in first["tokens"] + rest["tokens"]] == ids
    assert "next" not in rest["links"]


def test_revoked_token_is_worth_nothing(world_on: World) -> None:
    joe = world_on.as_("joe")
    made = make(joe, WHOLE)
    caller = world_on.holding(made["token"])
    assert caller.get("/v2/tokens/self").status_code == 200
    assert joe.delete(f"/v2/tokens/{made['id']}").status_code == 204
    assert caller.get("/v2/tokens/self").status_code == 401
    assert joe.get(f"/v2/tokens/{made['id']}").get_json()["type"] == "token_not_found"


def test_tokens_of_another_project_are_not_found(world: World) -> None:
    made = make(world.as_("joe"), WHOLE)
    answer = world.as_("ann").get(f"/v2/tokens/{made['id']}")
    body = answer.get_json()
    assert answer.status_code == 404
    assert body == {
        "code": 404,
        "type": "token_not_found",
        "message": "Could not find Token",
        "request_id": body["request_id"],
    }
    assert world.as_("root").delete(f"/v2/tokens/{made['id']}").status_code == 404


def test_reader_makes_no_tokens(world: World) -> None:
    answer = world.as_("ann").post("/v2/tokens", {"name": "robot", "grants": [WHOLE]})
    assert forbidden(answer) == "policy create_token does not allow this"


def test_rehearsed_token_is_not_there(world: World) -> None:
    joe = world.as_("joe")
    assert joe.post("/v2/tokens?dry_run=true", {"name": "robot", "grants": [WHOLE]}).status_code == 201
    assert joe.get("/v2/tokens").get_json()["tokens"] == []


def test_all_that_is_wrong_with_a_token_is_told_at_once(world: World) -> None:
    grants = [{"zone": "a..b", "actions": ["write"]}]
    body = {"name": "robot", "grants": grants, "networks": ["here"], "expires_at": "2020-01-01T00:00:00"}
    answer = world.as_("joe").post("/v2/tokens", body)
    found = answer.get_json()
    assert (answer.status_code, found["type"]) == (400, "invalid_object")
    paths = [error["path"] for error in found["errors"]["errors"]]
    assert paths == [["grants", 0, "zone"], ["grants", 0, "actions", 0], ["networks", 0], ["expires_at"]]


def test_token_without_grants_is_refused(world: World) -> None:
    answer = world.as_("joe").post("/v2/tokens", {"name": "robot", "grants": []})
    assert answer.status_code == 400


# ---------------------------------------------------------------------------------------------------- what it may do


def test_token_tells_what_it_may_do(world: World) -> None:
    caller = robot(world, ACME)
    body = caller.get("/v2/tokens/self").get_json()
    assert body == {
        "kind": "api",
        "name": "robot",
        "project_id": world.projects["alpha"],
        "user_id": world.users["joe"],
        "roles": ["member", "reader"],
        "grants": [ACME],
        "networks": [],
        "expires_at": None,
    }
    assert world.as_("joe").get("/v2/tokens/self").get_json()["grants"] is None


def test_acme_token_writes_challenges_and_nothing_else(world_on: World) -> None:
    zone = world_on.as_("joe").zone("example.org.")
    other = world_on.as_("joe").zone("example.com.")
    caller = robot(world_on, ACME)
    path = f"/v2/zones/{zone['id']}/recordsets"
    made = caller.recordset(zone, "_acme-challenge.www.example.org.", "TXT", '"x"')
    assert caller.put(f"{path}/{made['id']}", {"records": ['"y"']}).status_code == 202
    address = {"name": "www.example.org.", "type": "A", "records": ["192.0.2.1"]}
    assert forbidden(caller.post(path, address)) == "this token may not create www.example.org. A in zone example.org."
    elsewhere = {"name": "_acme-challenge.example.com.", "type": "TXT", "records": ['"x"']}
    answer = caller.post(f"/v2/zones/{other['id']}/recordsets", elsewhere)
    assert forbidden(answer) == "this token is not for zone example.com."
    assert forbidden(caller.patch(f"/v2/zones/{zone['id']}", {"ttl": 60}))
    assert forbidden(caller.delete(f"/v2/zones/{zone['id']}"))
    assert forbidden(caller.post("/v2/zones", {"name": "more.org.", "email": "a@example.org"}))
    assert caller.delete(f"{path}/{made['id']}").status_code == 202


def test_changes_are_checked_one_by_one(world: World) -> None:
    zone = world.as_("joe").zone("example.org.")
    changes = [
        {"action": "create", "name": "_acme-challenge.example.org.", "type": "TXT", "records": ['"x"']},
        {"action": "create", "name": "www.example.org.", "type": "A", "records": ["192.0.2.1"]},
    ]
    caller = robot(world, ACME)
    path = f"/v2/zones/{zone['id']}/changes"
    assert "www.example.org. A" in forbidden(caller.post(path, {"changes": changes}))
    assert caller.post(path, {"changes": changes[:1]}).status_code == 202


def test_lists_show_what_the_token_may_read(world_on: World) -> None:
    joe = world_on.as_("joe")
    zone, other = joe.zone("example.org."), joe.zone("example.com.")
    joe.recordset(zone, "_acme-challenge.example.org.", "TXT", '"x"')
    joe.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    joe.recordset(other, "_acme-challenge.example.com.", "TXT", '"x"')
    caller = robot(world_on, ACME)
    for path in (f"/v2/zones/{zone['id']}/recordsets", "/v2/recordsets"):
        body = caller.get(path).get_json()
        assert [item["name"] for item in body["recordsets"]] == ["_acme-challenge.example.org."]
        assert body["metadata"]["total_count"] == 1
    body = caller.get("/v2/zones").get_json()
    assert [item["name"] for item in body["zones"]] == ["example.org."]
    assert body["metadata"]["total_count"] == 1
    answer = caller.get(f"/v2/zones/{other['id']}/recordsets")
    assert forbidden(answer) == "this token may not read zone example.com."


def test_whole_zone_token_manages_its_zone(world: World) -> None:
    caller = robot(world, WHOLE)
    zone = caller.zone("example.org.")
    caller.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    assert caller.get(f"/v2/zones/{zone['id']}").status_code == 200
    assert forbidden(caller.post("/v2/zones", {"name": "example.com.", "email": "a@example.org"}))


def test_read_only_token_reads(world: World) -> None:
    zone = world.as_("joe").zone("example.org.")
    caller = robot(world, {"zone": "*", "actions": ["read"]})
    assert caller.get(f"/v2/zones/{zone['id']}/recordsets").status_code == 200
    body = {"name": "www.example.org.", "type": "A", "records": ["192.0.2.1"]}
    assert forbidden(caller.post(f"/v2/zones/{zone['id']}/recordsets", body))


def test_token_may_be_sent_as_bearer(world: World) -> None:
    made = make(world.as_("joe"), WHOLE)
    caller = world.api.with_headers({"Authorization": f"Bearer {made['token']}"})
    assert caller.get("/v2/tokens/self").get_json()["kind"] == "api"


# ---------------------------------------------------------------------------------------------- what it may never do


def test_token_makes_no_token(world: World) -> None:
    caller = robot(world, {"zone": "*", "actions": ALL})
    assert forbidden(caller.post("/v2/tokens", {"name": "more", "grants": [{"zone": "*", "actions": ALL}]}))
    made = caller.headers["X-Auth-Token"]
    login = {"methods": ["token"], "token": {"id": made}}
    assert world.ask_for_token(login).status_code == 403
    path = f"/identity/v3/users/{world.users['joe']}/application_credentials"
    assert caller.post(path, {"application_credential": {"name": "more"}}).status_code == 403


def test_token_of_an_admin_is_no_admin(world: World) -> None:
    caller = robot(world, {"zone": "*", "actions": ALL}, user="root")
    assert caller.get("/v2/tokens/self").get_json()["roles"] == ["member", "reader"]
    assert forbidden(caller.get("/v2/recordsets", headers={"X-Auth-All-Projects": "true"}))
    assert forbidden(caller.get("/v2/recordsets", headers={"X-Auth-Sudo-Project-ID": world.projects["alpha"]}))


def test_another_service_does_not_take_it_for_a_login(world: World) -> None:
    made = make(world.as_("joe"), WHOLE)["token"]
    assert world.as_("root").get(TOKENS, headers={"X-Subject-Token": made}).status_code == 404


def test_operations_are_shut_for_it_unless_they_check_it(world: World) -> None:
    """Of every operation there is: nothing answers a token whose grants name no zone that is there."""
    joe = world.as_("joe")
    zone = joe.zone("example.org.")
    caller = robot(world, {"zone": "nothing.test.", "actions": ALL})
    harmless = {"/v2/limits", "/v2/tokens/self", "/v2/zones", "/v2/recordsets"}
    for operation in offered("builtin"):
        if operation.public or operation.path in harmless:
            continue
        path = operation.path.replace("<zone_id>", zone["id"])
        for part in path.split("/"):
            if part.startswith("<"):
                path = path.replace(part, zone["id"])
        options = {"content_type": operation.body_types[0], "data": b"{}"} if operation.method != "GET" else {}
        answer = world.api.app.test_client().open(path, method=operation.method, headers=caller.headers, **options)
        assert answer.status_code in (400, 403, 404, 415), f"{operation.method} {operation.path}: {answer.text}"
    assert joe.get(f"/v2/zones/{zone['id']}").get_json()["version"] == zone["version"]


def test_every_path_that_is_let_in_exists(world: World) -> None:
    paths = {operation.path for operation in offered("builtin")}
    assert set(CHECKED) - paths <= {"/v2/limits"}


# --------------------------------------------------------------------------------------------- where from, how long


def test_token_is_refused_from_elsewhere(world: World) -> None:
    caller = robot(world, WHOLE, networks=["192.0.2.0/24"])
    assert forbidden(caller.get("/v2/tokens/self")) == "this token may not be used from 127.0.0.1"
    inside = caller.get("/v2/tokens/self", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert inside.status_code == 200


def test_token_expires(world: World) -> None:
    caller = robot(world, WHOLE, expires_at=(utcnow() + timedelta(minutes=5)).isoformat())
    later = replace(world.api.core, clock=lambda: utcnow() + timedelta(minutes=6))
    assert caller.get("/v2/tokens/self").status_code == 200
    assert Api(later, create_app(later), caller.headers).get("/v2/tokens/self").status_code == 401


def test_last_use_is_noted(world_on: World) -> None:
    joe = world_on.as_("joe")
    made = make(joe, WHOLE)
    world_on.holding(made["token"]).get("/v2/tokens/self")
    assert joe.get(f"/v2/tokens/{made['id']}").get_json()["used_at"] is not None


@pytest.mark.parametrize("event", ["user disabled", "role removed", "user deleted"])
def test_token_ends_with_what_its_user_may_do(world: World, event: str) -> None:
    core, caller = world.api.core, robot(world, WHOLE)
    if event == "user disabled":
        accounts.set_user(core, "joe", enabled=False)
    elif event == "role removed":
        accounts.remove_role(core, "joe", "alpha", "member")
    else:
        accounts.delete_user(core, "joe")
    assert caller.get("/v2/tokens/self").status_code == 401
