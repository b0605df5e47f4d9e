# SPDX-License-Identifier: Apache-2.0
"""What every process counts. One enum; names, kinds and help for export stand in counters.pyx beside it."""

from libc.stdint cimport uint64_t


cpdef enum Counter:
    REQUESTS_UDP = 0
    REQUESTS_TCP
    REPLIES_NOERROR
    REPLIES_FORMERR
    REPLIES_SERVFAIL
    REPLIES_NOTIMP
    REPLIES_REFUSED
    REPLIES_NOTAUTH
    REPLIES_BADVERS
    REQUESTS_DROPPED  # no answer on purpose: QR=1, shorter than a header
    QUERIES_SOA
    QUERIES_AXFR
    QUERIES_IXFR
    QUERIES_OTHER
    TSIG_BADKEY
    TSIG_BADSIG
    TSIG_BADTIME
    TSIG_OK
    TRANSFERS_STARTED
    TRANSFERS_FINISHED
    TRANSFERS_FAILED
    TRANSFERS_RUNNING  # gauge
    TRANSFER_MESSAGES
    TRANSFER_RECORDS
    TRANSFER_OCTETS
    TRANSFERS_REFUSED_QUOTA
    TRANSFERS_CUT_STALLED
    TRANSFERS_CUT_SLOW
    TRANSFERS_CUT_TOO_LONG
    TRANSFERS_CUT_SPACE
    CONNECTIONS_ACCEPTED
    CONNECTIONS_OPEN  # gauge
    CONNECTIONS_REFUSED_TOTAL
    CONNECTIONS_REFUSED_ADDRESS
    CONNECTIONS_CLOSED_IDLE
    CONNECTIONS_CLOSED_SLOW_QUERY
    CONNECTIONS_CLOSED_ERRORS
    QUERIES_TOO_LARGE
    ACCEPT_FAILURES
    SEND_FAILURES
    OVERSIZE_RECORDS
    NOTIFY_SENT
    NOTIFY_ACKNOWLEDGED
    NOTIFY_FAILED
    ZONES_LOADED
    ZONES_FAILED
    ZONES_UNCHANGED
    RELOADS
    COUNTER_COUNT


cdef class Counters:
    """One process's row of COUNTER_COUNT unsigned 64-bit numbers in memory it does not own."""

    cdef uint64_t *row
    cdef object memory  # keeps the buffer alive


# Cython takes no enum as an index of a C array.
cdef inline void count(Counters counters, int counter) noexcept nogil:
    counters.row[counter] += 1


cdef inline void count_many(Counters counters, int counter, uint64_t amount) noexcept nogil:
    counters.row[counter] += amount


cdef inline void uncount(Counters counters, int gauge) noexcept nogil:
    counters.row[gauge] -= 1
