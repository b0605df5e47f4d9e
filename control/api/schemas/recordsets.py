# SPDX-License-Identifier: Apache-2.0
"""Recordsets and lists of changes, as they go over HTTP. Structured: each record is an object (see structured.py)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from control.api.schemas.base import Answer, Description, Links, ListLinks, Metadata, Request, Timestamp, Ttl, Uuid

RecordTexts = list[str]
RecordObjects = list[dict[str, Any]]
NAME = "Ends with a dot; the leftmost label may be *."
TTL = "null: the zone's."


class RecordsetCreate(Request):
    name: str = Field(description=NAME)
    type: str = Field(description="A, AAAA, TXT… or TYPE65280 (RFC 3597).")
    records: RecordTexts = Field([], description="As in a zone file, names ending with a dot.")
    ttl: Ttl | None = Field(None, description=TTL)
    description: Description | None = None


class StructuredRecordsetCreate(RecordsetCreate):
    records: RecordObjects = Field([])  # type: ignore[assignment]  # the same place in the other form


class RecordsetUpdate(Request):
    records: RecordTexts = Field([], description="Replace those that are there; left out, they stay.")
    ttl: Ttl | None = Field(None, description=TTL)
    description: Description | None = None


class StructuredRecordsetUpdate(RecordsetUpdate):
    records: RecordObjects = Field([])  # type: ignore[assignment]  # the same place in the other form


class Records(Request):
    records: RecordTexts = Field(min_length=1)


class StructuredRecords(Request):
    records: RecordObjects = Field(min_length=1)


class ChangeItem(Request):
    action: Literal["create", "update", "upsert", "delete", "add", "remove"]
    id: Uuid | None = Field(None, description="Of the recordset, in place of name and type.")
    name: str | None = Field(None, description=NAME)
    type: str | None = None
    records: RecordTexts | None = None
    ttl: Ttl | None = Field(None, description=TTL)
    description: Description | None = None


class StructuredChangeItem(ChangeItem):
    records: RecordObjects | None = None  # type: ignore[assignment]  # the same place in the other form


class Changes(Request):
    changes: list[ChangeItem] = Field(min_length=1)
    note: Description | None = Field(None, description="Kept in the zone's history.")


class StructuredChanges(Changes):
    changes: list[StructuredChangeItem] = Field(min_length=1)  # type: ignore[assignment]  # in the other form


class RecordsetAnswer(Answer):
    id: str
    zone_id: str
    project_id: str = Field(description="Whose request made it.")
    name: str
    zone_name: str
    type: str
    records: RecordTexts | RecordObjects
    description: str | None
    ttl: int | None
    status: Literal["ACTIVE", "PENDING", "ERROR"]
    action: Literal["NONE", "CREATE", "UPDATE", "DELETE"]
    version: int
    serial: int = Field(description="The zone's serial since which it is as shown.")
    created_at: Timestamp
    updated_at: Timestamp | None
    links: Links


class RecordsetList(Answer):
    recordsets: list[RecordsetAnswer]
    links: ListLinks
    metadata: Metadata


class ChangesAnswer(Answer):
    recordsets: list[RecordsetAnswer] = Field(description="In the order of the changes.")
    serial: int
    links: Links
