# SPDX-License-Identifier: Apache-2.0
"""What each query is answered, octet for octet where it matters. dnspython reads the answers."""

import random
import struct
import time
from dataclasses import dataclass

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.tsig
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmdns import name, rdata, tsig
from fastmdns.access import AccessTable
from fastmdns.answer import Answerer, Settings
from fastmdns.counters import ROW_SIZE, Counter, Counters
from fastmdns.errors import StoreError, TsigError
from fastmdns.message import find_tsig
from fastmdns.records import Records
from fastmdns.store import Store
from tests.fastmdns.test_message import MALFORMED, header, opt, option, question, record, soa_rdata
from tests.fastmdns.test_message import tsig as tsig_record

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, NOTAUTH, BADVERS = 0, 1, 2, 3, 4, 5, 9, 16
NOT_READY, PROHIBITED, NOT_AUTHORITATIVE, NOT_SUPPORTED = 14, 18, 20, 21
A, NS, SOA, TXT, OPT, TKEY, TSIG, IXFR, AXFR, MAILB, ANY = 1, 2, 6, 16, 41, 249, 250, 251, 252, 253, 255
SERIAL = 2_026_112_201
NOW = 1_790_000_000
FRIEND, STRANGER = "127.0.0.1", "203.0.113.9"
SECRET = b"0123456789abcdef"

ORG = name.from_text("Example.org.")
TLD = name.from_text("tld.")
EMPTY = name.from_text("unready.example.")
PRIVATE = name.from_text("private.example.")
UNKNOWN = name.from_text("unknown.example.")
KEY = tsig.Key("key.example", "hmac-sha256", SECRET)
OTHER = tsig.Key("other.example", "hmac-sha256", SECRET)
UNUSED = tsig.Key("unused.example", "hmac-sha512", SECRET)


def soa_of(apex, serial=SERIAL, names="ns1 hostmaster"):
    return apex, SOA, 3600, rdata.from_text(SOA, f"{names} {serial} 7200 3600 1209600 300", apex)


def zone(apex, *rows, serial=SERIAL, names="ns1 hostmaster"):
    """Records of a zone: its SOA, one NS, and (owner, type, data as text) rows."""
    records = Records(apex)
    records.add(*soa_of(apex, serial, names))
    records.add(apex, NS, 3600, rdata.from_text(NS, names.split()[0], apex))
    for owner, rrtype, text in rows:
        data = text if isinstance(text, bytes) else rdata.from_text(rrtype, text, apex)
        records.add(name.from_text(owner, apex), rrtype, 300, data)
    return records


def hosts(count):
    return [(f"host{number:06d}", A, f"192.0.2.{number % 256}") for number in range(count)]


@dataclass
class Primary:
    store: Store
    answerer: Answerer
    counters: Counters

    def ask(self, wire, *, tcp=True, peer=FRIEND):
        return self.answerer.respond(wire, peer, tcp)

    def one(self, wire, **how):
        messages = self.ask(wire, **how)
        assert isinstance(messages, list)
        assert len(messages) == 1
        return messages[0]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store(tmp_path_factory.mktemp("answer"), sync=False) as opened:
        opened.publish(zone(ORG, ("www", A, "192.0.2.1"), ("Mixed.Case", TXT, '"Text"')))
        opened.publish(zone(TLD, *hosts(5000)))
        opened.publish(zone(PRIVATE))
        opened.mark_unready(EMPTY)
        yield opened


@pytest.fixture
def primary(store):
    return open_primary(store)


def open_primary(store, clock=lambda: NOW, **changes):
    access = AccessTable(["127.0.0.0/8", "::1", "key:key.example"], {PRIVATE: ["key:other.example"]})
    counters = Counters(bytearray(ROW_SIZE))
    ring = tsig.Keyring([KEY, OTHER, UNUSED])
    return Primary(store, Answerer(store, access, ring, counters, Settings(**changes), clock), counters)


def ask_for(apex=ORG, qtype=SOA, qclass=1, *, edns=False, flags=0):
    return header(1, 0, 0, int(edns), flags=flags) + question(apex, qtype, qclass) + (opt() if edns else b"")


def ixfr(apex, serial, *, edns=False):
    soa = record(b"\xc0\x0c", SOA, rdata=soa_rdata(serial))
    return header(1, 0, 1, int(edns)) + question(apex, IXFR) + soa + (opt() if edns else b"")


def signed(wire, key=KEY, now=NOW):
    return tsig.sign_request(wire, key, now)[0]


def facts(answer):
    """(rcode, extended error or None, counts of question, answer, authority), of one message."""
    message = dns.message.from_wire(answer, xfr=True, keyring=False, ignore_trailing=False)
    errors = [int(found.code) for found in message.options if found.otype == dns.edns.EDE]
    counts = struct.unpack(">3H", answer[4:10])
    return int(message.rcode()), errors[0] if errors else None, counts


def rows(messages, apex):
    """The records of a transfer in the order they came, as dnspython reads them."""
    found = []
    for wire in messages:
        message = dns.message.from_wire(wire, xfr=True, keyring=False, one_rr_per_rrset=True, origin=None)
        for rrset in message.answer:
            found += [(rrset.name.to_wire(), int(rrset.rdtype), rrset.ttl, item.to_wire()) for item in rrset]
    return found


