# SPDX-License-Identifier: Apache-2.0
"""NOTIFY to secondaries (RFC 1996): over UDP, with a random ID from a random port, again after 1, 2, 4, 8 and 16 s and
then once a minute until the secondary answers or a newer serial takes its place; one that refuses, ever less often.

Call announce() only after the store has committed: a NOTIFY ahead of the data would make the secondary fetch the old
zone. Changes of a zone inside MIN_INTERVAL become one NOTIFY. Each target has its own window and rate, and one that
gave no sign of life gets a probe now and then and not the whole backlog, so a dead secondary slows only itself.
Answers are hostile input: what does not match ID, opcode, question, address and (where signed) TSIG is ignored.
"""

from __future__ import annotations

import heapq
import itertools
import random
import selectors
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fastmdns import name
from fastmdns.config import join_endpoint, split_notify
from fastmdns.counters import Counter, Counters
from fastmdns.errors import ConfigError, TsigError
from fastmdns.server import logs
from fastmdns.tsig import Key, Keyring, Verifier, sign_request

RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)
PERIOD_SECONDS = 60.0  # between two series for a zone; doubled with each refusal
MAX_DOUBLINGS = 6
PROBE_SECONDS = 30.0  # between two messages to a target that gives no sign of life
MIN_INTERVAL = 1.0  # between two NOTIFYs for one zone to one target
WINDOW = 100  # zones under way at one target
RATE = 500.0  # messages a second to one target
HEADER_SIZE = 12
FLAGS = b"\x24\x00"  # opcode NOTIFY, AA
QR_AND_OPCODE = 0xF8
REPLY = 0xA0  # QR, opcode NOTIFY
SOA_IN = b"\0\x06\0\x01"
NOERROR, NOTIMP = 0, 4
RCODE_TEXT = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED", 9: "NOTAUTH"}
NO_ANSWER = "no answer"


@dataclass(frozen=True)
class Target:
    host: str
    port: int
    key: Key | None = None

    def __str__(self) -> str:
        return join_endpoint(self.host, self.port)


@dataclass
class Notice:
    """What a target is yet to acknowledge for one zone. It is held until due_at, waits its turn, or is under way."""

    apex: bytes
    serial: int
    due_at: float = 0.0
    attempts: int = 0
    refusals: int = 0
    ident: int = -1  # -1: not under way
    mac: bytes = b""
    reason: str = NO_ANSWER


@dataclass
class Channel:
    """One target: its socket while anything is under way, and what waits."""

    target: Target
    notices: dict[bytes, Notice] = field(default_factory=dict)  # all of them
    held: list[tuple[float, int, Notice]] = field(default_factory=list)  # a heap; entries whose time moved are stale
    turn: dict[bytes, Notice] = field(default_factory=dict)  # the next to go, first come first
    under_way: dict[int, Notice] = field(default_factory=dict)  # by message ID
    sent_at: dict[bytes, float] = field(default_factory=dict)  # last NOTIFY of a zone, for MIN_INTERVAL
    socket: socket.socket | None = None
    silent: bool = False  # a whole series went by without a word from it
    free_at: float = 0.0  # the rate allows the next message then

    @property
    def window(self) -> int:
        return 1 if self.silent else WINDOW

    def next_due(self) -> float:
        """When there is something to do."""
        times = [notice.due_at for notice in self.under_way.values()]
        if self.turn and len(self.under_way) < self.window:
            times.append(self.free_at)
        if self.held:
            times.append(self.held[0][0])
        return min(times, default=float("inf"))


