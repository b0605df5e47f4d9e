# SPDX-License-Identifier: Apache-2.0
"""Which of the two forms of record data a client sends, and which it wants: texts, or objects (see structured.py)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Request

from control.api.operations import JSON, STRUCTURED

# An answer depends on Accept even where the client named none.
VARY: Mapping[str, str] = {"Vary": "Accept"}


def sends_structured(request: Request) -> bool:
    return request.mimetype == STRUCTURED


def wants_structured(request: Request) -> bool:
    """Only where the client names the structured form, and likes it no less than plain JSON."""
    accepted = request.accept_mimetypes
    named = any(kind.lower() == STRUCTURED for kind, _ in accepted)
    return bool(named and accepted[STRUCTURED] and accepted[STRUCTURED] >= accepted[JSON])


def content_type(structured: bool) -> str:
    return STRUCTURED if structured else JSON
