# SPDX-License-Identifier: Apache-2.0
"""One API process for each way to log in, and the clients of its users. All tests share them: a zone's name is its own.

alice is a member of the project alpha, rita reads it, bob is a member of beta, and root is an admin.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from openstack.connection import Connection

from control.central import zones as central_zones
from control.central.core import Core
from control.config import ControlConfig
from control.identity import accounts
from control.model import Event, Status
from control.storage import tables, zones
from tests.control.conftest import new_database
from tests.control.live import Live, live_api
from tests.e2e.clients import CommandLine, Http, OpenStack

# User → his project and role.
USERS = {"alice": ("alpha", "member"), "rita": ("alpha", "reader"), "bob": ("beta", "member"), "root": ("ops", "admin")}
PASSWORD = "correct horse"
REGION, IP_ID, ADDRESS = "RegionOne", "5a2a5d52-0d4f-4a9b-9f0c-3b2f1f7b6a01", "192.0.2.10"  # alpha's floating IP
FLOATING_IP = f"{REGION}:{IP_ID}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """openstacksdk warns of what it is going to remove from itself, and uses it."""
    item.add_marker(pytest.mark.filterwarnings("ignore::openstack.warnings._RemovedInSDKWarning"))


@dataclass
class Service:
    """A running API, and where it is reached by each user."""

    live: Live
    core: Core
    line: CommandLine
    projects: dict[str, str]  # name → id
    connections: ExitStack
    _sdks: dict[str, Connection] = field(default_factory=dict)

    def environ(self, user: str) -> dict[str, str]:
        """What `openstack` and all that reads OS_* are told."""
        return {
            "OS_AUTH_URL": f"{self.live.url}/identity/v3",
            "OS_USERNAME": user,
            "OS_PASSWORD": PASSWORD,
            "OS_PROJECT_NAME": USERS[user][0],
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_IDENTITY_API_VERSION": "3",
        }

    def openstack(self, user: str) -> OpenStack:
        return OpenStack(self.line, self.environ(user))

    def sdk(self, user: str) -> Connection:
        if user not in self._sdks:
            environ = self.environ(user)
            auth = {key[3:].lower(): value for key, value in environ.items() if "VERSION" not in key}
            self._sdks[user] = self.connections.enter_context(Connection(auth_type="password", auth=auth))
        return self._sdks[user]

    def http(self, user: str) -> Http:
        return Http(self.live.url, {"X-Auth-Token": self.sdk(user).session.get_token()})


class Workers:
    """Stands in for the workers, which come with a later issue: confirms every change at once, as if all name servers
    served it. Clients that wait for ACTIVE, or for a deletion, would wait for ever without."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._ended = threading.Event()

    def confirm(self) -> None:
        pending = zones.alive().where(tables.zones.c.status == Status.PENDING)
        for zone in self.core.db.read(lambda tx: zones.fetch(tx, pending)):
            central_zones.confirm(self.core, zone.id, zone.revision, Event.CONFIRMED)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            self.confirm()


# ------------------------------------------------------------------------------------------------- services and users


@pytest.fixture(scope="session")
def command_line() -> Iterator[CommandLine]:
    line = CommandLine()
    yield line
    line.close()


@pytest.fixture(scope="session")
def serve(command_line: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """A context manager: the API over a database of its own. settings: beside those of all tests."""

    @contextmanager
    def serve(backend: str = "sqlite", **settings: str) -> Iterator[Service]:
        folder = tmp_path_factory.mktemp("api")
        ips = folder / "floatingips.toml"
        floating = {"floatingip_driver": "static", "floatingip_file": str(ips)}
        wanted = {"auth": "builtin", "quota_zones": "1000", **floating, **settings}
        with ExitStack() as stack:
            database = stack.enter_context(new_database(backend, folder))
            live = stack.enter_context(live_api(database, folder, **wanted))
            core = Core(database, ControlConfig(**wanted))
            stack.enter_context(jobs_of(live, core))
            projects = people(core)
            ips.write_text(floating_ips(projects["alpha"]))
            yield Service(live, core, command_line, projects, stack)
        unexpected = re.findall(r".*request failed.*|.*Traceback.*", live.log.read_text())
        assert not unexpected, live.log.read_text()

    return serve


@contextmanager
def jobs_of(live: Live, core: Core) -> Iterator[None]:
    """`fastmdns jobs`, which makes zones of imports."""
    settings = {"database": core.db.url.render_as_string(hide_password=False), "quota_zones": core.config.quota_zones}
    environ = {**os.environ, **{f"FASTMDNS_CONTROL_{key.upper()}": str(value) for key, value in settings.items()}}
    argv = [sys.executable, "-c", "from control.cli.jobs import jobs; jobs()"]
    with live.log.open("ab") as log, subprocess.Popen(argv, env=environ, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.terminate()


def people(core: Core) -> dict[str, str]:
    """Makes the users → the ids of their projects."""
    names = dict.fromkeys(project for project, _ in USERS.values())
    projects = {name: accounts.create_project(core, name).id for name in names}
    for user, (project, role) in USERS.items():
        accounts.create_user(core, user, PASSWORD, project, [role])
    return projects


def floating_ips(project_id: str) -> str:
    """The file that says whose they are."""
    values = {"id": IP_ID, "address": ADDRESS, "project_id": project_id, "region": REGION}
    return "[[floatingip]]\n" + "".join(f'{key} = "{value}"\n' for key, value in values.items())


@pytest.fixture(scope="session")
def service(serve: Callable[..., Any]) -> Iterator[Service]:
    """The API with its own identity, over SQLite: what most tests speak to."""
    with serve() as service:
        yield service


@pytest.fixture
def alice(service: Service) -> OpenStack:
    return service.openstack("alice")


@pytest.fixture
def rita(service: Service) -> OpenStack:
    return service.openstack("rita")


@pytest.fixture
def bob(service: Service) -> OpenStack:
    return service.openstack("bob")


@pytest.fixture
def root(service: Service) -> OpenStack:
    return service.openstack("root")


@pytest.fixture
def workers(service: Service) -> Workers:
    """confirm() does once what they do, at_work() as long as a block runs."""
    return Workers(service.core)


@pytest.fixture
def apex() -> str:
    """A zone's name that no other test has."""
    return f"zone-{next(_numbers)}.org."


_numbers = itertools.count(1)
