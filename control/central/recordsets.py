# SPDX-License-Identifier: Apache-2.0
"""Changes of a zone's rrsets: one or ten thousand of them are one transaction, one serial, all or nothing.

Every write of recordsets is a list of wishes that go through the same steps: read what they say → load what is there →
apply one after the other in memory → check what would be there → store what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from control.central.core import Core, check_quota, check_scope, zone_for
from control.context import Context
from control.errors import Problem, Refused, refuse_if_any
from control.model import DNAME, NS, SOA, Action, Record, Rrset, State, Status, Zone, ZoneType, rrset_state
from control.names import key_of
from control.rules import placement
from control.storage import change as changes
from control.storage import rrsets, search
from control.storage.database import expect_long_lists, together
from control.storage.ids import new_id
from control.storage.paging import PageRequest
from fastmdns import rrtypes

Place = tuple[bytes, int]  # key of the name, type


class Verb(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"  # update, or create where there is none
    DELETE = "delete"
    ADD = "add"  # records to those that are there
    REMOVE = "remove"  # records from those that are there; the recordset goes with its last one


RULES = {Verb.CREATE: "create_recordset", Verb.DELETE: "delete_recordset"}
LONG = 100  # wishes
NOT_FOUND = Problem((), "Could not find RecordSet", "existence", code="recordset_not_found")
DUPLICATE = Problem((), "Duplicate RecordSet", "uniqueness", code="duplicate_recordset")
LAST_NS = Problem((), "a zone needs name servers at its apex", "required", code="bad_request")


@dataclass(frozen=True, slots=True)
class Wish:
    """One change that is asked for. The rrset is named by its id or by name and type.

    values: ttl and description where they were given; records: as text or structured, None where they weren't given;
    check: what must hold for the version of the rrset that is there.
    """

    verb: Verb
    name: str = ""
    type: str = ""
    rrset_id: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    records: Sequence[str | Mapping[str, Any]] | None = None
    check: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An rrset with its zone, as they are once all is done."""

    rrset: Rrset
    zone: Zone
    deleted: bool = False

    @property
    def state(self) -> State:
        return (Action.DELETE, Status.PENDING) if self.deleted else rrset_state(self.rrset, self.zone)


@dataclass(frozen=True, slots=True)
class Outcome:
    """shown: in the order of the wishes, None where there was nothing to remove; changed: there is a new serial."""

    zone: Zone
    shown: list[Shown | None]
    changed: bool


def apply_one(core: Core, ctx: Context, zone_id: str, wish: Wish) -> Shown:
    shown = apply(core, ctx, zone_id, [wish]).shown[0]
    assert shown is not None, "only a wish that names its rrset by id or creates it comes alone"
    return shown


def apply(core: Core, ctx: Context, zone_id: str, wishes: Sequence[Wish], path: str = "", note: str = "") -> Outcome:
    """Grants all of the wishes, or is refused with every problem. path: where in the body the wishes are listed."""

    def work(tx: Connection) -> Outcome:
        rule = RULES.get(wishes[0].verb, "update_recordset") if wishes else "update_recordset"
        zone = zone_for(core, tx, ctx, zone_id, rule, locked=True)
        _check_writable(zone)
        if len(wishes) > LONG:
            expect_long_lists(tx)
        return _Edit(core, ctx, tx, zone, path, note).run(wishes)

    return core.write(ctx, work)


def _check_writable(zone: Zone) -> None:
    if zone.type is not ZoneType.PRIMARY:
        raise Refused("forbidden", f"the records of a {zone.type} zone can't be changed here")
    if zone.deleting:
        raise Refused("bad_request", "Can not update a deleting zone")


@dataclass(slots=True)
class _Draft:
    """A wish, read. place: None where it has problems that leave nothing to apply."""

    index: int
    wish: Wish
    place: Place | None = None
    name: str = ""
    records: tuple[Record, ...] = ()


@dataclass(slots=True)
class _Plan:
    """What is to be stored. updates, rewrites: (as it was, as it will be); a rewrite is seen by no name server."""

    inserts: list[Rrset] = field(default_factory=list)
    updates: list[tuple[Rrset, Rrset]] = field(default_factory=list)
    rewrites: list[tuple[Rrset, Rrset]] = field(default_factory=list)
    deletes: list[Rrset] = field(default_factory=list)

    def growth(self) -> tuple[int, int]:
        """How many more rrsets there will be, and records of those that are not managed."""
        come = [*self.inserts, *(new for _, new in self.updates)]
        gone = [*self.deletes, *(old for old, _ in self.updates)]
        records = sum(len(rrset.records) for rrset in come if not rrset.managed)
        return len(come) - len(gone), records - sum(len(rrset.records) for rrset in gone if not rrset.managed)


