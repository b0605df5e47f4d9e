# SPDX-License-Identifier: Apache-2.0
"""What a list's filters mean in SQL: equal, or alike where `*` stands for anything. The same on every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import false, func, true

from control.names import key_of
from control.storage.zones import below
from fastmdns.errors import TextError

ESCAPE = "~"


def text_is(column: Any, wanted: str) -> Any:
    """Upper and lower case differ."""
    return column.like(_pattern(wanted), escape=ESCAPE) if "*" in wanted else column == wanted


def name_is(column: Any, key_column: Any, wanted: str) -> Any:
    """Whatever the case. `*.example.org.`, all below a name, is a range of the key's index and no scan."""
    if wanted == "*":
        return true()
    if not is_range(wanted):
        return func.lower(column).like(_pattern(wanted.lower()), escape=ESCAPE)
    key = _key(wanted.removeprefix("*."))
    if key is None:
        return false()
    return below(key, key_column) if wanted.startswith("*.") else key_column == key


def is_range(wanted: str) -> bool:
    """True where name_is() enters the key's index: conditions beside it are better put aside()."""
    return "*" not in wanted.removeprefix("*.")


def _key(text: str) -> bytes | None:
    """None for what can't be the name of anything stored."""
    try:
        return key_of(text)
    except TextError:
        return None


def _pattern(wanted: str) -> str:
    for octet in (ESCAPE, "%", "_"):
        wanted = wanted.replace(octet, ESCAPE + octet)
    return wanted.replace("*", "%")
