# SPDX-License-Identifier: Apache-2.0
"""The arena keeps what it is given; its order is RFC 4034 §6; its rules name what can't be served."""

from __future__ import annotations

import dns.name
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmdns.errors import WireError
from fastmdns.records import Records

A, NS, CNAME, SOA, TXT, DNAME, RRSIG, NSEC = 1, 2, 5, 6, 16, 39, 46, 47
Row = tuple[bytes, int, int, bytes]


def wire(text: str) -> bytes:
    return dns.name.from_text(text).to_wire() or b""


APEX = wire("example.org")
SOA_RDATA = wire("ns.example.org") + wire("root.example.org") + bytes(20)


def records(*rows: Row) -> Records:
    zone = Records(APEX)
    for row in rows:
        zone.add(*row)
    return zone


def served(*rows: Row) -> Records:
    """A zone with the SOA and NS it needs."""
    return records((APEX, SOA, 60, SOA_RDATA), (APEX, NS, 60, wire("ns.example.net")), *rows)


def canonical(row: Row) -> tuple[list[bytes], int, bytes]:
    labels = dns.name.from_wire(row[0], 0)[0].canonicalize().labels
    return list(reversed(labels)), row[1], row[3]


label = st.binary(min_size=1, max_size=12) | st.sampled_from(
    [b"a", b"A", b"\0", b"\1", b"same-start-0", b"same-start-1"]
)
owner = st.lists(label, max_size=4).map(lambda labels: b"".join(bytes([len(x)]) + x for x in labels) + APEX)
row = st.tuples(owner, st.sampled_from([A, NS, TXT, 65280]), st.just(300), st.binary(max_size=3))


@given(st.lists(row, max_size=150))
def test_sorted_records_are_in_canonical_order_without_duplicates(rows: list[Row]) -> None:
    zone = records(*rows)
    zone.sort()
    keys = [canonical(row) for row in zone]
    assert keys == sorted({tuple(map(repr, key)): key for key in map(canonical, rows)}.values())


@pytest.mark.parametrize("owners", [1, 7, 3000])
def test_records_outgrow_the_block_they_begin_in(owners: int) -> None:
    rows = [(wire(f"n{index % owners}.example.org"), TXT, 300, b"%05d" % index * 9) for index in range(6000)]
    zone = records(*rows)
    assert list(zone) == rows
    zone.sort()
    assert [canonical(row) for row in zone] == sorted(map(canonical, rows))
    zone.add(*rows[0])
    zone.sort()
    assert len(zone) == len(rows)


@given(st.lists(row, max_size=60))
def test_unsorted_records_are_those_that_were_added(rows: list[Row]) -> None:
    assert sorted(records(*rows)) == sorted(rows)


@given(st.lists(row, max_size=40), st.lists(row, max_size=40))
def test_records_added_after_a_sort_find_their_place(first: list[Row], second: list[Row]) -> None:
    zone = records(*first)
    zone.sort()
    for one in second:
        zone.add(*one)
    zone.sort()
    whole = records(*first, *second)
    whole.sort()
    assert [canonical(row) for row in zone] == [canonical(row) for row in whole]


def test_a_record_settles_behind_those_of_its_name_in_other_case() -> None:
    upper, lower = wire("A.example.org"), wire("a.example.org")
    zone = records((upper, A, 60, b"2"), (lower, A, 60, b"1"))
    zone.sort()
    zone.add(upper, A, 60, b"0")
    zone.add(upper, A, 60, b"1")
    zone.sort()
    assert [row[3] for row in zone] == [b"0", b"1", b"2"]


def test_many_names_that_share_their_start_are_sorted() -> None:
    names = [wire(f"customer-with-a-long-name-{number * 7919 % 1000:03}.example.org") for number in range(1000)]
    zone = records(*((name, A, 60, b"\1\2\3\4") for name in names))
    zone.sort()
    assert [row[0] for row in zone] == sorted(names)


def test_a_large_rrset_is_sorted_and_its_duplicates_dropped() -> None:
    zone = records(*((APEX, A, 60, (number * 7919 % 500).to_bytes(4, "big")) for number in range(1000)))
    zone.sort()
    assert [row[3] for row in zone] == [number.to_bytes(4, "big") for number in range(500)]


def test_the_case_of_owners_is_kept() -> None:
    zone = records((wire("B.Example.ORG"), A, 60, b"\1\2\3\4"), (wire("a.example.org"), A, 60, b"\1\2\3\4"))
    zone.sort()
    assert [row[0] for row in zone] == [wire("a.example.org"), wire("B.Example.ORG")]


