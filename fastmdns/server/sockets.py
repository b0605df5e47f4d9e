# SPDX-License-Identifier: Apache-2.0
"""Every socket queries arrive at, made once in the master before privileges drop.

UDP: one SO_REUSEPORT socket per address and process, handed to processes by index, so a process that is started again
reads on where its predecessor died. TCP: one listener per address, shared by all (a listener each would pin a client to
a process that may be busy). Or all of them come from systemd (LISTEN_FDS); a UDP socket that came alone is shared.
Options set on a listener are inherited by the connections it accepts, which saves a system call for each.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from fastmdns.config import split_endpoint
from fastmdns.errors import ConfigError

BACKLOG = 4096
FIRST_PASSED_FD = 3  # SD_LISTEN_FDS_START
UNSENT_BUFFER = 512 << 10
UDP_BUFFER = 4 << 20  # a burst of NOTIFY answers from every secondary at once; the kernel may grant less
# Linux numbers the socket module of 3.11 does not name.
IP_PKTINFO = 8
IP_MTU_DISCOVER = 10
IP_PMTUDISC_OMIT = 5
IPV6_MTU_DISCOVER = 23


@dataclass
class Endpoint:
    """One address: its UDP sockets (one per process, or one for all) and its TCP listener."""

    udp: list[socket.socket] = field(default_factory=list)
    tcp: list[socket.socket] = field(default_factory=list)


@dataclass
class Sockets:
    endpoints: list[Endpoint]

    def udp_of(self, index: int) -> list[socket.socket]:
        """The UDP sockets of one process, one per address."""
        return [each.udp[index % len(each.udp)] for each in self.endpoints if each.udp]

    def tcp(self) -> list[socket.socket]:
        return [listener for each in self.endpoints for listener in each.tcp]

    def all(self) -> list[socket.socket]:
        return [one for each in self.endpoints for one in (*each.udp, *each.tcp)]

    def keep_only(self, kept: Sequence[socket.socket]) -> None:
        """In a child: give back what belongs to its siblings."""
        for one in self.all():
            if one not in kept:
                one.close()

    def close(self) -> None:
        self.keep_only(())

    def addresses(self) -> list[str]:
        """host:port of every address, each once, for the log."""
        return list(dict.fromkeys(_name(one) for one in self.all()))


def open_sockets(listen: Sequence[str], processes: int) -> Sockets:
    """Those systemd passed, else those the settings ask for."""
    passed = passed_sockets()
    if passed:
        return Sockets([_endpoint_from_passed(one) for one in passed])
    opened = Sockets([])
    try:
        for text in listen:
            opened.endpoints.append(_bind(text, processes))
    except BaseException:
        opened.close()
        raise
    return opened


def passed_sockets() -> list[socket.socket]:
    """sd_listen_fds(3). The variables are taken out of the environment: they speak of this process only."""
    count = os.environ.pop("LISTEN_FDS", "")
    meant_for = os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", "")
    if not count.isdigit() or meant_for != str(os.getpid()):
        return []
    return [_adopt(fd) for fd in range(FIRST_PASSED_FD, FIRST_PASSED_FD + int(count))]


def _adopt(fd: int) -> socket.socket:
    os.set_inheritable(fd, False)
    try:
        one = socket.socket(fileno=fd)
    except OSError as error:
        raise ConfigError(f"socket activation passed descriptor {fd}, which is no socket: {error.strerror}") from error
    if one.family not in (socket.AF_INET, socket.AF_INET6) or one.type not in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        raise ConfigError(f"socket activation passed descriptor {fd}, which is neither TCP nor UDP")
    return one


def _endpoint_from_passed(one: socket.socket) -> Endpoint:
    if one.type == socket.SOCK_DGRAM:
        _set_udp_options(one)
        return Endpoint(udp=[one])
    _set_tcp_options(one)
    one.listen(BACKLOG)
    return Endpoint(tcp=[one])


def _bind(text: str, processes: int) -> Endpoint:
    host, port = split_endpoint(text)
    endpoint = Endpoint()
    try:
        listener = _new(host, socket.SOCK_STREAM)
        endpoint.tcp.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _set_tcp_options(listener)
        listener.bind((host, port))
        port = listener.getsockname()[1]  # port 0: UDP takes the number TCP was given
        listener.listen(BACKLOG)
        for _ in range(processes):
            endpoint.udp.append(_new(host, socket.SOCK_DGRAM))
            endpoint.udp[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            endpoint.udp[-1].bind((host, port))
            _set_udp_options(endpoint.udp[-1])
    except OSError as error:
        Sockets([endpoint]).close()
        raise ConfigError(f"can't listen on {text}: {error.strerror}") from error
    return endpoint


def _new(host: str, kind: socket.SocketKind) -> socket.socket:
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return one


def _set_tcp_options(listener: socket.socket) -> None:
    listener.setblocking(False)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # What the kernel holds unsent for a slow reader: two batches, not megabytes. A small answer waits behind it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BUFFER)
    # A client is handed over together with its first query, not before.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)


def _set_udp_options(one: socket.socket) -> None:
    """Forged path-MTU reports are not believed (RFC 9715), and a socket bound to every address says which was asked."""
    one.setblocking(False)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)
    everywhere = one.getsockname()[0] in ("0.0.0.0", "::")
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, everywhere)
        one.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_OMIT)
    else:
        one.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, everywhere)
        one.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT)


def _name(one: socket.socket) -> str:
    host, port = one.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
