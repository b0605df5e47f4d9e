# SPDX-License-Identifier: Apache-2.0
"""The things tenants and operators have, and the one table of what may become of a zone. No SQL, no Flask.

Times are naive UTC. An rrset has no state of its own: it is on its way as long as the zone's `confirmed` revision is
older than the rrset's, so one confirmed zone settles all its rrsets with one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

SERIAL_BITS = 32
A, NS, CNAME, SOA, PTR = 1, 2, 5, 6, 12
DNAME, DS = 39, 43


class ZoneType(StrEnum):
    PRIMARY = "PRIMARY"
    SECONDARY = "SECONDARY"
    CATALOG = "CATALOG"


class Action(StrEnum):
    NONE = "NONE"
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Status(StrEnum):
    ACTIVE = "ACTIVE"
    PENDING = "PENDING"
    ERROR = "ERROR"
    DELETED = "DELETED"


class Event(StrEnum):
    CHANGED = "changed"  # a tenant's change was committed
    DELETED = "deleted"  # its deletion was asked for
    CONFIRMED = "confirmed"  # enough name servers answer with what was committed last
    FAILED = "failed"  # something that a person must mend
    MISSING = "missing"  # name servers say they don't have the zone


State = tuple[Action, Status]
_CREATING = (Action.CREATE, Status.PENDING)
_UPDATING = (Action.UPDATE, Status.PENDING)
_DELETING = (Action.DELETE, Status.PENDING)
_SETTLED = (Action.NONE, Status.ACTIVE)
_GONE = (Action.NONE, Status.DELETED)

# A pair that is not here can't happen: Zone.after() raises.
TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (_CREATING, Event.CHANGED): _CREATING,
    (_CREATING, Event.DELETED): _DELETING,
    (_CREATING, Event.CONFIRMED): _SETTLED,
    (_CREATING, Event.FAILED): (Action.CREATE, Status.ERROR),
    (_CREATING, Event.MISSING): _CREATING,
    ((Action.CREATE, Status.ERROR), Event.CHANGED): _CREATING,
    ((Action.CREATE, Status.ERROR), Event.DELETED): _DELETING,
    ((Action.CREATE, Status.ERROR), Event.CONFIRMED): _SETTLED,
    ((Action.CREATE, Status.ERROR), Event.FAILED): (Action.CREATE, Status.ERROR),
    ((Action.CREATE, Status.ERROR), Event.MISSING): _CREATING,
    (_UPDATING, Event.CHANGED): _UPDATING,
    (_UPDATING, Event.DELETED): _DELETING,
    (_UPDATING, Event.CONFIRMED): _SETTLED,
    (_UPDATING, Event.FAILED): (Action.UPDATE, Status.ERROR),
    (_UPDATING, Event.MISSING): _CREATING,
    ((Action.UPDATE, Status.ERROR), Event.CHANGED): _UPDATING,
    ((Action.UPDATE, Status.ERROR), Event.DELETED): _DELETING,
    ((Action.UPDATE, Status.ERROR), Event.CONFIRMED): _SETTLED,
    ((Action.UPDATE, Status.ERROR), Event.FAILED): (Action.UPDATE, Status.ERROR),
    ((Action.UPDATE, Status.ERROR), Event.MISSING): _CREATING,
    (_DELETING, Event.DELETED): _DELETING,
    (_DELETING, Event.CONFIRMED): _GONE,
    (_DELETING, Event.FAILED): (Action.DELETE, Status.ERROR),
    (_DELETING, Event.MISSING): _DELETING,
    ((Action.DELETE, Status.ERROR), Event.DELETED): _DELETING,
    ((Action.DELETE, Status.ERROR), Event.CONFIRMED): _GONE,
    ((Action.DELETE, Status.ERROR), Event.FAILED): (Action.DELETE, Status.ERROR),
    ((Action.DELETE, Status.ERROR), Event.MISSING): _DELETING,
    (_SETTLED, Event.CHANGED): _UPDATING,
    (_SETTLED, Event.DELETED): _DELETING,
    (_SETTLED, Event.CONFIRMED): _SETTLED,
    (_SETTLED, Event.FAILED): (Action.UPDATE, Status.ERROR),
    (_SETTLED, Event.MISSING): _CREATING,
}


def after(state: State, event: Event) -> State:
    """The state a zone is in once the event has happened. ValueError where the event can't happen then."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"a zone that is {'/'.join(state)} can't be {event}") from None


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's row. revision counts its changes, version also those of its row that change no record."""

    id: str
    project_id: str
    pool_id: str
    name: str
    type: ZoneType
    email: str
    ttl: int
    description: str | None
    mname: str  # of its SOA: the first name server of its pool
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int
    action: Action
    status: Status
    version: int
    revision: int
    confirmed: int
    rrset_count: int  # with SOA and NS
    record_count: int  # of rrsets that are not managed
    created_at: datetime
    updated_at: datetime | None
    transferred_at: datetime | None

    @property
    def deleting(self) -> bool:
        return self.action is Action.DELETE


@dataclass(frozen=True, slots=True)
class Master:
    host: str
    port: int = 53


@dataclass(frozen=True, slots=True)
class ZoneExtras:
    """What hangs on a zone in tables of its own."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    masters: tuple[Master, ...] = ()
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One record as its author wrote it, and as it goes to the wire (uncompressed rdata)."""

    text: str
    wire: bytes


@dataclass(frozen=True, slots=True)
class Rrset:
    """What the API calls a recordset. ttl None: the zone's. serial: the zone's serial since which it is like this."""

    id: str
    zone_id: str
    project_id: str
    name: str
    rrtype: int
    ttl: int | None
    description: str | None
    managed: bool
    action: Action  # of its last change: CREATE or UPDATE
    serial: int
    revision: int
    version: int
    created_at: datetime
    updated_at: datetime | None
    records: tuple[Record, ...]


def rrset_state(rrset: Rrset, zone: Zone) -> State:
    """On its way with its zone until that is confirmed; without records there is nothing to wait for."""
    if not rrset.records or rrset.revision <= zone.confirmed:
        return _SETTLED
    return rrset.action, Status.ERROR if zone.status is Status.ERROR else Status.PENDING


WireRecord = tuple[bytes, int, int, bytes]  # owner, type, TTL, rdata


class WireRrset(NamedTuple):
    """An rrset as name servers see it. ttl: the one that is served."""

    owner: bytes
    rrtype: int
    ttl: int
    wires: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class NsRecord:
    hostname: str
    priority: int


@dataclass(frozen=True, slots=True)
class Pool:
    id: str
    name: str
    description: str | None
    attributes: Mapping[str, str]
    ns_records: tuple[NsRecord, ...]  # by priority, then hostname
    created_at: datetime
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tld:
    id: str
    name: str  # without the last dot
    description: str | None
    created_at: datetime
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Blacklist:
    id: str
    pattern: str
    description: str | None
    created_at: datetime
    updated_at: datetime | None


class Scope(StrEnum):
    """What a TSIG key is for: its resource_id is a pool's or a zone's."""

    POOL = "POOL"
    ZONE = "ZONE"


@dataclass(frozen=True, slots=True)
class TsigKey:
    id: str
    name: str
    algorithm: str
    secret: bytes = field(repr=False)  # sealed, see secrets.py
    scope: Scope
    resource_id: str
    created_at: datetime
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """A process that has said at heartbeated_at how it is."""

    id: str
    service_name: str
    hostname: str
    status: str
    stats: Mapping[str, object]
    capabilities: Mapping[str, object]
    heartbeated_at: datetime
    created_at: datetime
    updated_at: datetime | None
