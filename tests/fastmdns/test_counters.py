# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from fastmdns.counters import COUNTERS, ROW_SIZE, Counter, Counters


def test_every_counter_has_one_line_in_the_export_table():
    assert [info.counter for info in COUNTERS] == list(range(Counter.COUNTER_COUNT))


def test_no_two_counters_share_name_and_labels():
    series = [(info.name, info.labels) for info in COUNTERS]
    assert len(set(series)) == len(series)


def test_one_name_has_one_kind_one_help_and_one_set_of_label_names():
    seen: dict[str, tuple] = {}
    for info in COUNTERS:
        facts = (info.kind, info.help, tuple(name for name, _ in info.labels))
        assert seen.setdefault(info.name, facts) == facts


def test_names_follow_prometheus_rules():
    for info in COUNTERS:
        assert re.fullmatch(r"fastmdns_[a-z_]+", info.name)
        assert info.name.endswith("_total") == (info.kind == "counter")


def test_a_row_is_a_view_of_the_memory_given():
    memory = bytearray(ROW_SIZE)
    Counters(memory).add(Counter.RELOADS, 3)
    again = Counters(memory)
    again.add(Counter.RELOADS)
    assert again[Counter.RELOADS] == 4
    assert sum(memory) == 4


def test_a_gauge_goes_down_again():
    counters = Counters(bytearray(ROW_SIZE))
    counters.add(Counter.CONNECTIONS_OPEN, 2)
    counters.add(Counter.CONNECTIONS_OPEN, -1)
    assert counters[Counter.CONNECTIONS_OPEN] == 1


def test_clear_sets_every_counter_to_nought():
    memory = bytearray(b"\xff" * ROW_SIZE)
    Counters(memory).clear()
    assert not any(memory)


@pytest.mark.parametrize("index", [-1, Counter.COUNTER_COUNT])
def test_an_index_outside_the_row_is_refused(index):
    counters = Counters(bytearray(ROW_SIZE))
    with pytest.raises(IndexError):
        counters[index]
    with pytest.raises(IndexError):
        counters.add(index)


def test_memory_that_is_too_small_or_read_only_is_refused():
    with pytest.raises(ValueError, match="aligned"):
        Counters(bytearray(ROW_SIZE - 1))
    with pytest.raises(BufferError):
        Counters(bytes(ROW_SIZE))
