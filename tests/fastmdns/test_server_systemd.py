# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from fastmdns.server.systemd import Supervisor


@pytest.mark.parametrize("abstract", [False, True])
def test_states_reach_the_socket_one_a_line(tmp_path: Path, abstract: bool) -> None:
    address = f"@fastmdns-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(address.replace("@", "\0", 1) if abstract else address)
        end.settimeout(10)
        environment = {"NOTIFY_SOCKET": address}
        Supervisor(environment).ready("serving")
        assert end.recv(100) == b"READY=1\nSTATUS=serving"
        assert environment == {}


def test_nothing_is_said_without_a_supervisor_or_to_one_that_went(tmp_path: Path) -> None:
    Supervisor({}).ready("serving")
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("serving")


def test_watchdog_is_fed_at_half_its_interval() -> None:
    assert Supervisor({"WATCHDOG_USEC": "3000000"}).watchdog_seconds == 1.5
    assert Supervisor({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}).watchdog_seconds == 0
    assert Supervisor({}).watchdog_seconds == 0
