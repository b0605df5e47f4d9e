# SPDX-License-Identifier: Apache-2.0
"""Zones: created, shown, changed, deleted, and what the name servers were found to serve of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection

from control.central import placement
from control.central.core import Core, check_scope, quota, zone_for
from control.central.scheduler import pool_for
from control.context import Context
from control.errors import Problem, Refused, refuse_if_any
from control.model import (
    NS,
    SOA,
    Action,
    Event,
    NsRecord,
    Pool,
    Record,
    Rrset,
    Status,
    Zone,
    ZoneExtras,
    ZoneType,
)
from control.names import key_of, to_wire
from control.rules import zone_fields
from control.rules.placement import ttl_problems
from control.storage import change as change_of_zone
from control.storage import locks, name_rules, pools, rrsets, shares, zone_lists, zones
from control.storage.change import Change, Task, ask, begin, begin_create, finish, next_serial
from control.storage.database import together, unique
from control.storage.ids import new_id, shard_of
from control.storage.paging import PageRequest

Shown = tuple[Zone, ZoneExtras]
Matches = Callable[[int], None]  # refuses a version that the client did not mean (If-Match)
SERVED = {"email", "ttl"}  # what name servers see of a zone's own settings


@dataclass(frozen=True, slots=True)
class Page:
    """total: of all pages; None where nobody wants it."""

    zones: list[Shown]
    more: bool
    total: int | None


@dataclass(frozen=True, slots=True)
class NewZone:
    """A zone that is wanted. numbers: of its SOA, where they are known (serial, refresh, retry, expire, minimum)."""

    name: str
    type: ZoneType = ZoneType.PRIMARY
    email: str | None = None
    ttl: int | None = None
    description: str | None = None
    masters: Sequence[str] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    pool_id: str | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)


def create(core: Core, ctx: Context, wanted: NewZone) -> Shown:
    def work(tx: Connection) -> Shown:
        zone, pool = _checked(core, tx, ctx, wanted)
        extras = _extras(wanted)
        with unique("duplicate_zone", "Duplicate Zone"), together(tx):
            change = _insert(tx, zone, extras, pool)
            zone = finish(tx, change, ctx)
            if zone.type is ZoneType.SECONDARY:
                ask(tx, zone, Task.TRANSFER_IN, change.now, ctx)
        return zone, extras

    return core.write(ctx, work)


def open_zone(core: Core, tx: Connection, ctx: Context, wanted: NewZone) -> Change:
    """Checks and stores the zone with its SOA and NS → the change, to be added to and to be finished by the caller."""
    zone, pool = _checked(core, tx, ctx, wanted)
    with unique("duplicate_zone", "Duplicate Zone"):
        return _insert(tx, zone, _extras(wanted), pool)


def _checked(core: Core, tx: Connection, ctx: Context, wanted: NewZone) -> tuple[Zone, Pool]:
    """The zone as it will be, and its pool."""
    project_id = project_of(ctx)
    core.policy.check(ctx, "create_zone", project_id=project_id)
    if wanted.type is ZoneType.CATALOG:
        raise Refused("forbidden", "catalog zones are made for pools, by the operator")
    refuse_if_any(_problems(core, tx, ctx, wanted))
    check_scope(ctx, "create", wanted.name)
    check_zone_quota(core, tx, project_id)
    placement.check_owners(tx, project_id, wanted.name)
    pool = pool_for(core, tx, ctx, wanted.attributes, wanted.pool_id)
    return _new_zone(core, wanted, project_id, pool), pool


def _extras(wanted: NewZone) -> ZoneExtras:
    return ZoneExtras(dict(sorted(wanted.attributes.items())), zone_fields.masters(wanted.masters)[0])


def _insert(tx: Connection, zone: Zone, extras: ZoneExtras, pool: Pool) -> Change:
    columns = {name: getattr(zone, name) for name in Zone.__slots__}
    zones.insert_zone(tx, {**columns, "name_key": key_of(zone.name), "shard": shard_of(zone.id)})
    zones.insert_attributes(tx, zone.id, extras.attributes)
    zones.insert_masters(tx, zone.id, extras.masters)
    change = begin_create(zone, zone.created_at)
    if zone.type is ZoneType.PRIMARY:
        rrsets.insert_many(tx, change, [_managed(zone, SOA, ()), _managed(zone, NS, ns_records(pool))])
    return change


def get(core: Core, ctx: Context, zone_id: str) -> Shown:
    def work(tx: Connection) -> Shown:
        zone = zone_for(core, tx, ctx, zone_id, "get_zone")
        check_scope(ctx, "read", zone.name)
        return _with_extras(tx, zone)

    return core.db.read(work)


def page_of(core: Core, ctx: Context, wanted: Mapping[str, str], page: PageRequest) -> Page:
    """The zones that the caller's project has or is shared, those in deletion included."""
    core.policy.check(ctx, "find_zones")

    def work(tx: Connection) -> Page:
        project_id = None if ctx.all_projects else ctx.project_id or ""
        conditions = zone_lists.conditions(tx, project_id, wanted)
        if "admin" not in ctx.roles:
            conditions.append(zone_lists.no_catalogs())
        if ctx.scope is not None:
            conditions.append(zone_lists.readable(ctx.scope))
        found, more = zone_lists.page_of(tx, conditions, page)
        extras = zones.extras(tx, found)
        total = None if ctx.hide_counts else zone_lists.count(tx, conditions)
        return Page([(zone, extras[zone.id]) for zone in found], more, total)

    return core.db.read(work)


