# SPDX-License-Identifier: Apache-2.0
"""Translates every Cython module from scratch, in a folder of its own, and fails if Cython has anything to say.

A "performance hint" means that a nogil function takes the GIL after all, to ask for an exception: the build works, but
the leaf is not what its author believed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NOISE = re.compile(r"performance hint|^warning:|^Error", re.MULTILINE)


def translate(folder: Path) -> str:
    """What setup.py prints while it translates a copy of the sources."""
    for package in ("fastmdns", "bench"):
        shutil.copytree(package, folder / package, ignore=shutil.ignore_patterns("*.c", "*.so", "__pycache__"))
    for file in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(file, folder)
    command = [sys.executable, "setup.py", "--quiet", "--name"]
    environ = {**os.environ, "CYTHON_FORCE_REGEN": "1", "FASTMDNS_EXTENSIONS": "all"}
    result = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.stdout + result.stderr)
    return result.stdout + result.stderr


with tempfile.TemporaryDirectory() as name:
    output = translate(Path(name))
if NOISE.search(output):
    raise SystemExit(output)
sys.stdout.write(f"cython: {output.count('Cythonizing')} modules, no hints\n")
