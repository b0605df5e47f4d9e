# SPDX-License-Identifier: Apache-2.0
"""Zones on their way to another project: requests, which hold a key, and their acceptance by who knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from control.errors import Refused
from control.storage import filters
from control.storage.paging import PageRequest, paged
from control.storage.tables import transfer_accepts, transfer_requests, zones


class TransferStatus(StrEnum):
    ACTIVE = "ACTIVE"
    COMPLETE = "COMPLETE"


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """target_project_id None: whoever has the key may accept."""

    id: str
    zone_id: str
    project_id: str
    target_project_id: str | None
    key: str
    description: str | None
    status: str
    created_at: datetime
    updated_at: datetime | None
    zone_name: str


@dataclass(frozen=True, slots=True)
class TransferAccept:
    id: str
    zone_id: str
    transfer_request_id: str
    project_id: str
    status: str
    created_at: datetime
    updated_at: datetime | None


REQUEST = {name: transfer_requests.c[name] for name in TransferRequest.__slots__ if name != "zone_name"}
ACCEPT = {name: transfer_accepts.c[name] for name in TransferAccept.__slots__}


def _requests() -> Select[Any]:
    return select(*REQUEST.values(), zones.c.name).join(zones, zones.c.id == transfer_requests.c.zone_id)


def request(tx: Connection, request_id: str, *, locked: bool = False) -> TransferRequest:
    """Refused zone_transfer_request_not_found where there is none."""
    query = _requests().where(transfer_requests.c.id == request_id)
    row = tx.execute(query.with_for_update(of=transfer_requests) if locked else query).one_or_none()
    if row is None:
        raise Refused("zone_transfer_request_not_found", "Could not find ZoneTransferRequest")
    return TransferRequest(*row)


def requests_page(
    tx: Connection, project_id: str | None, status: str | None, page: PageRequest
) -> tuple[list[TransferRequest], bool]:
    """Those that a project made or that are meant for it. None: those of all projects."""
    query = _requests()
    if project_id is not None:
        columns = transfer_requests.c
        query = query.where((columns.project_id == project_id) | (columns.target_project_id == project_id))
    if status is not None:
        query = query.where(filters.text_is(transfer_requests.c.status, status))
    found = [TransferRequest(*row) for row in tx.execute(paged(tx, query, page, REQUEST))]
    return found[: page.limit], len(found) > page.limit


def add_request(tx: Connection, wanted: TransferRequest) -> None:
    """The zone is locked, so there can't be two that are ACTIVE."""
    active = transfer_requests.c.zone_id == wanted.zone_id, transfer_requests.c.status == TransferStatus.ACTIVE
    if tx.execute(select(transfer_requests.c.id).where(*active)).first():
        raise Refused("duplicate_zone_transfer_request", "Duplicate Zone Transfer Request")
    values = asdict(wanted)
    del values["zone_name"]
    tx.execute(insert(transfer_requests).values(**values))


def update_request(tx: Connection, request_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(transfer_requests).where(transfer_requests.c.id == request_id).values(**values))


def remove_request(tx: Connection, request_id: str) -> None:
    tx.execute(delete(transfer_requests).where(transfer_requests.c.id == request_id))


def accept(tx: Connection, accept_id: str) -> TransferAccept:
    row = tx.execute(select(*ACCEPT.values()).where(transfer_accepts.c.id == accept_id)).one_or_none()
    if row is None:
        raise Refused("zone_transfer_accept_not_found", "Could not find ZoneTransferAccept")
    return TransferAccept(*row)


def accepts_page(
    tx: Connection, project_id: str | None, status: str | None, page: PageRequest
) -> tuple[list[TransferAccept], bool]:
    query = _accepts(select(*ACCEPT.values()), project_id, status)
    found = [TransferAccept(*row) for row in tx.execute(paged(tx, query, page, ACCEPT))]
    return found[: page.limit], len(found) > page.limit


def count_accepts(tx: Connection, project_id: str | None, status: str | None) -> int:
    return int(tx.execute(_accepts(select(func.count()), project_id, status)).scalar_one())


def _accepts(query: Select[Any], project_id: str | None, status: str | None) -> Select[Any]:
    if project_id is not None:
        query = query.where(transfer_accepts.c.project_id == project_id)
    if status is not None:
        query = query.where(filters.text_is(transfer_accepts.c.status, status))
    return query.select_from(transfer_accepts)


def add_accept(tx: Connection, wanted: TransferAccept) -> None:
    tx.execute(insert(transfer_accepts).values(**asdict(wanted)))
