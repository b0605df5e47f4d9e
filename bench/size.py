# SPDX-License-Identifier: Apache-2.0
"""Octets on the wire for a whole zone, and the check that all servers give the same records.

The check is the first thing done with any set of servers; its digest covers owner, type, class, TTL and rdata of every
record, in whatever order and compression they come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.client import Load, LoadError
from bench.measure import Bench
from bench.servers import query
from bench.zones import Zone
from tests.nameservers import Nameserver


def measure(bench: Bench, servers: Mapping[str, Nameserver], zones: Sequence[Zone], suffix: str) -> None:
    """Rows size-SUFFIX and messages-SUFFIX; LoadError where two servers differ."""
    queries = [query(zone.apex, "AXFR") for zone in zones]
    expected = sum(zone.records + 1 for zone in zones)
    digests = {}
    for name, server in servers.items():
        load = Load(*server.address, queries, connections=min(4, len(zones)), reconnect=True, digest=True)
        load.run(180)
        counts = load.counts
        if counts["records"] != expected:
            raise LoadError(f"{name} sent {counts['records']} records where the files make {expected}")
        digests[name] = counts["digest"]
        bench.add(f"size-{suffix}", name, counts["octets"])
        bench.add(f"messages-{suffix}", name, counts["messages"])
    if len(set(digests.values())) > 1:
        raise LoadError(f"the servers do not give the same records: {digests}")
    bench.say(f"{', '.join(servers)}: the same {expected} records, digest {digests.popitem()[1]:016x}")
    bench.tell((f"size-{suffix}", f"messages-{suffix}"))
