# SPDX-License-Identifier: Apache-2.0
"""A server process: one epoll loop over its UDP sockets, the shared TCP listeners and its connections.

A turn of the loop gives every source that is ready one bounded share: some batches of UDP, some accepts, one turn of each
connection. New connections come last, so a descriptor is never used again while events of its former life wait. A client
handed over by accept is read at once: with TCP_DEFER_ACCEPT its query is there already.

Signals reach it through the wakeup descriptor only: TERM begins the drain, HUP calls refresh(). Nothing else in here waits, and nothing is
logged per query.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset
from libc.signal cimport SIGHUP
from posix.fcntl cimport O_CLOEXEC, O_RDONLY, open as open_fd
from posix.unistd cimport close as close_fd, read
from fastmdns.counters cimport (ACCEPT_FAILURES, CONNECTIONS_ACCEPTED, CONNECTIONS_CLOSED_IDLE,
                                CONNECTIONS_REFUSED_ADDRESS, CONNECTIONS_REFUSED_TOTAL, Counters, count)
from fastmdns.answer cimport Answerer, Peer
from fastmdns.server.connection cimport Address, Connection, Desk
from fastmdns.server.system cimport (EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPOLL_CLOEXEC, EPOLL_CTL_ADD,
                                     EPOLL_CTL_DEL, EPOLLERR, EPOLLEXCLUSIVE, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP,
                                     SOCK_CLOEXEC, SOCK_NONBLOCK, accept4, epoll_create1, epoll_ctl, epoll_event,
                                     epoll_wait, errno, monotonic_ns, peer_from_sockaddr, sockaddr, sockaddr_storage,
                                     socklen_t)
from fastmdns.server.transferlog cimport TransferLog
from fastmdns.server.udp cimport UdpServer

import os

from fastmdns.server import logs
from fastmdns.server.board import Fact

cdef uint64_t SECOND = 1000000000
cdef uint64_t CROWDED_IDLE = SECOND  # idle limit while more than half of the connections are in use (RFC 7766 §6.2.3)
cdef uint64_t LOG_DELAY = SECOND // 20  # under load a write for each turn would cost as much as an answer
cdef int HEARTBEAT = Fact.HEARTBEAT
cdef int OLDEST_TRANSFER = Fact.OLDEST_TRANSFER
cdef int CUT_BEFORE = Fact.CUT_BEFORE


cdef class Worker:
    """udp, tcp: sockets. wakeup: a descriptor that gets an octet per signal. facts: this process's on the board."""

    def __cinit__(self, Answerer answerer not None, Counters counters not None, TransferLog log not None, config, *,
                  udp, tcp, int wakeup, unsigned long long[::1] facts, double drain_seconds, refresh):
        cdef int fd
        self.epoll = epoll_create1(EPOLL_CLOEXEC)
        self.spare_fd = open_fd(b"/dev/null", O_RDONLY | O_CLOEXEC)
        if self.epoll < 0 or self.spare_fd < 0:
            raise OSError(errno, "epoll_create1")
        self.counters = counters
        self.log = log
        self.desk = Desk(answerer, counters, log, config, self.epoll)
        self.udp = UdpServer(answerer, counters)
        self.facts_owner = facts
        self.facts = <uint64_t *>&facts[0]
        self.wakeup = wakeup
        self.refresh = refresh
        self.sources = (*udp, *tcp)
        self.udp_fds = [one.fileno() for one in udp]
        self.tcp_fds = [one.fileno() for one in tcp]
        self.drain_ns = <uint64_t>(drain_seconds * 1e9)
        self.swept_at = monotonic_ns()
        for fd in (*self.udp_fds, *self.tcp_fds):
            self._watch_source(fd, EPOLLIN | EPOLLEXCLUSIVE)
        self._watch_source(wakeup, EPOLLIN)

    def __dealloc__(self):
        close_fd(self.epoll)
        close_fd(self.spare_fd)

    def _watch_source(self, int fd, unsigned int events):
        cdef epoll_event event
        if not 0 < fd < MAX_SOURCES:
            raise ValueError(f"descriptor {fd} is out of range")
        event.events = events
        event.data.u64 = <uint64_t>fd
        if epoll_ctl(self.epoll, EPOLL_CTL_ADD, fd, &event) < 0:
            raise OSError(errno, "epoll_ctl")

    def run(self):
        """Serve until a signal asks to stop, then until all is sent or the drain's time is over."""
        self._loop()

    cdef int _loop(self) except -1:
        while not (self.stopping and self._is_drained()):
            self._turn()
        while self.desk.first is not None:
            self.desk.first.close(b"shutdown", True)
        self.log.flush()
        return 0

    cdef int _turn(self) except -1:
        cdef int ready = self._wait()
        self.desk.now = monotonic_ns()
        self._run_ready()
        self._dispatch(ready)
        if self.desk.now - self.swept_at >= SECOND:
            self._sweep()
        if self.log.used and (ready == 0 or self.desk.now - self.flushed_at > LOG_DELAY):
            self.log.flush()
            self.flushed_at = self.desk.now
        if self.desk.closed:
            self.desk.closed.clear()
        return 0

    cdef int _wait(self) except -1:
        """At most until the next sweep, or until log lines are due; not at all while somebody has work."""
        cdef int timeout = 0
        cdef int got
        cdef uint64_t now
        if not self.desk.ready:
            now = monotonic_ns()
            timeout = 1 + <int>((self.swept_at + SECOND - now) // 1000000) if now < self.swept_at + SECOND else 0
            if self.log.used:
                timeout = min(timeout, <int>(LOG_DELAY // 1000000))
        with nogil:
            got = epoll_wait(self.epoll, self.events, EVENTS, timeout)
        return got if got > 0 else 0

    cdef int _dispatch(self, int ready) except -1:
        """Connections first, then what brings new ones (see the top)."""
        cdef int index
        cdef uint64_t data
        for index in range(ready):
            data = self.events[index].data.u64
            if data >= MAX_SOURCES:
                self._connection_event(<Connection>self.events[index].data.ptr, self.events[index].events)
        for index in range(ready):
            data = self.events[index].data.u64
            if data < MAX_SOURCES:
                self._source_event(<int>data, ready)
        return 0

    cdef void _connection_event(self, Connection connection, uint32_t events) noexcept:
        if events & (EPOLLERR | EPOLLHUP):
            connection.close(b"connection reset", False)
            return
        if events & (EPOLLIN | EPOLLRDHUP):
            connection.readable = True
        if events & EPOLLRDHUP:
            connection.hung_up = True
        if events & EPOLLOUT:
            connection.writable = True
        if not connection.queued:
            connection.turn()

    cdef int _source_event(self, int fd, int share) except -1:
        if fd == self.wakeup:
            self._take_signals()
        elif fd in self.tcp_fds:
            self._accept(fd, share)
        elif fd in self.udp_fds:
            self.udp.serve(fd)
        return 0

    cdef int _take_signals(self) except -1:
        cdef uint8_t signals[64]
        cdef Py_ssize_t index
        for index in range(read(self.wakeup, signals, sizeof(signals))):
            if signals[index] == SIGHUP:
                self.refresh()
            elif not self.stopping:
                self._begin_drain()
        return 0

    cdef int _run_ready(self) except -1:
        """One turn for each connection that had more to do; those that still have queue up again."""
        cdef list ready = self.desk.ready
        cdef Connection connection
        if not ready:
            return 0
        self.desk.ready = []
        for connection in ready:
            connection.queued = False
            connection.turn()
        return 0

    # ---------------------------------------------------------------------------------------------- new connections

    cdef int _accept(self, int listener, int share) except -1:
        """As many as other events came along: alone, a client costs no vain second call; in a crowd, they come in bulk."""
        cdef int taken
        for taken in range(min(share, <int>ACCEPT_AT_ONCE)):
            if not self._accept_one(listener):
                break
        return 0

    cdef bint _accept_one(self, int listener) except -1:
        """False where nobody waits."""
        cdef sockaddr_storage source
        cdef socklen_t size = sizeof(source)
        cdef Connection connection
        cdef Address address
        cdef Peer peer
        cdef int fd = accept4(listener, <sockaddr *>&source, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd < 0:
            if errno in (EMFILE, ENFILE, ENOBUFS, ENOMEM):
                return self._accept_failed(listener)
            return errno != EAGAIN
        memset(&peer, 0, sizeof(peer))
        peer_from_sockaddr(&source, &peer)
        count(self.counters, CONNECTIONS_ACCEPTED)
        address = self.desk.address_of(&peer)
        if not self._has_room(address):
            close_fd(fd)
            if not address.connections:
                self.desk.addresses.pop(address.name, None)
            return True
        self.desk.addresses[address.name] = address  # making room may have closed its last connection
        connection = Connection(self.desk, address, fd)
        connection.peer = peer
        connection.turn()
        return True

    cdef bint _has_room(self, Address address) except -1:
        """May one more be open? Where a limit is reached the longest idle connection makes room, if there is one."""
        if address.connections >= self.desk.max_open_per_address and not self._close_idle(address):
            count(self.counters, CONNECTIONS_REFUSED_ADDRESS)
            return False
        if self.desk.open >= self.desk.max_open and not self._close_idle(None):
            count(self.counters, CONNECTIONS_REFUSED_TOTAL)
            return False
        return True

    cdef bint _close_idle(self, Address address) except -1:
        cdef Connection idle = self.desk.oldest_idle(address)
        if idle is None:
            return False
        count(self.counters, CONNECTIONS_CLOSED_IDLE)
        idle.close(NULL, False)
        return True

    cdef bint _accept_failed(self, int listener) except -1:
        """Out of descriptors. An idle connection gives one up, else the client is sent away: it must not wait for ever,
        nor the listener, being ready, keep this loop spinning. False, so that others get their turn."""
        cdef int reason = errno
        count(self.counters, ACCEPT_FAILURES)
        if self.desk.now - self.failed_at > SECOND:
            self.failed_at = self.desk.now
            logs.error("accept failed", reason=os.strerror(reason), connections=self.desk.open)
        if self._close_idle(None):
            return False
        close_fd(self.spare_fd)
        close_fd(accept4(listener, NULL, NULL, SOCK_CLOEXEC))
        self.spare_fd = open_fd(b"/dev/null", O_RDONLY | O_CLOEXEC)
        return False

    # -------------------------------------------------------------------------------------------- once a second, end

    cdef int _sweep(self) except -1:
        cdef Desk desk = self.desk
        cdef Connection following
        cdef Connection one = desk.first
        cdef uint64_t idle_ns = desk.idle_ns
        if desk.open > desk.max_open // 2:
            idle_ns = min(idle_ns, CROWDED_IDLE)
        while one is not None:
            following = one.next
            one.sweep(idle_ns, self.facts[CUT_BEFORE])
            one = following
        self.facts[OLDEST_TRANSFER] = desk.oldest_transfer()
        self.facts[HEARTBEAT] = desk.now  # last: it tells the loader how old the rest is
        self.swept_at = desk.now
        return 0

    cdef int _begin_drain(self) except -1:
        """Take what the kernel already accepted for us, then nothing new; what runs goes on."""
        cdef int fd
        self.stopping = True
        self.stop_at = self.desk.now + self.drain_ns
        for fd in self.udp_fds:
            self.udp.serve(fd)
        for fd in self.tcp_fds:
            self._accept(fd, ACCEPT_AT_ONCE)
        self.udp_fds = []
        self.tcp_fds = []
        for source in self.sources:
            source.close()
        return 0

    cdef bint _is_drained(self) except -1:
        cdef Connection following
        cdef Connection one = self.desk.first
        while one is not None:
            following = one.next
            if one.is_idle():
                one.close(NULL, False)
            one = following
        return self.desk.first is None or self.desk.now >= self.stop_at
