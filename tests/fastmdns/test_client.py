# SPDX-License-Identifier: Apache-2.0
import json
import socket
import threading
from contextlib import closing, contextmanager
from time import time

import pytest

from fastmdns import client, name, zonetext
from fastmdns.cli import _run
from fastmdns.config import join_endpoint, key_from_text, make_key
from fastmdns.errors import TransferError
from fastmdns.message import parse_query
from fastmdns.signer import StreamSigner
from fastmdns.tsig import Key, Keyring, append, verify_request
from fastmdns.zonefile import parse_text
from tests.fastmdns.test_incoming import HOSTS, message, soa

APEX = name.from_text("example.org.")
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
KEY = f"transfer:hmac-sha256:{SECRET}"
STREAM = [message(soa(1), *HOSTS[:2]), message(*HOSTS[2:], soa(1), question=False)]


@contextmanager
def primary(answer):
    """A server for one connection: answer(query) gives the messages, sent in one octet pieces and then the rest."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(10)

        def serve():
            with closing(listener.accept()[0]) as connection:
                connection.settimeout(10)
                size = int.from_bytes(connection.recv(2, socket.MSG_WAITALL))
                query = connection.recv(size, socket.MSG_WAITALL)
                stream = b"".join(len(each).to_bytes(2) + each for each in answer(query))
                for at in range(3):
                    connection.sendall(stream[at : at + 1])
                connection.sendall(stream[3:])

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()
        thread.join(10)
        assert not thread.is_alive()


def same_id(messages):
    return lambda query: [query[:2] + each[2:] for each in messages]


def signed(messages, key=KEY, skip=()):
    def answer(query):
        parts = key_from_text(key)
        ours = Key(parts.name, parts.algorithm, parts.secret)
        record = parse_query(query).tsig
        assert verify_request(query, record, Keyring([ours]), time()).error == 0
        signer = StreamSigner(ours, record.mac, int.from_bytes(query[:2]))
        unsigned = same_id(messages)(query)
        return [
            each if i in skip else append(each, signer.sign(each[:12], each[12:])) for i, each in enumerate(unsigned)
        ]

    return answer


def test_zone_comes_whole_however_the_stream_is_cut():
    with primary(same_id(STREAM)) as server:
        got = client.transfer(APEX, server)
    assert (got.answer.style, len(got.answer.records), got.answer.messages) == ("zone", 6, 2)


def test_request_for_changes_holds_the_serial():
    seen = []
    with primary(lambda query: seen.append(query) or same_id([message(soa(7), qtype="IXFR")])(query)) as server:
        got = client.transfer(APEX, server, serial=7)
    assert parse_query(seen[0]).serial == 7
    assert got.answer.style == "current"


def test_signed_stream_verifies():
    with primary(signed(STREAM)) as server:
        assert client.transfer(APEX, server, key=key_from_text(KEY)).answer.done


def test_last_message_must_be_signed():
    with primary(signed(STREAM, skip=(1,))) as server, pytest.raises(TransferError, match="end with a signed message"):
        client.transfer(APEX, server, key=key_from_text(KEY))


def test_unsigned_answer_to_a_signed_request_is_refused():
    with primary(same_id(STREAM)) as server, pytest.raises(TransferError, match="must be signed is not"):
        client.transfer(APEX, server, key=key_from_text(KEY))


def test_answer_signed_with_another_secret_is_refused():
    def answer(query):
        ours = make_key("transfer", "hmac-sha256", "b3RoZXI=")
        signer = StreamSigner(Key(ours.name, ours.algorithm, ours.secret), b"", int.from_bytes(query[:2]))
        return [append(each, signer.sign(each[:12], each[12:])) for each in same_id(STREAM)(query)]

    with primary(answer) as server, pytest.raises(TransferError, match="BADSIG"):
        client.transfer(APEX, server, key=key_from_text(KEY))


def test_connection_closed_too_early_is_an_error_that_names_the_server():
    with primary(same_id(STREAM[:1])) as server, pytest.raises(TransferError, match=r"^127.0.0.1:\d+: .*closed"):
        client.transfer(APEX, server)


def test_silent_server_is_given_up():
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
        pytest.raises(TransferError, match="no answer for"),
    ):
        client.transfer(APEX, listener.getsockname(), timeout=0.1)


def test_no_server_is_one_line():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = listener.getsockname()
    with pytest.raises(TransferError, match="Connection refused"):
        client.transfer(APEX, server)


# ---------------------------------------------------------------------------------------------------------- command


@pytest.fixture
def zone_file(tmp_path):
    lines = "\n".join(f"{owner} 300 {rrtype} {text}" for owner, rrtype, text in [soa(1), *HOSTS])
    path = tmp_path / "example.org.zone"
    path.write_text(lines + "\nexample.org. 300 NS ns1.example.org.\n")
    return path


def test_command_prints_the_facts_as_json(capsys):
    with primary(same_id(STREAM)) as server:
        assert _run(["transfer", "example.org", join_endpoint(*server), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["zone"], facts["serial"], facts["records"], facts["messages"]) == ("example.org.", 1, 6, 2)


def test_command_compares_with_a_file(capsys, zone_file):
    with primary(same_id(STREAM)) as server:
        assert _run(["transfer", "example.org", join_endpoint(*server), "--compare", str(zone_file)]) == 1
    assert "+ example.org.\t300\tIN\tNS\tns1.example.org." in capsys.readouterr().out


def test_command_compares_with_a_server():
    with primary(same_id(STREAM)) as one, primary(same_id(STREAM)) as other:
        assert _run(["transfer", "example.org", join_endpoint(*one), "--compare", join_endpoint(*other)]) == 0


def test_command_saves_text_that_reads_back(tmp_path):
    saved = tmp_path / "saved"
    with primary(signed(STREAM)) as server:
        command = ["transfer", "example.org", join_endpoint(*server), "--tsig-key", KEY, "-o", str(saved)]
        assert _run(command) == 0
    text = saved.read_text() + "example.org. 1 NS ns.\n"  # what the parser asks of a zone, and this one lacks
    assert len(parse_text(text.encode(), APEX).records) == 7


def test_command_saves_changes_with_their_signs(tmp_path):
    saved = tmp_path / "saved"
    changes = message(soa(8), soa(7), HOSTS[0], soa(8), HOSTS[1], soa(8), qtype="IXFR")
    with primary(same_id([changes])) as server:
        assert _run(["transfer", "example.org", join_endpoint(*server), "--serial", "7", "-o", str(saved)]) == 0
    assert [line[:4] for line in saved.read_text().splitlines()] == ["; 7 ", "- h0", "+ h1"]


def test_command_fails_with_one_line(capsys):
    with primary(same_id([message(soa(1), flags=0x8405)])) as server:
        assert _run(["transfer", "example.org", join_endpoint(*server)]) == 1
    assert capsys.readouterr().err == f"fastmdns: {join_endpoint(*server)}: the server answers REFUSED\n"


@pytest.mark.parametrize(
    "wrong",
    [
        ["example..org"],
        ["example.org", "localhost"],
        ["example.org", "127.0.0.1", "--tsig-key", "x"],
        ["example.org", "127.0.0.1", "--serial", "1", "--compare", "x"],
        ["example.org", "127.0.0.1", "--serial", "x"],
    ],
)
def test_command_that_can_not_be_tried_exits_with_2(wrong):
    assert _run(["transfer", *wrong]) == 2


def test_line_of_text_is_as_documented():
    assert zonetext.line((APEX, 16, 60, b"\x02hi")) == 'example.org.\t60\tIN\tTXT\t"hi"'
