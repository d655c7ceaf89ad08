"""Which version of the tables a database has, and bringing it up to date.

An empty database is made from the tables themselves in one transaction and marked with the newest migration (a test
shows that the migrations give the same tables); Alembic is imported only where an older database must be upgraded.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect
from sqlmodel import SQLModel

from connector import migrations
from connector.errors import ConnectorError
from connector.store import tables as _tables  # noqa: F401  fills the metadata

_FOLDER: Final = Path(migrations.__file__).parent
HEAD: Final = max((file.name.split("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*.py")), default="")
TABLES: Final = frozenset(SQLModel.metadata.tables)


class WrongVersion(ConnectorError):
    """The database was made by a newer connector, or is somebody else's."""


def version(connection: Connection) -> str | None:
    """The migration a database stands at; None when it has no tables at all. Raises WrongVersion for foreign tables."""
    names = set(inspect(connection).get_table_names())
    if "alembic_version" in names:
        row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
        return str(row[0]) if row else None
    if names:
        message = "this database holds tables that are not the connector's: edit `database:`"
        raise WrongVersion(message)
    return None


def bring_up_to_date(engine: Engine, url: str) -> None:
    """Make the tables of an empty database, or run the migrations an older one lacks. Each is wholly done or not."""
    with engine.begin() as connection:
        found = version(connection)
        if found is None:
            SQLModel.metadata.create_all(connection)
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
            connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{HEAD}')")  # noqa: S608  a file's name
            return
    if found > HEAD:
        message = f"the database is at version {found}, this connector knows {HEAD}: install the newer connector"
        raise WrongVersion(message)
    if found < HEAD:
        upgrade(url)


def upgrade(url: str) -> None:
    """Run the missing migrations with Alembic."""
    from alembic import command  # noqa: PLC0415  only where a database is older
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "connector:migrations")
    config.attributes["url"] = url
    command.upgrade(config, "head")
