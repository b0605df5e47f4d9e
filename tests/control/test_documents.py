# SPDX-License-Identifier: Apache-2.0
"""The documents: complete, valid, and true to the routes; the page needs nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from control.api.documents import example
from control.storage.database import Database
from tests.control.conftest import Api, make_api
from tests.control.logins import make_world


@pytest.fixture
def api(sqlite: Database) -> Api:
    """With all operations there are."""
    return make_world(sqlite).as_("joe")


@pytest.fixture
def document(api: Api) -> Any:
    return api.get("/openapi.json").get_json()


def test_document_names_only_what_is_there_with_these_settings(sqlite: Database) -> None:
    assert not [path for path in make_api(sqlite).get("/openapi.json").get_json()["paths"] if "identity" in path]


def described(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else ())
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_route_is_described_and_nothing_else(api: Api, document: Any) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for method, path, _ in described(document)} == routes


def test_operations_have_names_of_their_own_and_a_summary(document: Any) -> None:
    names = [operation["operationId"] for _, _, operation in described(document)]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for _, _, operation in described(document))


def test_every_reference_leads_somewhere(document: Any) -> None:
    for reference in set(references(document)):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_schemas_are_schemas(document: Any) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_example_bodies_are_as_their_schemas_say(document: Any) -> None:
    for _, _, operation in described(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = {**content["schema"], "components": document["components"]}
            Draft202012Validator(schema).validate(example(document, content["schema"]))


def test_parameters_of_a_path_are_those_in_it(document: Any) -> None:
    for _, path, operation in described(document):
        named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))


def test_answers_hold_what_the_document_says(api: Api, document: Any) -> None:
    zone = api.zone()
    recordset = api.recordset(zone, "www.example.org.", "A", "192.0.2.1")
    place = f"/v2/zones/{zone['id']}/recordsets/{recordset['id']}"
    answers = document["paths"]["/v2/zones/{zone_id}/recordsets/{recordset_id}"]["get"]["responses"]["200"]["content"]
    for kind, content in answers.items():
        answer = api.get(place, headers={"Accept": kind})
        assert answer.content_type == kind
        Draft202012Validator({**content["schema"], "components": document["components"]}).validate(answer.get_json())


def test_page_runs_no_script_and_loads_nothing_from_elsewhere(api: Api) -> None:
    answer = api.get("/docs")
    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'self'"
    assert "<script" not in answer.text
    assert not re.findall(r'(?:src|href)="(?!#|docs\.css|openapi\.json)', answer.text)
    assert api.get("/docs.css").content_type == "text/css; charset=utf-8"
    assert api.get("/openapi.json").status_code == 200


def test_page_names_every_operation(api: Api, document: Any) -> None:
    page = api.get("/docs").text
    assert all(f'<article id="{operation["operationId"]}">' in page for _, _, operation in described(document))
