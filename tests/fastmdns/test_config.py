# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from fastmdns import config
from fastmdns.config import SETTINGS, ServeConfig, TsigKey, ZoneSource, load, resolve
from fastmdns.errors import ConfigError
from fastmdns.reference import metrics_reference, reference, settings_in_force

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "fastmdns.toml"
        path.write_text(text)
        return path

    return write


def test_defaults_serve_loopback_only():
    serve = load(environ={})
    assert {config.split_endpoint(listen)[0] for listen in serve.listen} <= {"127.0.0.1", "::1"}
    assert serve.allow == ("127.0.0.0/8", "::1/128")


def test_later_layers_win_key_by_key(toml):
    file = toml("processes = 1\nidle_seconds = 5\nudp_size = 600")
    environ = {"FASTMDNS_PROCESSES": "2", "FASTMDNS_IDLE_SECONDS": "6"}
    resolved = resolve(file, environ, {"processes": "3"})
    serve = resolved.config
    assert (serve.processes, serve.idle_seconds, serve.udp_size) == (3, 6.0, 600)
    assert [resolved.origins[key] for key in ("processes", "idle_seconds", "udp_size", "watch")] == [
        "--processes",
        "FASTMDNS_IDLE_SECONDS",
        str(file),
        "default",
    ]


def test_file_can_be_named_by_the_environment(toml):
    assert load(environ={"FASTMDNS_CONFIG": str(toml("processes = 7"))}).processes == 7


def test_unknown_key_names_the_nearest(toml):
    with pytest.raises(ConfigError, match="unknown key 'proceses'; did you mean 'processes'"):
        load(toml("proceses = 1"), {})


def test_unknown_variable_names_the_nearest():
    with pytest.raises(ConfigError, match="'FASTMDNS_LISTN'; did you mean 'FASTMDNS_LISTEN'"):
        load(environ={"FASTMDNS_LISTN": "127.0.0.1"})


def test_unknown_key_of_a_zone_names_the_nearest(toml):
    with pytest.raises(ConfigError, match="unknown key 'alow'; did you mean 'allow'"):
        load(toml('[[zones]]\npath = "x.zone"\nalow = []'), {})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("processes = -1", "whole number from 0 to 1024"),
        ("processes = true", "whole number"),
        ('processes = "two"', "whole number"),
        ("idle_seconds = 0", "seconds above 0"),
        ('idle_seconds = "soon"', "seconds above 0"),
        ('watch = "perhaps"', "true or false"),
        ("watch = 1", "true or false"),
        ('listen = ["localhost:53"]', "an IP address and a port"),
        ('listen = ["127.0.0.1:70000"]', "a port from 0 to 65535"),
        ('listen = ["[::1]53"]', r"\[address\]:port"),
        ("listen = 53", "expected a list"),
        ("listen = [53]", "expected text"),
        ('allow = ["192.0.2.0/33"]', "192.0.2.0/33"),
        ('allow = ["key:"]', "key:"),
        ('allow = ["key:missing"]', "no TSIG key is called 'missing'"),
        ('notify = ["192.0.2.1:53,tsig:a"]', "host:port,key:NAME"),
        ('notify = ["192.0.2.1:53,key:missing"]', "no TSIG key is called 'missing'"),
        ('log_format = "xml"', "text or json"),
        ('store = ""', "expected a path"),
        ('zones = ["=x.zone"]', "a zone's name before ="),
        ("[[zones]]", "a zone needs a path"),
        ('tsig_keys = ["a:hmac-sha256"]', "name:algorithm:secret"),
        (f'tsig_keys = ["a:hmac-sha257:{SECRET}"]', "did you mean 'hmac-sha256'"),
        ('tsig_keys = ["a:hmac-sha256:*"]', "not base64"),
        ('tsig_keys = ["a:hmac-sha256:@missing.key"]', "can't read the secret in .*missing.key"),
        ('[[tsig_keys]]\nname = "a"', "either secret or secret_file"),
        (f'tsig_keys = ["a:hmac-sha256:{SECRET}", "A.:hmac-sha1:{SECRET}"]', "key a. is given twice"),
        ("processes = ", "Invalid value"),
    ],
)
def test_wrong_value_is_refused_with_what_was_expected(toml, line, reason):
    with pytest.raises(ConfigError, match=reason):
        load(toml(line), {})


