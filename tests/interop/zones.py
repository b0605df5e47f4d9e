# SPDX-License-Identifier: Apache-2.0
"""The zones the interop tests carry from our primary to the others, and what an independent parser makes of them.

Those that a person can read stand in tests/data/zones; the large and the signed ones are made here, when the tests
start, and are the same each time but for keys and signatures. What must arrive is never our own reading of a file:
dnspython's for the small zones, named-compilezone's for the large ones.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.zone

from tests.nameservers import Record, one_line

WRITTEN = Path(__file__).parent.parent / "data" / "zones"
READABLE = tuple(sorted(file.stem + "." for file in WRITTEN.glob("*.zone")))
RRSETS = "rrsets.example."
OVERSIZE = "oversize.example."
SIGNED = "signed.example."
SIGNED_NSEC3 = "nsec3.example."
ROOT = "."
TLD = "tld."
CHANGING = "changing.example."
SMALL = (*READABLE, SIGNED, SIGNED_NSEC3)
LARGE = (RRSETS, ROOT, TLD)
ALL = (*SMALL, *LARGE, OVERSIZE, CHANGING)

DELEGATIONS = 100_000
TLDS = 1_500
SERIAL = 2026112200


def file_name(zone: str) -> str:
    return "root.zone" if zone == ROOT else f"{zone.rstrip('.')}.zone"


def make(folder: Path) -> None:
    """Writes every zone's file into the folder."""
    for file in WRITTEN.glob("*.zone"):
        shutil.copy(file, folder)
    _write(folder, RRSETS, _large_rrsets())
    _write(folder, OVERSIZE, _oversize())
    _write(folder, TLD, _delegations())
    _write(folder, SIGNED, _to_sign(SIGNED))
    _write(folder, SIGNED_NSEC3, _to_sign(SIGNED_NSEC3))
    _write(folder, ROOT, _root())
    for zone, options in ((SIGNED, []), (SIGNED_NSEC3, ["-n", "-s", "aabbccdd", "-t", "1"]), (ROOT, [])):
        sign(folder / file_name(zone), zone, options)


def write_changing(file: Path, serial: int) -> None:
    """The zone that changes: each serial has a record of its own, and one that says the serial."""
    text = [
        *_apex(CHANGING, serial),
        f"serial.{CHANGING} 300 IN TXT {serial}",
        f"only-in-{serial}.{CHANGING} 300 IN A 192.0.2.{serial % 256}",
    ]
    # Renamed into place, as an editor or a deployment would: no server can read half of it.
    unfinished = file.with_suffix(".new")
    unfinished.write_text("\n".join(text) + "\n")
    unfinished.replace(file)


def records(file: Path, zone: str) -> list[Record]:
    """A zone file's records as dnspython reads them."""
    read = dns.zone.from_file(str(file), zone, relativize=False)
    return [
        Record(owner, int(rdataset.rdtype), rdataset.ttl, rdata)
        for owner, rdataset in read.iterate_rdatasets()
        for rdata in rdataset
    ]


def serial(records: list[Record]) -> int:
    [soa] = [record.rdata for record in records if record.rrtype == dns.rdatatype.SOA]
    assert isinstance(soa, dns.rdtypes.ANY.SOA.SOA)
    return soa.serial


def lines(file: Path, zone: str) -> set[str]:
    """A zone file's records as BIND's own tools read and print them."""
    command = ["named-compilezone", "-q", "-i", "none", "-k", "ignore", "-s", "full", "-o", "-", zone, str(file)]
    return {one_line(line) for line in _output(command, file.parent).splitlines() if not line.startswith(";")}


def sign(file: Path, zone: str, options: list[str]) -> None:
    """Signs a zone file in place with a new key, ZONEMD included (RFC 8976)."""
    folder = file.parent
    key = _output(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone], folder).strip()
    unsigned = file.rename(file.with_suffix(".unsigned"))
    _output(["ldns-signzone", *options, "-z", "simple:sha384", "-o", zone, "-f", file.name, unsigned.name, key], folder)


