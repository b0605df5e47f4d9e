# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import sys
import tomllib

import click
import pytest
from click.testing import CliRunner

from fastmdns import cli, name, offline
from fastmdns.cli import _run
from fastmdns.config import SETTINGS, ZoneSource, flag_of
from fastmdns.store import Store
from fastmdns.zonefile import parse, parse_text

GOOD = "@ 300 SOA ns h 7 2 3 4 5\n@ 300 NS ns\nns 300 A 192.0.2.1\n"
BAD = GOOD + "x 300 A 192.0.2.300\ny 300 MX mail\n"
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="


@pytest.fixture
def zones(tmp_path):
    folder = tmp_path / "zones"
    folder.mkdir()
    file = folder / "good.example.zone"
    file.write_text(GOOD)
    os.utime(file, (1e9, 1e9))  # a file written just now counts as changed at the next look, whatever its time
    return folder


@pytest.fixture
def store(tmp_path, zones):
    folder = tmp_path / "store"
    store = Store(folder)
    with store.writing() as writer:
        writer.publish(parse(zones / "good.example.zone", name.from_text("good.example.")).records)
        writer.mark_unready(name.from_text("bad.example."))
    store.close()
    return folder


def fastmdns(*arguments, **options):
    command = [sys.executable, "-m", "fastmdns", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, **options)


# ----------------------------------------------------------------------------------------------------------- at large


def test_every_setting_is_a_flag_of_serve():
    text = CliRunner().invoke(cli.serve, ["--help"]).output
    assert all(f"--{flag_of(setting)}" in text for setting in SETTINGS.values() if setting.name != "zones")


def test_unknown_command_names_the_nearest(capsys):
    assert _run(["serv"]) == 2
    assert capsys.readouterr().err == "fastmdns: no command 'serv'; did you mean 'serve'? (see fastmdns --help)\n"


