# SPDX-License-Identifier: Apache-2.0
"""Times that clients send."""

from __future__ import annotations

from datetime import UTC, datetime

from control.errors import Invalid, Problem


def moment(key: str, text: str | None) -> datetime | None:
    """Naive UTC; a time that names no zone is UTC already. Invalid for what is no time."""
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        reason = f"{text!r} is no time; write it as 2027-01-31T12:00:00"
        raise Invalid([Problem((key,), reason, "format", "date-time")]) from None
    return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
