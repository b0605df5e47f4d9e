# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
from typing import Any

import pytest

from control.central import tsigkeys
from control.storage.database import Database
from tests.control.conftest import POOL_ID, Api, body_of, make_api
from tests.control.test_secrets import KEYS

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="


def wanted(**values: Any) -> dict[str, Any]:
    key = {"name": "k1", "algorithm": "hmac-sha256", "secret": SECRET, "scope": "POOL", "resource_id": POOL_ID}
    return {**key, **values}


@pytest.fixture
def admin(db: Database) -> Api:
    return make_api(db, secret_key=KEYS[0]).as_admin


@pytest.fixture
def boss(sqlite: Database) -> Api:
    return make_api(sqlite, secret_key=KEYS[0]).as_admin


def test_key_is_created_shown_changed_and_deleted(admin: Api) -> None:
    made = admin.post("/v2/tsigkeys", wanted())
    key = made.get_json()
    assert (made.status_code, made.headers["Location"]) == (201, key["links"]["self"])
    assert key == {**key, **wanted(), "updated_at": None}
    assert admin.get(f"/v2/tsigkeys/{key['id']}").get_json() == key
    changed = admin.patch(f"/v2/tsigkeys/{key['id']}", {"secret": "bmV3", "algorithm": "hmac-sha512"}).get_json()
    assert changed == {**key, "secret": "bmV3", "algorithm": "hmac-sha512", "updated_at": changed["updated_at"]}
    assert admin.patch(f"/v2/tsigkeys/{key['id']}", changed).get_json() == changed
    assert admin.delete(f"/v2/tsigkeys/{key['id']}").status_code == 204
    wanted_body = {"code": 404, "type": "tsigkey_not_found", "message": "Could not find TsigKey"}
    assert body_of(admin.get(f"/v2/tsigkeys/{key['id']}")) == wanted_body


def test_secret_lies_sealed_in_the_database_and_in_no_log(admin: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        admin.post("/v2/tsigkeys", wanted())
        admin.post("/v2/tsigkeys", wanted(name="k2", secret=f"{SECRET}!"))
    (row,) = admin.core.db.read(lambda tx: tx.exec_driver_sql("SELECT secret FROM tsigkeys").all())
    assert SECRET.encode() not in bytes(row.secret)
    assert SECRET not in caplog.text


def test_secret_that_is_no_base64_is_refused_and_not_repeated(boss: Api) -> None:
    answer = boss.post("/v2/tsigkeys", wanted(secret="not base64!"))
    message = "the secret must be base64, as `openssl rand -base64 32` prints it"
    assert body_of(answer)["errors"]["errors"] == [
        {"path": ["secret"], "message": message, "validator": "format", "validator_value": None}
    ]
    assert "not base64!" not in answer.text
    (problem,) = body_of(boss.post("/v2/tsigkeys", wanted(secret="")))["errors"]["errors"]
    assert problem["message"] == "the secret must not be empty"


@pytest.mark.parametrize(
    ("field", "value"), [("algorithm", "hmac-sha3"), ("scope", "SERVER"), ("name", "a..b"), ("resource_id", "x")]
)
def test_field_that_is_wrong_is_named(boss: Api, field: str, value: str) -> None:
    (problem,) = body_of(boss.post("/v2/tsigkeys", wanted(**{field: value})))["errors"]["errors"]
    assert problem["path"] == [field]


def test_key_is_for_a_pool_or_a_zone_that_there_is(admin: Api) -> None:
    zone = admin.zone()
    assert admin.post("/v2/tsigkeys", wanted(scope="ZONE", resource_id=zone["id"])).status_code == 201
    answer = admin.post("/v2/tsigkeys", wanted(name="k2", resource_id=zone["id"]))
    message = f"resource_id: there is no pool {zone['id']}"
    assert body_of(answer) == {"code": 400, "type": "invalid_tsigkey", "message": message}
    answer = admin.post("/v2/tsigkeys", wanted(name="k2", scope="ZONE"))
    message = f"resource_id: there is no zone {POOL_ID}"
    assert body_of(answer) == {"code": 400, "type": "invalid_tsigkey", "message": message}


def test_names_of_keys_differ_not_only_in_case(admin: Api) -> None:
    admin.post("/v2/tsigkeys", wanted())
    answer = admin.post("/v2/tsigkeys", wanted(name="K1."))
    assert body_of(answer) == {"code": 409, "type": "duplicate_tsigkey", "message": "Duplicate TsigKey"}


def test_keys_are_listed_with_filters(admin: Api) -> None:
    for name, algorithm in (("k1", "hmac-sha256"), ("k2", "hmac-md5")):
        admin.post("/v2/tsigkeys", wanted(name=name, algorithm=algorithm))
    for query, names in (("", ["k1", "k2"]), ("?algorithm=hmac-md5", ["k2"]), ("?name=k*&scope=ZONE", [])):
        found = admin.get(f"/v2/tsigkeys{query}").get_json()["tsigkeys"]
        assert [key["name"] for key in found] == names


def test_members_see_no_keys(boss: Api) -> None:
    answer = boss.of("project-1").get("/v2/tsigkeys")
    message = "policy find_tsigkeys does not allow this"
    assert body_of(answer) == {"code": 403, "type": "forbidden", "message": message}


def test_secrets_are_sealed_again_with_a_new_key(admin: Api) -> None:
    key = admin.post("/v2/tsigkeys", wanted()).get_json()
    both = make_api(admin.core.db, secret_key=f"{KEYS[1]} {KEYS[0]}")
    assert tsigkeys.reseal(both.core) == 1
    new = make_api(admin.core.db, secret_key=KEYS[1]).as_admin
    assert new.get(f"/v2/tsigkeys/{key['id']}").get_json() == key
    message = "secret_key lacks the key that a secret was sealed with"
    wanted_body = {"code": 500, "type": "configuration_error", "message": message}
    assert body_of(admin.get(f"/v2/tsigkeys/{key['id']}")) == wanted_body
