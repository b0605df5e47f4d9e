# SPDX-License-Identifier: Apache-2.0
"""TLDs and blacklists, and with them all that what operators keep has in common."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.conftest import Api, body_of

KINDS = {
    "tlds": ({"name": "org", "description": None}, {"name": "co.uk", "description": "Britain"}, "tld", "Tld"),
    "blacklists": (
        {"pattern": r"^evil\.", "description": None},
        {"pattern": r"bad+\.org\.$", "description": "not a (pattern"},
        "blacklist",
        "Blacklist",
    ),
}
kinds = pytest.mark.parametrize("plural", KINDS)
UNKNOWN = "0e3f2a5c-8f4d-4c5e-9a53-6a3d1a2b3c4d"


def problems(answer: Any) -> list[dict[str, Any]]:
    body = body_of(answer)
    assert (body["code"], body["type"]) == (400, "invalid_object")
    found: list[dict[str, Any]] = body["errors"]["errors"]
    return found


@kinds
def test_it_is_created_shown_changed_and_deleted(api_on: Api, plural: str) -> None:
    admin, (first, second, code, word) = api_on.as_admin, KINDS[plural]
    made = admin.post(f"/v2/{plural}", first)
    shown = made.get_json()
    path = f"/v2/{plural}/{shown['id']}"
    assert made.status_code == 201
    assert made.headers["Location"] == shown["links"]["self"] == f"http://localhost{path}"
    assert shown == {**shown, **first, "updated_at": None}
    assert admin.get(path).get_json() == shown
    changed = admin.patch(path, second)
    assert (changed.status_code, {**changed.get_json(), **second}) == (200, changed.get_json())
    assert changed.get_json()["updated_at"] is not None
    assert admin.patch(path, changed.get_json()).get_json() == changed.get_json()
    gone = admin.delete(path)
    assert (gone.status_code, gone.data) == (204, b"")
    assert body_of(admin.get(path)) == {"code": 404, "type": f"{code}_not_found", "message": f"Could not find {word}"}


@kinds
def test_the_same_again_is_a_conflict(api_on: Api, plural: str) -> None:
    admin, (first, second, code, word) = api_on.as_admin, KINDS[plural]
    admin.post(f"/v2/{plural}", first)
    wanted = {"code": 409, "type": f"duplicate_{code}", "message": f"Duplicate {word}"}
    assert body_of(admin.post(f"/v2/{plural}", first)) == wanted
    other = admin.post(f"/v2/{plural}", second).get_json()
    assert body_of(admin.patch(f"/v2/{plural}/{other['id']}", first)) == wanted


@kinds
def test_list_is_paged_sorted_and_filtered(api_on: Api, plural: str) -> None:
    admin, (first, second, _, _) = api_on.as_admin, KINDS[plural]
    key = next(iter(first))
    for body in (first, second):
        admin.post(f"/v2/{plural}", body)
    values = sorted([first[key], second[key]])

    def found(query: str) -> list[str]:
        return [thing[key] for thing in admin.get(f"/v2/{plural}?{query}").get_json()[plural]]

    assert found("") == [first[key], second[key]]
    assert found(f"sort_key={key}&sort_dir=desc") == values[::-1]
    page = admin.get(f"/v2/{plural}?sort_key={key}&limit=1").get_json()
    assert [thing[key] for thing in page[plural]] == values[:1]
    assert [thing[key] for thing in admin.get(page["links"]["next"]).get_json()[plural]] == values[1:]
    assert "next" not in admin.get(page["links"]["next"]).get_json()["links"]
    assert admin.get(f"/v2/{plural}", query_string={key: first[key]}).get_json()[plural][0][key] == first[key]
    assert found(f"{key}=*or*") == [value for value in (first[key], second[key]) if "or" in value]
    assert found(f"{key}=*_*") == found(f"{key}=%25") == []


@kinds
def test_only_admins_have_to_do_with_it(api: Api, plural: str) -> None:
    first, _, code, _ = KINDS[plural]
    path = f"/v2/{plural}/{UNKNOWN}"
    for method, where, rule in (
        ("POST", f"/v2/{plural}", f"create_{code}"),
        ("GET", f"/v2/{plural}", f"find_{plural}"),
        ("GET", path, f"get_{code}"),
        ("DELETE", path, f"delete_{code}"),
    ):
        answer = api.request(method, where, first if method == "POST" else None)
        assert body_of(answer) == {"code": 403, "type": "forbidden", "message": f"policy {rule} does not allow this"}


@kinds
def test_rehearsed_creation_leaves_nothing(api: Api, plural: str) -> None:
    assert api.as_admin.post(f"/v2/{plural}?dry_run=true", KINDS[plural][0]).status_code == 201
    assert api.as_admin.get(f"/v2/{plural}").get_json()[plural] == []


@kinds
def test_list_that_is_asked_for_wrongly_says_what_was_wrong(api: Api, plural: str) -> None:
    admin = api.as_admin
    for query, code in (
        ("color=red", "bad_request"),
        ("limit=0", "invalid_limit"),
        ("marker=x", "invalid_marker"),
        (f"marker={UNKNOWN}", "marker_not_found"),
        ("sort_key=color", "invalid_sort_key"),
        ("sort_dir=up", "invalid_sort_dir"),
    ):
        assert body_of(admin.get(f"/v2/{plural}?{query}"))["type"] == code


@pytest.mark.parametrize("name", ["org.", "-org", "o rg", "a..b", "x" * 64])
def test_tld_that_is_no_name_is_refused(api: Api, name: str) -> None:
    (problem,) = problems(api.as_admin.post("/v2/tlds", {"name": name}))
    assert (problem["path"], problem["validator"]) == (["name"], "format")


def test_tlds_differ_not_only_in_case(api_on: Api) -> None:
    api_on.as_admin.post("/v2/tlds", {"name": "org"})
    assert body_of(api_on.as_admin.post("/v2/tlds", {"name": "ORG"}))["type"] == "duplicate_tld"


def test_zones_must_be_below_a_tld_once_there_is_one(api: Api) -> None:
    api.as_admin.post("/v2/tlds", {"name": "co.uk"})
    api.zone("example.co.uk.")
    answer = api.post("/v2/zones", {"name": "example.org.", "email": "joe@example.org"})
    assert body_of(answer)["type"] == "invalid_zone_name"


def test_pattern_that_does_not_compile_is_refused_with_the_reason(api: Api) -> None:
    (problem,) = problems(api.as_admin.post("/v2/blacklists", {"pattern": "(evil"}))
    assert (problem["path"], problem["validator"]) == (["pattern"], "format")
    assert problem["message"].startswith("'(evil' is no regular expression: missing )")


def test_zones_that_a_pattern_finds_are_forbidden(api: Api) -> None:
    api.as_admin.post("/v2/blacklists", {"pattern": r"^evil\."})
    answer = api.post("/v2/zones", {"name": "evil.org.", "email": "joe@example.org"})
    assert body_of(answer)["type"] == "invalid_zone_name"
