# SPDX-License-Identifier: Apache-2.0
"""The SOA record of a zone, made from its row whenever it is asked for (RFC 1035 §3.3.13): it is stored nowhere."""

from __future__ import annotations

from control.model import SOA, Record, Zone
from fastmdns import name, rdata


def rname(email: str) -> str:
    """joe.x@example.org → joe\\.x.example.org. (RFC 1035 §8: the local part is one label)."""
    local, _, domain = email.rpartition("@")
    escaped = "".join("\\" + octet if octet in '.\\";()@$' else octet for octet in local)
    return f"{escaped}.{domain.rstrip('.')}."


def record(zone: Zone) -> Record:
    numbers = f"{zone.serial} {zone.refresh} {zone.retry} {zone.expire} {zone.minimum}"
    text = f"{zone.mname} {rname(zone.email)} {numbers}"
    return Record(text, rdata.from_text(SOA, text))


def wire_record(zone: Zone) -> tuple[bytes, int, int, bytes]:
    """(owner, rrtype, ttl, rdata)."""
    return name.from_text(zone.name), SOA, zone.ttl, record(zone).wire
