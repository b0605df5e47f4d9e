# SPDX-License-Identifier: Apache-2.0
"""Zones, their shares and their transfers between projects, by the `openstack` command."""

from __future__ import annotations

from tests.e2e.clients import OpenStack
from tests.e2e.conftest import Service, Workers

EMAIL = "hostmaster@example.org"


def make(user: OpenStack, apex: str) -> str:
    """A zone → its id."""
    return str(user("zone create", apex, "--email", EMAIL)["id"])


def test_a_zone_is_created_shown_changed_and_deleted(alice: OpenStack, workers: Workers, apex: str) -> None:
    made = alice("zone create", apex, "--email", EMAIL, "--ttl", 300, "--description", "ours")
    assert {key: made[key] for key in ("name", "email", "ttl", "description", "type", "action", "status")} == {
        "name": apex,
        "email": EMAIL,
        "ttl": 300,
        "description": "ours",
        "type": "PRIMARY",
        "action": "CREATE",
        "status": "PENDING",
    }
    workers.confirm()
    shown = alice("zone show", apex)  # which finds it by its name
    assert (shown["id"], shown["action"], shown["status"]) == (made["id"], "NONE", "ACTIVE")
    changed = alice("zone set", made["id"], "--ttl", 600, "--email", "other@example.org", "--no-description")
    assert (changed["ttl"], changed["email"], changed["description"]) == (600, "other@example.org", None)
    assert (changed["action"], changed["status"]) == ("UPDATE", "PENDING")
    assert changed["serial"] > made["serial"]
    deleted = alice("zone delete", made["id"])
    assert (deleted["action"], deleted["status"]) == ("DELETE", "PENDING")
    workers.confirm()
    assert alice.refused("zone show", made["id"]) == "Could not find Zone"


def test_a_zone_names_the_servers_to_delegate_it_to(alice: OpenStack, apex: str) -> None:
    make(alice, apex)
    assert alice("zone nameservers list", apex) == [
        {"hostname": "ns1.example.net.", "priority": 1},
        {"hostname": "ns2.example.net.", "priority": 2},
    ]


def test_a_secondary_zone_has_masters_and_is_transferred_on_demand(alice: OpenStack, apex: str) -> None:
    made = alice("zone create", apex, "--type", "SECONDARY", "--masters", "192.0.2.1", "192.0.2.2:5353")
    assert (made["type"], made["masters"]) == ("SECONDARY", "192.0.2.1, 192.0.2.2:5353")
    alice("zone axfr", made["id"])
    changed = alice("zone set", made["id"], "--masters", "192.0.2.3")
    assert changed["masters"] == "192.0.2.3"
    assert [zone["name"] for zone in alice("zone list", "--type", "SECONDARY", "--name", apex)] == [apex]


def test_a_list_is_whole_though_it_comes_in_pages(service: Service, alice: OpenStack, apex: str) -> None:
    names = [f"{number}.{apex}" for number in range(23)]
    http = service.http("alice")
    for name in names:
        http.ok("POST", "/zones", {"name": name, "email": EMAIL})
    assert {zone["name"] for zone in alice("zone list", "--name", f"*.{apex}")} == set(names)
    page = http.ok("GET", "/zones", params={"name": f"*.{apex}", "sort_key": "name"})
    assert (len(page["zones"]), page["metadata"]["total_count"]) == (20, 23)
    rest = http.ok("GET", page["links"]["next"].split("/v2", 1)[1])
    assert len(rest["zones"]) == 3
    assert "next" not in rest["links"]
    assert [zone["name"] for zone in page["zones"] + rest["zones"]] == sorted(names)


def test_a_list_is_filtered_by_each_of_its_fields(alice: OpenStack, workers: Workers, apex: str) -> None:
    alice("zone create", apex, "--email", EMAIL, "--ttl", 4711, "--description", f"about {apex}")
    make(alice, f"other.{apex}")
    workers.confirm()
    for filters in (["--ttl", 4711], ["--description", f"about {apex}"], ["--status", "ACTIVE", "--name", apex]):
        assert [zone["name"] for zone in alice("zone list", *filters)] == [apex]
    assert alice("zone list", "--status", "ERROR") == []
    (found,) = alice("zone list", "--long", "--name", apex)
    assert (found["ttl"], found["email"], found["masters"]) == (4711, EMAIL, [])


def test_what_is_refused_is_said_by_the_client(alice: OpenStack, rita: OpenStack, apex: str) -> None:
    make(alice, apex)
    assert alice.refused("zone create", apex, "--email", EMAIL) == "Duplicate Zone"
    assert "dot" in alice.refused("zone create", "no-dot.org", "--email", EMAIL)
    assert "email" in alice.refused("zone create", f"sub.{apex}", "--email", "nobody")
    assert alice.refused("zone show", "no-such-zone.org.") == "Name no-such-zone.org. didn't resolve"
    assert "create_zone" in rita.refused("zone create", f"sub.{apex}", "--email", EMAIL)