# ------------------------------------------------------------------------------------------------- the rcode matrix

DOWN = name.from_text("below.example.org.")
MATRIX = [
    # the query, over UDP too, rcode, extended error, answers, authority
    ("AXFR, unknown zone", ask_for(UNKNOWN, AXFR, edns=True), "tcp", NOTAUTH, NOT_AUTHORITATIVE, 0, 0),
    ("IXFR, unknown zone", ixfr(UNKNOWN, 1, edns=True), "both", NOTAUTH, NOT_AUTHORITATIVE, 0, 0),
    ("AXFR below an apex", ask_for(DOWN, AXFR), "tcp", NOTAUTH, None, 0, 0),
    ("AXFR above an apex", ask_for(name.from_text("org."), AXFR), "tcp", NOTAUTH, None, 0, 0),
    ("AXFR of the root", ask_for(b"\0", AXFR), "tcp", NOTAUTH, None, 0, 0),
    ("AXFR refused by rule", ask_for(PRIVATE, AXFR), "tcp", REFUSED, None, 0, 0),
    ("AXFR refused by rule, OPT", ask_for(PRIVATE, AXFR, edns=True), "tcp", REFUSED, PROHIBITED, 0, 0),
    ("IXFR refused by rule, OPT", ixfr(PRIVATE, 1, edns=True), "both", REFUSED, PROHIBITED, 0, 0),
    ("SOA refused by rule, OPT", ask_for(PRIVATE, edns=True), "both", REFUSED, PROHIBITED, 0, 0),
    ("SOA, unknown zone", ask_for(UNKNOWN), "both", REFUSED, None, 0, 0),
    ("SOA, unknown zone, OPT", ask_for(UNKNOWN, edns=True), "both", REFUSED, NOT_AUTHORITATIVE, 0, 0),
    ("SOA below an apex", ask_for(DOWN, edns=True), "both", REFUSED, NOT_AUTHORITATIVE, 0, 0),
    ("AXFR, not loaded", ask_for(EMPTY, AXFR, edns=True), "tcp", SERVFAIL, NOT_READY, 0, 0),
    ("IXFR, not loaded", ixfr(EMPTY, 1, edns=True), "both", SERVFAIL, NOT_READY, 0, 0),
    ("SOA, not loaded", ask_for(EMPTY, edns=True), "both", SERVFAIL, NOT_READY, 0, 0),
    ("class CH", ask_for(ORG, AXFR, 3), "both", REFUSED, None, 0, 0),
    ("class HS", ask_for(ORG, SOA, 4), "both", REFUSED, None, 0, 0),
    ("class 65535", ask_for(ORG, SOA, 65535), "both", REFUSED, None, 0, 0),
    ("class ANY", ask_for(ORG, AXFR, 255, edns=True), "both", FORMERR, None, 0, 0),
    ("class NONE", ask_for(ORG, AXFR, 254), "both", FORMERR, None, 0, 0),
    ("class 0", ask_for(ORG, SOA, 0), "both", FORMERR, None, 0, 0),
    ("AXFR with authority", header(1, 0, 1, 0) + question(ORG, AXFR) + record(), "tcp", NOERROR, None, 5, 0),
    ("SOA with an odd additional", header(1, 0, 0, 1) + question(ORG) + record(), "both", NOERROR, None, 1, 0),
    ("EDNS version 1", header(1, 0, 0, 1) + question(ORG) + opt(ttl=1 << 16), "both", BADVERS, None, 0, 0),
    ("version.bind", ask_for(name.from_text("version.bind."), TXT, 3), "both", REFUSED, None, 0, 0),
    ("AXFR over UDP", ask_for(ORG, AXFR), "udp", NOTIMP, None, 0, 0),
    ("AXFR over UDP, unknown zone", ask_for(UNKNOWN, AXFR), "udp", NOTIMP, None, 0, 0),
    ("ANY", ask_for(ORG, ANY), "both", NOERROR, None, 1, 0),
    ("MAILB", ask_for(ORG, MAILB), "both", NOERROR, None, 0, 1),
    ("MAILA", ask_for(ORG, 254), "both", NOERROR, None, 0, 1),
    ("type 0", ask_for(ORG, 0), "both", NOERROR, None, 0, 1),
    ("type OPT", ask_for(ORG, OPT), "both", FORMERR, None, 0, 0),
    ("type TSIG", ask_for(ORG, TSIG), "both", FORMERR, None, 0, 0),
    ("TKEY", ask_for(ORG, TKEY), "both", NOTIMP, None, 0, 0),
    ("SOA", ask_for(), "both", NOERROR, None, 1, 0),
    ("NS", ask_for(ORG, NS), "both", NOERROR, None, 1, 0),
    ("A at the apex", ask_for(ORG, A, edns=True), "both", REFUSED, NOT_SUPPORTED, 0, 0),
    ("A below the apex", ask_for(name.from_text("www.example.org."), A), "both", REFUSED, None, 0, 0),
    ("IXFR, same serial", ixfr(ORG, SERIAL), "both", NOERROR, None, 1, 0),
    ("NOTIFY, our zone", ask_for(flags=4 << 11), "both", REFUSED, None, 0, 0),
    ("NOTIFY, unknown zone", ask_for(UNKNOWN, flags=4 << 11), "both", NOTAUTH, None, 0, 0),
    ("NOTIFY, class ANY", ask_for(ORG, SOA, 255, flags=4 << 11), "both", FORMERR, None, 0, 0),
    ("UPDATE, our zone", ask_for(flags=5 << 11), "both", NOTIMP, None, 0, 0),
    ("UPDATE, unknown zone", ask_for(UNKNOWN, flags=5 << 11), "both", NOTIMP, None, 0, 0),
    ("UPDATE with broken records", header(1, 9, 9, 9, flags=5 << 11) + question(ORG), "both", NOTIMP, None, 0, 0),
    *((f"opcode {number}", ask_for(flags=number << 11, edns=True), "both", NOTIMP, None, 0, 0) for number in
      (1, 2, 3, *range(6, 16))),
]  # fmt: skip
WAYS = [
    pytest.param(*row[1:2], tcp, *row[3:], id=f"{row[0]}-{'tcp' if tcp else 'udp'}")
    for row in MATRIX
    for tcp in (True, False)
    if row[2] == "both" or (row[2] == "tcp") == tcp
]


