# SPDX-License-Identifier: Apache-2.0
"""A closed loop of HTTP clients in one process: each has one request on its way and sends the next upon its answer.

The requests are octets made by the caller and answers are read no further than needed, so the clients cost some tens of
microseconds a request (Done.client_cpu tells). A connection is kept for as long as the server keeps it. Any answer but
a 2xx, and one that takes longer than DEADLINE, is a LoadError; but where failures are tolerated, a 5xx is counted.
"""

from __future__ import annotations

import contextlib
import json
import re
import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.client import LoadError
from tests.nameservers import Address

DEADLINE = 60.0  # seconds
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
CLOSES = re.compile(rb"(?i)\r\nconnection: *close")
EXCERPT = 500


def request(method: str, path: str, headers: Mapping[str, str], body: Any = None) -> bytes:
    """The octets of a request. body: text or octets as they are, anything else as JSON."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Host": "bench", "Accept": "application/json", "Content-Type": "application/json", **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


@dataclass(slots=True)
class Done:
    """What a run did. latencies: seconds from a request's first octet to its answer's last, connecting included."""

    seconds: float
    client_cpu: float
    failures: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


class _Client:
    def __init__(self, address: Address, source: Iterator[bytes]) -> None:
        self.address, self.source = address, source
        self.socket: socket.socket | None = None
        self.received = bytearray()
        self.whole = 0  # octets of the answer, once its head is here
        self.sent_at = 0.0

    def send(self) -> socket.socket | None:
        """Sends the next request → the socket its answer comes by; None after the last one."""
        data = next(self.source, None)
        if data is None:
            return None
        self.sent_at = time.perf_counter()
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=DEADLINE)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(data)
        self.received.clear()
        self.whole = 0
        return self.socket

    def receive(self) -> bool:
        """Takes what has come; True once the answer is whole."""
        assert self.socket is not None
        data = self.socket.recv(1 << 18)
        if not data:
            raise LoadError(f"the server closed the connection after {bytes(self.received[:EXCERPT])!r}")
        self.received += data
        if not self.whole:
            head = self.received.find(b"\r\n\r\n")
            if head < 0:
                return False
            length = LENGTH.search(self.received, 0, head)
            self.whole = head + 4 + (int(length[1]) if length else 0)
        return len(self.received) >= self.whole

    def finish(self, tolerant: bool = False) -> bool:
        """True for a 2xx."""
        good = self.received[9:10] == b"2"
        if not good and not (tolerant and self.received[9:10] == b"5"):
            raise LoadError(f"not answered well: {bytes(self.received[:EXCERPT]).decode(errors='replace')}")
        if CLOSES.search(self.received, 0, self.received.find(b"\r\n\r\n") + 2):
            self.close()
        return good

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    @property
    def body(self) -> bytes:
        return bytes(self.received[self.received.find(b"\r\n\r\n") + 4 :])


def drive(
    address: Address, sources: Sequence[Iterator[bytes]], seconds: float = DEADLINE, tolerant: bool = False
) -> Done:
    """A client for each source of requests, until the sources end or the time is over; every request is answered."""
    clients = [_Client(address, source) for source in sources]
    started, cpu = time.perf_counter(), time.process_time()
    done = Done(0, 0)
    try:
        _loop(clients, done, started + seconds, tolerant)
    except OSError as error:
        raise LoadError(f"{address}: {error}") from error
    finally:
        for client in clients:
            client.close()
    done.seconds, done.client_cpu = time.perf_counter() - started, time.process_time() - cpu
    return done


def _loop(clients: Sequence[_Client], done: Done, until: float, tolerant: bool) -> None:
    with selectors.DefaultSelector() as selector:
        for client in clients:
            _next(selector, client)
        while selector.get_map():
            ready = selector.select(DEADLINE)
            if not ready:
                raise LoadError(f"no answer within {DEADLINE:g} s")
            for key, _ in ready:
                client = key.data
                if not client.receive():
                    continue
                now = time.perf_counter()
                selector.unregister(key.fileobj)
                if client.finish(tolerant):
                    done.latencies.append(now - client.sent_at)
                else:
                    done.failures += 1
                if now < until:
                    _next(selector, client)


def _next(selector: selectors.BaseSelector, client: _Client) -> None:
    expecting = client.send()
    if expecting is not None:
        selector.register(expecting, selectors.EVENT_READ, client)


def ask(address: Address, data: bytes) -> Any:
    """One request alone → the JSON of its answer, None where that is empty."""
    client = _Client(address, iter([data]))
    with contextlib.closing(client):
        try:
            client.send()
            while not client.receive():
                pass
        except OSError as error:
            raise LoadError(f"{address}: {error}") from error
        body = client.body
        client.finish()
    return json.loads(body) if body else None
