# SPDX-License-Identifier: Apache-2.0
"""Queries to answers, for Python: tests and the fuzz target. The server uses the class from Cython."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from typing_extensions import Buffer

from fastmdns.access import AccessTable
from fastmdns.counters import Counters
from fastmdns.store import Store
from fastmdns.tsig import Keyring

class Settings(NamedTuple):
    udp_size: int = 1232
    nsid: bytes = b""
    idle_seconds: float = 10.0

class Answerer:
    whole: bool
    apex: bytes
    qtype: int
    serial: int
    key: str
    records: int
    octets: int

    def __init__(
        self,
        store: Store,
        access: AccessTable,
        keyring: Keyring,
        counters: Counters,
        settings: Settings = ...,
        clock: Callable[[], float] = ...,
    ) -> None: ...
    def set_access(self, access: AccessTable) -> None: ...
    def respond(self, query: Buffer, address: str, tcp: bool) -> list[bytes] | Literal["close"] | None: ...
