# SPDX-License-Identifier: Apache-2.0
"""TSIG of RFC 8945: who sent a message, and that nobody changed it. Both sides: requests, answers, streams of answers.

A request is checked in the RFC's order: key, MAC, time, truncation (§5.2). Key and algorithm must both match. MACs are
compared in constant time; what length counts is our policy and not the packet's choice: only a whole MAC is accepted,
a shortened one that is right gives BADTRUNC. Every message of a stream is signed (§5.3.1). Hashes are keyed once,
when the key is made, and copied per message. hmac-md5 works for a key that names it and is nowhere a default.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import time
from typing import NamedTuple

from fastmdns import name
from fastmdns.errors import ConfigError, TextError, TsigError, WireError
from fastmdns.message import TsigRecord, find_tsig

FORMERR = 1
BADSIG = 16
BADKEY = 17
BADTIME = 18
BADTRUNC = 22
ERROR_TEXT = {BADSIG: "BADSIG", BADKEY: "BADKEY", BADTIME: "BADTIME", BADTRUNC: "BADTRUNC", FORMERR: "FORMERR"}

FUDGE = 300  # seconds, RFC 8945 §10
MAX_UNSIGNED = 99  # messages between two signed ones that a client must bear, RFC 8945 §5.3.1
_TYPE_AND_CLASS = b"\x00\xfa\x00\xff"  # TSIG, ANY
_RECORD_HEAD = 10  # octets of type, class, TTL and rdlength
_RDATA_FIXED = 16  # octets of rdata besides algorithm, MAC and other data

Clock = Callable[[], float]
Octets = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Algorithm:
    digest: str  # hashlib's name
    wire: bytes
    size: int  # octets of a whole MAC

    @property
    def shortest(self) -> int:
        """Shorter than this is malformed, RFC 8945 §5.2.2.1."""
        return max(10, self.size // 2)


def _algorithm(text: str, digest: str, size: int) -> Algorithm:
    return Algorithm(digest, name.from_text(text, b"\0"), size)


ALGORITHMS = {
    "hmac-md5": _algorithm("hmac-md5.sig-alg.reg.int", "md5", 16),
    "hmac-sha1": _algorithm("hmac-sha1", "sha1", 20),
    "hmac-sha224": _algorithm("hmac-sha224", "sha224", 28),
    "hmac-sha256": _algorithm("hmac-sha256", "sha256", 32),
    "hmac-sha384": _algorithm("hmac-sha384", "sha384", 48),
    "hmac-sha512": _algorithm("hmac-sha512", "sha512", 64),
}


def _keyed(digest: str, secret: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """The two halves of HMAC (RFC 2104 §2) with the key already in: a MAC is then two copies of a hash.

    hmac.HMAC.copy() does the same in 2.5 times the time, which is a third of the cost of a signed message of 16 KiB.
    """
    block = hashlib.new(digest).block_size
    padded = (secret if len(secret) <= block else hashlib.new(digest, secret).digest()).ljust(block, b"\0")
    return hashlib.new(digest, bytes(octet ^ 0x36 for octet in padded)), hashlib.new(
        digest, bytes(octet ^ 0x5C for octet in padded)
    )


class Key:
    """A shared secret under a name. The secret itself is not kept, only hashes that were begun with it."""

    __slots__ = ("_inner", "_outer", "algorithm", "name", "wire")

    def __init__(self, text: str, algorithm: str, secret: bytes) -> None:
        try:
            self.wire = name.lower(name.from_text(text, b"\0"))
            self.algorithm = ALGORITHMS[algorithm.lower().rstrip(".").removesuffix(".sig-alg.reg.int")]
        except TextError as error:
            raise ConfigError(f"no name of a key: {text!r}: {error}") from None
        except KeyError:
            raise ConfigError(f"unknown TSIG algorithm {algorithm!r}: one of {', '.join(ALGORITHMS)}") from None
        self.name = name.to_text(self.wire)
        self._inner, self._outer = _keyed(self.algorithm.digest, secret)

    def __repr__(self) -> str:
        return f"Key({self.name}, {self.algorithm.digest})"

    def mac(self, *parts: Octets) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        for part in parts:
            inner.update(part)
        outer.update(inner.digest())
        return outer.digest()

    def begun(self) -> tuple[Callable[[], hashlib._Hash], Callable[[], hashlib._Hash]]:
        """What gives a fresh inner and a fresh outer hash, for who signs a thousand messages."""
        return self._inner.copy, self._outer.copy

    @property
    def room(self) -> int:
        """Octets a record signed with this key takes."""
        return len(self.wire) + _RECORD_HEAD + len(self.algorithm.wire) + _RDATA_FIXED + self.algorithm.size

    def variables(self, seconds: int, fudge: int, error: int = 0, other: bytes = b"", ttl: int = 0) -> bytes:
        """What is digested behind the message, RFC 8945 §4.3.3."""
        head = self.wire + b"\x00\xff" + ttl.to_bytes(4, "big") + self.algorithm.wire + _timers(seconds, fudge)
        return head + error.to_bytes(2, "big") + len(other).to_bytes(2, "big") + other


class Keyring:
    """The keys we share with others, found by name and algorithm in wire form, lower-case."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = {key.wire: key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, key_name: bytes, algorithm: bytes) -> Key | None:
        key = self._keys.get(key_name)
        return key if key is not None and key.algorithm.wire == algorithm else None

    def by_text(self, text: str) -> Key:
        """KeyError where there is none of this name."""
        return self._keys[name.lower(name.from_text(text, b"\0"))]


