# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

from prometheus_client.parser import text_string_to_metric_families

from fastmdns.counters import COUNTERS, Counter
from fastmdns.server.board import Board, Fact


def test_what_a_child_counts_the_parent_reads() -> None:
    board = Board(2)
    pid = os.fork()
    if not pid:
        board.servers[1].counters.add(Counter.REQUESTS_UDP, 5)
        os._exit(0)
    os.waitpid(pid, 0)
    assert board.total(Counter.REQUESTS_UDP) == 5


def test_counters_stay_and_gauges_go_when_a_process_dies() -> None:
    row = Board(1).servers[0]
    row.take(100)
    row.counters.add(Counter.REQUESTS_TCP, 7)
    row.counters.add(Counter.CONNECTIONS_OPEN, 3)
    row.vacate()
    row.take(101)
    assert row.counters[Counter.REQUESTS_TCP] == 7
    assert row.counters[Counter.CONNECTIONS_OPEN] == 0
    assert (row.facts[Fact.PID], row.facts[Fact.GENERATION]) == (101, 2)


def test_empty_slot_is_not_silent() -> None:
    assert Board(1).servers[0].silent_seconds() == 0.0


def test_prometheus_reads_every_counter() -> None:
    board = Board(2)
    for row in board.servers:
        row.counters.add(Counter.TRANSFER_OCTETS, 1 << 40)
    families = {family.name: family for family in text_string_to_metric_families(board.prometheus())}
    assert families["fastmdns_transfer_octets"].samples[0].value == 2 << 40
    assert {info.name.removesuffix("_total") for info in COUNTERS} <= families.keys()
    assert len(families["fastmdns_process_up"].samples) == 3
