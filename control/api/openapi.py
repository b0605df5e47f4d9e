# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI 3.1 document, made from the register of operations and the models; nothing in it is written twice."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from control import structured
from control.api.auth.wishes import SUDO_HEADERS, WISHES
from control.api.call import PAGE_KEYS
from control.api.operations import JSON, STRUCTURED, Content, Operation, offered
from control.api.schemas.base import UUID_PATTERN, Failure
from fastmdns import __version__

Schema = dict[str, Any]
Doc = dict[str, Any]
SCHEMAS = "#/components/schemas/"
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
CHANGES = ("PUT", "PATCH", "DELETE")
SECURITY: Mapping[str, Schema] = {
    "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "As Keystone v3 gives it."},
    "basic": {"type": "http", "scheme": "basic"},
}
PAGES: Mapping[str, tuple[Schema, str]] = {
    "limit": ({"anyOf": [{"type": "integer", "minimum": 1}, {"const": "max"}]}, "Items on a page, or max."),
    "marker": ({"type": "string", "pattern": UUID_PATTERN}, "The id of the last item that you have."),
    "sort_key": ({"type": "string"}, "What to sort by."),
    "sort_dir": ({"enum": ["asc", "desc"]}, "In which direction."),
}
WISHED = {
    "all_projects": "See the things of all projects.",
    "edit_managed": "Change records that the service manages.",
    "hard_delete": "Delete at once, with all that hangs on it.",
    "delete_shares": "Delete a zone with its shares.",
    "hide_counts": "Leave metadata.total_count out.",
    "dry_run": "Check and answer as if it were done, and do nothing.",
}
FAILURES = {
    400: "What was sent is wrong; `errors` names every problem.",
    401: "Say who you are.",
    403: "A policy, a token's scope or a rule forbids it.",
    404: "There is no such thing, or it isn't yours to see.",
    409: "It is there already, or something changed meanwhile.",
    412: "It is no longer as `If-Match` says.",
    413: "A quota would be exceeded, or the body is too large.",
    415: "The body's content type is none that this takes.",
    503: "The database doesn't answer, or maintenance is going on: try again later.",
}


def document(server: str, auth: str) -> Doc:
    """The whole document of the API at a server's URL, with this setting of `auth`."""
    shown = offered(auth)
    schemas = _schemas(shown)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fastmdns",
            "version": __version__,
            "description": "DNS as a service: OpenStack Designate's v2 API, with more.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "tags": _tags(shown),
        "paths": _paths(shown, auth != "none"),
        "components": {
            "schemas": schemas,
            "responses": {"Failure": {"description": "Any error.", "content": _content(Failure, (JSON,))}},
            "securitySchemes": dict(SECURITY),
        },
    }


def tag_of(operation: Operation) -> str:
    return operation.view.__module__.rsplit(".", 1)[-1]


def _tags(operations: Iterable[Operation]) -> list[Doc]:
    modules = {tag_of(operation): operation.view.__module__ for operation in operations}
    return [{"name": tag, "description": str(sys.modules[name].__doc__).strip()} for tag, name in modules.items()]


def _paths(operations: Iterable[Operation], secured: bool) -> Doc:
    paths: dict[str, Doc] = {}
    taken: set[str] = set()
    for operation in operations:
        name = operation.name if operation.name not in taken else f"{operation.name}_{len(taken)}"
        taken.add(name)
        path = VARIABLE.sub(r"{\1}", operation.path)
        described = {"operationId": name, **_operation(operation, secured)}
        paths.setdefault(path, {})[operation.method.lower()] = described
    return paths


def _operation(operation: Operation, secured: bool) -> Doc:
    summary, _, description = (operation.view.__doc__ or operation.name).strip().partition("\n")
    found: Doc = {"tags": [tag_of(operation)], "summary": summary.rstrip(".")}
    if description.strip():
        found["description"] = re.sub(r"\n +", "\n", description.strip())
    parameters = [*_path_parameters(operation), *_query(operation), *_headers(operation)]
    if parameters:
        found["parameters"] = parameters
    if operation.body or operation.body_types != (JSON,):
        found["requestBody"] = _body(operation)
    found["responses"] = {**_answers(operation), **_failures(operation)}
    if not operation.public and secured:
        found["security"] = [{name: []} for name in SECURITY]
    return found


