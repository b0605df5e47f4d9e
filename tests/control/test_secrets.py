# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from control import secrets
from control.config import ControlConfig, load
from control.errors import Unavailable
from fastmdns.errors import ConfigError

KEYS = [base64.b64encode(bytes([at]) * 32).decode() for at in (1, 2)]


def test_what_is_sealed_opens_at_its_place_and_at_no_other() -> None:
    box = secrets.box(KEYS[0], None)
    sealed = box.seal("c2VjcmV0", "tsigkeys/1")
    assert box.open(sealed, "tsigkeys/1") == "c2VjcmV0"
    assert b"c2VjcmV0" not in sealed
    with pytest.raises(Unavailable, match="a secret in the database is damaged"):
        box.open(sealed, "tsigkeys/2")


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    box = secrets.box(KEYS[0], None)
    assert box.seal("x", "p") != box.seal("x", "p")


def test_older_keys_open_and_the_first_one_seals() -> None:
    old, both, new = (secrets.box(keys, None) for keys in (KEYS[0], f"{KEYS[1]},{KEYS[0]}", KEYS[1]))
    assert both.open(old.seal("x", "p"), "p") == "x"
    assert new.open(both.seal("x", "p"), "p") == "x"
    with pytest.raises(Unavailable, match="secret_key lacks the key"):
        new.open(old.seal("x", "p"), "p")


def test_key_is_made_once_beside_the_database_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    secrets.box.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        boxes = list(pool.map(lambda _: secrets.box.__wrapped__("", tmp_path / "control.db"), range(8)))
    assert {boxes[0].open(box.seal("x", "p"), "p") for box in boxes} == {"x"}
    assert [file.name for file in tmp_path.iterdir()] == ["control.db.key"]
    assert (tmp_path / "control.db.key").stat().st_mode & 0o777 == 0o600


def test_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "control.db.key"
    file.write_text(KEYS[0])
    file.chmod(0o644)
    with pytest.raises(Unavailable, match="can be read by others; chmod 600 it"):
        secrets.box("", tmp_path / "control.db")


def test_database_that_is_no_file_needs_the_setting() -> None:
    with pytest.raises(Unavailable, match="secret_key is empty"):
        secrets.box("", None)


def test_setting_that_is_no_key_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="secret_key: .*32 octets in base64") as caught:
        load(environ={}, secret_key="hunter2")
    assert "hunter2" not in str(caught.value)
    assert KEYS[0] not in repr(ControlConfig(secret_key=KEYS[0]))