def test_error_says_where_the_value_stood(toml):
    file = toml("udp_size = 1")
    with pytest.raises(ConfigError, match=f"^{file}: udp_size: "):
        load(file, {})
    with pytest.raises(ConfigError, match="^FASTMDNS_UDP_SIZE: "):
        load(environ={"FASTMDNS_UDP_SIZE": "1"})
    with pytest.raises(ConfigError, match="^--udp-size: "):
        load(environ={}, flags={"udp_size": "1"})


def test_missing_file_is_named():
    with pytest.raises(ConfigError, match="can't read /missing.toml: No such file"):
        load(Path("/missing.toml"), {})


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5300", ("127.0.0.1", 5300)),
        ("::1", ("::1", 53)),
        ("[2001:db8::1]:5300", ("2001:db8::1", 5300)),
        ("[::1]", ("::1", 53)),
    ],
)
def test_endpoints_are_addresses_with_a_port_or_none(text, endpoint):
    assert config.split_endpoint(text) == endpoint
    assert config.split_endpoint(config.join_endpoint(*endpoint)) == endpoint


def test_settings_of_the_control_plane_in_the_environment_are_not_ours():
    assert load(environ={"FASTMDNS_CONTROL_DATABASE": "sqlite:///x"}) == load(environ={})


def test_items_in_the_environment_stand_apart_by_blanks():
    serve = load(environ={"FASTMDNS_LISTEN": "127.0.0.1:1 [::1]:2", "FASTMDNS_ZONES": "a.zone b=c"})
    assert serve.listen == ("127.0.0.1:1", "[::1]:2")
    assert serve.zones == (ZoneSource(None, Path("a.zone")), ZoneSource("b.", Path("c")))


def test_paths_begin_at_the_folder_of_the_file(toml, tmp_path):
    (tmp_path / "a.key").write_text(SECRET + "\n")
    file = toml('store = "s"\nzones = ["z"]\n[[tsig_keys]]\nname = "a"\nsecret_file = "a.key"')
    serve = load(file, {})
    assert serve.store == tmp_path / "s"
    assert serve.zones[0].path == tmp_path / "z"
    assert serve.tsig_keys == (TsigKey("a.", "hmac-sha256", b"secret-secret-secret"),)


def test_zone_table_has_rules_of_its_own(toml):
    text = f"""
        [[tsig_keys]]
        name = "a"
        secret = "{SECRET}"
        [[zones]]
        apex = "example.org"
        path = "/z"
        allow = ["192.0.2.0/24+key:a"]
        notify = ["192.0.2.1,key:a"]
    """
    zone = load(toml(text), {}).zones[0]
    assert zone == ZoneSource("example.org.", Path("/z"), ("192.0.2.0/24+key:a",), ("192.0.2.1:53,key:a",))


@pytest.mark.parametrize(
    ("file", "apex"),
    [
        ("example.org.zone", "example.org."),
        ("root.zone", "."),
        ("..zone", "."),
        ("0%2F25.2.0.192.in-addr.arpa.zone", "0/25.2.0.192.in-addr.arpa."),
        ("example.org", None),
        (".zone", None),
    ],
)
def test_zone_files_are_named_after_their_zone(file, apex):
    assert config.apex_of_file(Path(file)) == apex


