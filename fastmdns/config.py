# SPDX-License-Identifier: Apache-2.0
"""What `fastmdns serve` can be told: one frozen dataclass, filled from TOML < environment < flags.

Each setting is declared once, in ServeConfig, with its default, its parser and its help; the flags, the environment
names (FASTMDNS_ + the key in capitals), `config show` and the operator's guide are all made from that declaration.
An unknown key is an error that names the nearest one. Secrets may stand in files of their own and are never printed.
"""

from __future__ import annotations

import binascii
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fastmdns.errors import ConfigError

DNS_PORT = 53
ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
ENVIRONMENT_PREFIX = "FASTMDNS_"
# Names with our prefix that are no settings: where the settings are, and what setup.py reads.
ENVIRONMENT_OTHERS = frozenset({"FASTMDNS_CONFIG", "FASTMDNS_CFLAGS", "FASTMDNS_LDFLAGS"})
CONTROL_PREFIX = "FASTMDNS_CONTROL_"  # of the control plane, which reads them itself
SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

# Turns what TOML, a variable or a flag said into the setting's value; relative paths begin at the given folder.
Parser = Callable[[object, Path], Any]


@dataclass(frozen=True, slots=True)
class ZoneSource:
    """A zone file, or a folder of files named after their zones (apex None)."""

    apex: str | None
    path: Path
    allow: tuple[str, ...] | None = None  # None: the server's
    notify: tuple[str, ...] | None = None  # None: the server's


@dataclass(frozen=True, slots=True)
class TsigKey:
    name: str
    algorithm: str
    secret: bytes = field(repr=False)


# ---------------------------------------------------------------------------------------------- addresses and names


def is_address(text: str) -> bool:
    """Is this an IPv4 or IPv6 address in text?"""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        socket.inet_pton(family, text)
    except (OSError, ValueError):
        return False
    return True


def split_endpoint(text: str, default_port: int = DNS_PORT) -> tuple[str, int]:
    """`192.0.2.1:53`, `[2001:db8::1]:53`, or an address alone → (address, port)."""
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        if port and not port.startswith(":"):
            raise ConfigError(f"expected [address]:port, got {text!r}")
        port = port[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not is_address(host):
        raise ConfigError(f"expected an IP address and a port such as 127.0.0.1:5300 or [::1]:5300, got {text!r}")
    if not port:
        return host, default_port
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ConfigError(f"expected a port from 0 to 65535, got {text!r}")
    return host, int(port)


def join_endpoint(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_notify(text: str) -> tuple[str, int, str]:
    """`192.0.2.1`, `192.0.2.1:53` or `192.0.2.1:53,key:NAME` → (address, port, name of the key or "")."""
    endpoint, _, rest = text.partition(",")
    if rest and not rest.startswith("key:"):
        raise ConfigError(f"expected host:port or host:port,key:NAME, got {text!r}")
    host, port = split_endpoint(endpoint.strip())
    return host, port, rest.removeprefix("key:")


def apex_of_file(path: Path) -> str | None:
    """The zone a file is named after: `example.org.zone` → `example.org.`; None where the name ends otherwise.

    The root is `root.zone` or `..zone`; a slash in a zone's name (RFC 2317) is written %2F.
    """
    name = path.name
    if not name.endswith(".zone") or name == ".zone":
        return None
    stem = name.removesuffix(".zone")
    if stem in ("root", "."):
        return "."
    return stem.replace("%2F", "/").replace("%2f", "/").rstrip(".") + "."


def zone_files(source: ZoneSource) -> Iterator[ZoneSource]:
    """The zones of a source, each with its apex: the file itself, or every `*.zone` file in the folder, by name."""
    if not source.path.is_dir():
        yield source if source.apex else replace(source, apex=_apex_or_error(source.path))
        return
    if source.apex:
        raise ConfigError(
            f"zones: {source.path} is a folder, so its zones have the names of its files, not {source.apex}"
        )
    try:
        with os.scandir(source.path) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file())
    except OSError as error:
        raise ConfigError(f"zones: can't read the folder {source.path}: {error.strerror}") from error
    for name in names:
        apex = apex_of_file(Path(name))
        if apex:
            yield replace(source, apex=apex, path=source.path / name)


def paths_missing(config: ServeConfig) -> list[str]:
    """What the settings name but the disk doesn't have, one line each."""
    return [f"zones: {zone.path} does not exist" for zone in config.zones if not zone.path.exists()]


def _apex_or_error(path: Path) -> str:
    apex = apex_of_file(path)
    if apex is None and not path.exists():
        raise ConfigError(f"zones: {path} does not exist")
    if apex is None:
        raise ConfigError(f"zones: can't tell the zone of {path}: name it <zone>.zone or write ZONE={path}")
    return apex


# ------------------------------------------------------------------------------------------------------- one value


def _text(value: object, base: Path) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"expected text, got {value!r}")
    return value


