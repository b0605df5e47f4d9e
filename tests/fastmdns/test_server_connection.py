# SPDX-License-Identifier: Apache-2.0
"""One server for all of these: what TCP and UDP clients see of it (RFC 7766, RFC 5936)."""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from fastmdns.config import default_listen
from tests.fastmdns.serving import (
    DEADLINE,
    Server,
    framed,
    is_closed,
    query_wire,
    receive_message,
    serving,
    wait_until,
    write_zone,
)

BIG_HOSTS = 300_000  # some 9 MB on the wire: more than all socket buffers between us hold
HAS_IPV6 = len(default_listen()) > 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tcp")
    (folder / "zones").mkdir()
    write_zone(folder / "zones", "small.example", hosts=20)
    write_zone(folder / "zones", "big.example", hosts=BIG_HOSTS)
    write_zone(folder / "zones", "middle.example", hosts=3000)
    with serving(folder, processes=2, max_query_size=512) as running:
        yield running


def small_buffer(server: Server) -> socket.socket:
    """A connection whose reader is slow by nature: the server soon has to wait for it."""
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    end.settimeout(DEADLINE)
    end.connect(("127.0.0.1", server.port))
    return end


def answers(end: socket.socket, count: int) -> list[dns.message.Message]:
    return [dns.message.from_wire(receive_message(end)) for _ in range(count)]


def read_transfer(end: socket.socket) -> tuple[int, list[dns.message.Message]]:
    """(records, other messages) up to the second SOA of the transfer that began."""
    records = soas = 0
    others = []
    while soas < 2:
        message = dns.message.from_wire(receive_message(end), one_rr_per_rrset=True)
        if message.question and message.question[0].rdtype == dns.rdatatype.SOA:
            others.append(message)
            continue
        records += len(message.answer)
        soas += sum(rrset.rdtype == dns.rdatatype.SOA for rrset in message.answer)
    return records, others


def test_soa_is_answered_over_udp_and_tcp(server: Server) -> None:
    for reply in (server.udp("small.example"), server.tcp("small.example")):
        assert reply.rcode() == dns.rcode.NOERROR
        assert reply.answer[0][0].serial == 1


def test_transfer_holds_every_record_of_the_file(server: Server) -> None:
    zone = server.transfer("middle.example")
    assert len(zone.nodes) == 3000 + 2
    assert str(zone.find_rdataset("host2999", "TXT")[0]) == '"serial1"'


def test_query_in_segments_of_one_octet_is_answered(server: Server) -> None:
    with server.connect() as end:
        for octet in framed(query_wire("small.example", ident=7)):
            end.sendall(bytes([octet]))
        assert answers(end, 1)[0].id == 7


def test_queries_of_one_write_are_all_answered(server: Server) -> None:
    with server.connect() as end:
        end.sendall(framed(*(query_wire("small.example", ident=ident) for ident in range(300))))
        assert sorted(reply.id for reply in answers(end, 300)) == list(range(300))


def test_queries_cut_anywhere_are_answered(server: Server) -> None:
    stream = framed(*(query_wire("small.example", ident=ident) for ident in range(5)))
    for cut in range(1, len(stream), 3):
        with server.connect() as end:
            end.sendall(stream[:cut])
            end.sendall(stream[cut:])
            assert [reply.id for reply in answers(end, 5)] == list(range(5))


def test_small_transfers_of_one_write_are_all_answered(server: Server) -> None:
    with server.connect() as end:
        end.sendall(framed(*(query_wire("small.example", "AXFR", ident) for ident in range(500))))
        replies = answers(end, 500)
    assert {reply.id for reply in replies} == set(range(500))
    assert all(len(reply.answer) == 23 for reply in replies)


def test_soa_behind_a_transfer_is_answered_before_the_transfer_ends(server: Server) -> None:
    with small_buffer(server) as end:
        end.sendall(framed(query_wire("big.example", "AXFR", 1)))
        receive_message(end)
        end.sendall(framed(query_wire("small.example", "SOA", 2)))
        records, others = read_transfer_from_second(end)
    assert records > 0
    assert [message.id for message in others] == [2]


def read_transfer_from_second(end: socket.socket) -> tuple[int, list[dns.message.Message]]:
    """Octets only: parsing 300,000 records with dnspython would take the test's time."""
    records = 0
    others = []
    while True:
        wire = receive_message(end)
        if wire[4:6] == b"\0\1":
            others.append(dns.message.from_wire(wire))
            continue
        count = int.from_bytes(wire[6:8], "big")
        records += count
        if count == 1:  # only the last message of so large a zone holds one record, the SOA
            return records, others


def test_two_transfers_on_one_connection_both_arrive_whole(server: Server) -> None:
    with server.connect() as end:
        end.sendall(framed(query_wire("middle.example", "AXFR", 1), query_wire("middle.example", "AXFR", 2)))
        assert [read_transfer(end)[0], read_transfer(end)[0]] == [3004, 3004]


def test_client_that_closes_its_side_still_gets_everything(server: Server) -> None:
    with server.connect() as end:
        end.sendall(framed(query_wire("middle.example", "AXFR", 1), query_wire("small.example", "SOA", 2)))
        end.shutdown(socket.SHUT_WR)
        assert read_transfer(end)[0] == 3004
        assert is_closed(end)


