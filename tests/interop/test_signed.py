# SPDX-License-Identifier: Apache-2.0
"""A signed zone passes through us unchanged: what BIND and NSD received still verifies, every RRSIG and the ZONEMD."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import need
from tests.interop import zones
from tests.interop.conftest import Rig
from tests.nameservers import Bind, Nameserver, Nsd, zone_text


@pytest.fixture(params=(Bind, Nsd), ids=lambda peer: peer.__name__)
def received(request: pytest.FixtureRequest, rig: Rig, zone: str, tmp_path: Path) -> Path:
    """A file with what the secondary received."""
    peer: type[Nameserver] = request.param
    need(peer.program)
    secondary = rig.secondaries[peer]
    secondary.wait_serial(zone, zones.SERIAL, seconds=60)
    file = tmp_path / "received.zone"
    file.write_text(zone_text(secondary.address, zone))
    return file


SIGNED = pytest.mark.parametrize("zone", [zones.SIGNED, zones.SIGNED_NSEC3, zones.ROOT])


@SIGNED
def test_signatures_verify_after_transfer(zone: str, received: Path) -> None:
    verified = subprocess.run(["dnssec-verify", "-z", "-o", zone, received], capture_output=True, text=True)

    assert verified.returncode == 0, verified.stderr


@SIGNED
def test_zone_digest_verifies_after_transfer(zone: str, received: Path) -> None:
    """ldns-verify-zone: given -Z twice, a ZONEMD that matches and signatures that verify are both required."""
    verified = subprocess.run(["ldns-verify-zone", "-ZZ", received], capture_output=True, text=True)

    assert verified.returncode == 0, verified.stdout + verified.stderr
