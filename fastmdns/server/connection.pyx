# SPDX-License-Identifier: Apache-2.0
"""TCP connections: messages in any segmentation, answers in any order, transfers a batch at a time (RFC 7766).

Order on the way out: the rest of a batch that was begun, then small answers, then the next batch. So an answer waits for
at most one batch of a running transfer (RFC 7766 §6.2.1.1), and the messages of a transfer keep theirs. Transfers of one
connection run one after the other.

Back-pressure: a peer that reads nothing is read no further (UNSENT_LIMIT); pages are not copied, so a transfer that waits
costs a batch and a snapshot. Events are edges (EPOLLET): readable and writable remember what the kernel said last.
"""

from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memmove
from posix.unistd cimport close as close_fd
from cpython.unicode cimport PyUnicode_AsUTF8
from fastmdns.answer cimport CLOSE, DROP, TRANSFER, Answerer, Batch, Peer, Transfer, batch_reset
from fastmdns.counters cimport (CONNECTIONS_CLOSED_ERRORS, CONNECTIONS_CLOSED_IDLE, CONNECTIONS_CLOSED_SLOW_QUERY,
                                CONNECTIONS_OPEN, QUERIES_TOO_LARGE, SEND_FAILURES, TRANSFERS_CUT_SLOW,
                                TRANSFERS_CUT_SPACE, TRANSFERS_CUT_STALLED, TRANSFERS_CUT_TOO_LONG, TRANSFERS_FAILED,
                                TRANSFERS_FINISHED, TRANSFERS_RUNNING, Counters, count, uncount)
from fastmdns.server.system cimport (EAGAIN, EINTR, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLLET, EPOLLIN, EPOLLOUT,
                                     EPOLLRDHUP, MSG_NOSIGNAL, SO_LINGER, SOL_SOCKET, TIOCOUTQ, epoll_ctl,
                                     epoll_event, errno, ioctl, linger, msghdr, recv, send, sendmsg, setsockopt)
from fastmdns.server.transferlog cimport Subject, TransferLog
from fastmdns.wire cimport HEADER_SIZE, load_u16, store_u16

from fastmdns.server import logs

cdef enum:
    FORMERR = 1
    IXFR = 251
    AXFR = 252

cdef uint64_t SECOND = 1000000000
cdef uint64_t RATE_WINDOW = 30 * SECOND  # min_rate is an average over this


cdef class Address:
    def __cinit__(self, name):
        self.name = name
        self.waiting = []


cdef class Desk:
    def __cinit__(self, Answerer answerer not None, Counters counters not None, TransferLog log not None, config,
                  int epoll):
        self.answerer = answerer
        self.counters = counters
        self.log = log
        self.epoll = epoll
        self.inbox = <uint8_t *>malloc(INBOX)
        self.outbox = <uint8_t *>malloc(OUTBOX)
        if self.inbox == NULL or self.outbox == NULL:
            raise MemoryError
        self.addresses = {}
        self.ready = []
        self.closed = []
        self.query_ns = <uint64_t>(config.query_seconds * 1e9)
        self.stall_ns = <uint64_t>(config.stall_seconds * 1e9)
        self.transfer_ns = <uint64_t>(config.max_transfer_seconds * 1e9)
        self.idle_ns = <uint64_t>(config.idle_seconds * 1e9)
        self.least_octets = <uint64_t>config.min_rate * 30
        self.max_query_size = config.max_query_size
        self.max_open = config.max_connections
        self.max_open_per_address = config.max_connections_per_address
        self.max_transfers_per_address = config.max_transfers_per_address

    def __dealloc__(self):
        free(self.inbox)
        free(self.outbox)
        while self.spares:
            self.spares -= 1
            free(self.spare[self.spares])

    cdef Batch *take_batch(self) except NULL:
        cdef Batch *batch
        if self.spares:
            self.spares -= 1
            batch = self.spare[self.spares]
        else:
            batch = <Batch *>malloc(sizeof(Batch))
            if batch == NULL:
                raise MemoryError
        batch_reset(batch)
        return batch

    cdef void give_batch(self, Batch *batch) noexcept:
        if self.spares < SPARE_BATCHES:
            self.spare[self.spares] = batch
            self.spares += 1
        else:
            free(batch)

    cdef Address address_of(self, const Peer *peer):
        name = (<const char *>peer.address)[:peer.address_length]
        address = self.addresses.get(name)
        if address is None:
            address = self.addresses[name] = Address(name)
        return <Address>address

    cdef Connection oldest_idle(self, Address address):
        """The one that has had nothing to do for longest, of one address or (None) of all."""
        cdef Connection found = None
        cdef Connection one = self.first
        while one is not None:
            if (address is None or one.address is address) and one.is_idle():
                if found is None or one.active_at < found.active_at:
                    found = one
            one = one.next
        return found

    cdef uint64_t oldest_transfer(self) noexcept:
        """When it began, or 0."""
        cdef uint64_t oldest = 0
        cdef uint64_t began
        cdef Connection one = self.first
        while one is not None:
            if one.transfers:
                began = one.transfers_started[0]
                if oldest == 0 or began < oldest:
                    oldest = began
            one = one.next
        return oldest

    cdef void make_ready(self, Connection connection):
        if not connection.queued:
            connection.queued = True
            self.ready.append(connection)


