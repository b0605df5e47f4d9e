# SPDX-License-Identifier: Apache-2.0
"""/openapi.json and /docs: what the API can do, for programs and for people. Anyone may read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from pydantic import BaseModel, ConfigDict

from control.api import openapi
from control.api.call import Call
from control.api.operations import TEXT, Reply, operation
from control.config import ControlConfig


class OpenApi(BaseModel):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")
    openapi: str


PAGES = Path(__file__).parent / "pages"
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'self'", "X-Content-Type-Options": "nosniff"}


@operation("GET", "/openapi.json", answers={200: OpenApi}, public=True)
def get_openapi(call: Call) -> Reply:
    """The OpenAPI 3.1 document."""
    return Reply(_document(*_place(call.core.config)))


@operation("GET", "/docs", answers={200: TEXT}, public=True, text_type="text/html; charset=utf-8")
def get_docs(call: Call) -> Reply:
    """The same for people: a page that needs no script and nothing from elsewhere."""
    return Reply(_page(*_place(call.core.config)), headers=HEADERS, content_type=call.operation.text_type)


@operation("GET", "/docs.css", answers={200: TEXT}, public=True, text_type="text/css; charset=utf-8")
def get_style(call: Call) -> Reply:
    """The style of that page."""
    return Reply((PAGES / "docs.css").read_text("utf-8"), headers=HEADERS, content_type=call.operation.text_type)


def _place(config: ControlConfig) -> tuple[str, str]:
    return config.base_uri or "/", config.auth


@cache
def _document(server: str, auth: str) -> dict[str, Any]:
    return openapi.document(server, auth)


@cache
def _page(server: str, auth: str) -> str:
    document = _document(server, auth)
    environment = Environment(loader=FileSystemLoader(PAGES), autoescape=True)
    environment.filters["curl"] = lambda described, method, path: curl(document, described, method, path)
    environment.filters["type_of"] = type_of
    environment.filters["model"] = lambda content: str(content["schema"].get("$ref", "text")).rsplit("/", 1)[-1]
    resources = {tag["name"]: (tag["description"], list(_of_tag(document, tag["name"]))) for tag in document["tags"]}
    return environment.get_template("docs.html.j2").render(document=document, resources=resources)


def _of_tag(document: Mapping[str, Any], tag: str) -> Any:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            if tag in described["tags"]:
                yield method.upper(), path, described


def type_of(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: `string, at most 255`, `list of ZoneAnswer`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_of(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    return str(schema.get("type", "anything")) + "".join(
        f", {text} {schema[key]}" for key, text in LIMITS.items() if key in schema
    )


LIMITS = {"maxLength": "at most", "minimum": "from", "maximum": "to"}


def curl(document: Mapping[str, Any], described: Mapping[str, Any], method: str, path: str) -> str:
    """A command line that calls the operation."""
    words = ["curl"] if method == "GET" else [f"curl -X {method}"]
    if "security" in described:
        words.append('-H "X-Auth-Token: $TOKEN"')
    for kind, content in list(described.get("requestBody", {}).get("content", {}).items())[:1]:
        body = example(document, content["schema"])
        text = json.dumps(body) if kind.endswith("json") else "@FILE"
        words += [f'-H "Content-Type: {kind}"', f"-d '{text}'"]
    words.append(f'"$URL{path}"')
    return (" " if len(words) < 4 else " \\\n  ").join(words)


def example(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """A value of the schema: its own example, else the least that it asks for."""
    if "$ref" in schema:
        return example(document, document["components"]["schemas"][type_of(schema)])
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("type") == "object":
        needed, known = schema.get("required", []), schema.get("properties", {})
        return {key: example(document, known[key]) for key in needed if key in known}
    if schema.get("type") == "array":
        return [example(document, schema["items"])]
    if schema.get("anyOf"):
        return example(document, schema["anyOf"][0])
    return next(iter(schema.get("enum", ())), {"integer": 1, "boolean": True}.get(schema.get("type", ""), "…"))
