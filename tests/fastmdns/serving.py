# SPDX-License-Identifier: Apache-2.0
"""A real server on loopback for tests: started as a user would, waited for by what it logs, stopped by TERM."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.zone

DEADLINE = 30.0
ROOT = Path(__file__).parents[2]
SMALL = "$TTL 300\n@ SOA ns1 host {serial} 3600 600 86400 300\n@ NS ns1\nns1 A 192.0.2.1\n"


def wait_until(claim: Callable[[], Any], what: str = "", seconds: float = DEADLINE) -> Any:
    """What the claim gave once it held."""
    deadline = time.monotonic() + seconds
    while not (held := claim()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what or claim}"
        time.sleep(0.01)
    return held


def zone_text(serial: int = 1, hosts: int = 0) -> str:
    """A zone whose every record tells its serial, so that a mixed version shows."""
    lines = [f"host{index} TXT serial{serial}\n" for index in range(hosts)]
    return SMALL.format(serial=serial) + "".join(lines)


def write_zone(folder: Path, zone: str, serial: int = 1, hosts: int = 0) -> Path:
    """In one step, as an editor or a tool does: a reader sees the old file or the new one."""
    target = folder / f"{zone}.zone"
    new = folder / f"{zone}.new"
    new.write_text(zone_text(serial, hosts))
    new.replace(target)
    return target


def query_wire(zone: str, rdtype: str = "SOA", ident: int | None = None) -> bytes:
    query = dns.message.make_query(zone, rdtype)
    if ident is not None:
        query.id = ident
    return query.to_wire()


def framed(*wires: bytes) -> bytes:
    return b"".join(len(wire).to_bytes(2, "big") + wire for wire in wires)


def receive_exactly(end: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        more = end.recv(size - len(octets))
        if not more:
            raise EOFError(f"closed after {len(octets)} of {size} octets")
        octets += more
    return octets


def receive_message(end: socket.socket) -> bytes:
    return receive_exactly(end, int.from_bytes(receive_exactly(end, 2), "big"))


def is_closed(end: socket.socket) -> bool:
    """True once the server has closed; what it sent before is read away."""
    end.settimeout(DEADLINE)
    try:
        while end.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


class Server:
    def __init__(self, process: subprocess.Popen[bytes], log: Path, metrics: int) -> None:
        self.process = process
        self.log = log
        self.metrics = metrics
        self.port = 0

    def text(self) -> str:
        return self.log.read_text()

    def wait_line(self, pattern: str, count: int = 1) -> str:
        """The line of the log that matches for the count-th time."""

        def found() -> str | None:
            lines = [line for line in self.text().splitlines() if re.search(pattern, line)]
            assert self.process.poll() is None or len(lines) >= count, f"the server ended: {self.text()}"
            return lines[count - 1] if len(lines) >= count else None

        return str(wait_until(found, f"{pattern} in {self.text()}"))

    def wait_ready(self) -> None:
        line = self.wait_line(" ready zones=")
        self.port = int(re.findall(r"listen=127\.0\.0\.1:(\d+)", line)[0])

    def connect(self, host: str = "127.0.0.1") -> socket.socket:
        end = socket.create_connection((host, self.port), timeout=DEADLINE)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return end

    def udp(self, zone: str, rdtype: str = "SOA", host: str = "127.0.0.1") -> dns.message.Message:
        return dns.query.udp(dns.message.make_query(zone, rdtype), host, port=self.port, timeout=DEADLINE)

    def tcp(self, zone: str, rdtype: str = "SOA", host: str = "127.0.0.1") -> dns.message.Message:
        return dns.query.tcp(dns.message.make_query(zone, rdtype), host, port=self.port, timeout=DEADLINE)

    def serial(self, zone: str) -> int:
        return int(self.udp(zone).answer[0][0].serial)

    def transfer(self, zone: str, host: str = "127.0.0.1") -> dns.zone.Zone:
        found = dns.zone.Zone(zone)
        dns.query.inbound_xfr(host, found, port=self.port, timeout=DEADLINE, lifetime=DEADLINE)
        return found

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}{path}", timeout=DEADLINE) as answer:
            return str(answer.read().decode())

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.page("/status"))
        return found

    def counter(self, name: str) -> int:
        return int(self.status()["counters"][name])

    def pids(self, kind: str = "server") -> list[int]:
        return [each["pid"] for each in self.status()["processes"] if each["name"].startswith(kind) and each["pid"]]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as end:
        return int(end.getsockname()[1])


@contextmanager
def serving(
    folder: Path,
    *zones: str | Path,
    listen: tuple[str, ...] = ("127.0.0.1:0",),
    wrap: Callable[[list[str]], list[str]] = list,
    wait: bool = True,
    popen: dict[str, Any] | None = None,
    **settings: object,
) -> Iterator[Server]:
    """`fastmdns serve` with the settings as flags; folder holds the zones (zones/), the store and the log."""
    metrics = free_port()
    paths = [str(zone) for zone in zones] or [str(folder / "zones")]
    command = [sys.executable, "-m", "fastmdns", "serve", *paths, "--store", str(folder / "store")]
    command += ["--metrics", f"127.0.0.1:{metrics}", *(part for each in listen for part in ("--listen", each))]
    settings.setdefault("processes", 1)
    for key, value in settings.items():
        flag = "--" + key.replace("_", "-")
        command += [flag] if value is True else [flag, str(value)]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(wrap(command), cwd=ROOT, stderr=output, **(popen or {}))
    server = Server(process, log, metrics)
    try:
        if wait:
            server.wait_ready()
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def environment(**more: str) -> dict[str, str]:
    return dict(os.environ) | more
