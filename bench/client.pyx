# SPDX-License-Identifier: Apache-2.0
"""A load client that is no bottleneck: epoll in C, no GIL, and yet it walks every record of every message.

A Load is a list of queries spread over connections. Each connection keeps `depth` queries on their way; answers are
matched by message id, so their order is free. A transfer counts only when it begins and ends with one same SOA.
With digest=True the sum of a hash of every record (owner lower-cased, names decompressed) says whether two servers
hold the same zone, in whatever order and compression they send it.
"""

from libc.errno cimport EAGAIN, EINPROGRESS, EINTR, errno
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memmove, memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from posix.unistd cimport close

import socket
from array import array

from fastmdns.wire cimport load_u16, load_u32, store_u16


cdef extern from "sys/socket.h" nogil:
    ctypedef unsigned int socklen_t
    struct sockaddr:
        pass
    struct sockaddr_storage:
        pass
    struct iovec:
        void *iov_base
        size_t iov_len
    struct msghdr:
        void *msg_name
        socklen_t msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    int AF_INET, AF_INET6, SOCK_STREAM, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC, MSG_NOSIGNAL, MSG_DONTWAIT
    int SOL_SOCKET, SO_RCVBUF, SO_SNDBUF
    int c_socket "socket"(int domain, int kind, int protocol)
    int c_connect "connect"(int fd, const sockaddr *address, socklen_t size)
    int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
    ssize_t recv(int fd, void *data, size_t size, int flags)
    ssize_t send(int fd, const void *data, size_t size, int flags)
    int sendmmsg(int fd, mmsghdr *messages, unsigned int count, int flags)
    int recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags, void *timeout)

cdef extern from "netinet/in.h" nogil:
    int IPPROTO_TCP
    struct in_addr:
        uint32_t s_addr
    struct sockaddr_in:
        uint16_t sin_family
        uint16_t sin_port
        in_addr sin_addr
    struct in6_addr:
        uint8_t s6_addr[16]
    struct sockaddr_in6:
        uint16_t sin6_family
        uint16_t sin6_port
        in6_addr sin6_addr

cdef extern from "netinet/tcp.h" nogil:
    int TCP_NODELAY, TCP_QUICKACK

cdef extern from "sys/epoll.h" nogil:
    ctypedef union epoll_data_t:
        uint64_t u64
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    enum:
        EPOLLIN, EPOLLOUT, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CLOEXEC
    int epoll_create1(int flags)
    int epoll_ctl(int poll, int operation, int fd, epoll_event *event)
    int epoll_wait(int poll, epoll_event *events, int room, int timeout)


cdef enum:
    SOA = 6
    INPUT_ROOM = 1 << 18  # four of the largest messages, and still inside the second-level cache
    OUTPUT_ROOM = 1 << 16
    MAX_DEPTH = 1024
    MAX_EVENTS = 64
    UDP_BATCH = 64
    UDP_ROOM = 512

cdef enum Fault:  # indexes FAULTS
    FINE = 0
    TIMED_OUT
    NO_CONNECTION
    CLOSED
    BROKEN
    NOT_AN_ANSWER
    REFUSED
    WRONG_ID
    NO_FIRST_SOA
    OTHER_LAST_SOA
    NO_ROOM

FAULTS = (
    "no fault",
    "no complete answer in time",
    "no connection",
    "the server closed the connection too early",
    "a malformed message",
    "a message that is no answer",
    "an error code",
    "an answer to a query that was not asked",
    "a transfer that does not begin with a SOA",
    "a transfer whose two SOAs differ",
    "out of memory or descriptors",
)


class LoadError(Exception):
    """What the server did wrong, or that it did nothing in time."""


cdef struct Slot:  # one query on its way
    int64_t query  # index, -1: idle
    double started
    int soas
    uint8_t soa[20]  # serial and timers of the first SOA