@pytest.mark.parametrize(("wire", "tcp", "rcode", "error", "answers", "authority"), WAYS)
def test_the_matrix(primary, wire, tcp, rcode, error, answers, authority):
    reply = primary.one(wire, tcp=tcp)
    assert facts(reply) == (rcode, error, (1, answers, authority))
    assert_echoes(reply, wire)


def assert_echoes(reply, wire):
    """ID, opcode, RD and the question as sent; AA only with an answer; RA, Z, AD, CD and TC never."""
    sent, flags = (int.from_bytes(message[2:4], "big") for message in (wire, reply))
    good = flags & 0xF == 0 and facts(reply)[0] == 0
    assert reply[:2] == wire[:2]
    assert flags & ~0xF == 0x8000 | (sent & 0x7900) | (0x0400 if good else 0)
    end = 12 + wire[12:].index(0) + 5
    assert reply[12:end] == wire[12:end]


@pytest.mark.parametrize("tcp", [True, False])
@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_queries_are_answered_formerr(primary, case, tcp):
    reply = primary.one(MALFORMED[case], tcp=tcp)
    assert reply[3] & 0xF == FORMERR
    assert reply[:2] == MALFORMED[case][:2]
    parsed = dns.message.from_wire(reply, keyring=False)
    assert parsed.sections[1] == parsed.sections[2] == []


def test_a_formerr_repeats_question_and_opt(primary):
    wire = header(1, 0, 0, 1) + question(b"\7eXample\3org\0") + opt() + b"junk"
    reply = dns.message.from_wire(primary.one(wire))
    assert (reply.rcode(), str(reply.question[0].name), reply.edns) == (FORMERR, "eXample.org.", 0)


@pytest.mark.parametrize("wire", [ask_for(), ask_for(UNKNOWN), ask_for(EMPTY), ask_for(PRIVATE), ask_for(ORG, ANY),
                                  ask_for(ORG, AXFR), ask_for(UNKNOWN, AXFR), ixfr(EMPTY, 1), ask_for(qclass=3),
                                  ask_for(flags=4 << 11), ask_for(UNKNOWN, flags=4 << 11)])  # fmt: skip
@pytest.mark.parametrize("tcp", [True, False])
def test_a_stranger_learns_nothing(primary, wire, tcp):
    reply = primary.one(wire, peer=STRANGER, tcp=tcp)
    rest = reply[2:4], reply[4:12], facts(reply)
    assert rest == (struct.pack(">H", 0x8005 | (int.from_bytes(wire[2:4], "big") & 0x7800)), b"\0\1" + bytes(6), (
        REFUSED, None, (1, 0, 0)))  # fmt: skip


def test_a_stranger_with_opt_is_told_prohibited(primary):
    for apex in (ORG, UNKNOWN, PRIVATE, EMPTY):
        assert facts(primary.one(ask_for(apex, edns=True), peer=STRANGER))[:2] == (REFUSED, PROHIBITED)


@pytest.mark.parametrize(("tcp", "expected"), [(True, "close"), (False, None)])
@pytest.mark.parametrize("wire", [b"", b"\0", bytes(11), ask_for(flags=0x8000), ask_for(ORG, AXFR, flags=0x8400)])
def test_responses_and_stumps_get_no_answer(primary, wire, tcp, expected):
    assert primary.ask(wire, tcp=tcp) == expected
    assert primary.counters[Counter.REQUESTS_DROPPED] == 1


def test_our_own_answers_get_no_answer(primary):
    for _, wire, *_ in MATRIX:
        for reply in primary.ask(wire) + primary.ask(signed(wire)):
            assert primary.ask(reply, tcp=False) is None


def test_bits_of_the_query_that_mean_nothing_are_not_copied(primary):
    reply = primary.one(ask_for(flags=0x06F0 | 0x000F))
    assert reply[2:4] == b"\x84\x00"
    assert primary.one(ask_for(flags=0x0100))[2:4] == b"\x85\x00"