def _timers(seconds: int, fudge: int) -> bytes:
    return seconds.to_bytes(6, "big") + fudge.to_bytes(2, "big")


def _sized(mac: bytes) -> bytes:
    return len(mac).to_bytes(2, "big") + mac


def _record(
    owner: bytes,
    algorithm: bytes,
    mac: bytes,
    ident: int,
    seconds: int,
    fudge: int = FUDGE,
    error: int = 0,
    other: bytes = b"",
) -> bytes:
    """A TSIG record as it goes to the end of a message."""
    rdata = algorithm + _timers(seconds, fudge) + _sized(mac) + ident.to_bytes(2, "big") + error.to_bytes(2, "big")
    rdata += _sized(other)
    return owner + _TYPE_AND_CLASS + b"\0\0\0\0" + _sized(rdata)


def _unsigned(wire: Octets, record: TsigRecord) -> bytes:
    """The message as its sender digested it: the first ID, one additional record less, no TSIG (§4.3.2)."""
    additional = int.from_bytes(wire[10:12], "big") - 1
    return b"".join(
        (record.original_id.to_bytes(2, "big"), wire[2:10], additional.to_bytes(2, "big"), wire[12 : record.at])
    )


def append(wire: bytes, record: bytes) -> bytes:
    """The message with a TSIG record at its end."""
    additional = int.from_bytes(wire[10:12], "big") + 1
    return b"".join((wire[:10], additional.to_bytes(2, "big"), wire[12:], record))


# ---------------------------------------------------------------------------------------------------------- server


class Verdict(NamedTuple):
    """What a request's TSIG gave. error 0: `key` sent it. FORMERR and BADKEY come without a key."""

    error: int
    key: Key | None
    record: TsigRecord


def verify_request(wire: Octets, record: TsigRecord, keyring: Keyring, now: float) -> Verdict:
    key = keyring.find(record.name, record.algorithm)
    if key is None:
        return Verdict(BADKEY, None, record)
    if not key.algorithm.shortest <= len(record.mac) <= key.algorithm.size:
        return Verdict(FORMERR, None, record)
    variables = key.variables(record.time, record.fudge, record.error, record.other, record.ttl)
    return Verdict(_judge(key.mac(_unsigned(wire, record), variables), record, now), key, record)


def _judge(expected: bytes, record: TsigRecord, now: float) -> int:
    """MAC, then time, then truncation. A shortened MAC never verifies; it only tells BADSIG from BADTRUNC."""
    if not hmac.compare_digest(expected[: len(record.mac)], record.mac):
        return BADSIG
    if abs(int(now) - record.time) > record.fudge:
        return BADTIME
    return 0 if len(record.mac) == len(expected) else BADTRUNC


