# SPDX-License-Identifier: Apache-2.0
"""`make soak`: transfers, reloads and killed processes for some minutes; then nothing may have grown or gone wrong.

A primary on loopback serves one large zone and some small ones. Clients transfer them all the time and check what
comes; every second a zone changes and the server is told; every few seconds one process is killed with -9. At the end
every zone must be served with its last serial, and memory, descriptors and the store must be where they were after the
first quarter.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from fastmdns import client, name
from fastmdns.errors import FastmdnsError
from tests.nameservers import Fastmdns, Zone, wait_until

SMALL_ZONES = 50
LARGE_RECORDS = 100_000
CLIENTS = 3
KILL_EVERY = 7  # seconds
GROWTH = 1.25  # of a median over a quarter of the run, beyond SLACK
SLACK = {"private_kib": 20_000, "descriptors": 50, "store_kib": 50_000}


@dataclass
class Run:
    server: Fastmdns
    serials: dict[str, int]
    samples: list[dict[str, int]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    done: threading.Event = field(default_factory=threading.Event)


def write_zone(path: Path, serial: int, records: int) -> None:
    """Written beside and renamed, as a careful operator does."""
    hosts = "".join(
        f"h{number} A 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\n" for number in range(records)
    )
    beside = path.with_suffix(".new")
    beside.write_text(f"$TTL 300\n@ SOA ns h {serial} 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n{hosts}")
    beside.replace(path)


def transfer_for_ever(run: Run) -> None:
    """Whole zones come, with a serial between the one before and the newest; a killed process may cut a few."""
    while not run.done.is_set():
        zone = random.choice(["large.example.", *run.serials])
        least = run.serials[zone] - 1  # a change may not be loaded yet
        try:
            got = client.transfer(name.from_text(zone), run.server.address, timeout=10)
        except FastmdnsError as error:
            run.counts["cut" if "closed" in str(error) or "reset" in str(error) else f"failed: {error}"] += 1
            continue
        run.counts["stale" if (got.answer.serial or 0) < least else "transfers"] += 1


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sample(run: Run, store: Path) -> dict[str, int]:
    """What may not grow, over the master and its children."""
    private = descriptors = 0
    for pid in [run.server.pid, *children(run.server.pid)]:
        with contextlib.suppress(OSError):  # it may just have been killed
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            private += sum(int(line.split()[1]) for line in rollup if line.startswith("Private_"))
            descriptors += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    size = sum(file.stat().st_blocks // 2 for file in store.rglob("*") if file.is_file())
    return {"private_kib": private, "descriptors": descriptors, "store_kib": size}


def disturb(run: Run, folder: Path, seconds: float) -> None:
    """A change and a reload each second, a killed server every few."""
    begin = time.monotonic()
    for second in range(1, int(seconds) + 1):
        zone = random.choice(list(run.serials))
        write_zone(folder / f"{zone}zone", run.serials[zone] + 1, LARGE_RECORDS if zone.startswith("large") else 5)
        run.serials[zone] += 1
        run.server.reload()
        if second % KILL_EVERY == 0:
            os.kill(random.choice(children(run.server.pid)), signal.SIGKILL)
            run.counts["killed"] += 1
        run.samples.append(sample(run, run.server.folder / "store"))
        time.sleep(max(0.0, begin + second - time.monotonic()))


def grown(samples: list[dict[str, int]]) -> list[str]:
    """What the last quarter has more of than the second."""
    quarter = len(samples) // 4
    lines = []
    for key, slack in SLACK.items():
        early = statistics.median(each[key] for each in samples[quarter : 2 * quarter])
        late = statistics.median(each[key] for each in samples[-quarter:])
        print(f"soak: {key} {early:.0f} -> {late:.0f}")
        if late > early * GROWTH + slack:
            lines.append(f"{key} grew from {early:.0f} to {late:.0f}")
    return lines


def soak(folder: Path, seconds: float) -> list[str]:
    """What went wrong, one line each."""
    zones = folder / "zones"
    zones.mkdir()
    serials = {f"z{number}.example.": 1 for number in range(SMALL_ZONES)} | {"large.example.": 1}
    for zone in serials:
        write_zone(zones / f"{zone}zone", 1, LARGE_RECORDS if zone.startswith("large") else 5)
    served = [Zone(zone, zones / f"{zone}zone") for zone in serials]
    with Fastmdns(folder / "server", served, processes=2) as server:
        run = Run(server, serials)
        clients = [threading.Thread(target=transfer_for_ever, args=(run,)) for _ in range(CLIENTS)]
        for each in clients:
            each.start()
        disturb(run, zones, seconds)
        run.done.set()
        for each in clients:
            each.join()
        for zone, serial in serials.items():
            wait_until(f"{zone} has serial {serial}", lambda: server.serial(zone) == serial, 30)  # noqa: B023 - called here
    print("soak:", ", ".join(f"{count} {what}" for what, count in run.counts.items()))
    wrong = [f"{count} × {what}" for what, count in run.counts.items() if what == "stale" or what.startswith("failed")]
    return wrong + grown(run.samples)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    seconds = parser.parse_args().minutes * 60
    with tempfile.TemporaryDirectory(prefix="fastmdns-soak-") as name_:
        wrong = soak(Path(name_), max(seconds, 20))
    print("\n".join(f"soak: {line}" for line in wrong) or "soak: nothing grew, nothing failed")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
