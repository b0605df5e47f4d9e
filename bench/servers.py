# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured: ours and its peers, tuned alike.

Each runs with the same number of processes (or threads) that answer queries, on loopback, without rate limits, without
a line of log for each transfer. The drivers are those of the tests, so what is measured is what is tested.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import dns.message
import dns.name

from bench.client import Load, LoadError
from tests.nameservers import Bind, Key, Knot, Nameserver, NameserverError, Nsd, PowerDns, Zone

ROOT = Path(__file__).parent.parent
KEY = Key("bench-key.")


class QuietBind(Bind):
    def configure(self) -> Sequence[str | Path]:
        arguments = super().configure()
        with Path(self.folder / "named.conf").open("a") as file:
            file.write("logging { category xfer-out { null; }; category queries { null; }; };\n")
        return arguments


class QuietKnot(Knot):
    def _server(self) -> str:
        return super()._server().replace("any: info", "any: warning")


class Fastmdns(Nameserver):
    """`fastmdns serve` of this source tree."""

    program = "fastmdns"

    @classmethod
    def installed(cls) -> bool:
        return True

    def configure(self) -> Sequence[str | Path]:
        # Folders: ten thousand names would not fit on a command line.
        folders = sorted({zone.file.parent for zone in self.zones if zone.file})
        # An installed package has its bytecode beside it; this makes sure of the same for the source tree.
        arguments: list[str | Path] = ["-u", "PYTHONDONTWRITEBYTECODE", f"PYTHONPATH={ROOT}"]
        arguments += [sys.executable, "-m", "fastmdns", "serve", *folders]
        arguments += ["--store", self.folder / "store"]
        arguments += ["--listen", "{}:{}".format(*self.address), "--processes", str(self.processes)]
        arguments += ["--metrics", "", "--no-log-transfers", "--max-transfers-per-address", "1000"]
        for key in self.keys:
            arguments += ["--tsig-key", f"{key.name}:{key.algorithm}:{key.secret}"]
        return arguments

    def _executable(self) -> Path:
        return Path("/usr/bin/env")


SERVERS: dict[str, type[Nameserver]] = {
    "fastmdns": Fastmdns,
    "nsd": Nsd,
    "knot": QuietKnot,
    "bind": QuietBind,
    "powerdns": PowerDns,
}


def query(zone: str, rrtype: str, key: Key | None = None) -> bytes:
    """A query with id 0, no RD, signed now when there is a key."""
    message = dns.message.make_query(zone, rrtype, flags=0, id=0)
    if key is not None:
        message.use_tsig(key.keyring(), dns.name.from_text(key.name), algorithm=key.algorithm)
    return message.to_wire()


def wait_ready(server: Nameserver, seconds: float) -> None:
    """Return once it answers a SOA for every zone; all are asked over one connection."""
    queries = [query(zone.name, "SOA") for zone in server.zones]
    deadline = time.monotonic() + seconds
    while True:
        try:
            Load(*server.address, queries, depth=8, single=True).run(10)
        except LoadError as error:
            if time.monotonic() > deadline or not Path(f"/proc/{server.pid}/stat").exists():
                raise NameserverError(f"{server.program}: {error}\n{server.log_end()}") from None
            time.sleep(0.05)
        else:
            return


@contextlib.contextmanager
def running(
    names: Sequence[str], folder: Path, zones: Sequence[Zone], *, processes: int, seconds: float = 180
) -> Iterator[dict[str, Nameserver]]:
    """All the servers, each ready for every zone."""
    with contextlib.ExitStack() as stack:
        servers = {}
        for name in names:
            server = SERVERS[name](folder / name, zones, processes=processes)
            stack.callback(server.stop)
            server.launch()
            wait_ready(server, seconds)
            servers[name] = server
        yield servers
