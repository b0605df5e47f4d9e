# SPDX-License-Identifier: Apache-2.0
"""What operators keep, by openstacksdk."""

from __future__ import annotations

import pytest
from openstack.connection import Connection

from tests.e2e.conftest import FLOATING_IP, Service

EMAIL = "hostmaster@example.org"


@pytest.fixture
def admin(service: Service) -> Connection:
    return service.sdk("root")


def test_tlds_blacklists_and_keys_live_from_create_to_delete(admin: Connection, apex: str) -> None:
    tld = admin.dns.create_tld(name="org")
    try:
        assert admin.dns.find_tld("org").id == tld.id
        assert admin.dns.update_tld(tld, description="all tests").description == "all tests"
        assert [found.name for found in admin.dns.tlds()] == ["org"]
    finally:
        admin.dns.delete_tld(tld)
    blacklist = admin.dns.create_blacklist(pattern=f"^{apex}$")
    assert admin.dns.update_blacklist(blacklist, pattern="^x$").pattern == "^x$"
    assert admin.dns.get_blacklist(blacklist).pattern == "^x$"
    admin.dns.delete_blacklist(blacklist)
    pool_id = admin.dns.create_zone(name=apex, email=EMAIL).pool_id
    wanted = {"algorithm": "hmac-sha256", "secret": "YWJj", "scope": "POOL", "resource_id": pool_id}
    key = admin.dns.create_tsigkey(name=f"sdk-{apex}", **wanted)
    assert admin.dns.find_tsigkey(f"sdk-{apex}").secret == "YWJj"
    admin.dns.delete_tsigkey(key)


def test_service_statuses_are_listed(admin: Connection) -> None:
    assert [status.status for status in admin.dns.service_statuses() if status.status not in ("UP", "DOWN")] == []


def test_a_floating_address_gets_its_name(service: Service) -> None:
    cloud = service.sdk("alice")
    made = cloud.dns.update_floating_ip(FLOATING_IP, ptrdname="sdk.example.org.", ttl=600)
    assert (made.ptrdname, made.ttl) == ("sdk.example.org.", 600)
    assert cloud.dns.get_floating_ip(FLOATING_IP).ptrdname == "sdk.example.org."
    assert [found.id for found in cloud.dns.floating_ips()] == [FLOATING_IP]
    cloud.dns.unset_floating_ip(FLOATING_IP)
    assert cloud.dns.get_floating_ip(FLOATING_IP).ptrdname is None
