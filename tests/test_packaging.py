# SPDX-License-Identifier: Apache-2.0
"""What is published: the source distribution holds all it takes to build, and what is installed serves zones."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.nameservers import free_port, wait_until

ROOT = Path(__file__).parent.parent
CONTROL_PLANE = ("flask", "sqlalchemy", "alembic", "pydantic", "zmq", "gevent", "gunicorn", "psycopg", "pymysql")


def run(*command: str | Path, **options: object) -> str:
    """What the command prints; all of it is shown where it fails."""
    result = subprocess.run(  # type: ignore[call-overload]
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500, **options
    )
    assert result.returncode == 0, result.stdout
    return str(result.stdout)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "setup.py", "-q", "sdist", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.tar.gz"))


def test_source_distribution_holds_every_source_and_nothing_built(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    kinds = (".py", ".pyx", ".pxd", ".pyi")
    packages = [*(ROOT / "fastmdns").rglob("*"), *(ROOT / "control").rglob("*")]
    sources = {str(path.relative_to(ROOT)) for path in packages if path.suffix in kinds}
    assert sources | {"LICENSE", "README.md", "setup.py", "pyproject.toml", "fastmdns/py.typed"} <= names
    assert not [name for name in names if name.endswith((".c", ".so"))]


@pytest.mark.timeout(600)
def test_installed_into_an_empty_environment_it_serves_zones(sdist: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    scripts = tmp_path / "venv" / "bin"
    environ = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "FASTMDNS"))
    }
    quick = environ | {"FASTMDNS_CFLAGS": "-O0 -g0"}  # the compiler's work is not what is tested
    run(scripts / "pip", "install", "-q", "--disable-pip-version-check", sdist, cwd=tmp_path, env=quick)
    installed = run(scripts / "pip", "list", "--format=freeze", "--disable-pip-version-check", env=environ).lower()
    assert not [name for name in CONTROL_PLANE if re.search(rf"^{name}\W", installed, re.MULTILINE)]
    assert "bench" not in run(scripts / "pip", "show", "-f", "fastmdns", env=environ)

    port, metrics = free_port(), free_port()
    command = [scripts / "fastmdns", "serve", ROOT / "examples/zones", "--store", tmp_path / "store"]
    command += ["--listen", f"127.0.0.1:{port}", "--metrics", f"127.0.0.1:{metrics}"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(list(map(str, command)), cwd=tmp_path, env=environ, stdout=log, stderr=log)
    try:
        wait_until("it listens", lambda: server.poll() is not None or listens(port), 30)
        told = wait_until(
            "it serves the zone",
            lambda: subprocess.run(
                [scripts / "fastmdns", "transfer", "example.org", f"127.0.0.1:{port}"],
                cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=30, check=False,
            ).stdout,
            30,
        )  # fmt: skip
        assert "style=zone" in told
        assert "example.org." in run(scripts / "fastmdns", "status", f"127.0.0.1:{metrics}", cwd=tmp_path, env=environ)
    finally:
        server.terminate()
        assert server.wait(30) == 0, (tmp_path / "log").read_text()


def listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