def name_servers(core: Core, ctx: Context, zone_id: str) -> tuple[NsRecord, ...]:
    def work(tx: Connection) -> tuple[NsRecord, ...]:
        zone = zone_for(core, tx, ctx, zone_id, "get_zone_ns_records")
        return pools.ns_records(tx, zone.pool_id)

    return core.db.read(work)


# ------------------------------------------------------------------------------------------------- changed and deleted


def update(core: Core, ctx: Context, zone_id: str, wanted: Mapping[str, Any], matches: Matches) -> Shown:
    """wanted: any of email, ttl, description, attributes and masters. What is as it was already changes nothing."""

    def work(tx: Connection) -> Shown:
        zone = zone_for(core, tx, ctx, zone_id, "update_zone", locked=True)
        check_scope(ctx, "update", zone.name)
        matches(zone.version)
        refuse_deleting(zone)
        extras = zones.extras(tx, [zone])[zone_id]
        new = {key: value for key, value in wanted.items() if value != _current(zone, extras, key)}
        refuse_if_any(_update_problems(core, ctx, zone, new))
        return _with_extras(tx, _apply(core, tx, ctx, zone, new) if new else zone)

    return core.write(ctx, work)


def _current(zone: Zone, extras: ZoneExtras, key: str) -> object:
    if key == "masters":
        return [zone_fields.master_text(master) for master in extras.masters]
    return extras.attributes if key == "attributes" else getattr(zone, key)


def _update_problems(core: Core, ctx: Context, zone: Zone, new: Mapping[str, Any]) -> list[Problem]:
    kept = {"masters": True} if zone.type is ZoneType.SECONDARY else {"email": zone.email}
    return [*zone_fields.type_problems(zone.type, {**kept, **new}), *field_problems(core, ctx, new)]


def _apply(core: Core, tx: Connection, ctx: Context, zone: Zone, new: Mapping[str, Any]) -> Zone:
    """Only what name servers see moves the serial."""
    now = core.clock()
    columns = {key: value for key, value in new.items() if key in ("email", "ttl", "description")}
    if "attributes" in new:
        zones.replace_attributes(tx, zone.id, new["attributes"])
    if "masters" in new:
        zones.replace_masters(tx, zone.id, zone_fields.masters(new["masters"])[0])
        ask(tx, zone, Task.TRANSFER_IN, now, ctx)
    if not SERVED & columns.keys():
        return zones.amend(tx, zone, now, **columns)
    change = begin(zone, now)
    change.set(**columns)
    if "ttl" in columns:
        rrsets.follow_ttl(tx, change)
    return finish(tx, change, ctx)


