# SPDX-License-Identifier: Apache-2.0
"""May there be a zone of this name, and may this project have it?"""

from __future__ import annotations

from sqlalchemy import Connection

from control.central.core import Core
from control.context import Context
from control.errors import Problem, Refused
from control.names import key_of
from control.rules import blacklists, zone_names
from control.storage import locks, name_rules
from control.storage.zones import keys_above


def name_problems(core: Core, tx: Connection, ctx: Context, name: str) -> list[Problem]:
    """What its syntax, its size, the TLDs and the blacklists have against the name, in this order."""
    problems = zone_names.syntax_problems(name) or zone_names.size_problems(name)
    return problems or [*_tld_problems(tx, name), *_blacklist_problems(core, tx, ctx, name)]


def _tld_problems(tx: Connection, name: str) -> list[Problem]:
    if not name_rules.has_tlds(tx):
        return []
    key = key_of(name)
    return zone_names.tld_problems(name, name_rules.tlds_among(tx, [key, *keys_above(key)]))


def _blacklist_problems(core: Core, tx: Connection, ctx: Context, name: str) -> list[Problem]:
    if core.policy.allows(ctx, "use_blacklisted_zone"):
        return []
    pattern = blacklists.forbidding(name_rules.blacklist_patterns(tx), name)
    return [] if pattern is None else [zone_names.refusal(f"Blacklisted zone name: {name}")]


def check_owners(tx: Connection, project_id: str, name: str) -> None:
    """Nobody has a zone at, above or below a zone of another project, whichever pools they are in.

    Refused duplicate_zone, illegal_child or illegal_parent.
    """
    key = key_of(name)
    locks.name(tx, key)
    at_name, above = name_rules.owners(tx, key)
    if at_name - {project_id}:
        raise Refused("duplicate_zone", "Duplicate Zone")
    if above - {project_id}:
        raise Refused("illegal_child", "Unable to create subzone in another tenants zone")
    if name_rules.others_below(tx, key, project_id):
        raise Refused("illegal_parent", "Unable to create zone because another tenant owns a subzone of the zone")
