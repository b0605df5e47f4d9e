# SPDX-License-Identifier: Apache-2.0
"""What systemd and we tell each other: sd_notify(3) states out, the watchdog's interval in. Silent elsewhere.

NOTIFY_SOCKET is a datagram socket in the file system or, with a leading @, in the abstract namespace. Nothing is ever
raised: a supervisor that went away is no reason to stop serving.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time


class Supervisor:
    """The other end of NOTIFY_SOCKET, found once; the variable is taken out so that children don't speak to it."""

    def __init__(self, environment: os._Environ[str] | dict[str, str]) -> None:
        address = environment.pop("NOTIFY_SOCKET", "")
        self.address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_seconds = _watchdog_seconds(environment)

    def tell(self, *states: str) -> None:
        if not self.address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.setblocking(False)
            end.sendto("\n".join(states).encode(), self.address)

    def ready(self, status: str) -> None:
        self.tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reloading")

    def stopping(self) -> None:
        self.tell("STOPPING=1", "STATUS=draining")

    def alive(self) -> None:
        self.tell("WATCHDOG=1")


def _watchdog_seconds(environment: os._Environ[str] | dict[str, str]) -> float:
    """Half the interval systemd gives us, or 0 where it doesn't watch this process."""
    microseconds = environment.pop("WATCHDOG_USEC", "")
    meant_for = environment.pop("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdigit() or meant_for != str(os.getpid()):
        return 0.0
    return int(microseconds) / 2e6
