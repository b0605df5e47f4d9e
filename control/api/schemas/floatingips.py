# SPDX-License-Identifier: Apache-2.0
"""Floating IPs and their PTR records."""

from __future__ import annotations

from pydantic import Field

from control.api.schemas.base import Answer, Description, Links, Request, Ttl


class FloatingIpChange(Request):
    ptrdname: str | None = Field(None, max_length=255, description="null: none.", examples=["smtp.example.com."])
    ttl: Ttl | None = None
    description: Description | None = None


class FloatingIpAnswer(Answer):
    id: str = Field(description="REGION:ID")
    address: str
    ptrdname: str | None
    description: str | None
    ttl: int | None
    action: str
    status: str = Field(description="INACTIVE: it has no PTR record.")
    links: Links


class FloatingIpList(Answer):
    floatingips: list[FloatingIpAnswer]
    links: Links
