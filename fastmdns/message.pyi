# SPDX-License-Identifier: Apache-2.0
"""Messages for Python: what a query asks, and where a TSIG record lies. All names are wire."""

from typing import NamedTuple

from typing_extensions import Buffer

class TsigRecord(NamedTuple):
    at: int
    name: bytes
    algorithm: bytes
    time: int
    fudge: int
    mac: bytes
    original_id: int
    error: int
    other: bytes
    ttl: int

class QueryFacts(NamedTuple):
    ident: int
    opcode: int
    rcode: int
    question: tuple[bytes, int, int] | None
    udp_size: int | None
    version: int
    serial: int | None
    tsig: TsigRecord | None

def parse_query(wire: Buffer) -> QueryFacts | None: ...
def find_tsig(wire: Buffer) -> TsigRecord | None: ...
