# SPDX-License-Identifier: Apache-2.0
"""Zone files into the store: what changed is parsed, what parses is published, what is gone is removed.

A file is changed when its path, time, size or inode is not what the store noted when it was loaded; the same for the
files it includes. A zone that fails to load keeps its last good image; one that never loaded is marked as not ready.
Zones are published in groups, one commit each, so ten thousand small ones cost a few commits and not ten thousand.
Nothing here knows of processes or sockets: LoadEvents tell what happened, in the order it became true in the store.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastmdns import name
from fastmdns.config import ZoneSource, zone_files
from fastmdns.errors import ConfigError, FastmdnsError, StoreError, ZoneError
from fastmdns.image import Image
from fastmdns.server import logs
from fastmdns.store import Store, ZoneRow
from fastmdns.zonefile import parse

GROUP_ZONES = 500  # zones of one commit at most
GROUP_RECORDS = 200_000
GROUP_SECONDS = 0.25  # and the first of them waits no longer than this
PROBLEMS_LOGGED = 10  # of one zone; all of them stand in its status
SERIAL_HALF = 1 << 31
RACY_NS = 20_000_000  # file times advance with the kernel's tick, at most 10 ms


@dataclass
class ZoneStatus:
    """What the last load made of a zone; the exporter shows it."""

    zone: str
    path: str
    state: str = "new"  # loaded · unchanged · failed, the last good version is served · failed, nothing to serve
    serial: int | None = None
    records: int = 0
    seconds: float = 0.0
    loaded_at: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Published:
    """A commit holds this zone now. moved: its serial went forward, so its secondaries are to hear of it."""

    apex: bytes
    serial: int
    moved: bool


@dataclass(frozen=True)
class Removed:
    apex: bytes


LoadEvent = Published | Removed


@dataclass
class LoadTotals:
    loaded: int = 0
    unchanged: int = 0
    failed: int = 0
    removed: int = 0
    seconds: float = 0.0


@dataclass
class Candidate:
    """A zone file that changed, parsed and became an image."""

    source: ZoneSource
    apex: bytes
    image: Image
    warnings: tuple[str, ...]
    files: list[list[Any]]
    seconds: float


class ZoneLoader:
    """The one writer's work. `emit` is called from load(), after the commit each event speaks of; `make_space` when the
    store can't take a commit, and tells whether to try again; `refresh_access` before a new zone that has access rules
    of its own is published, and tells whether they are in force."""

    def __init__(
        self,
        store: Store,
        sources: tuple[ZoneSource, ...],
        emit: Callable[[LoadEvent], None],
        make_space: Callable[[], bool] = lambda: False,
        *,
        refresh_access: Callable[[], bool] = lambda: True,
        keep_others: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.store = store
        self.sources = sources
        self.emit = emit
        self.make_space = make_space
        self.refresh_access = refresh_access
        self.keep_others = keep_others
        self.progress = progress
        self.zones: dict[bytes, ZoneStatus] = {}  # by lower-case apex
        self.notify: dict[bytes, tuple[str, ...] | None] = {}  # of the zones that have targets of their own
        self.folders: set[Path] = set()

    def load(self) -> LoadTotals:
        """Bring the store up to what the files say."""
        began = time.monotonic()
        totals = LoadTotals()
        wanted, complete = self._wanted()
        group: list[Candidate] = []
        group_began = began
        for apex, source in wanted.items():
            candidate = self._examine(apex, source, totals)
            if candidate is None:
                continue
            group.append(candidate)
            group_records = sum(each.image.pages.record_count for each in group)
            is_old = time.monotonic() - group_began > GROUP_SECONDS
            if len(group) >= GROUP_ZONES or group_records >= GROUP_RECORDS or is_old:
                self._publish(group, totals)
                group, group_began = [], time.monotonic()
        self._publish(group, totals)
        if complete and not self.keep_others:
            self._remove_others(wanted.keys(), totals)
        totals.seconds = time.monotonic() - began
        return totals

    def notify_of(self, apex: bytes) -> tuple[str, ...] | None:
        """The zone's own targets, or None for the server's."""
        return self.notify.get(name.lower(apex))

    # -------------------------------------------------------------------------------------------- what there is to do

    def _wanted(self) -> tuple[dict[bytes, ZoneSource], bool]:
        """Every zone there is a file for. False beside it where a folder could not be read: nothing is removed then."""
        wanted: dict[bytes, ZoneSource] = {}
        complete = True
        for source in self.sources:
            try:
                for found in zone_files(source):
                    complete = self._want(wanted, found) and complete
            except ConfigError as error:
                logs.error("zones unreadable", path=source.path, reason=error)
                complete = False
        if not wanted and complete:
            logs.warning("no zones", paths=" ".join(str(source.path) for source in self.sources), expected="*.zone")
        self.folders = {source.path if source.path.is_dir() else source.path.parent for source in self.sources}
        return wanted, complete

    def _want(self, wanted: dict[bytes, ZoneSource], source: ZoneSource) -> bool:
        try:
            apex = name.lower(name.from_text(source.apex or "", b"\0"))
        except FastmdnsError as error:
            logs.error("zone name wrong", zone=source.apex, path=source.path, reason=error)
            return False
        if apex in wanted:
            logs.warning("zone given twice", zone=source.apex, path=source.path, served=wanted[apex].path)
        else:
            wanted[apex] = source
            self.notify[apex] = source.notify
        return True

    def _examine(self, apex: bytes, source: ZoneSource, totals: LoadTotals) -> Candidate | None:
        """Parse the zone's files if they changed."""
        status = self.zones.setdefault(apex, ZoneStatus(source.apex or "", str(source.path)))
        status.path = str(source.path)
        with self.store.snapshot() as snapshot:
            row = snapshot.zone(apex)
            noted = snapshot.source(apex)
        if row is not None and row.ready and noted is not None and noted.get("files") == fingerprints(_paths(noted)):
            totals.unchanged += 1
            if status.state == "new":
                status.serial, status.records, status.state = row.serial, row.record_count, "unchanged"
            self.folders.update(path.parent for path in _paths(noted))
            return None
        return self._parse(apex, source, status, totals)

    def _parse(self, apex: bytes, source: ZoneSource, status: ZoneStatus, totals: LoadTotals) -> Candidate | None:
        began = time.monotonic()
        began_ns = time.time_ns()
        try:
            parsed = parse(source.path, name.from_text(source.apex or "", b"\0"), progress=self.progress)
            built = self.store.builder.build(parsed.records)
        except (FastmdnsError, OSError) as error:
            self._fail(apex, status, error, totals)
            return None
        warnings = tuple(str(warning) for warning in parsed.warnings)
        for warning in warnings[:PROBLEMS_LOGGED]:
            logs.warning("zone warning", zone=status.zone, problem=warning)
        files = [_unless_racy(each, began_ns) for each in fingerprints(parsed.files)]
        self.folders.update(path.parent for path in parsed.files)
        return Candidate(source, apex, built, warnings, files, time.monotonic() - began)

    def _fail(self, apex: bytes, status: ZoneStatus, error: Exception, totals: LoadTotals) -> None:
        """Keep the last good image, and say so."""
        problems = [str(each) for each in error.problems] if isinstance(error, ZoneError) else [str(error)]
        with self.store.snapshot() as snapshot:
            row = snapshot.zone(apex)
        serving = row is not None and row.ready
        if not serving:
            self.store.mark_unready(name.from_text(status.zone, b"\0"))
        outcome = "the last good version is served" if serving else "nothing to serve"
        status.state, status.problems = f"failed, {outcome}", problems
        totals.failed += 1
        for problem in problems[:PROBLEMS_LOGGED]:
            logs.error("zone failed", zone=status.zone, problem=problem, outcome=outcome)
        if len(problems) > PROBLEMS_LOGGED:
            logs.error("zone failed", zone=status.zone, problem=f"and {len(problems) - PROBLEMS_LOGGED} more")

    # ----------------------------------------------------------------------------------------------------- the store

    def _publish(self, group: list[Candidate], totals: LoadTotals) -> None:
        """One commit for all of them, then what follows from it."""
        if not group:
            return
        before = {each.apex: self._version(each.apex, each.image.soa.serial) for each in group}
        try:
            rows = self._commit(group, {apex for apex, (row, _) in before.items() if row is not None})
        except StoreError as error:
            for each in group:
                self._fail(each.apex, self.zones[each.apex], error, totals)
            return
        for each in group:
            self._published(each, before[each.apex], rows[each.apex])
        totals.loaded += len(group)

    def _commit(self, group: list[Candidate], known: Container[bytes]) -> dict[bytes, ZoneRow]:
        is_closed = any(each.source.allow is not None and each.apex not in known for each in group)
        if is_closed and not self.refresh_access():
            raise StoreError("not every server has taken the zones' access rules")
        tries = 0
        while True:
            try:
                with self.store.writing() as writer:
                    return {each.apex: writer.publish_image(each.image, source={"files": each.files}) for each in group}
            except StoreError as error:
                logs.error("store refused", zones=len(group), reason=error)
                if tries and not self.make_space():  # the first time, what the last commits freed may be enough
                    raise
                tries += 1
            self.store.turn_over()

    def _version(self, apex: bytes, serial: int) -> tuple[ZoneRow | None, bytes]:
        """The row the store has and, where it has this serial already, a digest of its records."""
        with self.store.snapshot() as snapshot:
            row = snapshot.zone(apex)
            if row is None or not row.ready or row.serial != serial:
                return row, b""
            digest = hashlib.blake2b(row.plain)
            for page in snapshot.pages(row):
                digest.update(page)
            return row, digest.digest()

    def _published(self, each: Candidate, before: tuple[ZoneRow | None, bytes], new: ZoneRow) -> None:
        old, old_digest = before
        status = self.zones[each.apex]
        status.state, status.problems = "loaded", list(each.warnings)
        status.serial, status.records = new.serial, new.record_count
        status.seconds, status.loaded_at = each.seconds, time.time()
        moved = old is None or not old.ready or is_newer(new.serial, old.serial)
        if moved:
            logs.info(
                "zone loaded", zone=status.zone, serial=new.serial, records=new.record_count, seconds=each.seconds
            )
        elif old is not None and (not old_digest or self._version(each.apex, new.serial)[1] != old_digest):
            what = "changed but its serial did not" if new.serial == old.serial else "its serial went backwards"
            logs.warning("zone stale", zone=status.zone, serial=new.serial, before=old.serial, problem=what)
            status.problems.append(f"{what}: secondaries won't fetch it")
        self.emit(Published(new.apex, new.serial, moved))

    def _remove_others(self, wanted: Iterable[bytes], totals: LoadTotals) -> None:
        """Zones of the store that have no file any more."""
        with self.store.snapshot() as snapshot:
            gone = [row.apex for row in snapshot.zones() if name.lower(row.apex) not in wanted]
        for apex in gone:
            self.store.remove(apex)
            self.zones.pop(name.lower(apex), None)
            logs.info("zone removed", zone=name.to_text(apex))
            self.emit(Removed(apex))
        for apex in [each for each in self.zones if each not in wanted]:
            del self.zones[apex]
        totals.removed += len(gone)


def is_newer(serial: int, than: int) -> bool:
    """Serial number arithmetic, RFC 1982 §3.2; at exactly half way round neither is newer."""
    return 0 < (serial - than) % (1 << 32) < SERIAL_HALF


def fingerprints(paths: Iterable[Path]) -> list[list[Any]]:
    """What tells a changed file: one that is gone has all zeros."""
    return [_fingerprint(path) for path in paths]


def _fingerprint(path: Path) -> list[Any]:
    try:
        found = path.stat()
    except OSError:
        return [str(path), 0, 0, 0]
    return [str(path), found.st_mtime_ns, found.st_size, found.st_ino]


def _unless_racy(fingerprint: list[Any], read_at_ns: int) -> list[Any]:
    """A file written while it was read, or so shortly before that its time may not show another write, counts as
    changed at the next look."""
    path, mtime_ns, size, inode = fingerprint
    return [path, 0 if mtime_ns > read_at_ns - RACY_NS else mtime_ns, size, inode]


def _paths(noted: dict[str, Any]) -> Iterator[Path]:
    return (Path(each[0]) for each in noted["files"])
