# SPDX-License-Identifier: Apache-2.0
"""The receiving side: transfer a zone from a server, check the stream, compare it, save it. `fastmdns transfer`.

One TCP connection, one request (AXFR, or IXFR where a serial is given). With a key the request is signed and every
message must verify (RFC 8945 §5.3.1); records are gathered by incoming.pyx as the messages come, so a zone of millions
of records needs its own size in memory and no more. A server that is silent longer than `timeout` ends the transfer.
"""

from __future__ import annotations

import json
import secrets
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

import click

from fastmdns import name, zonetext
from fastmdns.config import TsigKey, join_endpoint, key_from_text, split_endpoint
from fastmdns.errors import ConfigError, TextError, TransferError, TsigError
from fastmdns.incoming import Incoming, differences
from fastmdns.records import Records

if TYPE_CHECKING:
    from fastmdns.tsig import Verifier

TYPE_SOA, TYPE_IXFR, TYPE_AXFR = 6, 251, 252
CLASS_IN = 1
READ_SIZE = 1 << 20
DIFFERENCES_SHOWN = 20

Endpoint = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Transferred:
    answer: Incoming
    server: Endpoint
    seconds: float

    def facts(self) -> dict[str, Any]:
        answer = self.answer
        return {
            "server": join_endpoint(*self.server),
            "style": answer.style,
            "serial": answer.serial,
            "records": len(answer.records),
            "changes": len(answer.changes),
            "messages": answer.messages,
            "octets": answer.octets,
            "outside": answer.outside,
            "seconds": round(self.seconds, 6),
        }


def request(apex: bytes, ident: int, serial: int | None) -> bytes:
    """An AXFR query, or an IXFR query with the SOA it begins at (RFC 1995 §3)."""
    counts = (1, 0, 0 if serial is None else 1, 0)
    header = b"".join(number.to_bytes(2, "big") for number in (ident, 0, *counts))
    if serial is None:
        return header + apex + _numbers(TYPE_AXFR, CLASS_IN)
    rdata = b"\0\0" + serial.to_bytes(4, "big") + bytes(16)  # only the serial of this SOA has a meaning
    soa = b"\xc0\x0c" + _numbers(TYPE_SOA, CLASS_IN, 0, 0, len(rdata)) + rdata
    return header + apex + _numbers(TYPE_IXFR, CLASS_IN) + soa