class _Edit:
    """The wishes of one request on their way into one change of a locked zone."""

    def __init__(self, core: Core, ctx: Context, tx: Connection, zone: Zone, path: str, note: str) -> None:
        self.core, self.ctx, self.tx, self.zone, self.path = core, ctx, tx, zone, path
        self.change = changes.begin(zone, core.clock(), note or None)
        self.problems: list[tuple[int, Problem]] = []  # with the index of its wish
        self.types: dict[bytes, set[int]] = {}
        self.children: frozenset[bytes] = frozenset()
        self.before: dict[Place, Rrset] = {}
        self.after: dict[Place, Rrset | None] = {}
        self.gone: dict[Place, Rrset] = {}  # what a wish deleted, as it was
        self.touched_by: dict[Place, _Draft] = {}
        self.allowed: set[tuple[str, str | None]] = set()
        self.may_use_low_ttl = core.config.min_ttl == 0 or core.policy.allows(ctx, "use_low_ttl")

    def run(self, wishes: Sequence[Wish]) -> Outcome:
        drafts = self._read(wishes)
        self._load(drafts)
        for draft in drafts:
            if draft.place is not None:
                self._apply(draft, draft.place)
        self._check()
        refuse_if_any(problem for _, problem in sorted(self.problems, key=itemgetter(0)))
        plan = self._plan()
        self._check_quotas(plan)
        zone = self._store(plan)
        return Outcome(zone, [self._shown(draft, zone) for draft in drafts], zone.revision != self.zone.revision)

    def _refuse(self, draft: _Draft, *problems: Problem) -> None:
        outer = (self.path, draft.index) if self.path else ()
        self.problems += [(draft.index, problem.below(*outer)) for problem in problems]

    # ------------------------------------------------------------------------------------------------ what they say

    def _read(self, wishes: Sequence[Wish]) -> list[_Draft]:
        ids = [wish.rrset_id for wish in wishes if wish.rrset_id]
        known = {rrset.id: rrset for rrset in rrsets.by_ids(self.tx, self.zone, ids)} if ids else {}
        return [self._draft(index, wish, known) for index, wish in enumerate(wishes)]

    def _draft(self, index: int, wish: Wish, known: Mapping[str, Rrset]) -> _Draft:
        draft = _Draft(index, wish)
        if wish.rrset_id:
            rrset = known.get(wish.rrset_id)
            if rrset is None:
                self._refuse(draft, NOT_FOUND)
                return draft
            draft.name, rrtype = rrset.name, rrset.rrtype
            draft.place = key_of(rrset.name), rrtype
            self.before[draft.place] = self.after[draft.place] = rrset
        else:
            draft.name = wish.name
            rrtype, problems = placement.read_type(wish.type, self.core.config.supported_record_types)
            problems += placement.name_problems(wish.name)
            if problems:
                self._refuse(draft, *problems)
            else:
                draft.place = key_of(wish.name), rrtype
        self._read_values(draft, rrtype)
        return draft

    def _read_values(self, draft: _Draft, rrtype: int) -> None:
        if not self.may_use_low_ttl:
            self._refuse(draft, *placement.ttl_problems(draft.wish.values.get("ttl"), self.core.config.min_ttl))
        if rrtype and draft.wish.records:
            draft.records, problems = placement.read_records(rrtype, draft.wish.records)
            self._refuse(draft, *problems)

    # ----------------------------------------------------------------------------------------------- what is there

    def _load(self, drafts: Sequence[_Draft]) -> None:
        """By id all is known already: such wishes put nothing where nothing was."""
        places = {draft.place for draft in drafts if draft.place and not draft.wish.rrset_id}
        if not places:
            return
        self.types, self.children = rrsets.surroundings(self.tx, self.zone, {key for key, _ in places})
        for key, rrtype in places:
            if rrtype == DNAME:
                self.types |= rrsets.types_below(self.tx, self.zone, key, len(drafts) + 1)
        there = [(key, rrtype) for key, rrtype in places if rrtype in self.types.get(key, ())]
        keys = sorted({key for key, _ in there})
        for rrset in rrsets.at_names(self.tx, self.zone, keys, {rrtype for _, rrtype in there}):
            place = key_of(rrset.name), rrset.rrtype
            self.before[place] = self.after[place] = rrset

    # ------------------------------------------------------------------------------------------ one after the other

    def _apply(self, draft: _Draft, place: Place) -> None:
        verb, now = draft.wish.verb, self.after.get(place)
        if now is None and verb in (Verb.UPDATE, Verb.DELETE):
            return self._refuse(draft, NOT_FOUND)
        self._check_rights(draft, place, now)
        if now is not None and verb is Verb.CREATE and place[1] != SOA:
            return self._refuse(draft, DUPLICATE)
        reason = placement.writable_problem(place[1], now is not None and now.managed, self.ctx.edit_managed)
        if reason:
            return self._refuse(draft, Problem((), reason, "not_allowed", code="bad_request"))
        self.touched_by[place] = draft
        self.after[place] = self._next(draft, place, now)
        if now is not None and self.after[place] is None:
            self.gone[place] = now
        return None

    def _check_rights(self, draft: _Draft, place: Place, now: Rrset | None) -> None:
        """Refused at once: who may not write needn't know what else is wrong."""
        rule = "create_recordset" if now is None else RULES.get(draft.wish.verb, "update_recordset")
        author = now.project_id if now else None
        if (rule, author) not in self.allowed:
            mine = self.zone.project_id == self.ctx.project_id
            facts = {"recordset_project_id": author} if author else {}
            shared = not mine and not self.ctx.all_projects
            self.core.policy.check(
                self.ctx, rule, project_id=self.zone.project_id, primary=True, shared=shared, **facts
            )
            self.allowed.add((rule, author))
        check_scope(self.ctx, rule.partition("_")[0], self.zone.name, draft.name, rrtypes.to_name(place[1]))
        if draft.wish.check and now is not None:
            draft.wish.check(now.version)

    def _next(self, draft: _Draft, place: Place, now: Rrset | None) -> Rrset | None:
        """The rrset as the wish leaves it. It becomes a change of the one that was there in _store()."""
        wish = draft.wish
        if wish.verb is Verb.DELETE:
            return None
        if wish.verb is Verb.REMOVE:
            return self._without(now, {record.wire for record in draft.records}) if now else None
        if now is None:
            return self._new(draft, place)
        if wish.verb is Verb.ADD:
            there = {record.wire for record in now.records}
            records = now.records + tuple(record for record in draft.records if record.wire not in there)
        else:
            records = now.records if wish.records is None else draft.records
        return replace(now, **wish.values, records=records)

    def _without(self, rrset: Rrset, wires: set[bytes]) -> Rrset | None:
        rest = tuple(record for record in rrset.records if record.wire not in wires)
        return replace(rrset, records=rest) if rest else None

    def _new(self, draft: _Draft, place: Place) -> Rrset:
        zone = self.change.zone
        return Rrset(
            id=new_id(),
            zone_id=zone.id,
            project_id=self.ctx.project_id or zone.project_id,
            name=draft.name,
            rrtype=place[1],
            ttl=draft.wish.values.get("ttl"),
            description=draft.wish.values.get("description"),
            managed=False,
            action=Action.CREATE,
            serial=zone.serial,
            revision=zone.revision,
            version=1,
            created_at=self.change.now,
            updated_at=None,
            records=draft.records,
        )

    # ---------------------------------------------------------------------------------------- what would be there

    def _check(self) -> None:
        around = self._surroundings()
        apex = key_of(self.zone.name)
        for place, draft in self.touched_by.items():
            rrset, (key, rrtype) = self.after[place], place
            if rrset is not None:
                self._refuse(draft, *placement.content_problems(rrset.name, rrtype, rrset.records))
                if place not in self.before:
                    self._refuse(draft, *placement.location_problems(rrset.name, key, rrtype, apex, around))
            if place == (apex, NS) and not (rrset and rrset.records):
                self._refuse(draft, LAST_NS)

    def _surroundings(self) -> placement.Surroundings:
        for (key, rrtype), rrset in self.after.items():
            types = self.types.setdefault(key, set())
            types.discard(rrtype) if rrset is None else types.add(rrtype)
        return placement.Surroundings(self.types, self.children)

    # ------------------------------------------------------------------------------------------------ what differs

    def _plan(self) -> _Plan:
        plan = _Plan()
        for place in self.touched_by:
            old, new = self.before.get(place), self.after[place]
            if old is None and new is not None:
                plan.inserts.append(new)
            elif old is not None and new is None:
                plan.deletes.append(old)
            elif old is not None and new is not None and _differ(old, new):
                seen = _on_the_wire(old, self.zone) != _on_the_wire(new, self.zone)
                final = self._successor(old, new, seen)
                self.after[place] = final
                (plan.updates if seen else plan.rewrites).append((old, final))
        return plan

    def _store(self, plan: _Plan) -> Zone:
        with together(self.tx):
            rrsets.delete_many(self.tx, self.change, plan.deletes)
            rrsets.update_many(self.tx, self.change, plan.updates)
            rrsets.rewrite_many(self.tx, self.zone, plan.rewrites)
            rrsets.insert_many(self.tx, self.change, plan.inserts)
            return changes.finish(self.tx, self.change, self.ctx)

    def _successor(self, old: Rrset, new: Rrset, seen: bool) -> Rrset:
        values: dict[str, Any] = {"ttl": new.ttl, "description": new.description, "records": new.records}
        if seen:
            return rrsets.changed(self.change, old, **values)
        return replace(old, **values, version=old.version + 1, updated_at=self.change.now)

    def _check_quotas(self, plan: _Plan) -> None:
        """Only what becomes more can be too much: a lowered quota doesn't stop anyone from cleaning up."""
        more_rrsets, more_records = plan.growth()
        grown = [*plan.inserts, *(new for old, new in plan.updates if len(new.records) > len(old.records))]
        wanted = {}
        if more_rrsets > 0:
            wanted["zone_recordsets"] = self.zone.rrset_count + more_rrsets
        if more_records > 0:
            wanted["zone_records"] = self.zone.record_count + more_records
        if grown:
            wanted["recordset_records"] = max(len(rrset.records) for rrset in grown)
        if wanted:
            check_quota(self.core, self.tx, self.zone.project_id, **wanted)

    def _shown(self, draft: _Draft, zone: Zone) -> Shown | None:
        assert draft.place is not None, "refused before"
        rrset = self.after.get(draft.place)
        if rrset is not None:
            return Shown(rrset, zone)
        gone = self.before.get(draft.place) or self.gone.get(draft.place)
        return Shown(gone, zone, deleted=True) if gone else None


