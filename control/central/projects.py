# SPDX-License-Identifier: Apache-2.0
"""Other projects that a request names."""

from __future__ import annotations

from sqlalchemy import Connection

from control.central.core import Core
from control.errors import Refused
from control.storage import accounts


def check_known(core: Core, tx: Connection, project_id: str | None) -> None:
    """Refused invalid_project for an id that our own identity does not have. Others' identities are not asked."""
    if project_id is None or core.config.auth != "builtin":
        return
    found = accounts.project(tx, project_id)
    if found is None or found.id != project_id:
        raise Refused("invalid_project", f"there is no project with the id {project_id}")
