# SPDX-License-Identifier: Apache-2.0
"""The register of operations. @operation names all there is to know about one; Flask's routes and OpenAPI read it.

@operation("POST", "/v2/zones", body=ZoneCreate, answers={202: ZoneAnswer})
def create_zone(call: Call) -> Reply:
    \"\"\"Create a zone.\"\"\"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from control.api.call import Call

JSON = "application/json"
DNS = "text/dns"
STRUCTURED = "application/vnd.openstack.dns-v2+json"
NEGOTIATED = (JSON, STRUCTURED)


@dataclass(frozen=True, slots=True)
class ListSpec:
    """What a list may be filtered and sorted by. counted: it has metadata.total_count."""

    filters: tuple[str, ...] = ()
    sort_keys: tuple[str, ...] = ("created_at", "id", "updated_at")
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """body: JSON where it is no text or stream; None is an empty answer."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


View = Callable[["Call"], Reply]
# No content, or text: what OpenAPI says where there is no model.
NOTHING, TEXT = None, str
Content = type[BaseModel] | type[str] | None


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str  # as Flask writes it: /v2/zones/<zone_id>
    view: View
    body: type[BaseModel] | None
    body_required: bool
    body_types: tuple[str, ...]  # content types it takes
    answers: Mapping[int, Content]
    answer_types: tuple[str, ...]  # content types it can give; none: whatever the client accepts
    list_of: ListSpec | None
    query: Mapping[str, str]  # further parameters → what they do
    max_body: str  # the setting that limits the body
    public: bool  # needs no identity
    text_type: str  # the content type of answers that are TEXT

    @property
    def name(self) -> str:
        return self.view.__name__


OPERATIONS: list[Operation] = []
# Paths that are there with auth = builtin only.
IDENTITY, TOKENS, ADMIN = "/identity", "/v2/tokens", "/admin"


def offered(auth: str, admin_api: bool = True) -> list[Operation]:
    """The operations there are with these settings."""
    shut = (*(() if auth == "builtin" else (IDENTITY, TOKENS)), *(() if admin_api else (ADMIN,)))
    return [operation for operation in OPERATIONS if not operation.path.startswith(shut)]


def operation(
    method: str,
    path: str,
    *,
    answers: Mapping[int, Content],
    body: type[BaseModel] | None = None,
    body_required: bool = True,
    body_types: tuple[str, ...] = (JSON,),
    answer_types: tuple[str, ...] | None = None,
    list_of: ListSpec | None = None,
    query: Mapping[str, str] | None = None,
    max_body: str = "max_body_size",
    public: bool = False,
    text_type: str = "text/dns",
) -> Callable[[View], View]:
    """Registers the view. The view's docstring is the operation's summary and description.

    answer_types: who accepts none of them gets 406; as it is, JSON from what needs an identity and answers JSON.
    """

    def register(view: View) -> View:
        plain = public or TEXT in answers.values()
        types = answer_types if answer_types is not None else () if plain else NEGOTIATED
        OPERATIONS.append(
            Operation(
                method=method,
                path=path,
                view=view,
                body=body,
                body_required=body_required,
                body_types=body_types,
                answers=answers,
                answer_types=types,
                list_of=list_of,
                query=query or {},
                max_body=max_body,
                public=public,
                text_type=text_type,
            )
        )
        return view

    return register
