# SPDX-License-Identifier: Apache-2.0
"""One record changed through the store, in the large zone and in one five times as large: seconds of each commit.

Each update replaces one address and raises the serial, as a real change does, and is durable: one commit, one fsync on
the file system of the temporary folder.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from bench import zones
from bench.measure import Bench
from bench.targets import OURS
from bench.zones import SEED, Zone
from fastmdns import name, rdata, zonefile
from fastmdns.store import Store

TYPE_A = 1


def owners(zone: Zone, count: int) -> Iterator[bytes]:
    """Owners of addresses all over the file, as wire."""
    rng = random.Random(SEED)
    size = zone.path.stat().st_size
    with zone.path.open("rb") as file:
        while count:
            file.seek(rng.randrange(size // 2, size) if count % 2 else rng.randrange(size // 2))
            file.readline()
            fields = file.readline().split()
            if len(fields) == 5 and fields[3] == b"A":
                yield name.from_text(fields[0].decode())
                count -= 1


def times(zone: Zone, folder: Path, count: int) -> Iterator[float]:
    """Seconds of each update. The zone is published first."""
    apex = name.from_text(zone.apex)
    with Store(folder) as store:
        store.publish(zonefile.parse(zone.path, apex).records)
        for serial, owner in enumerate(owners(zone, count), zone.serial + 1):
            soa = rdata.from_text(6, f"ns1.{zone.apex} hostmaster.{zone.apex} {serial} 1800 900 604800 3600")
            started = time.perf_counter()
            store.update(apex, {(owner, TYPE_A): (86400, (serial.to_bytes(4, "big"),))}, (86400, soa))
            yield time.perf_counter() - started


def measure(bench: Bench, files: Path) -> None:
    """Rows update and update-larger."""
    for row, records in (("update", bench.scale.records), ("update-larger", bench.scale.update_records)):
        for seconds in times(zones.delegations(files, records), bench.folder / row, bench.scale.updates):
            bench.add(row, OURS, seconds)
    bench.tell(("update", "update-larger"))
