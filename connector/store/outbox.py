"""Where deliveries wait: planned in the page's transaction, claimed in memory, recorded in groups.

A claim needs no row: one process delivers, and what it had in flight when it died is simply still pending.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, Literal

from connector.model import Instant, Message, State
from connector.store.database import Tx, chunks
from connector.store.tables import Attempt

COLUMNS = (
    *("seq", "id", "account", "run", "event", "recipe", "version", "action", "kind", "destination", "item", "refire"),
    *("state", "reason", "created", "due", "settled", "expires_at", "order_key", "awaited", "needs"),
    *("method", "path", "headers", "body", "meta", "attempts", "answer", "response"),
)
_READ = (
    "d.seq, d.id, d.destination, d.kind, d.attempts, d.created, d.due, d.expires_at, d.awaited, d.run, "
    "d.method, d.path, d.headers, d.body, d.meta"
)
WAITING = "state IN ('held', 'dead', 'discarded', 'skipped')"
"""The condition of the index `deliveries_waiting`, as SQLite must read it to use that."""
_FIRST_OF_ITS_KEY = (
    "(d.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.destination = d.destination "
    "AND e.order_key = d.order_key AND e.state = 'pending' AND e.seq < d.seq))"
)
_WINDOW: Final = 4  # times as many as wanted are looked through; where few keys fill them, the keys are walked instead
_KEYED: Final = "destination = ? AND state = 'pending' AND order_key IS NOT NULL"
_FIRSTS: Final = (  # one look into the index a key, however many wait behind its first
    f"WITH RECURSIVE keys (name) AS (SELECT min(order_key) FROM deliveries WHERE {_KEYED} UNION ALL "  # noqa: S608
    f"SELECT (SELECT min(order_key) FROM deliveries WHERE {_KEYED} AND order_key > keys.name) "
    f"FROM keys WHERE keys.name IS NOT NULL) SELECT {_READ} FROM keys JOIN deliveries d ON d.seq = "
    f"(SELECT min(seq) FROM deliveries WHERE {_KEYED} AND order_key = keys.name) WHERE d.due <= ? LIMIT ?"
)
_HURRIED: Final = 5_000  # at once


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that may be sent now."""

    seq: int
    id: str
    destination: str
    kind: str
    attempts: int
    created: Instant
    due: Instant
    expires_at: Instant | None
    awaited: int  # 1 where another action needs this one
    run: int
    message: Message


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to. spent: whether it counts against the destination's `retry.attempts`.

    state and due: where the delivery stands afterwards; answer: a short, redacted line for people.
    """

    due: Due
    at: Instant
    elapsed: int
    status: int | None
    outcome: Literal["delivered", "retry", "throttled", "dead", "refused"]
    answer: str
    spent: bool
    state: State
    next_due: Instant
    reason: str = ""
    response: str = ""  # the answer's body, kept only where another action needs this one


def _due(row: Sequence[Any]) -> Due:
    seq, name, destination, kind, attempts, created, due_at, expires_at, awaited, run = row[:10]
    method, path, headers, body, meta = row[10:]
    message = Message(
        method=method,
        path=path,
        headers=tuple((header, value) for header, value in json.loads(headers)) if headers else (),
        body=body or b"",
        meta=json.loads(meta) if meta else {},
    )
    return Due(seq, name, destination, kind, attempts, created, due_at, expires_at, awaited, run, message)


def due(tx: Tx, destination: str, now: Instant, limit: int) -> list[Due]:
    """What waits for this destination and is due, earliest first; of an order key only the first."""
    if limit < 1:
        return []
    window = _WINDOW * limit
    earliest = (
        f"SELECT {_READ} FROM (SELECT * FROM deliveries WHERE destination = ? AND state = 'pending' AND due <= ? "  # noqa: S608
        f"ORDER BY due, seq LIMIT ?) d WHERE {_FIRST_OF_ITS_KEY} ORDER BY d.due, d.seq LIMIT ?"
    )
    found = tx.rows(earliest, (destination, now, window, limit))
    if len(found) < limit and _more_than(tx, destination, now, window):
        found = list({row[0]: row for row in [*found, *tx.rows(_FIRSTS, (destination,) * 3 + (now, limit))]}.values())
    return [_due(row) for row in found[:limit]]


def _more_than(tx: Tx, destination: str, now: Instant, count: int) -> bool:
    beyond = "SELECT 1 FROM deliveries WHERE destination = ? AND state = 'pending' AND due <= ? LIMIT 1 OFFSET ?"
    return tx.one(beyond, (destination, now, count)) is not None


def probes(tx: Tx, destination: str, limit: int) -> list[Due]:
    """Deliveries to probe a parked destination with, due or not: those first that were not tried for the longest."""
    question = (
        f"SELECT {_READ} FROM deliveries d WHERE d.destination = ? AND d.state = 'pending' "  # noqa: S608
        f"AND {_FIRST_OF_ITS_KEY} ORDER BY d.due, d.seq LIMIT ?"
    )
    return [_due(row) for row in tx.run(question, (destination, limit))]


def next_due(tx: Tx, destination: str) -> Instant | None:
    """When this destination's next delivery is due, None when nothing waits for it."""
    row = tx.one("SELECT min(due) FROM deliveries WHERE destination = ? AND state = 'pending'", (destination,))
    return None if row[0] is None else int(row[0])


