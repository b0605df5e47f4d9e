# SPDX-License-Identifier: Apache-2.0
"""From the octets of a query to the octets of its answer. The server moves octets; every decision is made here."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastmdns.counters cimport Counters
from fastmdns.image cimport ZoneView
from fastmdns.message cimport OptReply, Query
from fastmdns.signer cimport StreamSigner
from fastmdns.wire cimport Reader, Writer


cdef extern from "<sys/uio.h>" nogil:
    struct iovec:
        void *iov_base
        size_t iov_len


cdef enum:  # what answer() gives besides a count of octets
    DROP = 0  # no answer, on purpose
    CLOSE = -1  # no answer, and a TCP connection ends
    TRANSFER = -2  # take_transfer() has the transfer

cdef enum:
    MAX_IOV = 128
    BATCH_SCRATCH = 4096  # 30 headers and TSIG records of the usual size: more than BATCH_TARGET needs
    BATCH_TARGET = 262144  # octets a batch aims at: one turn of a connection in the event loop


cdef struct Peer:  # filled by the server from a sockaddr
    uint8_t address[16]
    int address_length  # 4 or 16
    uint16_t port


cdef struct Batch:
    iovec iov[MAX_IOV]  # length prefix + message, again and again; borrowed from the transfer's snapshot and scratch
    int count  # iov[0] to iov[count - 1] are set
    int first  # the first that is not fully sent; the server moves it, and trims iov[first] after a short write
    Py_ssize_t total  # octets put in since batch_reset(), length prefixes included
    uint8_t scratch[BATCH_SCRATCH]  # fresh headers and TSIG records: never move a batch that is in use
    Py_ssize_t scratch_used


cdef inline void batch_reset(Batch *batch) noexcept nogil:
    """Empty it. Only when all of it was sent, or is given up."""
    batch.count = 0
    batch.first = 0
    batch.total = 0
    batch.scratch_used = 0


cdef struct Turn:  # one query on its way to its answer
    Query query
    Writer out
    OptReply opt
    bint tcp
    Py_ssize_t limit  # octets the answer may have
    Py_ssize_t signed_size  # octets of the TSIG record the answer will get


cdef class Transfer:
    """One running transfer of several messages: a snapshot of the store, a cursor, and the state of its TSIG stream.

    The octets a batch points at stay where they are until close(): close only when the last batch is sent or given up.
    """

    cdef object txn  # its own read transaction; None once closed
    cdef object pages  # iterator over (key, value) of the pages behind the first
    cdef bytes image  # what the keys of these pages start with
    cdef list prelude  # the messages before those pages: (count of questions, of answers, parts)
    cdef bytes opt  # OPT record of the first message; empty without
    cdef bytes coda  # the SOA record that ends the transfer; empty where the prelude holds it
    cdef StreamSigner stream  # or None
    cdef Counters counters
    cdef Py_ssize_t signed_size  # octets of a TSIG record of this stream, 0 without
    cdef uint32_t step, steps  # messages made, messages in all
    cdef uint16_t ident, flags
    # For the log line; they grow with fill().
    cdef readonly bytes apex  # wire, stored case
    cdef readonly int qtype
    cdef readonly unsigned int serial
    cdef readonly str key  # name of the TSIG key, "" without
    cdef readonly unsigned long long messages, records, octets

    # Adds messages to a batch until it is full or holds BATCH_TARGET octets. The octets added; 0: nothing is left.
    # The batch must have been reset. Raises StoreError where the store lacks a page: close the connection then.
    cdef Py_ssize_t fill(self, Batch *batch) except -1
    # Gives the snapshot back. Idempotent; also done when the object dies.
    cdef void close(self)

    cdef bint has_room(self, const Batch *batch) noexcept
    cdef int add_next(self, Batch *batch) except -1
    cdef object next_page(self)
    cdef int add(self, Batch *batch, int questions, int answers, int additional, tuple parts) except -1
    cdef Py_ssize_t sign(self, Batch *batch, uint8_t *frame, int additional, tuple parts) except -1
    cdef void note(self, int answers, Py_ssize_t size) noexcept


cdef class Answerer:
    """One per process, made after the fork.

    It counts REQUESTS_*, REPLIES_*, QUERIES_*, TSIG_*, OVERSIZE_RECORDS, and for every transfer TRANSFERS_STARTED,
    TRANSFER_MESSAGES, TRANSFER_RECORDS and TRANSFER_OCTETS; TRANSFERS_FINISHED only for whole ones (below): how a
    Transfer ended, and how many run, the server knows.
    """

    cdef object store, txn
    cdef object access, keyring, clock
    cdef Counters counters
    cdef dict decisions  # what the rules say of a peer, by address or (address, key)
    cdef dict groups  # zones that have rules of their own: apex → index into a decision
    cdef bytes nsid
    cdef int udp_size, keepalive
    cdef object verdict  # tsig.Verdict of the query in hand, None where it is unsigned
    cdef tuple decision
    cdef Transfer transfer
    cdef uint8_t *scratch  # owned, room for one message
    cdef double complained  # monotonic seconds
    # Facts of the last answer, for the log line. whole: the answer was a transfer in one message.
    cdef readonly bint whole
    cdef readonly bytes apex
    cdef readonly int qtype
    cdef readonly unsigned int serial
    cdef readonly str key
    cdef readonly unsigned long long records, octets

    # Bracket a batch of queries: one read transaction; nothing is cached across.
    cdef int begin(self) except -1
    cdef int end(self) except -1
    # One query → out, which has room for 65,535 octets and gets no length prefix. Octets written, or DROP, CLOSE,
    # TRANSFER. -3: an exception, the query is to be given up.
    cdef Py_ssize_t answer(
        self, const uint8_t *query, Py_ssize_t size, const Peer *peer, bint tcp, uint8_t *out
    ) except? -3
    # The transfer the last answer() began. The server owns it and close()s it.
    cdef Transfer take_transfer(self)

    cdef int complain(self, error) except -1
    cdef int decide(self, Turn *turn, const Peer *peer) except -2
    cdef int authenticate(self, Turn *turn) except -2
    cdef bint is_known(self, const Peer *peer) except -1
    cdef bint is_allowed(self, const Query *query) except -1
    cdef int from_store(self, Turn *turn) except -2
    cdef int from_zone(self, Turn *turn, const ZoneView *zone) except -2
    cdef void set_options(self, Turn *turn, const ZoneView *zone)
    cdef int ixfr(self, Turn *turn, const ZoneView *zone) except -2
    cdef int axfr(self, Turn *turn, const ZoneView *zone) except -2
    cdef int write_whole(self, Turn *turn, const ZoneView *zone, page) except -1
    cdef int note_transfer(self, Turn *turn, const ZoneView *zone) except -1
    cdef bint begin_transfer(self, Turn *turn, const ZoneView *zone, page) except -1
    cdef object pages_after_first(self, txn, const ZoneView *zone)
    cdef bytes opt_octets(self, Turn *turn)
    cdef list stored_first(self, Turn *turn, const ZoneView *zone, page)
    cdef list rewritten_first(self, Turn *turn, const ZoneView *zone, page)
    cdef int load_first_page(self, Reader *reader, const ZoneView *zone, page) except -1
    cdef int load_page(self, Reader *reader, page) except -1
    cdef int write_ns(self, Turn *turn, const ZoneView *zone) except -1
    cdef Py_ssize_t finish(self, Turn *turn, int rcode) except? -3
    cdef int sign(self, Writer *out, int additional) except -1
    cdef void count_whole(self, Py_ssize_t octets) noexcept