cdef struct Link:  # one connection
    int fd  # -1: closed
    bint writable_wanted
    uint8_t *input  # owned
    Py_ssize_t begin, end
    uint8_t *output  # owned
    Py_ssize_t sent, queued
    Slot *slots  # owned
    int busy


cdef struct Sums:
    uint64_t octets, messages, records, digest, finished
    uint32_t serial
    int rcode
    double last


cdef double now() noexcept nogil:
    cdef timespec time
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec + time.tv_nsec * 1e-9


cdef inline Py_ssize_t skip_name(const uint8_t *data, Py_ssize_t size, Py_ssize_t pos) noexcept nogil:
    """The position behind the name, or a position no record fits behind."""
    cdef uint8_t octet
    while pos < size:
        octet = data[pos]
        if octet >= 0xC0:
            return pos + 2
        if octet == 0:
            return pos + 1
        if octet > 63:
            return size
        pos += octet + 1
    return size


# --- the digest of a record ------------------------------------------------------------------------------------------

cdef int unpack_name(const uint8_t *data, Py_ssize_t size, Py_ssize_t pos, uint8_t *out) noexcept nogil:
    """The whole name at pos → out (room 256), or 0."""
    cdef int used = 0
    cdef Py_ssize_t limit = pos
    cdef uint8_t octet
    while pos < size:
        octet = data[pos]
        if octet >= 0xC0:
            if pos + 1 >= size:
                return 0
            pos = load_u16(data + pos) & 0x3FFF
            if pos >= limit:
                return 0
            limit = pos
            continue
        if octet > 63 or used + octet + 1 > 255 or pos + octet + 1 > size:
            return 0
        memcpy(out + used, data + pos, octet + 1)
        used += octet + 1
        if octet == 0:
            return used
        pos += octet + 1
    return 0


