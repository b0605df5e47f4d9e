# SPDX-License-Identifier: Apache-2.0
"""From a zone file and an empty store to the first answers: seconds from exec of the server to the first SOA, and to
the last octet of the first whole transfer. Each server starts alone, in turn.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Sequence

from bench.client import Load, LoadError
from bench.measure import Bench
from bench.servers import SERVERS, query
from bench.zones import Zone
from tests import nameservers
from tests.nameservers import Address, Nameserver, NameserverError

PATIENCE = 240.0
PAUSE = 0.002


def first_soa(server: Nameserver, zone: str, deadline: float) -> None:
    """Return with the first good SOA over UDP; ask every 2 ms."""
    wire = query(zone, "SOA")
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(PAUSE)
            udp.connect(server.address)
            if _is_good(udp, wire):
                return
        time.sleep(PAUSE)
        os.kill(server.pid, 0)
    raise NameserverError(f"{server.program} gave no SOA of {zone} in time\n{server.log_end()}")


def _is_good(udp: socket.socket, wire: bytes) -> bool:
    try:
        udp.send(wire)
        answer = udp.recv(4096)
    except (TimeoutError, ConnectionRefusedError):
        return False
    return len(answer) > 12 and answer[3] & 15 == 0 and answer[7] == 1


def first_transfer(address: Address, zone: str, records: int, deadline: float) -> None:
    wire = query(zone, "AXFR")
    while True:
        load = Load(*address, [wire])
        try:
            load.run(PATIENCE)
        except LoadError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
        else:
            if load.counts["records"] != records + 1:
                raise LoadError(f"the first transfer had {load.counts['records']} records, not {records + 1}")
            return


def start(bench: Bench, name: str, zone: Zone) -> dict[str, float]:
    """One cold start, in a folder that is new."""
    folder = bench.folder / f"cold-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    kind = SERVERS[name]
    server = kind(folder, [nameservers.Zone(zone.apex, zone.path)], processes=bench.scale.processes)
    started = time.monotonic()
    try:
        server.launch()
        first_soa(server, zone.apex, started + PATIENCE)
        soa = time.monotonic() - started
        first_transfer(server.address, zone.apex, zone.records, started + PATIENCE)
        return {"cold-soa": soa, "cold-axfr": time.monotonic() - started}
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure(bench: Bench, names: Sequence[str], zone: Zone) -> None:
    zone.path.read_bytes()  # the file is in the page cache for all
    bench.interleave({name: name for name in names}, lambda name: start(bench, name, zone))
    bench.tell(("cold-soa", "cold-axfr"))
