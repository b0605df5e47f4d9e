# SPDX-License-Identifier: Apache-2.0
from tests.control.conftest import Api


def test_version_document_names_v2_4_as_current(api: Api) -> None:
    versions = api.get("/").get_json()["versions"]
    assert versions[-1]["id"] == "v2.4"
    assert versions[-1]["status"] == "CURRENT"


def test_tables_are_made_on_every_database(api_on: Api) -> None:
    assert api_on.get("/").status_code == 200


def test_unknown_path_is_a_json_404(api: Api) -> None:
    answer = api.get("/nothere")
    assert answer.status_code == 404
    assert answer.get_json()["type"] == "not_found"


def test_text_that_no_database_holds_is_refused_wherever_it_stands(api_on: Api) -> None:
    body = {"name": "e.org.", "email": "a\0@b.c", "attributes": {"k\0": "v", "tier": "\ud800"}, "masters": ["\\u0000"]}
    problems = api_on.post("/v2/zones", body).get_json()["errors"]["errors"]
    assert [(problem["path"], problem["message"]) for problem in problems] == [
        (["email"], r"'a\x00@b.c' has characters that no text can have"),
        (["attributes"], r"'k\x00' has characters that no text can have"),
        (["attributes", "tier"], r"'\ud800' has characters that no text can have"),
    ]