# --------------------------------------------------------------------------------------------------------- parameters


def _path_parameters(operation: Operation) -> list[Doc]:
    names = VARIABLE.findall(operation.path)
    return [_parameter("path", name, _path_schema(name), "", required=True) for name in names]


def _path_schema(name: str) -> Schema:
    return {"type": "string", "format": "uuid"} if name.endswith("_id") and name != "project_id" else {"type": "string"}


def _query(operation: Operation) -> list[Doc]:
    found = [_parameter("query", name, {"type": "string"}, text) for name, text in operation.query.items()]
    spec = operation.list_of
    if spec:
        pages = {**PAGES, "sort_key": ({"enum": list(spec.sort_keys)}, PAGES["sort_key"][1])}
        found += [_parameter("query", key, *pages[key]) for key in PAGE_KEYS]
        found += [_parameter("query", name, {"type": "string"}, "A filter; `*` is anything.") for name in spec.filters]
    if not operation.public:
        wished = ("all_projects",) if operation.method not in WRITES else ("dry_run", "edit_managed")
        found += [_wish("query", WISHES[wish][1][0], wish) for wish in wished]
    return list({parameter["name"]: parameter for parameter in found}.values())


def _headers(operation: Operation) -> list[Doc]:
    if operation.public:
        return []
    found = [_wish("header", WISHES[wish][0], wish) for wish in _wishes(operation)]
    found.append(_parameter("header", SUDO_HEADERS[0], {"type": "string"}, "Act as this project."))
    if operation.method in CHANGES:
        found.append(_parameter("header", "If-Match", {"type": "string"}, "Only if its ETag is still this one."))
    if operation.method == "GET":
        found.append(_parameter("header", "If-None-Match", {"type": "string"}, "304 if its ETag is still this one."))
    return found


def _wishes(operation: Operation) -> Iterator[str]:
    """The wishes that make a difference to the operation and have a header."""
    yield "all_projects"
    if operation.method in WRITES:
        yield "edit_managed"
    if operation.method == "DELETE":
        yield from ("hard_delete", "delete_shares")
    if operation.list_of and operation.list_of.counted:
        yield "hide_counts"


def _wish(place: str, name: str, wish: str) -> Doc:
    """`true` asks for it. Whatever is not true is false, as clients of Designate expect."""
    return _parameter(place, name, {"type": "string", "examples": ["true"]}, WISHED[wish])


def _parameter(place: str, name: str, schema: Schema, text: str, required: bool = False) -> Doc:
    described = {"description": text} if text else {}
    return {"name": name, "in": place, "required": required, "schema": schema, **described}


# ------------------------------------------------------------------------------------------------- bodies and answers


def _body(operation: Operation) -> Doc:
    return {"required": operation.body_required, "content": _content(operation.body or str, operation.body_types)}


def _answers(operation: Operation) -> Doc:
    found: Doc = {}
    for status, content in operation.answers.items():
        answer: Doc = {"description": "No content." if content is None else "Done."}
        if content is not None:
            answer["content"] = _content(content, _answer_types(operation, content))
        found[str(status)] = answer
    if operation.method == "GET" and not operation.public:
        found["304"] = {"description": "It is as your `If-None-Match` says."}
    return found


def _answer_types(operation: Operation, content: Content) -> tuple[str, ...]:
    if content is str:
        return (operation.text_type,)
    return (JSON, STRUCTURED) if _name(content) in _holding(_models([operation])) else (JSON,)


