# SPDX-License-Identifier: Apache-2.0
import pytest

from fastmdns import name, zonetext
from fastmdns.errors import ConfigError
from fastmdns.zonefile import parse_text

APEX = name.from_text("example.org.")
ZONE = rb"""
$TTL 300
@ A 192.0.2.1
@ NS ns
@ SOA ns h 1 2 3 4 5
ns A 192.0.2.2
a\.b\000c TXT "say \"hi\""
x TYPE65280 \# 3 010203
"""


def test_soa_comes_first():
    lines = list(zonetext.lines(parse_text(ZONE, APEX).records, APEX))
    assert lines[0] == "example.org.\t300\tIN\tSOA\tns.example.org. h.example.org. 1 2 3 4 5"


def test_text_reads_back_as_the_same_records():
    records = parse_text(ZONE, APEX).records
    text = "".join(f"{line}\n" for line in zonetext.lines(records, APEX))
    assert list(parse_text(text.encode(), APEX).records) == list(records)


def test_zone_of_its_apex_alone_is_whole():
    records = parse_text(b"@ 60 SOA n. h. 1 2 3 4 5\n@ 60 NS n.", APEX).records
    assert len(list(zonetext.lines(records, APEX))) == 2


def test_file_that_can_not_be_written_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"can't write .*missing"), zonetext.opened(tmp_path / "missing" / "file"):
        pass
