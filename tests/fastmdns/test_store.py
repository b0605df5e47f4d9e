# SPDX-License-Identifier: Apache-2.0
"""What was committed is what every reader sees, whole; changes in place give the zone a rebuild would give."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmdns import image, name
from fastmdns.errors import StoreError, WireError, ZoneError
from fastmdns.records import Records
from fastmdns.store import FORMAT, RRset, Store, ZoneRow
from tests.fastmdns.zones import (
    APEX,
    NS,
    PRIVATE,
    SOA,
    TXT,
    A,
    Form,
    Row,
    delegations,
    messages,
    owners,
    parse,
    records,
    rows,
    soa_rdata,
    txt,
    under,
    wire,
    zone,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store", sync=False) as opened:
        yield opened


def content(store: Store, apex: bytes = APEX) -> list[Row]:
    with store.snapshot() as snapshot:
        row = snapshot.zone(apex)
        assert row is not None
        return list(snapshot.records(row))


def ordered(rows_: list[Row]) -> list[tuple[bytes, int, int, bytes]]:
    return sorted((name.lower(owner), rrtype, ttl, rdata) for owner, rrtype, ttl, rdata in rows_)


def page_sizes(store: Store) -> list[int]:
    with store.snapshot() as snapshot:
        row = snapshot.zone(APEX)
        assert row is not None
        return [len(value) for value in snapshot.pages(row)]


def check_row(store: Store) -> None:
    """The row says what the pages are, and the transfer made of both is one dnspython reads."""
    with store.snapshot() as snapshot:
        row = snapshot.zone(APEX)
        assert row is not None
        pages = [bytes(value) for value in snapshot.pages(row)]
        sent = messages(Form(row.apex, row.head, row.tail), pages)
        received = [record for message in sent for record in parse(message)]
        assert received[:-1] == list(snapshot.records(row))
        assert received[-1] == received[0]
    assert row.record_count == len(received) - 1
    assert (row.page_count, row.octets) == (len(pages), sum(map(len, pages)))
    assert row.largest >= max(map(len, sent))
    assert row.serial == int.from_bytes(received[0][3][-20:-16])


def test_a_published_zone_is_read_back(store: Store) -> None:
    published = delegations(700)
    row = store.publish(published)
    assert ordered(content(store)) == ordered(list(published))
    assert (row.serial, row.expire, row.ready, row.record_count) == (1, 1209600, True, len(published))
    check_row(store)


def test_a_row_is_packed_as_the_header_says() -> None:
    row = ZoneRow(APEX, 3, True, 1, 2, 3, 4, 5, 6, 7, b"head", b"tail!", b"plain.")
    assert ZoneRow.unpack(3, row.pack()) == row
    assert len(row.pack()) == image.ROW_SIZE + len(APEX) + 4 + 5 + 6


@pytest.mark.parametrize("damage", [lambda row: row[:20], lambda row: b"\7" + row[1:], lambda row: row[:-1]])
def test_a_damaged_row_is_an_error(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(StoreError, match="damaged"):
        ZoneRow.unpack(0, damage(ZoneRow(APEX).pack()))


def test_one_rrset_is_found_in_any_case(store: Store) -> None:
    store.publish(zone((under("WWW"), A, 60, b"\x0a\0\0\1"), (under("WWW"), A, 60, b"\x0a\0\0\2")))
    with store.snapshot() as snapshot:
        row = snapshot.zone(name.lower(APEX))
        assert row is not None
        assert snapshot.rrset(row, under("www"), A) == (60, (b"\x0a\0\0\1", b"\x0a\0\0\2"))
        assert snapshot.rrset(row, under("www"), TXT) is None
        assert snapshot.rrset(row, name.lower(APEX), SOA) == (3600, (soa_rdata(),))


def test_an_rrset_of_many_pages_is_found_whole(store: Store) -> None:
    store.publish(zone(*((under("big"), A, 60, number.to_bytes(4)) for number in range(4000))))
    with store.snapshot() as snapshot:
        row = snapshot.zone(APEX)
        assert row is not None
        found = snapshot.rrset(row, under("big"), A)
        assert found == (60, tuple(number.to_bytes(4) for number in range(4000)))


def test_a_new_image_takes_the_place_of_the_old_one(store: Store) -> None:
    first = store.publish(delegations(3000))
    second = store.publish(zone(serial=2))
    assert second.image > first.image
    assert content(store) == [(APEX, SOA, 3600, soa_rdata(2)), (APEX, NS, 300, wire("ns.example.org"))]
    with store.env.begin() as txn:
        assert txn.stat(store.pages)["entries"] == 1


def test_views_are_apart(store: Store) -> None:
    store.publish(zone(serial=1))
    store.publish(zone(serial=2), view=7)
    with store.snapshot() as snapshot:
        found = [(row.view, row.serial) for row in snapshot.zones()]
    assert found == [(0, 1), (7, 2)]


def test_a_zone_that_never_loaded_is_known(store: Store) -> None:
    store.mark_unready(APEX)
    with store.snapshot() as snapshot:
        row = snapshot.zone(APEX)
        assert row is not None and not row.ready
        assert list(snapshot.pages(row)) == []


def test_a_zone_that_fails_to_load_keeps_its_image(store: Store) -> None:
    published = store.publish(zone())
    assert store.mark_unready(APEX) == published


def test_a_removed_zone_leaves_nothing(store: Store) -> None:
    store.publish(delegations(500), source={"file": "x"})
    store.remove(APEX)
    with store.env.begin() as txn:
        assert [txn.stat(table)["entries"] for table in (store.zones, store.pages, store.tables.sources)] == [0, 0, 0]


def test_the_source_of_an_image_is_kept_with_it(store: Store) -> None:
    store.publish(zone(), source={"files": [["a.zone", 1, 2, 3]]})
    with store.snapshot() as snapshot:
        assert snapshot.source(APEX) == {"files": [["a.zone", 1, 2, 3]]}
        assert snapshot.source(wire("other.org")) is None


def test_several_zones_change_in_one_commit(store: Store) -> None:
    other = records([(wire("other"), SOA, 1, soa_rdata(9))], wire("other"))
    with store.snapshot() as before:
        with store.writing() as writing:
            writing.publish(zone())
            writing.publish(other)
        assert list(before.zones()) == []
    with store.snapshot() as after:
        assert {row.serial for row in after.zones()} == {1, 9}


def test_an_error_in_the_block_keeps_everything_as_it_was(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writing() as writing:
        writing.publish(zone())
        raise RuntimeError
    with store.snapshot() as snapshot:
        assert list(snapshot.zones()) == []


def test_a_change_that_failed_halfway_is_not_committed(store: Store) -> None:
    store.publish(zone())
    with pytest.raises(StoreError, match="halfway"), store.writing() as writing, pytest.raises(WireError):
        writing.update(APEX, {(under("x"), A): (1, (b"12345",))})


# Updates in place


def test_an_update_changes_one_page(store: Store) -> None:
    store.publish(delegations(2500))
    with store.snapshot() as snapshot:
        before = {bytes(value) for value in snapshot.pages(snapshot.zone(APEX) or ZoneRow(APEX))}
    store.update(APEX, {(under("dom0001500"), NS): (60, (wire("ns.example.com"),))}, (3600, soa_rdata(2)))
    with store.snapshot() as snapshot:
        row = snapshot.zone(APEX)
        assert row is not None and row.serial == 2
        after = {bytes(value) for value in snapshot.pages(row)}
        assert snapshot.rrset(row, under("dom0001500"), NS) == (60, (wire("ns.example.com"),))
    assert len(before - after) == len(after - before) == 1
    check_row(store)


def test_a_new_serial_touches_no_page(store: Store) -> None:
    store.publish(delegations(500))
    with store.env.begin() as txn:
        before = dict(txn.cursor(store.pages))
    row = store.update(APEX, {}, (60, soa_rdata(5)))
    with store.env.begin() as txn:
        assert dict(txn.cursor(store.pages)) == before
    assert row.serial == 5
    check_row(store)


def test_a_new_name_in_the_soa_rewrites_page_0(store: Store) -> None:
    store.publish(zone((under("www"), A, 60, bytes(4))))
    store.update(APEX, {}, (60, soa_rdata(2, mname="a.b.c.example.com", rname="x.example.org")))
    check_row(store)
    assert len(content(store)) == 3


def test_page_splits_when_an_rrset_grows_past_16k(store: Store) -> None:
    store.publish(zone((under("m"), TXT, 60, txt(9000)), (under("n"), TXT, 60, txt(3000))))
    assert len(page_sizes(store)) == 1
    store.update(APEX, {(under("m"), TXT): (60, (txt(9000), txt(9001)))})
    assert len(page_sizes(store)) == 4  # what was in front of it, two chunks, and what was behind it
    check_row(store)
    store.update(APEX, {(under("m"), TXT): (60, (txt(100),))})
    assert len(page_sizes(store)) == 1
    check_row(store)


def test_a_full_page_splits_evenly(store: Store) -> None:
    store.publish(delegations(3000))
    before = page_sizes(store)
    owner = under("dom0001500")
    store.update(APEX, {(owner, TXT): (60, (txt(500),))})
    after = page_sizes(store)
    assert len(after) == len(before) + 1
    changed = [size for size in after if size not in before]
    assert min(changed) > image.LIMIT // 3
    check_row(store)


def test_pages_that_empty_are_merged(store: Store) -> None:
    store.publish(delegations(3000))
    before = len(page_sizes(store))
    with store.writing() as writing:
        for number in range(3000):
            if number % 20:
                writing.update(APEX, {(under(f"dom{number:07d}"), NS): None})
    assert len(page_sizes(store)) < before / 3
    check_row(store)


def test_all_records_of_a_page_may_go(store: Store) -> None:
    store.publish(delegations(3000))
    gone: dict[tuple[bytes, int], RRset | None] = {(row[0], row[1]): None for row in content(store) if row[1] != SOA}
    row = store.update(APEX, gone)
    assert (row.page_count, row.record_count, page_sizes(store)) == (1, 1, [2])
    check_row(store)


def test_a_record_too_large_for_a_message_is_refused(store: Store) -> None:
    store.publish(zone())
    before = content(store)
    with pytest.raises(ZoneError, match="does not fit"):
        store.update(APEX, {(under("huge"), PRIVATE): (1, (bytes(65530),))})
    assert content(store) == before


@pytest.mark.parametrize("rrtype", [0, -1, 65536 + NS])
def test_a_type_out_of_range_is_refused(store: Store, rrtype: int) -> None:
    store.publish(zone())
    with pytest.raises(WireError, match="from 1 to 65535"):
        store.update(APEX, {(APEX, rrtype): None})


def test_a_record_out_of_zone_is_refused(store: Store) -> None:
    store.publish(zone())
    with pytest.raises(WireError, match="not within"):
        store.update(APEX, {(wire("example.com"), A): (1, (bytes(4),))})


def test_only_zones_with_an_image_are_updated(store: Store) -> None:
    store.mark_unready(APEX)
    with pytest.raises(StoreError, match="no image"):
        store.update(APEX, {})


rrsets = st.one_of(
    st.none(),
    st.tuples(st.just(A), st.sets(st.binary(min_size=4, max_size=4), min_size=1, max_size=30)),
    st.tuples(st.just(NS), st.sets(owners, min_size=1, max_size=3)),
    st.tuples(st.just(TXT), st.sets(st.integers(1, 3000), min_size=1, max_size=4).map(lambda x: {txt(n) for n in x})),
    st.tuples(st.just(PRIVATE), st.sampled_from([{b"r" * 7000, b"s" * 7000, b"t" * 7000}, {b"u" * 60000, b"v"}])),
)
edits = st.lists(st.tuples(st.lists(st.tuples(owners, rrsets), min_size=1, max_size=6), st.booleans()), max_size=12)


def changes_of(
    found: list[tuple[bytes, tuple[int, set[bytes]] | None]], known: list[tuple[bytes, int]]
) -> dict[tuple[bytes, int], RRset | None]:
    """An rrset by owner and type; without one, the deletion of an rrset that is there."""
    changes: dict[tuple[bytes, int], RRset | None] = {}
    for number, (owner, rrset) in enumerate(found):
        if rrset is not None:
            changes[name.lower(owner), rrset[0]] = (60 + number, tuple(sorted(rrset[1])))
        elif known:
            changes[known[len(owner) * 7 % len(known)]] = None
    return changes


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """For examples by the hundred: opening a store waits for the disk."""
    with Store(tmp_path_factory.mktemp("shared"), sync=False) as opened:
        yield opened


@given(st.lists(rows, max_size=30), edits)
@settings(deadline=None, max_examples=100)
def test_edits_in_place_give_the_zone_a_rebuild_gives(
    shared: Store,
    first: list[Row],
    steps: list[tuple[list[tuple[bytes, tuple[int, set[bytes]] | None]], bool]],
) -> None:
    expected: dict[tuple[bytes, int], set[tuple[int, bytes]]] = {}
    start = [(name.lower(owner), *rest) for owner, *rest in first]
    for owner, rrtype, ttl, rdata in [*start, (APEX.lower(), NS, 300, wire("ns.example.org"))]:
        expected.setdefault((owner, rrtype), set()).add((ttl, rdata))
    shared.publish(zone(*start))
    for serial, (found, renamed) in enumerate(steps):
        changes = changes_of(found, sorted(expected))
        soa = soa_rdata(serial, mname="other.example.org" if renamed else "ns.example.org")
        shared.update(APEX, changes, (3600, soa))
        for key, rrset in changes.items():
            expected.pop(key, None)
            if rrset is not None:
                expected[key] = {(rrset[0], rdata) for rdata in rrset[1]}
        got = content(shared)
        assert got[0] == (APEX, SOA, 3600, soa)
        rebuilt = [(*key, *record) for key, found_ in expected.items() for record in found_]
        assert ordered(got[1:]) == sorted(rebuilt)
    check_row(shared)


# Readers


def test_a_reader_sees_one_version_while_the_zone_changes(store: Store) -> None:
    store.publish(delegations(2000))
    with store.snapshot() as snapshot:
        row = snapshot.zone(APEX)
        assert row is not None
        pages = snapshot.pages(row)
        seen = [bytes(next(pages))]
        store.update(APEX, {(under("dom0001000"), NS): None}, (1, soa_rdata(2)))
        store.publish(zone(serial=3))
        seen += [bytes(value) for value in pages]
        assert len(seen) == row.page_count
        assert snapshot.zone(APEX) == row
    assert len(content(store)) == 2


def test_another_process_reads_what_is_committed(store: Store) -> None:
    store.publish(zone(serial=41))
    program = f"""
        from fastmdns.store import Store
        store = Store({str(store.path)!r}, readonly=True)
        for line in iter(input, "end"):
            with store.snapshot() as snapshot:
                print(next(snapshot.zones()).serial, flush=True)
    """
    with python(program, stdin=subprocess.PIPE) as reader:
        assert reader.stdin is not None and reader.stdout is not None
        for serial in (41, 42, 43):
            store.update(APEX, {}, (1, soa_rdata(serial)))
            print(file=reader.stdin, flush=True)
            assert reader.stdout.readline() == f"{serial}\n"
        print("end", file=reader.stdin, flush=True)
        assert reader.wait(20) == 0


def python(program: str, **options: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], **options)


def test_a_dead_readers_pages_are_freed(store: Store) -> None:
    store.publish(zone())
    program = f"""
        import time
        from fastmdns.store import Store
        store = Store({str(store.path)!r}, readonly=True)
        txn = store.begin()
        print("reading", flush=True)
        time.sleep(60)
    """
    with python(program) as reader:
        assert reader.stdout is not None and reader.stdout.readline() == "reading\n"
        assert store.reader_check() == 0
        reader.send_signal(signal.SIGKILL)
        reader.wait(20)
    assert store.reader_check() == 1


def test_many_transactions_may_be_open_at_once(store: Store) -> None:
    store.publish(zone())
    held = [store.begin() for _ in range(2000)]
    assert {txn.get(b"\0\0" + name.lower(APEX), None, store.zones) is not None for txn in held} == {True}
    for txn in held:
        txn.abort()


# The map


def test_the_map_grows_when_it_is_full(tmp_path: Path) -> None:
    with Store(tmp_path, sync=False, map_size=1 << 16) as store:
        with store.writing() as writing:
            writing.publish(records([(wire("other"), SOA, 1, soa_rdata())], wire("other")))
            writing.publish(delegations(3_000))
        store.update(APEX, {(under(f"x{number}"), TXT): (1, (txt(9000),)) for number in range(300)})
        check_row(store)
        used, size = store.space()
        assert 1 << 16 < used <= size
        with store.snapshot() as snapshot:
            assert len(list(snapshot.zones())) == 2


def test_a_store_at_its_limit_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    with Store(tmp_path, sync=False, map_size=1 << 18, max_size=1 << 18) as store:
        store.publish(zone(serial=7))
        with pytest.raises(StoreError, match="full: it may hold 262144 octets"):
            store.publish(delegations(9_000))
        assert content(store)[0] == (APEX, SOA, 3600, soa_rdata(7))
        store.publish(zone(serial=8))


def test_a_reader_takes_a_smaller_map_where_address_space_is_limited(store: Store) -> None:
    store.publish(zone())
    program = f"""
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        from fastmdns.store import Store
        with Store({str(store.path)!r}, readonly=True) as reader, reader.snapshot() as snapshot:
            print(next(snapshot.zones()).serial)
    """
    with python(program) as reader:
        assert reader.communicate(timeout=30)[0] == "1\n"


def test_a_reader_outlives_the_growth_of_the_map(tmp_path: Path) -> None:
    with Store(tmp_path, sync=False, map_size=1 << 16) as store:
        store.publish(zone())
        program = f"""
            import fastmdns.store
            fastmdns.store.READER_MAP = fastmdns.store.FIRST_MAP = 1 << 16
            store = fastmdns.store.Store({str(tmp_path)!r}, readonly=True)
            store.begin().abort()
            print("ready", flush=True)
            input()
            store.begin().abort()
            with store.snapshot() as snapshot:
                print(next(snapshot.zones()).record_count, flush=True)
        """
        with python(program, stdin=subprocess.PIPE) as reader:
            assert reader.stdin is not None and reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
            row = store.publish(delegations(3_000))
            print(file=reader.stdin, flush=True)
            assert reader.stdout.readline() == f"{row.record_count}\n"


def test_the_store_does_not_grow_with_every_reload(store: Store) -> None:
    zone_records = delegations(45_000)
    used = []
    for _ in range(50):
        store.publish(zone_records)
        used.append(store.space()[0])
    assert len(zone_records) > 90_000
    assert used[-1] == used[5]


# Opening


def test_a_synced_store_makes_up_for_a_writer_that_died_unsynced(tmp_path: Path) -> None:
    kill_a_writer(tmp_path, 2, 0)
    assert (tmp_path / "unsynced").exists()
    with Store(tmp_path, sync=True) as store:
        assert not (tmp_path / "unsynced").exists()
        assert content(store)[0][3] >= soa_rdata(2)


def test_a_second_writer_is_told_who_the_first_one_is(store: Store) -> None:
    program = f"""
        from fastmdns.store import Store
        Store({str(store.path)!r})
    """
    with python(program, stderr=subprocess.PIPE) as second:
        error = second.communicate(timeout=30)[1]
    assert f"is being written by process {os.getpid()}" in error


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with lmdb.open(str(tmp_path), max_dbs=8) as env, env.begin(write=True) as txn:
        txn.put(b"format", (FORMAT + 6).to_bytes(4), db=env.open_db(b"meta", txn))
    for readonly in (False, True):
        with pytest.raises(StoreError, match=rf"has format {FORMAT + 6}, this program reads {FORMAT}"):
            Store(tmp_path, readonly=readonly)


def test_a_store_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="store"):
        Store(tmp_path / "missing", readonly=True)
    (tmp_path / "data.mdb").write_bytes(b"no store" * 4096)
    with pytest.raises(StoreError, match="store"):
        Store(tmp_path)


def test_a_store_for_reading_writes_nothing(store: Store) -> None:
    store.publish(zone())
    program = f"""
        from fastmdns.store import Store
        Store({str(store.path)!r}, readonly=True).remove(b"\\0")
    """
    with python(program, stderr=subprocess.PIPE) as reader:
        assert "open for reading only" in reader.communicate(timeout=30)[1]


def test_a_store_that_lost_power_while_unsynced_begins_anew(tmp_path: Path) -> None:
    with Store(tmp_path, sync=False) as store:
        store.publish(zone())
        mark = (tmp_path / "unsynced").read_text()
    (tmp_path / "unsynced").write_text("the boot before")
    with pytest.raises(StoreError, match="power"):
        Store(tmp_path, readonly=True)
    with Store(tmp_path) as store, store.snapshot() as snapshot:
        assert list(snapshot.zones()) == []
    assert mark == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_a_synced_store_survives_the_loss_of_power(tmp_path: Path) -> None:
    with Store(tmp_path, sync=False) as store:
        store.publish(zone())
        store.flush()
        assert not (tmp_path / "unsynced").exists()
        store.publish(zone(serial=2))
        assert (tmp_path / "unsynced").exists()
    with Store(tmp_path) as store:
        store.publish(zone(serial=3))
        assert not (tmp_path / "unsynced").exists()
        assert len(content(store)) == 2


# Death of the writer


def version(serial: int) -> Records:
    """A zone whose every record tells its serial."""
    stamp = serial.to_bytes(4)
    hosts = [(under(f"n{number:04d}"), A, 60, stamp) for number in range(700 + serial % 400)]
    return zone(*hosts, (under("stamp"), A, 60, stamp), serial=serial)


def publish_until_killed(path: Path, tell: int) -> None:
    """Whole images and updates in place, in turn; each update writes its serial into one record. Tells every commit."""
    with Store(path, sync=False) as store:
        with store.snapshot() as snapshot:
            serial = max((row.serial for row in snapshot.zones()), default=0)
        while True:
            serial += 1
            if serial % 3 == 1:
                store.publish(version(serial))
            else:
                store.update(APEX, {(under("stamp"), A): (60, (serial.to_bytes(4),))}, (3600, soa_rdata(serial)))
            os.write(tell, b"!")


def kill_a_writer(path: Path, commits: int, after: float) -> None:
    """Kill it some time after so many commits."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            publish_until_killed(path, tell)
        finally:
            os._exit(1)
    os.close(tell)
    try:
        for _ in range(commits):
            assert os.read(told, 1) == b"!"
        time.sleep(after)  # not for something to happen: the moment of death is what varies
    finally:
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        os.close(told)


def test_a_killed_writer_leaves_a_version_it_published(tmp_path: Path) -> None:
    moments = random.Random(2)
    seen = set()
    for _ in range(200):
        kill_a_writer(tmp_path, moments.randint(0, 4), moments.uniform(0, 0.003))
        with Store(tmp_path, sync=False) as store, store.snapshot() as snapshot:
            row = snapshot.zone(APEX)
            if row is None:  # killed before the first commit
                continue
            found = list(snapshot.records(row))
            base = (row.serial - 1) // 3 * 3 + 1
            changed = {(APEX, SOA): soa_rdata(row.serial), (under("stamp"), A): row.serial.to_bytes(4)}
            expected = [(*record[:3], changed.get(record[:2], record[3])) for record in version(base)]
            assert ordered(found) == ordered(expected)
            assert row.record_count == len(found)
            seen.add(row.serial)
    assert len(seen) > 150
