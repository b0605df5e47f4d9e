# SPDX-License-Identifier: Apache-2.0
"""Record data for Python. Wrong text raises TextError (token: index of the wrong word), wrong wire WireError."""

def from_text(rrtype: int, text: str | bytes, origin: bytes | None = None) -> bytes:
    r"""Presentation text, or RFC 3597's `\# length hex`, to uncompressed wire that is valid for the type."""

def to_text(rrtype: int, wire: bytes) -> str:
    r"""Canonical text on one line, names absolute. Types without a text of their own are written as `\#`."""

def check(rrtype: int, wire: bytes) -> None:
    """WireError unless this is valid uncompressed rdata of the type. Unknown types may hold anything."""

def unpack(rrtype: int, message: bytes, offset: int, size: int) -> bytes:
    """The rdata of `size` octets at `offset` of a message, checked and with its names decompressed."""

def compressible(rrtype: int, wire: bytes) -> list[tuple[int, int]]:
    """Offset and length of the names in valid rdata that a message may compress (RFC 3597 §4)."""
