# SPDX-License-Identifier: Apache-2.0
"""Rigs: our server as the primary, and BIND, NSD, Knot and PowerDNS behind it, each with all zones of zones.py.

There is one rig at a time and the tests of a session share it: plain transfers over IPv4, then transfers signed with
hmac-sha256 over IPv6 (over IPv4 where there is no other). A daemon that isn't installed skips its tests; under CI that
is a failure.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import need
from tests.interop import zones
from tests.nameservers import (
    LOOPBACK,
    LOOPBACK_IPV6,
    PEERS,
    Fastmdns,
    Key,
    Nameserver,
    Record,
    Zone,
    has_ipv6,
)

TOOLS = ("dig", "named-compilezone", "ldns-keygen", "ldns-signzone", "ldns-verify-zone", "dnssec-verify")


@dataclass(frozen=True)
class Wiring:
    """How transfers travel in a rig."""

    name: str
    host: str
    key: Key | None


WIRINGS = (
    Wiring("plain", LOOPBACK, None),
    Wiring("tsig", LOOPBACK_IPV6 if has_ipv6() else LOOPBACK, Key("interop.example.")),
)


class Rig:
    """The primary and its secondaries, by their class; those not installed are left out."""

    def __init__(self, folder: Path, files: Path, wiring: Wiring) -> None:
        self.wiring = wiring
        self.files = files
        self.changing = folder / zones.file_name(zones.CHANGING)
        self.changing_serial = 0
        self.primary = Fastmdns(
            folder / "fastmdns",
            [Zone(name, file=self.file(name), key=wiring.key) for name in zones.ALL],
            host=wiring.host,
            processes=2,
        )
        fetched = [Zone(name, primary=self.primary.address, key=wiring.key) for name in zones.ALL]
        self.secondaries = {
            peer: peer(folder / peer.program, fetched, host=wiring.host) for peer in PEERS if peer.installed()
        }
        self.primary.notify = tuple(secondary.address for secondary in self.secondaries.values())

    @property
    def servers(self) -> list[Nameserver]:
        return [self.primary, *self.secondaries.values()]

    def file(self, zone: str) -> Path:
        return self.changing if zone == zones.CHANGING else self.files / zones.file_name(zone)

    def change(self) -> int:
        """Gives the changing zone's file its next serial, and returns that."""
        self.changing_serial += 1
        zones.write_changing(self.changing, self.changing_serial)
        return self.changing_serial


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of zone files."""
    for tool in TOOLS:
        need(tool)
    folder = tmp_path_factory.mktemp("zones")
    zones.make(folder)
    return folder


@pytest.fixture(scope="session", params=WIRINGS, ids=lambda wiring: wiring.name)
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, files: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp(request.param.name), files, request.param)
    rig.change()
    with ExitStack() as running:
        for server in rig.servers:
            running.enter_context(server)
        yield rig


@pytest.fixture(params=PEERS, ids=lambda peer: peer.__name__)
def secondary(request: pytest.FixtureRequest, rig: Rig) -> Nameserver:
    need(request.param.program)
    return rig.secondaries[request.param]


@functools.cache
def expected(file: Path, zone: str) -> list[Record]:
    return zones.records(file, zone)


@functools.cache
def expected_lines(file: Path, zone: str) -> set[str]:
    return zones.lines(file, zone)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the daemons of its rig said last."""
    report = yield
    rig = item.funcargs.get("rig")
    if report.failed and isinstance(rig, Rig):
        report.sections += [(server.program, server.log_end()) for server in rig.servers]
    return report
