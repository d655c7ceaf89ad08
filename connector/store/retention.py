"""Letting go of what is no longer needed, a little at a time, so that polling never waits for it.

Payloads go after `keep.events`, ids after `keep.ids`, settled deliveries after `keep.deliveries`. Open deliveries, dead
ones (kept for a person) and the events they came from are not touched. Each table is walked in the order it was filled
by a place kept in `facts`, a few thousand rows a call, and from its beginning again when the walk has come to what is
still young.
"""

from dataclasses import dataclass
from typing import Final

from connector.model import Instant
from connector.store.database import Tx, fact, set_fact

SOME: Final = 2000
_WANTED: Final = (
    "NOT EXISTS (SELECT 1 FROM outcomes o JOIN deliveries d ON d.run = o.seq WHERE o.event = events.seq "
    "AND d.state IN ('held', 'pending', 'dead')) "
    "AND NOT EXISTS (SELECT 1 FROM waiting_runs w WHERE w.event = events.seq)"
)
_BETWEEN: Final = "seq > ? AND seq <= ?"
_SETTLED: Final = "state IN ('delivered', 'discarded', 'skipped')"


@dataclass(frozen=True, slots=True)
class Keep:
    """How long, in milliseconds."""

    events: int
    ids: int
    deliveries: int


def forget(tx: Tx, keep: Keep, now: Instant) -> int:
    """Walk on by some rows in each table; how many rows were looked at (0: nothing is old enough)."""
    payloads = [
        f"DELETE FROM answers WHERE event IN (SELECT seq FROM events WHERE {_BETWEEN} AND {_WANTED})",  # noqa: S608  ours
        f"UPDATE events SET payload = NULL WHERE {_BETWEEN} AND {_WANTED}",  # noqa: S608  our own words
    ]
    ids = [f"DELETE FROM events WHERE {_BETWEEN} AND {_WANTED}"]  # noqa: S608  our own words
    settled = f"{_BETWEEN} AND {_SETTLED} AND settled < {now - keep.deliveries:d}"
    of_deliveries = [
        f"DELETE FROM attempts WHERE delivery IN (SELECT seq FROM deliveries WHERE {settled})",  # noqa: S608
        f"DELETE FROM deliveries WHERE {settled}",  # noqa: S608
    ]
    of_runs = f"{_BETWEEN} AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.run = outcomes.seq)"  # noqa: S608  ours
    outcomes = [
        f"DELETE FROM answers WHERE run IN (SELECT seq FROM outcomes WHERE {of_runs})",  # noqa: S608  our own words
        f"DELETE FROM outcomes WHERE {of_runs}",  # noqa: S608  our own words
    ]
    guards = [f"DELETE FROM guard_passes WHERE {_BETWEEN}"]  # noqa: S608
    return (
        _walk(tx, "payloads", "events", "first_seen", now - keep.events, payloads, now)
        + _walk(tx, "ids", "events", "first_seen", now - keep.ids, ids, now)
        + _walk(tx, "deliveries", "deliveries", "created", now - keep.deliveries, of_deliveries, now)
        + _walk(tx, "outcomes", "outcomes", "at", now - keep.deliveries, outcomes, now)
        + _walk(
            tx,
            "guards",
            "guard_passes",
            "at",
            now - keep.deliveries,
            guards,
            now,
        )
    )


def _walk(  # noqa: PLR0913, PLR0917  one row of the table above
    tx: Tx, name: str, table: str, column: str, before: Instant, statements: list[str], now: Instant
) -> int:
    place = int(fact(tx, f"forgotten.{name}") or 0)
    rows = tx.rows(f"SELECT seq, {column} FROM {table} WHERE seq > ? ORDER BY seq LIMIT {SOME}", (place,))  # noqa: S608
    old = [row[0] for row in rows if row[1] < before]
    if not old:
        if place:
            set_fact(tx, f"forgotten.{name}", None, now)
        return 0
    for statement in statements:
        tx.run(statement, (place, old[-1]))
    set_fact(tx, f"forgotten.{name}", str(old[-1]), now)
    return len(old)
