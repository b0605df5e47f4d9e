# SPDX-License-Identifier: Apache-2.0
from ipaddress import ip_address

import pytest

from fastmdns import name
from fastmdns.access import LOOPBACK, AccessTable, parse_rule
from fastmdns.errors import ConfigError

KEY = name.from_text("key.example.")
OTHER = name.from_text("other.example.")
ORG = name.from_text("example.org.")
COM = name.from_text("example.com.")


def packed(text):
    return ip_address(text).packed


@pytest.mark.parametrize(
    ("rule", "address", "key", "allowed"),
    [
        ("192.0.2.0/24", "192.0.2.255", None, True),
        ("192.0.2.0/24", "192.0.3.0", None, False),
        ("192.0.2.1", "192.0.2.1", None, True),
        ("192.0.2.1", "192.0.2.2", None, False),
        ("192.0.2.0/24", "192.0.2.7", OTHER, True),
        ("0.0.0.0/0", "2001:db8::1", None, False),
        ("2001:db8::/32", "2001:db8:1::1", None, True),
        ("2001:db8::/32", "2001:db9::1", None, False),
        ("192.0.2.0/24", "::ffff:192.0.2.9", None, True),
        ("::/0", "::ffff:192.0.2.9", None, False),
        ("key:key.example", "203.0.113.1", KEY, True),
        ("key:KEY.example.", "203.0.113.1", KEY, True),
        ("key:key.example", "203.0.113.1", OTHER, False),
        ("key:key.example", "203.0.113.1", None, False),
        ("192.0.2.0/24+key:key.example", "192.0.2.1", KEY, True),
        ("192.0.2.0/24+key:key.example", "192.0.2.1", None, False),
        ("192.0.2.0/24+key:key.example", "203.0.113.1", KEY, False),
    ],
)
def test_a_rule_allows_what_both_its_parts_match(rule, address, key, allowed):
    assert AccessTable([rule]).allows(packed(address), key, ORG) is allowed


@pytest.mark.parametrize("text", ["", "example", "192.0.2.1/24", "192.0.2.0/33", "key:", "key:a..b", "key:a+192.0.2.1",
                                  "192.0.2.0/24+", "192.0.2.0/24+192.0.2.1", "+key:a"])  # fmt: skip
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(ConfigError, match=r"rule|expected|key"):
        parse_rule(text)


@pytest.mark.parametrize(("address", "allowed"), [("127.9.9.9", True), ("::1", True), ("192.0.2.1", False)])
def test_by_default_only_loopback_is_allowed(address, allowed):
    assert AccessTable(LOOPBACK).allows(packed(address), None, ORG) is allowed


def test_an_empty_list_allows_nobody():
    assert not AccessTable([]).allows(packed("127.0.0.1"), None, ORG)


def test_a_zone_with_rules_of_its_own_does_not_ask_the_servers():
    table = AccessTable(["192.0.2.0/24"], {ORG: ["203.0.113.0/24"]})
    assert table.allows(packed("203.0.113.1"), None, ORG)
    assert not table.allows(packed("192.0.2.1"), None, ORG)
    assert table.allows(packed("192.0.2.1"), None, COM)
    assert not table.allows(packed("203.0.113.1"), None, COM)


def test_a_zones_rules_hold_whatever_the_case_of_its_name():
    table = AccessTable([], {b"\x07EXAMPLE\x03ORG\x00": ["192.0.2.1"]})
    assert table.allows(packed("192.0.2.1"), None, ORG)


def test_thousands_of_zones_with_the_same_rules_are_one_decision():
    zones = {name.from_text(f"z{number}.example."): ["192.0.2.0/24"] for number in range(1000)}
    assert AccessTable(["203.0.113.1"], zones).decide(packed("192.0.2.1")) == (False, True)