def _switch(value: object, base: Path) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in SWITCH:
        return SWITCH[value.lower()]
    raise ConfigError(f"expected true or false, got {value!r}")


def _count(least: int, most: int = 2**63 - 1) -> Parser:
    def parse(value: object, base: Path) -> int:
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            upper = f" to {most}" if most < 2**63 - 1 else " up"
            raise ConfigError(f"expected a whole number from {least}{upper}, got {value!r}")
        return number

    return parse


def _seconds(value: object, base: Path) -> float:
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else 0.0
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ConfigError(f"expected seconds above 0, got {value!r}")
    return seconds


def _path(value: object, base: Path) -> Path:
    if isinstance(value, Path):
        return value
    text = _text(value, base)
    if not text:
        raise ConfigError("expected a path, got nothing")
    return base / Path(text).expanduser()


def _one_of(*choices: str) -> Parser:
    def parse(value: object, base: Path) -> str:
        if value not in choices:
            raise ConfigError(f"expected {' or '.join(choices)}, got {value!r}")
        return str(value)

    return parse


def _many(parse: Parser) -> Parser:
    """A list; in the environment its items stand apart by blanks."""

    def parse_all(value: object, base: Path) -> tuple[Any, ...]:
        items = value.split() if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            raise ConfigError(f"expected a list, got {value!r}")
        return tuple(parse(item, base) for item in items)

    return parse_all


def _listen(value: object, base: Path) -> str:
    return join_endpoint(*split_endpoint(_text(value, base)))


def _metrics(value: object, base: Path) -> str:
    text = _text(value, base)
    return join_endpoint(*split_endpoint(text, 9153)) if text else ""


def _notify(value: object, base: Path) -> str:
    host, port, key = split_notify(_text(value, base))
    return join_endpoint(host, port) + (f",key:{key}" if key else "")


def _rule(value: object, base: Path) -> str:
    from fastmdns.access import parse_rule

    text = _text(value, base)
    parse_rule(text)
    return text


def _zone_source(value: object, base: Path) -> ZoneSource:
    if isinstance(value, ZoneSource):
        return value
    if isinstance(value, dict):
        return _zone_table(value, base)
    text = str(_text(value, base))
    name, equals, file = text.partition("=")
    if equals and not (base / text).exists():
        return ZoneSource(_absolute(name), _path(file, base))
    return ZoneSource(None, _path(text, base))


def _zone_table(table: dict[str, object], base: Path) -> ZoneSource:
    _refuse_unknown(table, ("apex", "path", "allow", "notify"), "zones: ")
    if "path" not in table:
        raise ConfigError("a zone needs a path")
    apex, allow, notify = (table.get(key) for key in ("apex", "allow", "notify"))
    return ZoneSource(
        None if apex is None else _absolute(_text(apex, base)),
        _path(table["path"], base),
        None if allow is None else _many(_rule)(allow, base),
        None if notify is None else _many(_notify)(notify, base),
    )


def _absolute(name: str) -> str:
    if not name:
        raise ConfigError("expected a zone's name before =")
    return name if name.endswith(".") else name + "."


def _tsig_key(value: object, base: Path) -> TsigKey:
    """A table, or `name:algorithm:secret` where the secret may be @FILE."""
    if isinstance(value, TsigKey):
        return value
    if isinstance(value, dict):
        return _tsig_table(value, base)
    return key_from_text(_text(value, base), base)


def key_from_text(text: str, base: Path = Path()) -> TsigKey:
    """`name:algorithm:secret`, or `name:algorithm:@FILE`."""
    name, _, rest = text.partition(":")
    algorithm, colon, secret = rest.partition(":")
    if not (name and colon and secret):
        raise ConfigError("expected name:algorithm:secret or name:algorithm:@FILE")
    return make_key(name, algorithm, _read_secret(_path(secret[1:], base)) if secret.startswith("@") else secret)


def _tsig_table(table: dict[str, object], base: Path) -> TsigKey:
    _refuse_unknown(table, ("name", "algorithm", "secret", "secret_file"), "tsig_keys: ")
    if "name" not in table or ("secret" in table) == ("secret_file" in table):
        raise ConfigError("a key needs a name and either secret or secret_file")
    secret = table.get("secret")
    text = _read_secret(_path(table["secret_file"], base)) if secret is None else _text(secret, base)
    return make_key(_text(table["name"], base), _text(table.get("algorithm", "hmac-sha256"), base), text)


