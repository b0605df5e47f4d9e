# SPDX-License-Identifier: Apache-2.0
"""What keeps the things of operators from being stored: TLDs, patterns, TSIG keys, and the name servers of a pool."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from control.errors import Problem
from control.model import NS, NsRecord
from control.names import key_of, with_dot
from control.recorddata import to_wire
from control.rules import blacklists, zone_names
from fastmdns.errors import TextError


def tld_problems(name: str) -> list[Problem]:
    """A TLD is written without its last dot, as Designate's are."""
    if name.endswith("."):
        return [Problem(("name",), f"{name!r} is written without its last dot", "format")]
    return zone_names.syntax_problems(with_dot(name))


def pattern_problems(pattern: str) -> list[Problem]:
    reason = blacklists.pattern_problem(pattern)
    return [Problem(("pattern",), reason, "format")] if reason else []


def tsigkey_problems(given: Mapping[str, Any]) -> list[Problem]:
    """Of the fields that were given."""
    return [
        *(_key_name_problems(given["name"]) if "name" in given else ()),
        *(_secret_problems(given["secret"]) if "secret" in given else ()),
    ]


def _key_name_problems(name: str) -> list[Problem]:
    try:
        key_of(with_dot(name))
    except TextError as error:
        return [Problem(("name",), f"a TSIG key's name is a domain name: {error}", "format")]
    return []


def _secret_problems(secret: str) -> list[Problem]:
    """Never says what the secret is."""
    try:
        empty = not base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return [Problem(("secret",), "the secret must be base64, as `openssl rand -base64 32` prints it", "format")]
    return [Problem(("secret",), "the secret must not be empty", "minLength", 1)] if empty else []


def ns_record_problems(servers: Iterable[NsRecord]) -> list[Problem]:
    servers = list(servers)
    problems = []
    for at, server in enumerate(servers):
        try:
            to_wire(NS, server.hostname)
        except TextError as error:
            problems.append(Problem(("ns_records", at, "hostname"), str(error), "format"))
    if problems:
        return problems
    twice = [key for key, count in Counter(key_of(server.hostname) for server in servers).items() if count > 1]
    return [
        Problem(("ns_records", at, "hostname"), f"{server.hostname} is there twice", "uniqueItems", True)
        for at, server in enumerate(servers)
        if key_of(server.hostname) in twice
    ]
