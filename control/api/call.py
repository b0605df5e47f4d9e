# SPDX-License-Identifier: Apache-2.0
"""One request, checked: who asks, the ids of its path, its page, filters and body."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from flask import Request as FlaskRequest
from pydantic import BaseModel, ValidationError

from control.api.errors import problems_of
from control.api.operations import ListSpec, Operation, Reply
from control.central.core import Core
from control.context import Context
from control.errors import Invalid, Path, Problem, Refused, refuse_if_any
from control.storage.paging import PageRequest

T = TypeVar("T", bound=BaseModel)
STRANGE = re.compile(r"[\0\ud800-\udfff]")
TRUE = {"1", "t", "true", "on", "y", "yes"}
PAGE_KEYS = ("limit", "marker", "sort_key", "sort_dir")
# Parameters of any request that are no filters.
COMMON_KEYS = ("all_projects", "all_tenants", "edit_managed_records", "dry_run")


def is_true(text: str | None) -> bool:
    """As Designate reads booleans in headers and queries: what is not true is false."""
    return text is not None and text.strip().lower() in TRUE


@dataclass(slots=True)
class Call:
    core: Core
    ctx: Context
    operation: Operation
    request: FlaskRequest
    path: Mapping[str, str]

    # ---------------------------------------------------------------------------------------------------- the body

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent. Refused where it is another type, empty, no JSON or no object."""
        check_content_type(self.request, self.operation.body_types)
        data = self.request.get_data(cache=False)
        if not data.strip() or data.strip() == b"null":
            if not self.operation.body_required:
                return {}
            raise Refused("empty_request_body", "JSON body is empty")
        return parse_object(data)

    def parsed(self, model: type[T]) -> T:
        return validated(model, self.body())

    def changes(self, model: type[T], current: Mapping[str, Any]) -> dict[str, Any]:
        """What a PATCH or PUT changes: a partial body, checked.

        current: the thing as the API shows it. Keys that the model doesn't have are read-only or immutable there:
        they may come back as they are, and in no other way.
        """
        body = self.body()
        allowed = model.model_fields
        problems = [
            Problem((key,), f"'{key}' can't be changed", "readOnly") if key in current
            else Problem((key,), f"'{key}' is not allowed here", "additionalProperties", False)
            for key, value in body.items()
            if key not in allowed and not (key in current and current[key] == value)
        ]  # fmt: skip
        try:
            wanted = model.model_validate({key: value for key, value in body.items() if key in allowed})
        except ValidationError as error:
            raise Invalid([*problems, *problems_of(error)]) from None
        if problems:
            raise Invalid(problems)
        return {key: getattr(wanted, key) for key in wanted.model_fields_set}

    # --------------------------------------------------------------------------------------------------- the query

    def page(self) -> PageRequest:
        """Refused with a code of its own for each part that is wrong."""
        spec, args = self.list_spec(), self.request.args
        sort_key, sort_dir = args.get("sort_key", "created_at"), args.get("sort_dir", "asc").lower()
        if sort_key not in spec.sort_keys:
            raise Refused("invalid_sort_key", f"sort key must be one of: {', '.join(spec.sort_keys)}")
        if sort_dir not in ("asc", "desc"):
            raise Refused("invalid_sort_dir", f"sort direction must be 'asc' or 'desc', got {sort_dir!r}")
        return PageRequest(self.limit(), self._marker(), sort_key, sort_dir == "desc")

    def filters(self) -> dict[str, str]:
        """Filter → value. `*` in a value stands for anything."""
        spec, args = self.list_spec(), self.request.args
        known = {*spec.filters, *PAGE_KEYS, *COMMON_KEYS, *self.operation.query}
        unknown = sorted(set(args) - known)
        if unknown:
            raise Refused("bad_request", f"Invalid filters {', '.join(unknown)}")
        twice = sorted(key for key in spec.filters if len(args.getlist(key)) > 1)
        if twice:
            raise Refused("bad_request", f"Duplicate filters {', '.join(twice)}")
        return {key: args[key] for key in spec.filters if key in args}

    def list_spec(self) -> ListSpec:
        assert self.operation.list_of is not None, f"{self.operation.name} is no list"
        return self.operation.list_of

    def limit(self) -> int:
        """Refused invalid_limit where it is none."""
        config, text = self.core.config, self.request.args.get("limit")
        if text is None:
            return config.default_limit
        if text.lower() == "max":
            return config.max_limit
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= sys.maxsize):
            raise Refused("invalid_limit", f"limit must be a whole number from 1, or max; got {text!r}")
        return min(int(text), config.max_limit)

    def _marker(self) -> str | None:
        text = self.request.args.get("marker")
        if text is None:
            return None
        try:
            return uuid_of(text)
        except Refused:
            raise Refused("invalid_marker", f"marker must be an id, got {text!r}") from None

    # --------------------------------------------------------------------------------------------------- the answer

    def url(self, path: str) -> str:
        """An absolute URL of ours: below base_uri, or as the client reached us."""
        base = self.core.config.base_uri or self.request.root_url
        return base.rstrip("/") + path

    def listing(self, key: str, items: list[dict[str, Any]], more: bool, total: int | None = None) -> Reply:
        """A page of a list. more: there is a next page; total: metadata.total_count where the list is counted."""
        args = [(name, value) for name, value in self.request.args.items(multi=True)]
        links = {"self": self._with_query(args)}
        if more and items:
            rest = [pair for pair in args if pair[0] != "marker"]
            links["next"] = self._with_query([*rest, ("marker", items[-1]["id"])])
        body: dict[str, Any] = {key: items, "links": links}
        if self.list_spec().counted:
            body["metadata"] = {} if total is None else {"total_count": total}
        return Reply(body)

    def _with_query(self, args: list[tuple[str, str]]) -> str:
        query = urlencode(args, quote_via=quote)
        return self.url(self.request.path) + (f"?{query}" if query else "")

    def url_with(self, **changed: str) -> str:
        """The request's own URL, with other values in its query."""
        rest = [pair for pair in self.request.args.items(multi=True) if pair[0] not in changed]
        return self._with_query([*rest, *changed.items()])


