# SPDX-License-Identifier: Apache-2.0
"""What a restricted token may do: grants of actions on zones and on rrsets in them, and from which networks.

A grant names zones by a pattern. Where it names rrsets too, by a pattern of their names or by types, it is about these
rrsets only; else about the zones themselves and all that is in them. In a pattern `*` is anything, dots included.
Nothing is allowed that no grant names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from control.errors import Problem
from fastmdns import name as names
from fastmdns import rrtypes
from fastmdns.errors import TextError

ACTIONS = ("read", "create", "update", "delete")
MOST_GRANTS = 100
PLAIN = frozenset(range(0x21, 0x7F)) - {*b".\\"}


def spelled(text: str) -> str:
    """The one spelling of a name that patterns are held against: lower case, and a dot is always between labels."""
    wire, at, labels = names.lower(names.from_text(text)), 0, []
    while wire[at]:
        label = wire[at + 1 : at + 1 + wire[at]]
        labels.append("".join(chr(octet) if octet in PLAIN else f"\\{octet:03}" for octet in label))
        at += wire[at] + 1
    return ".".join([*labels, ""]) or "."


@dataclass(frozen=True)
class Grant:
    """name None and no types: the zone itself with all that is in it."""

    zone: str
    actions: tuple[str, ...]
    name: str | None = None
    types: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.name is None and not self.types

    @cached_property
    def _zone(self) -> re.Pattern[str]:
        return _compiled(self.zone)

    @cached_property
    def _name(self) -> re.Pattern[str]:
        return _compiled("*" if self.name is None else self.name)

    def covers(self, zone: str) -> bool:
        return self._zone.fullmatch(zone) is not None

    def covers_rrset(self, name: str, rrtype: str) -> bool:
        return self._name.fullmatch(name) is not None and (not self.types or rrtype in self.types)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))


@dataclass(frozen=True)
class TokenScope:
    """The grants of one token: a context.Scope."""

    grants: tuple[Grant, ...]
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def check(self, action: str, zone_name: str, name: str = "", rrtype: str = "") -> str | None:
        zone = spelled(zone_name)
        covering = [grant for grant in self.grants if grant.covers(zone)]
        if not action:
            return None if covering else f"this token is not for zone {zone_name}"
        able = [grant for grant in covering if action in grant.actions]
        if not name:
            if any(action == "read" or grant.is_whole for grant in able):
                return None
            return f"this token may not {action} zone {zone_name}"
        if any(grant.covers_rrset(spelled(name), rrtype) for grant in able):
            return None
        return f"this token may not {action} {name} {rrtype} in zone {zone_name}"

    def whole_zones(self) -> TokenScope:
        """Only what is not bound to some rrsets: for what shows or changes all of a zone."""
        return replace(self, grants=tuple(grant for grant in self.grants if grant.is_whole))

    def readable(self) -> Sequence[Grant]:
        return [grant for grant in self.grants if "read" in grant.actions]

    def allows_address(self, address: str | None) -> bool:
        if not self.networks:
            return True
        try:
            host = ip_address((address or "").partition("%")[0])
        except ValueError:
            return False  # a socket of this host has no address
        host = getattr(host, "ipv4_mapped", None) or host
        return any(host in network for network in self.networks if host.version == network.version)


def from_json(data: Mapping[str, Any]) -> TokenScope:
    """As to_json() stored it."""
    grants = tuple(
        Grant(item["zone"], tuple(item["actions"]), item["name"], tuple(item["types"])) for item in data["grants"]
    )
    return TokenScope(grants, tuple(ip_network(text) for text in data["networks"]))


def to_json(scope: TokenScope) -> dict[str, Any]:
    return {
        "grants": [
            {"zone": grant.zone, "name": grant.name, "types": list(grant.types), "actions": list(grant.actions)}
            for grant in scope.grants
        ],
        "networks": [str(network) for network in scope.networks],
    }


# --------------------------------------------------------------------------------------------- from what was asked for


def read(grants: Sequence[Mapping[str, Any]], networks: Sequence[str]) -> tuple[TokenScope | None, list[Problem]]:
    """The scope that a request asks for, or all that is wrong with it."""
    problems: list[Problem] = []
    if not 0 < len(grants) <= MOST_GRANTS:
        problems.append(Problem(("grants",), f"a token has 1 to {MOST_GRANTS} grants", "minItems", 1))
    for index, grant in enumerate(grants):
        problems += (problem.below("grants", index) for problem in _grant_problems(grant))
    for index, text in enumerate(networks):
        try:
            ip_network(text)
        except ValueError as error:
            problems.append(Problem(("networks", index), f"no network: {error}", "format", "cidr"))
    if problems:
        return None, problems
    wanted = tuple(
        Grant(
            _pattern(grant["zone"]),
            tuple(action for action in ACTIONS if action in grant["actions"]),
            None if grant.get("name") is None else _pattern(grant["name"]),
            tuple(rrtypes.to_name(rrtypes.by_name(rrtype)) for rrtype in grant.get("types") or ()),
        )
        for grant in grants
    )
    return TokenScope(wanted, tuple(ip_network(text) for text in networks)), []


def _grant_problems(grant: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("zone", "name"):
        if grant.get(key) is not None:
            try:
                _pattern(grant[key])
            except TextError as error:
                yield Problem((key,), f"{grant[key]!r} is no name with `*` in it: {error}", "format", "pattern")
    if not grant["actions"]:
        yield Problem(("actions",), f"a grant allows at least one of {', '.join(ACTIONS)}", "minItems", 1)
    for index, action in enumerate(grant["actions"]):
        if action not in ACTIONS:
            yield Problem(("actions", index), f"{action!r} is none of {', '.join(ACTIONS)}", "enum", list(ACTIONS))
    for index, rrtype in enumerate(grant.get("types") or ()):
        try:
            rrtypes.by_name(rrtype)
        except ValueError:
            yield Problem(("types", index), f"no record type {rrtype!r}", "enum")


def _pattern(text: str) -> str:
    """The pattern in the spelling of spelled(): it is about whole names, so it ends with a dot or with `*`."""
    if not text or "\\" in text:
        raise TextError("a pattern has no escapes and is not empty")
    absolute = text if text.endswith((".", "*")) else text + "."
    if absolute == "*":
        return absolute
    parts = absolute.split(".")
    if "" in parts[:-1]:
        raise TextError("a label is empty")
    return ".".join(part and spelled(f"{part}.").removesuffix(".") for part in parts)
