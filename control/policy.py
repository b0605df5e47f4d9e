# SPDX-License-Identifier: Apache-2.0
"""Who may do what: Designate's rule names and defaults as one table, replaced rule by rule from a YAML file.

A rule is a list of alternatives; one that holds is enough. What a rule is asked about is given as facts: project_id is
the owner of the thing, and the others are listed in FACTS. policy_file.py reads the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from control.context import Context
from control.errors import Refused

ADMIN = ("admin",)
MEMBER = ("admin", "member of project")
READER = ("admin", "reader of project")
READER_OR_SHARED = (*READER, "shared")
WRITE_RRSET = ("admin", "primary and member of project", "primary and member of recordset project")

Facts = Mapping[str, Any]
Check = Callable[[Context, Facts], bool]
# Alternative → does it hold? c: the Context, f: the facts. An admin is one everywhere.
CHECKS: Mapping[str, Check] = {
    "admin": lambda c, f: "admin" in c.roles,
    "member of project": lambda c, f: "member" in c.roles and _same(c, f, "project_id"),
    "reader of project": lambda c, f: "reader" in c.roles and _same(c, f, "project_id"),
    "all-projects reader": lambda c, f: "reader" in c.roles and c.all_projects,
    "shared": lambda c, f: bool(f.get("shared")),
    "primary and member of project": lambda c, f: (
        bool(f.get("primary")) and "member" in c.roles and _same(c, f, "project_id")
    ),
    "primary, shared and member": lambda c, f: bool(f.get("primary") and f.get("shared")) and "member" in c.roles,
    "primary and member of recordset project": lambda c, f: (
        bool(f.get("primary")) and "member" in c.roles and _same(c, f, "recordset_project_id")
    ),
    "target project": lambda c, f: _same(c, f, "target_project_id"),
    "no target project": lambda c, f: f.get("target_project_id") is None,
    "anyone": lambda c, f: True,
    "no one": lambda c, f: False,
}
FACTS = ("project_id", "target_project_id", "recordset_project_id", "shared", "primary")


def _same(ctx: Context, facts: Facts, fact: str) -> bool:
    return ctx.project_id is not None and facts.get(fact, ctx.project_id) == ctx.project_id


def _rules(names: str, alternatives: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names.split(), alternatives)


RULES: Mapping[str, tuple[str, ...]] = {
    **_rules(
        "create_blacklist find_blacklist find_blacklists get_blacklist update_blacklist delete_blacklist"
        " use_blacklisted_zone create_pool find_pools find_pool get_pool update_pool delete_pool"
        " zone_create_forced_pool set_quota reset_quotas find_service_status find_service_statuses"
        " update_service_status find_tenants get_tenant count_tenants create_tld find_tlds get_tld update_tld"
        " delete_tld create_tsigkey find_tsigkeys get_tsigkey update_tsigkey delete_tsigkey abandon_zone purge_zones"
        " pool_move_zone find_zone_transfer_accepts all_tenants edit_managed_records use_low_ttl use_sudo hard_delete",
        ADMIN,
    ),
    **_rules(
        "create_zone update_zone delete_zone xfr_zone zone_export create_zone_export update_zone_export"
        " delete_zone_export create_zone_import update_zone_import delete_zone_import create_zone_transfer_request"
        " update_zone_transfer_request delete_zone_transfer_request share_zone unshare_zone get_zone_share"
        " find_project_zone_share create_token delete_token default",
        MEMBER,
    ),
    **_rules(
        "get_zones find_zones find_zone count_zones count_zones_pending_notify get_zone_servers get_zone_ns_records"
        " get_recordsets find_recordset find_recordsets count_recordset find_records count_records find_zone_exports"
        " get_zone_export find_zone_imports get_zone_import get_zone_transfer_accept"
        " get_zone_transfer_request_detailed get_token find_tokens",
        READER,
    ),
    **_rules("get_zone get_recordset", READER_OR_SHARED),
    "get_quotas": (*READER, "all-projects reader"),
    **_rules("get_zone_transfer_request create_zone_transfer_accept", (*MEMBER, "target project", "no target project")),
    **_rules("find_zone_transfer_requests find_zone_shares", ("anyone",)),
    "create_recordset": ("admin", "primary and member of project", "primary, shared and member"),
    **_rules("update_recordset delete_recordset", WRITE_RRSET),
}


def any_of(alternatives: tuple[str, ...]) -> Check:
    return lambda ctx, facts: any(CHECKS[alternative](ctx, facts) for alternative in alternatives)


DEFAULTS: Mapping[str, Check] = {rule: any_of(alternatives) for rule, alternatives in RULES.items()}


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force."""

    rules: Mapping[str, Check] = field(default_factory=lambda: DEFAULTS)

    def allows(self, ctx: Context, rule: str, **facts: Any) -> bool:
        return self.rules[rule](ctx, facts)

    def check(self, ctx: Context, rule: str, **facts: Any) -> None:
        """Refused forbidden unless the rule allows it."""
        if not self.allows(ctx, rule, **facts):
            raise Refused("forbidden", f"policy {rule} does not allow this")
