# SPDX-License-Identifier: Apache-2.0
"""What may stand in a zone that comes as a whole. The parser has looked at what stands beside what (CNAME, DNAME)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from control import recorddata
from control.errors import Problem
from control.model import DNAME, Record, WireRrset
from control.rules import placement
from fastmdns import name, rrtypes

PATH = ("zonefile",)
MOST = 100  # problems that are told
# What nearly all names are, with nothing to be said against them.
PLAIN_NAME = re.compile(r"(?:\*\.)?(?:[A-Za-z0-9_/](?:[A-Za-z0-9_/-]*[A-Za-z0-9_/])?\.)+")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings and the zones around allow. apex: the key of the zone's name; children: of zones below it."""

    apex: bytes
    supported: Sequence[str] = ()
    least_ttl: int = 0
    children: frozenset[bytes] = frozenset()


def problems(rules: Rules, rrsets: Callable[[], Iterable[WireRrset]]) -> list[Problem]:
    """The first problems of all rrsets, which can be gone through more than once."""
    found: list[Problem] = []
    for _ in checked(rules, rrsets, found):
        pass
    return found


def checked(rules: Rules, rrsets: Callable[[], Iterable[WireRrset]], found: list[Problem]) -> Iterator[WireRrset]:
    """The rrsets before the first one that has problems; `found` gets the problems of all."""
    around = _surroundings(rules, rrsets)
    for rrset in rrsets():
        found += _of_rrset(rules, rrset, around)
        if len(found) >= MOST:
            return
        if not found:
            yield rrset


def _surroundings(rules: Rules, rrsets: Callable[[], Iterable[WireRrset]]) -> placement.Surroundings | None:
    """None where all that matters is whether a name is the apex: then a large zone costs no table of its names."""
    if not rules.children and not any(rrset.rrtype == DNAME for rrset in rrsets()):
        return None
    types: dict[bytes, set[int]] = {}
    for rrset in rrsets():
        types.setdefault(name.key(rrset.owner), set()).add(rrset.rrtype)
    return placement.Surroundings(types, rules.children)


def _of_rrset(rules: Rules, rrset: WireRrset, around: placement.Surroundings | None) -> Iterator[Problem]:
    text, kind = name.to_text(rrset.owner), _kind(rrset.rrtype)
    yield from _said(text, kind, _reasons(rules, rrset, text, kind))
    key = name.key(rrset.owner)
    if around is not None or key == rules.apex:
        known = around or placement.Surroundings()
        yield from _said(text, kind, placement.location_problems(text, key, rrset.rrtype, rules.apex, known))


def _reasons(rules: Rules, rrset: WireRrset, text: str, kind: str) -> Iterator[Problem]:
    if len(text) > placement.MAX_NAME or not PLAIN_NAME.fullmatch(text):
        yield from placement.name_problems(text)
    yield from _type_problems(kind, tuple(rules.supported))
    yield from placement.ttl_problems(rrset.ttl, rules.least_ttl)
    if rrset.rrtype in placement.CHECKED_TYPES:
        yield from placement.content_problems(text, rrset.rrtype, [Record("", wire) for wire in rrset.wires])
    for wire in rrset.wires:
        if reason := recorddata.problem(rrset.rrtype, wire):
            yield Problem(PATH, reason, "format")


_kind = cache(rrtypes.to_name)


@cache
def _type_problems(kind: str, supported: tuple[str, ...]) -> list[Problem]:
    return placement.read_type(kind, supported)[1]


def _said(text: str, kind: str, found: Iterable[Problem]) -> Iterator[Problem]:
    """The problem with the record that has it: a file has no paths."""
    for problem in found:
        yield replace(problem, path=PATH, message=f"{text} {kind}: {problem.message}")
