# SPDX-License-Identifier: Apache-2.0
"""The parse of queries: octets by hand, dnspython as a second maker of them."""

import random
import struct

import dns.edns
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmdns import name
from fastmdns.errors import WireError
from fastmdns.message import find_tsig, parse_query

FORMERR, NOTIMP, BADVERS = 1, 4, 16
ORG = name.from_text("example.org.")
SOA, OPT, TSIG, IXFR, AXFR = 6, 41, 250, 251, 252


def header(*counts, ident=0x1234, flags=0):
    return struct.pack(">HH4H", ident, flags, *counts)


def question(qname=ORG, qtype=SOA, qclass=1):
    return qname + struct.pack(">HH", qtype, qclass)


def record(owner=ORG, rrtype=1, rrclass=1, ttl=0, rdata=b"\x7f\0\0\1"):
    return owner + struct.pack(">HHIH", rrtype, rrclass, ttl, len(rdata)) + rdata


def opt(rdata=b"", size=1232, ttl=0, owner=b"\0"):
    return record(owner, OPT, size, ttl, rdata)


def option(code, data=b""):
    return struct.pack(">HH", code, len(data)) + data


def soa_rdata(serial=1):
    return b"\0\0" + struct.pack(">5I", serial, 1, 1, 1, 1)


def tsig_rdata(mac=bytes(32), algorithm=b"\x0bhmac-sha256\0", other=b""):
    rest = struct.pack(">HHH", 0x1234, 0, len(other)) + other
    return algorithm + struct.pack(">HIHH", 0, 1_700_000_000, 300, len(mac)) + mac + rest


def tsig(owner=b"\1k\0", rrclass=255, ttl=0, rdata=None):
    return record(owner, TSIG, rrclass, ttl, tsig_rdata() if rdata is None else rdata)


def test_a_query_gives_its_fields():
    query = parse_query(header(1, 0, 0, 0) + question(b"\7eXample\3org\0"))
    assert query == (0x1234, 0, 0, (b"\7eXample\3org\0", SOA, 1), None, 0, None, None)


def test_an_ixfr_gives_the_clients_serial():
    authority = record(b"\xc0\x0c", SOA, rdata=b"\2ns\xc0\x0c\1h\xc0\x0c" + struct.pack(">5I", 0xFFFFFFFF, 1, 1, 1, 1))
    query = parse_query(header(1, 0, 1, 0) + question(qtype=IXFR) + authority)
    assert (query.rcode, query.serial) == (0, 0xFFFFFFFF)


def test_a_tsig_record_gives_its_fields_in_lower_case():
    rdata = tsig_rdata(b"m" * 32, b"\x0bHMAC-SHA256\0", b"123456")
    query = parse_query(header(1, 0, 0, 1) + question() + tsig(b"\1K\xc0\x0c", ttl=7, rdata=rdata))
    at = 12 + len(question())
    expected = (at, b"\1k" + ORG, b"\x0bhmac-sha256\0", 1_700_000_000, 300, b"m" * 32, 0x1234, 0, b"123456", 7)
    assert query.tsig == expected


@pytest.mark.parametrize(("sent", "read"), [(0, 512), (511, 512), (512, 512), (4096, 4096), (65535, 65535)])
def test_a_payload_size_below_512_is_512(sent, read):
    assert parse_query(header(1, 0, 0, 1) + question() + opt(size=sent)).udp_size == read


@pytest.mark.parametrize("wire", [b"", b"\0", header(1, 0, 0, 0)[:11], header(1, 0, 0, 0, flags=0x8000) + question()])
def test_responses_and_stumps_deserve_no_answer(wire):
    assert parse_query(wire) is None


