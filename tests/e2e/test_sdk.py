# SPDX-License-Identifier: Apache-2.0
"""openstacksdk: its DNS proxy, and the cloud layer above it that Ansible's modules use."""

from __future__ import annotations

from typing import Any

import pytest
from openstack import exceptions
from openstack.connection import Connection

from tests.e2e.conftest import Service, Workers

EMAIL = "hostmaster@example.org"


@pytest.fixture
def cloud(service: Service) -> Connection:
    return service.sdk("alice")


@pytest.fixture
def admin(service: Service) -> Connection:
    return service.sdk("root")


@pytest.fixture
def zone(cloud: Connection, apex: str) -> Any:
    return cloud.dns.create_zone(name=apex, email=EMAIL)


def test_a_zone_is_waited_for_until_it_is_active_and_until_it_is_gone(
    cloud: Connection, workers: Workers, zone: Any, apex: str
) -> None:
    assert (zone.status, zone.is_shared, zone.type) == ("PENDING", False, "PRIMARY")
    with workers.at_work():
        zone = cloud.dns.wait_for_status(zone, "active", interval=0.05, wait=30)
        assert zone.action == "NONE"
        zone = cloud.dns.update_zone(zone, ttl=600, description="ours")
        assert (zone.ttl, zone.description) == (600, "ours")
        cloud.dns.delete_zone(zone)
        cloud.dns.wait_for_delete(zone, interval=0.05, wait=30)
    assert cloud.dns.find_zone(apex) is None


def test_things_are_found_by_their_names(cloud: Connection, zone: Any, apex: str) -> None:
    assert cloud.dns.find_zone(apex).id == zone.id
    assert cloud.dns.find_zone(zone.id).name == apex
    assert [found.id for found in cloud.dns.zones(name=apex)] == [zone.id]
    made = cloud.dns.create_recordset(zone, name=f"www.{apex}", type="A", records=["192.0.2.1"])
    assert cloud.dns.find_recordset(zone, f"www.{apex}").id == made.id
    with pytest.raises(exceptions.NotFoundException):
        cloud.dns.find_zone("no-such-zone.org.", ignore_missing=False)


def test_a_recordset_is_created_changed_in_part_and_deleted(cloud: Connection, zone: Any, apex: str) -> None:
    made = cloud.dns.create_recordset(zone, name=f"www.{apex}", type="A", records=["192.0.2.1"], ttl=60)
    changed = cloud.dns.update_recordset(made, ttl=120)
    assert (changed.ttl, changed.records) == (120, ["192.0.2.1"])
    assert cloud.dns.get_recordset(made, zone).ttl == 120
    cloud.dns.delete_recordset(made, zone)
    assert {found.type for found in cloud.dns.recordsets(zone)} == {"SOA", "NS"}


def test_lists_end_where_the_total_says(cloud: Connection, zone: Any, apex: str) -> None:
    for number in range(25):
        cloud.dns.create_recordset(zone, name=f"host{number}.{apex}", type="A", records=["192.0.2.1"])
    assert len(list(cloud.dns.recordsets(zone, type="A"))) == 25
    assert len(list(cloud.dns.recordsets(zone, type="A", limit=10))) == 25


def test_the_cloud_layer_is_idempotent_as_ansible_needs_it(cloud: Connection, workers: Workers, apex: str) -> None:
    with workers.at_work():
        zone = cloud.create_zone(apex, "primary", EMAIL, "ours", 300)
        assert cloud.get_zone(apex).id == zone.id
        assert cloud.update_zone(apex, ttl=600).ttl == 600
        made = cloud.create_recordset(apex, f"www.{apex}", "a", ["192.0.2.1"], ttl=60)
        changed = cloud.update_recordset(apex, f"www.{apex}", records=["192.0.2.2"])
        assert (changed.id, changed.records) == (made.id, ["192.0.2.2"])
        assert [found.name for found in cloud.search_zones(apex)] == [apex]
        assert len(cloud.list_recordsets(apex)) == 3
        assert cloud.delete_recordset(apex, f"www.{apex}") is True
        assert cloud.delete_recordset(apex, f"www.{apex}") is False
        assert cloud.delete_zone(apex) is True
        cloud.dns.wait_for_delete(zone, interval=0.05, wait=30)
    assert cloud.delete_zone(apex) is False


