# SPDX-License-Identifier: Apache-2.0
"""Every limit closes what is over it, counts it, and leaves the others alone."""

from __future__ import annotations

import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fastmdns.serving import (
    DEADLINE,
    Server,
    framed,
    is_closed,
    query_wire,
    receive_message,
    serving,
    wait_until,
    write_zone,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zones").mkdir()
    write_zone(tmp_path / "zones", "small.example", hosts=3)
    write_zone(tmp_path / "zones", "big.example", hosts=300_000)
    return tmp_path


def stalled_transfer(server: Server) -> socket.socket:
    """A client that asks for a big zone, and reads nothing after the first message."""
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    end.settimeout(DEADLINE)
    end.connect(("127.0.0.1", server.port))
    end.sendall(framed(query_wire("big.example", "AXFR", 1)))
    receive_message(end)
    return end


def asked_once(server: Server) -> socket.socket:
    """An open connection that has nothing to do any more."""
    end = server.connect()
    end.sendall(framed(query_wire("small.example")))
    receive_message(end)
    return end


def test_begun_query_that_does_not_end_is_cut(folder: Path) -> None:
    with serving(folder, query_seconds=1, idle_seconds=60) as server, server.connect() as end:
        end.sendall(framed(query_wire("small.example"))[:-1])
        assert is_closed(end)
        assert server.counter('fastmdns_connections_closed_total{reason="slow_query"}') == 1


def test_one_octet_now_and_then_does_not_keep_a_query_open(folder: Path) -> None:
    with serving(folder, query_seconds=1, idle_seconds=60) as server, server.connect() as end:
        end.settimeout(0.3)
        with pytest.raises(OSError, match=r"reset|Broken"):
            for octet in framed(query_wire("small.example")) * 10:
                end.sendall(bytes([octet]))
                drain(end)


def drain(end: socket.socket) -> None:
    """Wait a little for octets that don't come."""
    try:
        if not end.recv(1):
            raise BrokenPipeError("Broken")
    except TimeoutError:
        return


def test_idle_connection_is_closed(folder: Path) -> None:
    with serving(folder, idle_seconds=1) as server, asked_once(server) as end:
        assert is_closed(end)
        assert server.counter('fastmdns_connections_closed_total{reason="idle"}') == 1


def test_reader_that_stalls_is_cut_and_others_are_served(folder: Path) -> None:
    with serving(folder, stall_seconds=1, max_transfers_per_address=100) as server, ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(stalled_transfer(server))
        assert len(server.transfer("small.example").nodes) == 5
        wait_until(lambda: server.counter('fastmdns_transfers_cut_total{reason="stalled"}') == 20)
        assert server.counter("fastmdns_transfers_running") == 0
        server.wait_line(r'axfr failed zone=big\.example\. .* reason="stalled"')


def test_transfer_that_takes_too_long_is_cut(folder: Path) -> None:
    with serving(folder, max_transfer_seconds=1) as server, stalled_transfer(server):
        wait_until(lambda: server.counter('fastmdns_transfers_cut_total{reason="too_long"}') == 1)


def test_transfer_that_holds_old_data_is_cut_when_the_store_is_at_its_limit(folder: Path) -> None:
    """The stalled reader pins the first version; the third one finds no room beside it, and gets it."""
    with serving(folder, store_limit=24 << 20, map_size=1 << 20, stall_seconds=60) as server:
        with stalled_transfer(server):
            for serial in (2, 3):
                write_zone(folder / "zones", "big.example", serial, hosts=300_000)
                server.signal(signal.SIGHUP)
                wait_until(lambda serial=serial: server.serial("big.example") == serial, f"serial {serial}")
        server.wait_line("axfr failed zone=big.example.*reason=.*the store needs the space")
        assert server.counter('fastmdns_transfers_cut_total{reason="space"}') == 1


def test_further_transfers_of_an_address_wait_and_then_run(folder: Path) -> None:
    with serving(folder, max_transfers_per_address=2) as server, ExitStack() as stack:
        running = [stack.enter_context(stalled_transfer(server)) for _ in range(2)]
        third = stack.enter_context(server.connect())
        third.sendall(framed(query_wire("big.example", "AXFR", 3)))
        assert server.tcp("small.example").answer, "a SOA is answered while transfers wait"
        third.settimeout(0.5)
        with pytest.raises(TimeoutError):
            third.recv(1)
        running[0].close()
        third.settimeout(DEADLINE)
        assert int.from_bytes(receive_message(third)[:2], "big") == 3


def test_address_over_its_connections_is_refused_while_none_is_idle(folder: Path) -> None:
    with serving(folder, max_connections_per_address=3) as server, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(stalled_transfer(server))
        fourth = stack.enter_context(server.connect())
        fourth.sendall(framed(query_wire("small.example")))
        assert is_closed(fourth)
        assert server.counter('fastmdns_connections_refused_total{limit="address"}') >= 1
        assert server.udp("small.example").answer


def test_oldest_idle_connection_makes_room_for_a_new_one(folder: Path) -> None:
    with serving(folder, max_connections=3, idle_seconds=60) as server, ExitStack() as stack:
        ends = [stack.enter_context(asked_once(server)) for _ in range(3)]
        newest = stack.enter_context(asked_once(server))
        assert is_closed(ends[0])
        newest.sendall(framed(query_wire("small.example")))
        assert receive_message(newest)


def test_total_over_its_connections_is_refused_while_none_is_idle(folder: Path) -> None:
    with serving(folder, max_connections=2) as server, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(stalled_transfer(server))
        third = stack.enter_context(server.connect())
        third.sendall(framed(query_wire("small.example")))
        assert is_closed(third)
        assert server.counter('fastmdns_connections_refused_total{limit="total"}') >= 1


def test_server_without_descriptors_left_keeps_serving(folder: Path) -> None:
    """A10.9: idle connections give theirs up; nobody waits for ever, and the log says why once a second."""

    def few_files(command: list[str]) -> list[str]:
        return ["sh", "-c", 'ulimit -n 48; exec "$@"', "sh", *command]

    with serving(folder, idle_seconds=60, wrap=few_files) as server, ExitStack() as stack:
        for _ in range(80):
            stack.enter_context(asked_once(server))
        server.wait_line("error accept failed ")
        assert server.tcp("small.example").answer
        assert len(server.transfer("small.example").nodes) == 5
        assert server.counter("fastmdns_accept_failures_total") > 0


def test_slow_reader_that_makes_progress_is_not_stalled(folder: Path) -> None:
    """What counts is what the peer takes, not what the kernel has room for."""
    with serving(folder, stall_seconds=2) as server, stalled_transfer(server) as end:
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            assert end.recv(200), "cut although it reads"  # so little that six seconds don't see the zone's end
            assert server.udp("small.example").answer
        assert server.counter('fastmdns_transfers_cut_total{reason="stalled"}') == 0
        assert server.counter("fastmdns_transfers_running") == 1
