# SPDX-License-Identifier: Apache-2.0
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fastmdns.errors import Problem
from fastmdns.records import Records

BUFFER_SIZE: int
MAX_PROBLEMS: int
MAX_DEPTH: int
PROGRESS_STEP: int
SPLIT_FROM: int

class Parsed(NamedTuple):
    records: Records  # sorted, checked
    files: tuple[Path, ...]  # the zone's file first, then what it includes
    warnings: list[Problem]

def parse(
    path: str | os.PathLike[str],
    apex: bytes,
    *,
    root: Path | None = None,
    default_ttl: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Parsed:
    """Read a zone's file. root: the folder $INCLUDE may not leave, the file's own if not given.

    Raises ZoneError with every problem found. progress(octets done, octets in all) is called every few megabytes.
    """

def parse_text(data: bytes, apex: bytes, *, default_ttl: int | None = None, name: str = "") -> Parsed:
    """The same for octets in memory; $INCLUDE is refused. name: what problems call them."""
