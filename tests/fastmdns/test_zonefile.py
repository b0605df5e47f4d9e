# SPDX-License-Identifier: Apache-2.0
"""Zone files: what each rule of the master format means, and what is said of a file that breaks one.

data/zonefile/good/NAME.zone has its records in NAME.expect, one a line, canonical text; bad/NAME.zone has its problems.
Adding a case is adding a pair of files. dnspython and named-checkzone are second opinions.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
import threading
from pathlib import Path
from typing import Any

import dns.name
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmdns import name, rdata, rrtypes, zonefile
from fastmdns.errors import ZoneError
from fastmdns.records import Records
from fastmdns.zonefile import BUFFER_SIZE
from tests.conftest import need

DATA = Path(__file__).parents[1] / "data" / "zonefile"
APEX = name.from_text("example.org.")


def lines(records: Records) -> list[str]:
    """The records as canonical text."""
    return [
        f"{name.to_text(owner)} {ttl} {rrtypes.to_name(rrtype)} {rdata.to_text(rrtype, data)}"
        for owner, rrtype, ttl, data in records
    ]


def cases(folder: str) -> list[Path]:
    return sorted((DATA / folder).glob("*.zone"))


def expected(path: Path) -> list[str]:
    return path.with_suffix(".expect").read_text().splitlines()


@pytest.mark.parametrize("path", cases("good"), ids=lambda path: path.stem)
def test_a_good_file_gives_exactly_its_records(path: Path) -> None:
    parsed = zonefile.parse(path, APEX)
    assert [*lines(parsed.records), *(f"; {warning.reason}" for warning in parsed.warnings)] == expected(path)


@pytest.mark.parametrize("path", cases("bad"), ids=lambda path: path.stem)
def test_a_bad_file_gives_exactly_its_problems(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(ZoneError) as caught:
        zonefile.parse(path.name, APEX)
    assert [str(problem) for problem in caught.value.problems] == expected(path)


def problems(data: bytes, **options: Any) -> list[str]:
    with pytest.raises(ZoneError) as caught:
        zonefile.parse_text(data, APEX, **options)
    return [str(problem) for problem in caught.value.problems]


HEAD = b"$TTL 300\n@ SOA ns root 1 2 3 4 5\n@ NS ns\n"


# --- how files are read


def test_text_in_memory_has_no_files() -> None:
    parsed = zonefile.parse_text(HEAD, APEX)
    assert (len(parsed.records), parsed.files, parsed.warnings) == (2, (), [])


def test_problems_of_text_carry_the_name_it_was_given() -> None:
    assert problems(HEAD + b"a A x\n", name="from-api") == ['from-api:4:5: expected an IPv4 address, found "x"']


def test_text_in_memory_includes_nothing() -> None:
    found = problems(HEAD + b"$INCLUDE other\n")
    assert found == ['4:10: "other" cannot be included: there is no folder to include from']


def test_a_missing_file_is_a_problem_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ZoneError, match=r"absent\.zone: cannot be read: No such file or directory"):
        zonefile.parse(tmp_path / "absent.zone", APEX)


def test_a_folder_is_no_zone_file(tmp_path: Path) -> None:
    with pytest.raises(ZoneError, match="cannot be read: Is a directory"):
        zonefile.parse(tmp_path, APEX)


def test_files_are_named_in_the_order_they_are_read_and_once() -> None:
    folder = DATA / "good"
    parsed = zonefile.parse(folder / "include.zone", APEX)
    assert parsed.files == (folder / "include.zone", folder / "parts/one.inc", folder / "parts/two.inc")


def test_default_ttl_stands_in_for_a_ttl_directive() -> None:
    parsed = zonefile.parse_text(b"@ 60 SOA ns root 1 2 3 4 5\n@ NS ns\n", APEX, default_ttl=7)
    assert [ttl for _, _, ttl, _ in parsed.records] == [7, 60]


def long_zone(records: int) -> bytes:
    return HEAD + b"".join(b"host-%06d A 192.0.2.%d\n" % (number, number % 256) for number in range(records))


def test_lines_cut_by_the_end_of_the_buffer_are_read_whole() -> None:
    """Every octet of a line comes to lie at the buffer's end for some length of the comment before it."""
    line = b'a\\.b ( ; x\r\n 60 IN TXT "quo\\"te" \\; ) ; y\r\n  A 192.0.2.1\n'
    whole = lines(zonefile.parse_text(HEAD + line, APEX).records)
    for shift in range(len(line) + 2):
        comment = b";" * (BUFFER_SIZE - len(HEAD) - shift) + b"\n"
        assert lines(zonefile.parse_text(HEAD + comment + line, APEX).records) == whole


