"""How Alembic reaches the database: through the connector's own engine, so that each migration is atomic on SQLite.

The address is `attributes["url"]` (from `connector db upgrade`), else CONNECTOR_DATABASE, else `sqlite:///connector.db`.
"""

import os

from alembic import context
from sqlmodel import SQLModel

from connector.store import tables  # noqa: F401  fills the metadata
from connector.store.driver import open_engine

url = context.config.attributes.get("url") or os.environ.get("CONNECTOR_DATABASE") or "sqlite:///connector.db"

with open_engine(url).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
