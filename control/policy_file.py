# SPDX-License-Identifier: Apache-2.0
"""Policies in YAML, as operators have them for Designate: rule → oslo.policy's expression, or our alternatives.

    expression   both ("or" both)*        term    "not" term | "(" expression ")" | check
    both         term ("and" term)*       check   @ | ! | role:NAME | rule:NAME | LEFT:RIGHT

LEFT is an attribute of the caller (project_id, user_id, is_admin…) or a constant; RIGHT a constant or %(fact)s. Rules
that no operation asks are aliases, which rule:NAME reads; one that nobody reads is taken for a misspelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from control.context import Context
from control.policy import CHECKS, DEFAULTS, Check, Facts, Policy, any_of
from fastmdns.config import nearest
from fastmdns.errors import ConfigError

TOKEN = re.compile(r"\s*(?:(?P<mark>\(|\))|(?P<check>(?:'[^']*'|\"[^\"]*\"|%\(\w+\)s|[^\s()'\"%])+))")
FACT = re.compile(r"%\((\w+)\)s")
# Aliases that Designate has, for files that build on them.
ALIASES = {
    "admin": "role:admin or is_admin:True",
    "owner": "project_id:%(project_id)s",
    "admin_or_owner": "rule:admin or rule:owner",
}
# What the left side of a check may ask about the caller, by oslo.policy's names.
CALLER: Mapping[str, Callable[[Context], Any]] = {
    "project_id": lambda ctx: ctx.project_id,
    "tenant_id": lambda ctx: ctx.project_id,
    "tenant": lambda ctx: ctx.project_id,
    "user_id": lambda ctx: ctx.user_id,
    "user": lambda ctx: ctx.user_id,
    "is_admin": lambda ctx: "admin" in ctx.roles,
    "original_project_id": lambda ctx: ctx.original_project_id,
}


def _own_or(name: str) -> Callable[[Context, Facts], Any]:
    """A project that the thing has; the caller's own where it is nobody's yet."""
    return lambda ctx, facts: facts.get(name, ctx.project_id)


# What %(…)s may name.
FACTS: Mapping[str, Callable[[Context, Facts], Any]] = {
    "project_id": _own_or("project_id"),
    "tenant_id": _own_or("project_id"),
    "zone_project_id": _own_or("project_id"),
    "recordset_project_id": _own_or("recordset_project_id"),
    "target_project_id": lambda ctx, facts: facts.get("target_project_id"),
    "target_tenant_id": lambda ctx, facts: facts.get("target_project_id"),
    "zone_shared": lambda ctx, facts: bool(facts.get("shared")),
    "zone_type": lambda ctx, facts: "PRIMARY" if facts.get("primary") else "SECONDARY",
    "all_tenants": lambda ctx, facts: ctx.all_projects,
    "user_id": lambda ctx, facts: ctx.user_id,
}


def load(file: Path | None) -> Policy:
    """The defaults with what the file replaces. ConfigError names file, line and rule."""
    return Policy({**DEFAULTS, **_File(file).checks()}) if file else Policy()


class _RuleError(Exception):
    pass


@dataclass
class _File:
    file: Path
    lines: dict[str, int] = field(default_factory=dict)
    texts: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)  # rules that others read
    compiled: dict[str, Check] = field(default_factory=dict)

    def checks(self) -> Mapping[str, Check]:
        written = self._read()
        self.texts = {**ALIASES, **written}
        for name in written:
            self._compile(name, ())
        for name in written:
            if name not in DEFAULTS and name not in self.used and name not in ALIASES:
                raise self._error(name, f"no rule has this name{nearest(name, DEFAULTS)}")
        return {name: check for name, check in self.compiled.items() if name in DEFAULTS}

    def _read(self) -> dict[str, Any]:
        try:
            root = yaml.compose(self.file.read_text("utf-8"), yaml.SafeLoader)
        except OSError as error:
            raise ConfigError(f"can't read {self.file}: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.file}: {' '.join(str(error).split())}") from error
        if root is None:
            return {}
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(f"{self.file}: a policy file is a mapping of rules")
        self.lines = {str(key.value): key.start_mark.line + 1 for key, _ in root.value}
        return {str(key.value): _content(value) for key, value in root.value}

    def _error(self, name: str, reason: object) -> ConfigError:
        return ConfigError(f"{self.file}:{self.lines.get(name, 0)}: rule {name!r}: {reason}")

    def _compile(self, name: str, above: tuple[str, ...]) -> Check:
        if name in above:
            raise self._error(name, f"it goes in a circle: {' → '.join([*above, name])}")
        if name not in self.compiled:
            try:
                self.compiled[name] = self._check_of(self.texts[name], (*above, name))
            except _RuleError as error:
                raise self._error(name, error) from None
        return self.compiled[name]

    def _check_of(self, text: Any, above: tuple[str, ...]) -> Check:
        if isinstance(text, list):
            unknown = [word for word in text if word not in CHECKS]
            if unknown:
                raise _RuleError(f"no alternative {unknown[0]!r}{nearest(str(unknown[0]), CHECKS)}")
            return any_of(tuple(text))
        if not isinstance(text, str):
            raise _RuleError("a rule is text, or a list of alternatives")
        return _Parser(text, lambda name: self._named(name, above)).rule()

    def _named(self, name: str, above: tuple[str, ...]) -> Check:
        self.used.add(name)
        if name in self.texts:
            return self._compile(name, above)
        if name not in DEFAULTS:
            raise _RuleError(f"no rule {name!r}{nearest(name, [*self.texts, *DEFAULTS])}")
        return DEFAULTS[name]


def _content(node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [item.value for item in node.value]
    return node.value if isinstance(node, yaml.ScalarNode) else None


class _Parser:
    """Recursive descent over an expression."""

    def __init__(self, text: str, named: Callable[[str], Check]) -> None:
        self.words = _words(text)
        self.named = named
        self.at = 0

    def rule(self) -> Check:
        if not self.words:
            return lambda ctx, facts: True  # as oslo.policy has it: an empty rule is no restriction
        check = self._expression()
        if self.at < len(self.words):
            raise _RuleError(f"{self.words[self.at]!r} where `and`, `or` or the end was expected")
        return check

    def _next(self) -> str:
        return self.words[self.at].lower() if self.at < len(self.words) else ""

    def _expression(self) -> Check:
        checks = [self._both()]
        while self._next() == "or":
            self.at += 1
            checks.append(self._both())
        return checks[0] if len(checks) == 1 else lambda ctx, facts: any(check(ctx, facts) for check in checks)

    def _both(self) -> Check:
        checks = [self._term()]
        while self._next() == "and":
            self.at += 1
            checks.append(self._term())
        return checks[0] if len(checks) == 1 else lambda ctx, facts: all(check(ctx, facts) for check in checks)

    def _term(self) -> Check:
        word = self._next()
        if word in ("", ")", "and", "or"):
            raise _RuleError(f"{word!r} where a check was expected" if word else "it ends where a check was expected")
        text = self.words[self.at]
        self.at += 1
        if word == "not":
            inner = self._term()
            return lambda ctx, facts: not inner(ctx, facts)
        if word != "(":
            return self._check(text)
        inner = self._expression()
        if self._next() != ")":
            raise _RuleError("a ( is never closed")
        self.at += 1
        return inner

    def _check(self, text: str) -> Check:
        if text in ("@", "!"):
            return lambda ctx, facts: text == "@"
        kind, colon, match = text.partition(":")
        if not colon:
            raise _RuleError(f"{text!r} is no check: write role:NAME, rule:NAME, project_id:%(project_id)s, @ and !")
        if kind == "rule":
            return self.named(match)
        value = _value(match)
        if kind == "role":
            return lambda ctx, facts: str(value(ctx, facts)).lower() in ctx.roles
        left = _left(kind)
        return lambda ctx, facts: str(left(ctx)) == str(value(ctx, facts))


def _words(text: str) -> list[str]:
    words, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at)
        if found is None:
            raise _RuleError(f"can't read {text[at:].strip()!r}")
        words.append(found["mark"] or found["check"])
        at = found.end()
    return words


def _left(kind: str) -> Callable[[Context], Any]:
    """An attribute of the caller; or a constant, in quotes or one of Python's."""
    if kind in CALLER:
        return CALLER[kind]
    if kind in ("True", "False", "None") or kind[:1] in "'\"":
        constant = kind.strip("'\"")
        return lambda ctx: constant
    raise _RuleError(f"no attribute {kind!r} of a caller{nearest(kind, [*CALLER, 'role', 'rule'])}")


def _value(match: str) -> Callable[[Context, Facts], Any]:
    fact = FACT.fullmatch(match)
    if fact is None:
        constant = match.strip("'\"")
        return lambda ctx, facts: constant
    if fact[1] not in FACTS:
        raise _RuleError(f"no fact %({fact[1]})s{nearest(fact[1], FACTS)}")
    return FACTS[fact[1]]