def test_a_reader_sees_and_another_project_does_not(
    alice: OpenStack, rita: OpenStack, bob: OpenStack, root: OpenStack, apex: str
) -> None:
    zone_id = make(alice, apex)
    assert rita("zone show", zone_id)["name"] == apex
    assert "delete_zone" in rita.refused("zone delete", zone_id)
    assert bob("zone list", "--name", apex) == []
    assert bob.refused("zone show", zone_id) == "Could not find Zone"
    assert root("zone list", "--name", apex) == []
    assert bob.refused("zone create", f"below.{apex}", "--email", EMAIL)


def test_an_admin_sees_all_projects_and_acts_for_one(
    service: Service, alice: OpenStack, root: OpenStack, apex: str
) -> None:
    alpha = service.projects["alpha"]
    made = root("zone create", apex, "--email", EMAIL, "--sudo-project-id", alpha)
    assert made["project_id"] == alpha
    assert alice("zone show", apex)["id"] == made["id"]
    assert [zone["project_id"] for zone in root("zone list", "--all-projects", "--name", apex)] == [alpha]
    assert root("zone delete", made["id"], "--all-projects", "--hard-delete")["action"] == "DELETE"
    assert alice.refused("zone list", "--all-projects")
    assert alice.refused("zone list", "--sudo-project-id", service.projects["beta"])


def test_a_shared_zone_takes_recordsets_of_the_other_project(
    service: Service, alice: OpenStack, bob: OpenStack, workers: Workers, apex: str
) -> None:
    zone_id, beta = make(alice, apex), service.projects["beta"]
    share = alice("zone share create", apex, beta)
    assert (share["zone_id"], share["target_project_id"]) == (zone_id, beta)
    assert alice("zone share show", apex, share["id"])["id"] == share["id"]
    assert [found["id"] for found in alice("zone share list", apex, "--target-project-id", beta)] == [share["id"]]
    assert bob("zone show", zone_id)["shared"] is True
    theirs = bob("recordset create", zone_id, "www", "--type", "A", "--record", "192.0.2.1")
    assert theirs["project_id"] == beta
    assert alice.refused("zone share delete", apex, share["id"])
    assert bob("recordset delete", zone_id, theirs["id"])["action"] == "DELETE"
    alice("zone share delete", apex, share["id"])
    assert bob.refused("zone show", zone_id) == "Could not find Zone"


def test_a_shared_zone_is_deleted_only_with_its_shares(service: Service, alice: OpenStack, apex: str) -> None:
    zone_id = make(alice, apex)
    alice("zone share create", zone_id, service.projects["beta"])
    assert "shared" in alice.refused("zone delete", zone_id)
    assert alice("zone delete", zone_id, "--delete-shares")["action"] == "DELETE"


def test_a_zone_goes_to_who_knows_the_key(alice: OpenStack, bob: OpenStack, root: OpenStack, apex: str) -> None:
    zone_id = make(alice, apex)
    request = alice("zone transfer request create", zone_id, "--description", "for you")
    assert (request["status"], len(request["key"])) == ("ACTIVE", 8)
    assert alice("zone transfer request set", request["id"], "--description", "for bob")["description"] == "for bob"
    assert "key" not in bob("zone transfer request show", request["id"])
    assert bob.refused("zone transfer accept request", "--transfer-id", request["id"], "--key", "WRONGKEY")
    accept = bob("zone transfer accept request", "--transfer-id", request["id"], "--key", request["key"])
    assert (accept["status"], accept["zone_id"]) == ("COMPLETE", zone_id)
    assert bob("zone transfer accept show", accept["id"])["status"] == "COMPLETE"
    assert accept["id"] in [found["id"] for found in root("zone transfer accept list", "--all-projects")]
    assert bob("zone show", zone_id)["name"] == apex
    assert alice.refused("zone show", zone_id) == "Could not find Zone"


def test_a_transfer_may_be_for_one_project_and_be_withdrawn(
    service: Service, alice: OpenStack, bob: OpenStack, apex: str
) -> None:
    zone_id, beta = make(alice, apex), service.projects["beta"]
    request = alice("zone transfer request create", zone_id, "--target-project-id", beta)
    assert request["target_project_id"] == beta
    assert request["id"] in [found["id"] for found in bob("zone transfer request list", "--status", "ACTIVE")]
    assert alice.refused("zone transfer request create", zone_id)
    alice("zone transfer request delete", request["id"])
    assert bob.refused("zone transfer request show", request["id"])


def test_an_admin_abandons_a_zone(alice: OpenStack, root: OpenStack, apex: str) -> None:
    zone_id = make(alice, apex)
    assert alice.refused("zone abandon", zone_id)
    root("zone abandon", zone_id, "--all-projects")
    assert alice("zone list", "--name", apex) == []
