# SPDX-License-Identifier: Apache-2.0
"""Quotas, in the two shapes they have, and limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from control.api.schemas.base import MAX_INT32, Answer, Request

Quota = Annotated[int, Field(ge=-1, le=MAX_INT32, description="-1: no limit.")]
AdminQuota = Annotated[int, Field(ge=0, le=MAX_INT32)]


class QuotaChange(Request):
    """Any of them; the others stay."""

    api_export_size: Quota = -1
    recordset_records: Quota = -1
    zone_records: Quota = -1
    zone_recordsets: Quota = -1
    zones: Quota = -1


class QuotaAnswer(Answer):
    api_export_size: int
    recordset_records: int
    zone_records: int
    zone_recordsets: int
    zones: int


class AdminQuotas(Request):
    api_export_size: AdminQuota = 0
    recordset_records: AdminQuota = 0
    zone_records: AdminQuota = 0
    zone_recordsets: AdminQuota = 0
    zones: AdminQuota = 0


class AdminQuotaChange(Request):
    quota: AdminQuotas


class AdminQuotaAnswer(Answer):
    quota: QuotaAnswer


class LimitsAnswer(Answer):
    max_zones: int
    max_zone_recordsets: int
    max_zone_records: int
    max_recordset_records: int
    min_ttl: int
    max_zone_name_length: int
    max_recordset_name_length: int
    max_page_limit: int
