"""The keyed state of feeds: one row a watched id, item or profile, in the transaction of the page that changes it."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

from connector.model import ACTIVE, LIVELY, NEW, QUIET, Instant, Page, Row
from connector.store.database import Store, Tx, chunks
from connector.store.inbox import CursorMoved
from connector.store.tables import StateRow

_COLUMNS: Final = ("account", "feed", "key", "value", "revision", "rank", "due", "heard", "about")
_FOUND: Final = "key, value, revision, due, rank, heard, about"


@dataclass(frozen=True, slots=True)
class StoredRows:
    """A feed's rows as it may read them. look: how the database is looked at, each time anew."""

    look: Callable[[], AbstractContextManager[Tx]]
    identity: str
    feed: str

    @classmethod
    def within(cls, tx: Tx, identity: str, feed: str) -> "StoredRows":
        """Those of a transaction that is under way."""
        return cls(lambda: nullcontext(tx), identity, feed)

    def get(self, keys: Iterable[str]) -> dict[str, Row]:
        """The rows there are of these keys."""
        found: dict[str, Row] = {}
        with self.look() as tx:
            for some in chunks(keys):
                for row in self._rows(tx, f"key IN ({','.join('?' * len(some))})", some):
                    found[row.key] = row
        return found

    def due(self, rank: int, now: Instant, limit: int) -> list[Row]:
        """Those of a rank that are to be looked at by now, who waited longest first."""
        with self.look() as tx:
            return self._rows(tx, "rank = ? AND due > 0 AND due <= ? ORDER BY due LIMIT ?", (rank, now, limit))

    def oldest(self) -> Instant | None:
        """When the one that waits longest was to be looked at; None where none is."""
        with self.look() as tx:
            firsts = [
                self._rows(tx, "rank = ? AND due > 0 ORDER BY due LIMIT 1", (rank,)) for rank in (QUIET, ACTIVE, NEW)
            ]
        return min((row.due for rows in firsts for row in rows), default=None)

    def origins(self) -> dict[str, str]:
        """Of every row its key and `about`, empty for those that no event showed."""
        with self.look() as tx:
            rows = tx.rows(f"SELECT key, about FROM state_rows WHERE {_OWN}", (self._account(tx), self.feed))  # noqa: S608
            return {str(row[0]): str(row[1]) for row in rows}

    def count(self) -> int:
        """How many there are."""
        with self.look() as tx:
            question = f"SELECT count(*) FROM state_rows WHERE {_OWN}"  # noqa: S608  our own names
            return int(tx.one(question, (self._account(tx), self.feed))[0])

    def _rows(self, tx: Tx, where: str, values: Sequence[object]) -> list[Row]:
        question = f"SELECT {_FOUND} FROM state_rows WHERE {_OWN} AND {where}"  # noqa: S608  our own names
        return [Row(*row) for row in tx.run(question, (self._account(tx), self.feed, *values))]

    def _account(self, tx: Tx) -> int:
        row = tx.one("SELECT id FROM accounts WHERE identity = ?", (self.identity,))
        return int(row[0]) if row else 0


_OWN: Final = "account = ? AND feed = ?"


def put(store: Store, tx: Tx, identity: str, feed: str, page: Page) -> None:
    """Write a page's changed rows, drop those it says are gone.

    What other feeds showed of a key meanwhile stays, and keeps it active. Raises CursorMoved where somebody else has
    changed a row since it was read.
    """
    if not page.rows and not page.gone:
        return
    account = store.account(tx, identity)
    tx.many(f"DELETE FROM state_rows WHERE {_OWN} AND key = ?", [(account, feed, key) for key in page.gone])  # noqa: S608
    known = {row.key for row in page.rows if not row.revision}
    if known and StoredRows.within(tx, identity, feed).get(known):
        raise CursorMoved(f"rows of {feed} were made by another poller")
    fresh = [
        (account, feed, row.key, row.value, 1, row.rank, row.due, row.heard, row.about)
        for row in page.rows
        if not row.revision
    ]
    tx.insert(StateRow, _COLUMNS, fresh)
    for row in page.rows:
        if row.revision:
            done = tx.run(
                "UPDATE state_rows SET value = ?, due = ?, rank = CASE WHEN ? AND heard > ? THEN ? ELSE ? END, "  # noqa: S608
                f"revision = revision + 1 WHERE {_OWN} AND key = ? AND revision = ?",
                (
                    row.value,
                    row.due,
                    row.rank == QUIET,
                    max(0, row.due - LIVELY),
                    ACTIVE,
                    row.rank,
                    account,
                    feed,
                    row.key,
                    row.revision,
                ),
            )
            if done.rowcount != 1:
                raise CursorMoved(f"a row of {feed} was changed by another poller")


def hear(store: Store, tx: Tx, identity: str, feed: str, fresh: Iterable[Row], again: Iterable[Row]) -> None:
    """Keep what events of other feeds showed of these keys, which are to be looked at soon; none of it is state.

    fresh: rows whose keys are not known yet. again: the others.
    """
    account = store.account(tx, identity)
    tx.insert(
        StateRow,
        _COLUMNS,
        [(account, feed, row.key, "", 1, row.rank, row.due, row.heard, row.about) for row in fresh],
    )
    tx.many(
        f"UPDATE state_rows SET heard = ?, about = ?, rank = CASE WHEN rank = ? OR value = '' THEN ? ELSE ? END, "  # noqa: S608
        "due = CASE WHEN due > ? THEN ? ELSE due END "
        f"WHERE {_OWN} AND key = ?",
        [(row.heard, row.about, NEW, NEW, ACTIVE, row.due, row.due, account, feed, row.key) for row in again],
    )
