# SPDX-License-Identifier: Apache-2.0
"""A zone image holds the zone's records, in canonical order, in messages that anybody can read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import zones as zonefiles
from fastmdns import image, name, zonefile
from fastmdns.errors import WireError, ZoneError
from fastmdns.records import Records
from tests import nameservers
from tests.conftest import need
from tests.fastmdns.zones import (
    APEX,
    CAA,
    DLV,
    NS,
    PRIVATE,
    SOA,
    TXT,
    A,
    Form,
    Row,
    delegations,
    messages,
    parse,
    records,
    rows,
    soa_rdata,
    txt,
    under,
    wire,
    zone,
)
from tests.nameservers import Nsd, Zone


def build(zone_records: Records) -> image.Image:
    return image.Builder().build(zone_records)


def build_by_two(zone_records: Records) -> image.Image:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
        patch.setattr(image, "SPLIT_FROM", 1)
        return build(zone_records)


def values(built: image.Image) -> list[memoryview]:
    return [value for _, value in built.pages.items()]


def transfer(built: image.Image) -> list[bytes]:
    form = Form(built.soa.apex, built.soa.head, built.soa.tail(len(built.pages)))
    return messages(form, values(built))


def received(built: image.Image) -> list[Row]:
    """The records dnspython finds in the transfer, without the two SOAs."""
    found = [row for message in transfer(built) for row in parse(message)]
    assert found[0] == found[-1] == (APEX, SOA, 3600, built.soa.rdata)
    return found[1:-1]


def decoded(built: image.Image) -> list[Row]:
    prefix, found = built.soa.prefix, []
    for value in values(built):
        found += list(image.decode(value, built.soa.apex, prefix))
        prefix = b""
    return found


def without_soa(zone_records: Records) -> list[Row]:
    zone_records.sort()
    return [row for row in zone_records if row[1] != SOA]


def decoded_keys(value: memoryview, prefix: bytes = b"") -> list[bytes]:
    return [image.rrset_key(row[0], row[1]) for row in image.decode(value, APEX, prefix)]


zones = st.lists(rows, max_size=40).map(lambda found: zone(*found))


@given(zones)
@settings(deadline=None)
def test_dnspython_reads_the_records_of_the_zone_in_their_order(zone_records: Records) -> None:
    assert received(build(zone_records)) == without_soa(zone_records)


@given(zones)
@settings(deadline=None)
def test_pages_decode_to_the_records_of_the_zone(zone_records: Records) -> None:
    assert decoded(build(zone_records)) == without_soa(zone_records)


@given(zones, st.sampled_from([build, build_by_two]))
@settings(deadline=None)
def test_separators_ascend_and_part_the_rrsets(zone_records: Records, build: Callable[[Records], image.Image]) -> None:
    built = build(zone_records)
    items = built.pages.items()
    separators = [separator for separator, _ in items]
    assert separators == sorted(set(separators)) and separators[0] == b""
    before = decoded_keys(items[0][1], built.soa.prefix)
    for separator, value in items[1:]:
        keys = decoded_keys(value)
        if image.begins_chunk(separator, value):
            assert separator.startswith(keys[0]) and before[-1] == keys[0] == keys[-1]
        else:
            assert max(before, default=b"") < separator <= keys[0]
        before = keys


@given(zones, st.sampled_from([build, build_by_two]))
@settings(deadline=None)
def test_the_image_knows_its_own_size(zone_records: Records, build: Callable[[Records], image.Image]) -> None:
    built = build(zone_records)
    assert built.pages.record_count == len(zone_records) - 1
    assert built.pages.octets == sum(len(value) for value in values(built))
    sizes = [len(message) for message in transfer(built)]
    closing = len(built.soa.tail_alone) if len(sizes) == 1 else 0
    assert built.pages.largest + closing == max(sizes[:1] if len(sizes) == 1 else sizes[:-1])


@given(zones)
@settings(deadline=None)
def test_two_threads_encode_the_records_that_one_does(zone_records: Records) -> None:
    built = build_by_two(zone_records)
    assert received(built) == decoded(built) == without_soa(zone_records)


@pytest.mark.parametrize("count", [1, 2, 3, 500, 501, 20_000])
def test_the_pages_of_two_threads_differ_where_they_meet_only(count: int) -> None:
    zone_records = delegations(count)
    one, two = build(zone_records), build_by_two(zone_records)
    assert decoded(two) == decoded(one)
    assert two.pages.record_count == one.pages.record_count
    assert len(one.pages) <= len(two.pages) <= len(one.pages) + 1
    same = [mine == other for mine, other in zip(values(one), values(two), strict=False)]
    assert all(same[: len(same) // 2 - 1])


def test_a_record_too_large_is_named_by_whichever_thread_meets_it() -> None:
    for owner in ("a", "z"):
        large = (under(owner), PRIVATE, 60, bytes(65500))
        with pytest.raises(ZoneError, match=f"^{owner}.*does not fit into a DNS message"):
            build_by_two(zone(*((under(f"m{index}"), A, 60, bytes(4)) for index in range(20)), large))


def test_the_owner_in_the_middle_is_not_parted() -> None:
    zone_records = zone(*((under("a"), PRIVATE, 60, b"%0100d" % index) for index in range(2000)))
    built = build_by_two(zone_records)
    assert decoded(built) == without_soa(zone_records)
    assert [image.begins_chunk(*item) for item in built.pages.items()[1:]][:2] == [False, True]


def test_a_zone_of_nothing_but_its_soa_is_one_message_with_an_empty_page() -> None:
    built = build(records([(APEX, SOA, 3600, soa_rdata())]))
    assert [bytes(value) for value in values(built)] == [b"\0\0"]
    assert received(built) == []


def test_the_root_zone_is_a_zone() -> None:
    root = records([(b"\0", SOA, 3600, soa_rdata()), (b"\0", NS, 300, wire("a.root-servers.net"))], b"\0")
    built = build(root)
    found = parse(messages(Form(b"\0", built.soa.head, built.soa.tail(1)), values(built))[0])
    assert [row[1] for row in found] == [SOA, NS, SOA]


def test_types_of_a_name_stand_in_front_of_the_names_below_it() -> None:
    owner = under("a")
    below = [under(label, owner) for label in (b"\0", b"\1", b"\2", b"b", b"\xff")]
    keys = [image.rrset_key(owner, rrtype) for rrtype in (A, CAA, DLV, PRIVATE)]
    keys += [image.rrset_key(name, A) for name in below]
    assert keys == sorted(keys)


def test_pages_fill_four_pages_of_lmdb_and_no_more() -> None:
    sizes = [len(value) for value in values(build(delegations(3000)))]
    assert max(sizes) <= 4 * 4096 - 16
    assert min(sizes[:-1]) > 0.93 * image.LIMIT


def test_a_zone_that_fits_into_16384_octets_is_one_message() -> None:
    # header 12, question 17, head 12 + 41, NS 14, tail 36: 16,252 are left for a TXT of 14 + rdata
    fits = build(zone((under("t"), TXT, 300, txt(16384 - 12 - 17 - len(build(zone()).soa.head) - 14 - 36 - 14))))
    assert [len(message) for message in transfer(fits)] == [16384]
    larger = build(zone((under("tt"), TXT, 300, fits_rdata(fits))))
    assert len(transfer(larger)) > 1


def fits_rdata(built: image.Image) -> bytes:
    return next(row[3] for row in decoded(built) if row[1] == TXT)


def test_an_rrset_is_not_cut_unless_it_is_larger_than_a_page() -> None:
    sizes = [9000, 8000, 12000, 16000, 500]
    rrsets = [
        (under(f"n{index}"), TXT, 300, txt(size, b"%d" % part))
        for index, total in enumerate(sizes)
        for part, size in enumerate([total // 2] * 2)
    ]
    pages = [
        {row[0] for row in image.decode(value, APEX, build(zone()).soa.prefix if not number else b"")}
        for number, value in enumerate(values(build(zone(*rrsets))))
    ]
    assert all(not (one & other) for index, one in enumerate(pages) for other in pages[index + 1 :])


def test_an_rrset_larger_than_a_page_has_its_pages_to_itself() -> None:
    big = [(under("big"), A, 300, number.to_bytes(4)) for number in range(5000)]
    built = build(zone((under("a"), A, 300, bytes(4)), *big, (under("z"), A, 300, bytes(4))))
    assert sum(row[0] == under("big") for row in received(built)) == 5000
    pages = [{row[0] for row in image.decode(value, APEX)} for value in values(built)[1:]]
    assert [owners for owners in pages if under("big") in owners] == [{under("big")}] * 5


def test_an_rrset_of_more_than_64_kib_is_carried_whole() -> None:
    big = [(under("big"), PRIVATE, 300, bytes([number]) * 3000) for number in range(100)]
    assert [row[3][0] for row in received(build(zone(*big))) if row[1] == PRIVATE] == list(range(100))


def test_a_record_of_60000_octets_has_a_message_of_its_own() -> None:
    built = build(
        zone((under("a"), A, 300, bytes(4)), (under("big"), PRIVATE, 300, bytes(60000)), (under("c"), A, 300, bytes(4)))
    )
    counts = [len(parse(message)) for message in transfer(built)]
    assert counts == [3, 1, 1, 1]
    assert built.pages.largest == 12 + len(under("big")) + 10 + 60000


def test_a_large_first_record_leaves_page_0_empty() -> None:
    built = build(records([(APEX, SOA, 3600, soa_rdata()), (APEX, TXT, 300, txt(30000))]))
    assert [int.from_bytes(value[:2]) for value in values(built)] == [0, 1]
    assert received(built) == [(APEX, TXT, 300, txt(30000))]


def test_a_record_too_large_for_a_message_is_refused_by_name() -> None:
    largest = 65535 - 12 - len(under("huge")) - 10
    assert len(received(build(zone((under("huge"), PRIVATE, 300, bytes(largest)))))) == 2
    with pytest.raises(ZoneError, match=r"huge\.Example\.org\. TYPE65281: a record of 65496 octets does not fit"):
        build(zone((under("huge"), PRIVATE, 300, bytes(largest + 1))))


def test_a_zone_without_soa_is_refused() -> None:
    with pytest.raises(ZoneError, match="no SOA"):
        build(records([(APEX, NS, 300, wire("ns.example.org"))]))


def test_names_keep_their_case() -> None:
    rows_ = [(under("WWW"), A, 300, bytes(4)), (under("www", under("WWW")), NS, 300, under("www"))]
    assert received(build(zone(*rows_)))[1:] == rows_


def test_new_timers_keep_page_0_and_new_names_do_not() -> None:
    builder = image.Builder()
    old = builder.soa(APEX, 3600, soa_rdata(1))
    assert old.same_names(builder.soa(APEX, 60, soa_rdata(2)))
    assert not old.same_names(builder.soa(APEX, 3600, soa_rdata(1, mname="ns2.example.org")))


@given(st.data())
@settings(deadline=None)
def test_a_damaged_page_is_an_error_and_nothing_else(data: st.DataObject) -> None:
    value = bytearray(values(build(delegations(40)))[0])
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    del value[data.draw(st.integers(2, len(value))) :]
    try:
        found = list(image.decode(bytes(value), APEX, build(delegations(1)).soa.prefix))
    except WireError:
        return
    assert len(found) <= int.from_bytes(value[:2])


def stream_size(built: image.Image) -> int:
    """Octets of the transfer, the length in front of each message included."""
    return sum(len(message) + 2 for message in transfer(built))


def zone_of(kind: str, folder: Path) -> tuple[str, Path]:
    """A zone like a TLD's of 100,000 delegations, one of everyday types, one of 26 records."""
    if kind == "delegations":
        found = zonefiles.delegations(folder, 325_000)
        return found.apex, found.path
    if kind == "small":
        small = zonefiles.small_zones(folder, 1)[0]
        return small.apex, small.path
    path = folder / "mixed.zone"
    path.write_text(zonefiles.mixed_text(50_000))
    return zonefiles.MIXED, path


@pytest.mark.parametrize("kind", ["delegations", "mixed", "small"])
def test_a_transfer_is_no_longer_than_nsds(kind: str, tmp_path: Path) -> None:
    need("nsd")
    apex, path = zone_of(kind, tmp_path)
    built = build(zonefile.parse(path, name.from_text(apex)).records)
    theirs = 0
    with Nsd(tmp_path, [Zone(apex, file=path)]) as nsd:
        for message in nameservers.messages(nsd.address, apex):
            theirs += len(message) + 2
            if message.endswith(built.soa.rdata[-20:]):
                break
    assert stream_size(built) <= theirs
