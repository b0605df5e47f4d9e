# SPDX-License-Identifier: Apache-2.0
"""The zone store: one LMDB environment per host, one process that writes it, any number that read.

Promised: a reader sees one version of every zone for as long as its transaction lives, and waits for nobody. A commit
is seen whole or not at all, also after `kill -9` of the writer. Several zones may change in one commit.

Power loss. With sync=True each commit is on the disk before it returns. With sync=False it is only in the page cache:
safe from every death of the process, since the kernel keeps it, but a power cut may keep a later page and lose an
earlier one, and LMDB can't tell. So before the first commit that is not synced, a file `unsynced` with the boot id of
the machine is made durable; flush() syncs the data and then takes the file away. Who opens the store and finds the file
of another boot knows that power went while data was in flight, and starts with an empty store: it is derived data, and
rebuilding it from the zone files is cheaper than trusting it. The file of this boot means only a dead process.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from threading import Condition, Lock
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar, cast

import lmdb

from fastmdns import image, name
from fastmdns.errors import StoreError
from fastmdns.records import Records

FORMAT = 1  # of the whole store; raised with every change to what a table holds
MAX_READERS = 4096  # one per running transfer, and one per process besides
FIRST_MAP = 1 << 30
# A reader's map is address space and nothing else, so it takes more than any writer will grow to: changing the size of
# a map ends all transactions of the process, and with them its running transfers.
READER_MAP = 1 << 40
GROW_TIMEOUT = 10.0  # seconds
MERGE_BELOW = image.LIMIT // 4  # a page that an update leaves smaller is joined with a neighbour
MERGE_SLACK = 1024  # page 0 has less room: header, question and two SOA records lie around it
SOA = 6

_HEADER = struct.Struct("<BBHHHIIIIQQIB")  # image.pxd's ZoneHeader
_ROW_FORMAT = 1
_READY = 1
_NEXT_IMAGE = b"next image"
_FORMAT = b"format"
_TURN = b"turn"

RRset = tuple[int, tuple[bytes, ...]]  # the TTL, and each record's rdata
Key = tuple[bytes, int]  # owner and type of an rrset
ReadTxn: TypeAlias = "lmdb.Transaction[memoryview]"
WriteTxn: TypeAlias = "lmdb.Transaction[bytes]"
Row = TypeVar("Row", bound="ZoneRow | None")


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """What the store holds of a zone beside its pages. Without ready, it is known and nothing else."""

    apex: bytes  # case as in the zone's SOA record
    view: int = 0
    ready: bool = False
    serial: int = 0
    image: int = 0
    page_count: int = 0
    largest: int = 0  # octets of the largest message; after updates in place possibly less than this
    record_count: int = 0
    octets: int = 0  # of all pages
    expire: int = 0
    head: bytes = b""
    tail: bytes = b""
    plain: bytes = b""

    @property
    def prefix(self) -> bytes:
        """What stands in front of page 0: header (empty), question, head."""
        return bytes(12) + self.apex + b"\0\xfc\0\1" + self.head

    @property
    def first_key(self) -> bytes:
        """The key of page 0, and what all keys of the image begin with."""
        return self.image.to_bytes(4)

    def pack(self) -> bytes:
        header = _HEADER.pack(
            _ROW_FORMAT,
            _READY * self.ready,
            len(self.head),
            len(self.tail),
            len(self.plain),
            self.serial,
            self.image,
            self.page_count,
            self.largest,
            self.record_count,
            self.octets,
            self.expire,
            len(self.apex),
        )
        return header + self.apex + self.head + self.tail + self.plain

    @classmethod
    def unpack(cls, view: int, value: bytes | memoryview) -> Self:
        if len(value) < _HEADER.size or value[0] != _ROW_FORMAT:
            raise StoreError("a row of the store's zones is damaged")
        fields = _HEADER.unpack_from(value)
        _, flags, head, tail, plain, serial, image_id, pages, largest, records, octets, expire, apex = fields
        rest = bytes(value[_HEADER.size :])
        if len(rest) != apex + head + tail + plain:
            raise StoreError("a row of the store's zones is damaged")
        ends = list(accumulate((apex, head, tail, plain)))
        octets_of = [rest[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        return cls(
            octets_of[0],
            view,
            bool(flags & _READY),
            serial,
            image_id,
            pages,
            largest,
            records,
            octets,
            expire,
            *octets_of[1:],
        )


def zone_key(apex: bytes, view: int = 0) -> bytes:
    """Of the table zones, and of sources."""
    return view.to_bytes(2) + name.lower(apex)


def _row_with(row: ZoneRow, soa: image.Soa, largest: int) -> ZoneRow:
    """The row with the SOA's facts; largest is that of the messages without a closing SOA."""
    tail = soa.tail(row.page_count)
    largest = largest + len(tail) if row.page_count == 1 else max(largest, 12 + len(tail))
    return replace(
        row, serial=soa.serial, expire=soa.expire, head=soa.head, tail=tail, plain=soa.plain, largest=largest
    )


