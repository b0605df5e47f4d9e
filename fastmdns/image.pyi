# SPDX-License-Identifier: Apache-2.0
"""Zone images for Python: records → pages and back. `value` is a page as it lies in the store."""

from collections.abc import Iterable, Sequence

from typing_extensions import Buffer

from fastmdns.records import Records

ROW_SIZE: int  # octets of image.pxd's ZoneHeader
SPLIT_FROM: int  # records of a zone that two threads encode
LIMIT: int  # octets of the largest value of a page that holds more than one record

class Soa:
    """The SOA record of an image in each form a message needs."""

    apex: bytes
    rdata: bytes
    ttl: int
    serial: int
    expire: int
    plain: bytes
    head: bytes
    tail_alone: bytes
    tail_last: bytes
    prefix: bytes

    def tail(self, page_count: int) -> bytes:
        """The record that closes a transfer of so many pages."""

    def same_names(self, other: Soa) -> bool:
        """True where a change from one to the other leaves page 0 as it is."""

class Pages:
    """A run of encoded pages."""

    record_count: int
    largest: int

    def __len__(self) -> int: ...
    @property
    def octets(self) -> int:
        """Of all values."""

    def items(self, first: bytes = b"") -> list[tuple[bytes, memoryview]]:
        """(first + separator, value) of each page in order. The first page's separator is empty."""

class Image:
    """A zone ready to be stored."""

    pages: Pages
    soa: Soa

    def __init__(self, soa: Soa, pages: Pages) -> None: ...

class Builder:
    """Encodes pages. Keeps its scratch memory from zone to zone; one caller at a time."""

    def build(self, records: Records) -> Image:
        """The image of a zone. Puts the records in order. ZoneError without SOA, or where a record is too large."""

    def soa(self, apex: bytes, ttl: int, rdata: bytes) -> Soa:
        """The forms of an SOA record."""

    def rewrite(
        self,
        soa: Soa,
        values: Sequence[Buffer],
        prefix: bytes,
        gone: list[bytes],
        added: Iterable[tuple[bytes, int, int, bytes]],
    ) -> Pages:
        """Neighbouring pages again, without the rrsets gone (sorted rrset_key()s) and with the records added.

        prefix: what page 0's message began with where the first value is page 0, else empty. The first page keeps the
        separator it had.
        """

def decode(value: Buffer, apex: bytes, prefix: bytes = b"") -> Records:
    """The records of a page. prefix: Soa.prefix for page 0, empty for all others. WireError where it is damaged."""

def rrset_key(owner: bytes, rrtype: int) -> bytes:
    """Where an rrset stands among the pages: in the last page whose separator is not greater, and those behind it
    whose separators begin with it."""

def begins_chunk(separator: bytes, value: Buffer) -> bool:
    """True where the page, not page 0, goes on with the rrset that ends the page in front of it."""

def split_soa(plain: bytes) -> tuple[bytes, int, bytes]:
    """(apex, ttl, rdata) of Soa.plain."""
