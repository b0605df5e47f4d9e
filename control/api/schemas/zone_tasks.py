# SPDX-License-Identifier: Apache-2.0
"""Imports, exports and the past of zones, as they go over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from control.api.schemas.base import Answer, Links, ListLinks, Metadata, Request, Timestamp

Serial = Annotated[int, Field(ge=0, lt=1 << 32)]
TaskState = Literal["PENDING", "COMPLETE", "ERROR"]


class ImportCreate(Request):
    zonefile: str = Field(description="In master format (RFC 1035 §5.1), with an SOA record.")
    attributes: dict[str, str] | None = Field(None, description="What the zone's pool shall have.")


class ImportLinks(Links):
    zone: str | None = Field(None, description="The zone, once there is one.")


class Progress(Answer):
    done: int = Field(description="Octets of the zone file that are in the database.")
    octets: int = Field(description="Octets of the zone file.")


class ImportAnswer(Answer):
    id: str
    status: TaskState
    message: str | None
    zone_id: str | None
    project_id: str
    created_at: Timestamp
    updated_at: Timestamp | None
    version: int
    progress: Progress
    links: ImportLinks


class ImportList(Answer):
    imports: list[ImportAnswer]
    links: ListLinks
    metadata: Metadata


class ExportLinks(Links):
    export: str = Field(description="Where the zone file is.")


class ExportAnswer(Answer):
    id: str
    status: TaskState
    message: str | None
    location: str | None
    zone_id: str | None
    project_id: str
    created_at: Timestamp
    updated_at: Timestamp | None
    version: int
    links: ExportLinks


class ExportList(Answer):
    exports: list[ExportAnswer]
    links: ListLinks
    metadata: Metadata


class Replaced(Answer):
    """Counts of recordsets."""

    serial: int
    created: int
    updated: int
    deleted: int
    unchanged: int
    links: Links


class HistoryEntry(Answer):
    revision: int = Field(description="Counts the zone's changes from 1.")
    kind: Literal["change", "whole"] = Field(description="whole: all of the zone at once; only the count is kept.")
    from_serial: int | None = Field(description="null: the zone was created.")
    to_serial: int
    project_id: str | None
    user_id: str | None
    request_id: str | None
    note: str | None
    removed: int = Field(description="Records, the SOA not counted.")
    added: int = Field(description="Records, the SOA not counted.")
    created_at: Timestamp


class History(Answer):
    history: list[HistoryEntry]
    links: ListLinks


class Diff(Answer):
    """Records as lines of a zone file."""

    from_serial: int
    to_serial: int
    removed: list[str]
    added: list[str]
    links: Links


class RollbackCreate(Request):
    serial: Serial = Field(description="The serial at which the records were as they shall be.")


class RolledBack(Answer):
    serial: int
    created: int
    updated: int
    deleted: int
    removed: list[str] = Field(description="Records as lines of a zone file.")
    added: list[str]
    links: Links
