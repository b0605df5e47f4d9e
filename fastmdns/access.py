# SPDX-License-Identifier: Apache-2.0
"""Who may ask: rules of prefix and TSIG key, for the server and for single zones.

A rule is `192.0.2.0/24`, `2001:db8::1`, `key:NAME`, or both parts joined by `+`, and then both must hold. A list of
rules allows a peer when one of them matches; there are no negative rules, so order never matters. A zone with a list of
its own does not ask the server's. A peer that no rule of any list matches is unknown: it is told nothing of any zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from fastmdns import name
from fastmdns.errors import ConfigError, TextError

LOOPBACK = ("127.0.0.0/8", "::1")

# What one peer may see: one bool per distinct list of rules; AccessTable.groups says which a zone asks.
Decision = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """`key` is a lower-case wire name. None in either field: that part is not asked for."""

    network: IPv4Network | IPv6Network | None
    key: bytes | None

    def matches(self, address: IPv4Address | IPv6Address, key: bytes | None) -> bool:
        if self.network is not None and address not in self.network:
            return False
        return self.key is None or self.key == key


def parse_rule(text: str) -> Rule:
    """ConfigError where the text is no rule."""
    first, plus, second = text.strip().partition("+")
    if first.startswith("key:") and not plus:
        return Rule(None, _key(first, text))
    if plus and not second.startswith("key:"):
        raise ConfigError(f"expected PREFIX, key:NAME or PREFIX+key:NAME, got {text!r}")
    return Rule(_network(first, text), _key(second, text) if plus else None)


def _network(part: str, text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(part)
    except ValueError as error:
        raise ConfigError(f"no address rule: {text!r}: {error}") from None


def _key(part: str, text: str) -> bytes:
    try:
        return name.lower(name.from_text(part.removeprefix("key:").strip(), b"\0"))
    except TextError as error:
        raise ConfigError(f"no name of a key: {text!r}: {error}") from None


def peer_address(octets: bytes) -> IPv4Address | IPv6Address:
    """4 or 16 octets; an IPv4 address that came in through an IPv6 socket is an IPv4 address."""
    address = ip_address(octets)
    return getattr(address, "ipv4_mapped", None) or address


class AccessTable:
    """`rules` for the server; `zones`: apex (wire) → the zone's own rules."""

    def __init__(self, rules: Iterable[str] = LOOPBACK, zones: Mapping[bytes, Iterable[str]] | None = None) -> None:
        lists: dict[tuple[str, ...], int] = {tuple(rules): 0}
        # Zones by the thousand share a few lists: each distinct list is evaluated once per peer, not once per zone.
        # groups: which element of a Decision speaks for a zone (lower-case wire); 0, the server's, for all others.
        self.groups = {
            name.lower(apex): lists.setdefault(tuple(own), len(lists)) for apex, own in (zones or {}).items()
        }
        self._lists = [[parse_rule(text) for text in texts] for texts in lists]

    def decide(self, address: bytes, key: bytes | None = None) -> Decision:
        """Everything the rules say of one peer. Depends on nothing else, so it may be cached."""
        peer = peer_address(address)
        return tuple(any(rule.matches(peer, key) for rule in rules) for rules in self._lists)

    def allows(self, address: bytes, key: bytes | None, apex: bytes) -> bool:
        return self.decide(address, key)[self.groups.get(name.lower(apex), 0)]
