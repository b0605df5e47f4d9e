# SPDX-License-Identifier: Apache-2.0
from array import array
from collections.abc import Iterable
from typing import TypedDict

class LoadError(Exception): ...

class Counts(TypedDict):
    octets: int
    messages: int
    records: int
    digest: int
    finished: int
    serial: int

class Load:
    def __init__(
        self,
        host: str,
        port: int,
        queries: Iterable[bytes],
        *,
        connections: int = 1,
        depth: int = 1,
        reconnect: bool = False,
        single: bool = False,
        digest: bool = False,
        quickack: bool = False,
    ) -> None: ...
    def connect(self) -> None: ...
    def run(self, timeout: float = 60.0) -> float: ...
    def stop(self) -> None: ...
    @property
    def counts(self) -> Counts: ...
    def latencies(self) -> array[float]: ...

class UdpLoad:
    def __init__(self, host: str, port: int, query: bytes, *, ports: int = 16, window: int = 16) -> None: ...
    def run(self, seconds: float) -> float: ...
    @property
    def answered(self) -> int: ...

def last_record(message: bytes) -> tuple[int, int]: ...