def _differ(old: Rrset, new: Rrset) -> bool:
    return (old.ttl, old.description, old.records) != (new.ttl, new.description, new.records)


def _on_the_wire(rrset: Rrset, zone: Zone) -> tuple[int, set[bytes]]:
    return zone.ttl if rrset.ttl is None else rrset.ttl, {record.wire for record in rrset.records}


# ------------------------------------------------------------------------------------------------------------ reading


def get(core: Core, ctx: Context, zone_id: str, rrset_id: str) -> Shown:
    def work(tx: Connection) -> Shown:
        zone = zone_for(core, tx, ctx, zone_id, "get_recordset")
        rrset = rrsets.get(tx, zone, rrset_id)
        check_scope(ctx, "read", zone.name, rrset.name, rrtypes.to_name(rrset.rrtype))
        return Shown(rrset, zone)

    return core.db.read(work)


def zone_of(core: Core, ctx: Context, rrset_id: str) -> str:
    """The id of the zone that has the rrset. Refused recordset_not_found where the caller can't see it."""

    def work(tx: Connection) -> str:
        zone_id = rrsets.zone_of(tx, rrset_id)
        try:
            return zone_for(core, tx, ctx, zone_id, "get_recordset").id
        except Refused:
            raise Refused("recordset_not_found", "Could not find RecordSet") from None

    return core.db.read(work)


