# SPDX-License-Identifier: Apache-2.0
"""CPU time of a server's processes, as the kernel's scheduler counts it: all threads, also those that ended meanwhile.

Beside the clock, since client and server share the machine here: what a server spends on a transfer is what decides how
many secondaries it can feed where the clients have machines of their own, and it hardly depends on who else is running.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.nameservers import Nameserver


def running_time(pid: int) -> float:
    """Seconds. The clock of another process has a number made from its id (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def with_cpu(server: Nameserver, row: str, count: int, run: Callable[[], float]) -> dict[str, float]:
    """{row: what run() gives, row-cpu: seconds of the server's CPU for each of `count` operations}."""
    pids = server.pids()
    before = sum(map(running_time, pids))
    value = run()
    return {row: value, f"{row}-cpu": (sum(map(running_time, pids)) - before) / count}
