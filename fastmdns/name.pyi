# SPDX-License-Identifier: Apache-2.0
"""Domain names for Python. Wire names are uncompressed; a malformed one raises WireError, malformed text TextError."""

def from_text(text: str | bytes, origin: bytes | None = None) -> bytes:
    """Presentation text to wire. Relative names are completed with origin; "@" is the origin, "." the root."""

def to_text(wire: bytes) -> str:
    """Absolute presentation text, with every octet escaped that would not be read back as itself."""

def lower(wire: bytes) -> bytes:
    """The name in ASCII lower case."""

def key(wire: bytes) -> bytes:
    """The canonical key: sorting by it is the order of RFC 4034 §6.1."""

def from_key(key: bytes) -> bytes:
    """The name, in lower case, whose key this is."""

def labels(wire: bytes) -> int:
    """How many labels the name has, the root not counted."""

def parent(wire: bytes) -> bytes:
    """The name without its first label. ValueError for the root."""

def within(wire: bytes, zone: bytes) -> bool:
    """True where the name is the zone's apex or below it, whatever the case."""

def check(wire: bytes) -> None:
    """WireError unless this is one valid name and nothing else."""
