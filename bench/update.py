# SPDX-License-Identifier: Apache-2.0
"""One record changed through the store, in the large zone and in one five times as large: seconds of each commit.

Each update replaces one address and raises the serial, as a real change does. Both zones change in turn, so that noise
hurts both alike. The commit itself and a commit that waits for the disk are rows of their own: what a disk needs for
one fsync is its own affair, and is measured beside them in the same folder.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import zones
from bench.measure import OURS, Bench
from bench.zones import SEED, Zone
from fastmdns import name, rdata, zonefile
from fastmdns.store import Store

TYPE_A, TYPE_SOA = 1, 6


def owners(zone: Zone) -> Iterator[bytes]:
    """Owners of addresses from all over the file, as wire, without end."""
    rng = random.Random(SEED)
    size = zone.path.stat().st_size
    with zone.path.open("rb") as file:
        while True:
            file.seek(rng.randrange(size))
            file.readline()
            fields = file.readline().split()
            if len(fields) == 5 and fields[3] == b"A":
                yield name.from_text(fields[0].decode())


def updates(zone: Zone, store: Store) -> Generator[float, None, None]:
    """Seconds of one update after the other, without end. The zone is published first."""
    apex = name.from_text(zone.apex)
    store.publish(zonefile.parse(zone.path, apex).records)
    for serial, owner in enumerate(owners(zone), zone.serial + 1):
        soa = rdata.from_text(TYPE_SOA, f"ns1.{zone.apex} hostmaster.{zone.apex} {serial} 1800 900 604800 3600")
        started = time.perf_counter()
        store.update(apex, {(owner, TYPE_A): (86400, (serial.to_bytes(4, "big"),))}, (86400, soa))
        yield time.perf_counter() - started


def fsyncs(path: Path) -> Generator[float, None, None]:
    """Seconds of one write of a page and its fsync after the other, without end."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.seek(0)
            started = time.perf_counter()
            file.write(os.urandom(16384))
            os.fsync(file.fileno())
            yield time.perf_counter() - started


def measure(bench: Bench, files: Path) -> None:
    """Rows update, update-larger, update-durable and fsync."""
    large, larger = (zones.delegations(files, n) for n in (bench.scale.records, bench.scale.update_records))
    with ExitStack() as stack:

        def store(name: str, sync: bool) -> Store:
            return stack.enter_context(Store(bench.folder / f"store-{name}", sync=sync))

        sources = {
            "update": updates(large, store("large", sync=False)),
            "update-larger": updates(larger, store("larger", sync=False)),
            "update-durable": updates(large, store("durable", sync=True)),
            "fsync": fsyncs(bench.folder / "fsync"),
        }
        for source in sources.values():
            next(source)
        for _ in range(bench.scale.updates):
            for row, source in sources.items():
                bench.add(row, OURS, next(source))
        for source in sources.values():
            source.close()
    bench.tell(tuple(sources))
