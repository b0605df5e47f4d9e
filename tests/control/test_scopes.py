# SPDX-License-Identifier: Apache-2.0
"""What grants allow, as pure functions: patterns, actions, networks, and what is refused as a grant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control import scopes
from control.scopes import ACTIONS, TokenScope


def scope(*grants: dict[str, Any], networks: tuple[str, ...] = ()) -> TokenScope:
    made, problems = scopes.read(grants, networks)
    assert made is not None, problems
    return made


ALL = list(ACTIONS)
ACME = {"zone": "*.org.", "name": "_acme-challenge.*", "types": ["txt"], "actions": ["read", "create", "delete"]}

# Grant, then action, zone, name, type → allowed?
CASES = [
    ({"zone": "example.org.", "actions": ALL}, ("delete", "example.org."), True),
    ({"zone": "example.org.", "actions": ALL}, ("delete", "EXAMPLE.org."), True),
    ({"zone": "example.org", "actions": ALL}, ("update", "example.org.", "www.example.org.", "A"), True),
    ({"zone": "example.org.", "actions": ALL}, ("read", "sub.example.org."), False),
    ({"zone": "example.org.", "actions": ALL}, ("read", "badexample.org."), False),
    ({"zone": "*.example.org.", "actions": ALL}, ("create", "a.b.example.org."), True),
    ({"zone": "*.example.org.", "actions": ALL}, ("create", "example.org."), False),
    ({"zone": "*", "actions": ["read"]}, ("read", "example.org.", "a.example.org.", "TYPE65280"), True),
    ({"zone": "*", "actions": ["read"]}, ("update", "example.org.", "a.example.org.", "A"), False),
    ({"zone": "*", "actions": ["read"]}, ("delete", "example.org."), False),
    (ACME, ("create", "example.org.", "_acme-challenge.example.org.", "TXT"), True),
    (ACME, ("create", "example.org.", "_ACME-Challenge.www.example.org.", "TXT"), True),
    (ACME, ("update", "example.org.", "_acme-challenge.example.org.", "TXT"), False),
    (ACME, ("create", "example.org.", "_acme-challenge.example.org.", "A"), False),
    (ACME, ("create", "example.org.", "www.example.org.", "TXT"), False),
    (ACME, ("create", "example.org.", "x._acme-challenge.example.org.", "TXT"), False),
    (ACME, ("read", "example.org."), True),
    (ACME, ("create", "example.org."), False),
    (ACME, ("delete", "example.org."), False),
    (ACME, ("", "example.org."), True),
    (ACME, ("", "example.com."), False),
    # A dot that is part of a label is none between labels.
    ({"zone": "*", "name": "*.dyn.example.org.", "actions": ALL},
     ("create", "example.org.", "x\\.dyn.example.org.", "A"), False),
    ({"zone": "*", "name": "*.dyn.example.org.", "actions": ALL},
     ("create", "example.org.", "x\\046dyn.example.org.", "A"), False),
    ({"zone": "*", "name": "www.example.org.", "actions": ALL},
     ("create", "example.org.", "\\119ww.example.org.", "A"), True),
    ({"zone": "*", "name": "a.b.", "actions": ALL}, ("create", "b.", "axb.", "A"), False),
]  # fmt: skip


@pytest.mark.parametrize(("grant", "asked", "allowed"), CASES)
def test_grant_allows_what_it_says_and_nothing_else(grant: Any, asked: tuple[str, ...], allowed: bool) -> None:
    reason = scope(grant).check(*asked)
    assert (reason is None) == allowed, reason


def test_reason_says_what_the_token_may_not_do() -> None:
    assert scope(ACME).check("delete", "example.org.") == "this token may not delete zone example.org."
    assert scope(ACME).check("read", "example.com.") == "this token may not read zone example.com."
    assert (
        scope(ACME).check("update", "a.org.", "b.a.org.", "A") == "this token may not update b.a.org. A in zone a.org."
    )


def test_grants_add_up_but_do_not_mix() -> None:
    both = scope({"zone": "a.org.", "actions": ["read"]}, {"zone": "b.org.", "actions": ["update"], "types": ["A"]})
    assert both.check("read", "a.org.", "x.a.org.", "A") is None
    assert both.check("update", "b.org.", "x.b.org.", "A") is None
    assert both.check("update", "a.org.", "x.a.org.", "A")
    assert both.check("read", "b.org.", "x.b.org.", "A")


def test_what_is_about_a_whole_zone_needs_a_grant_of_the_whole_zone() -> None:
    assert scope(ACME).whole_zones().check("read", "example.org.")
    assert scope({"zone": "*.org.", "actions": ["read"]}).whole_zones().check("read", "example.org.") is None


def test_scope_comes_back_from_json_as_it_went() -> None:
    made = scope(ACME, {"zone": "*", "actions": ["read"]}, networks=("192.0.2.0/24", "2001:db8::/32"))
    assert scopes.from_json(scopes.to_json(made)) == made


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("::ffff:192.0.2.7", True),
        ("::ffff:192.0.3.7", False),
        ("", False),
        (None, False),
    ],
)
def test_networks_say_where_from(address: str | None, allowed: bool) -> None:
    bound = scope(ACME, networks=("192.0.2.0/24", "2001:db8::/32"))
    assert bound.allows_address(address) is allowed
    assert scope(ACME).allows_address(address)


def test_all_that_is_wrong_is_told_at_once() -> None:
    made, problems = scopes.read(
        [
            {"zone": "a..b", "actions": []},
            {"zone": "a\\.b", "name": "", "actions": ["write"], "types": ["A", "NONSENSE"]},
        ],
        ["10.0.0.1/8", "192.0.2.0/24"],
    )
    assert made is None
    assert [problem.path for problem in problems] == [
        ("grants", 0, "zone"),
        ("grants", 0, "actions"),
        ("grants", 1, "zone"),
        ("grants", 1, "name"),
        ("grants", 1, "actions", 0),
        ("grants", 1, "types", 1),
        ("networks", 0),
    ]


LABEL = st.text("ab.\\*_", min_size=1, max_size=4)


@given(st.lists(LABEL, min_size=1, max_size=4), st.lists(LABEL, min_size=1, max_size=4))
def test_pattern_below_a_name_matches_only_names_with_its_labels(left: list[str], right: list[str]) -> None:
    def text(labels: list[str]) -> str:
        return "".join("".join(f"\\{ord(c):03}" for c in label) + "." for label in labels)

    inside = scope({"zone": "*", "name": "*.dyn.example.org.", "actions": ["read"]})
    name = text([*left, *right]) + "example.org."
    assert inside.check("read", "example.org.", name, "A")
    assert inside.check("read", "example.org.", text(left) + "dyn.example.org.", "A") is None
