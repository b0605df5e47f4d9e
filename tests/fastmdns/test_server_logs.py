# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import logging

import pytest

from fastmdns.server import logs


def line(form: int, event: str, **fields: object) -> str:
    record = logging.LogRecord("fastmdns", logging.WARNING, "", 0, event, (), None)
    record.created = 1769860800.1236
    record.fields = fields
    return logs.EventFormatter(form).format(record)


def test_text_line_is_time_level_event_and_fields() -> None:
    assert line(logs.TEXT, "zone failed", zone="a.", seconds=0.12345) == (
        "2026-01-31T12:00:00.123Z warning zone failed zone=a. seconds=0.123"
    )


def test_journal_line_has_a_priority_and_no_time() -> None:
    assert line(logs.JOURNAL, "zone failed", zone="a.") == "<4>zone failed zone=a."


def test_json_line_is_one_object() -> None:
    assert json.loads(line(logs.JSON, "zone failed", serial=7)) == {
        "time": "2026-01-31T12:00:00.123Z",
        "level": "warning",
        "event": "zone failed",
        "serial": 7,
    }


@pytest.mark.parametrize("form", [logs.TEXT, logs.JOURNAL, logs.JSON])
@pytest.mark.parametrize("value", ["a\nb", 'x" level=info', "key=value", "\x1b[31m", "", "ü"])
def test_no_value_can_forge_a_line_or_a_field(form: int, value: str) -> None:
    text = line(form, "event", reason=value)
    assert text.isprintable()
    assert text.count("=") - text.count('\\"=') <= 1 + value.count("=")
    assert json.dumps(value) in text


def test_journal_is_chosen_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    assert logs.form_from_config("text") == logs.TEXT
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    assert logs.form_from_config("text") == logs.JOURNAL
    assert logs.form_from_config("json") == logs.JSON