ONE = header(1, 0, 0, 1) + question()
IXFR_ONE = header(1, 0, 1, 0) + question(qtype=IXFR)
MALFORMED = {
    "header only": header(1, 0, 0, 0),
    "cut question": header(1, 0, 0, 0) + question()[:-1],
    "cut name": header(1, 0, 0, 0) + b"\7exam",
    "pointer to itself": header(1, 0, 0, 0) + b"\xc0\x0c\0\6\0\1",
    "label of type 0x40": header(1, 0, 0, 0) + b"\x41a\0\0\6\0\1",
    "label of type 0x80": header(1, 0, 0, 0) + b"\x81a\0\0\6\0\1",
    "name of 256 octets": header(1, 0, 0, 0) + question((b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0"),
    "no question": header(0, 0, 0, 0),
    "two questions": header(2, 0, 0, 0) + question() + question(),
    "octets behind": header(1, 0, 0, 0) + question() + b"\0",
    "more additional than there is": header(1, 0, 0, 1) + question(),
    "more answers than there is": header(1, 65535, 0, 0) + question(),
    "answer records": header(1, 1, 0, 0) + question() + record(),
    "answer records in an AXFR": header(1, 1, 0, 0) + question(qtype=AXFR) + record(),
    "rdata behind the end": ONE + record()[:-1],
    "two OPT": header(1, 0, 0, 2) + question() + opt() + opt(),
    "OPT not at the root": ONE + opt(owner=ORG),
    "OPT at a pointer to the root": ONE + opt(owner=b"\xc0" + bytes([12 + len(ORG) - 1])),
    "OPT in authority": header(1, 0, 1, 0) + question() + opt(),
    "option longer than its record": ONE + opt(b"\0\3\0\5abcd"),
    "option cut in its head": ONE + opt(b"\0\3\0"),
    "cookie of 7": ONE + opt(option(10, b"1234567")),
    "cookie of 15": ONE + opt(option(10, b"1" * 15)),
    "cookie of 41": ONE + opt(option(10, b"1" * 41)),
    "TSIG not last": header(1, 0, 0, 2) + question() + tsig() + record(),
    "two TSIG": header(1, 0, 0, 2) + question() + tsig() + tsig(),
    "TSIG in authority": header(1, 0, 1, 0) + question() + tsig(),
    "TSIG of class IN": ONE + tsig(rrclass=1),
    "TSIG without rdata": ONE + tsig(rdata=b""),
    "TSIG with a MAC too long": ONE + tsig(rdata=tsig_rdata()[:21] + b"\xff\xff" + tsig_rdata()[23:]),
    "TSIG cut": ONE + tsig(rdata=tsig_rdata()[:-1]),
    "TSIG with octets behind": ONE + tsig(rdata=tsig_rdata() + b"\0"),
    "TSIG whose algorithm is a pointer": ONE + tsig(rdata=tsig_rdata(algorithm=b"\xc0\x0c")),
    "class 0": header(1, 0, 0, 0) + question(qclass=0),
    "class NONE": header(1, 0, 0, 0) + question(qclass=254),
    "class ANY": header(1, 0, 0, 0) + question(qclass=255),
    "type OPT": header(1, 0, 0, 0) + question(qtype=OPT),
    "type TSIG": header(1, 0, 0, 0) + question(qtype=TSIG),
    "IXFR without a SOA": header(1, 0, 0, 0) + question(qtype=IXFR),
    "IXFR with two SOAs": header(1, 0, 2, 0) + question(qtype=IXFR) + record(rrtype=SOA, rdata=soa_rdata()) * 2,
    "IXFR with another's SOA": IXFR_ONE + record(b"\3com\0", SOA, rdata=soa_rdata()),
    "IXFR with a SOA of class CH": IXFR_ONE + record(rrtype=SOA, rrclass=3, rdata=soa_rdata()),
    "IXFR with an A in authority": IXFR_ONE + record(),
    "IXFR with a cut SOA": IXFR_ONE + record(rrtype=SOA, rdata=soa_rdata()[:-1]),
    "IXFR with octets behind the SOA": IXFR_ONE + record(rrtype=SOA, rdata=soa_rdata() + b"\0"),
    "IXFR whose SOA's names leave its rdata": IXFR_ONE + record(rrtype=SOA, rdata=b"\1a") + b"\0" * 30,
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_is_formerr(case):
    assert parse_query(MALFORMED[case]).rcode == FORMERR


SOUND = {
    "cookie of 8": ONE + opt(option(10, b"12345678")),
    "cookie of 16": ONE + opt(option(10, b"1" * 16)),
    "cookie of 40": ONE + opt(option(10, b"1" * 40)),
    "unknown option": ONE + opt(option(65001, b"x")),
    "A in additional": ONE + record(),
    "authority in an AXFR": header(1, 0, 1, 0) + question(qtype=AXFR) + record(),
    "OPT before others": header(1, 0, 0, 2) + question() + opt() + record(),
    "OPT and TSIG": header(1, 0, 0, 2) + question() + opt() + tsig(),
    "TC, AA, RA, Z, AD, CD and an rcode set": header(1, 0, 0, 0, flags=0x06FF) + question(),
    "the root": header(1, 0, 0, 0) + question(b"\0"),
    "name of 255 octets": header(1, 0, 0, 0) + question((b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0"),
    "class CH": header(1, 0, 0, 0) + question(qclass=3),
    "NOTIFY with its SOA": header(1, 1, 0, 0, flags=0x2400) + question() + record(rrtype=SOA, rdata=soa_rdata()),
}


@pytest.mark.parametrize("case", SOUND)
def test_sound_queries_pass(case):
    assert parse_query(SOUND[case]).rcode == 0


@pytest.mark.parametrize("opcode", [1, 2, 3, 5, *range(6, 16)])
@pytest.mark.parametrize("rest", [b"", question(), question()[:-1], question() + b"\xff" * 40])
def test_other_opcodes_are_notimp_whatever_follows(opcode, rest):
    assert parse_query(header(1, 1, 1, 1, flags=opcode << 11) + rest).rcode == NOTIMP


@pytest.mark.parametrize("version", [1, 255])
def test_another_edns_version_is_badvers_and_its_options_are_not_read(version):
    query = parse_query(ONE + opt(b"\xff\xff\xff", ttl=version << 16))
    assert (query.rcode, query.version) == (BADVERS, version)


@pytest.mark.parametrize("case", ["two questions", "cookie of 7", "octets behind", "class ANY", "IXFR without a SOA"])
def test_what_was_read_before_an_error_is_kept(case):
    wire = MALFORMED[case]
    if case != "cookie of 7":
        wire = wire[:10] + b"\0\1" + wire[12:] + opt() if case != "octets behind" else ONE + opt() + b"\0"
    query = parse_query(wire)
    assert query.rcode == FORMERR
    assert query.udp_size == 1232
    assert (query.question is None) == (case == "two questions")


@given(st.binary(max_size=300))
def test_random_octets_never_raise(octets):
    parse_query(octets)


@given(st.sampled_from(sorted({**MALFORMED, **SOUND}.items())), st.randoms(use_true_random=False))
def test_mutated_queries_never_raise(case, rng: random.Random):
    wire = bytearray(case[1])
    for _ in range(rng.randint(1, 4)):
        wire[rng.randrange(len(wire))] = rng.randrange(256)
    parse_query(bytes(wire))
    parse_query(bytes(wire[: rng.randrange(len(wire))]))


@given(st.binary(max_size=200))
def test_find_tsig_reads_or_refuses(octets):
    try:
        find_tsig(header(1, 0, 0, 1) + question() + octets)
    except WireError:
        return


def test_find_tsig_finds_it_in_a_response_too():
    wire = header(1, 1, 0, 2, flags=0x8400) + question() + record() + record() + tsig()
    assert find_tsig(wire).at == len(wire) - len(tsig())
    assert find_tsig(header(1, 1, 0, 0, flags=0x8400) + question() + record()) is None


@pytest.mark.parametrize(
    "wire",
    [
        b"\0" * 11,
        header(1, 0, 0, 2) + question() + tsig() + record(),
        header(1, 1, 0, 0) + question() + tsig(),
        header(1, 0, 0, 1) + question() + tsig() + b"\0",
        header(1, 0, 0, 1) + question() + tsig()[:-1],
        header(1, 0, 0, 1) + question()[:-1],
    ],
)
def test_find_tsig_refuses_what_is_misplaced_or_malformed(wire):
    with pytest.raises(WireError):
        find_tsig(wire)


@pytest.mark.parametrize("rrtype", ["SOA", "AXFR", "NS", "TXT"])
def test_dnspythons_queries_are_sound(rrtype):
    options = [dns.edns.NSIDOption(b""), dns.edns.CookieOption(b"12345678", b"")]
    wire = dns.message.make_query("example.org", rrtype, use_edns=0, payload=1400, options=options).to_wire()
    query = parse_query(wire)
    assert (query.rcode, query.udp_size) == (0, 1400)


def test_a_message_of_65535_octets_of_records_is_read_in_no_time():
    records = record(b"\xc0\x0c", rdata=b"") * ((65535 - 12 - len(question())) // 12)
    wire = header(1, 0, 0, len(records) // 12) + question() + records
    assert parse_query(wire).rcode == 0