class Tables(NamedTuple):
    """The named databases of the environment."""

    zones: lmdb._Database
    pages: lmdb._Database
    deltas: lmdb._Database
    meta: lmdb._Database
    sources: lmdb._Database


class Snapshot:
    """One version of the whole store. What it hands out as a view is valid only until it is closed."""

    def __init__(self, txn: ReadTxn, tables: Tables) -> None:
        self._txn = txn
        self._tables = tables

    def zone(self, apex: bytes, view: int = 0) -> ZoneRow | None:
        value = self._txn.get(zone_key(apex, view), None, self._tables.zones)
        return None if value is None else ZoneRow.unpack(view, value)

    def zones(self) -> Iterator[ZoneRow]:
        for key, value in self._txn.cursor(self._tables.zones):
            yield ZoneRow.unpack(int.from_bytes(key[:2]), value)

    def source(self, apex: bytes, view: int = 0) -> Any:
        """What publish() was given as the source of the zone's image, or None."""
        value = self._txn.get(zone_key(apex, view), None, self._tables.sources)
        return None if value is None else json.loads(bytes(value))

    def pages(self, row: ZoneRow) -> Iterator[memoryview]:
        """The values of the zone's pages, in order."""
        for _, value in _all_pages(self._txn.cursor(self._tables.pages), row):
            yield value

    def records(self, row: ZoneRow) -> Iterator[tuple[bytes, int, int, bytes]]:
        """(owner, rrtype, ttl, rdata) of each record in canonical order, but the SOA comes first."""
        apex, ttl, rdata = image.split_soa(row.plain)
        yield apex, SOA, ttl, rdata
        prefix = row.prefix
        for value in self.pages(row):
            yield from image.decode(value, row.apex, prefix)
            prefix = b""

    def rrset(self, row: ZoneRow, owner: bytes, rrtype: int) -> RRset | None:
        """The TTL and the rdata of the records of this type at owner, in whatever case."""
        wanted = name.lower(owner)
        if rrtype == SOA:
            apex, ttl, rdata = image.split_soa(row.plain)
            return (ttl, (rdata,)) if name.lower(apex) == wanted else None
        found: list[tuple[int, bytes]] = []
        for key, value in _run(self._txn.cursor(self._tables.pages), row, image.rrset_key(owner, rrtype)):
            records = image.decode(value, row.apex, row.prefix if key == row.first_key else b"")
            found += [
                (record[2], record[3]) for record in records if record[1] == rrtype and name.lower(record[0]) == wanted
            ]
        return (found[0][0], tuple(rdata for _, rdata in found)) if found else None


def _all_pages(cursor: lmdb.Cursor[Any], row: ZoneRow) -> Iterator[tuple[bytes, Any]]:
    """(key, value) of each page of the row's image."""
    more = row.ready and cursor.set_range(row.first_key)
    while more and bytes(cursor.key()[:4]) == row.first_key:
        yield bytes(cursor.key()), cursor.value()
        more = cursor.next()


