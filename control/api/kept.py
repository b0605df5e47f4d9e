# SPDX-License-Identifier: Apache-2.0
"""What the views of TLDs, blacklists, TSIG keys, pools and service statuses share: they show a thing and list many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from control.api.call import Call
from control.api.operations import ListSpec, Reply
from control.api.render import timestamp
from control.central import kept
from control.storage.kept import Kept

T = TypeVar("T")
Show = Callable[[Call, Kept[T], T], dict[str, Any]]


def list_spec(*filters: str, sort_keys: tuple[str, ...] = ("name",)) -> ListSpec:
    return ListSpec(filters, ("created_at", "id", "updated_at", *sort_keys))


def show(call: Call, kind: Kept[Any], thing: Any) -> dict[str, Any]:
    """Its fields, and where it is."""
    fields = {key: timestamp(value) if isinstance(value, datetime) else value for key, value in asdict(thing).items()}
    return {**fields, "links": {"self": call.url(f"/v2/{kind.plural}/{thing.id}")}}


def listing(call: Call, kind: Kept[T], shown: Show[T] = show) -> Reply:
    found, more = kept.page_of(call.core, call.ctx, kind, call.filters(), call.page())
    return call.listing(kind.plural, [shown(call, kind, thing) for thing in found], more)


def one(call: Call, kind: Kept[T]) -> T:
    """The thing that the path names."""
    return kept.get(call.core, call.ctx, kind, call.path[f"{kind.code}_id"])


def created(body: dict[str, Any]) -> Reply:
    return Reply(body, 201, {"Location": body["links"]["self"]})
