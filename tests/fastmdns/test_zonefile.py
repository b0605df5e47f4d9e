# SPDX-License-Identifier: Apache-2.0
"""Zone files: what each rule of the master format means, and what is said of a file that breaks one.

data/zonefile/good/NAME.zone has its records in NAME.expect, one a line, canonical text; bad/NAME.zone has its problems.
Adding a case is adding a pair of files. dnspython and named-checkzone are second opinions.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fastmdns import name, rdata, rrtypes, zonefile
from fastmdns.errors import ZoneError
from fastmdns.records import Records

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
