"""Alembic's migrations: `connector db upgrade` runs them, also from an installed wheel."""
