# SPDX-License-Identifier: Apache-2.0
"""What every function of central is given, and the questions they all ask: whose zone is it, how much may be in it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from control import policy_file
from control.config import ControlConfig
from control.context import Context
from control.errors import Refused
from control.model import Zone, ZoneType
from control.policy import Policy
from control.storage import quotas, zones
from control.storage.database import Database
from control.storage.ids import utcnow

T = TypeVar("T")
# Resource → the setting that holds its default.
QUOTAS = {
    "api_export_size": "quota_api_export_size",
    "recordset_records": "quota_recordset_records",
    "zone_records": "quota_zone_records",
    "zone_recordsets": "quota_zone_recordsets",
    "zones": "quota_zones",
}


@dataclass(frozen=True, slots=True)
class Core:
    db: Database
    config: ControlConfig
    policy: Policy = field(default_factory=Policy)
    clock: Callable[[], datetime] = utcnow

    def write(self, ctx: Context, work: Callable[[Connection], T]) -> T:
        """The work in one transaction; where the caller only rehearses (dry_run), nothing of it stays."""
        return self.db.rehearse(work) if ctx.dry_run else self.db.write(work)


def open_core(config: ControlConfig) -> Core:
    """What the settings name, opened: after a fork, never before. Core.db.close() ends it."""
    return Core(Database(config.database, config.database_pool), config, policy_file.load(config.policy_file))


def zone_for(core: Core, tx: Connection, ctx: Context, zone_id: str, rule: str, *, locked: bool = False) -> Zone:
    """The zone, if the caller may see it (else zone_not_found) and the rule allows it (else forbidden)."""
    zone = zones.lock(tx, zone_id) if locked else zones.get(tx, zone_id)
    mine = zone.project_id == ctx.project_id
    shared = not mine and zones.is_shared_with(tx, zone.id, ctx.project_id)
    if not (mine or shared or ctx.all_projects):
        raise Refused("zone_not_found", "Could not find Zone")
    primary = zone.type is ZoneType.PRIMARY
    core.policy.check(ctx, rule, project_id=zone.project_id, shared=shared, primary=primary)
    check_scope(ctx, _scope_action(rule), zone.name)
    return zone


def check_scope(ctx: Context, action: str, zone_name: str, name: str = "", rrtype: str = "") -> None:
    """Refused forbidden where the caller's token is restricted to other zones, names, types or actions.

    action: read, create, update or delete; without a name, of the zone itself.
    """
    reason = ctx.scope.check(action, zone_name, name, rrtype) if ctx.scope else None
    if reason:
        raise Refused("forbidden", reason)


def _scope_action(rule: str) -> str:
    """What a policy rule does with a zone; nothing where it is about an rrset, which is checked by itself."""
    if rule in ("create_recordset", "update_recordset", "delete_recordset"):
        return ""
    if rule == "delete_zone":
        return "delete"
    return "read" if rule.startswith(("get_", "find_", "count_")) else "update"


def quota(core: Core, tx: Connection, project_id: str, resource: str) -> int | None:
    """The project's limit, None where it has none."""
    if project_id == core.config.managed_resource_project_id:  # the service's own reverse zones
        return None
    default = getattr(core.config, QUOTAS[resource])
    limit = quotas.of_project(tx, project_id).get(resource, default)
    return None if limit < 0 else limit


def check_quota(core: Core, tx: Connection, project_id: str, **wanted: int) -> None:
    """wanted: resource → how many there would be. Refused over_quota, naming the resource."""
    limits = quotas.of_project(tx, project_id)
    for resource, count in wanted.items():
        limit = limits.get(resource, getattr(core.config, QUOTAS[resource]))
        if 0 <= limit < count:
            raise Refused("over_quota", f"Quota exceeded for {resource}.")