def test_folder_holds_the_zones_of_its_files(tmp_path):
    for name in ("b.example.zone", "a.example.zone", "README", "root.zone"):
        (tmp_path / name).touch()
    (tmp_path / "folder.zone").mkdir()
    found = list(config.zone_files(ZoneSource(None, tmp_path, ("::1",))))
    assert [(zone.apex, zone.path.name) for zone in found] == [
        ("a.example.", "a.example.zone"),
        ("b.example.", "b.example.zone"),
        (".", "root.zone"),
    ]
    assert {zone.allow for zone in found} == {("::1",)}


def test_folder_can_not_be_one_zone(tmp_path):
    with pytest.raises(ConfigError, match="is a folder"):
        list(config.zone_files(ZoneSource("a.", tmp_path)))


def test_file_without_a_zone_in_its_name_needs_one():
    with pytest.raises(ConfigError, match="write ZONE=/dev/null"):
        list(config.zone_files(ZoneSource(None, Path("/dev/null"))))
    with pytest.raises(ConfigError, match="/missing does not exist"):
        list(config.zone_files(ZoneSource(None, Path("/missing"))))


def test_path_that_exists_is_a_path_though_it_holds_an_equals_sign(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b.zone").touch()
    assert load(environ={}, flags={"zones": ("a=b.zone", "a=c.zone")}).zones == (
        ZoneSource(None, Path("a=b.zone")),
        ZoneSource("a.", Path("c.zone")),
    )


def test_store_is_where_systemd_or_xdg_says(monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/fastmdns:/var/lib/other")
    assert config.default_store() == Path("/var/lib/fastmdns/store")
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert config.default_store() == Path("/state/fastmdns/store")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert config.default_store() == Path("~/.local/state/fastmdns/store").expanduser()


def test_secrets_are_never_printed():
    resolved = resolve(environ={}, flags={"tsig_keys": (f"a:hmac-sha256:{SECRET}",)})
    printed = repr(resolved.config) + settings_in_force(resolved)
    assert "hmac-sha256" in printed
    assert SECRET not in printed
    assert "secret-secret" not in printed


def test_settings_in_force_are_toml_that_gives_the_same_settings(toml):
    environ = {"FASTMDNS_ZONES": "a.=/a.zone /zones", "FASTMDNS_WATCH": "yes", "FASTMDNS_METRICS": ""}
    resolved = resolve(environ=environ)
    assert resolve(toml(settings_in_force(resolved)), {}).config == resolved.config


def test_zone_with_rules_is_shown_with_them(toml):
    zone = ZoneSource("a.", Path("/a"), ("::1",), ())
    resolved = dataclasses.replace(resolve(environ={}), config=ServeConfig(zones=(zone,)))
    assert tomllib.loads(settings_in_force(resolved))["zones"] == [
        {"path": "/a", "apex": "a.", "allow": ["::1"], "notify": []}
    ]


def test_algorithms_are_those_tsig_has():
    from fastmdns import tsig

    assert sorted(tsig.ALGORITHMS) == sorted(config.ALGORITHMS)


def test_every_setting_has_help_and_a_flag_of_its_own():
    assert all(len(setting.metadata["help"]) > 20 for setting in SETTINGS.values())
    assert len({config.flag_of(setting) for setting in SETTINGS.values()}) == len(SETTINGS)


def test_documentation_is_what_the_declarations_say():
    assert (ROOT / "docs/configuration.md").read_text("utf-8") == reference(), "run: make docs"
    assert (ROOT / "docs/metrics.md").read_text("utf-8") == metrics_reference(), "run: make docs"


def test_every_setting_is_read_by_the_server():
    server = "".join(
        path.read_text("utf-8") for path in (ROOT / "fastmdns/server").glob("*.py*") if path.suffix != ".pyc"
    )
    unused = [key for key in SETTINGS if not re.search(rf"config\.{key}\b", server)]
    assert not unused


def test_example_settings_are_valid():
    assert load(ROOT / "examples/fastmdns.toml", {}).zones[0].path.is_file()