def record(tx: Tx, results: Iterable[Result], now: Instant) -> None:
    """Write what a group of attempts came to. A delivery a person discarded meanwhile keeps that state."""
    results = list(results)
    numbers = _attempt_numbers(tx, [result.due.seq for result in results])
    attempts, moves = [], []
    for result in results:
        seq = result.due.seq
        numbers[seq] = number = numbers.get(seq, 0) + 1
        attempts.append(
            (seq, number, result.at, result.elapsed, result.status, result.outcome, int(result.spent), result.answer)
        )
        settled = None if result.state == State.PENDING else now
        moves.append(
            (
                result.state,
                result.reason,
                int(result.spent),
                result.next_due,
                settled,
                result.answer,
                result.status,
                result.response,
                seq,
            )
        )
    tx.insert(Attempt, ("delivery", "n", "at", "elapsed", "status", "outcome", "spent", "answer"), attempts)
    tx.many(
        "UPDATE deliveries SET state = ?, reason = ?, attempts = attempts + ?, due = ?, settled = ?, "
        "answer = ?, status = ?, response = ? "
        "WHERE seq = ? AND state = 'pending'",
        moves,
    )


def _attempt_numbers(tx: Tx, seqs: list[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for some in chunks(seqs):
        places = ",".join("?" * len(some))
        question = f"SELECT delivery, max(n) FROM attempts WHERE delivery IN ({places}) GROUP BY delivery"  # noqa: S608
        found.update((row[0], row[1]) for row in tx.run(question, some))
    return found


def in_a_row(tx: Tx, delivery: int, statuses: Sequence[int]) -> int:
    """How many of a delivery's attempts, the last ones in a row, were answered with one of these statuses."""
    answered = tx.rows("SELECT status FROM attempts WHERE delivery = ? ORDER BY n DESC LIMIT 10", (delivery,))
    return sum(1 for _ in takewhile(lambda row: row[0] in statuses, answered))


def expire(tx: Tx, now: Instant, under_way: Collection[int] = (), limit: int = 1000) -> int:
    """Discard what was not sent by its `expires`; how many. Regulations never expire: the legal duty does not.

    under_way: what is being sent at this moment: its answer decides.
    """
    rows = tx.rows(
        "SELECT seq FROM deliveries WHERE expires_at IS NOT NULL AND state IN ('pending', 'held') AND expires_at <= ? "
        "AND kind <> 'regulation' LIMIT ?",
        (now, limit),
    )
    late = [row[0] for row in rows if row[0] not in under_way]
    tx.many(
        "UPDATE deliveries SET state = 'discarded', reason = 'expired', settled = ? WHERE seq = ?",
        [(now, seq) for seq in late],
    )
    return len(late)


def hurry(tx: Tx, destination: str, now: Instant, most_attempts: int | None = None) -> int:
    """Make a destination's waiting retries due now, as many as can be written at once, the earliest first.

    most_attempts: only those tried at most so often.
    """
    extra = "" if most_attempts is None else f" AND attempts <= {int(most_attempts)}"
    done = tx.run(
        "UPDATE deliveries SET due = ? WHERE seq IN (SELECT seq FROM deliveries "  # noqa: S608
        f"WHERE destination = ? AND state = 'pending' AND due > ?{extra} ORDER BY due LIMIT {_HURRIED})",
        (now, destination, now),
    )
    return int(done.rowcount)


def shift(tx: Tx, now: Instant, back: int) -> None:
    """The clock went back by `back` ms: what was due in the future stays as far away as it was."""
    tx.run("UPDATE deliveries SET due = due - ? WHERE state = 'pending' AND due > ?", (back, now))


def bring_back(tx: Tx, now: Instant, longest: int) -> int:
    """Make due what lies further ahead than anything ever waits (ms); how many. A clock that is right again set it."""
    done = tx.run("UPDATE deliveries SET due = ? WHERE state = 'pending' AND due > ?", (now, now + longest))
    return int(done.rowcount)
