# SPDX-License-Identifier: Apache-2.0
"""Transfers to BIND signed with each algorithm of RFC 8945, one zone each; without the key there is no zone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.nameservers import Bind, Fastmdns, Key, NameserverError, Zone, canonical, transfer

ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")


def key(algorithm: str) -> Key:
    return Key(f"{algorithm}.key.example.", algorithm, base64.b64encode(algorithm.encode() * 3).decode())


def zone_name(algorithm: str) -> str:
    return f"{algorithm}.example."


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fastmdns]:
    folder = tmp_path_factory.mktemp("algorithms")
    with Fastmdns(folder, [_zone(folder, algorithm) for algorithm in ALGORITHMS]) as primary:
        yield primary


def _zone(folder: Path, algorithm: str) -> Zone:
    """A zone of some messages, so that the chain of MACs has links."""
    name = zone_name(algorithm)
    apex = [f"{name} 300 IN SOA ns1 host 1 86400 43200 2419200 300", f"{name} 300 IN NS ns1.{name}"]
    hosts = [f"host-{number}.{name} 300 IN TXT {number:0200d}" for number in range(500)]
    file = folder / f"{algorithm}.example.zone"
    file.write_text("\n".join([*apex, f"ns1.{name} 300 IN A 192.0.2.1", *hosts]) + "\n")
    return Zone(name, file=file, key=key(algorithm))


@pytest.fixture(scope="module")
def bind(primary: Fastmdns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    need(Bind.program)
    fetched = [Zone(zone.name, primary=primary.address, key=zone.key) for zone in primary.zones]
    with Bind(tmp_path_factory.mktemp("bind"), fetched) as bind:
        yield bind


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_bind_transfers_a_zone_signed_with(primary: Fastmdns, bind: Bind, algorithm: str) -> None:
    zone = zone_name(algorithm)
    bind.wait_serial(zone, 1)

    assert canonical(bind.records(zone)) == canonical(primary.records(zone, key(algorithm)))


def test_unsigned_transfer_of_a_zone_with_a_key_is_refused(primary: Fastmdns) -> None:
    with pytest.raises(NameserverError, match="REFUSED"):
        transfer(primary.address, zone_name("hmac-sha256"))


def test_transfer_signed_with_the_key_of_another_zone_is_refused(primary: Fastmdns) -> None:
    with pytest.raises(NameserverError, match="REFUSED"):
        transfer(primary.address, zone_name("hmac-sha256"), key("hmac-sha512"))


def test_transfer_signed_with_a_wrong_secret_is_not_authorised(primary: Fastmdns) -> None:
    forged = Key(key("hmac-sha256").name, "hmac-sha256", base64.b64encode(b"another secret").decode())

    with pytest.raises(NameserverError, match="NOTAUTH"):
        transfer(primary.address, zone_name("hmac-sha256"), forged)
