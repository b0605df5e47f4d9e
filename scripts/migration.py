# SPDX-License-Identifier: Apache-2.0
"""`make migration`: writes the schema's first revision again, from tables.py; once released it stays as it is.

Read what was written before you commit it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import JSON, LargeBinary, create_engine

from control.storage import schema, tables

FIRST = schema.MIGRATIONS / "versions" / "r0001.py"
HEAD = '''\
# SPDX-License-Identifier: Apache-2.0
"""The first schema: everything."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from control.storage.tables import Counter, Id, Key, LongText, Moment, Octets, Words

revision = "0001"
down_revision = None


def upgrade() -> None:
'''
NAMED = {id(getattr(tables, name)): name for name in ("Moment", "Octets", "Key", "Counter", "LongText", "Id")}


def render(kind: str, item: Any, context: Any) -> str | bool:
    """Our own types by their names; the rest as Alembic does."""
    if kind != "type" or isinstance(item, JSON):
        return False
    if id(item) in NAMED:
        return NAMED[id(item)]
    variants = getattr(item, "_variant_mapping", {})
    if isinstance(item, LargeBinary) and variants:
        return f"sa.LargeBinary({item.length}).with_variant(mysql.BINARY({item.length}), 'mysql', 'mariadb')"
    return f"Words({item.length})" if variants else False


def main() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as tx:
        context = MigrationContext.configure(tx, opts={**schema.COMPARED, "render_as_batch": False})
        found = produce_migrations(context, tables.metadata)
        assert found.upgrade_ops is not None
        body = render_python_code(found.upgrade_ops, render_item=render, migration_context=context)
    lines = [line for line in body.splitlines() if not line.strip().startswith("#")]
    FIRST.write_text(HEAD + "\n".join(f"    {line.strip()}" for line in lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
