# SPDX-License-Identifier: Apache-2.0
"""The jobs process: makes zones of imports, in a plain process where parsing keeps nobody waiting.

Any number may run. One claims an import and says every few seconds that it still works on it; one that was killed says
nothing any more, and after LEASE seconds another takes its import over. Nothing is lost, and no half zone stays.
"""

from __future__ import annotations

import logging
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

log = logging.getLogger("fastmdns.jobs")
LEASE = 30.0  # seconds
RENEW = 2.0  # seconds between two signs of life, which carry the progress too
LOOK = 0.2  # seconds between two looks for work


def worker_name() -> str:
    """Unique among the processes of all hosts, and those that were."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{os.urandom(4).hex()}"


def run(core: Core, stop: Event, lease: float = LEASE) -> None:
    """Works until told to stop; what was begun is ended first."""
    worker = worker_name()
    log.info("jobs started worker=%s", worker)
    while not stop.is_set():
        try:
            worked = run_once(core, worker, lease)
        except Unavailable as error:
            log.warning("jobs waits reason=%s", error)
            worked = False
        if not worked:
            stop.wait(LOOK)
    log.info("jobs stopped worker=%s", worker)


def run_once(core: Core, worker: str = "", lease: float = LEASE) -> bool:
    """One import, if any waits. False where there was nothing to do."""
    name = worker or worker_name()
    if not core.db.read(lambda tx: tasks.is_any_waiting(tx, core.clock())):
        return False
    task = core.db.write(lambda tx: tasks.claim(tx, name, core.clock(), lease))
    if task is None:
        return False
    log.info("import started import=%s octets=%d worker=%s", task.id, task.octets, name)
    with _signs_of_life(core, task, lease) as progress:
        try:
            imports.run(core, task, progress.tell)
        except ClaimLost:
            log.warning("import left import=%s reason=claim lost", task.id)
        except Unavailable:
            _release(core, task)
            raise
    log.info("import ended import=%s", task.id)
    return True


def _release(core: Core, task: ZoneTask) -> None:
    try:
        core.db.write(lambda tx: tasks.release(tx, task))
    except Unavailable:  # then the claim lapses
        log.warning("import not released import=%s", task.id)


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
            log.warning("claim not renewed import=%s", task.id)
