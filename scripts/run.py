# SPDX-License-Identifier: Apache-2.0
"""`make run`: a primary with the sample zone on a free loopback port, and the line to try once it is ready.

The server says READY the way it says it to systemd (sd_notify), so the line is printed when it works and not before.
Each port has a store of its own below run/, so a second `make run` beside the first gets along.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

READY_SECONDS = 30
PORTS_TRIED = 100


def is_free(port: int) -> bool:
    """Can the port be bound on 127.0.0.1, for UDP and for TCP?"""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with closing(socket.socket(socket.AF_INET, kind)) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def next_free(port: int) -> int:
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        if is_free(candidate):
            return candidate
    raise SystemExit(f"no free port from {port} up: say another with make run PORT=N")


def wait_until_ready(server: subprocess.Popen[bytes], notices: socket.socket) -> bool:
    """True once the server is ready, False where it ended first or is late."""
    notices.settimeout(0.2)
    for _ in range(READY_SECONDS * 5):
        if server.poll() is not None:
            return False
        try:
            if b"READY=1" in notices.recv(4096).split(b"\n"):
                return True
        except TimeoutError:
            continue
    return False


def say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


def main() -> int:
    port = next_free(int(sys.argv[1]) if len(sys.argv) > 1 else 5300)
    metrics = next_free(9153)
    folder = Path("run") / str(port)
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fastmdns", "serve", "examples/zones", "--watch", "--store", str(folder / "store")]
    command += ["--listen", f"127.0.0.1:{port}", "--metrics", f"127.0.0.1:{metrics}"]
    say(f"fastmdns: starting a primary with the zones of examples/zones on 127.0.0.1 port {port}", " ".join(command))
    with tempfile.TemporaryDirectory() as name, closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notices:
        address = str(Path(name) / "notify")
        notices.bind(address)
        server = subprocess.Popen(command, env={**os.environ, "NOTIFY_SOCKET": address})
        for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(signum, lambda number, frame: server.send_signal(number))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the server as well, which then ends
        if wait_until_ready(server, notices):
            say("", "fastmdns: ready. Try, in another terminal:", "", *lines_to_try(port, metrics), "")
        elif server.poll() is None:
            server.terminate()
        return server.wait()


def lines_to_try(port: int, metrics: int) -> list[str]:
    lines = [f"  dig @127.0.0.1 -p {port} example.org AXFR"]
    if shutil.which("dig") is None:
        lines[0] += "     (apt-get install bind9-dnsutils)"
    ours = Path(sys.executable).parent / "fastmdns"
    lines.append(f"  {os.path.relpath(ours)} transfer example.org 127.0.0.1:{port}")
    lines.append(f"  {os.path.relpath(ours)} status 127.0.0.1:{metrics}")
    return [*lines, "", "  Edit a file in examples/zones and it is served at once; Ctrl-C ends the server."]


if __name__ == "__main__":
    sys.exit(main())
