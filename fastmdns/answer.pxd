# SPDX-License-Identifier: Apache-2.0
"""From the octets of a query to the octets of its answer. The server moves octets; every decision is made here."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastmdns.counters cimport Counters
from fastmdns.image cimport ZoneView
from fastmdns.message cimport Query
from fastmdns.wire cimport Writer


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
    BATCH_SCRATCH = 65536
    BATCH_TARGET = 262144  # octets a batch aims at: one turn of a connection in the event loop


cdef struct Peer:  # filled by the server from a sockaddr
    uint8_t address[16]
    int address_length  # 4 or 16
    uint16_t port


cdef struct Batch:
    iovec iov[MAX_IOV]  # length prefix + message, again and again; borrowed from the transfer's snapshot and from scratch
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


cdef class Transfer:
    """One running transfer of several messages: a snapshot of the store, a cursor, and the state of its TSIG stream.

    The octets a batch points at stay where they are until close(): close only when the last batch is sent or given up.
    """

    cdef object txn  # its own read transaction; None once closed
    cdef object cursor  # at the page to send next
    cdef object row  # keeps the octets of `zone` in place
    cdef ZoneView zone
    cdef object prelude  # messages made for this client instead of the stored first page; None: the stored one
    cdef object stream  # tsig.StreamSigner or None
    cdef object counters_owner
    cdef uint64_t *counted
    cdef uint32_t page  # pages sent so far
    cdef bint started, finished
    cdef uint8_t first[1024]  # frame, question, head of the first message
    cdef int first_length
    cdef uint8_t opt[512]  # OPT record of the first message
    cdef int opt_length
    cdef uint16_t ident
    cdef uint16_t flags
    # For the log line; they grow with fill().
    cdef readonly bytes apex  # wire, stored case
    cdef readonly int qtype
    cdef readonly unsigned int serial
    cdef readonly str key  # name of the TSIG key, "" without
    cdef readonly unsigned long long messages, records, octets

    # Adds messages to the batch until it is full or holds BATCH_TARGET octets. The octets added; 0: nothing is left.
    # The batch must be empty (batch_reset). Raises StoreError where the store lacks a page: close the connection then.
    cdef Py_ssize_t fill(self, Batch *batch) except -1
    # Gives the snapshot back. Idempotent; also done when the object dies.
    cdef void close(self)


cdef class Answerer:
    """One per process, made after the fork.

    It counts REQUESTS_*, REPLIES_*, QUERIES_*, TSIG_*, OVERSIZE_RECORDS, and for every transfer TRANSFERS_STARTED,
    TRANSFER_MESSAGES, TRANSFER_RECORDS and TRANSFER_OCTETS; TRANSFERS_FINISHED only for whole ones (below): how a Transfer
    ended, and how many run, the server knows.
    """

    cdef object store, txn, zones_get
    cdef object access, keyring, settings, clock
    cdef Counters counters
    cdef dict decisions
    cdef bytes nsid
    cdef int udp_size, keepalive
    cdef Transfer transfer
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
    cdef Py_ssize_t answer(self, const uint8_t *query, Py_ssize_t size, const Peer *peer, bint tcp, uint8_t *out) except? -3
    # The transfer the last answer() began. The server owns it and close()s it.
    cdef Transfer take_transfer(self)