def uuid_of(text: str) -> str:
    """The id as it is stored: lower case, with dashes. Refused invalid_uuid for what is none."""
    digits = text.replace("-", "").lower()
    shaped = len(digits) == 32 and (len(text) == 32 or [at for at, c in enumerate(text) if c == "-"] == [8, 13, 18, 23])
    if not shaped or not all(digit in "0123456789abcdef" for digit in digits):
        raise Refused("invalid_uuid", f"{text!r} is not a UUID")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def check_content_type(request: FlaskRequest, allowed: tuple[str, ...]) -> None:
    if request.mimetype not in allowed:
        raise Refused("unsupported_content_type", f"Content-Type must be {' or '.join(allowed)}")


def parse_object(data: bytes) -> dict[str, Any]:
    try:
        text = data.decode()
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("invalid_json", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Invalid([Problem((), "the body must be a JSON object", "type", "object")])
    if "\\u" in text:  # how else would they get into it?
        refuse_if_any(_strange_text(body))
    return body


def _strange_text(value: Any, path: Path = ()) -> Iterator[Problem]:
    """What JSON can write and a database can't hold: NUL, and halves of surrogate pairs."""
    if isinstance(value, str) and STRANGE.search(value):
        yield Problem(path, f"{value!a} has characters that no text can have", "format")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _strange_text(item, (*path, at))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strange_text(key, path)
            yield from _strange_text(item, path if STRANGE.search(key) else (*path, key))


def validated(model: type[T], body: Mapping[str, Any]) -> T:
    """The body as the model; Invalid with all its problems."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise Invalid(problems_of(error)) from None
