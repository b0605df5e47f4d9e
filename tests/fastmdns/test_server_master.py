# SPDX-License-Identifier: Apache-2.0
"""Processes: reload, drain, death and rebirth, privileges, systemd. Each test runs a server of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.rcode
import pytest

from tests.fastmdns.serving import (
    DEADLINE,
    Server,
    environment,
    framed,
    query_wire,
    receive_message,
    serving,
    wait_until,
    write_zone,
    zone_text,
)

NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zones").mkdir()
    write_zone(tmp_path / "zones", "small.example", hosts=3)
    return tmp_path


def reload(server: Server, count: int = 1) -> None:
    server.signal(signal.SIGHUP)
    server.wait_line(" reloaded ", count)


@contextmanager
def in_background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run work beside the test; what it raises fails the test."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work(stop)
        except BaseException as error:  # noqa: BLE001 - handed to the test below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(DEADLINE)
    assert not failures, failures


# ---------------------------------------------------------------------------------------------------------- reload


def test_reload_serves_what_changed_and_forgets_what_is_gone(folder: Path) -> None:
    write_zone(folder / "zones", "gone.example")
    with serving(folder, processes=2) as server:
        write_zone(folder / "zones", "small.example", serial=2)
        write_zone(folder / "zones", "new.example", serial=5)
        (folder / "zones" / "gone.example.zone").unlink()
        reload(server)
        assert (server.serial("small.example"), server.serial("new.example")) == (2, 5)
        assert server.udp("gone.example").rcode() == dns.rcode.REFUSED


def test_reload_leaves_unchanged_files_unread(folder: Path) -> None:
    with serving(folder) as server:
        wait_until(lambda: time.time() - (folder / "zones" / "small.example.zone").stat().st_mtime > 0.1)
        reload(server)  # the first look after a fresh write may read once more
        before = server.counter('fastmdns_zones_total{outcome="loaded"}')
        reload(server, 2)
        assert server.counter('fastmdns_zones_total{outcome="loaded"}') == before
        assert server.counter('fastmdns_zones_total{outcome="unchanged"}') >= 1


def test_zone_that_fails_to_load_keeps_its_last_good_version(folder: Path) -> None:
    with serving(folder) as server:
        (folder / "zones" / "small.example.zone").write_text(zone_text(2) + "bad TYPO x\n")
        reload(server)
        assert server.serial("small.example") == 1
        zone = server.status()["zones"][0]
        assert zone["state"] == "failed, the last good version is served"
        assert re.search(r"small\.example\.zone:5:", zone["problems"][0])
        server.wait_line(r"error zone failed zone=small\.example\. problem=.*small\.example\.zone:5:")
        assert "fastmdns_zones_not_ready 1" in server.page("/metrics")


def test_zone_that_never_loaded_answers_servfail(folder: Path) -> None:
    (folder / "zones" / "bad.example.zone").write_text("@ A 192.0.2.1\n")
    with serving(folder) as server:
        assert server.udp("bad.example").rcode() == dns.rcode.SERVFAIL
        assert server.serial("small.example") == 1


@pytest.mark.parametrize(
    ("first", "second", "problem"), [(5, 5, "its serial did not"), (5, 4, "its serial went backwards")]
)
def test_change_without_a_newer_serial_is_served_and_warned_of(
    folder: Path, first: int, second: int, problem: str
) -> None:
    write_zone(folder / "zones", "small.example", serial=first)
    with serving(folder) as server:
        write_zone(folder / "zones", "small.example", serial=second, hosts=7)
        reload(server)
        server.wait_line(rf"warning zone stale zone=small\.example\. .*{problem}")
        assert len(server.transfer("small.example").nodes) == 9


def test_zone_with_a_record_no_message_can_carry_fails_alone(folder: Path) -> None:
    path = write_zone(folder / "zones", "oversize.example")
    path.write_text(path.read_text() + f"huge TYPE65280 \\# 65535 {'00' * 65535}\n")
    with serving(folder) as server:
        server.wait_line("zone failed zone=oversize.example")
        assert server.udp("oversize.example").rcode() == dns.rcode.SERVFAIL
        assert [each["state"] for each in server.status()["zones"]].count("loaded") >= 1


def test_folder_without_zone_files_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "zones").mkdir()
    with serving(tmp_path) as server:
        server.wait_line("warning no zones paths=.*zones")


def test_file_that_was_only_touched_is_no_reason_to_warn(folder: Path) -> None:
    with serving(folder) as server:
        write_zone(folder / "zones", "small.example", hosts=3)
        reload(server)
        assert "zone stale" not in server.text()


def test_watched_folder_needs_no_signal(folder: Path) -> None:
    with serving(folder, watch=True) as server:
        write_zone(folder / "zones", "small.example", serial=2)
        write_zone(folder / "zones", "new.example", serial=3)
        wait_until(lambda: server.serial("small.example") == 2)
        wait_until(lambda: server.udp("new.example").answer)
        (folder / "zones" / "new.example.zone").unlink()
        wait_until(lambda: not server.udp("new.example").answer)


def test_no_query_is_lost_while_zones_are_reloaded(folder: Path) -> None:
    with serving(folder, processes=2) as server:

        def ask(stop: threading.Event) -> None:
            while not stop.is_set():
                assert server.udp("small.example").answer
                assert server.tcp("small.example").answer

        with in_background(ask):
            for serial in range(2, 22):
                write_zone(folder / "zones", "small.example", serial=serial, hosts=3)
                reload(server, serial - 1)
        assert server.serial("small.example") == 21


def test_every_transfer_is_one_version_while_the_zone_changes(folder: Path) -> None:
    write_zone(folder / "zones", "small.example", serial=1, hosts=5000)
    with serving(folder, processes=2) as server:

        def change(stop: threading.Event) -> None:
            for serial in range(2, 12):
                write_zone(folder / "zones", "small.example", serial=serial, hosts=5000)
                reload(server, serial - 1)

        with in_background(change):
            for _ in range(5):
                zone = server.transfer("small.example")
                serial = zone.find_rdataset("@", "SOA")[0].serial
                texts = {str(rdata) for _, _, rdata in zone.iterate_rdatas("TXT")}
                assert texts == {f'"serial{serial}"'}


def test_running_transfer_ends_with_the_version_it_began_with(folder: Path) -> None:
    write_zone(folder / "zones", "big.example", serial=1, hosts=300_000)
    with serving(folder) as server, slow_transfer(server, "big.example") as end:
        write_zone(folder / "zones", "big.example", serial=2, hosts=10)
        reload(server)
        assert server.serial("big.example") == 2
        assert end_of_transfer(end) == 1


@contextmanager
def slow_transfer(server: Server, zone: str) -> Iterator[socket.socket]:
    with socket.socket() as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        end.settimeout(DEADLINE)
        end.connect(("127.0.0.1", server.port))
        end.sendall(framed(query_wire(zone, "AXFR", 1)))
        receive_message(end)
        yield end


def end_of_transfer(end: socket.socket) -> int:
    """Read to the last message, which holds the SOA alone; its serial."""
    while True:
        wire = receive_message(end)
        if wire[6:8] == b"\0\1":
            return int(dns.message.from_wire(wire).answer[0][0].serial)


# ------------------------------------------------------------------------------------------------------------- death


def test_killed_server_costs_its_connections_only_and_is_started_again(folder: Path) -> None:
    with serving(folder, processes=2) as server:
        for _ in range(20):
            server.tcp("small.example")
        before = server.counter('fastmdns_requests_total{transport="tcp"}')
        victim = server.pids()[0]
        os.kill(victim, signal.SIGKILL)
        server.wait_line(r'error process died process="server 0" code=-9')
        wait_until(lambda: len(server.pids()) == 2 and victim not in server.pids())
        for _ in range(20):
            assert server.udp("small.example").answer
            assert server.tcp("small.example").answer
        assert server.counter('fastmdns_requests_total{transport="tcp"}') >= before + 20
        assert [each["generation"] for each in server.status()["processes"]][:2] == [2, 1]


def test_killed_loader_is_started_again_and_loads(folder: Path) -> None:
    with serving(folder) as server:
        os.kill(server.pids("loader")[0], signal.SIGKILL)
        server.wait_line(" reloaded ")
        write_zone(folder / "zones", "small.example", serial=2)
        reload(server, 2)
        assert server.serial("small.example") == 2


def test_death_of_the_master_frees_the_port(folder: Path) -> None:
    with serving(folder, processes=2) as server:
        children = server.pids("")
        server.process.kill()
        server.process.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
        port = server.port
    with serving(folder, listen=(f"127.0.0.1:{port}",)) as server:
        assert server.serial("small.example") == 1


def test_server_that_cannot_boot_ends_the_master(folder: Path) -> None:
    (folder / "store").mkdir()
    (folder / "store" / "data.mdb").write_bytes(b"no store" * 1000)
    with serving(folder, wait=False) as server:
        assert server.process.wait(DEADLINE) == 1
        server.wait_line("error cannot boot process=loader ")


def test_drain_ends_running_transfers_and_takes_nothing_new(folder: Path) -> None:
    write_zone(folder / "zones", "big.example", hosts=300_000)
    with serving(folder) as server, slow_transfer(server, "big.example") as end:
        server.signal(signal.SIGTERM)
        wait_until(lambda: is_refused(server.port))
        assert server.process.poll() is None
        assert end_of_transfer(end) == 1
        assert server.process.wait(DEADLINE) == 0
        server.wait_line("axfr finished zone=big")


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE).close()
    except ConnectionRefusedError:
        return True
    return False


def test_second_signal_ends_it_at_once(folder: Path) -> None:
    write_zone(folder / "zones", "big.example", hosts=300_000)
    with serving(folder) as server, slow_transfer(server, "big.example"):
        server.signal(signal.SIGTERM)
        server.wait_line("info stopping")
        server.signal(signal.SIGINT)
        assert server.process.wait(DEADLINE) == 0


def test_usr1_writes_the_status_to_the_log(folder: Path) -> None:
    with serving(folder) as server:
        server.tcp("small.example")
        server.signal(signal.SIGUSR1)
        server.wait_line(r'status process pid=\d+ .* name="server 0"')
        server.wait_line(r'status counters .*requests_total\{transport="tcp"\}')


# -------------------------------------------------------------------------------------------------- the world outside


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """pytest's own folders are closed to all other users."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "zones").mkdir()
        write_zone(folder / "zones", "small.example")
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_privileges_are_dropped_after_the_sockets_are_bound(public_folder: Path) -> None:
    with serving(public_folder, user="nobody") as server:
        assert server.serial("small.example") == 1
        for pid in [server.process.pid, *server.pids("")]:
            facts = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            assert set(facts["Uid"].split()) == {str(NOBODY)}
            assert int(facts["CapEff"], 16) == 0
            assert facts["NoNewPrivs"] == "1"
            assert "0" not in facts["Groups"].split()


