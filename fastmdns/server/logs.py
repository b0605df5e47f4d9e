# SPDX-License-Identifier: Apache-2.0
"""Log lines: an event, then key=value, on standard error, in one of three forms.

text: `2026-01-31T12:00:00.123Z info zone loaded zone=example.org. serial=7` · journal: `<6>zone loaded …`, since the
journal keeps time and level itself (chosen when JOURNAL_STREAM is set) · json: one object per line. Values that come
from outside are quoted where they hold a blank, a quote or a control octet, so no value can forge a second line.
transferlog.pyx writes the same three forms from C.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from typing import Any

LOGGER = logging.getLogger("fastmdns")
TEXT, JOURNAL, JSON = range(3)
PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
PLAIN = re.compile(r"[!#-<>-\[\]-~]+\Z")  # printable ASCII without blank, quote, "=" and backslash


def form_from_config(log_format: str) -> int:
    if log_format == "json":
        return JSON
    return JOURNAL if os.environ.get("JOURNAL_STREAM") else TEXT


def escaped(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if PLAIN.match(text) else json.dumps(text)


class EventFormatter(logging.Formatter):
    def __init__(self, form: int) -> None:
        super().__init__()
        self.form = form

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = dict(getattr(record, "fields", {}))
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        level = record.levelname.lower()
        if self.form == JSON:
            head = {"time": timestamp(record.created), "level": level, "event": record.getMessage()}
            return json.dumps(head | fields, default=str)
        line = " ".join([record.getMessage(), *(f"{key}={escaped(value)}" for key, value in fields.items())])
        if self.form == JOURNAL:
            return f"<{PRIORITY.get(record.levelno, 6)}>{line}"
        return f"{timestamp(record.created)} {level} {line}"


def timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


def start(log_format: str) -> None:
    """Send this package's log to standard error in the form asked for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter(form_from_config(log_format)))
    LOGGER.handlers = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False


def info(event: str, **fields: object) -> None:
    LOGGER.info(event, extra={"fields": fields})


def warning(event: str, **fields: object) -> None:
    LOGGER.warning(event, extra={"fields": fields})


def error(event: str, **fields: object) -> None:
    LOGGER.error(event, extra={"fields": fields})


def failure(event: str, **fields: object) -> None:
    """An error nobody foresaw: with its traceback."""
    LOGGER.exception(event, extra={"fields": fields})