def test_every_type_and_many_classes_get_one_answer(primary):
    for qtype in range(65536):
        qclass = (1, 1, 1, 3, 255, qtype)[qtype % 6]
        assert primary.ask(ask_for(UNKNOWN if qtype % 7 else ORG, qtype, qclass), tcp=qtype % 2 == 0)


# ------------------------------------------------------------------------------------------------------ SOA and NS


def test_the_soa_is_the_zones(primary):
    (answer,) = dns.message.from_wire(primary.one(ask_for(), tcp=False)).answer
    expected = "Example.org. 3600 IN SOA ns1.Example.org. hostmaster.Example.org. 2026112201 7200 3600 1209600 300"
    assert answer.to_text().lower() == expected.lower()


def test_a_signed_soa_fits_512_octets_without_tc(primary):
    reply = primary.one(signed(ask_for(edns=True)), tcp=False)
    assert len(reply) <= 512
    assert not reply[2] & 0x02


def test_negative_answers_may_be_cached_no_longer_than_minimum(primary):
    (soa,) = dns.message.from_wire(primary.one(ask_for(ORG, MAILB))).authority
    assert soa.ttl == 300


def test_the_ns_are_found_behind_a_page_of_other_records(store, primary):
    apex = name.from_text("many-a.example.")
    rows_ = [(".".join(["many-a", "example", ""]), A, f"10.0.{number // 256}.{number % 256}") for number in range(3000)]
    row = store.publish(zone(apex, *rows_))
    assert row.page_count > 2
    answer = dns.message.from_wire(primary.one(ask_for(apex, NS))).answer
    assert [rrset.to_text() for rrset in answer] == ["many-a.example. 3600 IN NS ns1.many-a.example."]


def test_an_answer_that_does_not_fit_udp_says_so(store, primary):
    apex = name.from_text("many-ns.example.")
    store.publish(zone(apex, *[("many-ns.example.", NS, f"nameserver-{number}") for number in range(90)]))
    assert len(dns.message.from_wire(primary.one(ask_for(apex, NS))).answer[0]) == 91
    for edns in (False, True):
        reply = primary.one(ask_for(apex, NS, edns=edns), tcp=False)
        assert (reply[2], facts(reply)) == (0x86, (NOERROR, None, (1, 0, 0)))


@pytest.mark.parametrize(("asked", "fits"), [(0, False), (512, False), (600, True), (4096, True)])
def test_udp_answers_keep_to_what_the_client_can_take(store, primary, asked, fits):
    apex = name.from_text("some-ns.example.")
    store.publish(zone(apex, *[("some-ns.example.", NS, f"nameserver-{number}") for number in range(12)]))
    wire = header(1, 0, 0, 1) + question(apex, NS) + opt(size=asked)
    reply = primary.one(wire, tcp=False)
    assert (512 < len(reply) <= 600) == fits
    assert bool(reply[2] & 2) != fits


def test_our_own_udp_size_bounds_the_answer(store):
    primary = open_primary(store, udp_size=512)
    apex = name.from_text("some-ns.example.")
    reply = primary.one(header(1, 0, 0, 1) + question(apex, NS) + opt(size=4096), tcp=False)
    assert reply[2] & 2
    assert dns.message.from_wire(reply).payload == 512


# ------------------------------------------------------------------------------------------------------------- EDNS


def options_of(reply):
    return {int(found.otype): found for found in dns.message.from_wire(reply, xfr=True, keyring=False).options}


def with_options(*options, apex=ORG, qtype=SOA, ttl=0):
    return header(1, 0, 0, 1) + question(apex, qtype) + opt(b"".join(options), ttl=ttl)


@pytest.mark.parametrize("qtype", [SOA, AXFR])
@pytest.mark.parametrize("apex", [ORG, TLD])
def test_expire_is_the_soas(primary, apex, qtype):
    reply = primary.ask(with_options(option(9), apex=apex, qtype=qtype))[0]
    assert options_of(reply)[9].to_wire() == struct.pack(">I", 1209600)


def test_expire_comes_only_when_asked_and_only_with_an_answer(primary):
    assert 9 not in options_of(primary.one(ask_for(edns=True)))
    assert 9 not in options_of(primary.one(with_options(option(9), apex=UNKNOWN)))


def test_keepalive_tells_our_time_and_never_over_udp(store):
    primary = open_primary(store, idle_seconds=12.5)
    wire = with_options(option(11))
    assert options_of(primary.one(wire))[11].to_wire() == struct.pack(">H", 125)
    assert 11 not in options_of(primary.one(wire, tcp=False))


def test_nsid_is_told_where_there_is_one(store, primary):
    wire = with_options(option(3))
    assert options_of(open_primary(store, nsid=b"mdns-1").one(wire))[3].to_wire() == b"mdns-1"
    assert 3 not in options_of(primary.one(wire))


def test_unknown_options_and_cookies_are_not_echoed(primary):
    assert options_of(primary.one(with_options(option(65001, b"x"), option(10, b"12345678")))) == {}


