"""How everything stands: feeds, cursors and gaps, and how many outcomes and deliveries there are.

Reads only. It looks at indexes: deliveries may be millions.
"""

from dataclasses import dataclass

from connector.model import DAY, Instant, State
from connector.store.database import Tx
from connector.store.history import UNUSUAL

# ── feeds ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Polled:
    """How a feed fares. feed: `connection.feed`; detail: what a person should know of it."""

    feed: str
    account: int
    start: Instant
    last_poll: Instant | None
    last_success: Instant | None
    next_poll: Instant | None
    failures: int
    error: str
    detail: str


def polled(tx: Tx) -> dict[str, Polled]:
    """Every feed that was ever polled, by its name."""
    columns = "feed, account, start, last_poll, last_success, next_poll, failures, error, detail"
    return {row[0]: Polled(*row) for row in tx.run(f"SELECT {columns} FROM feeds ORDER BY feed")}  # noqa: S608  ours


@dataclass(frozen=True, slots=True)
class Place:
    """Where one reader of a feed goes on. feed: its kind, e.g. `intilery.events`; cursor: opaque."""

    account: str
    feed: str
    reader: str
    cursor: str
    moved: Instant


def places(tx: Tx) -> list[Place]:
    """Every reader's cursor."""
    question = (
        "SELECT a.identity, c.feed, c.reader, c.cursor, c.moved FROM cursors c JOIN accounts a ON a.id = c.account "
        "ORDER BY 1, 2, 3"
    )
    return [Place(*row) for row in tx.run(question)]


def gaps(tx: Tx, limit: int = 20) -> list[tuple[str, Instant, Instant, int, str, Instant]]:
    """The latest stretches that could not be proved complete: (feed, start, end, seen, reason, noticed)."""
    rows = tx.rows("SELECT feed, start, end, seen, reason, at FROM gaps ORDER BY seq DESC LIMIT ?", (limit,))
    return [tuple(row) for row in rows]


# ── deliveries ────────────────────────────────────────────────────────────────────────────────────


def waiting(tx: Tx) -> dict[str, dict[str, int]]:
    """How many deliveries are pending, held and dead, by destination."""
    found: dict[str, dict[str, int]] = {}
    for state, destination, n in _unsettled(tx):
        counts = found.setdefault(destination, {"pending": 0, "held": 0, "dead": 0})
        if state in counts:
            counts[state] += n
    return found


def delivery_counts(tx: Tx) -> dict[str, int]:
    """How many deliveries are in each state, every state named. Looks at indexes only: they may be millions."""
    counts = dict.fromkeys(map(str, State), 0)
    for state, _, n in _unsettled(tx):
        counts[state] += n
    counts[State.DELIVERED] = int(tx.one("SELECT count(*) FROM deliveries")[0]) - sum(counts.values())
    return counts


def held_counts(tx: Tx) -> dict[str, int]:
    """How many deliveries are held, by what holds them."""
    question = f"SELECT reason, count(*) FROM deliveries WHERE state = 'held' AND {UNUSUAL} GROUP BY reason"  # noqa: S608
    return {row[0]: int(row[1]) for row in tx.run(question)}


def _unsettled(tx: Tx) -> list[tuple[str, str, int]]:
    """(state, destination, how many) of all deliveries but the delivered ones."""
    question = "SELECT state, destination, count(*) FROM deliveries WHERE {} GROUP BY state, destination"
    rows = [*tx.run(question.format("state = 'pending'")), *tx.run(question.format(UNUSUAL))]
    return [(row[0], row[1], int(row[2])) for row in rows]


# ── outcomes ──────────────────────────────────────────────────────────────────────────────────────


def outcome_counts(tx: Tx, now: Instant) -> dict[str, dict[str, int]]:
    """How often each recipe stopped for each reason, today and yesterday (UTC)."""
    counts: dict[str, dict[str, int]] = {}
    question = "SELECT recipe, reason, sum(n) FROM outcome_counts WHERE day >= ? GROUP BY recipe, reason ORDER BY 1, 2"
    for recipe, reason, n in tx.run(question, (now // DAY - 1,)):
        counts.setdefault(recipe, {})[reason] = int(n)
    return counts
