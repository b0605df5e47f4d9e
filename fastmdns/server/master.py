# SPDX-License-Identifier: Apache-2.0
"""The master: binds, drops privileges, forks N servers and one loader, and keeps them alive. It parses no network data.

HUP  look at the zone files again; servers go on untouched, since every query reads the store as it is then
TERM, INT  drain: no new connections, running transfers end, 30 s at most; a second one ends it at once
USR1  status to the log · CHLD  reap and start again, with back-off

A server that dies costs its own connections: its sockets live here, and its successor takes them over with what waits
in them. Before a fork there are sockets and shared memory only; what has a thread or an LMDB environment comes after.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from fastmdns.config import ServeConfig
from fastmdns.server import logs
from fastmdns.server.board import Board, Row
from fastmdns.server.children import DRAIN_SECONDS, exit_code_of, load_zones, serve_queries
from fastmdns.server.process import (
    EXIT_CANNOT_BOOT,
    EXIT_FAILED,
    EXIT_OK,
    Signals,
    become_child,
    drop_privileges,
    fork,
    prepare_folder,
    raise_file_limit,
)
from fastmdns.server.sockets import Sockets, open_sockets
from fastmdns.server.systemd import Supervisor

SIGNALS = [signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGCHLD]
SILENT_SECONDS = 60.0  # a server whose loop has not turned for so long hangs, and is killed
LONG_LIFE = 10.0  # who lived this long starts again at once
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # else after a pause that doubles
KILL_AFTER = 2.0  # seconds a child gets beyond its own drain
TICK_SECONDS = 1.0


@dataclass
class Slot:
    """A place for one child, whoever is in it."""

    title: str
    row: Row
    work: Callable[[], None]
    pid: int = 0
    started_at: float = 0.0
    start_at: float = 0.0  # not before
    pause: float = FIRST_PAUSE


class Master:
    def __init__(self, config: ServeConfig, sockets: Sockets, processes: int, supervisor: Supervisor) -> None:
        self.config = config
        self.sockets = sockets
        self.supervisor = supervisor
        self.board = Board(processes)
        self.control: socket.socket | None = None  # to the loader that runs
        self.loader = Slot("loader", self.board.loader, self._loader_work)
        self.servers = [
            Slot(f"server {index}", row, self._server_work(index)) for index, row in enumerate(self.board.servers)
        ]
        self.store_open = False  # servers start once the loader has made the store
        self.ready = False
        self.stop_at: float | None = None  # when whoever is left is killed; None: not stopping
        self.exit_code = EXIT_OK
        self.alive_at = 0.0
        self.duties: dict[int, Callable[[], None]] = {
            signal.SIGHUP: self._reload,
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGUSR1: self._log_status,
            signal.SIGCHLD: self._reap,
        }
        self.events: dict[str, Callable[[dict[str, int]], None]] = {
            "open": self._opened,
            "loaded": self._loaded,
            "access": self._refresh_access,
        }

    def run(self) -> int:
        self.signals = Signals(SIGNALS)
        self.parent = os.getpid()
        while self.stop_at is None or self._children():
            self._spawn_missing()
            self._wait()
            self._kill_silent()
            self._watchdog()
        self.sockets.close()
        self.signals.close()
        logs.info("stopped", code=self.exit_code)
        return self.exit_code

    # ------------------------------------------------------------------------------------------------------- waiting

    def _wait(self) -> None:
        """Until a signal, a word of the loader, or the next thing to do by the clock."""
        ends = [self.signals.fileno()] + ([self.control.fileno()] if self.control else [])
        readable, _, _ = select.select(ends, (), (), self._timeout())
        if self.control is not None and self.control.fileno() in readable:
            self._hear()
        if self.signals.fileno() in readable:
            for signum in dict.fromkeys(self.signals.take()):
                self.duties[signum]()

    def _timeout(self) -> float:
        now = time.monotonic()
        due = [now + TICK_SECONDS]
        due += [slot.start_at for slot in self._slots() if not slot.pid and self._may_start(slot)]
        if self.stop_at is not None:
            due.append(self.stop_at)
        return max(0.0, min(due) - now)

    def _hear(self) -> None:
        assert self.control is not None
        octets = self.control.recv(4096)
        if not octets:
            self._hang_up()
            return
        message = json.loads(octets)
        self.events[message.pop("event")](message)

    def _hang_up(self) -> None:
        if self.control is not None:
            self.control.close()
            self.control = None

    def _opened(self, _: dict[str, int]) -> None:
        self.store_open = True

    def _refresh_access(self, _: dict[str, int]) -> None:
        for slot in self.servers:
            if slot.pid:
                os.kill(slot.pid, signal.SIGHUP)

    def _loaded(self, totals: dict[str, int]) -> None:
        """The first time this is what readiness waits for; later it ends a reload."""
        event = "reloaded" if self.ready else "ready"
        self.ready = True
        logs.info(event, **totals, listen=",".join(self.sockets.addresses()), processes=len(self.servers))
        self.supervisor.ready(f"serving {totals['zones']} zones, {totals['failed']} failed to load")

    # ------------------------------------------------------------------------------------------------------- duties

    def _reload(self) -> None:
        logs.info("reloading")
        self.supervisor.reloading()
        self._command("reload")

    def _stop(self) -> None:
        if self.stop_at is not None:  # asked twice
            self.stop_at = time.monotonic()
        else:
            logs.info("stopping")
            self.supervisor.stopping()
            self.stop_at = time.monotonic() + DRAIN_SECONDS + KILL_AFTER
            self._signal_all(signal.SIGTERM)
            self.sockets.close()  # else the kernel went on taking connections that nobody will accept
        self._kill_late()

    def _kill_late(self) -> None:
        if self.stop_at is not None and time.monotonic() >= self.stop_at:
            self._signal_all(signal.SIGKILL)

    def _log_status(self) -> None:
        for process in self.board.processes():
            logs.info("status process", **process)
        logs.info("status counters", **{key: value for key, value in self.board.totals().items() if value})
        self._command("status")

    def _command(self, command: str) -> None:
        if self.control is None:
            return
        try:
            self.control.send(json.dumps({"command": command}).encode())
        except OSError as error:  # it is dead, or busy with a thousand commands: a new one loads anyway
            logs.warning("command lost", command=command, reason=error.strerror)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for slot in self._slots():
                if slot.pid == pid:
                    self._bury(slot, status)

    def _bury(self, slot: Slot, status: int) -> None:
        """A child is dead: is that the end, and if not, when does the next one start?"""
        code = os.waitstatus_to_exitcode(status)
        lived = time.monotonic() - slot.started_at
        slot.pid = 0
        slot.row.vacate()
        if slot is self.loader:
            self._hang_up()
        if self.stop_at is not None:
            return
        slot.pause = FIRST_PAUSE if lived > LONG_LIFE else min(slot.pause * 2, LONGEST_PAUSE)
        slot.start_at = time.monotonic() + (0 if lived > LONG_LIFE else slot.pause)
        logs.error("process died", process=slot.title, code=code, seconds=lived)
        if code == EXIT_CANNOT_BOOT:
            self.exit_code = EXIT_FAILED
            self._stop()

    def _kill_silent(self) -> None:
        self._kill_late()
        for slot in self.servers:
            if slot.pid and slot.row.silent_seconds() > SILENT_SECONDS:
                logs.error("process hangs", process=slot.title, pid=slot.pid, silent_seconds=slot.row.silent_seconds())
                os.kill(slot.pid, signal.SIGKILL)
                slot.row.vacate()

    def _watchdog(self) -> None:
        interval = self.supervisor.watchdog_seconds
        if interval and time.monotonic() - self.alive_at >= min(interval, TICK_SECONDS):
            self.alive_at = time.monotonic()
            self.supervisor.alive()

    # ------------------------------------------------------------------------------------------------------ children

    def _slots(self) -> list[Slot]:
        return [self.loader, *self.servers]

    def _children(self) -> list[Slot]:
        return [slot for slot in self._slots() if slot.pid]

    def _signal_all(self, signum: signal.Signals) -> None:
        for slot in self._children():
            os.kill(slot.pid, signum)

    def _may_start(self, slot: Slot) -> bool:
        return self.stop_at is None and (slot is self.loader or self.store_open)

    def _spawn_missing(self) -> None:
        now = time.monotonic()
        for slot in self._slots():
            if not slot.pid and self._may_start(slot) and slot.start_at <= now:
                self._spawn(slot)

    def _spawn(self, slot: Slot) -> None:
        theirs: socket.socket | None = None
        if slot is self.loader:
            self._hang_up()
            self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.control.setblocking(False)
        slot.started_at = time.monotonic()
        pid = fork()
        if not pid:
            self._live_as(slot, theirs)
        slot.pid = pid
        slot.row.take(pid)
        if theirs is not None:
            theirs.close()

    def _live_as(self, slot: Slot, theirs: socket.socket | None) -> None:
        """In the child. Never returns."""
        code = EXIT_FAILED
        try:
            become_child(self.parent, f"mdns {slot.title}")
            self.signals.close()
            self._hang_up()
            self.control = theirs
            code = exit_code_of(slot.work, slot.title)
        finally:
            os._exit(code)

    def _loader_work(self) -> None:
        assert self.control is not None
        self.sockets.close()
        load_zones(self.config, self.board, self.control)

    def _server_work(self, index: int) -> Callable[[], None]:
        return lambda: serve_queries(self.config, self.board, index, self.sockets)


def serve(config: ServeConfig) -> int:
    """Run until a signal ends it; the exit code. ConfigError where it can't even begin."""
    logs.start(config.log_format)
    supervisor = Supervisor(os.environ)
    processes = config.processes or len(os.sched_getaffinity(0))
    raise_file_limit()
    sockets = open_sockets(config.listen, processes)
    try:
        prepare_folder(config.store, config.user, config.group)
        if config.user or config.group:
            from fastmdns.server import exporter  # noqa: F401 - the loader would import it, and may not be able to by then
        drop_privileges(config.user, config.group)
        return Master(config, sockets, processes, supervisor).run()
    finally:
        sockets.close()
