# SPDX-License-Identifier: Apache-2.0
"""Memory with the large zone loaded and transferred.

`memory-process`: private memory of the largest process that answers queries: pages nobody else has mapped, without the
shared mapping of the store's file, which is page cache. `memory-total`: the proportional set size of all processes of
the server together, page cache of the store included, so nothing hides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bench.client import UdpLoad
from bench.cost import running_time
from bench.measure import Bench
from bench.servers import query
from bench.zones import Zone
from tests.nameservers import Nameserver

MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ (\S{4}) ")
KILOBYTES = re.compile(r"^(\w+):\s+(\d+) kB")


def private(pid: int) -> int:
    """Octets of private mappings that only this process has."""
    total, shared = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if mapping := MAPPING.match(line):
            shared = mapping[1].endswith("s")
        elif not shared and (value := KILOBYTES.match(line)) and value[1] in ("Private_Clean", "Private_Dirty"):
            total += int(value[2]) * 1024
    return total


def proportional(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(m[2]) * 1024 for line in rollup.splitlines() if (m := KILOBYTES.match(line)) and m[1] == "Pss")


def serving(server: Nameserver, zone: str) -> list[int]:
    """The processes that answer, told by who gets CPU time while queries come."""
    before = {pid: running_time(pid) for pid in server.pids()}
    UdpLoad(*server.address, query(zone, "SOA")).run(0.3)
    spent = {pid: running_time(pid) - time for pid, time in before.items()}
    return [pid for pid, time in spent.items() if time > sum(spent.values()) * 0.05]


def measure(bench: Bench, servers: Mapping[str, Nameserver], zone: Zone) -> None:
    for name, server in servers.items():
        bench.add("memory-process", name, max(map(private, serving(server, zone.apex))))
        bench.add("memory-total", name, sum(map(proportional, server.pids())))
    bench.tell(("memory-process", "memory-total"))
