# SPDX-License-Identifier: Apache-2.0
"""The generators: the same octets each time, canonical order, and exactly the records they claim."""

import hashlib
from pathlib import Path

import dns.zone

from bench import zones


def test_the_same_seed_gives_the_same_octets(tmp_path: Path) -> None:
    one, other = (zones.delegations(tmp_path / name, 500) for name in ("one", "other"))
    assert one.path.read_bytes() == other.path.read_bytes()


def test_a_tld_like_zone_has_the_records_it_claims(tmp_path: Path) -> None:
    zone = zones.delegations(tmp_path, 2_000)
    parsed = dns.zone.from_file(str(zone.path), zone.apex, relativize=False)
    assert sum(len(rdataset) for _, rdataset in parsed.iterate_rdatasets()) == zone.records
    assert abs(zone.records - 2_000) <= 4


def test_every_fourth_delegation_has_a_ds(tmp_path: Path) -> None:
    lines = zones.delegations(tmp_path, 4_000).path.read_text().splitlines()
    signed = sum("\tDS\t" in line for line in lines)
    delegated = len({line.split("\t")[0] for line in lines if "\tNS\t" in line}) - 1
    assert signed == (delegated + 3) // 4


def test_the_file_is_in_canonical_order(tmp_path: Path) -> None:
    lines = zones.delegations(tmp_path, 2_000).path.read_text().splitlines()
    owners = [line.split("\t")[0].rstrip(".").split(".")[::-1] for line in lines]
    delegations = [owner[:2] for owner in owners]
    assert delegations == sorted(delegations)


def test_a_small_zone_has_26_records_of_everyday_types(tmp_path: Path) -> None:
    for zone in zones.small_zones(tmp_path, 3):
        parsed = dns.zone.from_file(str(zone.path), zone.apex, relativize=False)
        assert sum(len(rdataset) for _, rdataset in parsed.iterate_rdatasets()) == zone.records == 26


def test_small_zones_differ(tmp_path: Path) -> None:
    digests = {hashlib.sha256(zone.path.read_bytes()).digest() for zone in zones.small_zones(tmp_path, 5)}
    assert len(digests) == 5


def test_a_file_that_exists_is_not_written_again(tmp_path: Path) -> None:
    before = zones.delegations(tmp_path, 500).path.stat()
    after = zones.delegations(tmp_path, 500).path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
