# SPDX-License-Identifier: Apache-2.0
"""The clients that people have, each speaking for one user: `openstack`, openstacksdk, and bare requests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

# Commands that print nothing where they succeed, so they don't know -f json.
SILENT = (
    "zone abandon",
    "zone axfr",
    "zone move",
    "zone transfer request delete",
    "zone export delete",
    "zone import delete",
    "zone share delete",
    "zone blacklist delete",
    "tld delete",
    "tsigkey delete",
    "dns quota reset",
    "ptr record unset",
)


class CommandLine:
    """The process that runs `openstack` for all users."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("commandline.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, argv: list[str], environ: Mapping[str, str]) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        print(json.dumps({"argv": argv, "environ": environ}), file=self.process.stdin, flush=True)
        return dict(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        with self.process:  # which closes its input, and waits for it
            pass


@dataclass(frozen=True)
class OpenStack:
    """`openstack` as one user."""

    line: CommandLine
    environ: Mapping[str, str]

    def __call__(self, command: str, *args: object) -> Any:
        """What the command prints, read as JSON; None for a command that prints nothing."""
        answer = self._run(command, *args)
        assert answer["code"] == 0, f"openstack {command} {args}: {answer['err']}"
        if command in SILENT:
            assert answer["out"] == ""
            return None
        return json.loads(answer["out"])

    def refused(self, command: str, *args: object) -> str:
        """What the command says where it fails."""
        answer = self._run(command, *args)
        assert answer["code"] == 1, answer
        return str(answer["err"]).strip()

    def _run(self, command: str, *args: object) -> dict[str, Any]:
        form = [] if command in SILENT else ["-f", "json"]
        return self.line.run([*command.split(), *form, *map(str, args)], self.environ)


@dataclass(frozen=True)
class Http:
    """Bare requests below /v2, for what no other client does, and for clients whose requests are replayed."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return requests.request(
            method, f"{self.url}/v2{path}", json=body, headers=headers, timeout=60, allow_redirects=False, **options
        )

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The answer's JSON; None where it is empty."""
        answer = self(method, path, body, **options)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None
