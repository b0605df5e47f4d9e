# SPDX-License-Identifier: Apache-2.0
"""A change of one zone, written down: what it removed and what it added, as wire.

A change's records are uncompressed resource records (RFC 1035 §4.1.3) one behind the other, the zone's SOA first:
what IXFR, the publisher, history, diff and rollback read. Large changes go on in journal_parts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from control.model import WireRecord
from control.storage.tables import journal, journal_parts

PART = 1 << 20  # octets in one row at most, but for one record: below MariaDB's smallest max_allowed_packet
CLASS_IN = 1
HEAD = struct.Struct("!HHIH")  # type, class, ttl, length of rdata


@dataclass(slots=True)
class Packed:
    """Records as octets, cut into parts. count: how many, the SOA that is put first not among them."""

    parts: list[bytearray] = field(default_factory=lambda: [bytearray()])
    count: int = 0

    def add(self, owner: bytes, rrtype: int, ttl: int, rdata: bytes) -> None:
        self.count += 1
        if len(self.parts[-1]) > PART - 512 - len(rdata) and self.parts[-1]:
            self.parts.append(bytearray())
        self.parts[-1] += owner + HEAD.pack(rrtype, CLASS_IN, ttl, len(rdata)) + rdata

    def put_first(self, owner: bytes, rrtype: int, ttl: int, rdata: bytes) -> None:
        self.parts[0][:0] = owner + HEAD.pack(rrtype, CLASS_IN, ttl, len(rdata)) + rdata


def unpack(octets: bytes) -> Iterator[WireRecord]:
    """The records again. The octets are ours, so they are not checked."""
    at = 0
    while at < len(octets):
        start = at
        while octets[at]:
            at += octets[at] + 1
        owner = octets[start : at + 1]
        rrtype, _, ttl, size = HEAD.unpack_from(octets, at + 1)
        at += 1 + HEAD.size
        yield owner, rrtype, ttl, octets[at : at + size]
        at += size


@dataclass(frozen=True, slots=True)
class Entry:
    """One change as the journal has it; its records are read by removed() and added()."""

    id: int
    zone_id: str
    revision: int
    kind: str
    from_serial: int
    to_serial: int
    project_id: str | None
    user_id: str | None
    request_id: str | None
    note: str | None
    created_at: datetime
    parts: int
    removed_count: int
    added_count: int


ENTRY = [journal.c[name] for name in Entry.__slots__]


INSERT = insert(journal).inline()  # made once, as each change needs it; nobody waits for the id


def write(tx: Connection, values: dict[str, Any], removed: Packed, added: Packed) -> None:
    """The journal's row and its further parts."""
    count = max(len(removed.parts), len(added.parts))
    rows = [(bytes(_part(removed, index)), bytes(_part(added, index))) for index in range(count)]
    first_removed, first_added = rows[0]
    counts = {"parts": count - 1, "removed_count": removed.count, "added_count": added.count}
    row = {**values, **counts, "removed": first_removed, "added": first_added}
    tx.execute(INSERT, row)
    this = select(journal.c.id).where(journal.c.zone_id == values["zone_id"], journal.c.revision == values["revision"])
    for part, (gone, new) in enumerate(rows[1:], 1):
        further = insert(journal_parts).values(journal_id=this.scalar_subquery(), part=part, removed=gone, added=new)
        tx.execute(further)


def _part(packed: Packed, index: int) -> bytearray:
    return packed.parts[index] if index < len(packed.parts) else bytearray()


def entries(tx: Connection, zone_id: str, above: int, up_to: int, newest_first: bool = False) -> Sequence[Entry]:
    """The changes of a zone with above < revision <= up_to."""
    order = journal.c.revision.desc() if newest_first else journal.c.revision
    span = journal.c.zone_id == zone_id, journal.c.revision > above, journal.c.revision <= up_to
    return [_entry(row) for row in tx.execute(select(*ENTRY).where(*span).order_by(order))]


def newest(tx: Connection, zone_id: str, limit: int, below: int | None = None) -> Sequence[Entry]:
    """The last changes before revision `below`, the newest first."""
    query = select(*ENTRY).where(journal.c.zone_id == zone_id).order_by(journal.c.revision.desc()).limit(limit)
    return [_entry(row) for row in tx.execute(query if below is None else query.where(journal.c.revision < below))]


def revision_at(tx: Connection, zone_id: str, serial: int) -> int | None:
    """The last revision at which the zone had this serial; None where the journal doesn't know of it."""
    query = select(func.max(journal.c.revision)).where(journal.c.zone_id == zone_id)
    reached = tx.execute(query.where(journal.c.to_serial == serial)).scalar_one()
    if reached is not None:
        return int(reached)
    left = tx.execute(query.where(journal.c.from_serial == serial, journal.c.revision > 1)).scalar_one()
    return None if left is None else int(left) - 1


def removed(tx: Connection, entry: Entry) -> Iterator[WireRecord]:
    return _records(tx, entry, "removed")


def added(tx: Connection, entry: Entry) -> Iterator[WireRecord]:
    return _records(tx, entry, "added")


def _records(tx: Connection, entry: Entry, column: str) -> Iterator[WireRecord]:
    yield from unpack(tx.execute(select(journal.c[column]).where(journal.c.id == entry.id)).scalar_one())
    for part in range(1, entry.parts + 1):
        place = journal_parts.c.journal_id == entry.id, journal_parts.c.part == part
        yield from unpack(tx.execute(select(journal_parts.c[column]).where(*place)).scalar_one())


def _entry(row: Sequence[Any]) -> Entry:
    return Entry(*row)


def pack(records: Iterable[WireRecord]) -> Packed:
    packed = Packed()
    for record in records:
        packed.add(*record)
    return packed


def unpacked(packed: Packed) -> Iterator[WireRecord]:
    for part in packed.parts:
        yield from unpack(bytes(part))
