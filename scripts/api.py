# SPDX-License-Identifier: Apache-2.0
"""`make api`: the control plane's API over SQLite in run/api, with an admin, and the lines to try once it answers.

The admin's password is made at the first start and kept in run/api/openrc, which only its owner can read.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from control.cli.serving import prepare
from control.config import load
from scripts.run import next_free, say

FOLDER = Path("run/api")
NAME_SERVERS = ("ns1.example.net.", "ns2.example.net.")
READY_SECONDS = 60


def main() -> int:
    port = next_free(int(sys.argv[1]) if len(sys.argv) > 1 else 9001)
    metrics = next_free(9154)
    url = f"http://127.0.0.1:{port}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    environ = {
        "FASTMDNS_CONTROL_DATABASE": f"sqlite:///{FOLDER.absolute()}/control.db",
        "FASTMDNS_CONTROL_LISTEN": f"127.0.0.1:{port}",
        "FASTMDNS_CONTROL_METRICS": f"127.0.0.1:{metrics}",
    }
    password = admin_password(environ, url)
    server = subprocess.Popen([sys.executable, "-m", "control.serving"], env={**os.environ, **environ})
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda number, frame: server.send_signal(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the server as well, which then ends
    if wait_until_it_answers(server, port):
        say("", f"fastmdns: {url} answers. Try, in another terminal:", "", *lines_to_try(url, metrics, password), "")
    return server.wait()


def admin_password(environ: dict[str, str], url: str) -> str:
    """Of the first start: told once by the bootstrap, kept in openrc."""
    openrc = FOLDER / "openrc"
    created = prepare(load(environ=environ), NAME_SERVERS)
    password = created.password if created else kept_in(openrc)
    openrc.touch(mode=0o600)
    openrc.write_text(OPENRC.format(url=url, password=password), "utf-8")
    return password


def kept_in(openrc: Path) -> str:
    return openrc.read_text("utf-8").partition("OS_PASSWORD=")[2].splitlines()[0]


OPENRC = """\
export OS_AUTH_URL={url}/v3
export OS_USERNAME=admin
export OS_PASSWORD={password}
export OS_PROJECT_NAME=admin
export OS_USER_DOMAIN_NAME=Default
export OS_PROJECT_DOMAIN_NAME=Default
export OS_IDENTITY_API_VERSION=3
"""


def wait_until_it_answers(server: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except OSError:
            time.sleep(0.1)
    return False


def lines_to_try(url: str, metrics: int, password: str) -> list[str]:
    return [
        f"  curl -u admin:{password} -H 'Content-Type: application/json' {url}/v2/zones \\",
        """    -d '{"name": "example.org.", "email": "joe@example.org"}'""",
        f"  curl -u admin:{password} {url}/v2/recordsets",
        "  . run/api/openrc && openstack zone list     (pip install python-openstackclient python-designateclient)",
        "",
        f"  {url}/docs shows all operations, http://127.0.0.1:{metrics}/metrics what it counts; Ctrl-C ends it.",
    ]


if __name__ == "__main__":
    sys.exit(main())