def test_of_duplicates_the_first_is_kept_with_the_lowest_ttl() -> None:
    zone = records((APEX, A, 60, b"\1\2\3\4"), (wire("EXAMPLE.org"), A, 30, b"\1\2\3\4"))
    zone.sort()
    assert list(zone) == [(APEX, A, 30, b"\1\2\3\4")]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ((b"\3org", A, 60, b""), "the owner is no valid name"),
        ((APEX + b"\0", A, 60, b""), "the owner is no valid name"),
        ((wire("example.net"), A, 60, b""), "example.net. is not within the zone example.org."),
        ((wire("notexample.org"), A, 60, b""), "notexample.org. is not within the zone example.org."),
        ((APEX, 0, 60, b""), "a record's type is a number from 1 to 65535"),
        ((APEX, 65536, 60, b""), "a record's type is a number from 1 to 65535"),
        ((APEX, A, 2**31, b""), "a TTL is larger than 2147483647"),
        ((APEX, A, 60, bytes(65536)), "rdata is longer than 65535 octets"),
    ],
)
def test_a_record_that_fits_no_zone_is_refused(bad: Row, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        Records(APEX).add(*bad)


def test_an_apex_that_is_no_name_is_refused() -> None:
    with pytest.raises(WireError, match="the apex is no valid name"):
        Records(b"\3org")


def test_the_root_can_be_the_apex() -> None:
    zone = Records(b"\0")
    zone.add(wire("org"), NS, 60, wire("a.nic.org"))
    zone.add(b"\0", NS, 60, wire("a.root-servers.net"))
    zone.sort()
    assert [row[0] for row in zone] == [b"\0", wire("org")]


def reasons(zone: Records) -> list[str]:
    return [str(problem) for problem in zone.check()]


def test_a_zone_with_soa_and_ns_has_no_problem() -> None:
    assert reasons(served((wire("a.example.org"), A, 60, b"\1\2\3\4"))) == []


def test_an_empty_zone_lacks_soa_and_ns() -> None:
    assert reasons(Records(APEX)) == ["no SOA record at example.org.", "no NS record at example.org."]


def test_soa_and_ns_below_the_apex_do_not_count() -> None:
    below = wire("a.example.org")
    assert reasons(records((below, SOA, 60, SOA_RDATA), (below, NS, 60, APEX))) == [
        "no SOA record at example.org.",
        "no NS record at example.org.",
        "SOA record at a.example.org., but only the apex has one",
    ]


def test_a_second_soa_is_named() -> None:
    assert reasons(served((APEX, SOA, 60, SOA_RDATA[:-1] + b"\1"))) == ["a second SOA record: a zone has exactly one"]


@pytest.mark.parametrize("rrtype", [A, TXT, DNAME])
def test_a_cname_stands_alone(rrtype: int) -> None:
    name = wire("a.example.org")
    rows = [(name, CNAME, 60, APEX), (name, rrtype, 60, APEX)]
    assert reasons(served(*rows)) == ["a.example.org. has a CNAME record, so it can have no other data"]


def test_a_cname_may_have_dnssec_records_beside() -> None:
    name = wire("a.example.org")
    rows = [(name, CNAME, 60, APEX), (name, RRSIG, 60, bytes(20)), (name, NSEC, 60, APEX + b"\0\1\4")]
    assert reasons(served(*rows)) == []


@pytest.mark.parametrize(("rrtype", "word"), [(CNAME, "CNAME"), (DNAME, "DNAME")])
def test_a_name_has_one_cname_and_one_dname_at_most(rrtype: int, word: str) -> None:
    name = wire("a.example.org")
    rows = [(name, rrtype, 60, APEX), (name, rrtype, 60, wire("other.example."))]
    assert reasons(served(*rows)) == [f"a second {word} record at a.example.org.: a name has one at most"]


def test_owners_that_differ_by_case_are_one_name() -> None:
    rows = [(wire("A.example.org"), CNAME, 60, APEX), (wire("a.example.org"), A, 60, b"\1\2\3\4")]
    assert len(reasons(served(*rows))) == 1


def test_problems_are_capped() -> None:
    rows = [
        (wire(f"a{number}.example.org"), rrtype, 60, rdata)
        for number in range(500)
        for rrtype, rdata in ((CNAME, APEX), (A, b"\1\2\3\4"))
    ]
    assert len(reasons(served(*rows))) == 100


def test_an_rrset_with_several_ttls_gets_the_lowest_and_a_warning() -> None:
    zone = records(*((APEX, A, ttl, bytes([ttl])) for ttl in (60, 30, 90)), (APEX, TXT, 5, b"\0"))
    warnings = [str(warning) for warning in zone.unify_ttls()]
    assert warnings == ["the TTLs of an rrset at example.org. differ: the lowest, 30, is used for all of it"]
    assert [row[2] for row in zone] == [30, 30, 30, 5]


def test_rrsigs_share_a_ttl_only_where_they_cover_one_type() -> None:
    zone = records((APEX, RRSIG, 60, b"\0\1a"), (APEX, RRSIG, 30, b"\0\2a"), (APEX, RRSIG, 50, b"\0\2b"))
    assert len(zone.unify_ttls()) == 1
    assert [row[2] for row in zone] == [60, 30, 30]
