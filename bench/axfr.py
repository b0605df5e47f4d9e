# SPDX-License-Identifier: Apache-2.0
"""Whole transfers of the large zone, warm: one stream, eight streams, both also with TSIG, and the loopback's ceiling.

Before the clock runs, one signed stream of each server has every MAC verified with dnspython. The ceiling is a process
that writes the captured octets with writev and does nothing else; it is read by the same client.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.tsig

from bench.client import Load, LoadError, last_record
from bench.cost import with_cpu
from bench.measure import Bench
from bench.servers import KEY, query
from bench.zones import Zone
from tests.nameservers import Address, Key, Nameserver

STREAMS = 8
CHUNK = 1 << 18
PATIENCE = 300.0


def transfer(address: Address, zone: str, streams: int, key: Key | None) -> float:
    """Seconds for all streams; two threads walk them when there are several, so that the client is no bottleneck."""
    wire = query(zone, "AXFR", key)
    threads = min(streams, 2)
    loads = [Load(*address, [wire] * (streams // threads), connections=streams // threads) for _ in range(threads)]
    for load in loads:
        load.connect()
    if threads == 1:
        return loads[0].run(PATIENCE)
    return together(loads)


def together(loads: list[Load]) -> float:
    """Seconds from the first query to the last octet of several loads, each in a thread."""
    failures: list[Exception] = []

    def run(load: Load) -> None:
        try:
            load.run(PATIENCE)
        except LoadError as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(load,)) for load in loads]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.monotonic() - started


def capture(address: Address, wire: bytes) -> bytes:
    """A whole stream as it comes. Its length is known from one transfer ahead of it."""
    load = Load(*address, [wire])
    load.run(PATIENCE)
    wanted = load.counts["octets"]
    stream = bytearray()
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(struct.pack("!H", len(wire)) + wire)
        while len(stream) < wanted:
            data = connection.recv(CHUNK)
            if not data:
                raise LoadError(f"the stream ended after {len(stream)} of {wanted} octets")
            stream += data
    return bytes(stream)


def split(stream: bytes) -> Iterator[bytes]:
    """The messages of a stream."""
    at = 0
    while at < len(stream):
        (size,) = struct.unpack_from("!H", stream, at)
        yield stream[at + 2 : at + 2 + size]
        at += 2 + size


def verify_signatures(address: Address, zone: str, key: Key) -> int:
    """Every message of a signed stream is signed and verifies (RFC 8945 §5.3.1). The number of messages."""
    wire = query(zone, "AXFR", key)
    context, mac, count = None, tsig_of(wire).mac, 0
    secret = next(iter(key.keyring().values()))
    for message in split(capture(address, wire)):
        rdata, (start, _) = tsig_of(message), last_record(message)
        context = dns.tsig.validate(  # type: ignore[no-untyped-call]  # dnspython gives it no types
            message, secret, secret.name, rdata, int(time.time()), mac, start, context, multi=True
        )
        count += 1
    return count


def tsig_of(message: bytes) -> dns.rdtypes.ANY.TSIG.TSIG:
    _, at = last_record(message)
    rdata = dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, message, at, len(message) - at)
    assert isinstance(rdata, dns.rdtypes.ANY.TSIG.TSIG)
    return rdata


@contextlib.contextmanager
def raw_sender(path: Path) -> Iterator[Address]:
    """A process that writes the file's messages to whoever connects."""
    command = ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", "bench.raw", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Address("127.0.0.1", int(process.stdout.readline()))
        finally:
            process.kill()


def drain(address: Address, octets: int) -> float:
    """Seconds to read that many octets and look at none of them."""
    buffer = bytearray(CHUNK)
    with socket.create_connection(address, timeout=60) as connection:
        started = time.monotonic()
        connection.sendall(b"\0\1\0")
        while octets > 0:
            got = connection.recv_into(buffer)
            if not got:
                raise LoadError("the raw sender stopped early")
            octets -= got
        return time.monotonic() - started


def measure(bench: Bench, servers: Mapping[str, Nameserver], zone: Zone) -> None:
    """Rows axfr-1, axfr-8, axfr-1-tsig, axfr-8-tsig, raw-walk, raw-drain."""
    for name, server in servers.items():
        signed = verify_signatures(server.address, zone.apex, KEY)
        bench.say(f"{name}: {signed} signed messages verified")
    stream = capture(next(iter(servers.values())).address, query(zone.apex, "AXFR"))
    path = bench.folder / "stream.bin"
    path.write_bytes(stream)
    with raw_sender(path) as raw:
        for streams in (1, STREAMS):
            for key in (None, KEY):
                measure_streams(bench, servers, zone, streams, key)
            ceiling(bench, raw, zone, streams, len(stream))
    path.unlink()
    bench.tell(("axfr-1", "axfr-8", "axfr-1-tsig", "axfr-8-tsig", "raw-1", "raw-8", "raw-drain"))


def measure_streams(bench: Bench, servers: Mapping[str, Nameserver], zone: Zone, streams: int, key: Key | None) -> None:
    suffix = "-tsig" if key else ""
    row, first = f"axfr-{streams}{suffix}", f"axfr-1{suffix}"

    def is_quick(name: str) -> bool:
        """Eight streams take about eight times as long, and a minute each is enough to know."""
        single = bench.measures.get((first, name))
        return single is None or single.median * streams < bench.scale.budget

    quick = {name: server for name, server in servers.items() if is_quick(name)}

    def sample(server: Nameserver) -> dict[str, float]:
        return with_cpu(server, row, streams, lambda: transfer(server.address, zone.apex, streams, key))

    bench.interleave(quick, sample)


def ceiling(bench: Bench, raw: Address, zone: Zone, streams: int, octets: int) -> None:
    for _ in range(bench.scale.rounds):
        bench.add(f"raw-{streams}", "raw", transfer(raw, zone.apex, streams, None))
        if streams == 1:
            bench.add("raw-drain", "raw", drain(raw, octets))
