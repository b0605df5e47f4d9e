# SPDX-License-Identifier: Apache-2.0
"""The load client against a server of scripted octets: it counts what came and refuses what is no transfer."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from bench.client import Load, LoadError, UdpLoad, last_record
from tests.nameservers import Address

SOA = "example. 60 IN SOA ns.example. host.example. 7 1 1 1 1"
QUERY = dns.message.make_query("example.", "AXFR", id=0).to_wire()
Reply = Callable[[bytes], bytes]


def message(*records: str, ident: int = 0, rcode: int = 0) -> bytes:
    """A DNS answer with its length in front; names compressed as dnspython does."""
    answer = dns.message.make_response(dns.message.make_query("example.", "AXFR", id=ident))
    answer.set_rcode(dns.rcode.Rcode(rcode))
    for record in records:
        owner, ttl, rrclass, rrtype, rdata = record.split(" ", 4)
        answer.answer.append(dns.rrset.from_text(owner, int(ttl), rrclass, rrtype, rdata))
    wire = answer.to_wire()
    return struct.pack("!H", len(wire)) + wire


def ident_of(query: bytes) -> int:
    return int.from_bytes(query[:2], "big")


def _converse(connection: socket.socket, reply: Reply) -> None:
    with suppress(ConnectionError), connection, connection.makefile("rb") as reader:
        while length := reader.read(2):
            connection.sendall(reply(reader.read(struct.unpack("!H", length)[0])))


@contextmanager
def server(reply: Reply) -> Iterator[Address]:
    """Answers each query of each connection with reply(query)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_converse, args=(connection, reply), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield Address(*listener.getsockname())
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


ONE_MESSAGE = (SOA, "example. 60 IN NS ns.example.", "a.example. 60 IN A 192.0.2.1", SOA)


def whole(query: bytes) -> bytes:
    return message(*ONE_MESSAGE, ident=ident_of(query))


def test_a_transfer_is_counted_record_by_record() -> None:
    with server(whole) as address:
        load = Load(*address, [QUERY])
        assert load.run(5) > 0
    counts = load.counts
    assert (counts["records"], counts["messages"], counts["finished"], counts["serial"]) == (4, 1, 1, 7)
    assert counts["octets"] == len(whole(QUERY))


def test_a_transfer_may_come_in_several_messages() -> None:
    with server(lambda _: message(SOA) + message("a.example. 60 IN A 192.0.2.1") + message(SOA)) as address:
        load = Load(*address, [QUERY])
        load.run(5)
    assert (load.counts["records"], load.counts["messages"]) == (3, 3)


@pytest.mark.parametrize("depth", [1, 7])
@pytest.mark.parametrize("reconnect", [False, True])
@pytest.mark.parametrize("connections", [1, 3])
def test_every_query_is_answered_once(depth: int, reconnect: bool, connections: int) -> None:
    with server(whole) as address:
        load = Load(*address, [QUERY] * 40, connections=connections, depth=depth, reconnect=reconnect)
        load.run(5)
    assert load.counts["finished"] == 40
    assert all(seconds > 0 for seconds in load.latencies())


def test_the_digest_does_not_depend_on_order_case_or_messages() -> None:
    def digest(reply: Reply) -> int:
        with server(reply) as address:
            load = Load(*address, [QUERY], digest=True)
            load.run(5)
        return load.counts["digest"]

    other = message(SOA, "A.EXAMPLE. 60 IN A 192.0.2.1") + message("example. 60 IN NS ns.example.", SOA)
    assert digest(whole) == digest(lambda _: other)


@pytest.mark.parametrize(
    "changed",
    ["a.example. 61 IN A 192.0.2.1", "b.example. 60 IN A 192.0.2.1", "a.example. 60 IN A 192.0.2.2"],
)
def test_the_digest_tells_a_record_that_differs(changed: str) -> None:
    digests = set()
    for record in ("a.example. 60 IN A 192.0.2.1", changed):
        with server(lambda _, record=record: message(SOA, record, SOA)) as address:
            load = Load(*address, [QUERY], digest=True)
            load.run(5)
            digests.add(load.counts["digest"])
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (message("a.example. 60 IN A 192.0.2.1", SOA), "does not begin with a SOA"),
        (message(SOA, SOA.replace(" 7 ", " 8 ")), "two SOAs differ"),
        (message(SOA, SOA, "a.example. 60 IN A 192.0.2.1"), "two SOAs differ"),
        (message(SOA, SOA, ident=9), "not asked"),
        (message(rcode=5), "an error code 5"),
        (struct.pack("!H", 12) + bytes(12), "no answer"),
        (message(SOA, SOA)[:-4], "no complete answer in time"),
    ],
)
def test_what_is_no_transfer_is_refused(reply: bytes, reason: str) -> None:
    with server(lambda _: reply) as address, pytest.raises(LoadError, match=reason):
        Load(*address, [QUERY]).run(0.3)


def test_a_record_longer_than_its_message_is_malformed() -> None:
    broken = bytearray(message(SOA))
    broken[-21 - 2 - 1] ^= 0xFF  # somewhere in the SOA's names
    cut = struct.pack("!H", len(broken) - 12) + bytes(broken[2:-10])
    with server(lambda _: cut) as address, pytest.raises(LoadError, match="malformed"):
        Load(*address, [QUERY]).run(1)


def test_nobody_listening_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(LoadError):
        Load(*address, [QUERY]).run(1)


def test_a_run_can_be_stopped_from_another_thread() -> None:
    with server(whole) as address:
        load = Load(*address, [QUERY] * 1_000_000)
        threading.Timer(0.1, load.stop).start()
        load.run(20)
    assert 0 < load.counts["finished"] < 1_000_000


def test_udp_answers_are_counted() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        answer = message(SOA)[2:]

        def echo() -> None:
            while True:
                data, peer = udp.recvfrom(512)
                if not data:
                    return
                udp.sendto(answer, peer)

        thread = threading.Thread(target=echo)
        thread.start()
        rate = UdpLoad(*udp.getsockname(), QUERY, ports=2, window=4).run(0.2)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", udp.getsockname())
        thread.join(5)
    assert rate > 10


def test_last_record_finds_where_a_tsig_lies() -> None:
    wire = message(SOA, "a.example. 60 IN A 192.0.2.1")[2:]
    owner, rdata = last_record(wire)
    assert wire[rdata:] == bytes([192, 0, 2, 1])
    assert owner < rdata < len(wire)
