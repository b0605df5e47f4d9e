# SPDX-License-Identifier: Apache-2.0
from enum import IntEnum
from typing import NamedTuple

from typing_extensions import Buffer

class Counter(IntEnum):
    REQUESTS_UDP = 0
    REQUESTS_TCP = 1
    REPLIES_NOERROR = 2
    REPLIES_FORMERR = 3
    REPLIES_SERVFAIL = 4
    REPLIES_NOTIMP = 5
    REPLIES_REFUSED = 6
    REPLIES_NOTAUTH = 7
    REPLIES_BADVERS = 8
    REQUESTS_DROPPED = 9
    QUERIES_SOA = 10
    QUERIES_AXFR = 11
    QUERIES_IXFR = 12
    QUERIES_OTHER = 13
    TSIG_BADKEY = 14
    TSIG_BADSIG = 15
    TSIG_BADTIME = 16
    TSIG_OK = 17
    TRANSFERS_STARTED = 18
    TRANSFERS_FINISHED = 19
    TRANSFERS_FAILED = 20
    TRANSFERS_RUNNING = 21
    TRANSFER_MESSAGES = 22
    TRANSFER_RECORDS = 23
    TRANSFER_OCTETS = 24
    TRANSFERS_REFUSED_QUOTA = 25
    TRANSFERS_CUT_STALLED = 26
    TRANSFERS_CUT_SLOW = 27
    TRANSFERS_CUT_TOO_LONG = 28
    TRANSFERS_CUT_SPACE = 29
    CONNECTIONS_ACCEPTED = 30
    CONNECTIONS_OPEN = 31
    CONNECTIONS_REFUSED_TOTAL = 32
    CONNECTIONS_REFUSED_ADDRESS = 33
    CONNECTIONS_CLOSED_IDLE = 34
    CONNECTIONS_CLOSED_SLOW_QUERY = 35
    CONNECTIONS_CLOSED_ERRORS = 36
    QUERIES_TOO_LARGE = 37
    ACCEPT_FAILURES = 38
    SEND_FAILURES = 39
    OVERSIZE_RECORDS = 40
    NOTIFY_SENT = 41
    NOTIFY_ACKNOWLEDGED = 42
    NOTIFY_FAILED = 43
    ZONES_LOADED = 44
    ZONES_FAILED = 45
    ZONES_UNCHANGED = 46
    RELOADS = 47
    COUNTER_COUNT = 48

ROW_SIZE: int

class CounterInfo(NamedTuple):
    counter: int
    name: str
    kind: str
    help: str
    labels: tuple[tuple[str, str], ...] = ()

COUNTERS: tuple[CounterInfo, ...]

class Counters:
    def __init__(self, memory: Buffer) -> None: ...
    def __len__(self) -> int: ...
    def __getitem__(self, counter: int) -> int: ...
    def add(self, counter: int, amount: int = 1) -> None: ...
    def clear(self) -> None: ...
