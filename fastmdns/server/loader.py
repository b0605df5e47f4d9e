# SPDX-License-Identifier: Apache-2.0
"""The loader process: the one writer of the store, the sender of NOTIFY, and where /metrics and /status are answered.

Its main thread is a selectors loop over the master's commands, signals, inotify and NOTIFY sockets; a second thread
loads, since parsing a large zone takes a while (the parser lets go of the GIL). What it publishes reaches the
first as events, after the commit, so no NOTIFY can run ahead of the data.
"""

from __future__ import annotations

import json
import queue
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from fastmdns.config import ServeConfig
from fastmdns.counters import Counter
from fastmdns.errors import FastmdnsError
from fastmdns.server import logs
from fastmdns.server.board import Board, Fact
from fastmdns.server.inotify import Watch
from fastmdns.server.loading import LoadEvent, LoadTotals, Published, ZoneLoader
from fastmdns.server.notify import Channel, Notifier, Target, targets_from_config
from fastmdns.server.process import Signals
from fastmdns.store import Store
from fastmdns.tsig import Keyring

SETTLE_SECONDS = 0.2  # after the last change seen in a watched folder: editors write more than once
TICK_SECONDS = 1.0
ACCESS_SECONDS = 10.0  # for all servers to take new access rules
SPACE_SECONDS = 3.0  # servers look once a second whether a transfer is to be cut


