# SPDX-License-Identifier: Apache-2.0
"""Which zone names there may be.

RFC 1035 letters, digits and hyphens, with the underscores of RFC 2782 and the slashes of RFC 2317; a zone has two
labels at least, so nobody owns a TLD or the root.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from control.errors import Problem
from control.names import key_of

MAX_LABEL = 63
MAX_NAME = 254  # in text with its last dot: 255 octets on the wire
LABEL_OCTET = re.compile(r"[A-Za-z0-9_/-]")


def syntax_problems(text: str, field: str = "name") -> list[Problem]:
    """What keeps the text from being the name of a zone."""
    return [Problem((field,), f"{text!r} is no zone name: {reason}", "format") for reason in _reasons(text)]


def _reasons(text: str) -> Iterator[str]:
    if not text.endswith("."):
        yield "it must end with a dot"
    labels = text.removesuffix(".").split(".")
    if "" in labels:
        yield "a label is empty"
    strange = sorted({octet for label in labels for octet in label if not LABEL_OCTET.match(octet)})
    if strange:
        listed = " ".join(strange)
        yield f"{listed} can't stand in it" if listed.isascii() else f"{listed} can't stand in it; write it as xn--…"
    for label in labels:
        if len(label) > MAX_LABEL:
            yield f"the label {label[:20]!r}… has {len(label)} characters, {MAX_LABEL} are allowed"
        if label.startswith("-") or label.endswith("-"):
            yield f"the label {label!r} begins or ends with a hyphen"


def size_problems(text: str) -> list[Problem]:
    """Why a well-formed name can't be a zone for its size."""
    if len(text) > MAX_NAME:
        return [refusal(f"Name too long: {len(text)} characters, {MAX_NAME} are allowed")]
    if text.count(".") < 2:
        return [refusal("More than one label is required")]
    return []


def tld_problems(text: str, known: set[bytes]) -> list[Problem]:
    """known: the keys of registered TLDs among the name and those above it, where any TLD is registered."""
    if key_of(text) in known:
        return [refusal(f"{text} is a TLD, and no zone can be one")]
    if not known:
        return [refusal(f"Invalid TLD: {text} is not below one that is registered")]
    return []


def refusal(message: str) -> Problem:
    return Problem(("name",), message, "format", code="invalid_zone_name")
