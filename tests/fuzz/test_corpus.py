# SPDX-License-Identifier: Apache-2.0
"""The fuzzers' corpus, run through the ordinary build: what was once found stays found without clang."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastmdns import zonefile
from tests.fuzz import run, targets


@pytest.fixture(autouse=True)
def _nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(zonefile, "BUFFER_SIZE", zonefile.BUFFER_SIZE)


def corpus(wanted: str) -> Iterator[memoryview]:
    for path in sorted((run.CORPUS / wanted).iterdir()):
        yield memoryview(path.read_bytes())


@pytest.mark.parametrize("wanted", run.TARGETS)
def test_a_target_takes_its_whole_corpus(wanted: str) -> None:
    target = targets.target(wanted)
    inputs = list(corpus(wanted))
    assert len(inputs) > 50
    for octets in inputs:
        target(octets)