class Loader:
    def __init__(self, config: ServeConfig, board: Board, control: socket.socket, keyring: Keyring) -> None:
        self.config = config
        self.board = board
        self.control = control
        self.keyring = keyring
        self.row = board.loader
        self.store = Store(config.store, map_size=config.map_size, max_size=config.store_limit, sync=False)
        self.zones = ZoneLoader(
            self.store, config.zones, self._emit, self._make_space, refresh_access=self._refresh_access
        )
        self.selector = selectors.DefaultSelector()
        self.notifier = Notifier(self.selector, self.row.counters)
        self.targets: dict[tuple[str, ...], tuple[Target, ...]] = {}
        self.events: queue.SimpleQueue[LoadEvent | LoadTotals] = queue.SimpleQueue()
        self.wanted = threading.Event()
        self.wake_end, self.wake = socket.socketpair()
        self.watch: Watch | None = None
        self.settle_at: float | None = None
        self.loaded = False
        self.stopping = False
        self.duties: dict[str, Callable[[], None]] = {
            "reload": self._reload,
            "status": self._log_status,
        }

    def run(self) -> None:
        signals = Signals([signal.SIGTERM], ignored=[signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
        self._start_watch()
        self.wake_end.setblocking(False)
        self.wake.setblocking(False)
        for end, duty in ((signals, self._stop), (self.control, self._command), (self.wake_end, self._take_events)):
            self.selector.register(end, selectors.EVENT_READ, duty)
        self._targets(self.config.notify)
        self._tell("open")
        threading.Thread(target=self._load_for_ever, name="loading", daemon=True).start()
        self.wanted.set()
        stop_exporter = self._start_exporter()
        while not self.stopping:
            self._turn()
        self.notifier.close()
        stop_exporter()

    # ------------------------------------------------------------------------------------------------ the main thread

    def _turn(self) -> None:
        for key, _ in self.selector.select(self._timeout()):
            if isinstance(key.data, Channel):
                self.notifier.receive(key.data)
            else:
                key.data()
        self.notifier.run_due()
        if self.settle_at is not None and time.monotonic() >= self.settle_at:
            self.settle_at = None
            self._reload()
        self.row.facts[Fact.HEARTBEAT] = time.monotonic_ns()

    def _timeout(self) -> float:
        due = [at for at in (self.notifier.next_due(), self.settle_at) if at is not None]
        return max(0.0, min([TICK_SECONDS, *(at - time.monotonic() for at in due)]))

    def _stop(self) -> None:
        self.stopping = True

    def _command(self) -> None:
        octets = self.control.recv(4096)
        if not octets:  # the master is gone
            self.stopping = True
            return
        self.duties[json.loads(octets)["command"]]()

    def _tell(self, event: str, **fields: object) -> None:
        try:
            self.control.send(json.dumps({"event": event} | fields).encode())
        except OSError:
            self.stopping = True

    def _reload(self) -> None:
        self.wanted.set()

    def _log_status(self) -> None:
        for status in list(self.zones.zones.values()):
            if status.problems:
                logs.warning("zone status", zone=status.zone, state=status.state, problem=status.problems[0])
        for channel in self.notifier.status():
            logs.info("notify status", target=channel["target"], waiting=channel["waiting"], silent=channel["silent"])

    def _take_events(self) -> None:
        """What the loading thread did, in its order."""
        self.wake_end.recv(4096)
        while True:
            try:
                event = self.events.get_nowait()
            except queue.Empty:
                return
            if isinstance(event, LoadTotals):
                self._loaded(event)
            elif isinstance(event, Published):
                if event.moved:
                    self.notifier.announce(event.apex, event.serial, self._targets_of(event))
            else:
                self.notifier.forget(event.apex)

    def _loaded(self, totals: LoadTotals) -> None:
        counters = self.row.counters
        counters.add(Counter.RELOADS)
        counters.add(Counter.ZONES_LOADED, totals.loaded)
        counters.add(Counter.ZONES_UNCHANGED, totals.unchanged)
        counters.add(Counter.ZONES_FAILED, totals.failed)
        self.loaded = True
        if self.watch is not None:
            for problem in self.watch.set_folders(self.zones.folders):
                logs.warning("watch failed", problem=problem)
        self._tell("loaded", zones=len(self.zones.zones), failed=totals.failed, seconds=round(totals.seconds, 3))

    def _targets_of(self, event: Published) -> tuple[Target, ...]:
        texts = self.zones.notify_of(event.apex)
        return self._targets(self.config.notify if texts is None else texts)

    def _targets(self, texts: tuple[str, ...]) -> tuple[Target, ...]:
        if texts not in self.targets:
            self.targets[texts] = targets_from_config(texts, self.keyring)
        return self.targets[texts]

    def _start_exporter(self) -> Callable[[], None]:
        """What ends it. Its modules are a fifth of what a start imports, so they come while the zones load."""
        if not self.config.metrics:
            return _nothing
        from fastmdns.server.exporter import Exporter, Facts

        try:
            exporter = Exporter(self.config.metrics, Facts(self.board, self.status, lambda: self.loaded))
        except OSError as error:  # serving DNS matters more
            logs.error("metrics off", listen=self.config.metrics, reason=error.strerror)
            return _nothing
        exporter.start()
        return exporter.shutdown

    def status(self) -> dict[str, Any]:
        zones = [dict(vars(status)) for status in list(self.zones.zones.values())]
        return {"zones": zones, "notify": self.notifier.status()}

    def _start_watch(self) -> None:
        if not self.config.watch:
            return
        try:
            self.watch = Watch()
        except OSError as error:
            logs.error("watch off", reason=error.strerror)
            return
        self.selector.register(self.watch, selectors.EVENT_READ, self._files_changed)

    def _files_changed(self) -> None:
        if self.watch is not None and self.watch.changed():
            self.settle_at = time.monotonic() + SETTLE_SECONDS

    # --------------------------------------------------------------------------------------------- the loading thread

    def _load_for_ever(self) -> None:
        while True:
            self.wanted.wait()
            self.wanted.clear()
            self._load()

    def _load(self) -> None:
        try:
            totals = self.zones.load()
            self.store.flush()
        except FastmdnsError as error:
            logs.error("load failed", reason=error)
            totals = LoadTotals(failed=1)
        except Exception:  # noqa: BLE001 - the process must go on serving metrics and NOTIFY, and load again when told
            logs.failure("load failed")
            totals = LoadTotals(failed=1)
        self._emit(totals)

    def _emit(self, event: LoadEvent | LoadTotals) -> None:
        self.events.put(event)
        try:
            self.wake.send(b"\0")
        except BlockingIOError:
            return  # the other end has enough to wake up for

    def _refresh_access(self) -> bool:
        """A zone with access rules of its own is about to appear: every server is to know them before. True: all do."""
        wanted = self.row.facts[Fact.ACCESS] = self.row.facts[Fact.ACCESS] + 1
        self._tell("access")
        rows = self.board.servers
        return _comes_true(
            lambda: all(row.facts[Fact.ACCESS] >= wanted for row in rows if row.facts[Fact.PID]), ACCESS_SECONDS
        )

    def _make_space(self) -> bool:
        """The store is full: cut the oldest transfer of all, whose snapshot keeps the most old pages. True: it went."""
        self._wait_for_servers_to_tell()
        rows = [row for row in self.board.servers if row.facts[Fact.OLDEST_TRANSFER]]
        if not rows:
            return False
        oldest = min(rows, key=lambda row: row.facts[Fact.OLDEST_TRANSFER])
        began = oldest.facts[Fact.OLDEST_TRANSFER]
        oldest.facts[Fact.CUT_BEFORE] = began + 1
        return _comes_true(lambda: oldest.facts[Fact.OLDEST_TRANSFER] != began)

    def _wait_for_servers_to_tell(self) -> None:
        """They do once a second; a transfer that began since then stands on no row yet."""
        asked = time.monotonic_ns()
        rows = self.board.servers
        _comes_true(lambda: all(row.facts[Fact.HEARTBEAT] > asked for row in rows if row.facts[Fact.PID]))


def _comes_true(claim: Callable[[], bool], seconds: float = SPACE_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _nothing() -> None:
    """What ends an exporter that is off."""