@pytest.mark.parametrize("octets", [b"\0\0", b"\0\x0b" + bytes(11)], ids=["empty", "shorter than a header"])
def test_message_without_a_header_closes_the_connection_unanswered(server: Server, octets: bytes) -> None:
    with server.connect() as end:
        end.sendall(octets)
        assert end.recv(1) == b""


def test_response_as_a_query_closes_the_connection_unanswered(server: Server) -> None:
    wire = bytearray(query_wire("small.example"))
    wire[2] |= 0x80
    with server.connect() as end:
        end.sendall(framed(bytes(wire)))
        assert end.recv(1) == b""


def test_query_above_the_limit_closes_the_connection_and_is_counted(server: Server) -> None:
    before = server.counter("fastmdns_queries_too_large_total")
    with server.connect() as end:
        end.sendall(b"\x02\x01")  # 513 octets are announced, none of them has to come
        assert is_closed(end)
    assert server.counter("fastmdns_queries_too_large_total") == before + 1


def test_third_malformed_query_closes_the_connection(server: Server) -> None:
    broken = query_wire("small.example")[:-1]
    with server.connect() as end:
        end.sendall(framed(broken, broken, broken, query_wire("small.example")))
        assert [reply.rcode() for reply in answers_without_question(end, 3)] == [dns.rcode.FORMERR] * 3
        assert is_closed(end)


def answers_without_question(end: socket.socket, count: int) -> list[dns.message.Message]:
    return [dns.message.from_wire(receive_message(end), ignore_trailing=True) for _ in range(count)]


def test_reset_in_the_middle_of_a_transfer_leaves_nothing_behind(server: Server) -> None:
    for _ in range(5):
        with small_buffer(server) as end:
            end.sendall(framed(query_wire("big.example", "AXFR", 1)))
            receive_message(end)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: server.counter("fastmdns_transfers_running") == 0)
    wait_until(lambda: server.counter("fastmdns_connections_open") == 0)
    assert server.tcp("small.example").answer


def test_failed_transfer_is_logged_with_its_reason(server: Server) -> None:
    with small_buffer(server) as end:
        end.sendall(framed(query_wire("big.example", "AXFR", 1)))
        receive_message(end)
        port = end.getsockname()[1]
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line = server.wait_line(rf"axfr failed zone=big\.example\. peer=127\.0\.0\.1#{port} serial=1 ")
    assert 'reason="connection reset"' in line


def test_transfer_is_logged_when_it_starts_and_when_it_ends(server: Server) -> None:
    with server.connect() as end:
        end.sendall(framed(query_wire("middle.example", "AXFR", 1)))
        read_transfer(end)
        peer = f"127.0.0.1#{end.getsockname()[1]}"
    server.wait_line(rf"info axfr started zone=middle\.example\. peer={peer} serial=1 key=$")
    line = server.wait_line(rf"info axfr finished zone=middle\.example\. peer={peer} serial=1 key= messages=\d")
    assert " records=3004 octets=" in line


def test_pipelining_client_that_never_reads_is_read_no_further(server: Server) -> None:
    """A10.4: back-pressure; the server holds a bounded part of the answers and goes on for others."""
    with small_buffer(server) as end:
        end.settimeout(0.5)
        flood = framed(*(query_wire("small.example", "AXFR", ident) for ident in range(500)))
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 100 << 20:
                sent += end.send(flood)
        assert server.tcp("small.example").answer


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no ::1")
def udp_sockets(server: Server, count: int) -> list[socket.socket]:
    ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for end in ends:
        end.settimeout(DEADLINE)
        end.connect(("127.0.0.1", server.port))
    return ends


def test_a_burst_of_udp_queries_gets_an_answer_each_whatever_its_size_and_its_peer(server: Server) -> None:
    """Answers of one size to one peer leave together (UDP_SEGMENT), but arrive one by one and each at its socket."""
    ends = udp_sockets(server, 3)
    asked: dict[socket.socket, dict[int, str]] = {end: {} for end in ends}
    shuffled = random.Random(1)
    for pid in server.pids():
        os.kill(pid, signal.SIGSTOP)
    for ident in range(90):
        end = shuffled.choice(ends)
        asked[end][ident] = shuffled.choice(["small.example", "big.example", "unknown.example"])
        end.send(query_wire(asked[end][ident], ident=ident))
    for pid in server.pids():
        os.kill(pid, signal.SIGCONT)
    for end, idents in asked.items():
        got = [dns.message.from_wire(end.recv(65535)) for _ in idents]
        assert {answer.id: answer.question[0].name.to_text(omit_final_dot=True) for answer in got} == idents
        assert all(bool(answer.answer) == (idents[answer.id] != "unknown.example") for answer in got)
        end.close()


def test_ipv6_clients_are_served_over_udp_and_tcp(tmp_path: Path) -> None:
    (tmp_path / "zones").mkdir()
    write_zone(tmp_path / "zones", "small.example", hosts=3)
    with serving(tmp_path, listen=("[::1]:0",), wait=False) as running:
        line = running.wait_line(" ready zones=")
        running.port = int(line.partition("listen=[::1]:")[2].split()[0])
        assert running.udp("small.example", host="::1").answer
        assert running.tcp("small.example", host="::1").answer
        assert len(running.transfer("small.example", "::1").nodes) == 5
