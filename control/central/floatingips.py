# SPDX-License-Identifier: Apache-2.0
"""PTR records of floating IPs. They lie in reverse zones of the service's own project, and only here they change.

Who asks sees what his project has now: a record that was set for a floating IP which has another owner meanwhile, or
none, is removed when the old or the new one asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from control.central.core import Core, check_scope
from control.central.zones import NewZone, open_zone
from control.context import Context, roles
from control.errors import Problem, Refused, refuse_if_any
from control.floatingips import FloatingIp, driver
from control.model import PTR, Action, Record, Rrset, Zone
from control.names import key_of
from control.recorddata import to_wire
from control.rules.placement import ttl_problems
from control.storage import floatingips, locks, rrsets, zones
from control.storage.change import Change, begin, finish
from control.storage.floatingips import Ptr
from control.storage.ids import new_id
from fastmdns.errors import TextError

KEY = re.compile(r"([A-Za-z0-9._-]{1,100}):([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")


@dataclass(frozen=True, slots=True)
class Wanted:
    ptrdname: str
    ttl: int | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A floating IP; rrset and zone: where it has a PTR record."""

    ip: FloatingIp
    rrset: Rrset | None = None
    zone: Zone | None = None


def of_caller(core: Core, ctx: Context) -> list[Shown]:
    ips = _ips(core, ctx, "get_recordsets")
    ptrs = _current(core, ctx, ips)
    found = core.db.read(lambda tx: floatingips.records_of(tx, ptrs.values()))
    every = sorted((ip for some in ips.values() for ip in some), key=lambda ip: (ip.region, ip.id))
    return [_shown(ip, ptrs, found) for ip in every]


def get(core: Core, ctx: Context, key: str) -> Shown:
    region, ip_id = _parts(key)
    found = [shown for shown in of_caller(core, ctx) if (shown.ip.region, shown.ip.id) == (region, ip_id)]
    if not found:
        raise Refused("not_found", "Could not find FloatingIP")
    return found[0]


def _shown(ip: FloatingIp, ptrs: Mapping[tuple[str, str], Ptr], found: Mapping[str, tuple[Rrset, Zone]]) -> Shown:
    ptr = ptrs.get((ip.region, ip.id))
    return Shown(ip, *found[ptr.rrset_id]) if ptr and ptr.rrset_id in found else Shown(ip)


def _parts(key: str) -> tuple[str, str]:
    match = KEY.fullmatch(key)
    if match is None:
        raise Refused("bad_request", f"{key!r} is not REGION:ID")
    return match[1], match[2].lower()


def _ips(core: Core, ctx: Context, rule: str) -> Mapping[str, Sequence[FloatingIp]]:
    if ctx.project_id is None:
        raise Refused("missing_project_id", "the token has no project, and floating IPs are a project's")
    core.policy.check(ctx, rule, project_id=ctx.project_id)
    return driver(core.config).of_caller(ctx)


def _current(core: Core, ctx: Context, ips: Mapping[str, Sequence[FloatingIp]]) -> dict[tuple[str, str], Ptr]:
    """(region, id) → the records that the caller's floating IPs have; those that are nobody's any more are removed."""
    mine = {(ip.region, ip.id) for some in ips.values() for ip in some}

    def work(tx: Connection) -> set[Ptr]:
        ours = floatingips.of_project(tx, ctx.project_id or "")
        return {*ours, *floatingips.of_ids(tx, [ip_id for _, ip_id in mine])}

    current: dict[tuple[str, str], Ptr] = {}
    for ptr in core.db.read(work):
        place = (ptr.region, ptr.floatingip_id)
        if place in mine and ptr.project_id == ctx.project_id:
            current[place] = ptr
        elif place in mine or (ptr.project_id == ctx.project_id and ptr.region in ips):
            _remove(core, ctx, ptr)
    return current


# ------------------------------------------------------------------------------------------------------- set and unset