def _seek(cursor: lmdb.Cursor[Any], row: ZoneRow, key: bytes) -> None:
    """Put the cursor on the page where the rrset with this key is, or would be."""
    wanted = row.first_key + key
    if not cursor.set_range(wanted):
        cursor.last()
    elif bytes(cursor.key()) != wanted:
        cursor.prev()
    if bytes(cursor.key()[:4]) != row.first_key:
        raise StoreError(f"the store has no page 0 of {name.to_text(row.apex)}")


def _run(cursor: lmdb.Cursor[Any], row: ZoneRow, key: bytes) -> Iterator[tuple[bytes, Any]]:
    """The page where an rrset is, or would be, and the pages that go on with the rrset it ends with."""
    _seek(cursor, row, key)
    yield bytes(cursor.key()), cursor.value()
    while _next(cursor, row) and image.begins_chunk(bytes(cursor.key()[4:]), cursor.value()):
        yield bytes(cursor.key()), cursor.value()


def _next(cursor: lmdb.Cursor[Any], row: ZoneRow) -> bool:
    return cursor.next() and bytes(cursor.key()[:4]) == row.first_key


class Edit(NamedTuple):
    """What becomes of one rrset."""

    key: bytes  # image.rrset_key() of owner and type
    owner: bytes
    rrtype: int
    rrset: RRset | None

    @classmethod
    def all_of(cls, changes: Mapping[Key, RRset | None]) -> list[Self]:
        """The changes in the order of the pages."""
        if any(rrtype == SOA for _, rrtype in changes):
            raise ValueError("the SOA record is no change of an rrset")
        return sorted(cls(image.rrset_key(*key), *key, rrset) for key, rrset in changes.items())

    def records(self) -> Iterator[tuple[bytes, int, int, bytes]]:
        ttl, rdatas = self.rrset or (0, ())
        return ((self.owner, self.rrtype, ttl, rdata) for rdata in rdatas)


class Updater:
    """Changes one zone's pages in place: those an rrset is in are decoded, changed and encoded again."""

    def __init__(self, txn: WriteTxn, tables: Tables, builder: image.Builder, row: ZoneRow) -> None:
        self._txn = txn
        self._tables = tables
        self._builder = builder
        self._soa = builder.soa(*image.split_soa(row.plain))
        self._prefix = row.prefix  # of page 0 as it is in the store
        self._largest = 0 if row.page_count == 1 else row.largest
        self._row = row

    def apply(self, edits: list[Edit], soa: tuple[int, bytes] | None) -> ZoneRow:
        """The new row. edits are sorted."""
        old = self._soa
        if soa is not None:
            self._soa = self._builder.soa(old.apex, *soa)
        if not self._soa.same_names(old):
            edits = self._rewrite(b"", edits)
        while edits:
            edits = self._rewrite(edits[0].key, edits)
        if self._row.page_count == 1:
            self._largest = len(self._soa.prefix) + self._row.octets - 2
        return _row_with(self._row, self._soa, self._largest)

    def _rewrite(self, key: bytes, edits: list[Edit]) -> list[Edit]:
        """Rewrite the run of pages at key with the edits that concern it, the first ones. Those that are left."""
        first_key = self._row.first_key
        cursor = self._txn.cursor(self._tables.pages)
        run = list(_run(cursor, self._row, key))
        behind = cursor.item() if cursor.key()[:4] == first_key else None
        mine = [edit for edit in edits if behind is None or first_key + edit.key < behind[0]]
        pages = self._encode(run, mine)
        if len(pages) < 2 and pages.octets < MERGE_BELOW:
            run = self._join(cursor, run, behind, pages.octets)
            pages = self._encode(run, mine)
        self._replace(run, pages)
        return edits[len(mine) :]

    def _encode(self, run: list[tuple[bytes, bytes]], edits: list[Edit]) -> image.Pages:
        prefix = self._prefix if run[0][0] == self._row.first_key else b""
        added = (record for edit in edits for record in edit.records())
        return self._builder.rewrite(
            self._soa, [value for _, value in run], prefix, [edit.key for edit in edits], added
        )

    def _join(
        self,
        cursor: lmdb.Cursor[bytes],
        run: list[tuple[bytes, bytes]],
        behind: tuple[bytes, bytes] | None,
        octets: int,
    ) -> list[tuple[bytes, bytes]]:
        """The run and those of its neighbours that fit into one page with what will be left of it."""
        room = image.LIMIT - MERGE_SLACK - octets
        if behind is not None and len(behind[1]) <= room:
            run = [*run, behind]
            room -= len(behind[1])
        if run[0][0] != self._row.first_key and cursor.set_key(run[0][0]) and cursor.prev():
            before = cursor.item()
            if len(before[1]) <= room:
                run = [before, *run]
        return run

    def _replace(self, run: list[tuple[bytes, bytes]], pages: image.Pages) -> None:
        """Store the pages where the run was, and count what changed."""
        first_key, row = run[0][0], self._row
        items = pages.items(row.first_key)
        fresh = {first_key if index == 0 else key: value for index, (key, value) in enumerate(items)}
        for key, _ in run:
            if key not in fresh:
                self._txn.delete(key, db=self._tables.pages)
        for key, value in fresh.items():
            self._txn.put(key, value, db=self._tables.pages)
        if first_key == row.first_key:
            self._prefix = self._soa.prefix
        self._largest = max(self._largest, pages.largest)
        self._row = replace(
            row,
            page_count=row.page_count + len(items) - len(run),
            record_count=row.record_count + pages.record_count - sum(int.from_bytes(value[:2]) for _, value in run),
            octets=row.octets + pages.octets - sum(len(value) for _, value in run),
        )


