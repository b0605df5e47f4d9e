# SPDX-License-Identifier: Apache-2.0
import socket
from collections.abc import Callable, Sequence

from fastmdns.answer import Answerer
from fastmdns.config import ServeConfig
from fastmdns.counters import Counters
from fastmdns.server.transferlog import TransferLog

class Worker:
    def __init__(
        self,
        answerer: Answerer,
        counters: Counters,
        log: TransferLog,
        config: ServeConfig,
        *,
        udp: Sequence[socket.socket],
        tcp: Sequence[socket.socket],
        wakeup: int,
        facts: memoryview[int],
        drain_seconds: float,
        refresh: Callable[[], None],
    ) -> None: ...
    def run(self) -> None: ...
