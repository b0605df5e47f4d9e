# SPDX-License-Identifier: Apache-2.0
"""Counters of one process in memory that all processes share, and the one table of what each is called when exported.

A row has one writer, its process, so a plain add on an aligned word is enough; readers may be one step behind.
Prometheus names follow its rule: a counter ends in `_total`, counters that differ in one label share a name.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t
from typing import NamedTuple


class CounterInfo(NamedTuple):
    counter: int
    name: str
    kind: str
    help: str
    labels: tuple[tuple[str, str], ...] = ()


cdef class Counters:
    """A view of one row in a writable buffer: shared memory, or a bytearray in a test."""

    def __cinit__(self, memory):
        cdef Py_buffer buffer
        PyObject_GetBuffer(memory, &buffer, PyBUF_SIMPLE | PyBUF_WRITABLE)
        try:
            if buffer.len < ROW_SIZE or <size_t>buffer.buf % sizeof(uint64_t) != 0:
                raise ValueError(f"a row of counters takes {ROW_SIZE} aligned octets")
            self.row = <uint64_t *>buffer.buf
            self.memory = memoryview(memory)  # its export keeps the buffer from moving
        finally:
            PyBuffer_Release(&buffer)

    def __len__(self):
        return COUNTER_COUNT

    def __getitem__(self, int counter):
        if not 0 <= counter < COUNTER_COUNT:
            raise IndexError(counter)
        return self.row[counter]

    def add(self, int counter, int64_t amount=1):
        """Negative amounts are for gauges."""
        if not 0 <= counter < COUNTER_COUNT:
            raise IndexError(counter)
        self.row[counter] += <uint64_t>amount

    def clear(self):
        cdef int counter
        for counter in range(<int>COUNTER_COUNT):
            self.row[counter] = 0


def _counter(Counter counter, str name, str text, **labels):
    return CounterInfo(counter, f"fastmdns_{name}_total", "counter", text, tuple(labels.items()))


def _gauge(Counter counter, str name, str text):
    return CounterInfo(counter, f"fastmdns_{name}", "gauge", text)


ROW_SIZE = COUNTER_COUNT * sizeof(uint64_t)
_REQUESTS = "DNS messages received."
_REPLIES = "Answers by response code."
_QUERIES = "Questions by type."
_TSIG = "Requests with a TSIG record, by what its check gave."
_CUT = "Transfers ended by the server before their end, by reason."
_REFUSED = "Connections not taken, by the limit that was reached."
_CLOSED = "Connections the server closed, by reason."
_NOTIFY = "NOTIFY messages to secondaries, by outcome."
_ZONES = "Zones a load went over, by outcome."

COUNTERS = (
    _counter(REQUESTS_UDP, "requests", _REQUESTS, transport="udp"),
    _counter(REQUESTS_TCP, "requests", _REQUESTS, transport="tcp"),
    _counter(REPLIES_NOERROR, "replies", _REPLIES, rcode="noerror"),
    _counter(REPLIES_FORMERR, "replies", _REPLIES, rcode="formerr"),
    _counter(REPLIES_SERVFAIL, "replies", _REPLIES, rcode="servfail"),
    _counter(REPLIES_NOTIMP, "replies", _REPLIES, rcode="notimp"),
    _counter(REPLIES_REFUSED, "replies", _REPLIES, rcode="refused"),
    _counter(REPLIES_NOTAUTH, "replies", _REPLIES, rcode="notauth"),
    _counter(REPLIES_BADVERS, "replies", _REPLIES, rcode="badvers"),
    _counter(REQUESTS_DROPPED, "requests_dropped", "Messages not answered: responses, and what is shorter than a header."),
    _counter(QUERIES_SOA, "queries", _QUERIES, type="soa"),
    _counter(QUERIES_AXFR, "queries", _QUERIES, type="axfr"),
    _counter(QUERIES_IXFR, "queries", _QUERIES, type="ixfr"),
    _counter(QUERIES_OTHER, "queries", _QUERIES, type="other"),
    _counter(TSIG_BADKEY, "tsig", _TSIG, result="badkey"),
    _counter(TSIG_BADSIG, "tsig", _TSIG, result="badsig"),
    _counter(TSIG_BADTIME, "tsig", _TSIG, result="badtime"),
    _counter(TSIG_OK, "tsig", _TSIG, result="ok"),
    _counter(TRANSFERS_STARTED, "transfers_started", "Transfers begun."),
    _counter(TRANSFERS_FINISHED, "transfers_finished", "Transfers whose last octet went to the kernel."),
    _counter(TRANSFERS_FAILED, "transfers_failed", "Transfers that ended early, whatever the reason."),
    _gauge(TRANSFERS_RUNNING, "transfers_running", "Transfers under way."),
    _counter(TRANSFER_MESSAGES, "transfer_messages", "Messages of transfers."),
    _counter(TRANSFER_RECORDS, "transfer_records", "Records of transfers, both SOAs included."),
    _counter(TRANSFER_OCTETS, "transfer_octets", "Octets of transfers, length prefixes not included."),
    _counter(TRANSFERS_REFUSED_QUOTA, "transfers_refused", "Transfers answered SERVFAIL since a limit was reached."),
    _counter(TRANSFERS_CUT_STALLED, "transfers_cut", _CUT, reason="stalled"),
    _counter(TRANSFERS_CUT_SLOW, "transfers_cut", _CUT, reason="slow"),
    _counter(TRANSFERS_CUT_TOO_LONG, "transfers_cut", _CUT, reason="too_long"),
    _counter(TRANSFERS_CUT_SPACE, "transfers_cut", _CUT, reason="space"),
    _counter(CONNECTIONS_ACCEPTED, "connections_accepted", "TCP connections accepted."),
    _gauge(CONNECTIONS_OPEN, "connections_open", "TCP connections open."),
    _counter(CONNECTIONS_REFUSED_TOTAL, "connections_refused", _REFUSED, limit="total"),
    _counter(CONNECTIONS_REFUSED_ADDRESS, "connections_refused", _REFUSED, limit="address"),
    _counter(CONNECTIONS_CLOSED_IDLE, "connections_closed", _CLOSED, reason="idle"),
    _counter(CONNECTIONS_CLOSED_SLOW_QUERY, "connections_closed", _CLOSED, reason="slow_query"),
    _counter(CONNECTIONS_CLOSED_ERRORS, "connections_closed", _CLOSED, reason="errors"),
    _counter(QUERIES_TOO_LARGE, "queries_too_large", "Queries longer than the limit."),
    _counter(ACCEPT_FAILURES, "accept_failures", "Failures of accept(), out of file descriptors among them."),
    _counter(SEND_FAILURES, "send_failures", "Failures to send an answer."),
    _counter(OVERSIZE_RECORDS, "oversize_records", "Transfers refused since a record does not fit with its TSIG."),
    _counter(NOTIFY_SENT, "notify", _NOTIFY, outcome="sent"),
    _counter(NOTIFY_ACKNOWLEDGED, "notify", _NOTIFY, outcome="acknowledged"),
    _counter(NOTIFY_FAILED, "notify", _NOTIFY, outcome="failed"),
    _counter(ZONES_LOADED, "zones", _ZONES, outcome="loaded"),
    _counter(ZONES_FAILED, "zones", _ZONES, outcome="failed"),
    _counter(ZONES_UNCHANGED, "zones", _ZONES, outcome="unchanged"),
    _counter(RELOADS, "reloads", "Times the zone files were looked at."),
)
