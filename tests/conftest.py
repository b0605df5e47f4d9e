# SPDX-License-Identifier: Apache-2.0
"""What all tests share. A test that needs a program which is not here skips with the command that brings it; where
CI=true that is a failure, because there nobody reads what was skipped."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def no_settings_from_outside() -> Iterator[None]:
    """Tests see no FASTMDNS_* setting of the person who runs them."""
    ours = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("FASTMDNS_")}
    yield
    os.environ.update(ours)


def need(program: str, install: str = "make peers") -> Path:
    """The program's path, or a skip that says how to install it."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is not None:
        return Path(found)
    reason = f"{program} is not installed: {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def no_signal_left_behind() -> Iterator[None]:
    """A test that handles signals puts the old handlers back."""
    numbers = (signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    yield
    assert [signal.getsignal(number) for number in numbers] == before