def _output(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def _write(folder: Path, zone: str, lines: Iterable[str]) -> None:
    (folder / file_name(zone)).write_text("\n".join(lines) + "\n")


def _apex(zone: str, serial: int = SERIAL) -> Iterator[str]:
    """SOA and NS; the timers are so long that only a NOTIFY makes a secondary fetch again while the tests run."""
    yield f"{zone} 300 IN SOA ns1.{zone} hostmaster.{zone} {serial} 86400 43200 2419200 300"
    yield f"{zone} 300 IN NS ns1.{zone}"
    yield f"ns1.{zone} 300 IN A 192.0.2.1"


def _large_rrsets() -> Iterator[str]:
    """Rrsets larger than a page (16 KiB), and near the 64 KiB of a message."""
    yield from _apex(RRSETS)
    for number in range(3_000):
        yield f"forty-eight-kib.{RRSETS} 300 IN A 10.0.{number // 250}.{number % 250}"
    for number in range(247):
        yield f'near-64-kib.{RRSETS} 300 IN TXT "{number:0250d}"'
    yield f'zzz.{RRSETS} 300 IN TXT "last"'


def large_text() -> str:
    """The rdata of one TXT record of 61,440 octets."""
    return " ".join(f'"{number:0255d}"' for number in range(240))


def _oversize() -> Iterator[str]:
    """An rrset that no message can hold whole, and one record that fills a message nearly alone."""
    yield from _apex(OVERSIZE)
    for number in range(6_000):
        yield f"above-64-kib.{OVERSIZE} 300 IN A 10.1.{number // 250}.{number % 250}"
    yield f"one-record.{OVERSIZE} 300 IN TXT {large_text()}"
    yield f'zzz.{OVERSIZE} 300 IN TXT "last"'


def _to_sign(zone: str) -> Iterator[str]:
    yield from _apex(zone)
    yield f"{zone} 300 IN MX 10 mail.{zone}"
    yield f"mail.{zone} 300 IN AAAA 2001:db8::25"
    yield f'*.{zone} 300 IN TXT "a wildcard"'
    yield f'deep.a.b.c.{zone} 300 IN TXT "below empty non-terminals"'
    yield f"secure.{zone} 300 IN NS ns.secure.{zone}"
    yield f"secure.{zone} 300 IN DS 2371 13 2 {2371:064x}"
    yield f"ns.secure.{zone} 300 IN A 192.0.2.53"
    yield f"insecure.{zone} 300 IN NS ns.insecure.{zone}"
    yield f"ns.insecure.{zone} 300 IN AAAA 2001:db8::53"
    for number in range(300):
        yield f"host-{number}.{zone} 300 IN A 10.0.{number // 250}.{number % 250}"
        yield f'host-{number}.{zone} 300 IN TXT "host {number}"'


def _delegations() -> Iterator[str]:
    """What a registry publishes: two name servers each, mostly of hosters, some with glue, a DS for every fourth."""
    yield from _apex(TLD)
    for number in range(DELEGATIONS):
        name = f"domain-{number * 7919 % DELEGATIONS:06d}.{TLD}"
        if number % 10:
            yield f"{name} 86400 IN NS ns1.hoster-{number % 997}.example."
            yield f"{name} 86400 IN NS ns2.hoster-{number % 997}.example."
        else:
            yield f"{name} 86400 IN NS ns1.{name}"
            yield f"{name} 86400 IN NS ns2.{name}"
            yield f"ns1.{name} 86400 IN A 10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            yield f"ns2.{name} 86400 IN AAAA 2001:db8::{number >> 16:x}:{number & 65535:x}"
        if number % 4 == 0:
            yield f"{name} 86400 IN DS {number % 65536} 13 2 {number * 0x9E3779B97F4A7C15:064x}"


def _root() -> Iterator[str]:
    """The root zone as IANA lays it out: absolute names, one record a line, tabs between the fields."""
    soa = f"a.root-servers.net. nstld.verisign-grs.com. {SERIAL} 1800 900 604800 86400"
    yield f".\t86400\tIN\tSOA\t{soa}"
    for letter in "abcdefghijklm":
        yield f".\t518400\tIN\tNS\t{letter}.root-servers.net."
        yield f"{letter}.root-servers.net.\t518400\tIN\tA\t198.41.0.{ord(letter)}"
        yield f"{letter}.root-servers.net.\t518400\tIN\tAAAA\t2001:503:ba3e::{ord(letter):x}"
    for number in range(TLDS):
        yield from _tld(f"xn--{number:04x}a." if number % 9 == 0 else f"tld{number}.", number)


def _tld(name: str, number: int) -> Iterator[str]:
    for server in "abcd":
        target = f"{server}.nic.{name}" if number % 3 else f"{server}.registry-{number % 40}.tld1."
        yield f"{name}\t172800\tIN\tNS\t{target}"
        if number % 3:
            yield f"{target}\t172800\tIN\tA\t10.{ord(server)}.{number >> 8}.{number & 255}"
            yield f"{target}\t172800\tIN\tAAAA\t2001:db8:{ord(server):x}::{number:x}"
    yield f"{name}\t86400\tIN\tDS\t{number}\t8\t2\t{number * 0x9E3779B97F4A7C15:064X}"
