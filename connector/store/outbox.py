"""Where deliveries wait: planned in the page's transaction, claimed in memory, recorded in groups.

A claim needs no row: one process delivers, and what it had in flight when it died is simply still pending.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
_FIRST_OF_ITS_KEY = (
    "(d.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.destination = d.destination "
    "AND e.order_key = d.order_key AND e.state = 'pending' AND e.seq < d.seq))"
)


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
    question = (
        f"SELECT {_READ} FROM deliveries d WHERE d.destination = ? AND d.state = 'pending' AND d.due <= ? "  # noqa: S608
        f"AND {_FIRST_OF_ITS_KEY} ORDER BY d.due, d.seq LIMIT ?"
    )
    return [_due(row) for row in tx.run(question, (destination, now, limit))]


def probes(tx: Tx, destination: str, after: int, limit: int = 1) -> list[Due]:
    """Deliveries to probe a parked destination with: the next ones behind `after`, due or not, else the first."""
    question = (
        f"SELECT {_READ} FROM deliveries d WHERE d.destination = ? AND d.state = 'pending' AND d.seq > ? "  # noqa: S608
        f"AND {_FIRST_OF_ITS_KEY} ORDER BY d.seq LIMIT ?"
    )
    found = tx.rows(question, (destination, after, limit)) or tx.rows(question, (destination, 0, limit))
    return [_due(row) for row in found]


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


def expire(tx: Tx, now: Instant, limit: int = 1000) -> int:
    """Discard what was not sent by its `expires`; how many. Regulations never expire: the legal duty does not."""
    done = tx.run(
        "UPDATE deliveries SET state = 'discarded', reason = 'expired', settled = ? WHERE seq IN (SELECT seq FROM "
        "deliveries WHERE state IN ('pending', 'held') AND expires_at <= ? AND kind <> 'regulation' LIMIT ?)",
        (now, now, limit),
    )
    return int(done.rowcount)


def hurry(tx: Tx, destination: str, now: Instant, most_attempts: int | None = None) -> int:
    """Make a destination's waiting retries due now; with `most_attempts` only those tried at most so often."""
    extra = "" if most_attempts is None else f" AND attempts <= {int(most_attempts)}"
    done = tx.run(
        f"UPDATE deliveries SET due = ? WHERE destination = ? AND state = 'pending' AND due > ?{extra}",  # noqa: S608
        (now, destination, now),
    )
    return int(done.rowcount)


def shift(tx: Tx, now: Instant, back: int) -> None:
    """The clock went back by `back` ms: what was due in the future stays as far away as it was."""
    tx.run("UPDATE deliveries SET due = due - ? WHERE state = 'pending' AND due > ?", (back, now))
