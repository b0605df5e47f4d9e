# SPDX-License-Identifier: Apache-2.0
"""Zones for the tests of image and store, and the messages that a transfer of an image consists of."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import dns.message
import dns.name
import dns.rdata
from hypothesis import strategies as st

from fastmdns.records import Records

A, NS, CNAME, SOA, MX, TXT, SRV, CAA, DLV, PRIVATE = 1, 2, 5, 6, 15, 16, 33, 257, 32769, 65281
Row = tuple[bytes, int, int, bytes]


def wire(text: str) -> bytes:
    return dns.name.from_text(text).to_wire() or b""


APEX = wire("Example.org")


def soa_rdata(serial: int = 1, mname: str = "ns.example.org", rname: str = "host.example.net") -> bytes:
    return wire(mname) + wire(rname) + struct.pack("!5I", serial, 7200, 3600, 1209600, 300)


def records(rows: Iterable[Row], apex: bytes = APEX) -> Records:
    zone = Records(apex)
    for row in rows:
        zone.add(*row)
    return zone


def zone(*rows: Row, serial: int = 1) -> Records:
    """The rows with a SOA and one NS."""
    return records([(APEX, SOA, 3600, soa_rdata(serial)), (APEX, NS, 300, wire("ns.example.org")), *rows])


def under(label: bytes | str, apex: bytes = APEX) -> bytes:
    octets = label.encode() if isinstance(label, str) else label
    return bytes([len(octets)]) + octets + apex


def txt(size: int, fill: bytes = b"x") -> bytes:
    """TXT rdata of so many octets."""
    whole, rest = divmod(size, 256)
    return (b"\xff" + fill * 255) * whole + (bytes([rest - 1]) + fill * (rest - 1) if rest else b"")


def delegations(count: int, apex: bytes = APEX) -> Records:
    """A zone like a TLD's: two name servers each, every tenth domain with glue."""
    rows: list[Row] = [(apex, SOA, 3600, soa_rdata()), (apex, NS, 300, wire("a.nic.example.org"))]
    for index in range(count):
        owner = under(f"dom{index * 7919 % count:07d}", apex)
        hoster = f"hoster{index * index % 211}.net"
        rows += [(owner, NS, 3600, wire(f"ns{number}.{hoster}")) for number in (1, 2)]
        if index % 10 == 0:
            rows.append((under("ns1", owner), A, 3600, struct.pack("!I", index)))
    return records(rows, apex)


class Form(NamedTuple):
    """What a transfer needs beside the pages: a row of the store, or an image's SOA."""

    apex: bytes
    head: bytes
    tail: bytes


def messages(form: Form, pages: Sequence[bytes | memoryview]) -> list[bytes]:
    """The messages of a whole transfer, as the server sends them."""
    question = form.apex + b"\0\xfc\0\1"
    counts = [int.from_bytes(page[:2]) for page in pages]
    bodies = [bytes(page[2:]) for page in pages]
    first = question + form.head + bodies[0]
    if len(pages) == 1:
        return [header(1, counts[0] + 2) + first + form.tail]
    middle = [header(0, count) + body for count, body in zip(counts[1:], bodies[1:], strict=True)]
    return [header(1, counts[0] + 1) + first, *middle, header(0, 1) + form.tail]


def header(questions: int, answers: int) -> bytes:
    return struct.pack("!6H", 1, 0x8400, questions, answers, 0, 0)


def parse(message: bytes) -> list[Row]:
    """The records of a message as dnspython reads them."""
    found = dns.message.from_wire(message, one_rr_per_rrset=True)
    return [
        (rrset.name.to_wire() or b"", int(rrset.rdtype), rrset.ttl, rdata.to_wire() or b"")
        for rrset in found.answer
        for rdata in rrset
    ]


labels = st.sampled_from([b"a", b"A", b"b", b"ns", b"www", b"\0", b"\1", b"\xff", b"x" * 63, b"*", b"mail"])
owners = st.lists(labels, max_size=3).map(lambda found: b"".join(under(label, b"") for label in found) + APEX)
targets = st.one_of(owners, owners.map(lambda owner: owner[: -len(APEX)] + wire("elsewhere.net")), st.just(b"\0"))
rdatas = st.one_of(
    st.tuples(st.just(A), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(NS), targets),
    st.tuples(st.just(MX), targets.map(lambda target: b"\0\x0a" + target)),
    st.tuples(st.just(SRV), targets.map(lambda target: bytes(6) + target)),
    st.tuples(st.just(TXT), st.integers(1, 300).map(txt)),
    st.tuples(st.sampled_from([CAA]), st.just(b"\0\5issueca.example")),
    st.tuples(st.just(DLV), st.binary(min_size=32, max_size=32).map(lambda digest: b"\0\1\x08\2" + digest)),
    st.tuples(st.just(PRIVATE), st.binary(max_size=40)),
    st.tuples(st.just(PRIVATE), st.sampled_from([b"y" * 5000, b"z" * 9000, b"w" * 17000, b"v" * 60000])),
)
rows = st.builds(lambda owner, rdata: (owner, rdata[0], 300, rdata[1]), owners, rdatas)
