# SPDX-License-Identifier: Apache-2.0
"""The transfer lines of the log, in the three forms of logs.py, without a Python object and without printf.

A pipelining secondary makes 200,000 of these a second, so time and peer are kept as text from one line to the next.
Names come from the wire: their text form is printable ASCII by construction (name.pxd), and JSON escapes the rest. The
buffer is written when the event loop says so or when it could not take another line; a failed write loses lines, never a
transfer.
"""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy, strlen
from libc.time cimport gmtime_r, strftime, time_t, tm
from posix.time cimport CLOCK_REALTIME, clock_gettime, timespec
from posix.unistd cimport write
from fastmdns.answer cimport Peer
from fastmdns.name cimport name_to_text

from fastmdns.server import logs

cdef extern from "<arpa/inet.h>" nogil:
    const char *inet_ntop(int family, const void *source, char *target, unsigned int size)

cdef extern from "<sys/socket.h>" nogil:
    enum: AF_INET
    enum: AF_INET6

cdef enum:
    NAME_ROOM = 1100  # text of a name and its final NUL

cdef int JOURNAL = logs.JOURNAL
cdef int JSON = logs.JSON


cdef class TransferLog:
    def __init__(self, int form, bint on, int fd=2):
        self.form = form
        self.on = on
        self.fd = fd

    cdef void started(self, const Subject *subject) noexcept nogil:
        if self.on:
            self._begin(b"started", False, subject)
            self._end()

    cdef void ended(self, const Subject *subject, uint64_t messages, uint64_t records, uint64_t octets,
                    uint64_t nanoseconds, const char *reason) noexcept nogil:
        if not self.on:
            return
        self._begin(b"finished" if reason == NULL else b"failed", reason != NULL, subject)
        self._number_field(b"messages", messages)
        self._number_field(b"records", records)
        self._number_field(b"octets", octets)
        self._number_field(b"seconds", nanoseconds // 1000000000)
        self._text(b".")
        self._number(nanoseconds // 1000000 % 1000, 3)
        if reason != NULL:
            self._text(b', "reason": "' if self.form == JSON else b' reason="')
            self._text(reason)
            self._text(b'"')
        self._end()

    cdef void _begin(self, const char *event, bint failed, const Subject *subject) noexcept nogil:
        cdef char zone[NAME_ROOM]
        zone[name_to_text(subject.apex, subject.apex_length, zone)] = 0
        if self.used > LOG_ROOM - LINE_ROOM:
            self.flush()
        self._head(failed)
        self._text(b"ixfr " if subject.ixfr else b"axfr ")
        self._text(event)
        if self.form == JSON:
            self._text(b'"')
        self._peer(subject.peer)
        self._field(b"zone", zone)
        self._field(b"peer", self.peer_text)
        self._number_field(b"serial", subject.serial)
        self._field(b"key", subject.key)

    cdef void _end(self) noexcept nogil:
        self._text(b"}\n" if self.form == JSON else b"\n")

    cdef void _head(self, bint failed) noexcept nogil:
        """Time and level, up to where the event begins."""
        if self.form == JOURNAL:
            self._text(b"<4>" if failed else b"<6>")
        elif self.form == JSON:
            self._text(b'{"time": "')
            self._time()
            self._text(b'", "level": "warning", "event": "' if failed else b'", "level": "info", "event": "')
        else:
            self._time()
            self._text(b" warning " if failed else b" info ")

    cdef void _time(self) noexcept nogil:
        cdef timespec now
        cdef tm parts
        clock_gettime(CLOCK_REALTIME, &now)
        if now.tv_sec != self.second:
            self.second = now.tv_sec
            gmtime_r(&self.second, &parts)
            strftime(self.second_text, sizeof(self.second_text), "%Y-%m-%dT%H:%M:%S.", &parts)
        self._text(self.second_text)
        self._number(<uint64_t>now.tv_nsec // 1000000, 3)
        self._text(b"Z")

    cdef void _peer(self, const Peer *peer) noexcept nogil:
        """address#port as text → peer_text, as DNS servers write it."""
        cdef int used = self.used
        cdef int family = AF_INET if peer.address_length == 4 else AF_INET6
        cdef char address[64]
        if (peer.port == self.peer.port and peer.address_length == self.peer.address_length
                and memcmp(peer.address, self.peer.address, peer.address_length) == 0):
            return
        self.peer = peer[0]
        address[0] = 0
        inet_ntop(family, peer.address, address, sizeof(address))
        # Made at the buffer's end and moved: the same few leaves write everything.
        self._text(address)
        self._text(b"#")
        self._number(peer.port, 1)
        memcpy(self.peer_text, self.buffer + used, self.used - used)
        self.peer_text[self.used - used] = 0
        self.used = used

    cdef void _field(self, const char *key, const char *text) noexcept nogil:
        if self.form != JSON:
            self._text(b" ")
            self._text(key)
            self._text(b"=")
            self._text(text)
            return
        self._text(b', "')
        self._text(key)
        self._text(b'": "')
        self._quoted(text)
        self._text(b'"')

    cdef void _number_field(self, const char *key, uint64_t number) noexcept nogil:
        self._text(b', "' if self.form == JSON else b" ")
        self._text(key)
        self._text(b'": ' if self.form == JSON else b"=")
        self._number(number, 1)

    cdef void _text(self, const char *text) noexcept nogil:
        cdef int size = <int>strlen(text)
        memcpy(self.buffer + self.used, text, size)
        self.used += size

    cdef void _number(self, uint64_t number, int least_digits) noexcept nogil:
        cdef char digits[20]
        cdef int at = 20
        while number or at > 20 - least_digits:
            at -= 1
            digits[at] = <char>(48 + number % 10)
            number //= 10
        memcpy(self.buffer + self.used, digits + at, 20 - at)
        self.used += 20 - at

    cdef void _quoted(self, const char *text) noexcept nogil:
        """Escape quotes and backslashes; what else JSON forbids cannot occur in the text of a name."""
        while text[0]:
            if text[0] == b'"' or text[0] == b"\\":
                self.buffer[self.used] = b"\\"
                self.used += 1
            self.buffer[self.used] = text[0]
            self.used += 1
            text += 1

    cdef void flush(self) noexcept nogil:
        cdef int sent = 0
        cdef Py_ssize_t count
        while sent < self.used:
            count = write(self.fd, self.buffer + sent, self.used - sent)
            if count <= 0:
                break
            sent += <int>count
        self.used = 0
