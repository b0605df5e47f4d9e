# SPDX-License-Identifier: Apache-2.0
"""CPU time of a server's processes, all threads, in nanoseconds as the kernel's scheduler counts it.

Beside the clock, since client and server share the machine here: what a server spends on a transfer is what decides how
many secondaries it can feed where the clients have machines of their own, and it hardly depends on who else is running.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.nameservers import Nameserver


def running_time(pid: int) -> int:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def with_cpu(server: Nameserver, row: str, count: int, run: Callable[[], float]) -> dict[str, float]:
    """{row: what run() gives, row-cpu: seconds of the server's CPU for each of `count` operations}."""
    pids = server.pids()
    before = sum(map(running_time, pids))
    value = run()
    return {row: value, f"{row}-cpu": (sum(map(running_time, pids)) - before) / count / 1e9}
