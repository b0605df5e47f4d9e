# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket

import pytest

from fastmdns.errors import ConfigError
from fastmdns.server.sockets import open_sockets


def test_each_process_has_a_udp_socket_of_its_own_at_one_port() -> None:
    sockets = open_sockets(["127.0.0.1:0"], 3)
    try:
        udp = [sockets.udp_of(index)[0] for index in range(3)]
        assert len({one.fileno() for one in udp}) == 3
        assert {one.getsockname() for one in udp} == {sockets.tcp()[0].getsockname()}
        assert len(sockets.addresses()) == 1
    finally:
        sockets.close()


def test_connections_inherit_nodelay_from_the_listener() -> None:
    sockets = open_sockets(["127.0.0.1:0"], 1)
    try:
        listener = sockets.tcp()[0]
        with socket.create_connection(listener.getsockname()) as client:
            client.sendall(b"x")  # the listener defers until there is something to read
            listener.settimeout(10)
            connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    finally:
        sockets.close()


def test_what_was_bound_is_given_back_when_the_next_address_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        with pytest.raises(ConfigError, match="Address already in use"):
            open_sockets([address, f"127.0.0.1:{taken.getsockname()[1]}"], 1)
        socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))).close()


def test_child_keeps_only_what_is_its_own() -> None:
    sockets = open_sockets(["127.0.0.1:0"], 2)
    kept = (*sockets.udp_of(1), *sockets.tcp())
    sockets.keep_only(kept)
    assert sockets.udp_of(0)[0].fileno() == -1
    assert all(one.fileno() >= 0 for one in kept)
    sockets.close()
