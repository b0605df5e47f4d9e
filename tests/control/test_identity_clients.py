# SPDX-License-Identifier: Apache-2.0
"""keystoneauth, which all of OpenStack's Python clients log in with, against the API as a server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from keystoneauth1 import adapter, exceptions, http_basic, session
from keystoneauth1.identity import v3

from control.identity import accounts
from control.storage.database import Database
from tests.control.logins import PASSWORD, World, make_world, serving

DEFAULT = {"user_domain_id": "default", "project_domain_name": "Default"}


@pytest.fixture
def world(sqlite: Database) -> World:
    return make_world(sqlite)


@pytest.fixture
def server(world: World) -> Iterator[str]:
    with serving(world.api.app) as url:
        yield url


@pytest.fixture(params=["/identity", "/identity/v3"])
def auth_url(server: str, request: pytest.FixtureRequest) -> str:
    return server + str(request.param)


def dns_of(auth: Any, **options: Any) -> adapter.Adapter:
    """A client of the DNS service that the catalog names."""
    return adapter.Adapter(session.Session(auth=auth), service_type="dns", **options)


def names(dns: adapter.Adapter) -> list[str]:
    return [zone["name"] for zone in dns.get("/v2/zones").json()["zones"]]


def by_password(auth_url: str, user: str = "joe", password: str = PASSWORD, **options: Any) -> v3.Password:
    options = {"project_name": "alpha", **DEFAULT, **options}
    return v3.Password(auth_url=auth_url, username=user, password=password, **options)


def test_password_finds_the_service_in_the_catalog(auth_url: str, server: str) -> None:
    dns = dns_of(by_password(auth_url))
    assert dns.get_endpoint() == server
    made = dns.post("/v2/zones", json={"name": "example.org.", "email": "joe@example.org"}).json()
    assert made["project_id"] == dns.get_project_id()
    assert names(dns) == ["example.org."]


def test_version_discovery_leads_to_v2(auth_url: str, server: str) -> None:
    dns = dns_of(by_password(auth_url), min_version="2", max_version="2.latest")
    assert dns.get_endpoint() == f"{server}/v2"
    assert dns.get("/zones").json()["zones"] == []


def test_token_is_changed_into_one_for_the_project(auth_url: str) -> None:
    unscoped = by_password(auth_url, project_name=None, project_domain_name=None, unscoped=True)
    token = session.Session(auth=unscoped).get_token()
    auth = v3.Token(auth_url=auth_url, token=token, project_name="alpha", project_domain_id="default")
    assert names(dns_of(auth)) == []


def test_application_credential_is_all_that_a_program_needs(auth_url: str, world: World) -> None:
    joe = session.Session(auth=by_password(auth_url))
    path = f"/v3/users/{joe.get_user_id()}/application_credentials"
    body = {"application_credential": {"name": "robot", "roles": [{"name": "reader"}]}}
    identity = {"service_type": "identity", "interface": "public"}
    made = joe.post(path, json=body, endpoint_filter=identity).json()["application_credential"]
    auth = v3.ApplicationCredential(
        auth_url=auth_url, application_credential_id=made["id"], application_credential_secret=made["secret"]
    )
    dns = dns_of(auth)
    assert names(dns) == []
    with pytest.raises(exceptions.Forbidden):
        dns.post("/v2/zones", json={"name": "example.org.", "email": "joe@example.org"})


def test_wrong_password_is_unauthorized(auth_url: str) -> None:
    with pytest.raises(exceptions.Unauthorized, match="requires authentication"):
        dns_of(by_password(auth_url, password="wrong")).get("/v2/zones")


def test_client_whose_token_was_revoked_logs_in_again(auth_url: str, world: World) -> None:
    dns = dns_of(by_password(auth_url))
    assert names(dns) == []
    token = dns.get_token()
    accounts.set_user(world.api.core, "joe", enabled=False)
    accounts.set_user(world.api.core, "joe", enabled=True)
    assert names(dns) == []
    assert dns.get_token() != token


def test_http_basic_needs_no_identity_at_all(server: str) -> None:
    auth = http_basic.HTTPBasicAuth(endpoint=f"{server}/v2", username="joe", password=PASSWORD)
    assert session.Session(auth=auth).get(f"{server}/v2/zones").json()["zones"] == []


def test_openstack_creates_a_credential(server: str) -> None:
    """The command itself, once: it looks the catalog, the versions and the credentials' user up by itself."""
    pytest.importorskip("openstackclient", reason="pip install python-openstackclient")
    environment = {
        "OS_AUTH_URL": f"{server}/identity",
        "OS_USERNAME": "joe",
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": "alpha",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_IDENTITY_API_VERSION": "3",
        "PATH": "/usr/bin:/bin",
    }
    command = [
        sys.executable,
        "-m",
        "openstackclient.shell",
        "application",
        "credential",
        "create",
        "robot",
        "-f",
        "json",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert '"secret"' in done.stdout.lower()
