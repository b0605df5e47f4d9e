# SPDX-License-Identifier: Apache-2.0
"""Who asks: the identity, rights and wishes that came with a request. Made by api/identity, read by everyone below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

IMPLIED = {"admin": {"admin", "member", "reader"}, "member": {"member", "reader"}}


def roles(*named: str) -> frozenset[str]:
    """Roles with those they imply: admin ⊃ member ⊃ reader. Names are compared in lower case."""
    lower = {name.strip().lower() for name in named if name.strip()}
    return frozenset(lower.union(*(IMPLIED.get(name, set()) for name in lower)))


class Grant(Protocol):
    """A part of what it may do. In patterns `*` is anything; name None and no types: all that is in the zone."""

    @property
    def zone(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def types(self) -> tuple[str, ...]: ...


class Scope(Protocol):
    """What a restricted token may do; no scope means no restriction."""

    def check(self, action: str, zone_name: str, name: str = "", rrtype: str = "") -> str | None:
        """None where the token allows it, else the reason it doesn't. action: read, create, update or delete.

        Without a name it is about the zone itself; without an action it is whether the zone is among the token's.
        """

    def whole_zones(self) -> Scope:
        """Without what is bound to some rrsets of a zone."""

    def readable(self) -> Sequence[Grant]:
        """What lists may show."""


@dataclass(frozen=True, slots=True)
class Context:
    """project_id None: a token without a project. all_projects and what follows: wishes that a policy rule allowed."""

    request_id: str
    user_id: str | None = None
    project_id: str | None = None
    roles: frozenset[str] = frozenset()
    original_project_id: str | None = None  # where an admin acts as another project
    all_projects: bool = False
    edit_managed: bool = False
    hard_delete: bool = False
    delete_shares: bool = False
    hide_counts: bool = False
    dry_run: bool = False
    system_scope: bool = False
    scope: Scope | None = None
    catalog: tuple[Mapping[str, object], ...] = field(default=(), repr=False)
    token: str | None = field(default=None, repr=False)
