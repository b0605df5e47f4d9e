# SPDX-License-Identifier: Apache-2.0
"""The transfer lines of the log, in the three forms of logs.py, without a Python object.

Names come from the wire: their text form is printable ASCII by construction (name.pxd), and JSON escapes the rest. The
buffer is written when a turn of the event loop ends or when it could not take another line; a failed write loses lines,
never a transfer.
"""

from libc.stdint cimport uint8_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport strlen
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
    QUOTED_ROOM = 2200
    TOTALS_ROOM = 256

cdef const char *TOTALS_TEXT = b" messages=%llu records=%llu octets=%llu seconds=%.3f"
cdef const char *TOTALS_JSON = b', "messages": %llu, "records": %llu, "octets": %llu, "seconds": %.3f'
cdef const char *REASON_TEXT = b' reason="%s"'
cdef const char *REASON_JSON = b', "reason": "%s"'
cdef int JOURNAL_FORM = logs.JOURNAL
cdef int JSON_FORM = logs.JSON


cdef void name_text(const uint8_t *wire, int length, char *out) noexcept nogil:
    """out: room NAME_ROOM."""
    cdef int size = name_to_text(wire, length, out) if length > 0 else 0
    out[size if size > 0 else 0] = 0


cdef void json_text(const char *text, char *out, int room) noexcept nogil:
    """Escape quotes and backslashes; what else JSON forbids cannot occur in the text of a name."""
    cdef int used = 0
    cdef Py_ssize_t index
    for index in range(<Py_ssize_t>strlen(text)):
        if used > room - 3:
            break
        if text[index] == b'"' or text[index] == b'\\':
            out[used] = b'\\'
            used += 1
        out[used] = text[index]
        used += 1
    out[used] = 0


cdef void peer_text(const Peer *peer, char *out, int room) noexcept nogil:
    """address#port, as DNS servers write it."""
    cdef char address[64]
    address[0] = 0
    inet_ntop(AF_INET if peer.address_length == 4 else AF_INET6, peer.address, address, sizeof(address))
    snprintf(out, room, "%s#%u", address, <unsigned int>peer.port)


cdef void time_text(char *out, int room) noexcept nogil:
    cdef timespec now
    cdef tm parts
    cdef time_t seconds
    cdef char day[32]
    clock_gettime(CLOCK_REALTIME, &now)
    seconds = now.tv_sec
    gmtime_r(&seconds, &parts)
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts)
    snprintf(out, room, "%s.%03ldZ", day, now.tv_nsec // 1000000)


cdef class TransferLog:
    def __init__(self, int form, bint on, int fd=2):
        self.form = form
        self.on = on
        self.fd = fd

    cdef void started(self, const Subject *subject) noexcept nogil:
        if self.on:
            self._line(b"info", 6, b"started", subject, b"")

    cdef void ended(self, const Subject *subject, uint64_t messages, uint64_t records, uint64_t octets, double seconds,
                    const char *reason) noexcept nogil:
        cdef char totals[TOTALS_ROOM]
        cdef int used
        if not self.on:
            return
        used = snprintf(totals, TOTALS_ROOM, TOTALS_JSON if self.form == JSON_FORM else TOTALS_TEXT, messages, records,
                        octets, seconds)
        if reason == NULL:
            self._line(b"info", 6, b"finished", subject, totals)
            return
        snprintf(totals + used, TOTALS_ROOM - used, REASON_JSON if self.form == JSON_FORM else REASON_TEXT, reason)
        self._line(b"warning", 4, b"failed", subject, totals)

    cdef void _line(self, const char *level, int priority, const char *event, const Subject *subject,
                    const char *totals) noexcept nogil:
        cdef char start[160]
        cdef char now[64]
        cdef char zone[NAME_ROOM]
        cdef char peer[96]
        cdef const char *kind = b"ixfr" if subject.ixfr else b"axfr"
        if self.used > LOG_ROOM - LINE_ROOM:
            self.flush()
        name_text(subject.apex, subject.apex_length, zone)
        peer_text(subject.peer, peer, sizeof(peer))
        if self.form == JOURNAL_FORM:
            snprintf(start, sizeof(start), "<%d>%s %s", priority, kind, event)
            self._text_line(start, zone, peer, subject, totals)
            return
        time_text(now, sizeof(now))
        if self.form == JSON_FORM:
            snprintf(start, sizeof(start), '{"time": "%s", "level": "%s", "event": "%s %s"', now, level, kind, event)
            self._json_line(start, zone, peer, subject, totals)
        else:
            snprintf(start, sizeof(start), "%s %s %s %s", now, level, kind, event)
            self._text_line(start, zone, peer, subject, totals)

    cdef void _text_line(self, const char *start, const char *zone, const char *peer, const Subject *subject,
                         const char *totals) noexcept nogil:
        self.used += snprintf(self.buffer + self.used, LOG_ROOM - self.used, "%s zone=%s peer=%s serial=%u key=%s%s\n",
                              start, zone, peer, <unsigned int>subject.serial, subject.key, totals)

    cdef void _json_line(self, const char *start, const char *zone, const char *peer, const Subject *subject,
                         const char *totals) noexcept nogil:
        cdef char zone_quoted[QUOTED_ROOM]
        cdef char key_quoted[QUOTED_ROOM]
        json_text(zone, zone_quoted, QUOTED_ROOM)
        json_text(subject.key, key_quoted, QUOTED_ROOM)
        self.used += snprintf(self.buffer + self.used, LOG_ROOM - self.used,
                              '%s, "zone": "%s", "peer": "%s", "serial": %u, "key": "%s"%s}\n', start, zone_quoted, peer,
                              <unsigned int>subject.serial, key_quoted, totals)

    cdef void flush(self) noexcept nogil:
        cdef int sent = 0
        cdef Py_ssize_t count
        while sent < self.used:
            count = write(self.fd, self.buffer + sent, self.used - sent)
            if count <= 0:
                break
            sent += <int>count
        self.used = 0
