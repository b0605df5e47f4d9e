# SPDX-License-Identifier: Apache-2.0
"""One TCP connection, and what the connections of a process share."""

from libc.stdint cimport uint8_t, uint64_t
from fastmdns.answer cimport Answerer, Batch, Peer, Transfer
from fastmdns.counters cimport Counters
from fastmdns.server.transferlog cimport Subject, TransferLog

cdef enum:
    READ_AT_ONCE = 65536  # octets of one recv: a turn is bounded on this side too
    INBOX = READ_AT_ONCE + 65537  # what one recv brings, behind the longest message that was left unfinished
    OUTBOX = 196608  # answers of one turn; the turn ends when a message of 65,535 octets might not fit
    UNSENT_LIMIT = 16384  # a peer that leaves more answers unread gets no further query read
    SPARE_BATCHES = 4  # kept for the next transfers; a batch takes 68 KB
    MALFORMED_LIMIT = 3  # FORMERR answers after which a connection is closed


cdef class Address:
    """A client's address: what it has open in this process."""

    cdef object name  # its key in Desk.addresses
    cdef int connections, transfers
    cdef list waiting  # connections whose next query is a transfer and which wait for one to end, first come first


cdef class Desk:
    """What the connections of a process share: limits, buffers, the turn's time."""

    cdef Answerer answerer
    cdef Counters counters
    cdef TransferLog log
    cdef uint8_t *inbox  # owned; used within one turn of one connection, as outbox
    cdef uint8_t *outbox
    cdef Py_ssize_t used  # of outbox
    cdef Batch *spare[SPARE_BATCHES]  # owned
    cdef int spares
    cdef uint64_t now  # monotonic nanoseconds of this turn of the loop
    cdef dict addresses  # name → Address
    cdef list ready  # connections with more to do at once
    cdef list closed  # kept until the turn's end: events of the same turn may still point at them
    cdef Connection first, last  # all that are open, the oldest first
    cdef int open
    cdef int epoll
    cdef uint64_t query_ns, stall_ns, transfer_ns, idle_ns
    cdef uint64_t least_octets  # in a window of RATE_WINDOW
    cdef Py_ssize_t max_query_size
    cdef int max_open, max_open_per_address, max_transfers_per_address

    cdef Batch *take_batch(self) except NULL
    cdef void give_batch(self, Batch *batch) noexcept
    cdef Address address_of(self, const Peer *peer)
    cdef Connection oldest_idle(self, Address address)
    cdef uint64_t oldest_transfer(self) noexcept
    cdef void make_ready(self, Connection connection)


cdef class Connection:
    cdef Desk desk
    cdef Address address
    cdef Connection previous, next  # Desk.first …
    cdef Peer peer
    cdef int fd  # -1: closed
    cdef bint readable, writable  # what the kernel said last; events are edges
    cdef bint hung_up  # an end of stream or an error waits to be read
    cdef bint ended  # the peer sends no more
    cdef bint ending  # close when what is queued is sent
    cdef bint waiting  # the next query must wait for a transfer to end
    cdef bint queued  # in Desk.ready
    cdef bint unparsed  # unread may hold a whole message
    cdef bint watched, watched_out  # what epoll knows of it
    cdef int malformed
    cdef uint8_t *unread  # owned: octets behind the last whole message
    cdef Py_ssize_t unread_size
    cdef uint8_t *unsent  # owned: answers the kernel did not take yet
    cdef Py_ssize_t unsent_first, unsent_size, unsent_room
    cdef Batch *batch  # from Desk.take_batch, while a transfer runs
    cdef list transfers  # begun ones, the first is being sent
    cdef list transfers_started  # monotonic nanoseconds, beside transfers
    cdef uint64_t active_at  # last query or end of a transfer
    cdef uint64_t begun_at  # when the unfinished message began; 0: there is none
    cdef uint64_t written  # octets the kernel took
    cdef uint64_t delivered  # octets the peer acknowledged, as the last sweep saw it
    cdef uint64_t progress_at  # when that last grew
    cdef uint64_t window_at, window_delivered  # when the rate's window began, and what was delivered then

    # One bounded turn: send what waits, read and answer, then one batch of a transfer. Never raises; may close.
    cdef void turn(self) noexcept
    # Once a second: every limit that is a time.
    cdef void sweep(self, uint64_t idle_ns, uint64_t cut_before) noexcept
    cdef bint is_idle(self) noexcept
    # Give everything back. reason: NULL, or why transfers fail. abort: the kernel drops what it still holds too.
    cdef void close(self, const char *reason, bint abort) noexcept

    cdef int _turn(self) except -1
    cdef bint _may_read(self) noexcept
    cdef int _read(self) except -1
    cdef Py_ssize_t _receive(self, Py_ssize_t size) noexcept
    cdef Py_ssize_t _answer_all(self, Py_ssize_t size) except -1
    cdef bint _take(self, const uint8_t *query, Py_ssize_t length) except -1
    cdef int _keep(self, const uint8_t *octets, Py_ssize_t size) except -1
    cdef bint _must_wait(self, const uint8_t *query, Py_ssize_t length) except -1
    cdef int _begin_transfer(self, Transfer transfer) except -1
    cdef int _log_whole(self) except -1
    cdef int _flush_outbox(self) except -1
    cdef int _stash(self, const uint8_t *octets, Py_ssize_t size) except -1
    cdef bint _send_unsent(self) except -1
    cdef int _transfer_turn(self) except -1
    cdef bint _fill(self) except -1
    cdef int _send_batch(self) except -1
    cdef void _sent(self, Py_ssize_t count) noexcept
    cdef void _note_progress(self) noexcept
    cdef void _send_failed(self) noexcept
    cdef int _end_transfer(self, const char *reason) except -1
    cdef int _overdue(self, uint64_t cut_before, const char **reason) noexcept
    cdef bint _in_batch(self) noexcept
    cdef bint _is_done(self) noexcept
    cdef bint _has_work(self) noexcept
    cdef void _watch(self) noexcept
