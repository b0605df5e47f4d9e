# SPDX-License-Identifier: Apache-2.0
"""The jobs process: makes zones of imports, in a plain process where parsing keeps nobody waiting.

Any number may run. One claims an import and says every few seconds that it still works on it; one that was killed says
nothing any more, and after LEASE seconds another takes its import over. Nothing is lost, and no half zone stays.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread

from control.central import imports
from control.central.core import Core
from control.central.imports import ClaimLost
from control.errors import Unavailable
from control.storage import tasks
from control.storage.tasks import ZoneTask
from fastmdns.server import logs

LEASE = 30.0  # seconds
RENEW = 2.0  # seconds between two signs of life, which carry the progress too
LOOK = 0.2  # seconds between two looks for work


def worker_name() -> str:
    """Unique among the processes of all hosts, and those that were."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{os.urandom(4).hex()}"


def run(core: Core, stop: Event, lease: float = LEASE, parent: int | None = None) -> None:
    """Works until told to stop, or until the parent process is gone; what was begun is ended first."""
    worker = worker_name()
    logs.info("jobs started", worker=worker)
    while not stop.is_set() and parent in (None, os.getppid()):
        try:
            worked = run_once(core, worker, lease)
        except Unavailable as error:
            logs.error("jobs wait", reason=error)
            worked = False
        if not worked:
            stop.wait(LOOK)
    logs.info("jobs stopped", worker=worker)


def run_once(core: Core, worker: str = "", lease: float = LEASE) -> bool:
    """One import, if any waits. False where there was nothing to do."""
    name = worker or worker_name()
    if not core.db.read(lambda tx: tasks.is_any_waiting(tx, core.clock())):
        return False
    task = core.db.write(lambda tx: tasks.claim(tx, name, core.clock(), lease))
    if task is None:
        return False
    logs.info("import started", task=task.id, octets=task.octets, worker=name)
    with _signs_of_life(core, task, lease) as progress:
        try:
            imports.run(core, task, progress.tell)
        except ClaimLost:
            logs.error("import left", task=task.id, reason="another worker has it, or nobody wants it")
        except Unavailable:
            _release(core, task)
            raise
    logs.info("import ended", task=task.id)
    return True


def _release(core: Core, task: ZoneTask) -> None:
    try:
        core.db.write(lambda tx: tasks.release(tx, task))
    except Unavailable:  # then the claim lapses
        logs.error("import not released", task=task.id)


@dataclass(slots=True)
class Progress:
    done: int = 0
    ended: Event = field(default_factory=Event)

    def tell(self, done: int) -> None:
        self.done = done


@contextmanager
def _signs_of_life(core: Core, task: ZoneTask, lease: float) -> Iterator[Progress]:
    """Renews the claim from another thread for as long as the block runs."""
    progress = Progress()
    thread = Thread(target=_renew, args=(core, task, lease, progress), daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        progress.ended.set()
        thread.join()


def _renew(core: Core, task: ZoneTask, lease: float, progress: Progress) -> None:
    """A database that does not answer now is asked again: the claim is judged where the import ends."""
    while not progress.ended.wait(min(RENEW, lease / 3)):
        try:
            core.db.write(lambda tx: tasks.renew(tx, task, core.clock() + timedelta(seconds=lease), progress.done))
        except Unavailable:
            logs.error("claim not renewed", task=task.id)
