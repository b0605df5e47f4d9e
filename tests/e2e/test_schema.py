# SPDX-License-Identifier: Apache-2.0
"""The API does what its own document says, whatever is sent: schemathesis against a live server.

`make test` spends some 20 seconds on it, `make fuzz-api SECONDS=600` as long as it is told.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from control.storage.database import Database
from tests.control.live import live_api

SECONDS = int(os.environ.get("SCHEMA_SECONDS", "20"))
# A schema can't say all that DNS asks of a name or a record, nor that a marker must exist: 400 is right there. And
# Designate's clients send numbers as text and text as numbers: what can be read is taken, though no schema says so.
BEYOND_SCHEMAS = "positive_data_acceptance,negative_data_rejection"


@pytest.mark.timeout(SECONDS + 240)
def test_api_keeps_its_contract(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/control.db")
    with live_api(database, tmp_path, quota_zones="-1") as live:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{live.url}/openapi.json", "--url", live.url]
        command += ["--max-time", str(SECONDS), "--exclude-checks", BEYOND_SCHEMAS, "--continue-on-failure"]
        command += ["--no-color", "--generation-database", "none", "--max-examples", "20" if SECONDS < 60 else "500"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 180, check=False, cwd=tmp_path)
        failures = [line for line in live.log.read_text().splitlines() if " error " in line]
    database.close()
    assert told.returncode == 0, told.stdout[-20_000:] + told.stderr[-2000:]
    assert not failures
