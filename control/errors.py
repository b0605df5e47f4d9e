# SPDX-License-Identifier: Apache-2.0
"""What may be refused, and why. `api/errors.py` says which HTTP status each code has.

Refused         a request that the rules, the state or the rights of its author forbid; carries a stable code
└── Invalid     a body with problems: all of them, each with its path and reason
Unavailable     nothing is wrong with the request; something we need does not answer (code: which)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a body. path: from the body's root, in the API's words; validator: the kind of rule.

    code: of the refusal where nothing of another kind is wrong too.
    """

    path: Path
    message: str
    validator: str = "value"
    validator_value: object = None
    code: str = "invalid_object"

    def below(self, *outer: str | int) -> Problem:
        """The same problem of a body that lies deeper."""
        return replace(self, path=(*outer, *self.path))


class ControlError(Exception):
    """The root: what this package raises on purpose."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message


class Refused(ControlError):
    pass


class Invalid(Refused):
    """code: what all problems share, invalid_object where they differ."""

    def __init__(self, problems: Sequence[Problem], code: str | None = None) -> None:
        codes = {problem.code for problem in problems}
        shared = codes.pop() if len(codes) == 1 else "invalid_object"
        super().__init__(code or shared, "; ".join(problem.message for problem in problems[:3]))
        self.problems = tuple(problems)


class Unavailable(ControlError):
    pass


def refuse_if_any(problems: Iterable[Problem]) -> None:
    """Invalid with all of them, Refused where one problem is the request itself; nothing where there are none."""
    found = list(problems)
    if len(found) == 1 and not found[0].path:
        raise Refused(found[0].code, found[0].message)
    if found:
        raise Invalid(found)