def test_do_is_copied_and_other_bits_are_not(primary):
    assert dns.message.from_wire(primary.one(with_options(ttl=0xFFFF))).ednsflags == 0x8000
    assert dns.message.from_wire(primary.one(with_options(ttl=0x7FFF))).ednsflags == 0


def test_badvers_is_answered_with_version_0(primary):
    reply = dns.message.from_wire(primary.one(with_options(ttl=7 << 16)))
    assert (reply.rcode(), reply.edns) == (dns.rcode.BADVERS, 0)


def test_no_opt_in_the_query_none_in_the_answer(primary):
    assert dns.message.from_wire(primary.one(ask_for(UNKNOWN))).edns == -1


# -------------------------------------------------------------------------------------------------------- transfers


def odd_zone():
    """Names and types that transfers tend to break."""
    labels = ["*", "*.mid", "_tcp", r"a\.b", r"\000\255", "x" * 63, "UPPER.lower", "deep." * 40 + "end", "@"]
    texts = [(label, TXT, f'"{number}"') for number, label in enumerate(labels)]
    others = [
        ("mx", 15, "10 MAIL"),
        ("srv", 33, "1 2 3 target"),
        ("ns", NS, "ns.OTHER.example."),
        ("glue.ns", A, "192.0.2.9"),
        ("unknown", 65280, rb"\x00\x01\x02"),
        ("empty", 65281, b""),
        ("cname", 5, "www"),
    ]
    return zone(ORG, *texts, *others)


SHAPES = {
    "soa and ns": lambda: zone(ORG),
    "small": lambda: zone(ORG, *hosts(20)),
    "odd": odd_zone,
    "a page": lambda: zone(ORG, *hosts(700)),
    "two pages": lambda: zone(ORG, *hosts(800)),
    "many pages": lambda: zone(ORG, *hosts(5_000)),
    "a large rrset": lambda: zone(ORG, *[("big", TXT, f'"{number:>200}"') for number in range(2000)]),
    "large records": lambda: zone(ORG, *[(f"big{number}", 65280, bytes(number * 7000)) for number in range(10)]),
    "a first page without records": lambda: zone(ORG, ("a", 65280, bytes(65000)), ("@", A, "192.0.2.1")),
    "the root": lambda: zone(b"\0", ("com", NS, "a.gtld-servers.net."), ("a.gtld-servers.net", A, "192.0.2.3")),
    "a long name": lambda: zone(name.from_text(".".join(["l" * 60] * 4) + "."), *hosts_short(900), names="n h"),
}


def hosts_short(count):
    return [(f"{number:x}", A, "192.0.2.1") for number in range(count)]


def swap(apex):
    """The same name in another case."""
    return bytes(octet ^ 0x20 if chr(octet).isalpha() and octet > 64 else octet for octet in apex)


@pytest.fixture(scope="module", params=SHAPES)
def shape(request, tmp_path_factory):
    records = SHAPES[request.param]()
    with Store(tmp_path_factory.mktemp("shape"), sync=False) as opened:
        opened.publish(records)
        yield open_primary(opened), records


def expected_rows(records):
    """As transferred: the SOA first and last, the rest in any order."""
    soa = next(item for item in records if item[1] == SOA)
    return soa, sorted(item for item in records if item[1] != SOA)


@pytest.mark.parametrize("edns", [False, True])
@pytest.mark.parametrize("spell", [bytes, swap])
def test_a_transfer_is_the_zone(shape, spell, edns):
    primary, records = shape
    messages = primary.ask(ask_for(spell(records.apex), AXFR, edns=edns))
    soa, rest = expected_rows(records)
    found = rows(messages, records.apex)
    assert found[0] == found[-1] == soa
    assert sorted(found[1:-1]) == rest


@pytest.mark.parametrize("spell", [bytes, swap])
@pytest.mark.parametrize("key", [None, KEY])
def test_every_message_of_a_transfer_has_the_form_all_secondaries_accept(shape, spell, key):
    primary, records = shape
    wire = ask_for(spell(records.apex), AXFR, edns=True, flags=0x0100)
    messages = primary.ask(signed(wire, key) if key else wire)
    end = 12 + len(records.apex) + 4
    assert messages[0][12:end] == wire[12:end]
    for number, message in enumerate(messages):
        first = number == 0
        assert message[:4] == b"\x12\x34\x85\x00"
        counts = struct.unpack(">4H", message[4:12])
        assert (counts[0], counts[2], counts[3]) == (first, 0, first + (key is not None))
        assert counts[1] > 0
        assert len(message) <= 65535


@pytest.mark.parametrize("spell", [bytes, swap])
def test_dnspython_verifies_every_message_of_a_signed_transfer(shape, spell):
    primary, records = shape
    wire, mac = tsig.sign_request(ask_for(spell(records.apex), AXFR), KEY, int(time.time()))
    key = dns.tsig.Key(dns.name.from_text("key.example."), SECRET, "hmac-sha256")
    context, total = None, 0
    for message in open_primary(primary.store, time.time).ask(wire, peer=STRANGER):
        read = dns.message.from_wire(
            message, keyring=key, request_mac=mac, xfr=True, multi=True, tsig_ctx=context, one_rr_per_rrset=True
        )
        assert read.had_tsig
        context, total = read.tsig_ctx, total + len(read.answer)
    assert total == len(records) + 1


