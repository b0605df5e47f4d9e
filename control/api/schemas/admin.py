# SPDX-License-Identifier: Apache-2.0
"""The reports of /admin."""

from __future__ import annotations

from typing import Any

from control.api.schemas.base import Answer, Links


class CountsAnswer(Answer):
    counts: list[dict[str, int]]


class TenantSummary(Answer):
    id: str
    zone_count: int
    links: Links


class TenantsAnswer(Answer):
    tenants: list[TenantSummary]
    links: Links
    metadata: dict[str, Any]


class TenantAnswer(Answer):
    id: str
    zones_count: int
    zones: list[str]
    links: Links
