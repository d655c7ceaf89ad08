"""The database as a file: copies, restoring one, giving room back. SQLite only.

Copies are made by SQLite itself: a file copied while it is written to may be half old, half new.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DatabaseError

from connector.errors import ConnectorError
from connector.model import Instant, instant_text
from connector.store import driver, lock, schema
from connector.store.database import Store


class CopyRefused(ConnectorError):
    """A backup can't be made or restored so; the message says why."""


def back_up(url: str, target: Path) -> None:
    """Write a whole, verified copy to a file that is not there yet; the daemon may run on meanwhile.

    Raises CopyRefused.
    """
    if target.exists():
        raise CopyRefused(f"{target} is there already: name another file")
    part = target.with_name(target.name + ".part")
    try:
        _copy(_file_of(url), part)
        _check(part)
        part.rename(target)
    except OSError as error:
        raise CopyRefused(f"cannot write {target}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def restore(url: str, backup: Path, now: Instant) -> Path | None:
    """Put a backup in the database's place; where the old one was kept, None if there was none.

    Raises CopyRefused, and DatabaseBusy while a daemon runs.
    """
    database = _file_of(url)
    if not backup.is_file():
        raise CopyRefused(f"there is no file {backup}")
    _check(backup)
    with _alone(database):
        part = database.with_name(database.name + ".part")
        try:
            _copy(backup, part)
            aside = _set_aside(database, now)
            part.rename(database)
        finally:
            part.unlink(missing_ok=True)
    return aside


def shrink(url: str) -> None:
    """Write the file anew without its empty places; nobody else may use it meanwhile. Raises DatabaseBusy."""
    database = _file_of(url)
    with _alone(database), _raw(database) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextlib.contextmanager
def _alone(database: Path) -> Iterator[None]:
    descriptor = lock.hold(database)
    try:
        yield
    finally:
        os.close(descriptor)


def _set_aside(database: Path, now: Instant) -> Path | None:
    """Rename a database and the log that belongs to it, in whatever state they are."""
    if not database.exists():
        return None
    stamp = instant_text(now)[:19].replace("-", "").replace(":", "")
    aside = database.with_name(f"{database.name}.before-{stamp}Z")
    for ending in ("-shm", "-wal", ""):
        part = database.with_name(database.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


def _file_of(url: str) -> Path:
    file = driver.database_file(url)
    if file is None:
        raise CopyRefused("this command is for SQLite: use pg_dump and pg_restore for PostgreSQL")
    return file


def _copy(source: Path, target: Path) -> None:
    """One consistent state of the source, as a single file that only its owner may read."""
    if not source.exists():
        raise CopyRefused(f"there is no database at {source}")
    target.unlink(missing_ok=True)
    driver.make_private(target)
    with _raw(source, read_only=True) as old, _raw(target) as new:
        new.execute("PRAGMA journal_mode=DELETE")  # not every page by way of a log
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")  # the copy has taken over how the source was kept


@contextlib.contextmanager
def _raw(file: Path, *, read_only: bool = False) -> Iterator[Any]:
    """SQLite's own connection, for what is not done in transactions."""
    engine = driver.open_engine(f"sqlite:///{file}", read_only=read_only)
    connection = engine.raw_connection()
    try:
        yield connection.driver_connection
    finally:
        connection.close()
        engine.dispose()


def _check(file: Path) -> None:
    """Raises CopyRefused unless the file is a sound database of ours, not newer than this connector."""
    store = Store(f"sqlite:///{file}")
    try:
        with store.read() as tx:
            found = schema.version(tx.connection)
            faults = [str(row[0]) for row in tx.run("PRAGMA integrity_check(3)")]
    except DatabaseError:
        raise CopyRefused(f"{file} is not a database") from None
    finally:
        store.close()
    if found is None or found > schema.HEAD:
        raise CopyRefused(f"{file} is at version {found or 'none'}, this connector knows up to {schema.HEAD}")
    if faults != ["ok"]:
        raise CopyRefused(f"{file} is damaged: {faults[0]}")