def test_a_small_zone_is_one_message_whatever_the_case(primary):
    assert len(primary.ask(ask_for(ORG, AXFR))) == len(primary.ask(ask_for(swap(ORG), AXFR))) == 1


def test_messages_are_no_larger_than_pointers_reach(primary):
    messages = primary.ask(ask_for(TLD, AXFR, edns=False))
    assert len(messages) > 3
    assert max(map(len, messages)) <= 16384


def test_names_in_a_transfer_keep_the_zones_case(store, primary):
    owners = {owner for owner, *_ in rows(primary.ask(ask_for(name.from_text("eXaMpLe.OrG."), AXFR)), ORG)}
    assert owners == {ORG, b"\3www" + ORG, b"\5Mixed\4Case" + ORG}


def test_transfers_are_counted(primary):
    whole, several = primary.ask(ask_for(ORG, AXFR)), primary.ask(ask_for(TLD, AXFR))
    counted = [primary.counters[one] for one in (Counter.TRANSFERS_STARTED, Counter.TRANSFERS_FINISHED,
               Counter.TRANSFER_MESSAGES, Counter.TRANSFER_RECORDS, Counter.TRANSFER_OCTETS)]  # fmt: skip
    octets = sum(map(len, whole + several))
    assert counted == [2, 1, len(whole) + len(several), 5 + 5003, octets]


def test_a_transfer_is_one_version_though_the_zone_changes_meanwhile(tmp_path):
    """The second transaction is begun when the transfer has begun: the zone is replaced just then."""

    class Changing:
        def __init__(self, store):
            self.store, self.pages, self.begun = store, store.pages, 0

        def begin(self):
            self.begun += 1
            if self.begun == 2:
                self.store.publish(zone(TLD, *hosts(100), serial=2))
            return self.store.begin()

    with Store(tmp_path / "store", sync=False) as store:
        store.publish(zone(TLD, *hosts(5000), serial=1))
        primary = open_primary(Changing(store))
        old, new = primary.ask(ask_for(TLD, AXFR)), primary.ask(ask_for(TLD, AXFR))
    assert (len(rows(old, TLD)), len(rows(new, TLD))) == (5003, 103)
    assert old[-1][-20:-16] == struct.pack(">I", 1)


def test_without_a_reader_left_transfers_are_servfail_and_soa_is_still_answered(store, caplog):
    class Full:
        pages, begun = store.pages, 0

        def begin(self):
            self.begun += 1
            if self.begun > 1:
                raise StoreError("no reader left")
            return store.begin()

    for wire, expected in ((ask_for(TLD, AXFR, edns=True), (SERVFAIL, NOT_READY)), (ask_for(TLD), (NOERROR, None))):
        primary = open_primary(Full())
        assert facts(primary.one(wire))[:2] == expected
        assert primary.counters[Counter.TRANSFERS_REFUSED_QUOTA] == (expected[0] == SERVFAIL)
    assert [one.getMessage() for one in caplog.records] == ["store unreadable error=no reader left"]


def test_a_page_of_another_zone_never_slips_into_a_transfer(tmp_path):
    with Store(tmp_path / "store", sync=False) as store:
        row = store.publish(zone(TLD, *hosts(5000)))
        store.publish(zone(ORG, *hosts(5000)))
        with store.env.begin(write=True) as txn:
            last = [key for key, _ in txn.cursor(store.pages) if key.startswith(row.first_key)][-1]
            txn.delete(last, db=store.pages)
        with pytest.raises(StoreError, match="fewer pages"):
            open_primary(store).ask(ask_for(TLD, AXFR))


def test_a_changed_zone_is_served_at_once(tmp_path):
    with Store(tmp_path / "store", sync=False) as store:
        primary = open_primary(store)
        for serial in (1, 2, 0xFFFFFFFF):
            store.publish(zone(ORG, serial=serial))
            assert f" {serial} " in str(dns.message.from_wire(primary.one(ask_for())).answer[0])
        store.remove(ORG)
        assert facts(primary.one(ask_for()))[0] == REFUSED


# ------------------------------------------------------------------------------------------------------------- IXFR


@pytest.mark.parametrize("back", [0, -1, -(2**31 - 1)])
@pytest.mark.parametrize("apex", [ORG, TLD])
def test_a_client_that_has_our_serial_or_a_newer_one_gets_one_soa(primary, apex, back):
    reply = primary.one(ixfr(apex, (SERIAL - back) % 2**32))
    assert facts(reply) == (NOERROR, None, (1, 1, 0))
    assert reply[-20:-16] == struct.pack(">I", SERIAL)


@pytest.mark.parametrize("behind", [1, 1000, 2**31 - 1, 2**31])
def test_an_older_client_gets_the_zone_and_the_question_stays_ixfr(primary, behind):
    for apex, count in ((ORG, 5), (TLD, 5003)):
        messages = primary.ask(ixfr(apex, (SERIAL - behind) % 2**32))
        assert len(rows(messages, apex)) == count
        assert messages[0][12 + len(apex) : 14 + len(apex)] == struct.pack(">H", IXFR)


