"""What Alembic runs: the missing steps, on the connection it is given."""

from __future__ import annotations

from alembic import context

from service.tables import TABLES

context.configure(connection=context.config.attributes["connection"], target_metadata=TABLES)
with context.begin_transaction():
    context.run_migrations()