def reply_record(verdict: Verdict, message: Octets, now: float) -> bytes:
    """The TSIG record for a whole one-message answer. BADKEY and BADSIG are answered unsigned (§5.3.2)."""
    error, key, request = verdict
    ident = int.from_bytes(message[:2], "big")
    if key is None or error == BADSIG:
        return _record(request.name, request.algorithm, b"", ident, int(now), error=error)
    seconds, other = int(now), b""
    if error == BADTIME:  # the client's time, so that the client can check the MAC; ours beside it (§5.2.3)
        seconds, other = request.time, int(now).to_bytes(6, "big")
    mac = key.mac(_sized(request.mac), message, key.variables(seconds, FUDGE, error, other))
    return _record(key.wire, key.algorithm.wire, mac, ident, seconds, FUDGE, error, other)


def blank_record(key: Key, ident: int) -> bytes:
    """A record of the key with neither time nor MAC filled in yet."""
    return _record(key.wire, key.algorithm.wire, bytes(key.algorithm.size), ident, 0)


# ---------------------------------------------------------------------------------------------------------- client


def sign_request(wire: bytes, key: Key, now: float) -> tuple[bytes, bytes]:
    """The signed request, and its MAC, which the answer is checked against."""
    mac = key.mac(wire, key.variables(int(now), FUDGE))
    ident = int.from_bytes(wire[:2], "big")
    return append(wire, _record(key.wire, key.algorithm.wire, mac, ident, int(now))), mac


class Verifier:
    """Checks the answer to one signed request: one message, or each message of a stream in order, then end()."""

    def __init__(self, key: Key, request_mac: bytes, clock: Clock = time) -> None:
        self._key = key
        self._clock = clock
        self._mac = request_mac
        self._first = True
        self._pending: list[bytes] = []  # unsigned messages since the last signed one

    def check(self, wire: bytes) -> None:
        """TsigError where the message is not what the key's other owner sent."""
        try:
            record = find_tsig(wire)
        except WireError as error:
            raise TsigError(FORMERR, str(error)) from None
        if record is None:
            self._unsigned_message(wire)
            return
        self._signed_message(wire, record)
        self._mac, self._first = record.mac, False
        self._pending.clear()

    def end(self) -> None:
        """The last message of a stream must be signed."""
        if self._first or self._pending:
            raise TsigError(BADSIG, "the answer does not end with a signed message")

    def _unsigned_message(self, wire: bytes) -> None:
        if self._first or len(self._pending) == MAX_UNSIGNED:
            raise TsigError(BADSIG, "a message that must be signed is not")
        self._pending.append(wire)

    def _signed_message(self, wire: bytes, record: TsigRecord) -> None:
        key = self._key
        if record.name != key.wire or record.algorithm != key.algorithm.wire:
            raise TsigError(BADKEY, "the answer is signed with another key")
        if record.error in (BADKEY, BADSIG):
            raise TsigError(record.error, f"the server says {ERROR_TEXT[record.error]}")
        if self._first:
            tail = key.variables(record.time, record.fudge, record.error, record.other, record.ttl)
        else:
            tail = _timers(record.time, record.fudge)
        expected = key.mac(_sized(self._mac), *self._pending, _unsigned(wire, record), tail)
        self._refuse(_judge(expected, record, self._clock()) if record.error != BADTIME else 0, expected, record)

    @staticmethod
    def _refuse(error: int, expected: bytes, record: TsigRecord) -> None:
        if error:
            raise TsigError(error, f"the answer's TSIG does not verify: {ERROR_TEXT[error]}")
        if not hmac.compare_digest(expected, record.mac):
            raise TsigError(BADSIG, "the answer's TSIG does not verify: BADSIG")
        if record.error:
            raise TsigError(record.error, f"the server says {ERROR_TEXT.get(record.error, record.error)}")