def test_ixfr_over_udp_is_one_soa_without_tc(primary):
    reply = primary.one(ixfr(TLD, SERIAL - 1), tcp=False)
    assert (reply[2], facts(reply)) == (0x84, (NOERROR, None, (1, 1, 0)))


# ------------------------------------------------------------------------------------------------------------- TSIG


def tsig_of(reply):
    found = find_tsig(reply)
    return None if found is None else (found.error, len(found.mac) > 0)


def changed(wire, at, octets):
    return wire[:at] + octets + wire[at + len(octets) :]


def mac_shortened(count):
    wire = signed(ask_for())
    found = find_tsig(wire)
    at = found.at + len(found.name) + 10
    fixed = wire[at : at + len(found.algorithm) + 8]
    data = fixed + struct.pack(">H", count) + (found.mac + bytes(99))[:count] + wire[-6:]
    return wire[: at - 2] + struct.pack(">H", len(data)) + data


def bad_mac(wire=None):
    wire = wire or signed(ask_for())
    found = find_tsig(wire)
    return changed(wire, wire.index(found.mac), bytes([found.mac[0] ^ 1]))


def odd(**fields):
    """A query whose TSIG is signed over unusual fields as they are sent."""
    wire = ask_for()
    ttl, error, other = fields.get("ttl", 0), fields.get("error", 0), fields.get("other", b"")
    mac = KEY.mac(wire, KEY.variables(NOW, 300, error, other, ttl))
    sent = tsig.append(wire, tsig._record(KEY.wire, KEY.algorithm.wire, mac, 0x1234, NOW, 300, error, other))
    return changed(sent, find_tsig(sent).at + len(KEY.wire) + 4, struct.pack(">I", ttl))


OTHER_ALGORITHM = tsig.Key("key.example", "hmac-sha1", SECRET)
TTL_AT = find_tsig(odd()).at + len(KEY.wire) + 4
TSIG_CASES = {
    # the query, rcode, None or (TSIG error, is it signed)
    "good": (signed(ask_for()), NOERROR, (0, True)),
    "good, unknown zone": (signed(ask_for(UNKNOWN)), REFUSED, (0, True)),
    "good, EDNS version 1": (signed(with_options(ttl=1 << 16)), BADVERS, (0, True)),
    "good, not loaded": (signed(ask_for(EMPTY)), SERVFAIL, (0, True)),
    "good, upper-case key": (signed(ask_for()).replace(b"\3key\7example", b"\3KEY\7EXAMPLE"), NOERROR, (0, True)),
    "good, ID changed on the way": (b"\xab\xcd" + signed(ask_for())[2:], NOERROR, (0, True)),
    "unknown key": (signed(ask_for(), tsig.Key("nobody.", "hmac-sha256", SECRET)), NOTAUTH, (17, False)),
    "known key, other algorithm": (signed(ask_for(), OTHER_ALGORITHM), NOTAUTH, (17, False)),
    "unknown algorithm": (header(1, 0, 0, 1) + question() + tsig_record(KEY.wire), NOTAUTH, (16, False)),
    "bad MAC": (bad_mac(), NOTAUTH, (16, False)),
    "other secret": (signed(ask_for(), tsig.Key("key.example", "hmac-sha256", b"wrong")), NOTAUTH, (16, False)),
    "bad MAC and bad time": (bad_mac(signed(ask_for(), now=NOW - 9999)), NOTAUTH, (16, False)),
    "too old": (signed(ask_for(), now=NOW - 301), NOTAUTH, (18, True)),
    "too new": (signed(ask_for(), now=NOW + 301), NOTAUTH, (18, True)),
    "MAC empty": (mac_shortened(0), FORMERR, None),
    "MAC of 15": (mac_shortened(15), FORMERR, None),
    "MAC of 16": (mac_shortened(16), NOTAUTH, (22, True)),
    "MAC of 31": (mac_shortened(31), NOTAUTH, (22, True)),
    "MAC of 33": (mac_shortened(33), FORMERR, None),
    "TTL not 0, digested as sent": (odd(ttl=77), NOERROR, (0, True)),
    "TTL not 0, digested as 0": (changed(odd(), TTL_AT, b"\0\0\0\7"), NOTAUTH, (16, False)),
    "error in the request": (odd(error=18), NOERROR, (0, True)),
    "other data in the request": (odd(other=b"123456"), NOERROR, (0, True)),
    "no right to the zone": (signed(ask_for(PRIVATE)), REFUSED, (0, True)),
    "right to one zone only": (signed(ask_for(PRIVATE), OTHER), NOERROR, (0, True)),
    "key that no rule names": (signed(ask_for(), UNUSED), NOERROR, (0, True)),
    "not last": (signed(ask_for())[:10] + b"\0\2" + signed(ask_for())[12:] + record(), FORMERR, None),
    "class IN": (header(1, 0, 0, 1) + question() + tsig_record(rrclass=1), FORMERR, None),
}  # fmt: skip


@pytest.mark.parametrize("tcp", [True, False])
@pytest.mark.parametrize("case", TSIG_CASES)
def test_the_tsig_matrix(primary, case, tcp):
    wire, rcode, record_ = TSIG_CASES[case]
    reply = primary.one(wire, tcp=tcp)
    assert facts(reply)[0] == rcode
    assert tsig_of(reply) == record_