def set_ptr(core: Core, ctx: Context, key: str, wanted: Wanted) -> Shown:
    ip = _mine(core, ctx, key)
    check_scope(ctx, "update", ip.zone, ip.pointer, "PTR")
    record = _record(core, ctx, wanted)

    def work(tx: Connection) -> Shown:
        change = _change(core, tx, ctx, ip)
        rrset = _store(tx, change, ip, wanted, record)
        floatingips.put(tx, Ptr(ip.region, ip.id, ip.address, ctx.project_id or "", rrset.id))
        return Shown(ip, rrset, finish(tx, change, ctx))

    return core.write(ctx, work)


def unset_ptr(core: Core, ctx: Context, key: str) -> Shown:
    """The floating IP has no PTR record any more, if it had one."""
    ip = _mine(core, ctx, key)
    check_scope(ctx, "delete", ip.zone, ip.pointer, "PTR")
    for ptr in core.db.read(lambda tx: floatingips.of_ids(tx, [ip.id])):
        if ptr.region == ip.region:
            _remove(core, ctx, ptr)
    return Shown(ip)


def _mine(core: Core, ctx: Context, key: str) -> FloatingIp:
    region, ip_id = _parts(key)
    for ip in _ips(core, ctx, "default").get(region, ()):
        if ip.id == ip_id:
            return ip
    raise Refused("not_found", "Could not find FloatingIP")


def _record(core: Core, ctx: Context, wanted: Wanted) -> Record:
    least = 0 if core.policy.allows(ctx, "use_low_ttl") else core.config.min_ttl
    problems = ttl_problems(wanted.ttl, least)
    try:
        wire = to_wire(PTR, wanted.ptrdname)
    except TextError as error:
        wire, problems = b"", [Problem(("ptrdname",), str(error), "format"), *problems]
    refuse_if_any(problems)
    return Record(wanted.ptrdname, wire)


def _change(core: Core, tx: Connection, ctx: Context, ip: FloatingIp) -> Change:
    """A change of the nearest zone of the service's project that the record can be in, made where there is none."""
    owner = core.config.managed_resource_project_id
    zone = floatingips.zone_above(tx, ip.key, owner)
    if zone is None:
        locks.name(tx, key_of(ip.zone))
        zone = floatingips.zone_above(tx, ip.key, owner)
    if zone is None:
        service = Context(ctx.request_id, ctx.user_id, owner, roles("admin"))
        return open_zone(core, tx, service, NewZone(ip.zone, email=core.config.managed_resource_email))
    return begin(zones.lock(tx, zone.id), core.clock(), f"PTR of {ip.address}")


def _store(tx: Connection, change: Change, ip: FloatingIp, wanted: Wanted, record: Record) -> Rrset:
    values = {"ttl": wanted.ttl, "description": wanted.description, "records": (record,)}
    old = rrsets.find(tx, change.zone, ip.pointer, PTR)
    if old is None:
        new = _new(change, ip, wanted, record)
        rrsets.insert_rrset(tx, change, new)
        return new
    if not old.managed:
        raise Refused("duplicate_recordset", f"{ip.pointer} has a PTR record that is no floating IP's")
    if all(getattr(old, name) == value for name, value in values.items()):
        return old
    new = rrsets.changed(change, old, **values)
    rrsets.update_rrset(tx, change, old, new)
    return new


def _new(change: Change, ip: FloatingIp, wanted: Wanted, record: Record) -> Rrset:
    return Rrset(
        id=new_id(),
        zone_id=change.zone.id,
        project_id=change.zone.project_id,
        name=ip.pointer,
        rrtype=PTR,
        ttl=wanted.ttl,
        description=wanted.description,
        managed=True,
        action=Action.CREATE,
        serial=change.zone.serial,
        revision=change.zone.revision,
        version=1,
        created_at=change.now,
        updated_at=None,
        records=(record,),
    )


def _remove(core: Core, ctx: Context, ptr: Ptr) -> None:
    def work(tx: Connection) -> None:
        try:
            zone = zones.lock(tx, rrsets.zone_of(tx, ptr.rrset_id))
            rrset = rrsets.get(tx, zone, ptr.rrset_id)
        except Refused:  # somebody else removed it
            return
        if ptr not in floatingips.of_ids(tx, [ptr.floatingip_id]):
            return
        change = begin(zone, core.clock(), f"PTR of {ptr.address} removed")
        rrsets.delete_rrset(tx, change, rrset)
        finish(tx, change, ctx)

    core.write(ctx, work)
