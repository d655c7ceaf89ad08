"""Opening, versions, privacy of the file, and the one SQLite."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from connector.errors import DatabaseBusy
from connector.store import driver, lock, schema
from connector.store.database import DatabaseUnusable, Store


def layout(store: Store) -> dict[str, object]:
    with store.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")
        indexes = {row[0]: " ".join(row[1].replace('"', "").split()) for row in rows}
        columns = {
            name: [(c["name"], str(c["type"]), c["nullable"]) for c in inspect(connection).get_columns(name)]
            for name in names
            if name != "alembic_version"
        }
    return {"columns": columns, "indexes": indexes}


def migrated(url: str, to: str = "head") -> Store:
    config = Config()
    config.set_main_option("script_location", "connector:migrations")
    config.attributes["url"] = url
    command.upgrade(config, to)
    return Store(url)


def test_the_migrations_give_the_same_tables_as_the_classes(tmp_path: Path) -> None:
    made, grown = Store(f"sqlite:///{tmp_path}/made.db").open(), migrated(f"sqlite:///{tmp_path}/grown.db")
    assert layout(made) == layout(grown)
    made.close()
    grown.close()


def test_alembic_finds_nothing_to_change(tmp_path: Path) -> None:
    store = migrated(f"sqlite:///{tmp_path}/grown.db")
    config = Config()
    config.set_main_option("script_location", "connector:migrations")
    config.attributes["url"] = store.url
    command.check(config)
    store.close()


def test_an_older_database_is_brought_up_to_date_when_it_is_opened(tmp_path: Path) -> None:
    older = migrated(f"sqlite:///{tmp_path}/grown.db", "0001")
    with older.write() as tx:
        tx.run("INSERT INTO accounts VALUES (1, 'intilery:a/a/A')")
        tx.run("INSERT INTO outcomes VALUES (1, 1, 'click', 'v1', 0, 'fired', '', 5)")
    older.close()
    opened, made = Store(older.url).open(), Store(f"sqlite:///{tmp_path}/made.db").open()
    assert layout(made) == layout(opened)
    with opened.read() as tx:
        assert schema.HEAD == tx.one("SELECT version_num FROM alembic_version")[0]
        assert "fired" == tx.one("SELECT reason FROM outcomes")[0]
        assert 0 == tx.one("SELECT count(*) FROM waiting_runs")[0]
    opened.close()
    made.close()


def test_a_database_made_by_a_newer_connector_is_refused(store: Store) -> None:
    with store.write() as tx:
        tx.run("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(schema.WrongVersion, match="install the newer connector"):
        Store(store.url).open()


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/other.db"
    with driver.open_engine(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(schema.WrongVersion, match="not the connector's"):
        Store(url).open()


def test_a_database_in_a_missing_folder_says_what_to_edit(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="is not a folder: create it, or edit `database:`"):
        Store(f"sqlite:///{tmp_path}/nowhere/connector.db").open()


def test_the_database_file_is_its_owners_alone(store: Store) -> None:
    file = driver.database_file(store.url)
    assert file is not None
    assert 0o600 == file.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
    ],
)
def test_which_sqlite_may_have_two_writers(version: tuple[int, ...], safe: bool) -> None:  # noqa: FBT001
    assert safe == driver.is_safe(version)


def test_commits_are_durable_and_in_wal_mode(store: Store) -> None:
    with store.write() as tx:
        assert "wal" == tx.one("PRAGMA journal_mode")[0]
        assert 2 == tx.one("PRAGMA synchronous")[0]
        assert 1 == tx.one("PRAGMA secure_delete")[0]


def test_a_second_daemon_is_told_who_holds_the_database(tmp_path: Path) -> None:
    database = tmp_path / "connector.db"
    code = (
        "import time; from pathlib import Path; from connector.store import lock; "
        f"lock.hold(Path({str(database)!r})); print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert b"held\n" == other.stdout.readline()
        assert other.pid == lock.holder(database)
        with pytest.raises(DatabaseBusy, match=f"process {other.pid}"):
            lock.hold(database)
    finally:
        other.kill()
        other.communicate()
    assert lock.holder(database) is None
    lock.hold(database)


BROKEN_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "HEAD", None, None


def upgrade() -> None:
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    with op.batch_alter_table("cursors") as batch:
        batch.add_column(sa.Column("extra", sa.Text))
    raise RuntimeError("the power went")
"""


def test_a_migration_that_breaks_off_leaves_the_old_tables_whole(tmp_path: Path) -> None:
    scripts = tmp_path / "migrations"
    shutil.copytree(Path(schema.__file__).parent.parent / "migrations", scripts)
    (scripts / "versions" / "9999_broken.py").write_text(BROKEN_MIGRATION.replace("HEAD", schema.HEAD))
    store = migrated(f"sqlite:///{tmp_path}/connector.db")
    before = layout(store)
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["url"] = store.url
    with pytest.raises(RuntimeError, match="the power went"):
        command.upgrade(config, "head")
    assert before == layout(store)
    with store.read() as tx:
        assert schema.HEAD == tx.one("SELECT version_num FROM alembic_version")[0]
    store.close()
