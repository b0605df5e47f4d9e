# SPDX-License-Identifier: Apache-2.0
"""The structured form of record data: one-to-one with wire for every type, described by a schema, strict when read."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from control import recorddata
from control.structured import from_structured, schema, schemas, to_structured
from fastmdns import rdata, rrtypes
from fastmdns.errors import TextError, WireError
from tests.fastmdns.test_rdata import TRIPLES, Triple, triple_id
from tests.strategies import rdata_of, type_numbers

ROWS = [row for row in rrtypes.rows() if not row.meta]
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
few = settings(max_examples=10, deadline=None)  # for each of some 90 types
SHA256 = "d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"
NOT_JSON_OF_ANY_FIELD = [None, True, -1, 1.5, "", "a b", "é", "\n", "x" * 300, [], [1], ["", ""], {}, {"a": 1}, 2**70]


def lawful(row: rrtypes.RRType) -> st.SearchStrategy[bytes]:
    """Wire that no RFC forbids."""
    return rdata_of(row).filter(lambda wire: not recorddata.problem(row.number, wire))


def through_json(value: dict[str, Any]) -> dict[str, Any]:
    again = json.loads(json.dumps(value))
    assert isinstance(again, dict)
    return again


@cache
def validator(rrtype: int) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema(rrtype))
    return Draft202012Validator(schema(rrtype))


def read(kind: str, value: Any) -> bytes:
    return from_structured(rrtypes.by_name(kind), value)


def refusal(kind: str, value: Any) -> str:
    with pytest.raises(TextError) as caught:
        read(kind, value)
    return str(caught.value)


@pytest.mark.parametrize("triple", TRIPLES, ids=triple_id)
def test_text_and_structured_form_are_two_ways_to_say_one_thing(triple: Triple) -> None:
    value = through_json(to_structured(triple.rrtype, recorddata.to_wire(triple.rrtype, triple.text)))
    assert recorddata.to_text(triple.rrtype, from_structured(triple.rrtype, value)) == triple.text
    validator(triple.rrtype).validate(value)


@every_row
@few
@given(data=st.data())
def test_wire_to_structured_to_wire_is_the_identity(row: rrtypes.RRType, data: st.DataObject) -> None:
    wire = data.draw(lawful(row))
    value = through_json(to_structured(row.number, wire))
    assert from_structured(row.number, value) == wire
    assert to_structured(row.number, from_structured(row.number, value)) == value
    validator(row.number).validate(value)


@every_row
@few
@given(octets=st.binary(max_size=60))
def test_any_valid_octets_have_a_structured_form(row: rrtypes.RRType, octets: bytes) -> None:
    try:
        rdata.check(row.number, octets)
    except WireError:
        return
    if not recorddata.problem(row.number, octets):
        assert from_structured(row.number, through_json(to_structured(row.number, octets))) == octets


@every_row
@few
@given(data=st.data())
def test_what_the_schema_refuses_is_refused_and_the_rest_is_valid(row: rrtypes.RRType, data: st.DataObject) -> None:
    value = to_structured(row.number, data.draw(lawful(row)))
    key = data.draw(st.sampled_from(sorted(value)))
    broken = value | {key: data.draw(st.sampled_from(NOT_JSON_OF_ANY_FIELD))}
    if data.draw(st.booleans()):
        del broken[key]
    try:
        wire = from_structured(row.number, broken)
    except TextError as error:
        assert str(error).startswith(f"not valid {row.name} data: ")
        return
    validator(row.number).validate(broken)
    rdata.check(row.number, wire)


@given(type_numbers.filter(lambda rrtype: rrtypes.row(rrtype) is None), st.binary(max_size=60))
def test_unknown_types_are_hexadecimal(rrtype: int, octets: bytes) -> None:
    assert to_structured(rrtype, octets) == {"rdata": octets.hex()}
    assert from_structured(rrtype, {"rdata": octets.hex().upper()}) == octets


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("A", "192.0.2.1", {"address": "192.0.2.1"}),
        ("MX", "10 mail.example.", {"preference": 10, "exchange": "mail.example."}),
        ("SSHFP", f"4 2 {SHA256}", {"algorithm": 4, "fp_type": 2, "fingerprint": SHA256}),
        ("TXT", r'"a \"q\"" "\195\169\\"', {"strings": ['a "q"', r"\195\169\\"]}),
        ("CAA", '128 issue ";"', {"flags": 128, "tag": "issue", "value": ";"}),
        ("ISDN", '"1"', {"address": "1"}),
        ("ISDN", '"1" ""', {"address": "1", "subaddress": ""}),
        ("IPN", "18446744073709551615", {"node": "18446744073709551615"}),
        ("NSEC", "b. A TYPE1234", {"next_domain": "b.", "types": ["A", "TYPE1234"]}),
        ("WKS", "192.0.2.1 6 25 80", {"address": "192.0.2.1", "protocol": 6, "ports": [25, 80]}),
        ("NULL", r"\# 2 00ff", {"rdata": "00ff"}),
        ("LOC", r"\# 3 010203", {"rdata": "010203"}),
        (
            "HTTPS",
            '1 . mandatory="alpn" alpn="h2,h3" no-default-alpn port="443" ech="AQID" key667="\\000"',
            {
                "priority": 1,
                "target": ".",
                "parameters": {
                    "mandatory": ["alpn"], "alpn": ["h2", "h3"], "no-default-alpn": True, "port": 443, "ech": "AQID",
                    "key667": r"\000",
                },
            },
        ),
        (
            "LOC",
            "52 22 23.001 N 4 53 32 W -2.5m 0.3m 20m 10000m",
            {
                "latitude": 188543001 / 3600000, "longitude": -17612000 / 3600000, "altitude": -2.5, "size": 0.3,
                "horizontal_precision": 20, "vertical_precision": 10000,
            },
        ),
        (
            "APL",
            "1:192.0.2.0/24 !2:2001:db8::/32",
            {
                "prefixes": [
                    {"family": 1, "prefix": 24, "negation": False, "address": "192.0.2.0"},
                    {"family": 2, "prefix": 32, "negation": True, "address": "2001:db8::"},
                ]
            },
        ),
        (
            "AMTRELAY",
            "10 1 3 relay.example.",
            {"precedence": 10, "discovery_optional": True, "relay_type": 3, "relay": "relay.example."},
        ),
        (
            "IPSECKEY",
            "10 0 2 . AQID",
            {"precedence": 10, "gateway_type": 0, "algorithm": 2, "gateway": None, "public_key": "AQID"},
        ),
        (
            "HIP",
            "2 2001 AQID rvs.example.",
            {"pk_algorithm": 2, "hit": "2001", "public_key": "AQID", "servers": ["rvs.example."]},
        ),
    ],
)  # fmt: skip
def test_the_form_is_as_documented(kind: str, text: str, value: dict[str, Any]) -> None:
    rrtype = rrtypes.by_name(kind)
    wire = recorddata.to_wire(rrtype, text)
    assert to_structured(rrtype, wire) == value
    assert from_structured(rrtype, value) == wire


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        ("TXT", {"strings": ["é"]}, r'"\195\169"'),
        ("TXT", {"strings": [r"\"\065"]}, r'"\"A"'),
        ("NSEC", {"next_domain": "b.", "types": ["NS", "a"]}, "b. A NS"),
        ("TLSA", {"usage": 3, "selector": 1, "matching_type": 1, "data": SHA256.upper()}, f"3 1 1 {SHA256}"),
        ("SVCB", {"priority": 1, "target": ".", "parameters": {"port": 1, "alpn": ["h2"]}}, '1 . alpn="h2" port="1"'),
        ("LOC", {"rdata": "00000000000000000000000000000000"}, r"\# 16 00000000000000000000000000000000"),
    ],
)
def test_other_spellings_are_read(kind: str, value: dict[str, Any], meant: str) -> None:
    assert recorddata.to_text(rrtypes.by_name(kind), read(kind, value)) == meant


SRV = {"priority": 0, "weight": 0, "port": 443, "target": "a."}
HTTPS = {"priority": 1, "target": "."}
TLSA = {"usage": 3, "selector": 1}


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("SRV", [], "expected an object with the fields priority, weight, port, target"),
        ("SRV", SRV | {"port": "443"}, 'port: expected a number from 0 to 65535, not "443"'),
        ("SRV", SRV | {"port": True}, "port: expected a number from 0 to 65535, not true"),
        ("SRV", SRV | {"target": "a"}, 'target: "a" must end with a dot'),
        ("SRV", SRV | {"target": None}, "target: expected a domain name that ends with a dot, not null"),
        ("SRV", SRV | {"target": "ü."}, "must be ASCII"),
        ("SRV", SRV | {"target": "a\n."}, 'target: expected a domain name that ends with a dot, not "a\\n."'),
        ("SRV", SRV | {"target": "a b."}, 'target: expected a domain name that ends with a dot, not "a b."'),
        ("SRV", SRV | {"host": "a."}, "host: unknown; expected priority, weight, port, target"),
        ("A", {}, "address: is missing; expected an IPv4 address such as 192.0.2.1"),
        ("A", {"address": "192.0.2.1 "}, "address: expected an IPv4 address"),
        ("TXT", {"strings": []}, "strings: expected one or more strings, not []"),
        ("TXT", {"strings": ["a", "x" * 256]}, "strings[1]: a string holds at most 255 octets, this one has 256"),
        ("TXT", {"strings": ["\n"]}, r"strings[0]: expected at most 255 octets as text, escapes being \DDD and \\"),
        ("TXT", {"strings": [r"\256"]}, "strings[0]: expected at most 255 octets as text"),
        ("TXT", {"strings": ["\ud800"]}, "strings[0]: expected at most 255 octets as text"),
        ("CAA", {"flags": 0, "tag": "a b", "value": ""}, 'tag: expected letters and digits, not "a b"'),
        ("DS", {"key_tag": 1, "algorithm": 8, "digest_type": 2, "digest": "00"}, "digest: expected 32 octets"),
        ("TLSA", TLSA | {"matching_type": 1, "data": "00"}, "data: expected 32 octets (64 digits) for matching_type 1"),
        ("NSEC", {"next_domain": "b.", "types": ["A", "TYPE1"]}, "types: the same stands there twice"),
        ("NSEC", {"next_domain": "b.", "types": ["NOTYPE"]}, "types[0]: expected a record type such as A or TYPE65280"),
        ("HTTPS", HTTPS | {"parameters": {"port": ""}}, 'parameters: port: expected a number from 0 to 65535, not ""'),
        ("HTTPS", HTTPS | {"parameters": {"key3": "x"}}, "key3 is written port"),
        ("HTTPS", HTTPS | {"parameters": {"prot": 1}}, "expected a key such as port or key123, not \"prot\""),
        ("HTTPS", HTTPS | {"parameters": {"ohttp": False}}, "ohttp: expected true, not false"),
        ("HTTPS", HTTPS | {"parameters": {"no-default-alpn": True}}, "no-default-alpn needs alpn"),
        ("HTTPS", HTTPS | {"parameters": {"mandatory": ["alpn"]}}, "mandatory: expected other keys that are given"),
        ("SVCB", HTTPS | {"parameters": {"dohpath": "q"}}, "parameters: dohpath: expected a relative URI template"),
        ("AMTRELAY", {"precedence": 1, "discovery_optional": 1, "relay_type": 4, "relay": 5},
         "discovery_optional: expected true or false, not 1; relay_type: expected a type from 0 to 3, not 4"),
        ("IPSECKEY", {"precedence": 1, "gateway_type": 3, "algorithm": 2, "gateway": "192.0.2.1", "public_key": ""},
         'gateway: "192.0.2.1" must end with a dot'),
        ("APL", {"prefixes": [{"family": 1, "prefix": 33, "negation": False, "address": "::"}]},
         "prefixes[0]: address: expected an IPv4 address"),
        ("APL", {"prefixes": [{"family": 1, "prefix": 33, "negation": False, "address": "192.0.2.0"}]},
         "prefixes[0]: prefix: expected bits from 0 to 32, not 33"),
        ("LOC", {"latitude": 91}, "latitude: expected degrees north from -90 to 90, not 91; longitude: is missing"),
        ("LOC", {"size": 15}, "size: expected diameter in metres, one digit and zeros"),
        ("NULL", {"rdata": "abc"}, "rdata: expected hexadecimal digits, two for each octet"),
        ("A", {"rdata": "c0000201"}, "rdata: unknown; expected address"),
        ("DHCID", {"data": "A" * 100000}, "does not fit into a DNS message"),
        ("ANY", {"rdata": ""}, "ANY is a type of questions, not of records"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_what_it_takes(kind: str, value: Any, reason: str) -> None:
    assert reason in refusal(kind, value)


def test_all_problems_of_a_record_are_told_at_once() -> None:
    assert refusal("SRV", {"priority": -1, "weight": 1.5, "target": "a", "prot": 1}) == (
        "not valid SRV data: prot: unknown; expected priority, weight, port, target; "
        "priority: expected a number from 0 to 65535, not -1; weight: expected a number from 0 to 65535, not 1.5; "
        'port: is missing; expected a number from 0 to 65535; target: "a" must end with a dot'
    )


def test_every_type_has_a_schema_with_described_fields() -> None:
    assert schemas().keys() == {row.name for row in ROWS}
    for name, found in schemas().items():
        assert found["title"] == name
        for form in found.get("anyOf", [found]):
            assert all(field["description"] for field in form["properties"].values())


def test_a_schema_is_json_schema_that_openapi_can_take() -> None:
    assert schema(rrtypes.by_name("L32")) == {
        "title": "L32",
        "type": "object",
        "properties": {
            "preference": {
                "type": "integer", "minimum": 0, "maximum": 65535, "description": "a number from 0 to 65535",
            },
            "locator": {
                "type": "string", "description": "an IPv4 address such as 192.0.2.1",
            },
        },
        "required": ["preference", "locator"],
        "additionalProperties": False,
    }  # fmt: skip
