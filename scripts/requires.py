# SPDX-License-Identifier: Apache-2.0
"""Prints what pyproject.toml requires, one a line: `requires.py build run test e2e lint` names the lists."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
LISTS = {
    "build": project["build-system"]["requires"],
    "run": project["project"]["dependencies"],
    **project["project"]["optional-dependencies"],
}

for name in sys.argv[1:]:
    sys.stdout.writelines(f"{line}\n" for line in LISTS[name])
