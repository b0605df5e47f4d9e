# SPDX-License-Identifier: Apache-2.0
"""Identifiers and times as they are stored."""

from __future__ import annotations

import os
import secrets
import time
from datetime import UTC, datetime

SHARDS = 4096
LOW = (1 << 62) - 1  # what follows the variant in a UUID


def new_id() -> str:
    """A UUID of version 7 (RFC 9562 §5.7): new rows land side by side in an index, whatever the table's size.

    Twelve bits of the millisecond's fraction follow it (§6.2, method 3), so ids made one after the other sort so.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    octets = bytearray(milliseconds.to_bytes(6) + (rest * 4096 // 1_000_000 | 0x7000).to_bytes(2) + os.urandom(8))
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_ids(count: int) -> list[str]:
    """The same, ascending: so that an index takes many rows at its end."""
    milliseconds = int(time.time() * 1000)
    first = secrets.randbits(73)  # of 74: there is room to count
    high = (milliseconds << 16 | 0x7000) << 64
    numbers = (first + step for step in range(count))
    digits = (f"{high | n >> 62 << 64 | 0x2 << 62 | n & LOW:032x}" for n in numbers)
    return [f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" for text in digits]


def shard_of(zone_id: str) -> int:
    """0 to 4095, from the random end of the id."""
    return int(zone_id[-3:], 16) % SHARDS


def utcnow() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