def test_sockets_of_socket_activation_are_served(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(tcp.getsockname())
        starter = (
            "import os, sys; ends = list(map(int, sys.argv[1:3])); "
            "kept = [os.dup2(end, 50 + at) for at, end in enumerate(ends)]; "
            "[os.dup2(50 + at, 3 + at) for at in range(2)]; "
            "os.environ.update(LISTEN_FDS='2', LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES='dns:dns'); "
            "os.execv(sys.argv[3], sys.argv[3:])"
        )

        def wrap(command: list[str]) -> list[str]:
            return [sys.executable, "-c", starter, str(tcp.fileno()), str(udp.fileno()), *command]

        passed = {"pass_fds": (tcp.fileno(), udp.fileno())}
        with serving(folder, wrap=wrap, popen=passed, processes=2, listen=("127.0.0.1:1",)) as server:
            assert server.port == tcp.getsockname()[1]
            for _ in range(10):
                assert server.udp("small.example").answer
                assert server.tcp("small.example").answer


def test_supervisor_hears_of_ready_reloading_alive_and_stopping(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(folder / "notify"))
        supervisor.settimeout(DEADLINE)
        outside = environment(NOTIFY_SOCKET=str(folder / "notify"), WATCHDOG_USEC="400000")
        heard: list[str] = []

        def hear(state: str) -> None:
            while state not in heard:
                heard.extend(supervisor.recv(4096).decode().splitlines())

        with serving(folder, popen={"env": outside}) as server:
            hear("READY=1")
            assert "STATUS=serving 1 zones, 0 failed to load" in heard
            hear("WATCHDOG=1")
            heard.clear()
            server.signal(signal.SIGHUP)
            hear("RELOADING=1")
            assert any(line.startswith("MONOTONIC_USEC=") for line in heard)
            hear("READY=1")
            server.signal(signal.SIGTERM)
            hear("STOPPING=1")


def test_address_in_use_is_an_error_that_names_it(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with serving(folder, listen=(address,), wait=False) as server:
            assert server.process.wait(DEADLINE) != 0
            assert f"can't listen on {address}: Address already in use" in server.text()


def test_health_and_readiness_are_told_over_http(folder: Path) -> None:
    with serving(folder) as server:
        assert server.page("/healthz") == "ok\n"
        assert server.page("/readyz") == "ready\n"


def test_json_lines_of_the_log_all_parse(folder: Path) -> None:
    import json

    with serving(folder, log_format="json", wait=False) as server:
        ready = json.loads(server.wait_line('"event": "ready"'))
        server.port = int(ready["listen"].rpartition(":")[2])
        server.transfer("small.example")
        finished = json.loads(server.wait_line('"event": "axfr finished"'))
        assert (finished["zone"], finished["serial"], finished["records"]) == ("small.example.", 1, 7)
        assert [json.loads(line)["level"] for line in server.text().splitlines()]


def test_zone_with_rules_of_its_own_is_never_served_by_the_others(folder: Path) -> None:
    """A zone that appears in a folder with its own rules must not be open for a moment to whom the server allows."""
    closed = folder / "closed"
    closed.mkdir()
    config = folder / "config.toml"
    config.write_text(
        f'zones = ["{folder}/zones", {{ path = "{closed}", allow = ["192.0.2.1"] }}]\nallow = ["127.0.0.0/8"]\n'
    )
    with serving(folder, "--config", config, processes=2) as server:
        write_zone(closed, "closed.example")
        replies: list[int] = []

        def ask(stop: threading.Event) -> None:
            while not stop.is_set():
                replies.append(server.tcp("closed.example", "SOA").rcode())

        with in_background(ask):
            reload(server)
            assert server.udp("closed.example").rcode() == dns.rcode.REFUSED
        assert set(replies) == {dns.rcode.REFUSED}
