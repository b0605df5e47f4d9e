# SPDX-License-Identifier: Apache-2.0
import json
import socket
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from fastmdns import status
from fastmdns.cli import _run

ZONE = {"zone": "a.", "path": "a.zone", "state": "loaded", "serial": 7, "records": 3, "problems": []}
STATUS = {
    "version": "0.1.0",
    "ready": True,
    "processes": [
        {"name": "server 0", "pid": 12, "started_at": 1000.0, "generation": 2, "silent_seconds": 0.1},
        {"name": "loader", "pid": 0, "started_at": 0.0, "generation": 1, "silent_seconds": 0.1},
    ],
    "zones": [ZONE],
    "notify": [{"target": "192.0.2.1:53", "waiting": 2, "silent": True, "oldest": []}],
    "counters": {"fastmdns_transfers_total": 5, "fastmdns_nothing_total": 0},
}


@contextmanager
def exporter(body, code=200):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def shown(**changes):
    return "\n".join(status.lines(STATUS | changes, 1000.0 + 3 * 3600))


def test_table_tells_processes_zones_notify_and_what_was_counted():
    text = shown()
    assert "fastmdns 0.1.0 ready" in text
    assert "server 0  pid 12  up 3 h  start 2" in text
    assert "loader    down" in text
    assert "a.  serial 7  3 records  loaded" in text
    assert "192.0.2.1:53  2 waiting  silent" in text
    assert "fastmdns_transfers_total  5" in text
    assert "nothing" not in text


def test_failed_zones_come_first_with_their_problem():
    failed = ZONE | {"zone": "z.", "state": "failed, nothing to serve", "problems": ["z.zone:1:1: why"]}
    zones = shown(zones=[ZONE, failed]).split("zones\n")[1]
    assert zones.startswith("  z.  serial 7  3 records  failed, nothing to serve  z.zone:1:1: why")


def test_thousands_of_zones_are_not_all_shown():
    text = shown(zones=[ZONE | {"zone": f"z{number}."} for number in range(1000)])
    assert text.count("records") == status.ZONES_SHOWN
    assert "and 960 more" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (59, "59 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (300000, "3 d")]
)
def test_duration_is_in_one_unit(seconds, text):
    assert status.duration(seconds) == text


def test_command_prints_the_json_it_got(capsys):
    with exporter(json.dumps(STATUS).encode()) as address:
        assert _run(["status", address, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == STATUS


@pytest.mark.parametrize("changes", [{"ready": False}, {"zones": [ZONE | {"state": "failed, nothing to serve"}]}])
def test_exit_code_tells_that_not_all_is_well(changes):
    with exporter(json.dumps(STATUS | changes).encode()) as address:
        assert _run(["status", address]) == 1


@pytest.mark.parametrize(
    ("body", "code", "reason"), [(b"[]", 200, "something else"), (b"<p>", 200, "something else"), (b"", 404, "404")]
)
def test_other_servers_are_told_apart(capsys, body, code, reason):
    with exporter(body, code) as address:
        assert _run(["status", address]) == 1
    assert reason in capsys.readouterr().err


def test_no_server_is_one_line(capsys):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    assert _run(["status", f"127.0.0.1:{port}"]) == 1
    error = capsys.readouterr().err
    assert error == f"fastmdns: no server answers on 127.0.0.1:{port}: Connection refused (say its metrics address)\n"
