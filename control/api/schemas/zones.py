# SPDX-License-Identifier: Apache-2.0
"""Zones, their shares and their transfers, as they go over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from control.api.schemas.base import Answer, Description, Links, ListLinks, Metadata, Request, Timestamp, Ttl, Uuid

Text255 = Annotated[str, Field(max_length=255)]


class ZoneCreate(Request):
    name: Text255 = Field(examples=["example.org."], description="Its letters' case is kept, and does not matter.")
    email: Text255 | None = Field(None, description="Required of a PRIMARY zone; a SECONDARY zone has none.")
    ttl: Ttl | None = Field(None, description="For recordsets without one. Default: the service's.")
    description: Description | None = None
    type: Literal["PRIMARY", "SECONDARY", "CATALOG"] = "PRIMARY"
    masters: list[str] | None = Field(None, description="Of a SECONDARY zone: address or address:port.")
    attributes: dict[str, str] | None = Field(None, description="What the zone's pool shall have.")
    pool_id: str | None = Field(None, description="As the attribute pool_id.")


class ZonePatch(Request):
    email: Text255 = Field("", description="Of a PRIMARY zone.")
    ttl: Ttl = Field(0, description="Of a PRIMARY zone.")
    description: Description | None = None
    masters: list[str] = Field([], description="Of a SECONDARY zone, which is then transferred anew.")
    attributes: dict[str, str] = Field({}, description="Replaces all there were.")


class ZoneAnswer(Answer):
    id: str
    pool_id: str
    project_id: str
    name: str
    email: str
    description: str | None
    ttl: int
    serial: int
    shared: bool = Field(description="Whether it is shared with another project.")
    status: Literal["ACTIVE", "PENDING", "ERROR", "DELETED"]
    action: Literal["NONE", "CREATE", "UPDATE", "DELETE"]
    version: int
    attributes: dict[str, str]
    type: Literal["PRIMARY", "SECONDARY", "CATALOG"]
    masters: list[str]
    created_at: Timestamp
    updated_at: Timestamp | None
    transferred_at: Timestamp | None
    links: Links


class ZoneList(Answer):
    zones: list[ZoneAnswer]
    links: ListLinks
    metadata: Metadata


class NameServer(Answer):
    hostname: str
    priority: int


class NameServers(Answer):
    nameservers: list[NameServer]


class ShareCreate(Request):
    target_project_id: Annotated[str, Field(min_length=1, max_length=36)]


class ZoneLinks(Links):
    zone: str


class ShareAnswer(Answer):
    id: str
    zone_id: str
    project_id: str = Field(description="Who shared it.")
    target_project_id: str
    created_at: Timestamp
    updated_at: Timestamp | None
    links: ZoneLinks


class ShareList(Answer):
    shared_zones: list[ShareAnswer]
    links: ListLinks


class TransferRequestCreate(Request):
    target_project_id: Annotated[str, Field(min_length=1, max_length=36)] | None = Field(
        None, description="The only project that may accept; null: any that has the key."
    )
    description: Description | None = None


class TransferRequestPatch(TransferRequestCreate):
    zone_id: str = Field("", description="As it is.")


class TransferRequestAnswer(Answer):
    id: str
    zone_id: str
    zone_name: str
    description: str | None
    status: Literal["ACTIVE", "COMPLETE"]
    project_id: str = Field("", description="For the owner only, as the following ones.")
    target_project_id: str | None = None
    key: str = Field("", description="What the accepting side needs.")
    created_at: Timestamp = ""
    updated_at: Timestamp | None = None
    links: Links


class TransferRequestList(Answer):
    transfer_requests: list[TransferRequestAnswer]
    links: ListLinks


class TransferAcceptCreate(Request):
    key: Annotated[str, Field(max_length=160)]
    zone_transfer_request_id: Uuid


class TransferAcceptAnswer(Answer):
    id: str
    zone_transfer_request_id: str
    project_id: str
    zone_id: str
    key: str | None = Field(description="Shown once, in the answer to the request that accepts.")
    status: Literal["COMPLETE"]
    created_at: Timestamp
    updated_at: Timestamp | None
    links: ZoneLinks


class TransferAcceptList(Answer):
    transfer_accepts: list[TransferAcceptAnswer]
    links: ListLinks
    metadata: Metadata


class PoolMove(Request):
    pool_id: Uuid | None = Field(None, description="Null: the pool that the zone's attributes ask for.")
