# SPDX-License-Identifier: Apache-2.0
"""The table of types: it is complete, and its names are everyone's names."""

from __future__ import annotations

import dns.rdatatype
import pytest

from fastmdns import rdata, rrtypes

ROWS = list(rrtypes.rows())
DNSPYTHON = [rrtype for rrtype in dns.rdatatype.RdataType if rrtype != dns.rdatatype.TYPE0]


@pytest.mark.parametrize("rrtype", DNSPYTHON, ids=dns.rdatatype.to_text)
def test_every_type_dnspython_knows_has_a_row_of_the_same_name(rrtype: dns.rdatatype.RdataType) -> None:
    row = rrtypes.row(rrtype)
    assert row is not None
    assert row.name == dns.rdatatype.to_text(rrtype)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_names_are_read_in_any_case(row: rrtypes.RRType) -> None:
    assert rrtypes.by_name(row.name.lower()) == row.number
    assert rrtypes.to_name(row.number) == row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rdata_knows_the_name_too(row: rrtypes.RRType) -> None:
    assert rdata.to_text(47, rdata.from_text(47, f". {row.name.lower()}")) == f". {row.name}"


def test_a_type_without_a_name_is_its_number() -> None:
    assert rrtypes.by_name("type65280") == 65280
    assert rrtypes.to_name(65280) == "TYPE65280"
    assert rrtypes.by_name("TYPE1") == 1


@pytest.mark.parametrize("text", ["", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "NOSUCH", "AA", "A "])
def test_anything_else_is_no_type(text: str) -> None:
    with pytest.raises(ValueError, match="no record type"):
        rrtypes.by_name(text)


def test_only_types_of_rfc_1035_may_be_compressed() -> None:
    compressed = {row.name for row in rrtypes.rows() if any(getattr(field, "compress", False) for field in row.fields)}
    assert compressed == {"NS", "CNAME", "SOA", "MB", "MG", "MR", "PTR", "MINFO", "MX"}


def test_fields_that_take_all_that_is_left_stand_last() -> None:
    greedy = (rrtypes.STRINGS, rrtypes.TEXT, rrtypes.HEX, rrtypes.DIGEST, rrtypes.BASE64, rrtypes.BITMAP, rrtypes.NAMES)
    for row in rrtypes.rows():
        assert not any(isinstance(field, greedy) for field in row.fields[:-1]), row.name
