# SPDX-License-Identifier: Apache-2.0
"""TLDs, blacklists, TSIG keys, service statuses and pools."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from control.api.schemas.base import MAX_INT32, Answer, Description, Links, ListLinks, Request, Timestamp, Uuid
from control.model import Scope

TldName = Annotated[str, Field(min_length=1, max_length=255, description="Without the last dot.", examples=["co.uk"])]
Pattern = Annotated[
    str, Field(min_length=1, max_length=255, description="A regular expression.", examples=[r"^evil\.example\.org\.$"])
]
Algorithm = Literal["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]
KeyName = Annotated[str, Field(min_length=1, max_length=160, examples=["transfer-key"])]
Secret = Annotated[str, Field(max_length=160, description="In base64.", examples=["c2VjcmV0LXNlY3JldA=="], repr=False)]
PoolName = Annotated[str, Field(min_length=1, max_length=50)]
Attribute = Annotated[str, Field(max_length=50)]


class KeptAnswer(Answer):
    id: str
    created_at: Timestamp
    updated_at: Timestamp | None
    links: Links


class KeptList(Answer):
    links: ListLinks


class TldCreate(Request):
    name: TldName
    description: Description | None = None


class TldChange(Request):
    name: TldName = ""
    description: Description | None = None


class TldAnswer(KeptAnswer):
    name: str
    description: str | None


class TldList(KeptList):
    tlds: list[TldAnswer]


class BlacklistCreate(Request):
    pattern: Pattern
    description: Description | None = None


class BlacklistChange(Request):
    pattern: Pattern = ""
    description: Description | None = None


class BlacklistAnswer(KeptAnswer):
    pattern: str
    description: str | None


class BlacklistList(KeptList):
    blacklists: list[BlacklistAnswer]


class TsigKeyCreate(Request):
    name: KeyName
    algorithm: Algorithm
    secret: Secret
    scope: Scope
    resource_id: Uuid


class TsigKeyChange(Request):
    name: KeyName = ""
    algorithm: Algorithm = "hmac-sha256"
    secret: Secret = ""
    scope: Scope = Scope.POOL
    resource_id: Uuid = ""


class TsigKeyAnswer(KeptAnswer):
    name: str
    algorithm: str
    secret: str
    scope: Scope
    resource_id: str


class TsigKeyList(KeptList):
    tsigkeys: list[TsigKeyAnswer]


class ServiceStatusAnswer(KeptAnswer):
    service_name: str
    hostname: str
    status: str
    stats: dict[str, Any]
    capabilities: dict[str, Any]
    heartbeated_at: Timestamp


class ServiceStatusList(KeptList):
    service_statuses: list[ServiceStatusAnswer]


class NsRecordBody(Request):
    hostname: str = Field(max_length=255, examples=["ns1.example.org."])
    priority: int = Field(ge=0, le=MAX_INT32, description="The least is the primary of the zones' SOA.")


class PoolCreate(Request):
    name: PoolName
    description: Description | None = None
    attributes: dict[Attribute, Attribute] = Field(default_factory=dict)
    ns_records: list[NsRecordBody] = Field(default_factory=list)


class PoolChange(Request):
    name: PoolName = ""
    description: Description | None = None
    attributes: dict[Attribute, Attribute] = Field(default_factory=dict)
    ns_records: list[NsRecordBody] = Field(default_factory=list)


class PoolAnswer(KeptAnswer):
    name: str
    description: str | None
    attributes: dict[str, str]
    ns_records: list[NsRecordBody]
    project_id: None


class PoolList(KeptList):
    pools: list[PoolAnswer]
