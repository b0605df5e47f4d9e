# SPDX-License-Identifier: Apache-2.0
"""Every exception of the package, and the one table of what a status of the C leaves means.

FastmdnsError
├── WireError          octets that are no valid DNS (offset: octets from their start)
├── TextError          text that is no valid name or rdata (token: index of the word that is wrong)
├── ZoneError          a zone that can't be served; holds every Problem found, not only the first
├── StoreError         the store can't be opened, read or written
├── ConfigError        a setting that is wrong, or a file that can't be read as settings
├── TsigError          a request or answer whose TSIG doesn't verify (RFC 8945)
└── TransferError      a transfer from another server that failed (client side)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class FastmdnsError(Exception):
    """The root: `except FastmdnsError` catches what this package raises on purpose, and nothing else."""


class WireError(FastmdnsError):
    def __init__(self, reason: str, offset: int = -1) -> None:
        super().__init__(reason if offset < 0 else f"{reason} at octet {offset}")
        self.reason = reason
        self.offset = offset


class TextError(FastmdnsError):
    def __init__(self, reason: str, token: int = -1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.token = token


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a zone. Line and column count from 1; 0 says the problem has no place in a file."""

    reason: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.reason}" if place else self.reason


class ZoneError(FastmdnsError):
    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems[:3]) or "no problem given")
        self.problems = tuple(problems)


class StoreError(FastmdnsError):
    pass


class ConfigError(FastmdnsError):
    pass


class TsigError(FastmdnsError):
    """`error` is the number of RFC 8945 §3: 16 BADSIG, 17 BADKEY, 18 BADTIME, 22 BADTRUNC; 1: a broken record."""

    def __init__(self, error: int, reason: str) -> None:
        super().__init__(reason)
        self.error = error


class TransferError(FastmdnsError):
    pass


# Indexed by wire.pxd's Status. "RARE" never reaches a user: it asks the caller to take the slow path.
STATUS_REASON: tuple[str, ...] = (
    "no error",
    "the data ends too early",
    "does not fit into a DNS message",
    "a label is empty or longer than 63 octets",
    "a name is longer than 255 octets",
    "a compression pointer does not point backwards",
    "an escape is neither \\DDD (000 to 255) nor \\X",
    "expected a number",
    "a number is out of range",
    "expected an IPv4 address",
    "expected an IPv6 address",
    "expected hexadecimal digits",
    "expected base64",
    "a string is longer than 255 octets",
    "a field is missing",
    "there is more text than the type has fields",
    "there are octets after the last field",
    "a value is not allowed here",
    "a relative name, and no origin to complete it",
    "expected a type",
    "expected a time",
    "rare type",
    "out of memory",
)
