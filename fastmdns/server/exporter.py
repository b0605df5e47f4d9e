# SPDX-License-Identifier: Apache-2.0
"""What operators ask over HTTP, on a loopback port: /metrics (Prometheus text), /status (JSON), /healthz, /readyz.

It runs in threads of the loader and only reads: the board, and two functions that tell the rest. Healthy: at least one
server process lives. Ready: healthy, and the first load is done.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from fastmdns import __version__
from fastmdns.config import split_endpoint
from fastmdns.server.board import Board, Fact, describe

REQUEST_SECONDS = 5.0  # a client that takes longer to ask or to read is cut


@dataclass(frozen=True)
class Facts:
    """Where the pages come from."""

    board: Board
    status: Callable[[], dict[str, Any]]  # what the loader knows: zones, NOTIFY
    is_ready: Callable[[], bool]

    def is_healthy(self) -> bool:
        return any(row.facts[Fact.PID] for row in self.board.servers)


class Exporter(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, endpoint: str, facts: Facts) -> None:
        host, port = split_endpoint(endpoint)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.facts = facts
        super().__init__((host, port), Handler)

    def server_bind(self) -> None:
        """Without http.server's look-up of this host's name, which asks the DNS."""
        TCPServer.server_bind(self)

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, name="exporter", daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server_version = f"fastmdns/{__version__}"
    sys_version = ""
    timeout = REQUEST_SECONDS
    server: Exporter

    def do_GET(self) -> None:
        page = PAGES.get(self.path.partition("?")[0])
        if page is None:
            self._answer(404, "text/plain", "no such page\n")
        else:
            self._answer(*page(self.server.facts))

    def _answer(self, code: int, kind: str, body: str) -> None:
        octets = body.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server names it
        """A scrape every few seconds is nothing to log."""


def metrics_page(facts: Facts) -> tuple[int, str, str]:
    zones = facts.status().get("zones", [])
    lines = describe("fastmdns_zones_configured", "gauge", "Zones there is a file for.")
    lines.append(f"fastmdns_zones_configured {len(zones)}")
    lines += describe("fastmdns_zones_not_ready", "gauge", "Zones whose last load failed.")
    lines.append(f"fastmdns_zones_not_ready {sum(zone['state'].startswith('failed') for zone in zones)}")
    text = facts.board.prometheus() + "\n".join(lines) + "\n"
    return 200, "text/plain; version=0.0.4; charset=utf-8", text


def status_page(facts: Facts) -> tuple[int, str, str]:
    board = {"version": __version__, "ready": facts.is_ready(), "processes": facts.board.processes()}
    body = board | facts.status() | {"counters": facts.board.totals()}
    return 200, "application/json", json.dumps(body, indent=1, default=str) + "\n"


def health_page(facts: Facts) -> tuple[int, str, str]:
    return (200, "text/plain", "ok\n") if facts.is_healthy() else (503, "text/plain", "no server process\n")


def ready_page(facts: Facts) -> tuple[int, str, str]:
    is_ready = facts.is_healthy() and facts.is_ready()
    return (200, "text/plain", "ready\n") if is_ready else (503, "text/plain", "not ready\n")


PAGES: dict[str, Callable[[Facts], tuple[int, str, str]]] = {
    "/metrics": metrics_page,
    "/status": status_page,
    "/healthz": health_page,
    "/readyz": ready_page,
}
