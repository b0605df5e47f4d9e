# SPDX-License-Identifier: Apache-2.0
"""The event loop of a server process."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from fastmdns.counters cimport Counters
from fastmdns.server.connection cimport Address, Connection, Desk
from fastmdns.server.system cimport epoll_event
from fastmdns.server.transferlog cimport TransferLog
from fastmdns.server.udp cimport UdpServer

cdef enum:
    EVENTS = 256  # taken from the kernel at once
    MAX_SOURCES = 4096  # descriptors that are no connection; below any address, so event.data tells them apart
    ACCEPT_AT_ONCE = 64


cdef class Worker:
    cdef Desk desk
    cdef UdpServer udp
    cdef Counters counters
    cdef TransferLog log
    cdef object facts_owner  # keeps the row's memory
    cdef uint64_t *facts  # borrowed from facts_owner
    cdef int epoll
    cdef int spare_fd  # given up for a moment when descriptors run out
    cdef int wakeup  # read end of the signal pipe
    cdef object refresh  # called on HUP
    cdef tuple sources  # the listening sockets
    cdef list udp_fds, tcp_fds  # their descriptors
    cdef epoll_event events[EVENTS]
    cdef uint64_t swept_at, flushed_at, failed_at, stop_at  # monotonic nanoseconds
    cdef bint stopping
    cdef uint64_t drain_ns

    cdef int _loop(self) except -1
    cdef int _turn(self) except -1
    cdef int _wait(self) except -1
    cdef int _dispatch(self, int ready) except -1
    cdef void _connection_event(self, Connection connection, uint32_t events) noexcept
    cdef int _source_event(self, int fd, int share) except -1
    cdef int _take_signals(self) except -1
    cdef int _run_ready(self) except -1
    cdef int _accept(self, int listener, int share) except -1
    cdef bint _accept_one(self, int listener) except -1
    cdef bint _accept_failed(self, int listener) except -1
    cdef bint _has_room(self, Address address) except -1
    cdef bint _close_idle(self, Address address) except -1
    cdef int _sweep(self) except -1
    cdef int _begin_drain(self) except -1
    cdef bint _is_drained(self) except -1
