# SPDX-License-Identifier: Apache-2.0
"""$GENERATE of zone files, in BIND's syntax: a range, and templates in which `$` stands for the number.

`${offset,width,base}` adds the offset, pads with zeros to the width, and prints in base d, o, x or X; base n or N gives
the hexadecimal digits in reverse with dots between, as ip6.arpa wants them, the width counting the dots. `$$` and `\\$`
are a dollar sign. A template is cut once and filled in for each number; nothing here knows about records.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MAX_RECORDS = 1 << 20  # of one directive: a /12 of addresses, far beyond any real use, and bounded
MAX_NUMBER = 0x7FFFFFFF
MAX_WIDTH = 255  # no name has more

_RANGE = re.compile(r"(\d{1,10})-(\d{1,10})(?:/(\d{1,10}))?")
_MODIFIER = re.compile(r"\$\{(-?\d{1,10})(?:,(\d{1,10})(?:,([doxXnN]))?)?\}")
_PIECE = re.compile(r"(\\.|\$\$|\$\{[^}]*\}|\$)", re.DOTALL)

Piece = Callable[[int], str]


def number_range(text: str) -> range:
    """`start-stop` or `start-stop/step`; ValueError says what is wrong."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError("expected a range like 1-10 or 1-10/2")
    start, stop, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if start > stop or stop > MAX_NUMBER or not 0 < step <= MAX_NUMBER:
        raise ValueError(f"expected a range that goes up, with numbers of at most {MAX_NUMBER}")
    numbers = range(start, stop + 1, step)
    if len(numbers) > MAX_RECORDS:
        raise ValueError(f"$GENERATE makes at most {MAX_RECORDS} records")
    return numbers


def template(text: str) -> Piece:
    """A function from the number to the text; ValueError says what is wrong."""
    pieces = [_piece(part) for part in _PIECE.split(text) if part]
    return lambda number: "".join([piece if isinstance(piece, str) else piece(number) for piece in pieces])


def _piece(part: str) -> str | Piece:
    if part == "$":
        return str
    if part in ("$$", "\\$"):
        return "\\$"  # still escaped: a line that starts with a bare one would be a directive
    return _modifier(part) if part.startswith("${") else part


def _modifier(part: str) -> Piece:
    match = _MODIFIER.fullmatch(part)
    if match is None:
        raise ValueError("expected ${offset}, ${offset,width} or ${offset,width,base} with base d, o, x, X, n or N")
    offset, width, base = int(match[1]), int(match[2] or 0), match[3] or "d"
    if width > MAX_WIDTH:
        raise ValueError(f"a width is at most {MAX_WIDTH}")
    if base in "nN":
        return lambda number: _nibbles(_natural(number + offset), width, "x" if base == "n" else "X")
    return lambda number: format(_natural(number + offset), f"0{width}{base}" if width else base)


def _natural(number: int) -> int:
    if not 0 <= number <= MAX_NUMBER:
        raise ValueError(f"an offset leads out of the numbers 0 to {MAX_NUMBER}")
    return number


def _nibbles(number: int, width: int, base: str) -> str:
    """Width counts digits and dots; an even width ends in a dot, so that a name can go on behind it."""
    digits = format(number, base)[::-1]
    digits += "0" * ((width + 1) // 2 - len(digits))
    text = ".".join(digits)
    return text + "." if len(text) < width else text