Change = Callable[[WriteTxn], ZoneRow | None]


class Writing:
    """Changes of any number of zones, committed together by the with statement of Store.writing().

    A change that fails halfway (ZoneError of update()) can't be part of a commit: it must end the with block.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._txn: WriteTxn | None = None
        self._done: list[Change] = []  # to be done again if the map must grow
        self._broken = False

    def publish(self, records: Records, *, view: int = 0, source: Any = None) -> ZoneRow:
        """Store a new image of the zone in the place of the one it has. ZoneError where a record fits no message."""
        return self.publish_image(self._store.builder.build(records), view=view, source=source)

    def publish_image(self, built: image.Image, *, view: int = 0, source: Any = None) -> ZoneRow:
        """The same for an image that builder.build() made before."""
        return self._do(partial(self._publish, built, view, source))

    def update(
        self, apex: bytes, changes: Mapping[Key, RRset | None], soa: tuple[int, bytes] | None = None, *, view: int = 0
    ) -> ZoneRow:
        """Replace, insert or (None) delete rrsets by (owner, type), and the SOA's TTL and rdata, in place.

        The cost follows the change, not the zone.
        """
        return self._do(partial(self._update, apex, Edit.all_of(changes), soa, view))

    def mark_unready(self, apex: bytes, *, view: int = 0) -> ZoneRow:
        """Make a zone known that could not be loaded. One that has an image keeps it."""
        return self._do(partial(self._mark_unready, apex, view))

    def remove(self, apex: bytes, *, view: int = 0) -> None:
        """Forget the zone."""
        self._do(partial(self._remove, apex, view))

    def _publish(self, built: image.Image, view: int, source: Any, txn: WriteTxn) -> ZoneRow:
        tables, key = self._store.tables, zone_key(built.soa.apex, view)
        number = int.from_bytes(txn.get(_NEXT_IMAGE, b"\0\0\0\1", tables.meta))
        row = ZoneRow(
            built.soa.apex,
            view,
            True,
            image=number,
            page_count=len(built.pages),
            record_count=built.pages.record_count + 1,
            octets=built.pages.octets,
        )
        row = _row_with(row, built.soa, built.pages.largest)
        self._delete_pages(txn, key, view)
        items = built.pages.items(row.first_key)
        if txn.cursor(tables.pages).putmulti(items, append=True)[1] != len(items):
            raise StoreError("the store holds pages of images that are yet to come")
        txn.put(_NEXT_IMAGE, (number + 1).to_bytes(4), db=tables.meta)
        txn.put(key, row.pack(), db=tables.zones)
        txn.put(key, json.dumps(source).encode(), db=tables.sources)
        return row

    def _update(
        self, apex: bytes, edits: list[Edit], soa: tuple[int, bytes] | None, view: int, txn: WriteTxn
    ) -> ZoneRow:
        tables, key = self._store.tables, zone_key(apex, view)
        value = txn.get(key, None, tables.zones)
        row = ZoneRow.unpack(view, value) if value is not None else None
        if row is None or not row.ready:
            raise StoreError(f"the store has no image of {name.to_text(apex)}")
        row = Updater(txn, tables, self._store.builder, row).apply(edits, soa)
        txn.put(key, row.pack(), db=tables.zones)
        return row

    def _mark_unready(self, apex: bytes, view: int, txn: WriteTxn) -> ZoneRow:
        tables, key = self._store.tables, zone_key(apex, view)
        value = txn.get(key, None, tables.zones)
        if value is not None:
            return ZoneRow.unpack(view, value)
        row = ZoneRow(apex, view)
        txn.put(key, row.pack(), db=tables.zones)
        return row

    def _remove(self, apex: bytes, view: int, txn: WriteTxn) -> None:
        tables, key = self._store.tables, zone_key(apex, view)
        self._delete_pages(txn, key, view)
        txn.delete(key, db=tables.zones)
        txn.delete(key, db=tables.sources)

    def _delete_pages(self, txn: WriteTxn, key: bytes, view: int) -> None:
        """The pages of the image the zone has so far."""
        value = txn.get(key, None, self._store.tables.zones)
        if value is None:
            return
        row = ZoneRow.unpack(view, value)
        cursor = txn.cursor(self._store.tables.pages)
        more = row.ready and cursor.set_range(row.first_key)
        while more and cursor.key()[:4] == row.first_key:
            more = cursor.delete() and cursor.key() != b""

    def _do(self, change: Callable[[WriteTxn], Row]) -> Row:
        """Do one change; where the map is full, do it and all before it again in a larger one."""
        self._broken = True
        while True:
            try:
                txn = self._begin()
                result = change(txn)
                break
            except lmdb.MapFullError:
                self._grow()
        self._done.append(cast(Change, change))
        self._broken = False
        return result

    def _begin(self) -> WriteTxn:
        """The running transaction; a new one catches up with what was done in the one that ended."""
        if self._txn is None:
            self._txn = self._store.env.begin(write=True)
            for change in self._done:
                change(self._txn)
        return self._txn

    def _grow(self) -> None:
        self.abort()
        self._store.grow()

    def commit(self) -> None:
        if self._broken:
            self.abort()
            raise StoreError("a change failed halfway, so nothing of this commit is kept")
        while self._done:
            try:
                txn = self._begin()
                with self._store.committing():
                    self._txn = None
                    txn.commit()
                return
            except lmdb.MapFullError:
                self._grow()

    def abort(self) -> None:
        txn, self._txn = self._txn, None
        if txn is not None:
            txn.abort()


class Unsynced:
    """The file that says that commits may not be on the disk yet, and of which boot (see the module's docstring)."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "unsynced"
        self._marked = False
        self._in_flight = False
        self._commits = 0
        self._lock = Lock()

    def is_foreign(self) -> bool:
        """True where the machine has been started anew since the data was written."""
        try:
            return self._path.read_text() != _boot_id()
        except FileNotFoundError:
            return False

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Around a commit that is not synced."""
        with self._lock:
            if not self._marked:
                self._mark()
            self._in_flight = True
        try:
            yield
        finally:
            with self._lock:
                self._in_flight = False
                self._commits += 1

    def adopt(self) -> bool:
        """Take over the file of a process of this boot, if there is one."""
        self._marked = self._path.exists()
        return self._marked

    def clear(self, sync: Callable[[], None]) -> None:
        """Sync, and take the file away unless a commit came meanwhile."""
        with self._lock:
            commits, busy = self._commits, self._in_flight
        sync()
        with self._lock:
            if not busy and not self._in_flight and commits == self._commits:
                self._path.unlink(missing_ok=True)
                self._marked = False

    def _mark(self) -> None:
        """Whole or not at all: a reader that opens the store meanwhile must not take an empty file for another boot."""
        beside = self._path.with_suffix(".new")
        with beside.open("w") as file:
            file.write(_boot_id())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        _sync_folder(self._path.parent)
        self._marked = True


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Store:
    """The store in a folder. Open it after the fork, once per process; only one process at a time may write it.

    Readers: snapshot(), or for a server begin(), a bare read transaction whose default table is zones, with `pages` as
    the other table it needs. It must be given back by abort(); the next begin() then costs no more than a renewal.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        readonly: bool = False,
        map_size: int = FIRST_MAP,
        max_size: int = READER_MAP,
        sync: bool = True,
    ) -> None:
        """map_size is where the map begins, max_size where it ends and a commit fails with StoreError."""
        self.path = Path(path)
        self.builder = image.Builder()
        self._max_size = max_size
        self._sync = sync
        self._unsynced = Unsynced(self.path)
        self._writing = Lock()
        self._idle = Condition()  # guards _snapshots: no snapshot while the map changes its size
        self._snapshots = 0
        with _store_errors(self.path):
            self._lock = None if readonly else _lock_folder(self.path)
            try:
                self.env = self._open_reader() if readonly else self._open_writer(map_size)
                self.tables = self._open_tables(readonly)
            except BaseException:
                self._unlock()
                raise
        self.zones, self.pages = self.tables.zones, self.tables.pages

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._lock is not None and not self._sync:
            self.flush()
        self.env.close()
        self._unlock()

    def begin(self) -> ReadTxn:
        try:
            return self.env.begin(self.zones, None, False, True)
        except lmdb.MapResizedError:
            self._adopt_size()
            return self.env.begin(self.zones, None, False, True)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self._idle:
            txn = self.begin()
            self._snapshots += 1
        try:
            yield Snapshot(txn, self.tables)
        finally:
            txn.abort()
            with self._idle:
                self._snapshots -= 1
                self._idle.notify_all()

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Changes in the with block are committed at its end, all or none."""
        if self._lock is None:
            raise StoreError(f"the store {self.path} is open for reading only")
        with self._writing, _store_errors(self.path):
            self.env.reader_check()
            writing = Writing(self)
            try:
                yield writing
                writing.commit()
            finally:
                writing.abort()

    def publish(self, records: Records, *, view: int = 0, source: Any = None) -> ZoneRow:
        with self.writing() as writing:
            return writing.publish(records, view=view, source=source)

    def update(
        self, apex: bytes, changes: Mapping[Key, RRset | None], soa: tuple[int, bytes] | None = None, *, view: int = 0
    ) -> ZoneRow:
        with self.writing() as writing:
            return writing.update(apex, changes, soa, view=view)

    def mark_unready(self, apex: bytes, *, view: int = 0) -> ZoneRow:
        with self.writing() as writing:
            return writing.mark_unready(apex, view=view)

    def remove(self, apex: bytes, *, view: int = 0) -> None:
        with self.writing() as writing:
            writing.remove(apex, view=view)

    def flush(self) -> None:
        """With sync=False: bring all commits to the disk. May run beside a commit."""
        with _store_errors(self.path):
            self._unsynced.clear(lambda: self.env.sync(True))

    def turn_over(self) -> None:
        """A commit of nothing but its number. LMDB uses pages again from the second commit after the one that freed
        them, so a store at its limit takes after this what it refused before."""
        with self._writing, _store_errors(self.path):
            self.env.reader_check()
            with self.committing(), self.env.begin(write=True) as txn:
                txn.put(_TURN, txn.id().to_bytes(8), db=self.tables.meta)

    def reader_check(self) -> int:
        """Free the slots, and so the pages, of readers that died. How many."""
        return self.env.reader_check()

    def space(self) -> tuple[int, int]:
        """Octets in use, pages of old images that readers hold or that wait for reuse included, and of the map."""
        info = self.env.info()
        return (info["last_pgno"] + 1) * self.env.stat()["psize"], info["map_size"]

    def committing(self) -> AbstractContextManager[None]:
        return nullcontext() if self._sync else self._unsynced.commit()

    def grow(self) -> None:
        """Double the map. Waits for this process's snapshots, because a new map ends every transaction of the old."""
        size = self.env.info()["map_size"]
        if size >= self._max_size:
            raise StoreError(f"the store {self.path} is full: it may hold {self._max_size} octets")
        with self._idle:
            if not self._idle.wait_for(lambda: self._snapshots == 0, GROW_TIMEOUT):
                raise StoreError(f"the map of {self.path} is full and can't grow while this process holds a snapshot")
            self.env.set_mapsize(min(2 * size, self._max_size))

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _open_reader(self) -> lmdb.Environment:
        if self._unsynced.is_foreign():
            raise StoreError(f"the store {self.path} was cut off from power; its writer must open it first")
        size = READER_MAP
        while True:
            try:
                return lmdb.open(str(self.path), size, readonly=True, create=False, **_ENVIRONMENT)
            except lmdb.MemoryError:  # address space is limited (ulimit -v)
                if size <= FIRST_MAP:
                    raise
                size //= 2

    def _open_writer(self, map_size: int) -> lmdb.Environment:
        if self._unsynced.is_foreign():
            for file in ("data.mdb", "lock.mdb", "unsynced"):
                (self.path / file).unlink(missing_ok=True)
        env = lmdb.open(str(self.path), map_size, sync=self._sync, mode=0o640, **_ENVIRONMENT)
        if self._unsynced.adopt() and self._sync:
            self._unsynced.clear(lambda: env.sync(True))
        return env

    def _open_tables(self, readonly: bool) -> Tables:
        meta = self.env.open_db(b"meta", create=not readonly)
        with self.env.begin(write=not readonly) as txn:
            found = txn.get(_FORMAT, None, meta)
            if found is None and not readonly:
                txn.put(_FORMAT, FORMAT.to_bytes(4), db=meta)
            elif found != FORMAT.to_bytes(4):
                raise StoreError(
                    f"the store {self.path} has format {int.from_bytes(found or b'')}, this program reads {FORMAT}: "
                    "move it away, it will be built anew"
                )
        return Tables(*(self.env.open_db(table.encode(), create=not readonly) for table in Tables._fields))

    def _adopt_size(self) -> None:
        """The writer has grown the store beyond this process's map."""
        pid = str(os.getpid())
        for line in self.env.readers().splitlines():
            fields = line.split()
            if fields and fields[0] == pid and fields[-1] != "-":
                raise StoreError(f"the store {self.path} has outgrown this process's map, which is in use")
        self.env.set_mapsize(0)


_ENVIRONMENT: dict[str, Any] = {"max_dbs": 8, "max_readers": MAX_READERS, "max_spare_txns": 1}


def _lock_folder(path: Path) -> int:
    """The right to write the store, until the descriptor is closed or the process is gone."""
    path.mkdir(mode=0o750, parents=True, exist_ok=True)
    lock = os.open(path / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(lock, 20, 0).decode().strip()
        os.close(lock)
        raise StoreError(f"the store {path} is being written by process {pid}") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


@contextmanager
def _store_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (lmdb.Error, OSError) as error:
        raise StoreError(f"the store {path}: {error}") from error
