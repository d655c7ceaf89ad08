"""The open database: transactions, rows written in bulk, and what must hold before anything is read.

`Store.write()` and `Store.transact()` are the only ways to change anything: one transaction, durable when they end,
undone when they raise.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from connector.errors import ConnectorError
from connector.store import driver, schema
from connector.store.tables import Account, Fact

T = TypeVar("T")


class DatabaseUnusable(ConnectorError):
    """The database can't be opened, is of another version, or refuses to write."""


class Tx:
    """One transaction. `run` takes driver-level SQL with `?` places; `many` runs it for each tuple."""

    __slots__ = ("_places", "connection")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._places = connection.dialect.paramstyle != "qmark"

    def sql(self, statement: str) -> str:
        """The statement with the places spelled as this driver wants them."""
        return statement.replace("?", "%s") if self._places else statement

    def run(self, statement: str, values: Sequence[object] = ()) -> Any:
        """Execute one statement; the cursor result."""
        return self.connection.exec_driver_sql(self.sql(statement), tuple(values))

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of a question, with their columns as attributes."""
        return list(self.run(statement, values).all())

    def one(self, statement: str, values: Sequence[object] = ()) -> Any:
        """The first row, or None."""
        return self.run(statement, values).first()

    def many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute one statement for each tuple."""
        if rows:
            self.connection.exec_driver_sql(self.sql(statement), list(rows))

    def insert(self, table: type[SQLModel], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows in bulk: tuples in the order of `columns`."""
        places = ",".join("?" * len(columns))
        name = table.__tablename__
        self.many(f"INSERT INTO {name} ({','.join(columns)}) VALUES ({places})", rows)  # noqa: S608  our own names

    def last(self, table: type[SQLModel]) -> int:
        """The highest `seq` of a table, 0 when empty: only one transaction writes at a time, so the next is free."""
        row = self.one(f"SELECT max(seq) FROM {table.__tablename__}")  # noqa: S608  our own names
        return int(row[0] or 0)


@dataclass
class Store:
    """One database. `accounts` maps identities to their numbers, filled as they are met."""

    url: str
    accounts: dict[str, int] = field(default_factory=dict)
    _committing: "Future[Exception | None] | None" = None

    @cached_property
    def engine(self) -> Engine:
        """The writing engine; its one connection stays open."""
        return driver.open_engine(self.url)

    @cached_property
    def _reader(self) -> Connection:
        return driver.open_engine(self.url, read_only=True).connect()

    @cached_property
    def _writer(self) -> Connection:
        return self.engine.connect()

    def open(self) -> "Store":
        """Create the tables of an empty database, bring an older one up to date. Raises DatabaseUnusable."""
        if not self.url.startswith("sqlite"):
            raise DatabaseUnusable("only SQLite is available so far: write `database: sqlite:///connector.db`")
        file = driver.database_file(self.url)
        if file is not None:
            if not file.parent.is_dir():
                message = f"{file.parent} is not a folder: create it, or edit `database:`"
                raise DatabaseUnusable(message)
            driver.make_private(file)
        try:
            schema.bring_up_to_date(self.engine, self.url)
        except OperationalError as error:
            message = f"cannot open {file or 'the database'}: {error.orig}"
            raise DatabaseUnusable(message) from error
        return self

    @cached_property
    def _committer(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """One durable transaction on the one writing connection."""
        self._settle()
        begun = self._writer.begin()
        try:
            yield Tx(self._writer)
        except BaseException:
            begun.rollback()
            raise
        failed = _commit(begun)
        if failed is not None:
            raise failed

    async def transact(self, do: Callable[[Tx], T]) -> T:
        """What `do` gives for a transaction, once that is durable: `write` for a running loop, which goes on meanwhile.

        `do` is called in the loop's thread, when no other commit is under way; only the disk is waited for in another.
        """
        while self._committing is not None and not self._committing.done():
            await _done(self._committing)
        begun = self._writer.begin()
        try:
            found = do(Tx(self._writer))
        except BaseException:
            begun.rollback()
            raise
        self._committing = committing = self._committer.submit(_commit, begun)
        await _done(committing)  # who is cancelled meanwhile does not undo it
        failed = committing.result()
        if failed is not None:
            raise failed
        return found

    def _settle(self) -> None:
        """Wait for the commit that is under way; whoever began it hears whether it failed."""
        if self._committing is not None:
            self._committing.result()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A consistent look that takes no write lock."""
        with self._reader.begin():
            yield Tx(self._reader)

    def account(self, tx: Tx, identity: str) -> int:
        """The number of an identity, made at first sight."""
        if identity not in self.accounts:
            row = tx.one("SELECT id FROM accounts WHERE identity = ?", (identity,))
            if row is None:
                number = int(tx.one("SELECT max(id) FROM accounts")[0] or 0) + 1
                tx.insert(Account, ("id", "identity"), [(number, identity)])
                return number  # remembered once it is committed and read back
            self.accounts[identity] = int(row[0])
        return self.accounts[identity]

    def identity(self, tx: Tx, account: int) -> str:
        """The identity of a number."""
        return str(tx.one("SELECT identity FROM accounts WHERE id = ?", (account,))[0])

    def changed_outside(self) -> int:
        """A number that moves when another process has committed (SQLite), else 0: cheap to ask every second."""
        if self.engine.dialect.name != "sqlite":
            return 0
        self._settle()
        cursor = self._writer.connection.cursor()
        version = cursor.execute("PRAGMA data_version").fetchone()
        cursor.close()
        return int(version[0]) if version else 0

    def close(self) -> None:
        """Checkpoint and close."""
        self._settle()
        if "_committer" in self.__dict__:
            self._committer.shutdown()
        for name in ("_reader", "_writer", "engine"):
            if name in self.__dict__:
                thing = self.__dict__.pop(name)
                thing.close() if isinstance(thing, Connection) else thing.dispose()


async def _done(committing: "Future[Exception | None]") -> None:
    """Wait for a commit; looked at every so often too, so that nothing hangs on one wake-up alone."""
    while not committing.done():
        await asyncio.wait([asyncio.wrap_future(committing)], timeout=0.05)


def _commit(begun: RootTransaction) -> Exception | None:
    """Make it durable, or undo it: SQLAlchemy takes a transaction whose commit failed for ended, SQLite does not."""
    try:
        begun.commit()
    except Exception as error:  # noqa: BLE001  given to the one who waits for it, and to no other
        begun.connection.connection.rollback()
        begun.rollback()
        return error
    return None


def fact(tx: Tx, name: str) -> str | None:
    """A named fact, or None."""
    row = tx.one("SELECT value FROM facts WHERE name = ?", (name,))
    return None if row is None else str(row[0])


def set_fact(tx: Tx, name: str, value: str | None, now: int) -> None:
    """Write or, with None, forget a named fact."""
    tx.run("DELETE FROM facts WHERE name = ?", (name,))
    if value is not None:
        tx.insert(Fact, ("name", "value", "at"), [(name, value, now)])


def chunks(values: Iterable[Any], size: int = 400) -> Iterator[list[Any]]:
    """Lists of at most `size`: SQLite takes a bounded number of places in one statement."""
    chunk: list[Any] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