@dataclass(frozen=True, slots=True)
class Listing:
    """total: of all pages; None where the caller doesn't want it counted."""

    shown: list[Shown]
    more: bool
    total: int | None


def in_zone(core: Core, ctx: Context, zone_id: str, filters: Mapping[str, str], page: PageRequest) -> Listing:
    """All of the zone's rrsets, whoever made them."""

    def work(tx: Connection) -> Listing:
        zone = zone_for(core, tx, ctx, zone_id, "get_zone")
        core.policy.check(ctx, "find_recordsets", project_id=ctx.project_id)
        check_scope(ctx, "read", zone.name)
        return _listing(tx, ctx, search.Where(zone=zone, scope=ctx.scope, filters=filters), page)

    return core.db.read(work)


def everywhere(core: Core, ctx: Context, filters: Mapping[str, str], page: PageRequest) -> Listing:
    """The rrsets of the project's zones, and those that it made in zones shared with it."""

    def work(tx: Connection) -> Listing:
        core.policy.check(ctx, "find_recordsets", project_id=ctx.project_id)
        project = None if ctx.all_projects else ctx.project_id
        if project is None and not ctx.all_projects:
            return Listing([], False, 0)
        return _listing(tx, ctx, search.Where(project=project, scope=ctx.scope, filters=filters), page)

    return core.db.read(work)


def _listing(tx: Connection, ctx: Context, where: search.Where, page: PageRequest) -> Listing:
    found = search.find(tx, where, page)
    total = None if ctx.hide_counts else search.count(tx, where)
    return Listing([Shown(rrset, found.zones[rrset.zone_id]) for rrset in found.rrsets], found.more, total)
