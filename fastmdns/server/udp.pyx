# SPDX-License-Identifier: Apache-2.0
"""UDP: recvmmsg, an answer for each, sendmmsg. All of a batch sees one snapshot, begun after the batch was received.

An answer the kernel has no room for is dropped and counted, as the network would drop it; the client asks again. A
datagram longer than UDP_QUERY is cut by the kernel and dropped here: nothing so long is a query to us.

A secondary asks for the SOA of all its zones from few sockets, so a batch holds many answers of one size to one peer.
These leave as one message that the kernel cuts (UDP_SEGMENT): its way through the IP stack is most of what an answer
costs. Where a kernel or device refuses that, each goes by itself from then on.
"""

from libc.stdint cimport uint8_t, uint16_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy
from fastmdns.answer cimport Answerer, Peer, iovec
from fastmdns.counters cimport (REQUESTS_DROPPED, SEND_FAILURES, Counters, count)
from fastmdns.server.system cimport (CMSG_DATA, CMSG_FIRSTHDR, CMSG_LEN, CMSG_SPACE, EINTR, EINVAL, EIO, EMSGSIZE,
                                     EOPNOTSUPP, IP_PKTINFO, IPPROTO_IP, IPPROTO_UDP, MSG_DONTWAIT, MSG_NOSIGNAL,
                                     MSG_TRUNC, UDP_SEGMENT, cmsghdr, errno, in_pktinfo, mmsghdr, msghdr,
                                     peer_from_sockaddr, recvmmsg, sendmmsg, sockaddr_storage)

from fastmdns.server import logs


