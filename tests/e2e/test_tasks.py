# SPDX-License-Identifier: Apache-2.0
"""Zone files in and out, by the `openstack` command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.clients import OpenStack
from tests.e2e.test_zones import make
from tests.nameservers import wait_until

ZONE = """$ORIGIN {apex}
$TTL 300
@ IN SOA ns.elsewhere.example. joe.example.org. 2026010101 3600 600 86400 3600
@ IN NS ns.elsewhere.example.
www IN A 192.0.2.1
    IN A 192.0.2.2
@ 600 IN TXT "some text"
"""


def ended(user: OpenStack, kind: str, task_id: str) -> Any:
    """The import or export once it is over."""
    shown = user(f"zone {kind} show", task_id)

    def over() -> bool:
        nonlocal shown
        shown = user(f"zone {kind} show", task_id)
        return bool(shown["status"] != "PENDING")

    wait_until(f"the {kind} is over", over, 30)
    return shown


def import_of(user: OpenStack, folder: Path, text: str, *options: str) -> Any:
    file = folder / "zone.txt"
    file.write_text(text)
    made = user("zone import create", file, *options)
    return ended(user, "import", made["id"])


def test_a_zone_file_becomes_a_zone(alice: OpenStack, bob: OpenStack, tmp_path: Path, apex: str) -> None:
    task = import_of(alice, tmp_path, ZONE.format(apex=apex))
    assert (task["status"], task["message"]) == ("COMPLETE", f"{apex} imported")
    zone = alice("zone show", task["zone_id"])
    assert (zone["name"], zone["email"], zone["serial"]) == (apex, "joe@example.org", 2026010101)
    found = {(rrset["name"], rrset["type"]): rrset["records"] for rrset in alice("recordset list", zone["id"])}
    assert found[f"www.{apex}", "A"] == "192.0.2.1\n192.0.2.2"
    assert found[apex, "TXT"] == '"some text"'
    assert found[apex, "NS"] == "ns1.example.net.\nns2.example.net."
    assert task["id"] in [item["id"] for item in alice("zone import list", "--zone-id", zone["id"])]
    assert bob.refused("zone import show", task["id"])
    alice("zone import delete", task["id"])
    assert alice.refused("zone import show", task["id"])


def test_a_zone_file_may_come_with_attributes(alice: OpenStack, tmp_path: Path, apex: str) -> None:
    task = import_of(alice, tmp_path, ZONE.format(apex=apex), "--attributes", "tier:none")
    assert task["status"] == "COMPLETE"
    assert alice("zone show", task["zone_id"])["attributes"] == "tier:none\n"


def test_an_import_says_what_is_wrong_with_the_file(alice: OpenStack, tmp_path: Path, apex: str) -> None:
    broken = import_of(alice, tmp_path, ZONE.format(apex=apex) + "www IN A 192.0.2.256\n")
    assert broken["status"] == "ERROR"
    assert "192.0.2.256" in broken["message"]
    make(alice, apex)
    assert import_of(alice, tmp_path, ZONE.format(apex=apex))["message"] == "Duplicate zone."


def test_a_zone_becomes_a_zone_file(alice: OpenStack, apex: str) -> None:
    zone_id = make(alice, apex)
    alice("recordset create", zone_id, "www", "--type", "A", "--record", "192.0.2.1", "--ttl", 60)
    made = alice("zone export create", apex)
    task = ended(alice, "export", made["id"])
    assert (task["status"], task["zone_id"]) == ("COMPLETE", zone_id)
    text = alice("zone export showfile", task["id"])["data"]
    assert text.startswith(f"$ORIGIN {apex}\n$TTL 3600\n")
    assert f"www.{apex} 60 IN A 192.0.2.1" in text.splitlines()
    assert task["id"] in [item["id"] for item in alice("zone export list", "--zone-id", zone_id)]
    alice("zone export delete", task["id"])
    assert alice.refused("zone export show", task["id"])


def test_what_was_exported_can_be_imported(alice: OpenStack, tmp_path: Path, apex: str) -> None:
    zone_id = make(alice, apex)
    alice("recordset create", zone_id, "www", "--type", "MX", "--record", "10 mail.example.net.")
    export = alice("zone export create", zone_id)
    text = alice("zone export showfile", ended(alice, "export", export["id"])["id"])["data"]
    copy = f"copy-of-{apex}"
    task = import_of(alice, tmp_path, text.replace(apex, copy))
    (found,) = alice("recordset list", task["zone_id"], "--type", "MX")
    assert (found["name"], found["records"]) == (f"www.{copy}", "10 mail.example.net.")