def test_an_unchanged_zone_keeps_its_serial(cloud: Connection, workers: Workers, zone: Any) -> None:
    workers.confirm()
    cloud.update_zone(zone.id, email=EMAIL, ttl=zone.ttl)
    shown = cloud.dns.get_zone(zone.id)
    assert (shown.serial, shown.status) == (zone.serial, "ACTIVE")


def test_a_secondary_zone_is_transferred_on_demand(cloud: Connection, apex: str) -> None:
    zone = cloud.create_zone(apex, zone_type="secondary", masters=["192.0.2.1"])
    assert (zone.type, zone.masters) == ("SECONDARY", ["192.0.2.1"])
    cloud.dns.xfr_zone(zone)


def test_name_servers_are_listed(cloud: Connection, zone: Any) -> None:
    found = [(server.hostname, server.priority) for server in cloud.dns.zone_nameservers(zone)]
    assert found == [("ns1.example.net.", 1), ("ns2.example.net.", 2)]


def test_a_zone_is_shared(service: Service, cloud: Connection, zone: Any) -> None:
    beta = service.projects["beta"]
    share = cloud.dns.create_zone_share(zone, target_project_id=beta)
    assert [found.id for found in cloud.dns.zone_shares(zone)] == [share.id]
    assert cloud.dns.get_zone_share(zone, share.id).target_project_id == beta
    assert cloud.dns.get_zone(zone.id).is_shared is True
    cloud.dns.delete_zone_share(zone, share)
    share = cloud.dns.create_zone_share(zone, target_project_id=beta)
    cloud.dns.delete_zone(zone, delete_shares=True)


def test_a_zone_goes_to_another_project(service: Service, cloud: Connection, zone: Any) -> None:
    # The SDK's own create_zone_transfer_request raises KeyError before it sends anything (4.22).
    request = service.http("alice").ok("POST", f"/zones/{zone.id}/tasks/transfer_requests", {})
    assert cloud.dns.get_zone_transfer_request(request["id"]).key == request["key"]
    assert request["id"] in [found.id for found in cloud.dns.zone_transfer_requests()]
    other = service.sdk("bob")
    accept = other.dns.create_zone_transfer_accept(zone_transfer_request_id=request["id"], key=request["key"])
    assert other.dns.get_zone_transfer_accept(accept.id).status == "COMPLETE"
    assert other.dns.get_zone(zone.id).project_id == service.projects["beta"]


def test_imports_and_exports_are_listed_shown_and_deleted(service: Service, cloud: Connection, zone: Any) -> None:
    # The SDK's create_zone_export raises KeyError, and its create_zone_import sends no zone file (4.22).
    made = service.http("alice").ok("POST", f"/zones/{zone.id}/tasks/export")
    assert cloud.dns.get_zone_export(made["id"]).zone_id == zone.id
    assert [found.id for found in cloud.dns.zone_exports(zone_id=zone.id)] == [made["id"]]
    cloud.dns.delete_zone_export(made["id"])
    task = cloud.dns.create_zone_import()
    assert task.id in [found.id for found in cloud.dns.zone_imports()]
    cloud.dns.delete_zone_import(task.id)


def test_an_admin_abandons_a_zone(admin: Connection, apex: str) -> None:
    zone = admin.dns.create_zone(name=apex, email=EMAIL)
    admin.dns.abandon_zone(zone)
    assert admin.dns.find_zone(apex) is None


def test_quotas_and_limits(service: Service, cloud: Connection, admin: Connection) -> None:
    beta = service.projects["beta"]
    assert next(iter(cloud.dns.limits())).max_zones == 1000
    assert cloud.dns.get_quota(service.projects["alpha"]).zones == 1000
    assert admin.dns.get_quota(beta).recordset_records == 20
    assert admin.dns.update_quota(beta, recordset_records=30).recordset_records == 30
    assert admin.dns.get_quota(beta).recordset_records == 30
    admin.dns.delete_quota(beta)
    assert admin.dns.get_quota(beta).recordset_records == 20


def test_errors_have_their_kind_and_their_text(cloud: Connection, zone: Any, apex: str) -> None:
    with pytest.raises(exceptions.ConflictException, match="Duplicate Zone"):
        cloud.dns.create_zone(name=apex, email=EMAIL)
    with pytest.raises(exceptions.BadRequestException):
        cloud.dns.create_recordset(zone, name=f"bad.{apex}", type="A", records=["nonsense"])
    with pytest.raises(exceptions.ForbiddenException):
        list(cloud.dns.zones(all_projects=True))
