# SPDX-License-Identifier: Apache-2.0
"""The documents beside the code say what the code says."""

from pathlib import Path

from control import metrics
from control.reference import reference

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_settings_are_those_that_the_reference_lists() -> None:
    assert (DOCS / "control-configuration.md").read_text("utf-8") == reference(), "run make docs"


def test_every_metric_is_in_the_operators_guide() -> None:
    guide = (DOCS / "control.md").read_text("utf-8")
    families = [name for metric in vars(metrics).values() if (name := getattr(metric, "_name", ""))]
    assert len(families) >= 4
    assert [name for name in families if name not in guide] == []
