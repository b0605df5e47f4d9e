# SPDX-License-Identifier: Apache-2.0
"""What operators keep, by the `openstack` command: TLDs, blacklists, TSIG keys, quotas, limits, statuses, pools."""

from __future__ import annotations

from control.storage.service_statuses import heartbeat
from tests.e2e.clients import OpenStack
from tests.e2e.conftest import ADDRESS, FLOATING_IP, Service, Workers
from tests.e2e.test_zones import EMAIL, make


def test_with_a_tld_other_zones_are_refused(alice: OpenStack, root: OpenStack, apex: str) -> None:
    made = root("tld create", "--name", "org", "--description", "all tests")
    try:
        assert [tld["name"] for tld in root("tld list", "--name", "org")] == ["org"]
        assert root("tld show", "org")["id"] == made["id"]
        assert alice.refused("zone create", "somewhere.com.", "--email", EMAIL)
        make(alice, apex)
        changed = root("tld set", made["id"], "--name", "com", "--no-description")
        assert (changed["name"], changed["description"]) == ("com", None)
        assert alice.refused("tld list")
    finally:
        root("tld delete", made["id"])
    assert root("tld list") == []


def test_a_blacklisted_name_is_refused(alice: OpenStack, root: OpenStack, apex: str) -> None:
    made = root("zone blacklist create", "--pattern", f"^{apex}$", "--description", "never this one")
    try:
        assert alice.refused("zone create", apex, "--email", EMAIL)
        assert root("zone blacklist show", made["id"])["pattern"] == f"^{apex}$"
        found = root("zone blacklist list", "--pattern", f"^{apex}$")
        assert [blacklist["id"] for blacklist in found] == [made["id"]]
        assert root("zone blacklist set", made["id"], "--pattern", "^never$")["pattern"] == "^never$"
        make(alice, apex)
    finally:
        root("zone blacklist delete", made["id"])


def test_a_tsig_key_lives_from_create_to_delete(alice: OpenStack, root: OpenStack, apex: str) -> None:
    zone_id, secret = make(alice, apex), "ZmFzdG1kbnMgZTJlIGtleQ=="
    options = ("--algorithm", "hmac-sha256", "--secret", secret, "--scope", "ZONE", "--resource-id", zone_id)
    made = root("tsigkey create", "--name", f"key-{apex}", *options)
    assert (made["secret"], made["scope"], made["resource_id"]) == (secret, "ZONE", zone_id)
    assert root("tsigkey show", made["id"])["name"] == f"key-{apex}"
    assert root("tsigkey set", made["id"], "--algorithm", "hmac-sha512")["algorithm"] == "hmac-sha512"
    assert [key["id"] for key in root("tsigkey list", "--name", f"key-{apex}")] == [made["id"]]
    assert alice.refused("tsigkey list")
    root("tsigkey delete", made["id"])
    assert root.refused("tsigkey show", made["id"])


def test_a_quota_is_set_kept_and_reset(service: Service, bob: OpenStack, root: OpenStack, apex: str) -> None:
    beta = service.projects["beta"]
    usual = bob("dns quota list")
    assert sorted(usual) == ["api_export_size", "recordset_records", "zone_records", "zone_recordsets", "zones"]
    assert root("dns quota set", "--project-id", beta, "--recordset-records", 1)["recordset_records"] == 1
    try:
        assert root("dns quota list", "--project-id", beta)["recordset_records"] == 1
        zone_id = make(bob, apex)
        two = ("--record", "192.0.2.1", "--record", "192.0.2.2")
        assert "uota" in bob.refused("recordset create", zone_id, "www", "--type", "A", *two)
        assert bob.refused("dns quota set", "--project-id", beta, "--zones", 5)
    finally:
        root("dns quota reset", "--project-id", beta)
    assert bob("dns quota list") == usual


def test_limits_are_told_to_everyone(rita: OpenStack) -> None:
    limits = {item["Limit"]: item["Value"] for item in rita("dns limit list")}
    assert (limits["max_zones"], limits["max_page_limit"], limits["min_ttl"]) == (1000, 1000, 0)


def test_an_admin_sees_which_processes_are_up(service: Service, alice: OpenStack, root: OpenStack) -> None:
    service.core.db.write(lambda tx: heartbeat(tx, "worker", "host1", service.core.clock()))
    (found,) = root("dns service list", "--service_name", "worker", "--hostname", "host1")
    shown = root("dns service show", found["id"])
    assert (found["status"], shown["status"], shown["hostname"]) == ("UP", "UP", "host1")
    assert alice.refused("dns service list")


def test_pools_are_made_changed_and_deleted_by_an_admin(service: Service) -> None:
    root, alice = service.http("root"), service.http("alice")
    servers = [{"hostname": "ns1.pool.example.", "priority": 1}]
    made = root.ok("POST", "/pools", {"name": "tests", "ns_records": servers, "attributes": {"tier": "gold"}})
    assert (made["ns_records"], made["attributes"]) == (servers, {"tier": "gold"})
    more = [*servers, {"hostname": "ns2.pool.example.", "priority": 2}]
    assert root("PATCH", f"/pools/{made['id']}", {"ns_records": more}).status_code == 202
    assert root.ok("GET", "/pools", params={"name": "tests"})["pools"][0]["ns_records"] == more
    assert alice("GET", "/pools").status_code == 403
    assert root("DELETE", f"/pools/{made['id']}").status_code == 204


def test_an_admin_moves_a_zone_to_another_pool(service: Service, alice: OpenStack, root: OpenStack, apex: str) -> None:
    servers = [{"hostname": "ns1.other.example.", "priority": 1}]
    pool = service.http("root").ok("POST", "/pools", {"name": f"for {apex}"[:50], "ns_records": servers})
    zone_id = make(alice, apex)
    root("zone move", zone_id, "--pool-id", pool["id"], "--all-projects")
    assert alice("zone show", zone_id)["pool_id"] == pool["id"]
    assert alice("zone nameservers list", zone_id) == servers


def test_a_floating_address_gets_its_name(alice: OpenStack, bob: OpenStack, workers: Workers) -> None:
    assert [found["id"] for found in alice("ptr record list")] == [FLOATING_IP]
    made = alice("ptr record set", FLOATING_IP, "mail.example.org.", "--ttl", 600, "--description", "mail")
    assert (made["ptrdname"], made["ttl"], made["address"]) == ("mail.example.org.", 600, ADDRESS)
    workers.confirm()
    shown = alice("ptr record show", FLOATING_IP)
    assert (shown["ptrdname"], shown["status"]) == ("mail.example.org.", "ACTIVE")
    assert bob("ptr record list") == []
    assert bob.refused("ptr record show", FLOATING_IP)
    alice("ptr record unset", FLOATING_IP)
    assert alice("ptr record show", FLOATING_IP)["ptrdname"] is None
