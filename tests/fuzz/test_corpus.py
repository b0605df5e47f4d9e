# SPDX-License-Identifier: Apache-2.0
"""The fuzzers' corpus, run through the ordinary build: what was once found stays found without clang."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz import run, targets


@pytest.fixture(autouse=True)
def _stores_stay_in_the_test_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


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
