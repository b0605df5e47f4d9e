# SPDX-License-Identifier: Apache-2.0
"""How anything here is measured: interleaved rounds A B C A B C, so that a noisy minute hurts all alike.

A sample gives a number for one or several rows. A server that has used up the budget of a group is left out of the
further rounds and keeps what it has (PowerDNS and BIND need seconds where others need milliseconds). A peer that fails
is left out with a remark; when ours fails, so does the run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.client import LoadError
from tests.nameservers import NameserverError

OURS = "fastmdns"
Server = TypeVar("Server")


@dataclass(frozen=True, slots=True)
class Scale:
    """How large and how long."""

    records: int = 1_000_000  # of the one large zone
    update_records: int = 5_000_000  # of the larger zone for the update row
    small: int = 10_000  # zones
    slow_rate: float = 500.0  # zones per second below which a server is asked for fewer of them,
    slow: int = 200  # namely so many
    rounds: int = 5
    seconds: float = 5.0  # a run of SOA queries
    updates: int = 200
    budget: float = 60.0  # seconds of one server in one group of rows
    processes: int = 2


QUICK = Scale(records=20_000, update_records=100_000, small=200, slow=50, rounds=2, seconds=0.5, updates=20, budget=5.0)


@dataclass(slots=True)
class Measure:
    """What one server did in one row, a value a round."""

    row: str
    server: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """The middle half of the values, end to end, in relation to the median; of fewer than four values all."""
        cuts = statistics.quantiles(self.values) if len(self.values) > 3 else self.values
        return (max(cuts) - min(cuts)) / self.median if self.median else 0.0


@dataclass(slots=True)
class Bench:
    """One run: what to measure, how large, where to write, and what was measured so far."""

    scale: Scale
    folder: Path
    servers: tuple[str, ...]
    measures: dict[tuple[str, str], Measure] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    say: Callable[[str], None] = print

    def add(self, row: str, server: str, value: float) -> None:
        measure = self.measures.setdefault((row, server), Measure(row, server))
        measure.values.append(value)

    def interleave(self, servers: Mapping[str, Server], sample: Callable[[Server], Mapping[str, float]]) -> None:
        """`rounds` rounds over all the servers."""
        left = dict.fromkeys(servers, self.scale.budget)
        for _ in range(self.scale.rounds):
            for name in [name for name in servers if left[name] > 0]:
                started = time.monotonic()
                try:
                    found = sample(servers[name])
                except (LoadError, NameserverError) as error:
                    left[name] = 0
                    self.remark(name, error)
                else:
                    for row, value in found.items():
                        self.add(row, name, value)
                    left[name] -= time.monotonic() - started

    def remark(self, name: str, error: Exception) -> None:
        """A peer did not do what was asked. Ours must."""
        if name == OURS:
            raise error
        self.remarks.append(f"{name}: {error}")
        self.say(self.remarks[-1])

    def tell(self, rows: tuple[str, ...]) -> None:
        """The medians so far, for whoever watches."""
        for row in rows:
            cells = [f"{m.server} {m.median:.4g}" for m in self.measures.values() if m.row == row]
            self.say(f"{row:28} {'  '.join(cells)}")