def test_unknown_flag_is_one_line(capsys):
    assert _run(["serve", "--lissten", "x"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_wrong_setting_is_one_line(capsys):
    assert _run(["serve", "zones", "--listen", "here"]) == 2
    assert capsys.readouterr().err.startswith("fastmdns: --listen: expected an IP address and a port")


def test_serving_nothing_says_what_is_missing(capsys):
    assert _run(["serve"]) == 2
    assert "name a zone file or a folder" in capsys.readouterr().err


def test_serving_paths_that_are_not_there_is_refused(tmp_path, capsys):
    assert _run(["serve", str(tmp_path / "missing")]) == 2
    assert "missing does not exist" in capsys.readouterr().err


def test_command_of_another_package_joins(monkeypatch, capsys):
    class Point:
        def load(self):
            return click.Command("api", callback=lambda: click.echo("from there"))

    monkeypatch.setattr(cli, "_entry_points", lambda: {"api": Point()})
    assert _run(["api"]) == 0
    assert capsys.readouterr().out == "from there\n"
    assert "api" in CliRunner().invoke(cli.cli, ["--help"]).output


def test_command_whose_libraries_are_missing_says_how_to_install_them(monkeypatch, capsys):
    class Point:
        def load(self):
            raise ModuleNotFoundError("No module named 'flask'", name="flask")

    monkeypatch.setattr(cli, "_entry_points", lambda: {"api": Point()})
    assert _run(["api", "--listen", "127.0.0.1:1"]) == 2
    assert "flask is missing): pip install 'fastmdns[control]'" in capsys.readouterr().err
    assert "api" not in CliRunner().invoke(cli.cli, ["--help"]).output


def test_module_runs_as_the_command():
    result = fastmdns("--version")
    assert (result.returncode, result.stdout.split()[0]) == (0, "fastmdns,")


def test_reader_that_goes_away_is_no_traceback(store):
    command = f"{sys.executable} -m fastmdns dump good.example --store {store} | true"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert result.stderr == ""


def test_serving_reads_no_module_it_does_not_need():
    code = "import sys; from fastmdns import cli; print(' '.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    late = {"dns", "rich", "tomllib", "http.client", "json", "fastmdns.client", "fastmdns.offline", "fastmdns.zonefile"}
    assert not late & set(result.stdout.split())


# -------------------------------------------------------------------------------------------------------------- check


def test_check_of_a_good_zone_tells_its_serial(zones, capsys):
    assert _run(["check", str(zones)]) == 0
    assert capsys.readouterr().out == "good.example. can be served: serial 7, 3 records\n"


def test_check_tells_every_problem_with_its_place(zones, capsys):
    bad = zones / "bad.example.zone"
    bad.write_text(BAD)
    assert _run(["check", str(zones)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.startswith(f"{bad}:{number}:") for line, number in zip(lines, (4, 5), strict=False)] == [True, True]
    assert lines[-1] == "1 of 2 zones can be served, 3 records; 2 problems"


def test_check_as_json_for_machines(zones, capsys):
    (zones / "bad.example.zone").write_text(BAD)
    assert _run(["check", "--json", str(zones)]) == 1
    bad, good = json.loads(capsys.readouterr().out)["zones"]
    assert (good["zone"], good["serial"], good["problems"]) == ("good.example.", 7, [])
    assert [problem["line"] for problem in bad["problems"]] == [4, 5]


def test_check_takes_a_zone_by_name(zones, capsys):
    (zones / "db").write_text(GOOD)
    assert _run(["check", f"other.example={zones / 'db'}"]) == 0
    assert capsys.readouterr().out.startswith("other.example. can be served")


def test_check_of_a_file_whose_name_is_no_zone_name_is_a_problem(zones, capsys):
    (zones / "a..b.zone").write_text(GOOD)
    assert _run(["check", str(zones)]) == 1
    assert "is no name of a zone" in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["missing", "missing.zone", "a=missing", "empty"])
def test_check_of_what_is_not_there_exits_with_2(tmp_path, missing, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert _run(["check", missing]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# ------------------------------------------------------------------------------------------------------------ compile


def test_compile_fills_a_store_and_leaves_it_alone_when_nothing_changed(zones, tmp_path, capsys):
    command = ["compile", str(zones), "--store", str(tmp_path / "new")]
    assert (_run(command), _run(command)) == (0, 0)
    first, second = capsys.readouterr().out.splitlines()
    assert ": 1 loaded, 0 unchanged, 0 failed; 3 records" in first
    assert ": 0 loaded, 1 unchanged, 0 failed; 3 records" in second


def test_compile_keeps_zones_of_other_files(store, tmp_path, capsys):
    (tmp_path / "new.example.zone").write_text(GOOD)
    assert _run(["compile", str(tmp_path / "new.example.zone"), "--store", str(store)]) == 0
    assert _run(["dump", "--list", "--store", str(store)]) == 0
    assert "good.example. serial=7" in capsys.readouterr().out


def test_compile_of_a_zone_with_errors_tells_them_and_keeps_the_old_image(zones, store, capsys):
    (zones / "good.example.zone").write_text(BAD)
    assert _run(["compile", str(zones), "--store", str(store), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["failed"], len(report["zones"][0]["problems"])) == (1, 2)
    assert _run(["dump", "good.example", "--store", str(store)]) == 0


def test_compile_into_a_store_that_is_being_written_names_the_process(store, zones, capsys):
    other = Store(store)
    assert _run(["compile", str(zones), "--store", str(store)]) == 1
    other.close()
    assert "process" in capsys.readouterr().err


def test_meter_counts_over_all_files(zones):
    shown = []
    meter = offline.Meter(shown.append)
    source = ZoneSource("good.example.", zones / "good.example.zone")
    meter.inside(5, 10)
    meter.passed(source)
    meter.inside(5, 10)
    assert shown == [5, len(GOOD), len(GOOD) + 5]


# --------------------------------------------------------------------------------------------------------------- dump


def test_dump_is_text_of_the_same_zone(store, tmp_path, capsys):
    apex = name.from_text("good.example.")
    assert _run(["dump", "Good.Example", "--store", str(store)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("good.example.\t300\tIN\tSOA\t")
    assert list(parse_text(text.encode(), apex).records) == list(parse_text(GOOD.encode(), apex).records)
    assert _run(["dump", "good.example", "--store", str(store), "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out").read_text() == text


def test_dump_lists_the_zones_of_a_store(store, capsys):
    assert _run(["dump", "--list", "--store", str(store)]) == 0
    bad, good = capsys.readouterr().out.splitlines()
    assert bad == "bad.example. was never loaded"
    assert good.startswith("good.example. serial=7 records=3 ")
    assert _run(["dump", "--list", "--json", "--store", str(store)]) == 0
    assert [zone["serial"] for zone in json.loads(capsys.readouterr().out)["zones"]] == [0, 7]


def test_dump_of_a_zone_that_is_not_there_names_the_nearest(store, capsys):
    assert _run(["dump", "god.example", "--store", str(store)]) == 1
    assert "did you mean 'good.example.'" in capsys.readouterr().err


def test_dump_without_a_store_makes_none(tmp_path, capsys):
    assert _run(["dump", "a", "--store", str(tmp_path / "missing")]) == 2
    assert not (tmp_path / "missing").exists()


# ------------------------------------------------------------------------------------------------------------- config


def test_config_show_tells_values_and_where_they_come_from(capsys, monkeypatch):
    monkeypatch.setenv("FASTMDNS_PROCESSES", "3")
    assert _run(["config", "show", "zones", "--tsig-key", f"a:hmac-sha256:{SECRET}"]) == 0
    text = capsys.readouterr().out
    assert "processes = 3  # FASTMDNS_PROCESSES" in text
    assert SECRET not in text
    assert set(tomllib.loads(text)) == set(SETTINGS)


def test_config_check_misses_what_is_not_there(zones, capsys):
    assert _run(["config", "check", str(zones)]) == 0
    assert _run(["config", "check", str(zones / "missing.zone")]) == 2
    assert "missing.zone does not exist" in capsys.readouterr().err