cdef inline uint64_t mix(uint64_t value, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t index
    for index in range(size):
        value = (value ^ data[index]) * <uint64_t>0x100000001B3
    return value


cdef void names_in(uint16_t rrtype, int *prefix, int *count) noexcept nogil:
    """Where the names lie that some server may compress."""
    prefix[0] = 2 if rrtype == 15 else 6 if rrtype == 33 else 0
    count[0] = 2 if rrtype == SOA else 1 if rrtype in (2, 5, 12, 15, 33, 39) else 0


cdef uint64_t hash_rdata(uint64_t value, const uint8_t *data, Py_ssize_t size, Py_ssize_t pos, Py_ssize_t end,
                         uint16_t rrtype) noexcept nogil:
    cdef uint8_t name[256]
    cdef int prefix = 0, count = 0, length
    names_in(rrtype, &prefix, &count)
    if count and pos + prefix < end:
        value = mix(value, data + pos, prefix)
        pos += prefix
        while count > 0:
            length = unpack_name(data, size, pos, name)
            value = mix(value, name, length)
            pos = skip_name(data, size, pos)
            count -= 1
    return mix(value, data + pos, max(0, end - pos))


cdef uint64_t hash_record(const uint8_t *data, Py_ssize_t size, Py_ssize_t owner, Py_ssize_t fixed,
                          uint16_t rdlength) noexcept nogil:
    """Hash of (lower-case owner, type, class, TTL, rdata without compression), scrambled so that sums don't cancel."""
    cdef uint8_t name[256]
    cdef int index, length = unpack_name(data, size, owner, name)
    for index in range(length):
        if c'A' <= name[index] <= c'Z':
            name[index] += 32
    cdef uint64_t value = mix(mix(<uint64_t>0xCBF29CE484222325, name, length), data + fixed, 8)
    value = hash_rdata(value, data, size, fixed + 10, fixed + 10 + rdlength, load_u16(data + fixed))
    value ^= value >> 32
    value *= <uint64_t>0xD6E8FEB86659FD93
    return value ^ (value >> 32)


# --- walking a message -----------------------------------------------------------------------------------------------

cdef int at_soa(const uint8_t *data, Py_ssize_t rdata_end, uint16_t rdlength, Slot *slot) noexcept nogil:
    """The first SOA is kept, the second must equal it."""
    if rdlength < 22 or slot.soas > 1:
        return BROKEN
    slot.soas += 1
    if slot.soas == 1:
        memcpy(slot.soa, data + rdata_end - 20, 20)
        return FINE
    return FINE if memcmp(slot.soa, data + rdata_end - 20, 20) == 0 else OTHER_LAST_SOA


cdef int walk_records(const uint8_t *data, Py_ssize_t size, Py_ssize_t *at, int count, Slot *slot,
                      uint64_t *digest) noexcept nogil:
    """Every record of a section: owner, type, length, bounds."""
    cdef Py_ssize_t pos = at[0], owner
    cdef uint16_t rdlength
    cdef int fault = FINE
    while count > 0:
        owner = pos
        pos = skip_name(data, size, pos)
        if size - pos < 10:
            return BROKEN
        rdlength = load_u16(data + pos + 8)
        if size - pos - 10 < rdlength:
            return BROKEN
        if slot != NULL:
            if slot.soas != 1 and load_u16(data + pos) != SOA:
                return NO_FIRST_SOA if slot.soas == 0 else OTHER_LAST_SOA
            if load_u16(data + pos) == SOA:
                fault = at_soa(data, pos + 10 + rdlength, rdlength, slot)
            if digest != NULL and slot.soas < 2:
                digest[0] += hash_record(data, size, owner, pos, rdlength)
        pos += 10 + rdlength
        count -= 1
        if fault:
            return fault
    at[0] = pos
    return FINE


cdef int walk_message(const uint8_t *data, Py_ssize_t size, Slot *slot, Sums *sums, bint hashing) noexcept nogil:
    """The whole message into slot and sums."""
    if size < 12 or not data[2] & 0x80:
        return NOT_AN_ANSWER
    sums.rcode = data[3] & 15
    if sums.rcode:
        return REFUSED
    if slot == NULL and load_u16(data + 6) == 0:
        return NOT_AN_ANSWER
    cdef Py_ssize_t pos = 12
    cdef int index, fault
    for index in range(load_u16(data + 4)):
        pos = skip_name(data, size, pos) + 4
    fault = walk_records(data, size, &pos, load_u16(data + 6), slot, &sums.digest if hashing else NULL)
    if fault == FINE:
        fault = walk_records(data, size, &pos, load_u16(data + 8) + load_u16(data + 10), NULL, NULL)
    sums.records += load_u16(data + 6)
    sums.messages += 1
    return fault


# --- connections -----------------------------------------------------------------------------------------------------

cdef class Load:
    """Queries for one server, and how they are sent. One run() per object."""

    cdef uint8_t *blob  # owned: the queries, one behind the other
    cdef Py_ssize_t *ends  # owned
    cdef double *took  # owned: seconds of each query; 0: not finished
    cdef Link *links  # owned
    cdef sockaddr_storage address
    cdef socklen_t address_size
    cdef Py_ssize_t query_count, next_query
    cdef int link_count, depth, poll
    cdef bint reconnect, single, hashing, quickack, stopping
    cdef Sums sums

    def __cinit__(self, host, int port, queries, *, int connections=1, int depth=1, bint reconnect=False,
                  bint single=False, bint digest=False, bint quickack=False):
        """single: each query has one message as its answer (else it is a transfer)."""
        if not 0 < depth <= MAX_DEPTH or connections < 1:
            raise ValueError("depth is 1 to 1024 and connections at least 1")
        self.poll = -1
        self.depth, self.link_count = depth, connections
        self.reconnect, self.single, self.hashing, self.quickack = reconnect, single, digest, quickack
        self.address_size = put_address(&self.address, host, port)
        self._take(list(queries))
        self.links = <Link *>calloc(connections, sizeof(Link))
        self.poll = epoll_create1(EPOLL_CLOEXEC)
        if self.links == NULL or self.poll < 0:
            raise MemoryError
        self._prepare()

    cdef int _take(self, list queries) except -1:
        """Copy the queries behind each other."""
        cdef Py_ssize_t used = 0
        cdef bytes query
        joined = b"".join(queries)
        self.query_count = len(queries)
        self.blob = <uint8_t *>malloc(max(1, len(joined)))
        self.ends = <Py_ssize_t *>calloc(self.query_count + 1, sizeof(Py_ssize_t))
        self.took = <double *>calloc(self.query_count + 1, sizeof(double))
        if self.blob == NULL or self.ends == NULL or self.took == NULL:
            raise MemoryError
        memcpy(self.blob, <const uint8_t *>joined, len(joined))
        for index, query in enumerate(queries):
            if len(query) > 4096:
                raise ValueError("a query has at most 4096 octets")
            used += len(query)
            self.ends[index + 1] = used
        return 0

    cdef int _prepare(self) except -1:
        cdef int index, slot
        cdef Link *link
        for index in range(self.link_count):
            self.links[index].fd = -1
        for index in range(self.link_count):
            link = &self.links[index]
            link.input = <uint8_t *>malloc(INPUT_ROOM)
            link.output = <uint8_t *>malloc(OUTPUT_ROOM)
            link.slots = <Slot *>calloc(self.depth, sizeof(Slot))
            if link.input == NULL or link.output == NULL or link.slots == NULL:
                raise MemoryError
            memset(link.input, 0, INPUT_ROOM)  # page faults now and not while the clock runs
            for slot in range(self.depth):
                link.slots[slot].query = -1
        return 0

    def __dealloc__(self):
        cdef int index
        for index in range(self.link_count if self.links != NULL else 0):
            if self.links[index].fd >= 0:
                close(self.links[index].fd)
            free(self.links[index].input)
            free(self.links[index].output)
            free(self.links[index].slots)
        if self.poll >= 0:
            close(self.poll)
        free(self.links)
        free(self.blob)
        free(self.ends)
        free(self.took)

    def connect(self):
        """Connect ahead of run(), so that the clock sees transfers alone. Not for reconnect=True."""
        cdef int index
        for index in range(self.link_count):
            if self._open(&self.links[index], index) != FINE:
                raise LoadError(FAULTS[<int>NO_CONNECTION])

    def run(self, double timeout=60.0):
        """Ask everything. The seconds from the first query to the last octet."""
        cdef int fault
        cdef double started
        with nogil:
            started = now()
            fault = self._drive(started + timeout)
        if fault:
            code = f" {self.sums.rcode}" if fault == REFUSED else ""
            raise LoadError(f"{FAULTS[fault]}{code} ({self.sums.finished} of {self.query_count} queries answered)")
        return self.sums.last - started

    def stop(self):
        """Make a run() in another thread return soon, whatever is still to come."""
        self.stopping = True

    @property
    def counts(self):
        """What came: a dict of octets (with length prefixes), messages, records, digest, finished, serial."""
        return {"octets": self.sums.octets, "messages": self.sums.messages, "records": self.sums.records,
                "digest": self.sums.digest, "finished": self.sums.finished, "serial": self.sums.serial}

    def latencies(self):
        """Seconds of each query, in the order of the queries."""
        return array("d", [self.took[index] for index in range(self.query_count)])

    cdef int _drive(self, double deadline) noexcept nogil:
        cdef epoll_event events[MAX_EVENTS]
        cdef int index, count, fault = FINE
        for index in range(self.link_count):
            if fault == FINE:
                fault = self._start(&self.links[index], index)
        while fault == FINE and self.sums.finished < <uint64_t>self.query_count:
            count = epoll_wait(self.poll, events, MAX_EVENTS, max(0, <int>((deadline - now()) * 1000)))
            if count == 0:
                return TIMED_OUT
            if self.stopping:
                return FINE
            for index in range(count):
                if fault == FINE:
                    fault = self._ready(<int>events[index].data.u64, events[index].events)
            if now() > deadline:
                return TIMED_OUT
        return fault

    cdef int _start(self, Link *link, int index) noexcept nogil:
        if self.next_query >= self.query_count:
            return FINE
        cdef double started = now()
        if link.fd < 0 and self._open(link, index) != FINE:
            return NO_CONNECTION
        return self._refill(link, index, started)

    cdef int _open(self, Link *link, int index) noexcept nogil:
        cdef int on = 1, fd
        cdef epoll_event event
        fd = c_socket(AF_INET6 if self.address_size == sizeof(sockaddr_in6) else AF_INET,
                      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
        if fd < 0:
            return NO_ROOM
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))
        if c_connect(fd, <const sockaddr *>&self.address, self.address_size) < 0 and errno != EINPROGRESS:
            close(fd)
            return NO_CONNECTION
        event.events = EPOLLIN
        event.data.u64 = index
        epoll_ctl(self.poll, EPOLL_CTL_ADD, fd, &event)
        link.fd = fd
        link.writable_wanted = False
        link.begin = link.end = link.sent = link.queued = 0
        return FINE

    cdef int _refill(self, Link *link, int index, double started) noexcept nogil:
        """A query into every idle slot, and all of them into one segment."""
        cdef int slot
        for slot in range(self.depth):
            if self.next_query >= self.query_count or OUTPUT_ROOM - link.queued < 4098:
                break
            if link.slots[slot].query < 0 and not (self.reconnect and link.busy):
                self._put(link, slot, started)
        return self._flush(link, index)

    cdef void _put(self, Link *link, int slot, double started) noexcept nogil:
        cdef Py_ssize_t begin = self.ends[self.next_query], size = self.ends[self.next_query + 1] - begin
        store_u16(link.output + link.queued, <uint16_t>size)
        memcpy(link.output + link.queued + 2, self.blob + begin, size)
        store_u16(link.output + link.queued + 2, <uint16_t>slot)
        link.queued += size + 2
        link.slots[slot].query = self.next_query
        link.slots[slot].started = started
        link.slots[slot].soas = 0
        link.busy += 1
        self.next_query += 1

    cdef int _flush(self, Link *link, int index) noexcept nogil:
        cdef ssize_t count
        while link.sent < link.queued:
            count = send(link.fd, link.output + link.sent, link.queued - link.sent, MSG_NOSIGNAL)
            if count < 0:
                if errno == EINTR:
                    continue
                return self._want_write(link, index, True) if errno == EAGAIN else CLOSED
            link.sent += count
        link.sent = link.queued = 0
        return self._want_write(link, index, False)

    cdef int _want_write(self, Link *link, int index, bint wanted) noexcept nogil:
        cdef epoll_event event
        if wanted != link.writable_wanted:
            event.events = EPOLLIN | (EPOLLOUT if wanted else 0)
            event.data.u64 = index
            epoll_ctl(self.poll, EPOLL_CTL_MOD, link.fd, &event)
            link.writable_wanted = wanted
        return FINE

    cdef int _ready(self, int index, uint32_t events) noexcept nogil:
        cdef Link *link = &self.links[index]
        cdef ssize_t count
        cdef int fault, on = 1
        if events & EPOLLOUT:
            fault = self._flush(link, index)
            if fault or not events & EPOLLIN:
                return fault
        count = recv(link.fd, link.input + link.end, INPUT_ROOM - link.end, MSG_DONTWAIT)
        if count < 0 and (errno == EAGAIN or errno == EINTR):
            return FINE
        if count <= 0:
            return self._closed(link)
        if self.quickack:
            setsockopt(link.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on))
        link.end += count
        self.sums.octets += count
        return self._messages(link, index)

    cdef int _closed(self, Link *link) noexcept nogil:
        """A server may hang up on us when nothing is owed."""
        close(link.fd)
        link.fd = -1
        return CLOSED if link.busy else FINE

    cdef int _messages(self, Link *link, int index) noexcept nogil:
        """Every whole message in the input; the rest moves to the front."""
        cdef Py_ssize_t size
        cdef uint64_t finished = self.sums.finished
        cdef int fault
        while link.end - link.begin >= 2:
            size = load_u16(link.input + link.begin)
            if link.end - link.begin - 2 < size:
                break
            fault = self._message(link, link.input + link.begin + 2, size)
            if fault:
                return fault
            link.begin += 2 + size
        link.end -= link.begin
        memmove(link.input, link.input + link.begin, link.end)
        link.begin = 0
        return FINE if finished == self.sums.finished else self._next(link, index)

    cdef int _message(self, Link *link, const uint8_t *data, Py_ssize_t size) noexcept nogil:
        cdef int number = load_u16(data) if size >= 2 else MAX_DEPTH
        if number >= self.depth or link.slots[number].query < 0:
            return WRONG_ID
        cdef Slot *slot = &link.slots[number]
        cdef int fault = walk_message(data, size, NULL if self.single else slot, &self.sums, self.hashing)
        if fault or (slot.soas < 2 and not self.single):
            return fault
        self.sums.last = now()
        self.took[slot.query] = self.sums.last - slot.started
        self.sums.serial = load_u32(slot.soa)
        self.sums.finished += 1
        slot.query = -1
        link.busy -= 1
        return FINE

    cdef int _next(self, Link *link, int index) noexcept nogil:
        """Go on after at least one answer: on this connection, or on a new one."""
        if self.reconnect:
            close(link.fd)  # leaves the epoll set by itself
            link.fd = -1
            return self._start(link, index)
        return self._refill(link, index, now())


