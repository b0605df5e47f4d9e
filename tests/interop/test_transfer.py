# SPDX-License-Identifier: Apache-2.0
"""Every zone arrives at BIND, NSD, Knot and PowerDNS as an independent parser reads its file, record for record."""

from __future__ import annotations

from collections.abc import Iterable

import dns.rdatatype
import pytest

from fastmdns import rrtypes
from tests.conftest import need
from tests.interop import zones
from tests.interop.conftest import Rig, expected, expected_lines
from tests.nameservers import (
    Bind,
    Comparable,
    Nameserver,
    Nsd,
    PowerDns,
    Record,
    canonical,
    exact,
    one_line,
    transfer,
    zone_text,
)

EVERY_TYPE = "types.example."

# What a secondary does not hold as it was sent, whoever the primary is.
LEFT_OUT: dict[tuple[type[Nameserver], str], frozenset[int]] = {
    # PowerDNS keeps this one as metadata of the zone, without its TTL.
    (PowerDns, zones.SIGNED_NSEC3): frozenset({dns.rdatatype.NSEC3PARAM}),
    # PowerDNS makes NSEC and NSEC3 again from the other records when it answers; here stand some without their zone.
    (PowerDns, EVERY_TYPE): frozenset({dns.rdatatype.NSEC3PARAM, dns.rdatatype.NSEC, dns.rdatatype.NSEC3}),
}
# NSD writes the target names of these in lower case, though RFC 4034 §6.2 does not name the types.
LOWER_CASE: dict[type[Nameserver], frozenset[int]] = {Nsd: frozenset({dns.rdatatype.SVCB, dns.rdatatype.HTTPS})}


def held_by(peer: type[Nameserver], zone: str, records: Iterable[Record]) -> set[Comparable]:
    """The records as this peer would hold them."""
    left_out = LEFT_OUT.get((peer, zone), frozenset())
    lower = LOWER_CASE.get(peer, frozenset())
    return {
        (owner, rrtype, ttl, rdata.lower() if rrtype in lower else rdata)
        for owner, rrtype, ttl, rdata in canonical(records)
        if rrtype not in left_out
    }


@pytest.mark.parametrize("zone", zones.SMALL)
def test_both_sides_agree_record_for_record(rig: Rig, secondary: Nameserver, zone: str) -> None:
    records = expected(rig.file(zone), zone)
    secondary.wait_serial(zone, zones.serial(records))

    received = secondary.records(zone)

    assert held_by(type(secondary), zone, received) == held_by(type(secondary), zone, records)


def lines_of(secondary: Nameserver, zone: str) -> set[str]:
    return set(map(one_line, zone_text(secondary.address, zone).splitlines()))


@pytest.mark.parametrize("zone", zones.LARGE)
def test_both_sides_agree_on_a_large_zone(rig: Rig, secondary: Nameserver, zone: str) -> None:
    lines = expected_lines(rig.file(zone), zone)
    secondary.wait_serial(zone, zones.SERIAL, seconds=60)

    received = lines_of(secondary, zone)

    assert len(received) == len(lines)
    assert sorted(received ^ lines)[:10] == []


@pytest.mark.parametrize("zone", zones.SMALL)
def test_bind_holds_every_name_in_the_case_it_was_written(rig: Rig, zone: str) -> None:
    """NSD and Knot lower names when they load a zone, so BIND is the judge."""
    need(Bind.program)
    bind = rig.secondaries[Bind]
    records = expected(rig.file(zone), zone)
    bind.wait_serial(zone, zones.serial(records))

    assert exact(bind.records(zone)) == exact(records)


@pytest.mark.parametrize("zone", zones.SMALL)
def test_our_transfer_is_octet_equal_to_the_file(rig: Rig, zone: str) -> None:
    received = transfer(rig.primary.address, zone, rig.wiring.key)

    assert exact(received) == exact(expected(rig.file(zone), zone))


def test_record_that_fills_a_message_arrives(rig: Rig, secondary: Nameserver) -> None:
    secondary.wait_serial(zones.OVERSIZE, zones.SERIAL, seconds=60)

    [answer] = secondary.ask(f"one-record.{zones.OVERSIZE}", "TXT").answer

    assert answer[0].to_text() == zones.large_text()


def test_rrset_that_no_message_holds_arrives(rig: Rig, secondary: Nameserver) -> None:
    """NSD and Knot take it, but can't send it on; for them it has to do that the names after it are there."""
    secondary.wait_serial(zones.OVERSIZE, zones.SERIAL, seconds=60)

    if isinstance(secondary, Bind | PowerDns):
        assert lines_of(secondary, zones.OVERSIZE) == expected_lines(rig.file(zones.OVERSIZE), zones.OVERSIZE)
    else:
        assert secondary.ask(f"zzz.{zones.OVERSIZE}", "TXT").answer


def test_the_zone_of_every_type_has_every_type_of_the_table() -> None:
    table = {row.number for row in rrtypes.rows() if not row.meta}
    records = zones.records(zones.WRITTEN / zones.file_name(EVERY_TYPE), EVERY_TYPE)

    assert table - {record.rrtype for record in records} == set()
