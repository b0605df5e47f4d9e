# SPDX-License-Identifier: Apache-2.0
"""Zones: created, shown, changed, deleted, and what the name servers were found to serve of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection

from control.central.core import Core, check_quota, zone_for
from control.central.scheduler import pool_for
from control.context import Context
from control.errors import Problem, Refused, refuse_if_any
from control.model import NS, SOA, Action, Master, Pool, Record, Rrset, Status, Zone, ZoneExtras, ZoneType
from control.names import key_of, to_wire
from control.rules import zone_fields, zone_names
from control.storage import name_rules, rrsets, zones
from control.storage.change import Change, Task, ask, begin_create, finish, next_serial
from control.storage.database import unique
from control.storage.ids import new_id, shard_of

Shown = tuple[Zone, ZoneExtras]


@dataclass(frozen=True, slots=True)
class NewZone:
    """A zone that is wanted. numbers: of its SOA, where they are known (serial, refresh, retry, expire, minimum)."""

    name: str
    type: ZoneType = ZoneType.PRIMARY
    email: str | None = None
    ttl: int | None = None
    description: str | None = None
    masters: tuple[Master, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)


def create(core: Core, ctx: Context, wanted: NewZone) -> Shown:
    def work(tx: Connection) -> Shown:
        change = open_zone(core, tx, ctx, wanted)
        zone = finish(tx, change, ctx)
        if zone.type is ZoneType.SECONDARY:
            ask(tx, zone, Task.TRANSFER_IN, change.now, ctx)
        return _with_extras(tx, zone)

    return core.write(ctx, work)


def open_zone(core: Core, tx: Connection, ctx: Context, wanted: NewZone) -> Change:
    """Checks and stores the zone with its SOA and NS → the change, to be added to and to be finished by the caller."""
    project_id = _project_of(ctx)
    core.policy.check(ctx, "create_zone", project_id=project_id)
    if wanted.type is ZoneType.CATALOG:
        raise Refused("forbidden", "catalog zones are made for pools, by the operator")
    refuse_if_any(_problems(wanted))
    _check_quota(core, tx, project_id)
    pool = pool_for(core, tx, ctx, wanted.attributes)
    zone = _new_zone(core, wanted, project_id, pool)
    with unique("duplicate_zone", "Duplicate Zone"):
        zones.insert_zone(tx, {**asdict(zone), "name_key": key_of(zone.name), "shard": shard_of(zone.id)})
    zones.replace_attributes(tx, zone.id, wanted.attributes)
    zones.replace_masters(tx, zone.id, wanted.masters)
    change = begin_create(zone, zone.created_at)
    if zone.type is ZoneType.PRIMARY:
        rrsets.insert_rrset(tx, change, _managed(zone, SOA, ()))
        rrsets.insert_rrset(tx, change, _managed(zone, NS, tuple(_ns_record(ns.hostname) for ns in pool.ns_records)))
    return change


def get(core: Core, ctx: Context, zone_id: str) -> Shown:
    return core.db.read(lambda tx: _with_extras(tx, zone_for(core, tx, ctx, zone_id, "get_zone")))


def _with_extras(tx: Connection, zone: Zone) -> Shown:
    return zone, zones.extras(tx, [zone])[zone.id]


def _project_of(ctx: Context) -> str:
    if ctx.project_id is None:
        raise Refused("missing_project_id", "the token has no project, and a zone needs one")
    return ctx.project_id


def _problems(wanted: NewZone) -> list[Problem]:
    given = {"email": wanted.email, "ttl": wanted.ttl, "masters": wanted.masters}
    return [
        *zone_names.syntax_problems(wanted.name),
        *zone_fields.type_problems(wanted.type, given),
        *(zone_fields.email_problems(wanted.email) if wanted.email else ()),
        *zone_fields.attribute_problems(wanted.attributes),
    ]


def _check_quota(core: Core, tx: Connection, project_id: str) -> None:
    check_quota(core, tx, project_id, zones=name_rules.count_zones(tx, project_id) + 1)


def _new_zone(core: Core, wanted: NewZone, project_id: str, pool: Pool) -> Zone:
    now, config = core.clock(), core.config
    numbers = {
        "serial": next_serial(now, 0) if wanted.type is ZoneType.PRIMARY else 1,
        "refresh": random.randint(config.soa_refresh_min, config.soa_refresh_max),
        "retry": config.soa_retry,
        "expire": config.soa_expire,
        "minimum": config.soa_minimum,
        **wanted.numbers,
    }
    return Zone(
        id=new_id(),
        project_id=project_id,
        pool_id=pool.id,
        name=wanted.name,
        type=wanted.type,
        email=wanted.email or config.managed_resource_email,
        ttl=config.default_ttl if wanted.ttl is None else wanted.ttl,
        description=wanted.description,
        mname=pool.ns_records[0].hostname,
        action=Action.CREATE,
        status=Status.PENDING,
        version=1,
        revision=1,
        confirmed=0,
        rrset_count=0,
        record_count=0,
        created_at=now,
        updated_at=None,
        transferred_at=None,
        **numbers,
    )


def _ns_record(hostname: str) -> Record:
    return Record(hostname, to_wire(hostname))


def _managed(zone: Zone, rrtype: int, records: tuple[Record, ...]) -> Rrset:
    """An rrset of the apex that only we change."""
    return Rrset(
        id=new_id(),
        zone_id=zone.id,
        project_id=zone.project_id,
        name=zone.name,
        rrtype=rrtype,
        ttl=None,
        description=None,
        managed=True,
        action=Action.CREATE,
        serial=zone.serial,
        revision=zone.revision,
        version=1,
        created_at=zone.created_at,
        updated_at=None,
        records=records,
    )
