# SPDX-License-Identifier: Apache-2.0
"""The bodies of errors that any resource may answer with, and that no code is without a test somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from control.api.errors import STATUS
from tests.control.conftest import Api, body_of

NO_ONE = "0190a0a0-0000-7000-8000-000000000000"
JSON = {"Content-Type": "application/json"}
# (method, path, body as octets or JSON, what is answered without the request id)
CASES: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("POST", "/v2/zones", b"", {"code": 400, "type": "empty_request_body", "message": "JSON body is empty"}),
    ("POST", "/v2/zones", b"null", {"code": 400, "type": "empty_request_body", "message": "JSON body is empty"}),
    ("POST", "/v2/zones", b"{", {"code": 400, "type": "invalid_json", "message": "the body is not JSON"}),
    ("GET", "/v2/zones/no-uuid", None, {"code": 400, "type": "invalid_uuid", "message": "'no-uuid' is not a UUID"}),
    ("GET", f"/v2/tlds/{NO_ONE}", None, {"code": 404, "type": "tld_not_found", "message": "Could not find Tld"}),
    (
        "GET",
        f"/v2/blacklists/{NO_ONE}",
        None,
        {"code": 404, "type": "blacklist_not_found", "message": "Could not find Blacklist"},
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "expected"), CASES)
def test_error_has_code_type_and_message(
    api: Api, method: str, path: str, body: bytes | None, expected: dict[str, Any]
) -> None:
    answer = api.as_admin.request(method, path, headers=JSON, data=body)
    assert body_of(answer) == expected


def test_same_pattern_twice_is_a_conflict(api: Api) -> None:
    admin = api.as_admin
    assert admin.post("/v2/blacklists", {"pattern": "^bad"}).status_code == 201
    answer = admin.post("/v2/blacklists", {"pattern": "^bad"})
    assert body_of(answer) == {"code": 409, "type": "duplicate_blacklist", "message": "Duplicate Blacklist"}


# Said by commands and identity views, where Keystone's own shape or the command's line is what tests compare.
ELSEWHERE = {"unauthorized", "user_not_found", "project_not_found", "role_not_found", "credential_not_found"}
ELSEWHERE |= {"duplicate_user", "duplicate_project", "duplicate_credential", "conflict"}


def test_no_code_is_without_a_test() -> None:
    texts = [path.read_text("utf-8") for path in Path(__file__).parent.rglob("test_*.py")]
    named = set(re.findall(r'"([a-z_]+)"', "\n".join(texts)))
    assert set(STATUS) - named - ELSEWHERE == set()