# --- UDP -------------------------------------------------------------------------------------------------------------

cdef struct Port:  # one UDP socket and the queries it has on their way
    int fd
    int window


cdef class UdpLoad:
    """One query over and over from several ports, `window` of them unanswered on each; what is lost is sent again."""

    cdef uint8_t query[UDP_ROOM]
    cdef Py_ssize_t size
    cdef uint8_t *input  # owned: UDP_BATCH answers
    cdef mmsghdr outgoing[UDP_BATCH]
    cdef mmsghdr incoming[UDP_BATCH]
    cdef iovec pieces[2 * UDP_BATCH]
    cdef Port *ports  # owned
    cdef int port_count, poll, fault
    cdef Sums sums

    def __cinit__(self, host, int port, bytes query, *, int ports=16, int window=16):
        cdef sockaddr_storage address
        cdef socklen_t size = put_address(&address, host, port)
        if not 0 < window <= UDP_BATCH or len(query) > UDP_ROOM:
            raise ValueError("the window is 1 to 64, a query has at most 512 octets")
        self.poll = epoll_create1(EPOLL_CLOEXEC)
        self.size = len(query)
        memcpy(self.query, <const uint8_t *>query, self.size)
        self.input = <uint8_t *>calloc(UDP_BATCH, UDP_ROOM)
        self.ports = <Port *>calloc(ports, sizeof(Port))
        if self.input == NULL or self.ports == NULL or self.poll < 0:
            raise MemoryError
        self._point()
        for _ in range(ports):
            self._open(&address, size, window)

    cdef void _point(self) noexcept:
        """Every outgoing message is the one query; every incoming one has room of its own."""
        cdef int index
        for index in range(UDP_BATCH):
            self.pieces[index].iov_base = self.query
            self.pieces[index].iov_len = self.size
            self.outgoing[index].msg_hdr.msg_iov = &self.pieces[index]
            self.pieces[UDP_BATCH + index].iov_base = self.input + index * UDP_ROOM
            self.pieces[UDP_BATCH + index].iov_len = UDP_ROOM
            self.incoming[index].msg_hdr.msg_iov = &self.pieces[UDP_BATCH + index]
            self.outgoing[index].msg_hdr.msg_iovlen = self.incoming[index].msg_hdr.msg_iovlen = 1

    cdef int _open(self, sockaddr_storage *address, socklen_t size, int window) except -1:
        cdef epoll_event event
        cdef int fd = c_socket(AF_INET6 if size == sizeof(sockaddr_in6) else AF_INET,
                               SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
        if fd < 0 or c_connect(fd, <const sockaddr *>address, size) < 0:
            raise OSError(errno, "socket")
        event.events = EPOLLIN
        event.data.u64 = self.port_count
        epoll_ctl(self.poll, EPOLL_CTL_ADD, fd, &event)
        self.ports[self.port_count].fd = fd
        self.ports[self.port_count].window = window
        self.port_count += 1
        return 0

    def __dealloc__(self):
        cdef int index
        for index in range(self.port_count):
            close(self.ports[index].fd)
        if self.poll >= 0:
            close(self.poll)
        free(self.ports)
        free(self.input)

    def run(self, double seconds):
        """Answers per second over that time. LoadError at the first answer that is none."""
        cdef double started, ended
        with nogil:
            started = now()
            self._drive(started + seconds)
            ended = now()
        if self.fault:
            raise LoadError(FAULTS[self.fault])
        return self.sums.messages / (ended - started)

    @property
    def answered(self):
        """How many answers came."""
        return self.sums.messages

    cdef void _drive(self, double deadline) noexcept nogil:
        cdef epoll_event events[MAX_EVENTS]
        cdef int index, count = 0
        while self.fault == FINE and now() < deadline:
            if count == 0:  # the beginning, or everything under way was lost
                for index in range(self.port_count):
                    sendmmsg(self.ports[index].fd, self.outgoing, self.ports[index].window, 0)
            count = epoll_wait(self.poll, events, MAX_EVENTS, 100)
            for index in range(count):
                self._answers(&self.ports[events[index].data.u64])

    cdef void _answers(self, Port *port) noexcept nogil:
        """Take what came, and ask as often again."""
        cdef int index, count = recvmmsg(port.fd, self.incoming, UDP_BATCH, 0, NULL)
        for index in range(count):
            if self.fault == FINE:
                self.fault = walk_message(self.input + index * UDP_ROOM, self.incoming[index].msg_len, NULL, &self.sums,
                                          False)
        if count > 0:
            sendmmsg(port.fd, self.outgoing, count, 0)


def last_record(bytes message):
    """(the offset of the last record of a message, the offset of its rdata): where a TSIG lies."""
    cdef const uint8_t *data = message
    cdef Py_ssize_t size = len(message), pos = 12, owner = 0
    if size < 12:
        raise LoadError(FAULTS[<int>BROKEN])
    for _ in range(load_u16(data + 4)):
        pos = skip_name(data, size, pos) + 4
    for _ in range(load_u16(data + 6) + load_u16(data + 8) + load_u16(data + 10)):
        owner = pos
        if walk_records(data, size, &pos, 1, NULL, NULL) != FINE:
            raise LoadError(FAULTS[<int>BROKEN])
    return owner, skip_name(data, size, owner) + 10


cdef socklen_t put_address(sockaddr_storage *out, host, int port) except 0:
    """host and port → out; the size of it."""
    cdef sockaddr_in *four = <sockaddr_in *>out
    cdef sockaddr_in6 *six = <sockaddr_in6 *>out
    cdef bytes packed
    memset(out, 0, sizeof(sockaddr_storage))
    if ":" in host:
        packed = socket.inet_pton(socket.AF_INET6, host)
        six.sin6_family = <uint16_t>AF_INET6
        six.sin6_port = <uint16_t>socket.htons(port)
        memcpy(&six.sin6_addr, <const uint8_t *>packed, 16)
        return sizeof(sockaddr_in6)
    packed = socket.inet_pton(socket.AF_INET, host)
    four.sin_family = <uint16_t>AF_INET
    four.sin_port = <uint16_t>socket.htons(port)
    memcpy(&four.sin_addr, <const uint8_t *>packed, 4)
    return sizeof(sockaddr_in)