def test_a_record_longer_than_the_buffer_is_read_whole() -> None:
    hexadecimal = b"\n".join([b"ab" * 32] * 1000)
    comments = b"; to be left out (\n" * 60_000
    data = HEAD + b"a TYPE65280 \\# 32000 (\n" + comments + hexadecimal + b"\n)\nb A 192.0.2.1\n"
    records = list(zonefile.parse_text(data, APEX).records)
    assert [len(rdata) for _, _, _, rdata in records[2:]] == [32000, 4]


def test_lines_are_counted_across_buffers() -> None:
    assert problems(long_zone(50_000) + b"a A x\n") == ['50004:5: expected an IPv4 address, found "x"']


def test_a_file_with_thousands_of_words_in_a_record_is_read() -> None:
    data = HEAD + b"a TXT " + b"x " * 5000 + b"\n"
    assert len(list(zonefile.parse_text(data, APEX).records)[2][3]) == 10_000


def test_a_record_too_large_for_a_message_is_a_problem() -> None:
    found = problems(HEAD + b"a TXT " + b"x " * 40_000 + b"\n")
    assert found == ['4:65541: does not fit into a DNS message: "x"']


def test_progress_is_told_every_few_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "example.org.zone"
    path.write_bytes(long_zone(400_000))
    told: list[tuple[int, int]] = []
    zonefile.parse(path, APEX, progress=lambda done, total: told.append((done, total)))
    size = path.stat().st_size
    assert [total for _, total in told] == [size] * len(told)
    assert len(told) == size // zonefile.PROGRESS_STEP + 1
    assert told[-1] == (size, size)


def test_what_progress_raises_ends_the_reading(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "example.org.zone"
    path.write_bytes(HEAD)
    with pytest.raises(KeyboardInterrupt):
        zonefile.parse(path, APEX, progress=stop)


def test_the_root_zone_is_read() -> None:
    parsed = zonefile.parse_text(b". 60 SOA a. b. 1 2 3 4 5\n. 60 NS a.\norg 60 NS x.org\n", b"\0")
    assert lines(parsed.records) == [". 60 NS a.", ". 60 SOA a. b. 1 2 3 4 5", "org. 60 NS x.org."]


# --- two threads

PIECES = {
    "plain": [b"h%d A 192.0.2.1\n", b"h%d 60 IN TXT x\n    MX 1 @\n", b"; h%d\n\n"],
    "unordered": [b"z%d A 192.0.2.1\n", b"a%d NS x\n NS a\n", b"A%d A 192.0.2.2\n"],
    "parentheses": [b"h%d TXT (\nx\ny A 192.0.2.1\n)\n", b"g%d A 192.0.2.1\n"],
    "origins": [b"$ORIGIN o%d.example.org.\n", *[b"h%d A 192.0.2.1\n"] * 20_000],
    "ttls": [b"$TTL 6%d\n", *[b"h%d A 192.0.2.1\n"] * 20_000],
    "rare types": [b"h%d HTTPS 1 . port=1\n", *[b"h%d A 192.0.2.1\n"] * 5000],
    "mistakes": [b"h%d A x\n", b"%d FOO\n", *[b"h%d A 192.0.2.1\n"] * 5000],
    "blank owners": [b"h%d A 192.0.2.1\n", *[b" TXT %d\n"] * 200],
    "out of zone": [b"h%d.example.net. A 192.0.2.1\n TXT x\n", *[b"h%d A 192.0.2.1\n"] * 5000],
}
TTL_OF_THE_RECORD_BEFORE = b"@ 60 SOA ns root 1 2 3 4 5\n@ NS ns\n"


def pieces(kind: str, seed: int, head: bytes) -> bytes:
    """A zone of about a megabyte or more, several buffers long."""
    rng = random.Random(seed)
    return head + b"".join(rng.choice(PIECES[kind]) % number for number in range(100_000)) + b"; " + b"x" * 400_000


class Threads:
    """How many second threads were started."""

    def __init__(self) -> None:
        self.started = 0

    def __call__(self, **options: Any) -> threading.Thread:
        self.started += 1
        return threading.Thread(**options)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    started = Threads()
    monkeypatch.setattr(zonefile, "Thread", started)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    return started


def outcome(path: Path) -> object:
    try:
        parsed = zonefile.parse(path, APEX)
    except ZoneError as error:
        return error.problems
    return list(parsed.records), parsed.warnings


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("head", [HEAD, TTL_OF_THE_RECORD_BEFORE], ids=["$TTL", "no $TTL"])
@pytest.mark.parametrize("kind", PIECES)
def test_two_threads_read_what_one_reads(
    kind: str, head: bytes, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: Threads
) -> None:
    path = tmp_path / "example.org.zone"
    path.write_bytes(pieces(kind, seed, head))
    monkeypatch.setattr(zonefile, "SPLIT_FROM", 1 << 30)
    alone = outcome(path)
    assert threads.started == 0
    monkeypatch.setattr(zonefile, "SPLIT_FROM", 1 << 19)
    assert outcome(path) == alone
    assert threads.started == 1


def test_a_record_around_the_middle_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: Threads
) -> None:
    path = tmp_path / "example.org.zone"
    path.write_bytes(HEAD + b"a TXT (\n" + b"; x\n" * 200_000 + b"b A 192.0.2.1\n" + b"; x\n" * 200_000 + b")\n")
    monkeypatch.setattr(zonefile, "SPLIT_FROM", 1 << 19)
    assert [data for *_, data in zonefile.parse(path, APEX).records][2:] == [b"\1b\1A\x09192.0.2.1"]