cdef class Connection:
    """Made for an accepted, non-blocking descriptor, which it owns from then on."""

    def __cinit__(self, Desk desk not None, Address address not None, int fd):
        self.desk = desk
        self.address = address
        self.fd = fd
        self.readable = True
        self.writable = True
        self.transfers = []
        self.transfers_started = []
        self.active_at = self.progress_at = desk.now
        address.connections += 1
        desk.open += 1
        count(desk.counters, CONNECTIONS_OPEN)
        self.previous = desk.last
        if desk.last is not None:
            desk.last.next = self
        else:
            desk.first = self
        desk.last = self

    def __dealloc__(self):
        free(self.unread)
        free(self.unsent)
        free(self.batch)

    # ------------------------------------------------------------------------------------------------------- turns

    cdef void turn(self) noexcept:
        if self.fd < 0:
            return
        try:
            self._turn()
        except Exception:
            logs.failure("connection failed")
            count(self.desk.counters, CONNECTIONS_CLOSED_ERRORS)
            self.close(b"internal error", True)

    cdef int _turn(self) except -1:
        if not self._send_unsent():
            return 0
        if self._may_read():
            self._read()
        if self.fd >= 0:
            self._transfer_turn()
        if self.fd < 0:
            return 0
        if self._is_done():
            self.close(NULL, False)
            return 0
        self._watch()
        if self._has_work():
            self.desk.make_ready(self)
        return 0

    cdef bint _may_read(self) noexcept:
        if self.waiting or self.ending or self.unsent_size - self.unsent_first > UNSENT_LIMIT:
            return False
        return self.unparsed or (self.readable and not self.ended)

    cdef bint _is_done(self) noexcept:
        """Nothing to send and nothing more to come."""
        if self.unsent_size or self.transfers:
            return False
        return self.ending or (self.ended and not self.unparsed and not self.waiting)

    cdef bint _has_work(self) noexcept:
        if self._may_read():
            return True
        return self.writable and (self.transfers or self.unsent_size)

    cdef void _watch(self) noexcept:
        """Tell epoll of it once; of EPOLLOUT only when a write first came short."""
        cdef epoll_event event
        if self.watched and (self.writable or self.watched_out):
            return
        event.events = EPOLLIN | EPOLLRDHUP | EPOLLET
        if not self.writable:
            event.events |= EPOLLOUT
            self.watched_out = True
        event.data.ptr = <void *>self
        if epoll_ctl(self.desk.epoll, EPOLL_CTL_MOD if self.watched else EPOLL_CTL_ADD, self.fd, &event) < 0:
            self.close(b"epoll failed", True)
        self.watched = True

    # ----------------------------------------------------------------------------------------------------- reading

    cdef int _read(self) except -1:
        """Receive once, answer all that is whole, keep the rest."""
        cdef Py_ssize_t had = self.unread_size
        cdef Py_ssize_t size, done
        if had:
            memcpy(self.desk.inbox, self.unread, had)
        size = self._receive(had)
        if self.fd < 0 or (size == had and not self.unparsed):
            return 0
        self.unparsed = False
        self.desk.used = 0
        done = self._answer_all(size)
        if done or not had:
            self.begun_at = self.desk.now if done < size else 0
        if self.unparsed or self.waiting:
            self.begun_at = 0
        self._keep(self.desk.inbox + done, size - done)
        self._flush_outbox()
        wake_next(self.desk, self.address)
        return 0

    cdef Py_ssize_t _receive(self, Py_ssize_t size) noexcept:
        """recv behind `size` octets of the inbox. How many are in it then."""
        cdef Py_ssize_t got, room
        if not self.readable or self.ended:
            return size
        room = min(<Py_ssize_t>READ_AT_ONCE, INBOX - size)
        if room <= 0:
            return size
        got = recv(self.fd, self.desk.inbox + size, room, 0)
        if got > 0:
            # A short read emptied the socket; a new edge tells of more. A hang-up's edge may be behind us.
            self.readable = got == room or self.hung_up
            return size + got
        if got == 0:
            self.ended = True
        elif errno == EAGAIN:
            self.readable = False
        elif errno != EINTR:
            self.close(b"connection reset", False)
        return size

    cdef Py_ssize_t _answer_all(self, Py_ssize_t size) except -1:
        """Answer the whole messages among `size` octets of the inbox, in one snapshot. Octets done with."""
        cdef Desk desk = self.desk
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t length
        if size < 2:
            return 0
        desk.answerer.begin()
        try:
            while size - at >= 2 and not self.ending:
                length = load_u16(desk.inbox + at)
                if length > desk.max_query_size or length < HEADER_SIZE:
                    count(desk.counters, QUERIES_TOO_LARGE if length >= HEADER_SIZE else CONNECTIONS_CLOSED_ERRORS)
                    self.ending = True
                    return size
                if size - at - 2 < length:
                    break
                if desk.used > OUTBOX - 65537:
                    self.unparsed = True
                    break
                if self._must_wait(desk.inbox + at + 2, length):
                    break
                self._take(desk.inbox + at + 2, length)
                at += 2 + length
        finally:
            desk.answerer.end()
        return at

    cdef bint _take(self, const uint8_t *query, Py_ssize_t length) except -1:
        """One query: its answer → the outbox, or a transfer begins, or the connection's end does."""
        cdef Desk desk = self.desk
        cdef uint8_t *out = desk.outbox + desk.used + 2
        cdef Py_ssize_t size = desk.answerer.answer(query, length, &self.peer, True, out)
        self.active_at = desk.now
        if size > 0:
            store_u16(out - 2, <unsigned short>size)
            desk.used += 2 + size
            if desk.answerer.whole:
                self._log_whole()
            elif out[3] & 0x0F == FORMERR:
                self.malformed += 1
                if self.malformed >= MALFORMED_LIMIT:
                    count(desk.counters, CONNECTIONS_CLOSED_ERRORS)
                    self.ending = True
        elif size == TRANSFER:
            self._begin_transfer(desk.answerer.take_transfer())
        elif size == CLOSE:
            count(desk.counters, CONNECTIONS_CLOSED_ERRORS)
            self.ending = True
        return True

    cdef int _keep(self, const uint8_t *octets, Py_ssize_t size) except -1:
        """What is unread, until more comes. The buffer is as long as it must be, and gone when it is empty."""
        cdef uint8_t *grown
        if size == 0:
            free(self.unread)
            self.unread = NULL
        else:
            grown = <uint8_t *>realloc(self.unread, size)
            if grown == NULL:
                raise MemoryError
            self.unread = grown
            memcpy(grown, octets, size)
        self.unread_size = size
        return 0

    cdef bint _must_wait(self, const uint8_t *query, Py_ssize_t length) except -1:
        """Is it a transfer, and does this address run as many as it may? Its connection then waits for one to end."""
        if self.address.transfers < self.desk.max_transfers_per_address or not asks_transfer(query, length):
            return False
        self.waiting = True
        self.unparsed = True
        self.address.waiting.append(self)
        return True

    # ----------------------------------------------------------------------------------------------------- writing

    cdef int _flush_outbox(self) except -1:
        """To the kernel if nothing stands before it, else to unsent."""
        cdef Desk desk = self.desk
        cdef Py_ssize_t sent = 0
        cdef Py_ssize_t size = desk.used
        if size == 0:
            return 0
        desk.used = 0
        if self.writable and not self.unsent_size and not self._in_batch():
            sent = send(self.fd, desk.outbox, size, MSG_NOSIGNAL)
            if sent < 0:
                self._send_failed()
                sent = 0
            else:
                self.writable = sent == size
            self._sent(sent)
        if sent < size and self.fd >= 0:
            self._stash(desk.outbox + sent, size - sent)
        return 0

    cdef bint _in_batch(self) noexcept:
        """Is a batch begun and not fully sent?"""
        return self.batch != NULL and self.batch.first < self.batch.count

    cdef int _stash(self, const uint8_t *octets, Py_ssize_t size) except -1:
        cdef uint8_t *grown
        if not self.unsent_size:
            self.progress_at = self.desk.now
        if self.unsent_first:
            self.unsent_size -= self.unsent_first
            memmove(self.unsent, self.unsent + self.unsent_first, self.unsent_size)
            self.unsent_first = 0
        if self.unsent_size + size > self.unsent_room:
            grown = <uint8_t *>realloc(self.unsent, self.unsent_size + size)
            if grown == NULL:
                raise MemoryError
            self.unsent = grown
            self.unsent_room = self.unsent_size + size
        memcpy(self.unsent + self.unsent_size, octets, size)
        self.unsent_size += size
        return 0

    cdef bint _send_unsent(self) except -1:
        """What was begun first. False where the connection is gone."""
        cdef Py_ssize_t sent
        if self._in_batch():
            self._send_batch()
        if self.fd < 0:
            return False
        if not self.unsent_size or not self.writable or self._in_batch():
            return True
        sent = send(self.fd, self.unsent + self.unsent_first, self.unsent_size - self.unsent_first, MSG_NOSIGNAL)
        if sent < 0:
            self._send_failed()
            return self.fd >= 0
        self._sent(sent)
        self.unsent_first += sent
        if self.unsent_first < self.unsent_size:
            self.writable = False
            return True
        free(self.unsent)
        self.unsent = NULL
        self.unsent_first = self.unsent_size = self.unsent_room = 0
        return True

    cdef void _sent(self, Py_ssize_t count) noexcept:
        self.written += <uint64_t>count

    cdef void _note_progress(self) noexcept:
        """What the peer acknowledged counts: the kernel takes megabytes that a stalled peer never sees."""
        cdef int queued = 0
        cdef uint64_t delivered
        if ioctl(self.fd, TIOCOUTQ, &queued) < 0:
            return
        delivered = self.written - <uint64_t>queued
        if delivered > self.delivered:
            self.delivered = delivered
            self.progress_at = self.desk.now

    cdef void _send_failed(self) noexcept:
        if errno == EAGAIN:
            self.writable = False
        elif errno != EINTR:
            count(self.desk.counters, SEND_FAILURES)
            self.close(b"connection reset", False)

    # --------------------------------------------------------------------------------------------------- transfers

    cdef int _begin_transfer(self, Transfer transfer) except -1:
        cdef Subject subject
        self.address.transfers += 1
        count(self.desk.counters, TRANSFERS_RUNNING)
        if not self.transfers:
            self.progress_at = self.window_at = self.desk.now
            self.window_delivered = self.delivered
        self.transfers.append(transfer)
        self.transfers_started.append(self.desk.now)
        fill_subject(&subject, &self.peer, transfer.apex, transfer.qtype, transfer.serial, transfer.key)
        self.desk.log.started(&subject)
        return 0

    cdef int _log_whole(self) except -1:
        """Both lines of a transfer that was one message."""
        cdef Subject subject
        cdef Answerer answerer = self.desk.answerer
        if not self.desk.log.on:
            return 0
        fill_subject(&subject, &self.peer, answerer.apex, answerer.qtype, answerer.serial, answerer.key)
        self.desk.log.started(&subject)
        self.desk.log.ended(&subject, 1, answerer.records, answerer.octets, 0, NULL)
        return 0

    cdef int _transfer_turn(self) except -1:
        """One batch, if nothing else waits to be sent."""
        if self.unsent_size or not self.writable or not self.transfers:
            return 0
        if not self._in_batch() and not self._fill():
            return 0
        self._send_batch()
        return 0

    cdef bint _fill(self) except -1:
        """The next batch of the first transfer. False where there was nothing left of it."""
        cdef Transfer transfer = <Transfer>self.transfers[0]
        if self.batch == NULL:
            self.batch = self.desk.take_batch()
        batch_reset(self.batch)
        if transfer.fill(self.batch) > 0:
            return True
        self._end_transfer(NULL)
        return False

    cdef int _send_batch(self) except -1:
        cdef Batch *batch = self.batch
        cdef Transfer transfer
        cdef msghdr message
        cdef Py_ssize_t sent
        if not self.writable:
            return 0
        message.msg_name = NULL
        message.msg_namelen = 0
        message.msg_control = NULL
        message.msg_controllen = 0
        message.msg_flags = 0
        message.msg_iov = &batch.iov[batch.first]
        message.msg_iovlen = batch.count - batch.first
        sent = sendmsg(self.fd, &message, MSG_NOSIGNAL)
        if sent < 0:
            self._send_failed()
            return 0
        self._sent(sent)
        self.writable = advance(batch, sent)
        transfer = <Transfer>self.transfers[0]
        if self.writable and transfer.step == transfer.steps:
            self._end_transfer(NULL)
        return 0

    cdef int _end_transfer(self, const char *reason) except -1:
        """The first of them is over. reason: NULL, or what kept it from its end."""
        cdef Subject subject
        cdef Transfer transfer = <Transfer>self.transfers.pop(0)
        cdef uint64_t began = self.transfers_started.pop(0)
        cdef Desk desk = self.desk
        uncount(desk.counters, TRANSFERS_RUNNING)
        count(desk.counters, TRANSFERS_FINISHED if reason == NULL else TRANSFERS_FAILED)
        fill_subject(&subject, &self.peer, transfer.apex, transfer.qtype, transfer.serial, transfer.key)
        desk.log.ended(&subject, transfer.messages, transfer.records, transfer.octets, desk.now - began, reason)
        transfer.close()
        if not self.transfers and self.batch != NULL:
            desk.give_batch(self.batch)
            self.batch = NULL
        self.active_at = self.window_at = self.progress_at = desk.now
        self.window_delivered = self.delivered
        self.address.transfers -= 1
        wake_next(desk, self.address)
        return 0

    # ------------------------------------------------------------------------------------------------------ limits

    cdef bint is_idle(self) noexcept:
        return not (self.transfers or self.unsent_size or self.unread_size or self.waiting)

    cdef void sweep(self, uint64_t idle_ns, uint64_t cut_before) noexcept:
        cdef uint64_t now = self.desk.now
        cdef int counter = -1
        cdef const char *reason = NULL
        if self.transfers or self.unsent_size:
            self._note_progress()
        if self.transfers:
            counter = self._overdue(cut_before, &reason)
        elif self.unsent_size and now - self.progress_at > self.desk.stall_ns:
            counter = CONNECTIONS_CLOSED_ERRORS
            reason = b"stalled"
        elif self.is_idle() and now - self.active_at > idle_ns:
            counter = CONNECTIONS_CLOSED_IDLE
        if counter < 0 and self.begun_at and now - self.begun_at > self.desk.query_ns:
            counter = CONNECTIONS_CLOSED_SLOW_QUERY
            reason = b"slow query"
        if counter >= 0:
            count(self.desk.counters, counter)
            self.close(reason, reason != NULL)

    cdef int _overdue(self, uint64_t cut_before, const char **reason) noexcept:
        """The counter of the limit its transfer went over, or -1."""
        cdef uint64_t now = self.desk.now
        cdef uint64_t began = self.transfers_started[0]
        if began < cut_before:
            reason[0] = b"the store needs the space"
            return TRANSFERS_CUT_SPACE
        if now - began > self.desk.transfer_ns:
            reason[0] = b"took too long"
            return TRANSFERS_CUT_TOO_LONG
        if now - self.progress_at > self.desk.stall_ns:
            reason[0] = b"stalled"
            return TRANSFERS_CUT_STALLED
        if now - self.window_at > RATE_WINDOW:
            if self.delivered - self.window_delivered < self.desk.least_octets:
                reason[0] = b"too slow"
                return TRANSFERS_CUT_SLOW
            self.window_at = now
            self.window_delivered = self.delivered
        return -1

    cdef void close(self, const char *reason, bint abort) noexcept:
        cdef linger now
        if self.fd < 0:
            return
        if reason == NULL:
            reason = b"closed"
        if abort:
            now.l_onoff = 1
            now.l_linger = 0
            setsockopt(self.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now))
        close_fd(self.fd)
        self.fd = -1
        try:
            while self.transfers:
                self._end_transfer(reason)
        except Exception:
            logs.failure("transfer failed to end")
        leave(self)


