# SPDX-License-Identifier: Apache-2.0
"""Queries over UDP, a batch at a time."""

from libc.stdint cimport uint8_t
from fastmdns.answer cimport Answerer, Peer, iovec
from fastmdns.counters cimport Counters
from fastmdns.server.system cimport mmsghdr, sockaddr_storage

cdef enum:
    UDP_BATCH = 64  # messages for one system call
    UDP_TURNS = 8  # batches before other sockets get their turn
    UDP_QUERY = 4096  # a longer datagram is no query we'd answer
    UDP_CONTROL = 64  # which of our addresses was asked
    UDP_ANSWERS = UDP_BATCH * 1232 + 65536  # answer() always sees 65,535 octets of room; a slower fill flushes early


cdef class UdpServer:
    """One per process, for all its UDP sockets: they take turns, so they share the buffers."""

    cdef Answerer answerer
    cdef Counters counters
    cdef mmsghdr *received  # owned, as all of these; UDP_BATCH of each
    cdef mmsghdr *answers
    cdef iovec *query_at
    cdef iovec *answer_at
    cdef sockaddr_storage *peers
    cdef uint8_t *controls
    cdef uint8_t *queries
    cdef uint8_t *out
    cdef Py_ssize_t used  # of out

    # Answer what waits at the socket, at most UDP_TURNS batches.
    cdef int serve(self, int fd) except -1
    cdef int _receive(self, int fd) noexcept nogil
    cdef int _answer(self, int fd, int got) except -1
    cdef int _queue(self, int at, int which, Py_ssize_t size) noexcept nogil
    cdef void _send(self, int fd, int queued) noexcept nogil
