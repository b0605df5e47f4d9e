# SPDX-License-Identifier: Apache-2.0
"""Values that every resource's answer has."""

from __future__ import annotations

from datetime import datetime


def timestamp(moment: datetime | None) -> str | None:
    """2026-11-22T17:36:20.373468: UTC, no suffix, always six digits. Some clients take nothing else."""
    return None if moment is None else moment.isoformat(timespec="microseconds")
