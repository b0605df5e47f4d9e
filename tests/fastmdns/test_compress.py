# SPDX-License-Identifier: Apache-2.0
"""Names come out as short as what stands before them allows, and come back octet for octet."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmdns.compress import compress
from fastmdns.errors import WireError
from tests.fastmdns.zones import wire

octets = st.sampled_from([b"\0", b"a", b"A", b"\xff", b"ab", b"x" * 8, b"x" * 9, b"y" * 17, b"z" * 63])
names = st.lists(octets, max_size=3).map(lambda labels: b"".join(bytes([len(x)]) + x for x in labels) + b"\0")


def unpack(message: bytes, count: int) -> list[bytes]:
    pos, found = 12, []
    for _ in range(count):
        name, size = dns.name.from_wire(message, pos)
        found.append(name.to_wire() or b"")
        pos += size
    assert pos == len(message)
    return found


@given(st.lists(names, max_size=60))
def test_names_come_back_as_they_were(given_names: list[bytes]) -> None:
    message = bytes(12) + compress(given_names)
    assert unpack(message, len(given_names)) == given_names


@pytest.mark.parametrize(
    ("first", "second", "size"),
    [
        ("www.example.org", "www.example.org", 2),
        ("www.example.org", "mail.example.org", 7),
        ("www.example.org", "example.org", 2),
        ("www.example.org", "a.www.example.org", 4),
        ("www.example.org", "www.Example.org", 14),  # another case of "example" is another label
        ("www.example.org", "www.example.net", 17),
        ("www.example.org", ".", 1),
    ],
)
def test_a_name_is_as_short_as_the_one_before_it_allows(first: str, second: str, size: int) -> None:
    assert len(compress([wire(first), wire(second)])) == len(wire(first)) + size


def test_nothing_points_beyond_offset_16383() -> None:
    before = [wire(f"{'x' * 60}{number:03d}") for number in range(260)]
    late = wire("late.example")
    written = compress([*before, late, late])
    assert len(before) * 65 > 0x3FFF
    assert written.endswith(late + late)


def test_more_names_than_the_table_holds_are_still_names() -> None:
    many = [bytes([1, 97 + number % 26, 1, 97 + number // 26 % 26, 1, 97 + number // 676, 0]) for number in range(9000)]
    message = bytes(12) + compress(many)
    assert unpack(message, len(many)) == many


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(WireError):
        compress([b"\3ab\0"])