class Notifier:
    def __init__(
        self, selector: selectors.BaseSelector, counters: Counters, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.selector = selector
        self.counters = counters
        self.clock = clock
        self.channels: dict[Target, Channel] = {}
        self.random = random.SystemRandom()
        self.sequence = itertools.count()

    def announce(self, apex: bytes, serial: int, targets: Iterable[Target]) -> None:
        """The zone has this serial now, in the store: every target is to hear of it."""
        now = self.clock()
        for target in targets:
            channel = self.channels.setdefault(target, Channel(target))
            self._settle(channel, channel.notices.get(apex))
            notice = channel.notices[apex] = Notice(apex, serial)
            self._hold(channel, notice, max(now, channel.sent_at.get(apex, 0.0) + MIN_INTERVAL))

    def forget(self, apex: bytes) -> None:
        """The zone is gone."""
        for channel in self.channels.values():
            self._settle(channel, channel.notices.get(apex))

    def next_due(self) -> float | None:
        """When run_due() is to be called next, on the clock; None: nothing waits."""
        due = min((channel.next_due() for channel in self.channels.values()), default=float("inf"))
        return None if due == float("inf") else due

    def run_due(self) -> None:
        now = self.clock()
        for channel in self.channels.values():
            self._release(channel, now)
            for notice in [each for each in channel.under_way.values() if each.due_at <= now]:
                self._again(channel, notice, now)
            while channel.turn and len(channel.under_way) < channel.window and channel.free_at <= now:
                self._begin(channel, channel.turn.pop(next(iter(channel.turn))), now)

    def receive(self, channel: Channel) -> None:
        """Its socket is readable."""
        while channel.socket is not None:
            try:
                wire = channel.socket.recv(4096)
            except BlockingIOError:
                return
            except OSError as error:  # ICMP told of an earlier message: that one stays unanswered, for a reason
                for notice in channel.under_way.values():
                    notice.reason = error.strerror or NO_ANSWER
                continue
            self._take_reply(channel, wire)

    def close(self) -> None:
        for channel in self.channels.values():
            self._close_socket(channel)

    def status(self) -> list[dict[str, object]]:
        return [_channel_status(channel) for channel in list(self.channels.values())]

    # ------------------------------------------------------------------------------------------------------ a notice

    def _hold(self, channel: Channel, notice: Notice, until: float) -> None:
        notice.due_at = until
        heapq.heappush(channel.held, (until, next(self.sequence), notice))

    def _release(self, channel: Channel, now: float) -> None:
        """Whose time has come takes its turn."""
        while channel.held and channel.held[0][0] <= now:
            until, _, notice = heapq.heappop(channel.held)
            if channel.notices.get(notice.apex) is notice and notice.due_at == until and notice.ident < 0:
                channel.turn[notice.apex] = notice
        if len(channel.sent_at) > 2 * WINDOW:
            channel.sent_at = {apex: at for apex, at in channel.sent_at.items() if at > now - MIN_INTERVAL}

    def _begin(self, channel: Channel, notice: Notice, now: float) -> None:
        while notice.ident in channel.under_way or notice.ident < 0:
            notice.ident = self.random.getrandbits(16)
        channel.under_way[notice.ident] = notice
        notice.attempts = 0
        self._send(channel, notice, now)

    def _again(self, channel: Channel, notice: Notice, now: float) -> None:
        """No answer in time: the next attempt, or the end of the series."""
        if notice.attempts < len(RETRY_SECONDS) and not channel.silent:
            self._send(channel, notice, now)
            return
        if not channel.silent:
            logs.warning("notify failed", **self._fields(channel, notice), reason=notice.reason)
        self.counters.add(Counter.NOTIFY_FAILED)
        channel.silent = True
        self._pause(channel, notice, now + PERIOD_SECONDS)

    def _pause(self, channel: Channel, notice: Notice, until: float) -> None:
        """Out of the window, so that others get their turn."""
        channel.under_way.pop(notice.ident, None)
        notice.ident = -1
        self._hold(channel, notice, until)
        self._close_if_done(channel)

    def _settle(self, channel: Channel, notice: Notice | None) -> None:
        """Acknowledged, or of no interest any more."""
        if notice is not None:
            channel.notices.pop(notice.apex, None)
            channel.turn.pop(notice.apex, None)
            channel.under_way.pop(notice.ident, None)
            self._close_if_done(channel)

    # ------------------------------------------------------------------------------------------------ on the wire

    def _send(self, channel: Channel, notice: Notice, now: float) -> None:
        wire = notice.ident.to_bytes(2, "big") + FLAGS + b"\0\x01\0\0\0\0\0\0" + notice.apex + SOA_IN
        if channel.target.key is not None:
            wire, notice.mac = sign_request(wire, channel.target.key, time.time())
        try:
            self._socket(channel).send(wire)
        except OSError as error:  # the retry is scheduled all the same
            notice.reason = error.strerror or NO_ANSWER
        self.counters.add(Counter.NOTIFY_SENT)
        notice.due_at = now + RETRY_SECONDS[min(notice.attempts, len(RETRY_SECONDS) - 1)]
        notice.attempts += 1
        channel.sent_at[notice.apex] = now
        channel.free_at = now + PROBE_SECONDS if channel.silent else max(channel.free_at, now - 0.1) + 1 / RATE

    def _socket(self, channel: Channel) -> socket.socket:
        """Connected, so that only the target's own address and port is heard, and ICMP errors are."""
        if channel.socket is None:
            family = socket.AF_INET6 if ":" in channel.target.host else socket.AF_INET
            one = socket.socket(family, socket.SOCK_DGRAM)
            one.setblocking(False)
            try:
                one.connect((channel.target.host, channel.target.port))
            except OSError:
                one.close()
                raise
            self.selector.register(one, selectors.EVENT_READ, channel)
            channel.socket = one
        return channel.socket

    def _close_if_done(self, channel: Channel) -> None:
        """The next message leaves from another random port."""
        if not channel.under_way:
            self._close_socket(channel)

    def _close_socket(self, channel: Channel) -> None:
        if channel.socket is not None:
            self.selector.unregister(channel.socket)
            channel.socket.close()
            channel.socket = None

    def _take_reply(self, channel: Channel, wire: bytes) -> None:
        notice = _match(channel, wire)
        if notice is None or not self._is_genuine(channel, notice, wire):
            return
        if channel.silent:
            self._revive(channel)
        rcode = wire[3] & 0x0F
        if rcode in (NOERROR, NOTIMP):
            self.counters.add(Counter.NOTIFY_ACKNOWLEDGED)
            logs.info("notify acknowledged", **self._fields(channel, notice))
            self._settle(channel, notice)
            return
        notice.reason = RCODE_TEXT.get(rcode, f"RCODE {rcode}")
        if not notice.refusals:
            logs.warning("notify refused", **self._fields(channel, notice), reason=notice.reason)
        self.counters.add(Counter.NOTIFY_FAILED)
        pause = PERIOD_SECONDS * 2 ** min(notice.refusals, MAX_DOUBLINGS)
        notice.refusals += 1
        self._pause(channel, notice, self.clock() + pause)

    def _is_genuine(self, channel: Channel, notice: Notice, wire: bytes) -> bool:
        if channel.target.key is None:
            return True
        try:
            Verifier(channel.target.key, notice.mac).check(wire)
        except TsigError as error:
            notice.reason = str(error)
            return False
        return True

    def _revive(self, channel: Channel) -> None:
        """A target that was silent speaks again: what it missed goes out at once."""
        channel.silent = False
        channel.free_at = now = self.clock()
        for notice in channel.notices.values():
            if notice.ident < 0 and not notice.refusals and notice.apex not in channel.turn:
                self._hold(channel, notice, now)

    @staticmethod
    def _fields(channel: Channel, notice: Notice) -> dict[str, object]:
        fields = {"zone": name.to_text(notice.apex), "target": channel.target, "serial": notice.serial}
        return fields | {"attempts": notice.attempts}


def _match(channel: Channel, wire: bytes) -> Notice | None:
    """Whose answer this is: by ID, opcode and question. Some servers leave the question out of an error."""
    if len(wire) < HEADER_SIZE or wire[2] & QR_AND_OPCODE != REPLY:
        return None
    notice = channel.under_way.get(int.from_bytes(wire[:2], "big"))
    if notice is None:
        return None
    questions = int.from_bytes(wire[4:6], "big")
    if questions == 0 and wire[3] & 0x0F:
        return notice
    question = wire[HEADER_SIZE : HEADER_SIZE + len(notice.apex) + len(SOA_IN)]
    is_ours = question[-len(SOA_IN) :] == SOA_IN and question[: -len(SOA_IN)].lower() == notice.apex.lower()
    return notice if questions == 1 and is_ours else None


def _channel_status(channel: Channel) -> dict[str, object]:
    return {
        "target": str(channel.target),
        "waiting": len(channel.notices),
        "silent": channel.silent,
        "oldest": [
            {"zone": name.to_text(notice.apex), "serial": notice.serial, "reason": notice.reason}
            for notice in itertools.islice(list(channel.notices.values()), 20)
        ],
    }


def targets_from_config(texts: Iterable[str], keyring: Keyring) -> tuple[Target, ...]:
    """`host:port[,key:NAME]`; a key that is not configured is an error."""
    targets = []
    for text in texts:
        host, port, key = split_notify(text)
        try:
            targets.append(Target(host, port, keyring.by_text(key) if key else None))
        except KeyError:
            raise ConfigError(f"notify {text}: there is no TSIG key named {key}") from None
    return tuple(targets)
