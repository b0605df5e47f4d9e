# SPDX-License-Identifier: Apache-2.0
import struct

import dns.name
import dns.rdatatype
import dns.renderer
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmdns import name, rdata
from fastmdns.errors import TransferError, WireError
from fastmdns.incoming import Incoming, differences
from fastmdns.records import Records

APEX = name.from_text("example.org.")
ID = 4711
SOA, AXFR, IXFR = 6, 252, 251


def soa(serial):
    return ("example.org.", "SOA", f"ns1.example.org. h.example.org. {serial} 2 3 4 5")


def message(*records, qtype="AXFR", question=True, flags=0x8400, ident=ID):
    """A message as a primary sends it: (owner, type, rdata) each with a TTL of 300, names compressed."""
    renderer = dns.renderer.Renderer(ident, flags, 65535)
    if question:
        renderer.add_question(dns.name.from_text("example.org."), dns.rdatatype.from_text(qtype))
    for owner, rrtype, text in records:
        renderer.add_rrset(dns.renderer.ANSWER, dns.rrset.from_text(owner, 300, "IN", rrtype, text))
    renderer.write_header()
    return renderer.get_wire()


def received(*messages, qtype=AXFR, known=0):
    answer = Incoming(APEX, ID, qtype, known)
    for each in messages:
        answer.feed(each)
    return answer


HOSTS = [(f"h{number}.example.org.", "A", f"192.0.2.{number}") for number in range(5)]


def test_whole_zone_in_one_message():
    answer = received(message(soa(1), *HOSTS, soa(1)))
    assert (answer.done, answer.style, answer.serial, answer.messages) == (True, "zone", 1, 1)
    assert len(answer.records) == 1 + len(HOSTS)


def test_zone_may_be_cut_into_messages_anywhere():
    parts = [soa(1), *HOSTS, soa(1)]
    answer = received(*(message(part, question=index == 0) for index, part in enumerate(parts)))
    assert (answer.done, answer.messages, len(answer.records)) == (True, 7, 6)


def test_records_are_those_that_were_sent():
    answer = received(message(soa(1), ("a.example.org.", "MX", "10 Mail.example.org."), soa(1)))
    assert (name.from_text("a.example.org."), 15, 300, rdata.from_text(15, "10 Mail.example.org.")) in list(
        answer.records
    )


def test_transfer_is_not_done_before_its_last_soa():
    assert not received(message(soa(1), *HOSTS)).done


def test_records_outside_the_zone_are_dropped_and_counted():
    answer = received(message(soa(1), ("a.example.com.", "A", "192.0.2.1"), *HOSTS, soa(1)))
    assert (answer.outside, len(answer.records)) == (1, 6)


def test_same_serial_is_current():
    answer = received(message(soa(7), qtype="IXFR"), qtype=IXFR, known=7)
    assert (answer.done, answer.style, answer.serial) == (True, "current", 7)


def test_older_serial_than_ours_is_current():
    assert received(message(soa(7), qtype="IXFR"), qtype=IXFR, known=8).style == "current"


def test_newer_serial_alone_waits_for_the_rest():
    answer = received(message(soa(7), qtype="IXFR"), qtype=IXFR, known=6)
    assert not answer.done
    answer.feed(message(*HOSTS, soa(7), question=False))
    assert (answer.done, answer.style) == (True, "zone")


def test_ixfr_may_be_answered_by_a_whole_zone():
    answer = received(message(soa(7), *HOSTS, soa(7), qtype="IXFR"), qtype=IXFR, known=6)
    assert (answer.done, answer.style, len(answer.records)) == (True, "zone", 6)


def test_whole_zone_of_nothing_but_its_soa_ends():
    assert received(message(soa(7), soa(7), qtype="IXFR"), qtype=IXFR, known=6).done