cdef class UdpServer:
    def __cinit__(self, Answerer answerer not None, Counters counters not None):
        cdef int index
        self.answerer = answerer
        self.counters = counters
        self.segmenting = True
        self.trains = <mmsghdr *>calloc(UDP_BATCH, sizeof(mmsghdr))
        self.car_at = <iovec *>calloc(UDP_BATCH, sizeof(iovec))
        self.train_controls = <uint8_t *>calloc(UDP_BATCH, TRAIN_CONTROL)
        self.received = <mmsghdr *>calloc(UDP_BATCH, sizeof(mmsghdr))
        self.answers = <mmsghdr *>calloc(UDP_BATCH, sizeof(mmsghdr))
        self.query_at = <iovec *>calloc(UDP_BATCH, sizeof(iovec))
        self.answer_at = <iovec *>calloc(UDP_BATCH, sizeof(iovec))
        self.peers = <sockaddr_storage *>calloc(UDP_BATCH, sizeof(sockaddr_storage))
        self.controls = <uint8_t *>calloc(UDP_BATCH, UDP_CONTROL)
        self.queries = <uint8_t *>malloc(UDP_BATCH * UDP_QUERY)
        self.out = <uint8_t *>malloc(UDP_ANSWERS)
        if not (self.trains and self.car_at and self.train_controls and self.received and self.answers and self.query_at and self.answer_at and self.peers and self.controls
                and self.queries and self.out):
            raise MemoryError
        for index in range(UDP_BATCH):
            self.query_at[index].iov_base = self.queries + index * UDP_QUERY
            self.query_at[index].iov_len = UDP_QUERY
            self.received[index].msg_hdr.msg_iov = &self.query_at[index]
            self.received[index].msg_hdr.msg_iovlen = 1
            self.received[index].msg_hdr.msg_name = &self.peers[index]
            self.received[index].msg_hdr.msg_control = self.controls + index * UDP_CONTROL
            self.answers[index].msg_hdr.msg_iov = &self.answer_at[index]
            self.answers[index].msg_hdr.msg_iovlen = 1

    def __dealloc__(self):
        free(self.trains)
        free(self.car_at)
        free(self.train_controls)
        free(self.received)
        free(self.answers)
        free(self.query_at)
        free(self.answer_at)
        free(self.peers)
        free(self.controls)
        free(self.queries)
        free(self.out)

    cdef int serve(self, int fd) except -1:
        cdef int turn, got
        for turn in range(UDP_TURNS):
            got = self._receive(fd)
            if got <= 0:
                break
            self._answer(fd, got)
            if got < UDP_BATCH:
                break
        return 0

    cdef int _receive(self, int fd) noexcept nogil:
        cdef int index
        cdef msghdr *header
        for index in range(UDP_BATCH):
            header = &self.received[index].msg_hdr
            header.msg_namelen = sizeof(sockaddr_storage)
            header.msg_controllen = UDP_CONTROL
            header.msg_flags = 0
        return recvmmsg(fd, self.received, UDP_BATCH, MSG_DONTWAIT, NULL)

    cdef int _answer(self, int fd, int got) except -1:
        cdef int index
        cdef int queued = 0
        cdef Py_ssize_t size
        cdef Peer peer
        self.used = 0
        self.answerer.begin()
        try:
            for index in range(got):
                if self.received[index].msg_hdr.msg_flags & MSG_TRUNC:
                    count(self.counters, REQUESTS_DROPPED)
                    continue
                peer_from_sockaddr(&self.peers[index], &peer)
                try:
                    size = self.answerer.answer(self.queries + index * UDP_QUERY, self.received[index].msg_len, &peer,
                                                False, self.out + self.used)
                except Exception:
                    logs.failure("query failed", transport="udp")
                    continue
                if size <= 0:
                    continue
                queued = self._queue(queued, index, size)
                if self.used > UDP_ANSWERS - 65535:
                    self._send(fd, queued)
                    queued = 0
        finally:
            self.answerer.end()
        self._send(fd, queued)
        return 0

    cdef int _queue(self, int at, int which, Py_ssize_t size) noexcept nogil:
        """The answer at out + used goes to the peer of query `which`, from the address that peer asked."""
        cdef msghdr *target = &self.answers[at].msg_hdr
        cdef msghdr *source = &self.received[which].msg_hdr
        cdef cmsghdr *control = NULL
        self.answer_at[at].iov_base = self.out + self.used
        self.answer_at[at].iov_len = size
        self.used += size
        target.msg_name = source.msg_name
        target.msg_namelen = source.msg_namelen
        target.msg_controllen = source.msg_controllen
        target.msg_control = source.msg_control if source.msg_controllen else NULL
        if source.msg_controllen:
            control = CMSG_FIRSTHDR(source)
        if control != NULL and control.cmsg_level == IPPROTO_IP and control.cmsg_type == IP_PKTINFO:
            (<in_pktinfo *>CMSG_DATA(control)).ipi_ifindex = 0  # routing decides which interface, not the way in
        return at + 1

    cdef void _send(self, int fd, int queued) noexcept nogil:
        cdef int trains
        if self.segmenting and queued > 1:
            trains = self._couple(queued)
            if trains < queued:
                self._send_trains(fd, trains)
                self.used = 0
                return
        self._send_each(fd, self.answers, queued)
        self.used = 0

    cdef void _send_each(self, int fd, mmsghdr *answers, int queued) noexcept nogil:
        cdef int sent = 0
        cdef int result
        while sent < queued:
            result = sendmmsg(fd, answers + sent, queued - sent, MSG_DONTWAIT | MSG_NOSIGNAL)
            if result > 0:
                sent += result
            elif errno != EINTR:
                # The first of the rest can't go (no room, unreachable): it is lost, the others get their chance.
                count(self.counters, SEND_FAILURES)
                sent += 1

    # ------------------------------------------------------------------- answers that leave as one message, a train

    cdef int _couple(self, int queued) noexcept nogil:
        """Answers of one size to one peer → trains, in the order of their first ones. How many trains."""
        cdef int trains = 0
        cdef int cars = 0
        cdef int index, other, first
        for index in range(queued):
            self.coupled[index] = False
        for index in range(queued):
            if self.coupled[index]:
                continue
            first = cars
            for other in range(index, queued):
                if not self.coupled[other] and self._goes_along(index, other):
                    self.coupled[other] = True
                    self.car_at[cars] = self.answer_at[other]
                    cars += 1
            self._make_train(trains, index, first, cars - first)
            trains += 1
        return trains

    cdef bint _goes_along(self, int one, int other) noexcept nogil:
        """The same peer, the same address of ours, the same size?"""
        cdef msghdr *first = &self.answers[one].msg_hdr
        cdef msghdr *second = &self.answers[other].msg_hdr
        if one == other:
            return True
        return (
            self.answer_at[one].iov_len == self.answer_at[other].iov_len
            and self.answer_at[one].iov_len <= MAX_CAR
            and first.msg_namelen == second.msg_namelen
            and first.msg_controllen == second.msg_controllen
            and memcmp(first.msg_name, second.msg_name, first.msg_namelen) == 0
            and (not first.msg_controllen
                 or memcmp(first.msg_control, second.msg_control, first.msg_controllen) == 0)
        )

    cdef void _make_train(self, int at, int answer, int first, int cars) noexcept nogil:
        cdef msghdr *train = &self.trains[at].msg_hdr
        cdef uint8_t *control = self.train_controls + at * TRAIN_CONTROL
        cdef cmsghdr *segment
        cdef uint16_t size = <uint16_t>self.answer_at[answer].iov_len
        train[0] = self.answers[answer].msg_hdr
        train.msg_iov = &self.car_at[first]
        train.msg_iovlen = cars
        if cars == 1:
            return
        if train.msg_controllen:
            memcpy(control, train.msg_control, train.msg_controllen)
        segment = <cmsghdr *>(control + train.msg_controllen)
        segment.cmsg_level = IPPROTO_UDP
        segment.cmsg_type = UDP_SEGMENT
        segment.cmsg_len = CMSG_LEN(sizeof(uint16_t))
        memcpy(CMSG_DATA(segment), &size, sizeof(uint16_t))
        train.msg_control = control
        train.msg_controllen += CMSG_SPACE(sizeof(uint16_t))

    cdef void _send_trains(self, int fd, int trains) noexcept nogil:
        cdef int sent = 0
        cdef int result
        while sent < trains:
            result = sendmmsg(fd, self.trains + sent, trains - sent, MSG_DONTWAIT | MSG_NOSIGNAL)
            if result > 0:
                sent += result
            elif errno != EINTR:
                self._uncouple(fd, &self.trains[sent].msg_hdr)
                sent += 1

    cdef void _uncouple(self, int fd, const msghdr *train) noexcept nogil:
        """A train that could not leave. Where the reason is that it is one, its answers go one by one."""
        cdef mmsghdr answer
        cdef size_t car
        if train.msg_iovlen == 1 or errno not in (EINVAL, EIO, EMSGSIZE, EOPNOTSUPP):
            count(self.counters, SEND_FAILURES)
            return
        self.segmenting = False
        for car in range(train.msg_iovlen):
            answer.msg_hdr = train[0]
            answer.msg_hdr.msg_iov = train.msg_iov + car
            answer.msg_hdr.msg_iovlen = 1
            answer.msg_hdr.msg_controllen -= CMSG_SPACE(sizeof(uint16_t))
            self._send_each(fd, &answer, 1)
