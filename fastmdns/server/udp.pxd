# SPDX-License-Identifier: Apache-2.0
"""Queries over UDP, a batch at a time."""

from libc.stdint cimport uint8_t
from fastmdns.answer cimport Answerer, Peer, iovec
from fastmdns.counters cimport Counters
from fastmdns.server.system cimport mmsghdr, msghdr, sockaddr_storage

cdef enum:
    UDP_BATCH = 64  # messages for one system call
    UDP_TURNS = 8  # batches before other sockets get their turn
    UDP_QUERY = 4096  # a longer datagram is no query we'd answer
    UDP_CONTROL = 64  # which of our addresses was asked
    TRAIN_CONTROL = 96  # the same, and the size of an answer
    MAX_CAR = 1000  # octets of an answer that may travel in a train: 64 of them stay below 64 KiB
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
    cdef bint segmenting  # the kernel has not refused UDP_SEGMENT yet
    cdef bint coupled[UDP_BATCH]
    cdef mmsghdr *trains  # answers put together; their iovecs lie in car_at, one behind the other
    cdef iovec *car_at
    cdef uint8_t *train_controls

    # Answer what waits at the socket, at most UDP_TURNS batches.
    cdef int serve(self, int fd) except -1
    cdef int _receive(self, int fd) noexcept nogil
    cdef int _answer(self, int fd, int got) except -1
    cdef int _queue(self, int at, int which, Py_ssize_t size) noexcept nogil
    cdef void _send(self, int fd, int queued) noexcept nogil
    cdef void _send_each(self, int fd, mmsghdr *answers, int queued) noexcept nogil
    cdef int _couple(self, int queued) noexcept nogil
    cdef bint _goes_along(self, int one, int other) noexcept nogil
    cdef void _make_train(self, int at, int answer, int first, int cars) noexcept nogil
    cdef void _send_trains(self, int fd, int trains) noexcept nogil
    cdef void _uncouple(self, int fd, const msghdr *train) noexcept nogil