def delete(core: Core, ctx: Context, zone_id: str, matches: Matches) -> Shown:
    """Asks for the deletion. The zone is there until its name servers are rid of it."""

    def work(tx: Connection) -> Shown:
        zone = zone_for(core, tx, ctx, zone_id, "delete_zone", locked=True)
        check_scope(ctx, "delete", zone.name)
        matches(zone.version)
        if (zone.action, zone.status) == (Action.DELETE, Status.PENDING):
            return _with_extras(tx, zone)
        _check_deletable(tx, ctx, zone)
        options = {"hard": True} if ctx.hard_delete else {}
        return _with_extras(tx, change_of_zone.delete(tx, zone, core.clock(), ctx, **options))

    return core.write(ctx, work)


def _check_deletable(tx: Connection, ctx: Context, zone: Zone) -> None:
    if ctx.delete_shares:
        shares.delete_all(tx, zone.id)
    elif shares.has_any(tx, zone.id):
        message = "it is shared; delete its shares first, or send X-Designate-Delete-Shares: true"
        raise Refused("zone_is_shared", message)
    if name_rules.has_zones_below(tx, key_of(zone.name), zone.pool_id):
        raise Refused("zone_has_sub_zone", "zones below it must be deleted first")


def refuse_deleting(zone: Zone) -> None:
    if zone.deleting:
        raise Refused("bad_request", "the zone is being deleted")


def confirm(core: Core, zone_id: str, revision: int, event: Event) -> Zone | None:
    """What workers found out about a revision of a zone → the zone as it is now; None where it is gone.

    event: CONFIRMED, FAILED or MISSING. A confirmed deletion removes the zone, and its name is free.
    """

    def work(tx: Connection) -> Zone | None:
        try:
            zone = zones.lock(tx, zone_id)
        except Refused:
            return None
        return change_of_zone.settle(tx, zone, revision, event, core.clock(), Context("worker"))

    return core.db.write(work)


def _with_extras(tx: Connection, zone: Zone) -> Shown:
    return zone, zones.extras(tx, [zone])[zone.id]


def project_of(ctx: Context) -> str:
    if ctx.project_id is None:
        raise Refused("missing_project_id", "the token has no project, and a zone needs one")
    return ctx.project_id


def _problems(core: Core, tx: Connection, ctx: Context, wanted: NewZone) -> list[Problem]:
    given = {"email": wanted.email, "ttl": wanted.ttl, "masters": wanted.masters}
    return [
        *placement.name_problems(core, tx, ctx, wanted.name),
        *zone_fields.type_problems(wanted.type, given),
        *field_problems(core, ctx, {key: value for key, value in asdict(wanted).items() if value is not None}),
    ]


def field_problems(core: Core, ctx: Context, given: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the fields that were given, each by itself."""
    return [
        *(zone_fields.email_problems(given["email"]) if "email" in given else ()),
        *ttl_problems(given.get("ttl"), 0 if core.policy.allows(ctx, "use_low_ttl") else core.config.min_ttl),
        *zone_fields.masters(given.get("masters", ()))[1],
        *zone_fields.attribute_problems(given.get("attributes", {})),
    ]


def check_zone_quota(core: Core, tx: Connection, project_id: str) -> None:
    """Refused over_quota where the project can't have one more."""
    limit = quota(core, tx, project_id, "zones")
    if limit is None:
        return
    locks.project(tx, project_id)
    if name_rules.count_zones(tx, project_id) >= limit:
        raise Refused("over_quota", "Quota exceeded for zones.")


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


def ns_records(pool: Pool) -> tuple[Record, ...]:
    """Those that the apex of the pool's zones has."""
    return tuple(Record(ns.hostname, to_wire(ns.hostname)) for ns in pool.ns_records)


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