cdef void leave(Connection connection):
    """Out of every list; the desk keeps it until the turn's end."""
    cdef Desk desk = connection.desk
    cdef Address address = connection.address
    if connection.waiting:
        address.waiting.remove(connection)
    address.connections -= 1
    if not address.connections:
        desk.addresses.pop(address.name, None)
    if connection.previous is not None:
        connection.previous.next = connection.next
    else:
        desk.first = connection.next
    if connection.next is not None:
        connection.next.previous = connection.previous
    else:
        desk.last = connection.previous
    connection.previous = connection.next = None
    desk.open -= 1
    uncount(desk.counters, CONNECTIONS_OPEN)
    desk.closed.append(connection)
    wake_next(desk, address)


cdef void wake_next(Desk desk, Address address):
    """Where one more transfer may run, the connection of this address that has waited longest goes on.

    It may find no transfer to run after all; so this is asked again whenever one of them has read or has gone.
    """
    cdef Connection connection
    if address.waiting and address.transfers < desk.max_transfers_per_address:
        connection = <Connection>address.waiting.pop(0)
        connection.waiting = False
        desk.make_ready(connection)


cdef bint advance(Batch *batch, Py_ssize_t count) noexcept nogil:
    """The kernel took `count` octets. False where that was not all: the socket is full."""
    while batch.first < batch.count and <size_t>count >= batch.iov[batch.first].iov_len:
        count -= <Py_ssize_t>batch.iov[batch.first].iov_len
        batch.first += 1
    if batch.first == batch.count:
        return True
    batch.iov[batch.first].iov_base = <uint8_t *>batch.iov[batch.first].iov_base + count
    batch.iov[batch.first].iov_len -= <size_t>count
    return False


cdef bint asks_transfer(const uint8_t *query, Py_ssize_t length) noexcept nogil:
    """Does this look like a query for AXFR or IXFR? What is malformed does not, and gets its answer at once."""
    cdef Py_ssize_t at = HEADER_SIZE
    cdef int qtype
    if query[2] & 0xF8 or load_u16(query + 4) != 1:
        return False
    while at < length and 0 < query[at] < 64:
        at += query[at] + 1
    if at + 5 > length or query[at] != 0:
        return False
    qtype = load_u16(query + at + 1)
    return qtype == AXFR or qtype == IXFR


cdef int fill_subject(Subject *subject, const Peer *peer, bytes apex, int qtype, unsigned int serial, str key) except -1:
    """Borrows from apex and key."""
    subject.apex = <const uint8_t *><const char *>apex
    subject.apex_length = <int>len(apex)
    subject.key = PyUnicode_AsUTF8(key)
    subject.peer = peer
    subject.serial = serial
    subject.ixfr = qtype == IXFR
    return 0
