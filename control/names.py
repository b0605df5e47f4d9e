# SPDX-License-Identifier: Apache-2.0
"""Names between text, wire and the key they are stored and compared by. The text is one that rules.py let pass."""

from __future__ import annotations

from fastmdns import name


def to_wire(text: str) -> bytes:
    return name.from_text(text)


def key_of(text: str) -> bytes:
    """The canonical key of a name in text: equal for names that differ in case only (RFC 4034 §6.1, RFC 4343)."""
    return name.key(name.from_text(text))


def with_dot(text: str) -> str:
    return text if text.endswith(".") else text + "."


def within(text: str, zone: str) -> bool:
    """True for the zone's apex and what lies below, whatever the case."""
    return name.within(name.from_text(text), name.from_text(zone))


def keys_above(key: bytes) -> list[bytes]:
    """The keys of all names above this one, the nearest first, the root not included."""
    ends = [at + 1 for at, octet in enumerate(key[:-1]) if octet == 0]
    return [key[:end] for end in reversed(ends)]