def _failures(operation: Operation) -> Doc:
    statuses = {400, 503}
    if not operation.public:
        statuses |= {401, 403}
    if "<" in operation.path:
        statuses.add(404)
    if operation.method in WRITES:
        statuses |= {404, 409, 413, 415}
    if operation.method in CHANGES:
        statuses.add(412)
    failures = {
        str(status): {"$ref": "#/components/responses/Failure", "description": FAILURES[status]}
        for status in sorted(statuses)
    }
    return {**failures, "default": {"$ref": "#/components/responses/Failure"}}


def _content(content: Content, types: Iterable[str]) -> Doc:
    found: Doc = {}
    for kind in types:
        if content is str or content is None or kind.startswith("text/"):
            found[kind] = {"schema": {"description": "Octets, of which JSON Schema says nothing."}}
        else:
            name = _name(content)
            found[kind] = {"schema": {"$ref": SCHEMAS + (_structured_name(name) if kind == STRUCTURED else name)}}
    return found


# ------------------------------------------------------------------------------------------------------------ schemas


def _name(content: Content) -> str:
    return getattr(content, "__name__", "")


def _structured_name(name: str) -> str:
    return f"{name}Structured"


def _schemas(operations: Iterable[Operation]) -> dict[str, Schema]:
    """The models by their names, those with record data also in their structured form, and the data of each type."""
    schemas = _models(operations)
    holding = _holding(schemas)
    variants = {_structured_name(name): _variant(schemas[name], holding) for name in holding}
    data = {f"Data{name}": schema for name, schema in structured.schemas().items()}
    choice = {"description": "By the recordset's type.", "anyOf": [{"$ref": SCHEMAS + name} for name in data]}
    return dict(sorted({**schemas, **variants}.items())) | {"Data": choice, **data}


def _models(operations: Iterable[Operation]) -> dict[str, Schema]:
    bodies = {operation.body for operation in operations if operation.body}
    answers = {content for operation in operations for content in operation.answers.values() if _is_model(content)}
    wanted: list[Any] = [(model, "validation") for model in bodies]
    wanted += [(model, "serialization") for model in answers - bodies | {Failure}]
    made = models_json_schema(sorted(wanted, key=lambda item: item[0].__name__), ref_template=SCHEMAS + "{model}")[1]
    schemas: dict[str, Schema] = made["$defs"]
    return schemas


def _is_model(content: Content) -> bool:
    return isinstance(content, type) and issubclass(content, BaseModel)


def _holding(schemas: Mapping[str, Schema]) -> set[str]:
    """The models that hold records, or others that do: they have a structured form."""
    holding = {name for name, schema in schemas.items() if "records" in schema.get("properties", {})}
    while more := {name for name, schema in schemas.items() if _refers_to(schema, holding)} - holding:
        holding |= more
    return holding


def _refers_to(schema: Any, names: set[str]) -> bool:
    if isinstance(schema, dict):
        if str(schema.get("$ref", "")).removeprefix(SCHEMAS) in names:
            return True
        return any(_refers_to(value, names) for value in schema.values())
    return isinstance(schema, list) and any(_refers_to(value, names) for value in schema)


def _variant(schema: Schema, holding: set[str]) -> Schema:
    """The schema with records as objects."""
    found: Schema = _renamed(copy.deepcopy(schema), holding)
    if "records" in found.get("properties", {}):
        found["properties"]["records"] = _with_items(found["properties"]["records"], {"$ref": SCHEMAS + "Data"})
    return found


def _with_items(records: Schema, items: Schema) -> Schema:
    """The list, or choice of lists, with other items."""
    if "anyOf" not in records:
        return {**records, "items": items} if records.get("type") == "array" else records
    choices: list[Schema] = []
    for choice in records["anyOf"]:
        changed = _with_items(choice, items)
        choices += [changed] if changed not in choices else []
    return {**records, "anyOf": choices}


def _renamed(schema: Any, holding: set[str]) -> Any:
    if isinstance(schema, list):
        return [_renamed(value, holding) for value in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).removeprefix(SCHEMAS)
    if name in holding:
        return {**schema, "$ref": SCHEMAS + _structured_name(name)}
    return {key: _renamed(value, holding) for key, value in schema.items()}
