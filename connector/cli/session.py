"""What one invocation works with: the configuration file it was told, and the database that file names."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from connector.cli.options import WrongUse
from connector.cli.output import complain
from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from connector.settings import Settings
    from connector.store.database import Store, Tx

config_file: ContextVar[Path] = ContextVar("config_file", default=Path("connector.yaml"))


def settings(secrets: Literal["error", "warn"] = "error") -> "Settings":
    """The configuration of this invocation. secrets: whether a missing one is an error; "warn" for what calls nobody.

    Raises ConfigurationError, and WrongUse where there is no file.
    """
    from connector.settings import load  # noqa: PLC0415

    file = config_file.get()
    if not file.exists():
        raise WrongUse(f"there is no {file}: `connector init` writes one, `--config FILE` names another")
    loaded = load(file, os.environ, secrets=secrets)
    astray = [each for each in loaded.warnings if not each.message.startswith(("connections.", "destinations."))]
    if astray:  # its default would hold instead: another database, for one
        raise ConfigurationError([replace(each, severity="error") for each in astray])
    return loaded


def daemon(of: "Settings") -> int | None:
    """The process that runs on this database, None when there is none."""
    from connector.store import driver, lock  # noqa: PLC0415

    file = driver.database_file(of.database)
    return None if file is None else lock.holder(file)


@contextmanager
def reading(of: "Settings") -> Iterator["Tx"]:
    """One consistent look at the database, which it leaves as it is; before the first `run`, at an empty one."""
    from connector.store import driver, schema  # noqa: PLC0415
    from connector.store.database import Store  # noqa: PLC0415

    file = driver.database_file(of.database)
    if file is not None and not file.exists():
        complain(f"no database yet at {file}: `connector run` makes it")
        with _empty() as tx:
            yield tx
        return
    store = Store(of.database)
    try:
        with store.read() as tx:
            found = schema.version(tx.connection)
            if found != schema.HEAD:
                raise WrongUse(
                    f"the database is at version {found or 'none'}, this connector at {schema.HEAD}: "
                    "run `connector db upgrade`"
                )
            yield tx
    finally:
        store.close()


@contextmanager
def _empty() -> Iterator["Tx"]:
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from connector.store.database import Store  # noqa: PLC0415

    with TemporaryDirectory(prefix="connector-") as folder:
        store = Store(f"sqlite:///{folder}/empty.db").open()
        try:
            with store.read() as tx:
                yield tx
        finally:
            store.close()


@contextmanager
def opened(of: "Settings") -> Iterator["Store"]:
    """The database, to be written to. Raises DatabaseUnusable, and WrongUse where a daemon must not be joined."""
    from connector.store import driver  # noqa: PLC0415
    from connector.store.database import Store  # noqa: PLC0415

    if not driver.safe and daemon(of) is not None:
        raise WrongUse(
            f"SQLite {driver.version_text()} can lose data when two processes write: stop `connector run` first"
        )
    store = Store(of.database).open()
    try:
        yield store
    finally:
        store.close()