def test_changes_are_lists_of_what_goes_and_comes():
    stream = [soa(9), soa(7), HOSTS[0], soa(8), HOSTS[1], soa(8), soa(9), HOSTS[2], soa(9)]
    answer = received(message(*stream, qtype="IXFR"), qtype=IXFR, known=7)
    assert (answer.done, answer.style, answer.serial) == (True, "changes", 9)
    first, second = answer.changes
    assert (first.from_serial, first.to_serial, second.from_serial, second.to_serial) == (7, 8, 8, 9)
    assert [name.to_text(row[0]) for row in first.removed + first.added] == ["h0.example.org.", "h1.example.org."]
    assert ([], [(name.from_text("h2.example.org."), 1, 300, bytes([192, 0, 2, 2]))]) == (second.removed, second.added)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        ([soa(9), soa(6), soa(9), soa(9)], "go on from 6 behind 7"),
        ([soa(9), soa(7), soa(8), soa(6), soa(9), soa(9)], "go on from 6 behind 8"),
        ([soa(9), soa(7), soa(8), soa(9)], "end at 8, not at 9"),
    ],
)
def test_versions_must_join(stream, reason):
    with pytest.raises(TransferError, match=reason):
        received(message(*stream, qtype="IXFR"), qtype=IXFR, known=7)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (message(soa(1), *HOSTS, soa(2)), "the SOA at the end is not the one at the beginning"),
        (message(*HOSTS, soa(1)), "the first record is not the zone's SOA"),
        (message(soa(1), soa(1), *HOSTS), "records follow the SOA"),
        (message(soa(1), flags=0x8405), "the server answers REFUSED"),
        (message(soa(1), flags=0x840F), "the server answers rcode 15"),
        (message(soa(1), flags=0x8600), "truncated"),
        (message(soa(1), flags=0x0400), "no answer to a query"),
        (message(soa(1), flags=0xA400), "no answer to a query"),
        (message(soa(1), ident=1), "another id"),
        (message(soa(1), qtype="IXFR"), "another question"),
        (message(soa(1), question=False), "must repeat the question"),
        (message(soa(1), soa(1)) + b"\0", "octets follow"),
        (b"\0" * 11, "shorter than its header"),
    ],
)
def test_answer_that_is_not_as_it_must_be_is_refused(sent, reason):
    with pytest.raises(TransferError, match=reason):
        received(sent)


def test_record_of_another_class_is_refused():
    sent = bytearray(message(soa(1), HOSTS[0], soa(1)))
    at = sent.index(b"\x02h0") + 3 + 2 + 2
    sent[at : at + 2] = struct.pack("!H", 3)
    with pytest.raises(TransferError, match="class 3"):
        received(bytes(sent))


def test_message_cut_anywhere_is_refused():
    whole = message(soa(1), ("a.example.org.", "MX", "10 mail.example.org."), soa(1))
    for size in range(12, len(whole)):
        with pytest.raises((TransferError, WireError)):
            received(whole[:size])


@given(st.binary(max_size=300))
def test_any_octets_behind_the_header_are_taken_or_refused(octets):
    header = struct.pack("!HHHHHH", ID, 0x8400, 1, 2, 0, 0)
    try:
        received(header + APEX + struct.pack("!HH", AXFR, 1) + octets)
    except (TransferError, WireError):
        return


def zone(*rows):
    records = Records(APEX)
    for owner, rrtype, ttl, text in rows:
        records.add(name.from_text(owner), rrtype, ttl, rdata.from_text(rrtype, text))
    records.sort()
    return records


A, B, C = (("a.example.org.", 1, 300, f"192.0.2.{number}") for number in (1, 2, 3))


def test_equal_zones_do_not_differ_whatever_the_owners_case():
    upper = ("A.EXAMPLE.org.", 1, 300, "192.0.2.1")
    assert differences(zone(A, B), zone(B, upper)) == (0, 0, [])


def test_differences_name_the_side_and_the_record():
    only_first, only_second, shown = differences(zone(A, B), zone(B, C))
    assert (only_first, only_second) == (1, 1)
    assert [(here, octets) for here, _, _, _, octets in shown] == [
        (True, bytes([192, 0, 2, 1])),
        (False, bytes([192, 0, 2, 3])),
    ]


def test_another_ttl_is_a_difference_on_both_sides():
    assert differences(zone(A), zone((*A[:2], 60, A[3])))[:2] == (1, 1)


def test_all_differences_are_counted_and_few_are_shown():
    many = zone(*((f"h{number}.example.org.", 1, 300, "192.0.2.1") for number in range(50)))
    only_first, only_second, shown = differences(many, zone(), limit=3)
    assert (only_first, only_second, len(shown)) == (50, 0, 3)
