# SPDX-License-Identifier: Apache-2.0
"""The NOTIFY sender against secondaries made of a socket; time is passed in."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.tsig
import pytest

from fastmdns import name
from fastmdns.config import make_key
from fastmdns.counters import ROW_SIZE, Counter, Counters
from fastmdns.errors import ConfigError
from fastmdns.server import notify
from fastmdns.server.notify import Channel, Notifier, Target, targets_from_config
from fastmdns.tsig import Key, Keyring
from tests.fastmdns.serving import DEADLINE, serving, wait_until, write_zone

ZONE = name.from_text("Zone.example.", b"\0")
OTHER = name.from_text("other.example.", b"\0")
SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQ="


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Rig:
    """A notifier, a clock that stands until it is moved, and one secondary."""

    def __init__(self, secondary: socket.socket, key: Key | None = None) -> None:
        self.secondary = secondary
        self.clock = Clock()
        self.counters = Counters(bytearray(ROW_SIZE))
        self.selector = selectors.DefaultSelector()
        self.notifier = Notifier(self.selector, self.counters, self.clock)
        self.target = Target("127.0.0.1", secondary.getsockname()[1], key)

    def announce(self, apex: bytes = ZONE, serial: int = 1) -> None:
        self.notifier.announce(apex, serial, [self.target])
        self.notifier.run_due()

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.notifier.run_due()

    def heard(self) -> list[tuple[bytes, tuple[str, int]]]:
        """All that has reached the secondary."""
        found = []
        while True:
            try:
                found.append(self.secondary.recvfrom(4096))
            except BlockingIOError:
                return found

    def answer(self, wire: bytes, address: tuple[str, int], take: bool = True) -> None:
        self.secondary.sendto(wire, address)
        if take:
            self.take()

    def take(self) -> None:
        """Let the notifier read what came."""
        for found, _ in self.selector.select(DEADLINE):
            assert isinstance(found.data, Channel)
            self.notifier.receive(found.data)

    @property
    def waiting(self) -> object:
        return self.notifier.status()[0]["waiting"]


@pytest.fixture
def secondary() -> Iterator[socket.socket]:
    with socket.socket(type=socket.SOCK_DGRAM) as end:
        end.bind(("127.0.0.1", 0))
        end.setblocking(False)
        yield end


@pytest.fixture
def rig(secondary: socket.socket) -> Iterator[Rig]:
    made = Rig(secondary)
    yield made
    made.notifier.close()
    made.selector.close()


def reply_to(wire: bytes, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(wire))
    reply.set_rcode(rcode)
    return reply.to_wire()


def test_notify_is_what_rfc_1996_asks_for(rig: Rig) -> None:
    rig.announce()
    [(wire, _)] = rig.heard()
    query = dns.message.from_wire(wire)
    assert query.opcode() == dns.opcode.NOTIFY
    assert query.flags & dns.flags.AA
    assert query.question[0].rdtype == dns.rdatatype.SOA
    assert query.question[0].name.to_text() == "Zone.example."


def test_attempts_come_after_1_2_4_8_16_seconds_and_then_pause(rig: Rig) -> None:
    rig.announce()
    assert len(rig.heard()) == 1
    for pause in (1, 2, 4, 8):
        rig.wait(pause - 0.01)
        assert rig.heard() == []
        rig.wait(0.01)
        assert len(rig.heard()) == 1
    rig.wait(16)
    assert rig.heard() == []
    assert rig.waiting == 1
    rig.wait(notify.PERIOD_SECONDS)
    assert len(rig.heard()) == 1


def test_retries_keep_their_id_and_fresh_notices_take_another_port(rig: Rig) -> None:
    rig.announce()
    rig.wait(1)
    (first, first_from), (second, second_from) = rig.heard()
    assert first == second
    assert first_from == second_from
    rig.answer(reply_to(second), second_from)
    ports = set()
    for serial in range(2, 8):
        rig.clock.now += 10
        rig.announce(serial=serial)
        [(wire, address)] = rig.heard()
        rig.answer(reply_to(wire), address)
        ports.add(address[1])
    assert len(ports) > 1


def test_answer_ends_it(rig: Rig) -> None:
    rig.announce()
    [(wire, address)] = rig.heard()
    rig.answer(reply_to(wire), address)
    assert rig.waiting == 0
    assert rig.notifier.next_due() is None
    assert rig.counters[Counter.NOTIFY_ACKNOWLEDGED] == 1


def test_notimp_is_an_answer(rig: Rig) -> None:
    rig.announce()
    [(wire, address)] = rig.heard()
    rig.answer(reply_to(wire, dns.rcode.NOTIMP), address)
    assert rig.waiting == 0


def test_refusal_is_tried_again_ever_less_often(rig: Rig) -> None:
    rig.announce()
    for pause in (60, 120, 240):
        [(wire, address)] = rig.heard()
        rig.answer(reply_to(wire, dns.rcode.REFUSED), address)
        rig.wait(pause - 1)
        assert rig.heard() == []
        rig.wait(1)
    assert rig.counters[Counter.NOTIFY_FAILED] == 3


def forged(wire: bytes) -> dict[str, bytes]:
    good = reply_to(wire)
    other_id = bytes([good[0] ^ 1]) + good[1:]
    return {
        "another ID": other_id,
        "a query": wire,
        "another opcode": good[:2] + bytes([good[2] & 0x87]) + good[3:],
        "another question": good[:12] + OTHER + good[-4:],
        "no question": good[:4] + b"\0\0" + good[6:12],
        "another type": good[:-4] + b"\0\1\0\1",
        "cut": good[:-1],
        "shorter than a header": good[:11],
        "empty": b"",
    }


@pytest.mark.parametrize("which", forged(dns.message.make_query("zone.example", "SOA").to_wire()))
def test_forged_answers_are_ignored(rig: Rig, which: str) -> None:
    rig.announce()
    [(wire, address)] = rig.heard()
    rig.answer(forged(wire)[which], address)
    assert rig.waiting == 1
    rig.answer(reply_to(wire), address)
    assert rig.waiting == 0


def test_answer_from_another_port_is_ignored(rig: Rig) -> None:
    rig.announce()
    [(wire, address)] = rig.heard()
    with socket.socket(type=socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.sendto(reply_to(wire), address)
    assert rig.selector.select(0) == []
    assert rig.waiting == 1


def test_changes_in_quick_succession_become_one_notify(rig: Rig) -> None:
    for serial in range(1, 20):
        rig.announce(serial=serial)
    assert len(rig.heard()) == 1
    rig.wait(notify.MIN_INTERVAL)
    assert len(rig.heard()) == 1
    assert rig.waiting == 1


def test_silent_target_gets_probes_and_not_the_backlog(rig: Rig) -> None:
    for number in range(300):
        rig.notifier.announce(name.from_text(f"z{number}.example.", b"\0"), 1, [rig.target])
    for _ in range(40):
        rig.wait(1)
    rig.heard()
    for _ in range(120):
        rig.wait(1)
    assert 1 <= len(rig.heard()) <= 10


def test_silent_target_that_comes_back_hears_of_everything(rig: Rig) -> None:
    zones = [name.from_text(f"z{number}.example.", b"\0") for number in range(300)]
    for zone in zones:
        rig.notifier.announce(zone, 1, [rig.target])
    for _ in range(300):
        rig.wait(1)
    rig.heard()
    told = set()
    for _ in range(120):  # A7: healed two minutes after its return
        rig.wait(1)
        for wire, address in rig.heard():
            told.add(wire[12:-4])
            rig.answer(reply_to(wire), address, take=False)
        if rig.notifier.channels[rig.target].socket is not None:
            for found, _ in rig.selector.select(0.05):
                rig.notifier.receive(found.data)
    assert told == set(zones)
    assert rig.waiting == 0


def test_window_bounds_what_is_under_way(rig: Rig) -> None:
    for number in range(300):
        rig.notifier.announce(name.from_text(f"z{number}.example.", b"\0"), 1, [rig.target])
    for _ in range(90):
        rig.wait(0.01)
    assert len({wire for wire, _ in rig.heard()}) == notify.WINDOW


def test_zone_that_is_gone_is_not_notified_any_more(rig: Rig) -> None:
    rig.announce()
    rig.heard()
    rig.notifier.forget(ZONE)
    rig.wait(1)
    assert rig.heard() == []


def test_unreachable_target_is_retried_with_its_reason(rig: Rig) -> None:
    rig.secondary.close()
    rig.announce()
    rig.take()
    [target] = rig.notifier.status()
    assert target["oldest"] == [{"zone": "Zone.example.", "serial": 1, "reason": "Connection refused"}]


def test_signed_target_gets_signed_notify_and_only_signed_answers_count(secondary: socket.socket) -> None:
    settings = make_key("key.example.", "hmac-sha256", SECRET)
    rig = Rig(secondary, Key(settings.name, settings.algorithm, settings.secret))
    ring = {dns.name.from_text("key.example."): dns.tsig.Key("key.example.", settings.secret, "hmac-sha256")}
    rig.announce()
    [(wire, address)] = rig.heard()
    query = dns.message.from_wire(wire, keyring=ring)
    assert query.had_tsig
    plain = dns.message.Message(query.id)
    plain.flags = dns.flags.QR | (dns.opcode.NOTIFY << 11)
    plain.question = query.question
    rig.answer(plain.to_wire(), address)
    assert rig.waiting == 1
    signed = dns.message.make_response(query)
    rig.answer(signed.to_wire(), address)
    assert rig.waiting == 0
    rig.notifier.close()


def test_key_that_is_not_configured_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"there is no TSIG key named missing"):
        targets_from_config(["192.0.2.1:53,key:missing"], Keyring())


def test_server_notifies_after_the_new_serial_is_served(tmp_path: Path) -> None:
    """A7.8: at the moment of the NOTIFY a query gets the new serial. Half of the datagrams are lost on the way."""
    (tmp_path / "zones").mkdir()
    write_zone(tmp_path / "zones", "small.example")
    with socket.socket(type=socket.SOCK_DGRAM) as secondary:
        secondary.bind(("127.0.0.1", 0))
        secondary.settimeout(DEADLINE)
        with serving(tmp_path, notify=f"127.0.0.1:{secondary.getsockname()[1]}", watch=True) as server:
            for serial in (1, 2, 3):
                if serial > 1:
                    write_zone(tmp_path / "zones", "small.example", serial=serial)
                lost, _ = secondary.recvfrom(4096)
                wire, address = secondary.recvfrom(4096)
                assert wire == lost
                assert server.serial("small.example") == serial
                secondary.sendto(reply_to(wire), address)
                wait_until(lambda serial=serial: f"serial={serial} attempts=2" in server.text())
            assert server.counter('fastmdns_notify_total{outcome="acknowledged"}') == 3
