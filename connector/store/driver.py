"""The one SQLite: which copy is used, how connections are set up, and the engine SQLAlchemy talks through.

SQLite 3.7.0 to 3.51.2 can lose committed pages in WAL mode when one connection writes while another checkpoints
(fixed in 3.51.3, back-ported to 3.50.7). The `pysqlite3` wheel brings a newer one; where it has no wheel the standard
module serves, and `safe` says whether two connections may write. Two different copies in one process must never open
the same file: closing it with one drops the locks of the other.
"""

import os
import re
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

try:
    from pysqlite3 import dbapi2 as sqlite
except ImportError:  # no wheel for this machine
    import sqlite3 as sqlite  # noqa: TID251  this is the module that chooses

SQLITE_VERSION: Final = tuple(int(n) for n in sqlite.sqlite_version.split("."))


def is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the WAL-reset fix, so that several connections may write and checkpoint."""
    return version >= (3, 51, 3) or ((3, 50, 7) <= version < (3, 51, 0))


safe: Final = is_safe(SQLITE_VERSION)


def database_file(url: str) -> Path | None:
    """The file of a `sqlite:///…` address, None for another database or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def open_engine(url: str, *, read_only: bool = False, busy_ms: int = 10_000) -> Engine:
    """An engine whose transactions begin with BEGIN IMMEDIATE (SQLite) and are durable once committed.

    read_only: for commands that only look; they hold no write lock and can't checkpoint.
    """
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, hide_parameters=True)
    engine = create_engine(
        url,
        module=sqlite,
        poolclass=NullPool,
        hide_parameters=True,  # an error must not show the personal data it failed to write
        connect_args={"isolation_level": None, "timeout": busy_ms / 1000},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in _pragmas(read_only=read_only):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _pragmas(*, read_only: bool) -> list[str]:
    common = ["PRAGMA temp_store=MEMORY", "PRAGMA cache_size=-16000", "PRAGMA synchronous=FULL"]
    if read_only:
        return [*common, "PRAGMA query_only=ON", "PRAGMA wal_autocheckpoint=0"]
    checkpoint = ["PRAGMA wal_autocheckpoint=8000", "PRAGMA secure_delete=ON"]
    return ["PRAGMA journal_mode=WAL", *common, *checkpoint]


def make_private(file: Path) -> None:
    """Create an empty database file that only its owner may read, where none is; event data is personal data."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def version_text() -> str:
    """`3.53.4`, as SQLite says it."""
    return re.sub(r"[^0-9.]", "", sqlite.sqlite_version)
