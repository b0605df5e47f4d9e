# SPDX-License-Identifier: Apache-2.0
"""The board: shared memory in which every process has a row only it writes, and which the exporter reads.

A row is a few facts (who, since when, still alive) and the counters of counters.pyx. It belongs to a slot and not to
a process: who takes a dead one's place counts on, so no counter ever goes backwards; only gauges are cleared.
The mapping is anonymous and made before the first fork. Slots 0 to N-1 are the servers', slot N is the loader's.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterator
from enum import IntEnum

from fastmdns.counters import COUNTERS, ROW_SIZE, CounterInfo, Counters


class Fact(IntEnum):
    PID = 0  # 0: nobody is there
    STARTED_AT = 1  # unix seconds
    GENERATION = 2  # how many processes have had this slot
    HEARTBEAT = 3  # monotonic nanoseconds of the last turn of its loop
    OLDEST_TRANSFER = 4  # monotonic nanoseconds at which its oldest running transfer began; 0: none
    CUT_BEFORE = 5  # written by the loader: transfers that began before this are to be cut, the store needs the space
    ACCESS = 6  # which version of the access rules a server uses; the loader's is the one to use
    COUNT = 8


FACTS_SIZE = Fact.COUNT * 8
ALIGNMENT = 64  # a cache line: no two processes write into the same one
STRIDE = -(-(FACTS_SIZE + ROW_SIZE) // ALIGNMENT) * ALIGNMENT
GAUGES = [info.counter for info in COUNTERS if info.kind == "gauge"]


class Row:
    """One slot of the board, for the process in it and for those who look on."""

    def __init__(self, memory: memoryview) -> None:
        self.memory = memory
        self.facts = memory[:FACTS_SIZE].cast("Q")
        self.counters = Counters(memory[FACTS_SIZE : FACTS_SIZE + ROW_SIZE])

    def take(self, pid: int) -> None:
        """A process moves in."""
        self.vacate()
        self.facts[Fact.CUT_BEFORE] = 0
        self.facts[Fact.STARTED_AT] = int(time.time())
        self.facts[Fact.GENERATION] += 1
        self.facts[Fact.HEARTBEAT] = time.monotonic_ns()
        self.facts[Fact.PID] = pid

    def vacate(self) -> None:
        """It is dead: what it had open is closed, what it counted stays counted."""
        self.facts[Fact.PID] = 0
        self.facts[Fact.OLDEST_TRANSFER] = 0
        for gauge in GAUGES:
            self.counters.add(gauge, -self.counters[gauge])

    def silent_seconds(self) -> float:
        """How long its loop has not turned; 0 where nobody is."""
        if not self.facts[Fact.PID]:
            return 0.0
        return max(0.0, (time.monotonic_ns() - self.facts[Fact.HEARTBEAT]) / 1e9)


class Board:
    def __init__(self, servers: int) -> None:
        self.memory = mmap.mmap(-1, STRIDE * (servers + 1))
        view = memoryview(self.memory)
        self.rows = [Row(view[at : at + STRIDE]) for at in range(0, len(view), STRIDE)]
        self.servers = self.rows[:servers]
        self.loader = self.rows[servers]

    def total(self, counter: int) -> int:
        return sum(row.counters[counter] for row in self.rows)

    def totals(self) -> dict[str, int]:
        """Every counter by its exported name, labels and all, summed over the processes."""
        return {sample_name(info): self.total(info.counter) for info in COUNTERS}

    def processes(self) -> list[dict[str, object]]:
        return [dict(_facts(row), name=name) for name, row in self.named_rows()]

    def named_rows(self) -> Iterator[tuple[str, Row]]:
        for index, row in enumerate(self.servers):
            yield f"server {index}", row
        yield "loader", self.loader

    def prometheus(self) -> str:
        """The counters in the Prometheus text format 0.0.4, and one series per process that tells which ones live."""
        lines: list[str] = []
        described: set[str] = set()
        for info in COUNTERS:
            if info.name not in described:
                lines += describe(info.name, info.kind, info.help)
                described.add(info.name)
            lines.append(f"{sample_name(info)} {self.total(info.counter)}")
        lines += describe("fastmdns_process_up", "gauge", "Is there a process in this slot.")
        for name, row in self.named_rows():
            lines.append(f'fastmdns_process_up{{process="{name}"}} {int(row.facts[Fact.PID] != 0)}')
        lines += describe("fastmdns_process_generation", "gauge", "How many processes have had this slot.")
        for name, row in self.named_rows():
            lines.append(f'fastmdns_process_generation{{process="{name}"}} {row.facts[Fact.GENERATION]}')
        return "\n".join(lines) + "\n"


def describe(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def sample_name(info: CounterInfo) -> str:
    labels = ",".join(f'{key}="{value}"' for key, value in info.labels)
    return f"{info.name}{{{labels}}}" if labels else info.name


def _facts(row: Row) -> dict[str, object]:
    facts = row.facts
    return {
        "pid": facts[Fact.PID],
        "started_at": facts[Fact.STARTED_AT],
        "generation": facts[Fact.GENERATION],
        "silent_seconds": round(row.silent_seconds(), 3),
    }
