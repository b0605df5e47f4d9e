# SPDX-License-Identifier: Apache-2.0
"""SOA queries per second over UDP, by dnsperf and by a loader of our own, and the latency of SOA beside big transfers.

dnsperf costs about as much CPU as a fast server, so on two cores it is the bottleneck for the fastest; the loader that
sends and receives 64 packets a call is the cross-check. The latency row runs two endless transfers of the large zone
and meanwhile asks SOA over new TCP connections, one every few milliseconds.
"""

from __future__ import annotations

import re
import shutil
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Mapping

from bench.client import Load, LoadError, UdpLoad
from bench.cost import with_cpu
from bench.measure import Bench
from bench.servers import query
from bench.zones import Zone
from tests.nameservers import Address, Nameserver

PACE = 0.003
CLIENTS = 8
OUTSTANDING = 200
RATE = re.compile(r"Queries per second:\s+([\d.]+)")
LOST = re.compile(r"lost:.*\(([\d.]+)%\)")


def dnsperf(bench: Bench, address: Address, zone: str) -> float:
    """Answers per second; LoadError where more than one in a hundred was lost."""
    queries = bench.folder / "queries"
    queries.write_text(f"{zone} SOA\n")
    command = ["dnsperf", "-s", address.host, "-p", str(address.port), "-d", str(queries)]
    command += ["-l", str(max(1, int(bench.scale.seconds))), "-c", str(CLIENTS), "-T", "1", "-q", str(OUTSTANDING)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate, lost = RATE.search(output), LOST.search(output)
    if rate is None or lost is None or float(lost[1]) > 1:
        raise LoadError(f"dnsperf says:\n{output}")
    return float(rate[1])


def measure_udp(bench: Bench, servers: Mapping[str, Nameserver], zone: Zone) -> None:
    wire = query(zone.apex, "SOA")

    def sample(server: Nameserver) -> dict[str, float]:
        load = UdpLoad(*server.address, wire)
        rates = with_cpu(server, "soa-udp-own", 1, lambda: load.run(bench.scale.seconds))
        rates["soa-udp-own-cpu"] /= load.answered
        if shutil.which("dnsperf"):
            rates["soa-udp"] = dnsperf(bench, server.address, zone.apex)
        return rates

    bench.interleave(servers, sample)
    bench.tell(("soa-udp", "soa-udp-own"))


def ask_once(address: Address, wire: bytes) -> float:
    """Seconds from connect to the whole answer."""
    started = time.perf_counter()
    with socket.create_connection(address, timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(len(wire).to_bytes(2, "big") + wire)
        answer = connection.recv(4096)
        while len(answer) < 2 or len(answer) < 2 + int.from_bytes(answer[:2], "big"):
            answer += connection.recv(4096) or b"\0" * 4096
        return time.perf_counter() - started


def latencies(server: Nameserver, zone: str, seconds: float) -> list[float]:
    """Latency of SOA over new connections while two transfers run all the time."""
    load = Load(*server.address, [query(zone, "AXFR")] * 100_000, connections=2)
    load.connect()
    background = threading.Thread(target=load.run, args=(seconds + 60,))
    background.start()
    wire = query(zone, "SOA")
    found = []
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found.append(ask_once(server.address, wire))
            time.sleep(PACE)
    finally:
        load.stop()
        background.join()
    return found


def measure_latency(bench: Bench, servers: Mapping[str, Nameserver], zone: Zone) -> None:
    """Rows soa-busy-p50 and soa-busy-p99, milliseconds."""

    def sample(server: Nameserver) -> dict[str, float]:
        found = latencies(server, zone.apex, bench.scale.seconds)
        cuts = statistics.quantiles(found, n=100, method="inclusive")
        return {"soa-busy-p50": cuts[49], "soa-busy-p99": cuts[98]}

    bench.interleave(servers, sample)
    bench.tell(("soa-busy-p50", "soa-busy-p99"))
