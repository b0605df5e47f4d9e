# SPDX-License-Identifier: Apache-2.0
"""Records as zone text: one record a line, every name absolute, TTL, class and type always written.

The SOA comes first and then the records as they are given, so sorted records give the canonical order and equal zones
give equal files. zonefile.parse() reads it back to the same octets.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fastmdns import name, rdata, rrtypes
from fastmdns.errors import ConfigError

Row = tuple[bytes, int, int, bytes]  # owner, rrtype, ttl, rdata
SOA = 6


def line(row: Row) -> str:
    owner, rrtype, ttl, octets = row
    return f"{name.to_text(owner)}\t{ttl}\tIN\t{rrtypes.to_name(rrtype)}\t{rdata.to_text(rrtype, octets)}"


def lines(rows: Iterable[Row], apex: bytes) -> Iterator[str]:
    """The zone's lines, without line ends. rows: the SOA is among the first name's records, as in canonical order."""
    apex_rows: list[Row] = []
    rest = iter(rows)
    for row in rest:
        if name.lower(row[0]) != name.lower(apex):
            yield from map(line, sorted(apex_rows, key=lambda row: row[1] != SOA))
            apex_rows.clear()
            yield line(row)
            break
        apex_rows.append(row)
    yield from map(line, sorted(apex_rows, key=lambda row: row[1] != SOA))
    yield from map(line, rest)


@contextmanager
def opened(path: Path | None) -> Iterator[IO[str]]:
    """A file to write zone text to; None and `-` are stdout."""
    if path is None or str(path) == "-":
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="ascii") as file:
            yield file
    except OSError as error:
        raise ConfigError(f"can't write {path}: {error.strerror}") from None
