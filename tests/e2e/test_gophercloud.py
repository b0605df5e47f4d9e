# SPDX-License-Identifier: Apache-2.0
"""gophercloud, by which terraform, external-dns and cert-manager's webhooks speak to us: a program that uses it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import need
from tests.e2e.conftest import Service

PACKAGES = Path("/usr/share/gocode")  # where Debian puts the sources of Go libraries
CACHE = Path(__file__).parents[2] / ".cache/go"  # a first run compiles Go's own library, for a quarter of a minute
PROGRAM = Path(__file__).with_name("gophercloud.go")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gophercloud.go, compiled."""
    go = need("go")
    if not (PACKAGES / "src/github.com/gophercloud").is_dir():
        pytest.skip(f"no gophercloud in {PACKAGES}: make peers")
    folder = tmp_path_factory.mktemp("go")
    environ = {**os.environ, "GO111MODULE": "off", "GOPATH": str(PACKAGES), "GOCACHE": str(CACHE)}
    subprocess.run([go, "build", "-o", folder / "client", PROGRAM], env=environ, check=True, timeout=100)
    return folder / "client"


def test_a_go_client_keeps_a_zone_from_create_to_delete(service: Service, program: Path, apex: str) -> None:
    environ = {**service.environ("alice"), "OS_DOMAIN_NAME": "Default"}
    done = subprocess.run([program, apex], env=environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split("\n")[-2] == "zone delete"
