# SPDX-License-Identifier: Apache-2.0
"""Names that operators forbid by regular expressions.

They are searched by the `regex` library, which speaks the language of Python's re and can stop in the middle of a
search; re can't, and holds the interpreter meanwhile. A pattern that does not come to an end in time counts as one that
matches: who wrote it meant to forbid something.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import regex

SECONDS = 0.05  # for one pattern; an ordinary one takes microseconds


def pattern_problem(pattern: str) -> str | None:
    """Why the text is no pattern; None where it is one."""
    try:
        _compiled(pattern)
    except regex.error as error:
        return f"{pattern!r} is no regular expression: {error}"
    return None


def forbidding(patterns: Iterable[str], name: str) -> str | None:
    """The first of the patterns that is found in the name; None where none is."""
    return next((pattern for pattern in patterns if _is_found(pattern, name)), None)


def _is_found(pattern: str, name: str) -> bool:
    try:
        return _compiled(pattern).search(name, timeout=SECONDS) is not None
    except TimeoutError:
        return True


@lru_cache(4096)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)
