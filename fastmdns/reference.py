# SPDX-License-Identifier: Apache-2.0
"""The settings as people read them: the reference in docs/configuration.md and what `config show` prints.

Both are made from the declarations in config.py. A secret is never part of either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastmdns.config import (
    ENVIRONMENT_PREFIX,
    SETTINGS,
    Resolved,
    TsigKey,
    ZoneSource,
    flag_of,
)

DEFAULTS_IN_WORDS = {
    "zones": "none",
    "listen": '`["127.0.0.1:5300", "[::1]:5300"]`',
    "store": "`$STATE_DIRECTORY/store`, else `~/.local/state/fastmdns/store`",
}


def toml_value(value: object) -> str:
    """A setting's value as it would stand in TOML; a key's secret is replaced by dots."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str() | Path():
            return _quoted(str(value))
        case tuple():
            return f"[{', '.join(toml_value(item) for item in value)}]"
        case ZoneSource(apex, path, None, None):
            return _quoted(f"{apex}={path}" if apex else str(path))
        case ZoneSource():
            return _inline_table(value, value.path)
        case TsigKey():
            return f'{{ name = {_quoted(value.name)}, algorithm = {_quoted(value.algorithm)}, secret = "…" }}'
    raise TypeError(f"no TOML for {type(value).__name__}")


def _inline_table(source: ZoneSource, path: Path) -> str:
    given = {key: getattr(source, key) for key in ("apex", "allow", "notify") if getattr(source, key) is not None}
    pairs = [f"{key} = {toml_value(item)}" for key, item in {"path": path, **given}.items()]
    return f"{{ {', '.join(pairs)} }}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def settings_in_force(resolved: Resolved) -> str:
    """All settings as TOML, each line with the place its value came from."""
    lines = [(f"{name} = {toml_value(getattr(resolved.config, name))}", resolved.origins[name]) for name in SETTINGS]
    return "".join(f"{line}  # {origin}\n" for line, origin in lines)


def reference() -> str:
    """The text of docs/configuration.md."""
    return "\n".join(_reference_lines()) + "\n"


def _reference_lines() -> Iterator[str]:
    yield from HEAD.splitlines()
    for name, setting in SETTINGS.items():
        flag = "`PATH…`" if name == "zones" else f"`--{flag_of(setting)}`"
        if setting.type == "bool":
            flag += f", `--no-{flag_of(setting)}`"
        yield from ("", f"### {name}", "", setting.metadata["help"], "")
        yield f"Flag {flag} · environment `{ENVIRONMENT_PREFIX}{name.upper()}` · default {_default(name)}"


def _default(name: str) -> str:
    default: Any = SETTINGS[name].default
    if name in DEFAULTS_IN_WORDS or default is dataclasses.MISSING:
        return DEFAULTS_IN_WORDS[name]
    return "empty" if default in ("", ()) else f"`{toml_value(default)}`"


def metrics_reference() -> str:
    """The text of docs/metrics.md."""
    from fastmdns.counters import COUNTERS

    families: dict[str, list[str]] = {}
    for info in COUNTERS:
        labels = families.setdefault(f"| `{info.name}` | {info.kind} | {info.help}", [])
        labels += (f"{key}={value}" for key, value in info.labels)
    rows = [f"{row} | {', '.join(labels)} |" for row, labels in families.items()]
    return METRICS_HEAD + "\n".join(rows) + "\n"


METRICS_HEAD = """\
# All metrics

Made by `make docs` from the table in `fastmdns/counters.pyx`; a test fails where the two differ. `/metrics` also tells
`fastmdns_process_up` and `fastmdns_process_generation` for each process, `fastmdns_zones_configured` and
`fastmdns_zones_not_ready`. Counters are sums over all processes and survive the death of any of them.

| name | kind | what it counts | labels |
|---|---|---|---|
"""

HEAD = """\
# All settings

Made by `make docs` from the declarations in `fastmdns/config.py`; a test fails where the two differ.

A setting is read from a TOML file (`--config FILE` or `FASTMDNS_CONFIG`), then from the environment, then from the
flags: the later ones win, key by key, and a list replaces the whole list before it. In the environment the items of a
list stand apart by blanks; a flag of a list is given once for each item. An unknown key is an error that names the
nearest one. Relative paths begin at the TOML file's folder, or at the current folder for environment and flags. A
secret that no flag should show to `ps` belongs in a file: `secret_file` in TOML, `name:algorithm:@FILE` elsewhere.
`fastmdns config show` prints every value in force and where it came from, without secrets; `fastmdns config check`
says whether they can work."""
