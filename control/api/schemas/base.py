# SPDX-License-Identifier: Apache-2.0
"""What all models share: the manners of requests, and the shapes that every resource has."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MAX_INT32 = 2147483647

Ttl = Annotated[int, Field(ge=0, le=MAX_INT32, description="Seconds.")]
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x01-\x1f\x7f]*$")]
Description = Annotated[str, Field(max_length=160)]
UUID_PATTERN = r"^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$"
Uuid = Annotated[str, Field(pattern=UUID_PATTERN, examples=["794ccc2c-d751-44fe-b57f-8894c9f5c842"])]
Timestamp = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$", description="UTC, without a zone suffix.")
]


class Request(BaseModel):
    """A request's body: unknown keys are refused; numbers may come as text and text as numbers, as clients send them.

    read_only: keys of the answer that a client may send back, where they are as stored. immutable: the same for those
    that it chose when it created the thing.
    """

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class Answer(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(extra="forbid")


class Links(Answer):
    self: str


class ListLinks(Answer):
    self: str
    next: str | None = Field(None, description="The next page; absent on the last one.")


class Metadata(Answer):
    total_count: int | None = Field(None, description="Of all pages; absent where the client asked to hide counts.")


class Failure(BaseModel):
    """Any error."""

    code: int
    type: str
    request_id: str
    message: str | None = None
    errors: dict[str, Any] | None = Field(None, description="Every problem: {errors: [{path, message, validator, …}]}.")
