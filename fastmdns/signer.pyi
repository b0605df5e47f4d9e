# SPDX-License-Identifier: Apache-2.0
"""Signing a stream of messages, for Python."""

from collections.abc import Callable

from typing_extensions import Buffer

from fastmdns.tsig import Key

class StreamSigner:
    """Signs the messages of one transfer in order, each chained to the one before (RFC 8945 §5.3.1)."""

    def __init__(self, key: Key, request_mac: bytes, ident: int, clock: Callable[[], float] = ...) -> None: ...
    def sign(self, header: bytes, *parts: Buffer) -> bytes:
        """The record for the message made of header and parts, whose header does not count the record yet."""
