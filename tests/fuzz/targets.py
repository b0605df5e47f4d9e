# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed: every parser of octets that come from elsewhere. A target is a function of one input.

It may raise nothing: the errors a parser is allowed to raise are caught, all others are findings. Beyond not crashing,
each target holds what its parser promises, so that a wrong answer is found as well as a wrong access.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress

from fastmdns import name, rdata, rrtypes, tsig, zonefile
from fastmdns.access import AccessTable
from fastmdns.answer import Answerer, Settings
from fastmdns.counters import ROW_SIZE, Counters
from fastmdns.errors import FastmdnsError, TextError, WireError, ZoneError
from fastmdns.incoming import Incoming
from fastmdns.store import Store

Target = Callable[[memoryview], None]
NOW = 1_790_000_000
KEY = tsig.Key("key.example", "hmac-sha256", b"0123456789abcdef")
APEX = name.from_text("example.")
ZONE = b"""@ 3600 SOA ns hostmaster 7 2 3 4 5
@ 3600 NS ns
@ 3600 NS ns.example.net.
ns 300 A 192.0.2.1
ns 300 AAAA 2001:db8::1
_sip._tcp 60 SRV 1 2 3 ns
text 60 TXT "one" "two"
"""
TYPES = [row.number for row in rrtypes.rows()]


def rrtype_of(data: memoryview) -> int:
    """Two octets choose a type: mostly one that is known."""
    number = int.from_bytes(data[:2])
    return TYPES[number % len(TYPES)] if number & 0x8000 == 0 else number & 0x7FFF


def survives_its_text(rrtype: int, wire: bytes) -> None:
    assert rdata.from_text(rrtype, rdata.to_text(rrtype, wire)) == wire, (rrtype, wire)


def rdata_wire(data: memoryview) -> None:
    """Two octets of type, then rdata: valid wire survives being printed, read and unpacked."""
    if len(data) < 2:
        return
    rrtype, octets = rrtype_of(data), bytes(data[2:])
    try:
        rdata.check(rrtype, octets)
    except WireError:
        return
    assert rdata.unpack(rrtype, octets, 0, len(octets)) == octets
    for offset, length in rdata.compressible(rrtype, octets):
        name.check(octets[offset : offset + length])
    row = rrtypes.row(rrtype)
    if row is None or not (row.meta or row.rare):
        survives_its_text(rrtype, octets)


def rdata_unpack(data: memoryview) -> None:
    """Two octets of type, one of offset, then a message with rdata from the offset on: what comes out is valid."""
    if len(data) < 3:
        return
    rrtype, offset, message = rrtype_of(data), data[2], bytes(data[3:])
    try:
        wire = rdata.unpack(rrtype, message, offset, len(message) - offset)
    except WireError:
        return
    rdata.check(rrtype, wire)


def rdata_text(data: memoryview) -> None:
    """Two octets of type, then text: what is read is valid and survives its own text."""
    if len(data) < 2:
        return
    rrtype = rrtype_of(data)
    row = rrtypes.row(rrtype)
    if row is not None and row.rare and b"\\#" not in bytes(data[2:]):
        return  # that is dnspython's parser, not ours
    try:
        wire = rdata.from_text(rrtype, bytes(data[2:]), APEX)
    except TextError:
        return
    rdata.check(rrtype, wire)
    if row is None or not row.rare:
        survives_its_text(rrtype, wire)


def names(data: memoryview) -> None:
    """Text of a name, and the same octets as a key."""
    octets = bytes(data)
    with suppress(TextError):
        wire = name.from_text(octets, APEX)
        assert name.from_text(name.to_text(wire)) == wire
        assert name.from_key(name.key(wire)) == name.lower(wire)
    with suppress(WireError):
        assert name.key(name.from_key(octets)) == octets


def zone_text(data: memoryview) -> None:
    """A zone file: its records are valid, or every problem has its place."""
    try:
        parsed = zonefile.parse_text(bytes(data), APEX, default_ttl=3600)
    except ZoneError as error:
        assert error.problems
        return
    for owner, rrtype, _, octets in parsed.records:
        name.check(owner)
        rdata.check(rrtype, octets)


def answerer() -> Answerer:
    """A primary with one zone. Its store lives as long as the process."""
    store = Store(tempfile.mkdtemp(prefix="fastmdns-fuzz-"), map_size=1 << 24, sync=False)
    store.publish(zonefile.parse_text(ZONE, APEX).records)
    access = AccessTable(["127.0.0.0/8", "key:key.example"])
    counters = Counters(bytearray(ROW_SIZE))
    return Answerer(store, access, tsig.Keyring([KEY]), counters, Settings(), lambda: NOW)


def message() -> Target:
    """One octet of circumstances, then a query: every answer is a message with its id and QR set.

    Bit 0: over TCP. Bit 1: with a good TSIG record put behind. Bit 2: from an address that no rule names.
    """
    primary = answerer()

    def run(data: memoryview) -> None:
        if len(data) < 1:
            return
        how, query = data[0], data[1:]
        if how & 2 and len(query) >= 12 and query[10:12] != b"\xff\xff":  # room for one record more
            query = memoryview(tsig.sign_request(bytes(query), KEY, NOW)[0])
        answers = primary.respond(query, "203.0.113.9" if how & 4 else "127.0.0.1", bool(how & 1))
        if answers is None or answers == "close":
            return
        for answer in answers:
            assert answer[:2] == bytes(query[:2])
            assert answer[2] & 0x80
            assert how & 1 or len(answer) <= 65535

    return run


def transfer(data: memoryview) -> None:
    """One octet of request kind, then the messages a primary sends, each behind its length."""
    if len(data) < 1:
        return
    incoming = Incoming(APEX, 0x1234, 251 if data[0] & 1 else 252, 7)
    at = 1
    try:
        while at + 2 <= len(data) and not incoming.done:
            size = int.from_bytes(data[at : at + 2])
            incoming.feed(bytes(data[at + 2 : at + 2 + size]))
            at += 2 + size
    except FastmdnsError:
        return
    for _, rrtype, _, octets in incoming.records:
        rdata.check(rrtype, octets)


PLAIN: dict[str, Target] = {
    "names": names,
    "rdata_wire": rdata_wire,
    "rdata_unpack": rdata_unpack,
    "rdata_text": rdata_text,
    "zone_text": zone_text,
    "transfer": transfer,
}


def target(wanted: str) -> Target:
    """The function main.c calls. Zone files are read through a small buffer, so that every input crosses its edges."""
    zonefile.BUFFER_SIZE = 512
    return message() if wanted == "message" else PLAIN[wanted]
