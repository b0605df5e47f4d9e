# SPDX-License-Identifier: Apache-2.0
"""What Alembic runs: the revisions, in the transaction that schema.py has begun."""

from alembic import context

from control.storage.schema import COMPARED
from control.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, **COMPARED)
context.run_migrations()
