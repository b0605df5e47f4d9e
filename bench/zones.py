# SPDX-License-Identifier: Apache-2.0
"""Zone files from a seed: the same octets on every machine, written once per folder and found again.

Three kinds: one zone like a TLD's (`delegations`), many small ones of everyday types (`small_zones`), and the text of
one of everyday types (`mixed_text`). Files have one record a line, absolute names, TTL and class on each, in canonical
order: the layout registries hand out (CZDS).
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SEED = 20261122
MIXED = "mixed.example."
SMALL_RECORDS = 26  # with one SOA
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone on disk. `records` counts the SOA once."""

    apex: str
    path: Path
    records: int
    serial: int = 1


def _labels(count: int, rng: random.Random) -> list[str]:
    """Distinct labels of 5 to 14 letters in canonical order."""
    seen: set[str] = set()
    while len(seen) < count:
        seen.add("".join(rng.choices(LETTERS[:26], k=rng.randint(5, 14))))
    return sorted(seen)


def _address(rng: random.Random) -> str:
    return f"{rng.randint(11, 126)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


def _address6(rng: random.Random) -> str:
    return f"2001:db8:{rng.getrandbits(16):x}:{rng.getrandbits(16):x}::{rng.randint(1, 0xFFFF):x}"


def _apex_lines(apex: str) -> Iterator[str]:
    yield f"{apex}\t86400\tIN\tSOA\tns1.{apex} hostmaster.{apex} 1 1800 900 604800 3600\n"
    yield f"{apex}\t86400\tIN\tNS\tns1.{apex}\n"
    yield f"{apex}\t86400\tIN\tNS\tns2.{apex}\n"


def _server_lines(apex: str) -> Iterator[str]:
    yield f"ns1.{apex}\t86400\tIN\tA\t192.0.2.1\n"
    yield f"ns2.{apex}\t86400\tIN\tA\t192.0.2.2\n"


def _delegation_lines(apex: str, labels: list[str], rng: random.Random) -> Iterator[str]:
    """NS, NS and glue for each; DS for every fourth. The first server has its name inside the delegation."""
    hosts = [f"ns2.{label}.net." for label in _labels(max(1, len(labels) // 200), rng)]
    for index, label in enumerate(labels):
        owner = f"{label}.{apex}"
        yield f"{owner}\t86400\tIN\tNS\tns1.{owner}\n"
        yield f"{owner}\t86400\tIN\tNS\t{rng.choice(hosts)}\n"
        if index % 4 == 0:
            yield f"{owner}\t86400\tIN\tDS\t{rng.randrange(65536)} 13 2 {rng.getrandbits(256):064X}\n"
        yield f"ns1.{owner}\t86400\tIN\tA\t{_address(rng)}\n"


def _write(path: Path, produce: Callable[[], Iterator[str]]) -> int:
    """Write the lines once; the count of them. A file that exists is complete, since it is renamed into place."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("w") as file:
            file.writelines(produce())
        partial.rename(path)
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def delegations(folder: Path, records: int) -> Zone:
    """A zone like a TLD's of about `records` records, 3.25 for each delegation."""
    apex = "bench."

    def produce() -> Iterator[str]:
        rng = random.Random(SEED)
        labels = _labels(max(1, round((records - 5) / 3.25)), rng)
        yield from _apex_lines(apex)
        servers = list(_server_lines(apex))
        body = _delegation_lines(apex, [label for label in labels if label not in ("ns1", "ns2")], rng)
        yield from _merged(body, servers)

    path = folder / f"delegations-{records}" / "bench.zone"
    return Zone(apex, path, _write(path, produce))


def _merged(body: Iterator[str], servers: list[str]) -> Iterator[str]:
    """The apex's own servers where their names sort; labels have five letters or more, so none is equal."""
    for line in body:
        while servers and line.split(".", 1)[0] > "ns1" and not line.startswith("ns1."):
            yield servers.pop(0)
        yield line
    yield from servers


def _small_lines(apex: str, rng: random.Random) -> Iterator[str]:
    """The 26 records an ordinary domain has."""
    yield from _apex_lines(apex)
    key = "".join(rng.choices(LETTERS, k=200))
    rows = [
        ("", "A", _address(rng)),
        ("", "AAAA", _address6(rng)),
        ("", "MX", f"10 mx1.{apex}"),
        ("", "MX", f"20 mx2.{apex}"),
        ("", "TXT", '"v=spf1 mx include:_spf.example.net -all"'),
        ("", "TXT", f'"site-verification={rng.getrandbits(128):032x}"'),
        ("", "CAA", '0 issue "ca.example.net"'),
        ("_dmarc.", "TXT", f'"v=DMARC1; p=reject; rua=mailto:postmaster@{apex[:-1]}"'),
        ("s1._domainkey.", "TXT", f'"v=DKIM1; k=rsa; p={key}"'),
        ("_imaps._tcp.", "SRV", f"0 1 993 imap.{apex}"),
        ("_submission._tcp.", "SRV", f"0 1 587 mx1.{apex}"),
        ("api.", "A", _address(rng)),
        ("ftp.", "CNAME", f"www.{apex}"),
        ("imap.", "A", _address(rng)),
        ("mx1.", "A", _address(rng)),
        ("mx1.", "AAAA", _address6(rng)),
        ("mx2.", "A", _address(rng)),
        ("ns1.", "A", "192.0.2.1"),
        ("ns2.", "A", "192.0.2.2"),
        ("shop.", "CNAME", "shops.example.net."),
        ("vpn.", "A", _address(rng)),
        ("www.", "A", _address(rng)),
        ("www.", "AAAA", _address6(rng)),
    ]
    for owner, rrtype, rdata in rows:
        yield f"{owner}{apex}\t3600\tIN\t{rrtype}\t{rdata}\n"


def small_zones(folder: Path, count: int) -> list[Zone]:
    """`count` zones of 26 records each."""
    zones = []
    for index in range(count):
        apex = f"z{index:06d}.example."
        path = folder / f"small-{count}" / f"{apex}zone"
        if not path.exists():
            _write(path, functools.partial(_small_lines, apex, random.Random(SEED + index)))
        zones.append(Zone(apex, path, SMALL_RECORDS))
    return zones


def _mixed_lines(apex: str, label: str, rng: random.Random) -> Iterator[str]:
    """What a hosted name has: addresses, mail, a policy, a service, and one alias."""
    owner = f"{label}.{apex}"
    yield f"{owner}\t3600\tIN\tA\t{_address(rng)}\n"
    yield f"{owner}\t3600\tIN\tAAAA\t{_address6(rng)}\n"
    yield f"{owner}\t3600\tIN\tMX\t10 mx.{owner}\n"
    yield f'{owner}\t3600\tIN\tTXT\t"v=spf1 mx ip4:{_address(rng)} -all"\n'
    yield f"_imaps._tcp.{owner}\t3600\tIN\tSRV\t0 1 993 mx.{owner}\n"
    yield f"mx.{owner}\t3600\tIN\tA\t{_address(rng)}\n"
    yield f"www.{owner}\t3600\tIN\tCNAME\t{owner}\n"


def mixed_text(records: int) -> str:
    """The text of one zone of everyday types, about `records` records."""
    rng = random.Random(SEED)
    lines = [*_apex_lines(MIXED), *_server_lines(MIXED)]
    for label in _labels(max(1, round((records - 5) / 7)), rng):
        lines += _mixed_lines(MIXED, label, rng)
    return "".join(lines)
