# SPDX-License-Identifier: Apache-2.0
"""Rdata: for every type, text, RFC 3597 text and wire are one thing, and dnspython agrees.

tests/data/rdata/types.txt holds the triples; hypothesis makes the rest from the rows of the type table.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.rdatatype
import dns.renderer
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmdns import name, rdata, rrtypes
from fastmdns.errors import TextError, WireError
from tests.strategies import rdata_of, type_numbers

ORIGIN = name.from_text("example.org.")
ROWS = [row for row in rrtypes.rows() if row.fields]
DATA = Path(__file__).parent.parent / "data" / "rdata"


class Triple(NamedTuple):
    rrtype: int
    text: str
    wire: bytes
    written: str  # another spelling of the same rdata, "" for none

    @property
    def generic(self) -> str:
        return f"\\# {len(self.wire)} {self.wire.hex()}".rstrip()


def triples() -> list[Triple]:
    """Lines of: type, hexadecimal wire, canonical text, perhaps another spelling; tabs between."""
    lines = (DATA / "types.txt").read_text().splitlines()
    cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [Triple(rrtypes.by_name(c[0]), c[2], bytes.fromhex(c[1]), c[3] if len(c) > 3 else "") for c in cells]


TRIPLES = triples()


def triple_id(triple: Triple) -> str:
    return f"{rrtypes.to_name(triple.rrtype)}-{triple.text[:20]}"


every_triple = pytest.mark.parametrize("triple", TRIPLES, ids=triple_id)
examples = settings(max_examples=15, deadline=None)  # for each of some 80 types
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def test_the_table_has_a_triple_for_every_type_with_a_text() -> None:
    assert {row.number for row in ROWS} <= {triple.rrtype for triple in TRIPLES}


@every_triple
def test_text_gives_the_wire(triple: Triple) -> None:
    assert rdata.from_text(triple.rrtype, triple.text, ORIGIN).hex() == triple.wire.hex()


@every_triple
def test_generic_text_gives_the_wire(triple: Triple) -> None:
    assert rdata.from_text(triple.rrtype, triple.generic) == triple.wire


@every_triple
def test_wire_gives_the_text(triple: Triple) -> None:
    assert rdata.to_text(triple.rrtype, triple.wire) == triple.text


@every_triple
def test_wire_of_the_table_is_valid_and_nothing_shorter_is_the_same(triple: Triple) -> None:
    rdata.check(triple.rrtype, triple.wire)
    assert rdata.unpack(triple.rrtype, b"head" + triple.wire + b"tail", 4, len(triple.wire)) == triple.wire


@pytest.mark.parametrize("triple", [triple for triple in TRIPLES if triple.written], ids=triple_id)
def test_other_spellings_give_the_same_wire(triple: Triple) -> None:
    assert rdata.from_text(triple.rrtype, triple.written, ORIGIN).hex() == triple.wire.hex()


def dnspython_wire(rrtype: int, text: str) -> bytes | None:
    """What dnspython makes of a text, None where it refuses."""
    try:
        made = dns.rdata.from_text("IN", rrtype, text, dns.name.root, relativize=False).to_wire()
    except (dns.exception.DNSException, ValueError):
        return None
    assert made is not None
    return made


def dnspython_text(rrtype: int, wire: bytes) -> str | None:
    """What dnspython prints, None where it refuses."""
    try:
        return dns.rdata.from_wire("IN", rrtype, wire, 0, len(wire)).to_text()
    except (dns.exception.DNSException, ValueError):
        return None


def known_to_dnspython(row: rrtypes.RRType) -> bool:
    return dns.rdata.get_rdata_class(dns.rdataclass.IN, row.number) is not dns.rdata.GenericRdata


ORACLE_ROWS = [row for row in ROWS if known_to_dnspython(row) and not row.rare]  # a rare one would judge itself


@every_row
@examples
@given(data=st.data())
def test_wire_to_text_to_wire_is_the_identity(row: rrtypes.RRType, data: st.DataObject) -> None:
    wire = data.draw(rdata_of(row))
    rdata.check(row.number, wire)
    assert rdata.from_text(row.number, rdata.to_text(row.number, wire)) == wire


@pytest.mark.parametrize("row", ORACLE_ROWS, ids=lambda row: row.name)
@examples
@given(data=st.data())
def test_dnspython_reads_our_text_as_the_same_wire(row: rrtypes.RRType, data: st.DataObject) -> None:
    wire = data.draw(rdata_of(row))
    theirs = dnspython_wire(row.number, rdata.to_text(row.number, wire))
    assert theirs is None or theirs == wire


@pytest.mark.parametrize("row", ORACLE_ROWS, ids=lambda row: row.name)
@examples
@given(data=st.data())
def test_we_read_the_text_of_dnspython_as_the_same_wire(row: rrtypes.RRType, data: st.DataObject) -> None:
    wire = data.draw(rdata_of(row))
    theirs = dnspython_text(row.number, wire)
    assert theirs is None or rdata.from_text(row.number, theirs) == wire


@every_row
@examples
@given(data=st.data())
def test_mutated_wire_is_refused_or_survives_its_own_text(row: rrtypes.RRType, data: st.DataObject) -> None:
    wire = bytearray(data.draw(rdata_of(row)) or b"\0")
    wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        rdata.check(row.number, bytes(wire))
    except WireError:
        return
    assert rdata.from_text(row.number, rdata.to_text(row.number, bytes(wire))) == wire


@every_row
@examples
@given(octets=st.binary(max_size=80))
def test_any_octets_are_refused_or_survive_their_own_text(row: rrtypes.RRType, octets: bytes) -> None:
    try:
        text = rdata.to_text(row.number, octets)
    except WireError:
        return
    assert rdata.from_text(row.number, text) == octets


@every_row
@examples
@given(data=st.data())
def test_a_compressed_message_unpacks_to_the_plain_rdata(row: rrtypes.RRType, data: st.DataObject) -> None:
    wire = data.draw(rdata_of(row))
    if dnspython_text(row.number, wire) is None:
        return
    record = dns.rdata.from_wire("IN", row.number, wire, 0, len(wire))
    renderer = dns.renderer.Renderer(max_size=65535)
    owner = dns.name.from_text("example.")
    renderer.add_question(owner, row.number)
    renderer.add_rrset(dns.renderer.ANSWER, dns.rrset.from_rdata(owner, 0, record))
    message = renderer.get_wire()
    start = 12 + len("?example?") + 4 + 2 + 10
    unpacked = rdata.unpack(row.number, message, start, len(message) - start)
    assert unpacked.lower() == wire.lower()  # dnspython lets a pointer change the case


@every_row
@examples
@given(data=st.data())
def test_names_that_may_be_compressed_are_found(row: rrtypes.RRType, data: st.DataObject) -> None:
    wire = data.draw(rdata_of(row))
    spans = rdata.compressible(row.number, wire)
    assert len(spans) == sum(getattr(field, "compress", False) for field in row.fields)
    for offset, length in spans:
        name.check(wire[offset : offset + length])


@given(type_numbers.filter(lambda rrtype: rrtypes.row(rrtype) is None), st.binary(max_size=200))
def test_unknown_types_carry_anything_in_generic_text(rrtype: int, octets: bytes) -> None:
    text = rdata.to_text(rrtype, octets)
    assert text.startswith(f"\\# {len(octets)}")
    assert rdata.from_text(rrtype, text) == octets


@given(st.binary(max_size=60), st.sampled_from(ROWS))
def test_no_text_does_harm(text: bytes, row: rrtypes.RRType) -> None:
    try:
        wire = rdata.from_text(row.number, text, ORIGIN)
    except TextError:
        return
    rdata.check(row.number, wire)


@pytest.mark.parametrize(
    ("rrtype", "text", "reason", "token"),
    [
        ("A", "", "missing", 0),
        ("A", "192.0.2", "IPv4", 0),
        ("A", "192.0.2.256", "IPv4", 0),
        ("A", "192.0.2.01", "IPv4", 0),
        ("A", "192.0.2.1 192.0.2.2", "more text", 1),
        ("AAAA", "1::2::3", "IPv6", 0),
        ("AAAA", "1:2:3:4:5:6:7", "IPv6", 0),
        ("AAAA", "1:2:3:4:5:6:7:8:9", "IPv6", 0),
        ("AAAA", "1:2:3:4:5:6:7:8::", "IPv6", 0),
        ("AAAA", "12345::", "IPv6", 0),
        ("AAAA", ":1::", "IPv6", 0),
        ("AAAA", "1:", "IPv6", 0),
        ("AAAA", ":", "IPv6", 0),
        ("AAAA", "::1.2.3", "IPv6", 0),
        ("MX", "ten mail", "number", 0),
        ("MX", "65536 mail", "out of range", 0),
        ("MX", "10", "missing", 1),
        ("MX", "10 a..b", "label", 1),
        ("SOA", "a b 1 2 3 4 5x", "number", 6),
        ("SOA", "a b 4294967296 2 3 4 5", "out of range", 2),
        ("TXT", '"' + "x" * 256 + '"', "255", 0),
        ("TXT", r'a "\300"', "escape", 1),
        ("TXT", '"open', "no end", -1),
        ("TXT", "a\\", "no end", -1),
        ("DS", "1 8 2 0011", "not allowed", 3),
        ("DS", "1 8 200 001", "hexadecimal", 3),
        ("DS", "1 NOALG 200 00", "not allowed", 1),
        ("DNSKEY", "256 3 8 AQI", "base64", 3),
        ("DNSKEY", "256 3 8 AR==", "base64", 3),
        ("DNSKEY", "256 3 8", "missing", 3),
        ("RRSIG", "NOTYPE 8 2 3600 20300101000000 20200229235959 123 example. AQID", "type", 0),
        ("RRSIG", "A 8 2 3600 20300229000000 20200229235959 123 example. AQID", "time", 4),
        ("RRSIG", "A 8 2 3600 20300101000000 20200101240000 123 example. AQID", "time", 5),
        ("NSEC", "a. A B", "type", 2),
        ("NSEC", "a.", "missing", 1),
        ("NSEC3", "1 0 0 - 01 A", "not allowed", 4),
        ("CAA", '0 is-sue "x"', "not allowed", 1),
        ("EUI48", "00-00-5e-00-53", "not allowed", 0),
        ("NID", "1 0014:4fff:ff20-ee64", "not allowed", 1),
        ("LOC", "91 N 0 E 0", "degrees", -1),
        ("A", r"\# 3 c00002", "too early", 2),
        ("A", r"\# 4 c00002", "too early", 2),
        ("A", r"\# 1 c000", "octets after", 2),
        ("A", r"\# 4 c000020", "hexadecimal", 2),
        ("TYPE65280", "1", "type", 0),
        ("NULL", "x", "type", 0),
        ("OPT", r"\# 0", "type", 0),
    ],
)  # fmt: skip
def test_wrong_text_names_the_word_and_the_reason(rrtype: str, text: str, reason: str, token: int) -> None:
    with pytest.raises(TextError, match=reason) as caught:
        rdata.from_text(rrtypes.by_name(rrtype), text, ORIGIN)
    assert caught.value.token == token


@pytest.mark.parametrize(
    ("rrtype", "wire", "reason"),
    [
        ("A", b"\1\2\3", "too early"),
        ("A", b"\1\2\3\4\5", "after the last"),
        ("NS", b"\1a", "label"),
        ("NS", b"\xc0\x00", "label"),
        ("NS", b"\0\0", "after the last"),
        ("TXT", b"", "too early"),
        ("TXT", b"\2a", "too early"),
        ("NSEC", b"\0\0\0", "not allowed"),
        ("NSEC", b"\0\0\1\0", "not allowed"),
        ("NSEC", b"\0\0\x21" + b"\1" * 33, "not allowed"),
        ("NSEC", b"\0\1\1\1\0\1\1", "not allowed"),
        ("NSEC", b"\0\0\1\1\0\1\1", "not allowed"),
        ("NSEC", b"\0", "too early"),
        ("NSEC3", b"\1\0\0\0\0\0", "not allowed"),
        ("DS", b"\0\1\x08\2" + b"x" * 31, "not allowed"),
        ("CAA", b"\0\0x", "not allowed"),
        ("CAA", b"\0\1-x", "not allowed"),
        ("URI", b"\0\1\0\1", "too early"),
        ("SVCB", b"\0\1\0" + b"\0\3\0\2\0\1" + b"\0\1\0\2\1h", "not allowed"),
        ("SVCB", b"\0\1\0" + b"\0\3\0\2\0\1" * 2, "not allowed"),
        ("SVCB", b"\0\1\0" + b"\0\3\0\3\0\1\1", "not allowed"),
        ("SVCB", b"\0\1\0" + b"\0\3\0\2\0", "not allowed"),
        ("SVCB", b"\0\1\0" + b"\0\1\0\2\2h", "not allowed"),
        ("SVCB", b"\0\1\0" + b"\0\0\0\2\0\0", "not allowed"),
        ("SVCB", b"\0\1\0" + b"\0\4\0\3abc", "not allowed"),
        ("HIP", b"\0\1\0\1k", "not allowed"),
        ("IPSECKEY", b"\0\4\0", "not allowed"),
        ("AMTRELAY", b"\0\1\1\2\3", "too early"),
        ("APL", b"\0\1\x21\1\1", "not allowed"),
        ("APL", b"\0\1\x20\1\0", "not allowed"),
        ("LOC", b"\0\xa0\0\0" + b"\0" * 12, "not allowed"),
    ],
)
def test_malformed_wire_is_refused(rrtype: str, wire: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        rdata.check(rrtypes.by_name(rrtype), wire)


def test_the_largest_rdata_is_carried() -> None:
    octets = b"\xff" * 65535
    assert rdata.from_text(65280, rdata.to_text(65280, octets)) == octets


def test_generic_text_longer_than_65535_is_refused() -> None:
    with pytest.raises(TextError, match="out of range"):
        rdata.from_text(65280, r"\# 65536 " + "00" * 65536)


def test_text_longer_than_an_rdata_is_refused() -> None:
    with pytest.raises(TextError, match="fit"):
        rdata.from_text(16, '"' + '" "'.join(["x" * 255] * 256) + '"')


def test_a_word_in_quotes_is_never_the_generic_mark() -> None:
    assert rdata.from_text(16, r'"\#" 1 00') == b"\1#\0011\00200"


def test_parentheses_line_ends_and_comments_divide_words() -> None:
    text = "a. b. ( 1 ; serial\n 2 3\t4\r\n5 )"
    assert rdata.from_text(6, text) == rdata.from_text(6, "a. b. 1 2 3 4 5")


def test_case_of_names_is_kept() -> None:
    assert rdata.to_text(2, rdata.from_text(2, "Ns1.eXample.")) == "Ns1.eXample."