def _numbers(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def transfer(
    apex: bytes,
    server: Endpoint,
    *,
    key: TsigKey | None = None,
    serial: int | None = None,
    timeout: float = 10.0,
    progress: Callable[[Incoming], None] | None = None,
) -> Transferred:
    """The zone as the server has it now, or the changes since `serial`. TransferError says what went wrong."""
    ident = secrets.randbelow(65536)
    query, verifier = _signed(request(apex, ident, serial), key)
    answer = Incoming(apex, ident, TYPE_AXFR if serial is None else TYPE_IXFR, serial or 0)
    begin = perf_counter()
    with _connected(server, timeout) as connection:
        connection.sendall(_numbers(len(query)) + query)
        for message in _messages(connection, answer):
            if verifier is not None:
                verifier.check(message)
            answer.feed(message)
            if progress is not None:
                progress(answer)
        if verifier is not None:
            verifier.end()
    return Transferred(answer, server, perf_counter() - begin)


def _signed(query: bytes, key: TsigKey | None) -> tuple[bytes, Verifier | None]:
    if key is None:
        return query, None
    from fastmdns.tsig import Key, Verifier, sign_request

    signer = Key(key.name, key.algorithm, key.secret)
    query, mac = sign_request(query, signer, time())
    return query, Verifier(signer, mac)


@contextmanager
def _connected(server: Endpoint, timeout: float) -> Iterator[socket.socket]:
    """A connection whose failures are TransferErrors that name the server."""
    place = join_endpoint(*server)
    try:
        with closing(socket.create_connection(server, timeout)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield connection
    except TimeoutError:
        raise TransferError(f"{place}: no answer for {timeout:g} s") from None
    except OSError as error:
        raise TransferError(f"{place}: {error.strerror or error}") from None
    except (TransferError, TsigError) as error:
        raise TransferError(f"{place}: {error}") from None


def _messages(connection: socket.socket, answer: Incoming) -> Iterator[bytes]:
    """Messages until the answer is complete."""
    buffer = bytearray()
    while not answer.done:
        at = 0
        while not answer.done and len(buffer) - at >= 2:
            size = int.from_bytes(buffer[at : at + 2], "big")
            if len(buffer) - at - 2 < size:
                break
            yield bytes(buffer[at + 2 : at + 2 + size])
            at += 2 + size
        del buffer[:at]
        if not answer.done:
            octets = connection.recv(READ_SIZE)
            if not octets:
                raise TransferError("the server closed the connection before the transfer ended")
            buffer += octets


# ------------------------------------------------------------------------------------------------------ the command


@dataclass(frozen=True, slots=True)
class Request:
    """What `fastmdns transfer` was told, as text."""

    zone: str
    server: str
    tsig_key: str | None
    serial: int | None
    compare: str | None
    output: Path | None
    timeout: float
    as_json: bool


def run(wanted: Request) -> int:
    """Transfer, then compare and save as wanted. Exit code 1 where zones differ."""
    try:
        apex = name.from_text(wanted.zone, b"\0")
    except TextError as error:
        raise ConfigError(f"{wanted.zone!r} is no zone name: {error}") from None
    if wanted.compare is not None and wanted.serial is not None:
        raise ConfigError("--compare needs the whole zone: leave --serial out")
    key = key_from_text(wanted.tsig_key) if wanted.tsig_key else None
    got = _transfer_shown(wanted, apex, split_endpoint(wanted.server), key)
    facts = {"zone": name.to_text(apex), **got.facts()}
    if wanted.compare is not None:
        facts["compare"] = _compare(got.answer.records, _other(wanted, apex, key))
    if wanted.output is not None:
        with zonetext.opened(wanted.output) as file:
            file.writelines(f"{line}\n" for line in _text(got.answer, apex))
    summary = json.dumps(facts) if wanted.as_json else _summary(facts)
    click.echo(summary, err=str(wanted.output) == "-")
    return int(bool(facts.get("compare", {}).get("differ")))


def _transfer_shown(wanted: Request, apex: bytes, server: Endpoint, key: TsigKey | None) -> Transferred:
    """The transfer, with a line on a terminal that tells how far it is."""
    if wanted.as_json or not sys.stderr.isatty():
        return transfer(apex, server, key=key, serial=wanted.serial, timeout=wanted.timeout)
    from rich.console import Console

    with Console(stderr=True).status(f"transfer of {wanted.zone}") as line:

        def show(answer: Incoming) -> None:
            if answer.messages % 256 == 0:
                line.update(f"transfer of {wanted.zone}: {len(answer.records):,} records, {answer.octets:,} octets")

        return transfer(apex, server, key=key, serial=wanted.serial, timeout=wanted.timeout, progress=show)


def _other(wanted: Request, apex: bytes, key: TsigKey | None) -> Records:
    """What to compare with: a zone file that exists, else another server."""
    other = str(wanted.compare)
    if Path(other).exists():
        from fastmdns.zonefile import parse

        return parse(Path(other), apex).records
    try:
        server = split_endpoint(other)
    except ConfigError:
        raise ConfigError(f"--compare: {other!r} is neither a file that exists nor an address") from None
    return transfer(apex, server, key=key, timeout=wanted.timeout).answer.records


def _compare(ours: Records, other: Records) -> dict[str, Any]:
    ours.sort()
    other.sort()
    only_ours, only_other, shown = differences(ours, other, DIFFERENCES_SHOWN)
    return {
        "differ": only_ours + only_other,
        "only_here": only_ours,
        "only_there": only_other,
        "first": [f"{'-' if here else '+'} {zonetext.line(row)}" for here, *rest in shown for row in [_row(rest)]],
    }


def _row(fields: Iterable[Any]) -> zonetext.Row:
    owner, rrtype, ttl, rdata = fields
    return owner, rrtype, ttl, rdata


def _text(answer: Incoming, apex: bytes) -> Iterator[str]:
    """A whole zone as zone text; changes as a list of what goes (-) and what comes (+)."""
    if answer.style == "zone":
        answer.records.sort()
        yield from zonetext.lines(answer.records, apex)
        return
    for change in answer.changes:
        yield f"; {change.from_serial} -> {change.to_serial}"
        yield from (f"- {zonetext.line(row)}" for row in change.removed)
        yield from (f"+ {zonetext.line(row)}" for row in change.added)


def _summary(facts: dict[str, Any]) -> str:
    lines = ["transferred " + " ".join(f"{key}={value}" for key, value in facts.items() if key != "compare")]
    if compare := facts.get("compare"):
        lines.append(" ".join(f"{key}={compare[key]}" for key in ("differ", "only_here", "only_there")))
        lines += compare["first"]
    return "\n".join(lines)
