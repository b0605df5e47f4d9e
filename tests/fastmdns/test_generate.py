# SPDX-License-Identifier: Apache-2.0
"""$GENERATE's ranges and templates mean what they mean to BIND."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmdns import generate


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1-3", [1, 2, 3]),
        ("0-10/5", [0, 5, 10]),
        ("7-7", [7]),
        ("1-10/20", [1]),
        ("2147483647-2147483647", [2**31 - 1]),
    ],
)
def test_a_range_counts_from_start_to_stop(text: str, numbers: list[int]) -> None:
    assert list(generate.number_range(text)) == numbers


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected a range like"),
        ("1", "expected a range like"),
        ("a-b", "expected a range like"),
        ("-1-2", "expected a range like"),
        ("1-2-3", "expected a range like"),
        ("1-2/", "expected a range like"),
        ("2-1", "a range that goes up"),
        ("1-2/0", "a range that goes up"),
        ("1-2147483648", "a range that goes up"),
        ("0-1048576", "at most 1048576 records"),
    ],
)
def test_another_range_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        generate.number_range(text)


def test_the_largest_range_is_allowed() -> None:
    assert len(generate.number_range("1-1048576")) == generate.MAX_RECORDS


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("a$b$", "a26b26"),
        ("$$", "\\$"),
        ("\\$x", "\\$x"),
        ("\\\\$", "\\\\26"),
        ("${0}", "26"),
        ("${-20}", "6"),
        ("${4,5}", "00030"),
        ("${0,1}", "26"),
        ("${0,0,d}", "26"),
        ("${0,4,o}", "0032"),
        ("${0,0,x}${0,3,X}", "1a01A"),
        ("${0,1,n}", "a.1"),
        ("${0,3,n}", "a.1"),
        ("${0,4,n}", "a.1."),
        ("${0,5,N}", "A.1.0"),
        ("{0}", "{0}"),
    ],
)
def test_a_template_is_filled_in(template: str, text: str) -> None:
    assert generate.template(template)(26) == text


@pytest.mark.parametrize("text", ["${}", "${x}", "${0,}", "${0,1,}", "${0,1,z}", "${0,1,d,2}", "${0, 1}", "${0,999}"])
def test_another_modifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|a width"):
        generate.template(text)


@pytest.mark.parametrize("text", ["${-27}", "${2147483647}", "${-27,2,n}"])
def test_numbers_stay_in_range(text: str) -> None:
    with pytest.raises(ValueError, match="an offset leads out"):
        generate.template(text)(26)


@given(st.integers(0, 2**31 - 1), st.integers(0, 63))
def test_nibbles_spell_the_number_backwards(number: int, width: int) -> None:
    text = generate.template(f"${{0,{width},n}}")(number)
    assert int(text.replace(".", "")[::-1], 16) == number
    assert len(text) == max(width, 2 * len(f"{number:x}") - 1)