def test_a_key_that_no_rule_names_gives_a_stranger_nothing(primary):
    reply = primary.one(signed(ask_for(), UNUSED), peer=STRANGER)
    assert (facts(reply)[0], tsig_of(reply)) == (REFUSED, (0, True))


def test_a_key_opens_what_the_address_does_not(primary):
    assert facts(primary.one(signed(ask_for()), peer=STRANGER))[0] == NOERROR


def test_signed_answers_verify_with_the_requests_mac(primary):
    wire, mac = tsig.sign_request(ask_for(edns=True), KEY, NOW)
    tsig.Verifier(KEY, mac, lambda: NOW).check(primary.one(wire))


def test_badtime_is_signed_and_tells_both_times(primary):
    wire, mac = tsig.sign_request(ask_for(), KEY, NOW - 4000)
    found = find_tsig(reply := primary.one(wire))
    assert (found.time, found.other) == (NOW - 4000, NOW.to_bytes(6, "big"))
    with pytest.raises(TsigError, match="BADTIME"):
        tsig.Verifier(KEY, mac, lambda: NOW - 4000).check(reply)


def test_badkey_names_the_key_that_was_asked_for(primary):
    found = find_tsig(primary.one(TSIG_CASES["unknown key"][0]))
    assert (found.name, found.mac, found.other) == (b"\6nobody\0", b"", b"")


def test_a_replayed_badtime_answer_is_harmless(primary):
    reply = primary.one(TSIG_CASES["too old"][0])
    replayed = changed(reply, 2, b"\0\0")
    assert facts(primary.one(replayed))[0] in (NOTAUTH, FORMERR)


def test_tsig_results_are_counted(primary):
    for case in ("good", "unknown key", "bad MAC", "too old", "MAC of 16"):
        primary.one(TSIG_CASES[case][0])
    counted = [primary.counters[one] for one in (Counter.TSIG_OK, Counter.TSIG_BADKEY, Counter.TSIG_BADSIG,
               Counter.TSIG_BADTIME)]  # fmt: skip
    assert counted == [1, 1, 2, 1]


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10_000), octet=st.integers(1, 255))
def test_no_changed_request_is_taken_for_the_keys_owners(store, at, octet):
    wire = bytearray(signed(ask_for(PRIVATE), OTHER))
    wire[2 + at % (len(wire) - 2)] ^= octet
    messages = open_primary(store).ask(bytes(wire), peer=STRANGER)
    same = bytes(wire).lower() == signed(ask_for(PRIVATE), OTHER).lower()
    assert same or messages == "close" or messages[0][3] & 0xF != 0


# -------------------------------------------------------------------------------------------------------- oversize


# Unsigned and one octet more is not asked: the store refuses a record that no message holds.
@pytest.mark.parametrize(("key", "beyond"), [(None, 0), (KEY, 0), (KEY, 1), (UNUSED, 0), (UNUSED, 1)])
def test_a_record_is_sent_where_it_fits_with_its_signature_and_else_servfail(tmp_path, key, beyond):
    room = 65535 - 12 - len(b"\3big" + ORG) - 10 - (key.room if key else 0)
    with Store(tmp_path / "store", sync=False) as store:
        store.publish(zone(ORG, ("big", 65280, bytes(room + beyond)), *hosts(10)))
        primary = open_primary(store)
        wire = ask_for(ORG, AXFR, edns=True)
        messages = primary.ask(signed(wire, key) if key else wire)
        assert (max(map(len, messages)) == 65535) == (beyond == 0)
        assert primary.counters[Counter.OVERSIZE_RECORDS] == beyond
        assert facts(messages[0])[0] == (SERVFAIL if beyond else NOERROR)


# ------------------------------------------------------------------------------------------------------------- noise


@settings(max_examples=1000, deadline=None)
@given(which=st.integers(0, len(MATRIX) - 1), rng=st.randoms(use_true_random=False), tcp=st.booleans())
def test_mutated_queries_get_one_answer_or_none(store, which, rng: random.Random, tcp):
    wire = bytearray(signed(MATRIX[which][1]) if rng.random() < 0.5 else MATRIX[which][1])
    for _ in range(rng.randint(1, 5)):
        wire[rng.randrange(len(wire))] = rng.randrange(256)
    messages = open_primary(store).ask(bytes(wire[: rng.randint(0, len(wire) * 2)]), tcp=tcp)
    for message in messages if isinstance(messages, list) else ():
        assert message[2] & 0x80
        find_tsig(message)  # walks every record, or raises


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600))
def test_random_octets_are_answered_or_dropped(store, octets):
    open_primary(store).ask(octets)


def test_a_store_that_cannot_be_read_is_servfail_and_one_line_of_log(caplog):
    class Away:
        pages = None

        def begin(self):
            raise StoreError("away")

    primary = open_primary(Away())
    for _ in range(3):
        assert facts(primary.one(ask_for(edns=True)))[:2] == (SERVFAIL, NOT_READY)
    assert len(caplog.records) == 1