def _read_secret(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can't read the secret in {path}: {getattr(error, 'strerror', 'not ASCII')}") from None


def make_key(name: str, algorithm: str, secret: str) -> TsigKey:
    """A key from its parts; the secret is base64. No error says a secret."""
    algorithm = algorithm.lower().rstrip(".")
    if algorithm not in ALGORITHMS:
        raise ConfigError(f"key {name}: unknown algorithm {algorithm!r}{nearest(algorithm, ALGORITHMS)}")
    try:
        octets = binascii.a2b_base64(secret, strict_mode=True)
    except binascii.Error:
        raise ConfigError(f"key {name}: the secret is not base64") from None
    if not octets:
        raise ConfigError(f"key {name}: the secret is empty")
    return TsigKey(_absolute(name.lower()), algorithm, octets)


# ------------------------------------------------------------------------------------------------------ all settings


def _has_ipv6_loopback() -> bool:
    """Many containers have no ::1, and a default that can't be bound would be no default."""
    try:
        return f"{1:032x}" in Path("/proc/net/if_inet6").read_text("ascii")
    except OSError:
        return False


def default_listen() -> tuple[str, ...]:
    return ("127.0.0.1:5300", "[::1]:5300") if _has_ipv6_loopback() else ("127.0.0.1:5300",)


def default_store() -> Path:
    """Where systemd says, else where the XDG specification says."""
    state = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if state:
        return Path(state) / "store"
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "fastmdns" / "store"


def _setting(parse: Parser, default: Any, text: str, *, flag: str = "", metavar: str = "") -> Any:
    """A field of ServeConfig. flag: the name of its flag where that is not the key's; metavar: what the flag takes."""
    metadata = {"parse": parse, "help": text, "flag": flag, "metavar": metavar}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class ServeConfig:
    zones: tuple[ZoneSource, ...] = _setting(
        _many(_zone_source),
        (),
        "What to serve: a zone file named <zone>.zone, a folder of such files, or zone=file. In TOML a zone may also be"
        " a table with path, apex, allow and notify.",
        metavar="PATH",
    )
    listen: tuple[str, ...] = _setting(
        _many(_listen), default_listen, "Addresses and ports to answer on, UDP and TCP.", metavar="ADDRESS:PORT"
    )
    processes: int = _setting(_count(0, 1024), 0, "Server processes; 0 is one for each core.", metavar="N")
    store: Path = _setting(_path, default_store, "The folder that holds the rendered zones (LMDB).", metavar="FOLDER")
    allow: tuple[str, ...] = _setting(
        _many(_rule),
        ("127.0.0.0/8", "::1/128"),
        "Who may ask and transfer: 192.0.2.0/24, 2001:db8::/32, key:NAME, or 192.0.2.0/24+key:NAME where both are"
        " needed. All others are refused.",
        metavar="RULE",
    )
    tsig_keys: tuple[TsigKey, ...] = _setting(
        _many(_tsig_key),
        (),
        "TSIG keys as name:algorithm:secret; @FILE in place of the secret reads it from a file. In TOML also tables"
        " with name, algorithm, and secret or secret_file.",
        flag="tsig-key",
        metavar="NAME:ALG:SECRET",
    )
    notify: tuple[str, ...] = _setting(
        _many(_notify),
        (),
        "Secondaries to notify when a zone has a new serial: address:port, with ,key:NAME to sign.",
        metavar="ADDRESS:PORT",
    )
    user: str = _setting(_text, "", "The user to become once the sockets are bound; empty stays.", metavar="NAME")
    group: str = _setting(_text, "", "The group to become; empty is the user's own.", metavar="NAME")
    watch: bool = _setting(_switch, False, "Load a zone file again when it changes (inotify), without a signal.")
    metrics: str = _setting(
        _metrics,
        "127.0.0.1:9153",
        "Where /metrics (Prometheus) and /status (JSON) are answered; empty turns them off.",
        metavar="ADDRESS:PORT",
    )
    log_format: str = _setting(
        _one_of("text", "json"), "text", "Log lines as `event key=value` (text) or JSON.", metavar="text|json"
    )
    log_transfers: bool = _setting(_switch, True, "Log one line at the start and one at the end of each transfer.")
    max_connections: int = _setting(_count(1), 1000, "TCP connections open at once, for each process.", metavar="N")
    max_connections_per_address: int = _setting(
        _count(1), 150, "TCP connections open at once from one address, for each process.", metavar="N"
    )
    max_transfers_per_address: int = _setting(
        _count(1), 16, "Transfers running at once for one address, for each process; further ones wait.", metavar="N"
    )
    idle_seconds: float = _setting(
        _seconds, 10.0, "A TCP connection with nothing to do is closed after this long.", metavar="S"
    )
    query_seconds: float = _setting(_seconds, 2.0, "A query that has begun must be complete by then.", metavar="S")
    stall_seconds: float = _setting(
        _seconds, 10.0, "A transfer whose peer takes nothing for this long is cut.", metavar="S"
    )
    min_rate: int = _setting(
        _count(0), 1000, "A transfer slower than this many octets a second over 30 s is cut.", metavar="N"
    )
    max_transfer_seconds: float = _setting(_seconds, 3600.0, "The longest a transfer may take.", metavar="S")
    max_query_size: int = _setting(
        _count(512, 65535), 4096, "The largest query taken over TCP, in octets.", metavar="N"
    )
    udp_size: int = _setting(
        _count(512, 4096), 1232, "The largest answer sent over UDP, in octets (RFC 9715).", metavar="N"
    )
    nsid: str = _setting(
        _text,
        "",
        "What this server calls itself to who asks for it (NSID, RFC 5001); empty is silent.",
        metavar="TEXT",
    )
    store_limit: int = _setting(
        _count(1 << 20),
        1 << 40,
        "The most octets the store may take; near it, the transfer that holds old data longest is cut.",
        metavar="N",
    )
    map_size: int = _setting(
        _count(1 << 20), 1 << 30, "Octets the store's map begins with; it grows by itself.", metavar="N"
    )


SETTINGS: dict[str, Field[Any]] = {setting.name: setting for setting in fields(ServeConfig)}


def flag_of(setting: Field[Any]) -> str:
    """The setting's flag without its dashes."""
    return setting.metadata["flag"] or setting.name.replace("_", "-")


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no known word is close."""
    import difflib

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _refuse_unknown(given: Iterable[str], known: Iterable[str], place: str = "") -> None:
    known = tuple(known)
    for key in given:
        if key not in known:
            raise ConfigError(f"{place}unknown key {key!r}{nearest(key, known)}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The configuration in force, and for each key where its value came from."""

    config: ServeConfig
    origins: Mapping[str, str]


def resolve(
    file: Path | None = None, environ: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> Resolved:
    """Settings from a TOML file, then the environment, then flags: the later ones win, key by key."""
    environ = os.environ if environ is None else environ
    if file is None and environ.get("FASTMDNS_CONFIG"):
        file = Path(environ["FASTMDNS_CONFIG"])
    values: dict[str, Any] = {}
    origins = dict.fromkeys(SETTINGS, "default")
    for key, value, base, origin in _layers(file, environ, flags or {}):
        try:
            values[key] = SETTINGS[key].metadata["parse"](value, base)
        except ConfigError as error:
            place = f"{origin}: {key}" if origin == str(file) else origin
            raise ConfigError(f"{place}: {error}") from None
        origins[key] = origin
    config = ServeConfig(**values)
    _check_together(config)
    return Resolved(config, origins)


def load(
    file: Path | None = None, environ: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> ServeConfig:
    return resolve(file, environ, flags).config


def _layers(
    file: Path | None, environ: Mapping[str, str], flags: Mapping[str, object]
) -> Iterator[tuple[str, object, Path, str]]:
    here = Path()
    if file is not None:
        for key, value in _read_toml(file).items():
            yield key, value, file.parent, str(file)
    for key, value in _environment(environ).items():
        yield key, value, here, ENVIRONMENT_PREFIX + key.upper()
    for key, value in flags.items():
        yield key, value, here, "--" + flag_of(SETTINGS[key])


def _read_toml(file: Path) -> dict[str, object]:
    import tomllib

    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    _refuse_unknown(table, SETTINGS, f"{file}: ")
    return table


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    known = {ENVIRONMENT_PREFIX + key.upper(): key for key in SETTINGS}
    ours = [name for name in environ if name.startswith(ENVIRONMENT_PREFIX) and name not in ENVIRONMENT_OTHERS]
    ours = [name for name in ours if not name.startswith(CONTROL_PREFIX)]
    _refuse_unknown(ours, known, "environment: ")
    return {known[name]: environ[name] for name in ours}


def _check_together(config: ServeConfig) -> None:
    """What no single setting can tell: keys that are named must exist, and only once."""
    names = [key.name for key in config.tsig_keys]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"tsig_keys: key {name} is given twice")
    rules = [*config.allow, *(rule for zone in config.zones for rule in zone.allow or ())]
    targets = [*config.notify, *(target for zone in config.zones for target in zone.notify or ())]
    for named in _keys_named(rules, targets):
        if _absolute(named.lower()) not in names:
            raise ConfigError(f"no TSIG key is called {named!r}{nearest(_absolute(named.lower()), names)}")


def _keys_named(rules: Iterable[str], targets: Iterable[str]) -> Iterator[str]:
    for rule in rules:
        yield from (part.removeprefix("key:") for part in rule.split("+") if part.startswith("key:"))
    for target in targets:
        key = split_notify(target)[2]
        if key:
            yield key
