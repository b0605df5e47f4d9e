# SPDX-License-Identifier: Apache-2.0
"""Which names and fields a zone may have."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from control import soa
from control.model import Master
from control.names import key_of, to_wire
from control.rules import blacklists, zone_fields, zone_names
from control.storage.ids import new_id, utcnow
from control.storage.tables import blacklists as blacklist_table
from control.storage.tables import tlds
from tests.control.conftest import Api
from tests.control.test_zones import refused, zone_body

ENDLESS = r"^(\w|\w\w|\w+\w+)+$"  # it tries every way to cut a label before it gives up at the dot


@pytest.mark.parametrize(
    "name",
    [
        "example.org.",
        "EXAMPLE.org.",
        "xn--bcher-kva.example.",
        "_tcp.example.org.",
        "a_b.example.org.",
        "0-127.2.0.192.in-addr.arpa.",
        "0/25.2.0.192.in-addr.arpa.",
        "a" * 63 + ".org.",
        ("a" * 63 + ".") * 3 + "b" * 61 + ".",  # 255 octets on the wire
        "1.2.3.",
    ],
)
def test_names_of_zones(name: str) -> None:
    assert zone_names.syntax_problems(name) == []
    assert zone_names.size_problems(name) == []
    to_wire(name)


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("example.org", ["it must end with a dot"]),
        ("", ["it must end with a dot", "a label is empty"]),
        (".", ["a label is empty"]),
        ("a..org.", ["a label is empty"]),
        ("*.example.org.", ["* can't stand in it"]),
        ("exa mple.o(rg.", ["  ( can't stand in it"]),
        ("a\\.b.org.", ["\\ can't stand in it"]),
        ("bücher.example.", ["ü can't stand in it; write it as xn--…"]),
        ("a" * 64 + ".org.", ["the label 'aaaaaaaaaaaaaaaaaaaa'… has 64 characters, 63 are allowed"]),
        ("-a.b-.org.", ["the label '-a' begins or ends with a hyphen", "the label 'b-' begins or ends with a hyphen"]),
    ],
)
def test_every_reason_against_a_name_is_told(name: str, reasons: list[str]) -> None:
    found = [problem.message for problem in zone_names.syntax_problems(name)]
    assert found == [f"{name!r} is no zone name: {reason}" for reason in reasons]


def test_name_of_256_octets_is_too_long() -> None:
    name = ("a" * 63 + ".") * 3 + "b" * 62 + "."
    assert [problem.code for problem in zone_names.size_problems(name)] == ["invalid_zone_name"]


# ------------------------------------------------------------------------------------------------------------- fields


@pytest.mark.parametrize("email", ["joe@example.org", "joe+dns@example.org", "j.o.e@example.org", "a'b@x", "joe@a.b."])
def test_emails(email: str) -> None:
    assert zone_fields.email_problems(email) == []
    to_wire(soa.rname(email))


@pytest.mark.parametrize(
    "email",
    ["", "joe", "joe@", "@example.org", "a@b@c", "joe@exa mple.org", "jö@example.org", ".a@b.c", "a..b@c", "a@-b.c",
     "a" * 64 + "@b.c", "a@" + "b" * 64 + ".c", "a@" + ".".join(["b" * 63] * 4), "joe@example.org\n"],
)  # fmt: skip
def test_what_is_no_email_is_told(email: str) -> None:
    assert [problem.path for problem in zone_fields.email_problems(email)] == [("email",)]


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 53),
        ("192.0.2.1:1", "192.0.2.1", 1),
        ("2001:DB8::1", "2001:db8::1", 53),
        ("[2001:db8::1]", "2001:db8::1", 53),
        ("[2001:db8:0::1]:65535", "2001:db8::1", 65535),
        ("::ffff:192.0.2.1", "::ffff:c000:201", 53),
    ],
)
def test_masters_are_addresses_with_or_without_a_port(text: str, host: str, port: int) -> None:
    master = zone_fields.master_of(text)
    assert master == Master(host, port)
    assert zone_fields.master_of(zone_fields.master_text(master)) == master


@pytest.mark.parametrize(
    "text",
    ["", "ns1.example.org", "192.0.2", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:+5", "192.0.2.1:٣",
     "[2001:db8::1", "[2001:db8::1]53", "[2001:db8::1]:", "2001:db8::1::", "[]:53", "0.0.0.0", "224.0.0.1", "ff02::1",
     "fe80::1%" + "x" * 60],
)  # fmt: skip
def test_what_is_no_master_is_told(text: str) -> None:
    assert zone_fields.masters([text])[1][0].path == ("masters", 0)


def test_master_named_twice_is_told() -> None:
    assert [problem.path for problem in zone_fields.masters(["192.0.2.1", "192.0.2.1:53"])[1]] == [("masters", 1)]


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(), st.integers(1, 65535))
def test_any_address_and_port_is_read_back_as_it_is_shown(address: Any, port: int) -> None:
    master = Master(str(address), port)
    again = zone_fields.master_of(zone_fields.master_text(master))
    assert again == (None if address.is_multicast or address.is_unspecified else master)


# --------------------------------------------------------------------------------------------------------------- tlds


def add_tlds(api: Api, *names: str) -> None:
    rows = [{"id": new_id(), "name": name, "name_key": key_of(f"{name}."), "created_at": utcnow()} for name in names]
    api.core.db.write(lambda tx: tx.execute(insert(tlds), rows))


def test_zone_is_below_a_registered_tld_whatever_its_case(api_on: Api) -> None:
    add_tlds(api_on, "org", "Co.UK")
    for name in ("example.org.", "a.example.ORG.", "example.co.uk."):
        api_on.zone(name)
    body = refused(api_on.post("/v2/zones", zone_body(name="example.com.")))
    message = "Invalid TLD: example.com. is not below one that is registered"
    problem = {"path": ["name"], "message": message, "validator": "format", "validator_value": None}
    assert body == {"code": 400, "type": "invalid_zone_name", "message": message, "errors": {"errors": [problem]}}


def test_zone_is_no_tld_itself(api: Api) -> None:
    add_tlds(api, "uk", "co.uk")
    body = refused(api.as_admin.post("/v2/zones", zone_body(name="CO.uk.")))
    assert (body["type"], body["message"]) == ("invalid_zone_name", "CO.uk. is a TLD, and no zone can be one")


# --------------------------------------------------------------------------------------------------------- blacklists


def forbid(api: Api, *patterns: str) -> None:
    rows = [{"id": new_id(), "pattern": pattern, "created_at": utcnow()} for pattern in patterns]
    api.core.db.write(lambda tx: tx.execute(insert(blacklist_table), rows))


def test_blacklisted_name_is_for_admins(api: Api) -> None:
    forbid(api, r"^never\.", r"(?i)(?<!my)bank\.org\.$")
    body = refused(api.post("/v2/zones", zone_body(name="theBANK.org.")))
    message = "Blacklisted zone name: theBANK.org."
    problem = {"path": ["name"], "message": message, "validator": "format", "validator_value": None}
    assert body == {"code": 400, "type": "invalid_zone_name", "message": message, "errors": {"errors": [problem]}}
    api.zone("mybank.org.")
    api.as_admin.zone("thebank.org.")


def test_pattern_that_never_ends_forbids_and_stops_in_time() -> None:
    begun = time.monotonic()
    assert blacklists.forbidding([ENDLESS], "a" * 40 + ".org.") == ENDLESS
    assert time.monotonic() - begun < 2


def test_other_threads_go_on_while_a_pattern_is_searched() -> None:
    """re would hold the interpreter till its end, which never comes."""
    done = threading.Event()
    thread = threading.Thread(target=lambda: (blacklists.forbidding([ENDLESS] * 3, "b" * 40 + ".org."), done.set()))
    thread.start()
    assert done.wait(10)
    thread.join()


def test_pattern_that_is_none_is_told() -> None:
    assert blacklists.pattern_problem("(") == "'(' is no regular expression: missing ) at position 1"
    assert blacklists.pattern_problem("^a$") is None


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300))
def test_any_text_is_a_name_that_the_wire_takes_or_has_a_reason(text: str) -> None:
    if not zone_names.syntax_problems(text) and not zone_names.size_problems(text):
        to_wire(text)
