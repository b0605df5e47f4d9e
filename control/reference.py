# SPDX-License-Identifier: Apache-2.0
"""The control plane's settings as people read them: docs/control-configuration.md, made from config.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from control.config import PREFIX, ControlConfig

HEAD = """\
# All settings of the control plane

Made by `make docs` from the declarations in `control/config.py`; a test fails where the two differ.

A setting is read from a TOML file (`--config FILE` or `FASTMDNS_CONTROL_CONFIG`), then from the environment, then from
the flags that a command has: the later ones win. In the environment the items of a list stand apart by blanks. An
unknown key is an error that names the nearest one. Any key with `_file` behind it reads its value from that file, which
is where secrets belong: `database_file = "/etc/fastmdns/database-url"`."""


def reference() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from HEAD.splitlines()
    for name, field in ControlConfig.model_fields.items():
        yield from ("", f"### {name}", "", str(field.description), "")
        yield f"Environment `{PREFIX}{name.upper()}` · default {_default(name, field)}"


def _default(name: str, field: FieldInfo) -> str:
    if name == "database":
        return "`sqlite:///$STATE_DIRECTORY/control.db`, else `sqlite:///~/.local/state/fastmdns/control.db`"
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, tuple):
        value = " ".join(value)
    return f"`{value}`" if value not in ("", None, {}) else "empty"
