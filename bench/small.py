# SPDX-License-Identifier: Apache-2.0
"""Transfers per second of many small zones: a new connection each, and one connection for all.

On the one connection either one query is on its way or fifty are (a secondary after a restart pipelines so). The fifty
are also measured with a client that acknowledges at once (TCP_QUICKACK), which spares servers that leave Nagle's
algorithm on its 40 ms; real secondaries do not do that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.client import Load
from bench.cost import with_cpu
from bench.measure import Bench
from bench.servers import query
from bench.zones import Zone
from tests.nameservers import Nameserver

CONCURRENT = 10


@dataclass(frozen=True, slots=True)
class Way:
    row: str
    connections: int = 1
    depth: int = 1
    reconnect: bool = False
    quickack: bool = False


WAYS = (
    Way("small-new", connections=CONCURRENT, reconnect=True),
    Way("small-new-1", reconnect=True),
    Way("small-reused"),
    Way("small-reused-50", depth=50),
    Way("small-reused-50-quickack", depth=50, quickack=True),
)


def rate(server: Nameserver, queries: list[bytes], way: Way) -> float:
    """Zones per second."""
    load = Load(
        *server.address,
        queries,
        connections=way.connections,
        depth=way.depth,
        reconnect=way.reconnect,
        quickack=way.quickack,
    )
    return len(queries) / load.run(300)


def measure(bench: Bench, servers: Mapping[str, Nameserver], zones: list[Zone]) -> None:
    queries = [query(zone.apex, "AXFR") for zone in zones]
    for way in WAYS:
        # Enough to tell that a server leaves Nagle on, which may then take minutes for all.
        first = {name: rate(server, queries[:50], way) for name, server in servers.items()}

        def sample(server: Nameserver, way: Way = way, first: Mapping[str, float] = first) -> dict[str, float]:
            slow = first[next(name for name, other in servers.items() if other is server)] < bench.scale.slow_rate
            asked = queries[: bench.scale.slow] if slow else queries
            return with_cpu(server, way.row, len(asked), lambda: rate(server, asked, way))

        bench.interleave(servers, sample)
    bench.tell(tuple(way.row for way in WAYS))
