# SPDX-License-Identifier: Apache-2.0
"""Names: every octet has a text, wire comes back, keys sort as RFC 4034 §6.1 says, and nothing malformed gets in."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmdns import name, rdata
from fastmdns.errors import TextError, WireError
from tests.strategies import names, wire_name

ORIGIN = b"\7example\3org\0"
LONGEST = wire_name([b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61])


def dnspython_name(wire: bytes) -> dns.name.Name:
    return dns.name.from_wire(wire, 0)[0]


@given(names)
def test_text_is_read_back_as_the_same_octets(wire: bytes) -> None:
    assert name.from_text(name.to_text(wire)) == wire


@given(names)
def test_text_is_what_dnspython_prints(wire: bytes) -> None:
    assert name.to_text(wire) == dnspython_name(wire).to_text()


@given(st.lists(names, max_size=12))
def test_keys_sort_in_canonical_order(wires: list[bytes]) -> None:
    by_key = sorted({name.lower(wire) for wire in wires}, key=name.key)
    assert by_key == sorted(by_key, key=dnspython_name)


@given(names)
def test_a_key_gives_its_name_back_in_lower_case(wire: bytes) -> None:
    assert name.from_key(name.key(wire)) == name.lower(wire)


@given(names, names)
def test_a_key_starts_with_the_key_of_every_ancestor_and_of_no_other_name(one: bytes, other: bytes) -> None:
    assert name.key(one).startswith(name.key(other)) == name.within(one, other)


@given(st.binary(max_size=30))
def test_octets_that_are_no_key_are_refused_as_one(octets: bytes) -> None:
    try:
        wire = name.from_key(octets)
    except WireError:
        return
    assert name.key(wire) == octets


@given(st.binary(max_size=300))
def test_from_key_never_gives_an_invalid_name(octets: bytes) -> None:
    try:
        name.check(name.from_key(octets))
    except WireError as error:
        assert error.reason == "not a canonical key"


@given(names)
def test_within_agrees_with_dnspython(wire: bytes) -> None:
    zone = dns.name.from_text("Example.")
    assert name.within(wire, b"\7example\0") == dnspython_name(wire).is_subdomain(zone)


@given(names)
def test_lower_touches_ascii_letters_only(wire: bytes) -> None:
    assert name.lower(wire) == bytes(octet + 32 if 65 <= octet <= 90 else octet for octet in wire)


@given(names.filter(lambda wire: wire != b"\0"))
def test_parent_drops_one_label(wire: bytes) -> None:
    assert name.labels(name.parent(wire)) == name.labels(wire) - 1


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        (".", b"\0"),
        ("@", ORIGIN),
        ("www", b"\3www" + ORIGIN),
        ("www.example.com.", b"\3www\7example\3com\0"),
        (r"a\.b.", b"\3a.b\0"),
        (r"\065\@\\.", b"\3A@\\\0"),
        (r"\000\255.", b"\2\0\xff\0"),
        (r"\@", b"\1@" + ORIGIN),
        ("*.", b"\1*\0"),
        ("a" * 63 + ".", b"\x3f" + b"a" * 63 + b"\0"),
    ],
)
def test_text_becomes_wire(text: str, wire: bytes) -> None:
    assert name.from_text(text, ORIGIN) == wire


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "label is empty"),
        ("..", "label is empty"),
        (".a.", "label is empty"),
        ("a..b.", "label is empty"),
        ("a" * 64 + ".", "longer than 63"),
        ("a" * 64, "longer than 63"),
        ("\\", "escape"),
        ("a\\25", "escape"),
        (r"\256.", "escape"),
        (r"\2a5.", "escape"),
        (("a" * 63 + ".") * 4, "longer than 255"),
        ("bücher.", "xn--"),
    ],
)
def test_text_that_is_no_name_says_why(text: str, reason: str) -> None:
    with pytest.raises(TextError, match=reason):
        name.from_text(text, ORIGIN)


def test_a_relative_name_needs_an_origin() -> None:
    with pytest.raises(TextError, match="relative"):
        name.from_text("www")


def test_the_longest_name_has_255_octets() -> None:
    assert name.from_text(name.to_text(LONGEST)) == LONGEST
    assert len(LONGEST) == 255


def test_an_origin_that_makes_the_name_256_octets_is_refused() -> None:
    with pytest.raises(TextError, match="longer than 255"):
        name.from_text("a", wire_name([b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 60]))


def test_a_name_may_have_127_labels() -> None:
    wire = b"\1a" * 127 + b"\0"
    assert name.labels(name.from_text("a." * 127)) == 127
    assert name.from_key(name.key(wire)) == wire


@pytest.mark.parametrize(
    "wire",
    [b"", b"\1", b"\1a", b"\x40" + b"a" * 64 + b"\0", b"\xc0\x00", b"\0\0", wire_name([b"a" * 63] * 4)],
    ids=["empty", "cut", "no root", "label of 64", "pointer", "two names", "257 octets"],
)
def test_malformed_wire_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        name.check(wire)


def test_the_root_has_no_parent() -> None:
    with pytest.raises(ValueError, match="parent"):
        name.parent(b"\0")


NS = 2


@pytest.mark.parametrize(
    ("message", "offset", "wire"),
    [
        (b"\1a\0" + b"\1b\xc0\x00", 3, b"\1b\1a\0"),
        (b"\1a\0" + b"\xc0\x00" + b"\1b\xc0\x03", 5, b"\1b\1a\0"),
        (b"\1a\1b\0" + b"\xc0\x02", 5, b"\1b\0"),
        (b"\1a\0" + b"\xc0\x02", 3, b"\0"),
    ],
    ids=["one pointer", "pointer to pointer", "into the middle", "to a root"],
)
def test_pointers_are_followed(message: bytes, offset: int, wire: bytes) -> None:
    assert rdata.unpack(NS, message, offset, len(message) - offset) == wire


@pytest.mark.parametrize(
    ("message", "offset", "reason"),
    [
        (b"\xc0\x00", 0, "backwards"),
        (b"\0\xc0\x02\0", 1, "backwards"),
        (b"\1a\xc0\x00", 0, "backwards"),
        (b"\1a\xc0\x04\xc0\x00", 4, "backwards"),
        (b"\0\xc0", 1, "too early"),
        (b"\0\3ab", 1, "too early"),
        (b"\0\x40a\0", 1, "label"),
        (b"\0\x80a\0", 1, "label"),
        (wire_name([b"a" * 63] * 3) + b"\x3f" + b"b" * 63 + b"\xc0\x00", 193, "longer than 255"),
    ],
    ids=["itself", "forward", "own name", "loop of two", "cut pointer", "cut label", "01", "10", "256 octets"],
)
def test_pointers_that_do_not_go_backwards_end_nowhere(message: bytes, offset: int, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        rdata.unpack(NS, message, offset, len(message) - offset)


def test_a_name_inside_rdata_ends_within_it() -> None:
    with pytest.raises(WireError, match="too early"):
        rdata.unpack(NS, b"\3abc\0", 0, 3)
