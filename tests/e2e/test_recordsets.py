# SPDX-License-Identifier: Apache-2.0
"""Recordsets by the `openstack` command."""

from __future__ import annotations

import pytest

from tests.e2e.clients import OpenStack
from tests.e2e.conftest import Service, Workers
from tests.e2e.test_zones import make

# Type, name below the zone, and records as people write them.
WRITTEN = [
    ("A", "a", ["192.0.2.1", "192.0.2.2"]),
    ("AAAA", "aaaa", ["2001:db8::1"]),
    ("CNAME", "cname", ["www.example.net."]),
    ("MX", "mx", ["10 mail.example.net.", "20 mail2.example.net."]),
    ("NS", "sub", ["ns1.example.net."]),
    ("TXT", "txt", ['"v=spf1 -all"', '"two" "strings"']),
    ("SPF", "spf", ['"v=spf1 -all"']),
    ("SRV", "_sip._tcp", ["0 5 5060 sip.example.net."]),
    ("SRV", "_none._tcp", ["0 0 0 ."]),
    ("PTR", "ptr", ["host.example.net."]),
    ("SSHFP", "sshfp", ["4 2 " + "ab" * 32]),
    ("CAA", "caa", ['0 issue "letsencrypt.org"', '128 issuewild ";"']),
    ("NAPTR", "naptr", ['100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .']),
    ("TLSA", "_443._tcp", ["3 1 1 " + "cd" * 32]),
    ("HTTPS", "https", ["1 . alpn=h2,h3"]),
    ("SVCB", "svcb", ["1 svc.example.net. port=8443"]),
    ("CERT", "cert", ["PKIX 1 RSASHA256 YWJj"]),
    ("DS", "sub", ["12345 13 2 " + "ef" * 32]),
]


@pytest.fixture
def zone(alice: OpenStack, apex: str) -> str:
    """The id of a zone of alice's."""
    return make(alice, apex)


def test_every_type_comes_back_as_it_was_written(alice: OpenStack, zone: str) -> None:
    for rrtype, name, records in WRITTEN:
        options = [word for record in records for word in ("--record", record)]
        made = alice("recordset create", zone, name, "--type", rrtype, *options)
        assert (made["type"], made["records"].split("\n")) == (rrtype, records)
    shown = {(found["type"], found["name"].split(".")[0]): found["records"] for found in alice("recordset list", zone)}
    for rrtype, name, records in WRITTEN:
        assert shown[rrtype, name.split(".")[0]].split("\n") == records


def test_a_recordset_is_shown_changed_and_deleted(alice: OpenStack, workers: Workers, zone: str, apex: str) -> None:
    made = alice("recordset create", apex, "www", "--type", "A", "--record", "192.0.2.1", "--ttl", 60)
    assert (made["name"], made["ttl"], made["status"], made["action"]) == (f"www.{apex}", 60, "PENDING", "CREATE")
    workers.confirm()
    shown = alice("recordset show", apex, f"www.{apex}")  # both found by their names
    assert (shown["id"], shown["status"], shown["action"]) == (made["id"], "ACTIVE", "NONE")
    changed = alice("recordset set", zone, made["id"], "--no-ttl", "--description", "web")
    assert (changed["ttl"], changed["description"], changed["records"]) == (None, "web", "192.0.2.1")
    changed = alice("recordset set", zone, made["id"], "--record", "192.0.2.2", "--record", "192.0.2.3")
    assert (changed["records"], changed["status"], changed["action"]) == ("192.0.2.2\n192.0.2.3", "PENDING", "UPDATE")
    deleted = alice("recordset delete", zone, made["id"])
    assert (deleted["action"], deleted["status"]) == ("DELETE", "PENDING")
    assert alice.refused("recordset show", zone, made["id"]) == "Could not find RecordSet"


def test_a_list_is_filtered_by_each_of_its_fields(alice: OpenStack, workers: Workers, zone: str, apex: str) -> None:
    alice(
        "recordset create", zone, "one", "--type", "A", "--record", "192.0.2.1", "--ttl", 61, "--description", "first"
    )
    alice("recordset create", zone, "two", "--type", "TXT", "--record", '"some text"')
    workers.confirm()
    for filters, names in (
        (["--type", "A"], ["one"]),
        (["--name", f"t*.{apex}"], ["two"]),
        (["--data", '"some text"'], ["two"]),
        (["--data", "192.0.2.*"], ["one"]),
        (["--ttl", 61], ["one"]),
        (["--description", "first", "--status", "ACTIVE"], ["one"]),
        (["--status", "ERROR"], []),
    ):
        found = alice("recordset list", zone, "--long", *filters)
        assert [recordset["name"].split(".")[0] for recordset in found] == names


def test_recordsets_are_found_across_zones(alice: OpenStack, bob: OpenStack, zone: str, apex: str) -> None:
    other = make(alice, f"other.{apex}")
    for zone_id in (zone, other):
        alice("recordset create", zone_id, "www", "--type", "TXT", "--record", f'"{apex}"')
    found = alice("recordset list", "all", "--data", f'"{apex}"')
    assert sorted(recordset["zone_name"] for recordset in found) == sorted([apex, f"other.{apex}"])
    assert bob("recordset list", "all", "--data", f'"{apex}"') == []


def test_a_long_list_is_whole(service: Service, alice: OpenStack, zone: str, apex: str) -> None:
    http = service.http("alice")
    for number in range(25):
        body = {"name": f"host{number}.{apex}", "type": "A", "records": ["192.0.2.1"]}
        http.ok("POST", f"/zones/{zone}/recordsets", body)
    assert len(alice("recordset list", zone, "--type", "A")) == 25


def test_what_is_refused_names_the_record(alice: OpenStack, rita: OpenStack, zone: str, apex: str) -> None:
    create = ("recordset create", zone)
    alice(*create, "www", "--type", "A", "--record", "192.0.2.1")
    assert "192.0.2.256" in alice.refused(*create, "bad", "--type", "A", "--record", "192.0.2.256")
    assert alice.refused(*create, "www", "--type", "A", "--record", "192.0.2.1") == "Duplicate RecordSet"
    assert alice.refused(*create, "www", "--type", "CNAME", "--record", "www.example.net.")
    assert alice.refused(*create, "www.elsewhere.org.", "--type", "A", "--record", "192.0.2.1")
    assert "create_recordset" in rita.refused(*create, "rita", "--type", "A", "--record", "192.0.2.1")


def test_what_we_manage_is_changed_only_by_an_admin_who_says_so(alice: OpenStack, root: OpenStack, zone: str) -> None:
    (servers,) = alice("recordset list", zone, "--type", "NS")
    records = ("--record", "ns1.example.net.", "--record", "ns9.example.net.")
    assert alice.refused("recordset set", zone, servers["id"], *records)
    assert alice.refused("recordset set", zone, servers["id"], "--edit-managed", *records)
    assert alice.refused("recordset delete", zone, servers["id"])
    assert root.refused("recordset delete", zone, servers["id"], "--all-projects")
