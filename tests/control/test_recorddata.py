# SPDX-License-Identifier: Apache-2.0
"""Record data as tenants write it: all that zone files, Designate and its clients can say; what is wrong says where."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.recorddata import to_text, to_wire
from fastmdns import rdata, rrtypes
from fastmdns.errors import TextError
from tests.fastmdns.test_rdata import TRIPLES, Triple, triple_id
from tests.strategies import rdata_of

ROWS = [row for row in rrtypes.rows() if not row.meta]
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
few = settings(max_examples=10, deadline=None)  # for each of some 90 types
DIGEST = "d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"


def read(kind: str, text: str) -> bytes:
    return to_wire(rrtypes.by_name(kind), text)


def canonical(kind: str, text: str) -> str:
    return to_text(rrtypes.by_name(kind), read(kind, text))


def refusal(kind: str, text: str) -> str:
    with pytest.raises(TextError) as caught:
        read(kind, text)
    return str(caught.value)


@pytest.mark.parametrize("triple", TRIPLES, ids=triple_id)
def test_every_type_is_read_as_a_zone_file_writes_it(triple: Triple) -> None:
    assert to_wire(triple.rrtype, triple.text) == triple.wire
    assert to_wire(triple.rrtype, triple.generic) == triple.wire
    assert to_text(triple.rrtype, triple.wire) == triple.text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("SRV", "0 0 0 ."),
        ("HTTPS", '1 . alpn="h2,h3"'),
        ("SVCB", '1 . key667="x"'),
        ("NAPTR", '100 10 "S" "SIP+D2U" "" .'),
        ("CAA", '128 issue ";"'),
        ("CAA", '0 contactemail "a@example.org"'),
        ("SSHFP", f"6 2 {DIGEST}"),
        ("DS", f"60485 8 2 {DIGEST}"),
        ("URI", '10 1 "https://example.org/"'),
        ("LOC", "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m"),
        ("DNAME", "example.net."),
        ("OPENPGPKEY", "AQIDBAUG"),
        ("TYPE65280", r"\# 4 0a000001"),
        ("CNAME", "host/27.2.0.192.in-addr.arpa."),
        ("PTR", "."),
    ],
)
def test_what_designate_refuses_wrongly_is_accepted(kind: str, text: str) -> None:
    assert canonical(kind, text) == text


@pytest.mark.parametrize(
    ("kind", "text", "meant"),
    [
        ("TXT", "gfj9Xq-Rg_85zAI", '"gfj9Xq-Rg_85zAI"'),
        ("TXT", "v=DKIM1;p=MIGf/A==", '"v=DKIM1;p=MIGf/A=="'),
        ("TXT", "(a)", '"(a)"'),
        ("TXT", r"a\"b\\c\032d", r'"a\"b\\c d"'),
        ("TXT", '  "a  b" "" "c;d"  ', '"a  b" "" "c;d"'),
        ("TXT", "é", r'"\195\169"'),
        ("TXT", '"\t"', r'"\009"'),
        ("TXT", "x" * 255, '"' + "x" * 255 + '"'),
        ("SPF", "v=spf1", '"v=spf1"'),
        ("CAA", "0 issue ca.example.net; policy=ev", '0 issue "ca.example.net; policy=ev"'),
        ("CAA", "0  issue  ;", '0 issue ";"'),
        ("CAA", "0 iodef mailto:a@example.org", '0 iodef "mailto:a@example.org"'),
        ("CAA", '0 issue "ca.example.net; policy=ev"', '0 issue "ca.example.net; policy=ev"'),
        ("NAPTR", "100 10 u E2U+sip !^(.*)$!sip:a;b@c! .", '100 10 "u" "E2U+sip" "!^(.*)$!sip:a;b@c!" .'),
        ("NAPTR", '100 10 S "SIP D2U" ""  a.example.', '100 10 "S" "SIP D2U" "" a.example.'),
        ("MX", " 10\tmail.example.org. ", "10 mail.example.org."),
        ("TLSA", f"3 1 1 ( {DIGEST[:20].upper()} {DIGEST[20:]} )", f"3 1 1 {DIGEST}"),
        ("URI", "10 1 https://example.org/", '10 1 "https://example.org/"'),
        ("CERT", "PKIX 1 RSASHA256 AQID", "PKIX 1 8 AQID"),
        ("CNAME", r"a\;b.example.", r"a\;b.example."),
        ("A", r"\# 4 c0000201", "192.0.2.1"),
    ],
)
def test_what_clients_write_is_understood(kind: str, text: str, meant: str) -> None:
    assert canonical(kind, text) == meant


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("SRV", "0 50 1 a.b", "target: must end with a dot"),
        ("SRV", "0 50 70000 a.", "port: expected a number from 0 to 65535, not '70000'"),
        ("SRV", "0 50 1", "target: is missing; expected a domain name that ends with a dot"),
        ("SRV", "0 50 1 a. b.", "there is more than priority, weight, port, target: 'b.'"),
        ("CNAME", "@", "target: must end with a dot"),
        ("CNAME", "a..b.", "target: a label is empty or longer than 63 octets"),
        ("CNAME", "bücher.example.", "target: must be ASCII; write each label outside it as xn--..."),
        ("A", "", "address: is missing; expected an IPv4 address such as 192.0.2.1"),
        ("A", "192.0.2.256", "address: expected an IPv4 address such as 192.0.2.1, not '192.0.2.256'"),
        ("A", "192.0.2.1 ; web", "a ; would begin a comment; put the string that holds it in quotes"),
        ("A", r"\# 3 c00002", r"\# must be followed by a count of octets"),
        ("TXT", "", "strings: is missing; expected one or more strings in quotes"),
        ("TXT", "a b", 'strings: text with spaces must stand in quotes: "a b"'),
        ("TXT", "x" * 256, 'strings: a string holds at most 255 octets; write several: "first part" "second part"'),
        ("TXT", '"say "hi" now"', r"a quote within is written \""),
        ("TXT", '"open', "each string must begin and end with a quote"),
        ("TXT", 'a"b', r"strings: a quote within text is written \" and a backslash \\"),
        ("TXT", "a\\", r"strings: a quote within text is written \" and a backslash \\"),
        ("TXT", r"\300", r"strings: an escape is neither \DDD (000 to 255) nor \X"),
        ("TXT", '"a\nb"', r"it may not hold line ends or control characters; in a string write \010"),
        ("TXT", "\ud800", "half of a surrogate pair is no character"),
        ("CAA", "256 issue x", "flags: expected a number from 0 to 255, not '256'"),
        ("CAA", "0 is-sue x", "tag: expected letters and digits, not 'is-sue'"),
        ("CAA", "0 issue", "value: is missing; expected a string in quotes"),
        ("CAA", '0 issue a"b', r"value: a quote within text is written \" and a backslash \\"),
        ("CAA", '0 issue "a"; b', "a ; would begin a comment"),
        ("NAPTR", "100 10 S SIP", "regexp: is missing; expected a string"),
        ("NAPTR", '100 10 "S "SIP" "" .', "a quote or an escape has no end"),
        ("NAPTR", "100 10 S SIP !a! . ;x", "a ; would begin a comment"),
        ("TLSA", "3 1 1 aabb", "data: expected 32 octets (64 digits) for matching_type 1"),
        ("TLSA", "3 1 2 aabb", "data: expected 64 octets (128 digits) for matching_type 2"),
        ("TLSA", "3 1 0 abc", "data: expected hexadecimal digits, two for each octet, not 'abc'"),
        ("SSHFP", "1 1 aabb", "fingerprint: expected 20 octets (40 digits) for fp_type 1"),
        ("DS", "1 8 2 0011", "digest: expected 32 octets (64 digits) for digest_type 2"),
        ("HTTPS", "1 . port=x", "parameters: port: expected a number from 0 to 65535"),
        ("HTTPS", "1 . alpn", "parameters: alpn: expected protocol names with commas between, such as h2,h3"),
        ("HTTPS", "1 . alpn=h2 ohttp=1", "parameters: ohttp: expected no value"),
        ("HTTPS", "1 . prot=h2", "parameters: 'prot' is no key; expected mandatory, alpn"),
        ("HTTPS", "1 . port=1 port=2", "parameters: port stands there twice"),
        ("HTTPS", "1 . no-default-alpn", "parameters: no-default-alpn needs alpn"),
        ("HTTPS", "1 . mandatory=alpn port=1", "parameters: mandatory: expected keys with commas between"),
        ("SVCB", "1 . alpn=h2 dohpath=/q", "parameters: dohpath: expected a relative URI template"),
        ("SVCB", "1 svc", "target: must end with a dot"),
        ("LOC", "here", "expected a form such as '52 22 23 N 4 53 32 E -2m'"),
        ("IPSECKEY", "10 3 2 gw AQNRU3mG", "every name ending with a dot"),
        ("HIP", "2 2001 AQNRU3mG rvs.example.com", "every name ending with a dot"),
        ("NULL", "abc", r"expected \#, a count of octets and as many pairs of hexadecimal digits (RFC 3597)"),
        ("TYPE65280", "abc", r"expected \#, a count of octets"),
        ("ANY", r"\# 0", "ANY is a type of questions, not of records"),
        ("DNSKEY", "257 3 8 " + "AAAA" * 22000, "does not fit into a DNS message"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_what_it_takes(kind: str, text: str, reason: str) -> None:
    message = refusal(kind, text)
    assert f" is not valid {kind} data: " in message
    assert reason in message


def test_a_refusal_quotes_what_was_written_but_not_all_of_a_long_text() -> None:
    assert refusal("SRV", "0 50 1 a.b").startswith("'0 50 1 a.b' is not valid SRV data: ")
    assert len(refusal("TXT", "x" * 60000)) < 300


@pytest.mark.parametrize("path", ["/dns-query{?dns}", "/{dns}", "/q{?a,dns:3,b}", "/é{&dns*}"])
def test_dohpath_takes_every_template_with_the_variable(path: str) -> None:
    assert read("SVCB", f'1 . alpn=h2 dohpath="{path}"')


@every_row
@few
@given(data=st.data())
def test_the_canonical_text_of_a_record_is_accepted(row: rrtypes.RRType, data: st.DataObject) -> None:
    wire = data.draw(rdata_of(row))
    try:
        assert to_wire(row.number, to_text(row.number, wire)) == wire
    except TextError as error:
        assert row.name in ("TLSA", "SMIMEA") and "matching_type" in str(error)


@every_row
@few
@given(text=st.text(st.sampled_from('a0. \t";\\#()=,!\n\x00éu1') | st.characters(), max_size=30))
def test_any_text_is_valid_data_or_refused_for_a_reason(row: rrtypes.RRType, text: str) -> None:
    try:
        rdata.check(row.number, to_wire(row.number, text))
    except TextError as error:
        assert "token" not in str(error)


@every_row
@few
@given(data=st.data())
def test_a_wrong_character_is_read_or_refused_for_a_reason(row: rrtypes.RRType, data: st.DataObject) -> None:
    text = to_text(row.number, data.draw(rdata_of(row)))
    at = data.draw(st.integers(0, len(text)))
    broken = text[:at] + data.draw(st.sampled_from(['"', "\\", ";", " ", "(", "é", "x", "-1", ""])) + text[at + 1 :]
    try:
        rdata.check(row.number, to_wire(row.number, broken))
    except TextError as error:
        assert ": " in str(error)


plain = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\')


@given(st.text(plain, min_size=1, max_size=255))
def test_a_word_of_printable_characters_is_taken_literally_by_txt(text: str) -> None:
    assert read("TXT", text)[1:] == text.encode()