def test_progress_counts_what_both_threads_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: Threads
) -> None:
    path = tmp_path / "example.org.zone"
    path.write_bytes(long_zone(400_000))
    monkeypatch.setattr(zonefile, "SPLIT_FROM", 1 << 19)
    told: list[tuple[int, int]] = []
    zonefile.parse(path, APEX, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_an_interrupt_ends_both_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: Threads) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "example.org.zone"
    path.write_bytes(long_zone(400_000))
    monkeypatch.setattr(zonefile, "SPLIT_FROM", 1 << 19)
    with pytest.raises(KeyboardInterrupt):
        zonefile.parse(path, APEX, progress=stop)
    assert [thread.name for thread in threading.enumerate()] == ["MainThread"]


# --- what may be included


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    zone = tmp_path / "zones"
    zone.mkdir()
    (tmp_path / "secret").write_text("a A 192.0.2.1\n")
    return zone


def including(folder: Path, what: str) -> list[str]:
    path = folder / "example.org.zone"
    path.write_bytes(HEAD + f"$INCLUDE {what}\n".encode())
    with pytest.raises(ZoneError) as caught:
        zonefile.parse(path, APEX)
    return [problem.reason for problem in caught.value.problems]


def test_a_link_out_of_the_folder_is_not_followed(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    assert including(folder, "link") == ['"link" cannot be included: it is not within the zone\'s folder']


def test_a_linked_folder_does_not_lead_out(folder: Path) -> None:
    (folder / "parent").symlink_to(folder.parent)
    found = including(folder, "parent/secret")
    assert found == ['"parent/secret" cannot be included: it is not within the zone\'s folder']


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert including(folder, "pipe") == ['"pipe" cannot be included: it is no regular file']


def test_a_nul_in_a_file_name_is_refused(folder: Path) -> None:
    assert including(folder, "a\0b") == ['"a\0b" cannot be included: it is not within the zone\'s folder']


def test_root_widens_what_may_be_included(folder: Path) -> None:
    path = folder / "example.org.zone"
    path.write_bytes(HEAD + b"$INCLUDE ../secret\n")
    assert len(zonefile.parse(path, APEX, root=folder.parent).records) == 3


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "real").write_text("a A 192.0.2.1\n")
    (folder / "link").symlink_to("real")
    (folder / "example.org.zone").write_bytes(HEAD + b"$INCLUDE link\n")
    assert len(zonefile.parse(folder / "example.org.zone", APEX).records) == 3


# --- second opinions

word = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=12)
blanks = st.sampled_from([" ", "\t", "  ", " \t "])
string = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20).map(
    lambda text: '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))
)
target = st.one_of(word, word.map(lambda label: f"{label}.example.net."), st.just("@"))
rdata_text = st.one_of(
    st.tuples(st.just("A"), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just("AAAA"), st.ip_addresses(v=6).map(str)),
    st.tuples(st.just("NS"), target),
    st.tuples(st.just("MX"), st.builds("{} {}".format, st.integers(0, 65535), target)),
    st.tuples(st.just("TXT"), st.lists(string, min_size=1, max_size=3).map(" ".join)),
    st.tuples(st.just("SRV"), st.builds("{} 0 {} {}".format, st.integers(0, 9), st.integers(0, 65535), target)),
    st.tuples(st.just("TYPE65280"), st.binary(max_size=20).map(lambda octets: f"\\# {len(octets)} {octets.hex()}")),
)


@st.composite
def zone_text(draw: st.DrawFn) -> str:
    """A zone as a person might type it."""
    rows = ["$TTL 300", "@ IN SOA ns root 1 2 3 4 5"]
    for rrtype, data in draw(st.lists(rdata_text, max_size=12)):
        owner = draw(st.one_of(st.just(""), st.just("@"), word, word.map(lambda label: f"{label}.sub.example.org.")))
        middle = draw(st.sampled_from([[], ["IN"], ["60"], ["60", "IN"], ["IN", "1h"]]))
        fields = [*middle, rrtype, *([f"( {data}\n ; a comment )\n )"] if draw(st.booleans()) else [data])]
        gap = draw(blanks)
        rows.append(owner + gap + gap.join(fields) + draw(st.sampled_from(["", " ", " ; comment", "\n"])))
    rows.append("@ NS ns")
    return draw(st.sampled_from(["\n", "\r\n"])).join(rows)


def opinion_of_dnspython(text: str) -> list[tuple[bytes, int, int, bytes]]:
    origin = dns.name.from_text("example.org.")
    zone = dns.zone.from_text(text, origin=origin, relativize=False)
    return sorted(
        (owner.to_wire() or b"", int(record.rdtype), ttl, record.to_wire() or b"")
        for owner, ttl, record in zone.iterate_rdatas()
    )


@given(zone_text())
def test_dnspython_reads_the_same_records(text: str) -> None:
    records = zonefile.parse_text(text.encode(), APEX).records
    assert sorted((owner, rrtype, ttl, data) for owner, rrtype, ttl, data in records) == opinion_of_dnspython(text)


@given(st.binary(max_size=300) | st.text('ab.$@\\";() \n\t\r0A', max_size=60).map(str.encode))
def test_any_octets_give_records_or_problems(data: bytes) -> None:
    with contextlib.suppress(ZoneError):
        zonefile.parse_text(HEAD + data, APEX)


# Where we mean to differ from BIND, and why.
STRICTER = {"out-of-zone": "BIND ignores such records with a warning; nothing is dropped in silence here"}
LENIENT = {
    "generate-of-several-words": "data of several words must be quoted for BIND",
    "include": "a relative $INCLUDE is looked up in the current folder by BIND, here beside the file it stands in",
}


def named_checkzone(path: Path) -> subprocess.CompletedProcess[bytes]:
    program = need("named-checkzone")
    options = ["-i", "none", "-k", "ignore", "-m", "ignore", "-M", "ignore", "-n", "ignore", "-D", "-q", "-o", "-"]
    command = [str(program), *options, "example.org", path.name]
    return subprocess.run(command, cwd=path.parent, capture_output=True, timeout=20, check=False)


def without_ttl(records: Records) -> list[str]:
    """BIND gives an rrset the TTL of its first record, we the lowest."""
    return [re.sub(r" \d+ ", " ", line, count=1) for line in lines(records)]


@pytest.mark.parametrize(
    "path", [path for path in cases("good") if path.stem not in LENIENT], ids=lambda path: path.stem
)
def test_bind_reads_good_files_as_we_do(path: Path) -> None:
    result = named_checkzone(path)
    assert result.returncode == 0, result.stdout
    printed = zonefile.parse_text(result.stdout, APEX)
    assert without_ttl(printed.records) == without_ttl(zonefile.parse(path, APEX).records)


@pytest.mark.parametrize(
    "path", [path for path in cases("bad") if path.stem not in STRICTER], ids=lambda path: path.stem
)
def test_bind_refuses_bad_files_too(path: Path) -> None:
    assert named_checkzone(path).returncode != 0
