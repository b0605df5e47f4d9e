# SPDX-License-Identifier: Apache-2.0
"""The ways in: built-in identity, HTTP Basic and none; by the installed `openstack`, openstacksdk and keystoneauth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1 import exceptions, http_basic, noauth, session
from openstack.connection import Connection

from tests.e2e.conftest import PASSWORD, Service, Workers

OPENSTACK = Path(sys.executable).with_name("openstack")
EMAIL = "hostmaster@example.org"


def installed_openstack(environ: Mapping[str, str], *argv: str) -> Any:
    """The command as people run it, in a process of its own."""
    done = subprocess.run(
        [OPENSTACK, *argv, "-f", "json"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def open_service(serve: Callable[..., Any]) -> Iterator[Service]:
    """An API that believes what it is told."""
    with serve(auth="none") as service:
        yield service


def test_openstack_logs_in_with_a_password(service: Service, apex: str) -> None:
    made = installed_openstack(service.environ("alice"), "zone", "create", apex, "--email", EMAIL)
    assert (made["name"], made["project_id"]) == (apex, service.projects["alpha"])


def test_openstack_logs_in_with_http_basic(service: Service, apex: str) -> None:
    environ = {
        "OS_AUTH_TYPE": "http_basic",
        "OS_USERNAME": "alice",
        "OS_PASSWORD": PASSWORD,
        "OS_ENDPOINT": f"{service.live.url}/v2",
    }
    made = installed_openstack(environ, "zone", "create", apex, "--email", EMAIL)
    assert made["project_id"] == service.projects["alpha"]


def test_openstack_needs_no_login_where_there_is_none(open_service: Service, apex: str) -> None:
    environ = {"OS_AUTH_TYPE": "none", "OS_ENDPOINT": f"{open_service.live.url}/v2"}
    assert installed_openstack(environ, "zone", "create", apex, "--email", EMAIL)["name"] == apex


def test_openstack_reads_a_clouds_yaml(service: Service, tmp_path: Path) -> None:
    auth = {
        "auth_url": f"{service.live.url}/identity/v3",
        "username": "alice",
        "password": PASSWORD,
        "project_name": "alpha",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    file = tmp_path / "clouds.yaml"
    file.write_text(json.dumps({"clouds": {"dns": {"auth": auth}}}))  # JSON is YAML
    environ = {"OS_CLOUD": "dns", "OS_CLIENT_CONFIG_FILE": str(file)}
    assert installed_openstack(environ, "token", "issue")["project_id"] == service.projects["alpha"]


def test_the_sdk_finds_the_api_in_the_catalog(service: Service) -> None:
    cloud = service.sdk("alice")
    assert cloud.dns.get_endpoint() == f"{service.live.url}/v2"
    assert cloud.current_project_id == service.projects["alpha"]


def test_the_sdk_works_by_http_basic_and_none(service: Service, open_service: Service, apex: str) -> None:
    basic = {"auth_type": "http_basic", "username": "alice", "password": PASSWORD}
    for url, login in ((service.live.url, basic), (open_service.live.url, {"auth_type": "none"})):
        for endpoint in (url, f"{url}/v2"):
            with Connection(**login, endpoint=endpoint, dns_endpoint_override=endpoint) as cloud:
                assert cloud.dns.find_zone(apex) is None


def test_keystoneauth_uses_its_endpoint_as_it_is(service: Service, open_service: Service) -> None:
    basic = http_basic.HTTPBasicAuth(f"{service.live.url}/v2", "alice", PASSWORD)
    none = noauth.NoAuth(f"{open_service.live.url}/v2")
    for plugin in (basic, none):
        answer = session.Session(auth=plugin).get("/zones?limit=1", endpoint_filter={"service_type": "dns"})
        assert "zones" in answer.json()


def test_a_wrong_password_is_refused_in_each_way(service: Service) -> None:
    wrong = http_basic.HTTPBasicAuth(f"{service.live.url}/v2", "alice", "wrong password")
    with pytest.raises(exceptions.Unauthorized):
        session.Session(auth=wrong).get("/zones", endpoint_filter={"service_type": "dns"})
    alice = service.openstack("alice")
    environ = {**alice.environ, "OS_PASSWORD": "wrong password"}
    assert "401" in type(alice)(alice.line, environ).refused("zone list")


def test_an_application_credential_stands_for_its_user(service: Service, apex: str) -> None:
    alice = service.openstack("alice")
    made = alice("application credential create", f"for {apex}")
    environ = {
        "OS_AUTH_TYPE": "v3applicationcredential",
        "OS_AUTH_URL": alice.environ["OS_AUTH_URL"],
        "OS_APPLICATION_CREDENTIAL_ID": made["ID"],
        "OS_APPLICATION_CREDENTIAL_SECRET": made["Secret"],
        "OS_IDENTITY_API_VERSION": "3",
    }
    made = type(alice)(alice.line, environ)("zone create", apex, "--email", EMAIL)
    assert made["project_id"] == service.projects["alpha"]


def test_it_is_the_same_over_postgresql(serve: Callable[..., Any], apex: str) -> None:
    with serve("postgresql") as service:
        cloud, workers = service.sdk("alice"), Workers(service.core)
        with workers.at_work():
            zone = cloud.dns.create_zone(name=apex, email=EMAIL)
            cloud.dns.create_recordset(zone, name=f"www.{apex}", type="A", records=["192.0.2.1"])
            cloud.dns.wait_for_status(zone, "active", interval=0.05, wait=30)
            assert {found.type for found in cloud.dns.recordsets(zone)} == {"SOA", "NS", "A"}
            cloud.dns.delete_zone(zone)
            cloud.dns.wait_for_delete(zone, interval=0.05, wait=30)
