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
    REPLIES_NXDOMAIN = 5
    REPLIES_NOTIMP = 6
    REPLIES_REFUSED = 7
    REPLIES_NOTAUTH = 8
    REPLIES_BADVERS = 9
    REQUESTS_DROPPED = 10
    QUERIES_SOA = 11
    QUERIES_AXFR = 12
    QUERIES_IXFR = 13
    QUERIES_OTHER = 14
    TSIG_BADKEY = 15
    TSIG_BADSIG = 16
    TSIG_BADTIME = 17
    TSIG_OK = 18
    TRANSFERS_STARTED = 19
    TRANSFERS_FINISHED = 20
    TRANSFERS_FAILED = 21
    TRANSFERS_RUNNING = 22
    TRANSFER_MESSAGES = 23
    TRANSFER_RECORDS = 24
    TRANSFER_OCTETS = 25
    TRANSFERS_REFUSED_QUOTA = 26
    TRANSFERS_CUT_STALLED = 27
    TRANSFERS_CUT_SLOW = 28
    TRANSFERS_CUT_TOO_LONG = 29
    TRANSFERS_CUT_SPACE = 30
    CONNECTIONS_ACCEPTED = 31
    CONNECTIONS_OPEN = 32
    CONNECTIONS_REFUSED_TOTAL = 33
    CONNECTIONS_REFUSED_ADDRESS = 34
    CONNECTIONS_CLOSED_IDLE = 35
    CONNECTIONS_CLOSED_SLOW_QUERY = 36
    CONNECTIONS_CLOSED_ERRORS = 37
    QUERIES_TOO_LARGE = 38
    ACCEPT_FAILURES = 39
    SEND_FAILURES = 40
    OVERSIZE_RECORDS = 41
    NOTIFY_SENT = 42
    NOTIFY_ACKNOWLEDGED = 43
    NOTIFY_FAILED = 44
    ZONES_LOADED = 45
    ZONES_FAILED = 46
    ZONES_UNCHANGED = 47
    RELOADS = 48
    COUNTER_COUNT = 49

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
