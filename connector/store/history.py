"""What became of events, as people ask for it: deliveries, outcomes, and the ledger of privacy requests.

Reads only; lists come newest first. The events themselves are in `seen`, how everything stands in `standing`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from connector.errors import ConnectorError
from connector.model import Event, Instant, Message, State
from connector.store import inbox
from connector.store.database import Tx

SHORTEST_PREFIX: Final = 6  # characters of an id that may stand for the whole


class Unknown(ConnectorError):
    """Nothing has this id, or more than one thing begins with it."""

    @classmethod
    def of(cls, noun: str, id: str, found: int, advice: str) -> "Unknown":
        """found: how many things begin with the id; advice: where to look."""
        if found:
            return cls(f"several {noun} ids begin with {id!r}: write more of it")
        if len(id) < SHORTEST_PREFIX:
            return cls(f"there is no {noun} {id!r}: write at least {SHORTEST_PREFIX} characters of its id, or {advice}")
        return cls(f"there is no {noun} {id!r}: {advice}")


# ── deliveries ────────────────────────────────────────────────────────────────────────────────

_LINE: Final = (
    "SELECT d.seq, d.id, d.recipe, d.action, coalesce(e.event_id, ''), d.destination, d.state, d.reason, d.attempts, "
    "d.due, d.answer, d.created, d.settled, d.kind, d.method <> '' "
    "FROM deliveries d LEFT JOIN events e ON e.seq = d.event"
)

# SQLite takes an index of some rows only where the question repeats its very condition.
_INDEXED: Final = (State.HELD, State.DEAD, State.DISCARDED, State.SKIPPED)
UNUSUAL: Final = "state IN ('held', 'dead', 'discarded', 'skipped')"


@dataclass(frozen=True, slots=True)
class Line:
    """One delivery as lists show it. event: its id, "" when it was let go. due: of the next attempt while pending.

    state: one of model.State. rendered: false for one that could not be.
    """

    seq: int
    id: str
    recipe: str
    action: str
    event: str
    destination: str
    state: str
    reason: str
    attempts: int
    due: Instant
    answer: str
    created: Instant
    settled: Instant | None
    kind: str
    rendered: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt. spent: 1 where it counted against `retry.attempts`."""

    n: int
    at: Instant
    elapsed: int
    status: int | None
    outcome: str
    spent: int
    answer: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything about one delivery. event: None when its payload was let go; message: None when none was rendered."""

    line: Line
    account: str
    version: str
    run: int
    item: int | None
    refire: int
    expires_at: Instant | None
    order_key: str | None
    needs: Sequence[tuple[str, str]]
    message: Message | None
    attempts: Sequence[Tried] = ()
    event: Event | None = None


def deliveries(  # noqa: PLR0913  each narrows the list
    tx: Tx,
    *,
    state: State | None = None,
    destination: str | None = None,
    recipe: str | None = None,
    since: Instant | None = None,
    run: int | None = None,
    limit: int = 50,
) -> list[Line]:
    """The newest deliveries that fit."""
    wanted = {"d.destination = ?": destination, "d.recipe = ?": recipe, "d.created >= ?": since, "d.run = ?": run}
    given = {text: value for text, value in wanted.items() if value is not None}
    where = " AND ".join(given) or "1 = 1"
    if state is not None:
        where += f" AND d.state = '{State(state)}'" + (f" AND d.{UNUSUAL}" if state in _INDEXED else "")
    question = f"{_LINE} WHERE {where} ORDER BY d.seq DESC LIMIT ?"
    return [Line(*row) for row in tx.rows(question, (*given.values(), limit))]


def delivery(tx: Tx, id: str) -> Line:
    """The delivery of that id, or of the only one that begins so. Raises Unknown."""
    found = tx.rows(f"{_LINE} WHERE d.id = ?", (id,))
    if not found and len(id) >= SHORTEST_PREFIX:
        found = tx.rows(f"{_LINE} WHERE d.id >= ? AND d.id < ? LIMIT 2", (id, id + "\x7f"))
    if len(found) != 1:
        raise Unknown.of("delivery", id, len(found), "see `connector deliveries list`")
    return Line(*found[0])


def story(tx: Tx, id: str) -> Story:
    """Everything about one delivery. Raises Unknown."""
    line = delivery(tx, id)
    facts = tx.one(
        "SELECT a.identity, d.version, d.run, d.item, d.refire, d.expires_at, d.order_key, d.needs, d.event, d.method, "
        "d.path, d.headers, d.body, d.meta FROM deliveries d JOIN accounts a ON a.id = d.account WHERE d.seq = ?",
        (line.seq,),
    )
    tried = tx.rows(
        "SELECT n, at, elapsed, status, outcome, spent, answer FROM attempts WHERE delivery = ? ORDER BY n", (line.seq,)
    )
    return Story(
        line=line,
        account=facts.identity,
        version=facts.version,
        run=facts.run,
        item=facts.item,
        refire=facts.refire,
        expires_at=facts.expires_at,
        order_key=facts.order_key,
        needs=json.loads(facts.needs or "[]"),
        message=_message(facts) if line.rendered else None,
        attempts=[Tried(*each) for each in tried],
        event=inbox.load(tx, facts.event),
    )


def runs_again(tx: Tx, line: Line) -> bool:
    """Whether a backfill evaluates the event of this delivery again unasked: its run ended with `error`."""
    question = "SELECT 1 FROM outcomes o JOIN deliveries d ON d.run = o.seq WHERE d.seq = ? AND o.reason = 'error'"
    return tx.one(question, (line.seq,)) is not None


def _message(facts: Any) -> Message:
    headers = tuple((name, value) for name, value in json.loads(facts.headers or "[]"))
    return Message(facts.method, facts.path, headers, facts.body or b"", json.loads(facts.meta or "{}"))


# ── outcomes ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored outcome. run: its number, which its deliveries carry."""

    run: int
    recipe: str
    version: str
    refire: int
    reason: str
    detail: str
    at: Instant


def outcomes(tx: Tx, seq: int) -> list[Kept]:
    """What is stored of one event's outcomes, in the order they came about."""
    question = "SELECT seq, recipe, version, refire, reason, detail, at FROM outcomes WHERE event = ? ORDER BY seq"
    return [Kept(*row) for row in tx.run(question, (seq,))]


@dataclass(frozen=True, slots=True)
class Fired:
    """A run as its limit knows it. event: the number of its event, which has the id `event_id`."""

    run: int
    event: int
    event_id: str
    at: Instant


def fired(tx: Tx, recipe: str, at: Instant, limit: int = 100) -> list[Fired]:
    """A recipe's runs of one instant whose event is known, the earliest first; of whole imports the first."""
    question = (
        "SELECT o.seq, o.event, e.event_id, o.at FROM outcomes o JOIN events e ON e.seq = o.event "
        "WHERE o.recipe = ? AND o.at = ? AND o.reason = 'fired' ORDER BY o.seq LIMIT ?"
    )
    return [Fired(*row) for row in tx.run(question, (recipe, at, limit))]


def decided(tx: Tx, recipe: str, events: Sequence[int]) -> dict[int, tuple[int, str]]:
    """By event number: the highest refire number this recipe has an outcome under, and `fired`, `limited` or `error`.

    One that fired once counts as fired, whatever came later.
    """
    places = ",".join("?" * len(events))
    rows = tx.rows(
        "SELECT event, max(refire), max(CASE reason WHEN 'fired' THEN 3 WHEN 'limited' THEN 2 ELSE 1 END) "  # noqa: S608
        f"FROM outcomes WHERE event IN ({places}) AND recipe = ? GROUP BY event",
        (*events, recipe),
    )
    return {row[0]: (row[1], ("error", "limited", "fired")[row[2] - 1]) for row in rows}


# ── regulations ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Request:
    """One privacy request. held: why its delivery waits (`approval`, `cap`, `kill_switch`, `needs_human: …`), else "".

    doing: what becomes of an approved one: `work item` or `to send`.
    """

    id: str
    type: str
    user_id: str
    reason: str
    recipe: str
    event: str
    account: str
    state: str
    proposed: Instant
    due: Instant
    decided: Instant | None
    decided_by: str
    done: Instant | None
    held: str
    doing: str

    @property
    def waits_for_a_person(self) -> bool:
        """Whether only `approvals approve` or `reject` moves it."""
        return self.state == "proposed" or self.held.startswith("needs_human")


def regulations(tx: Tx, *, state: str | None = None, delivery: str | None = None, limit: int = 200) -> list[Request]:
    """The ledger of privacy requests, newest first."""
    given = {text: value for text, value in (("r.state = ?", state), ("r.delivery = ?", delivery)) if value is not None}
    where = " AND ".join(given) or "1 = 1"
    rows = tx.rows(
        "SELECT r.delivery, r.type, r.user_id, r.reason, r.recipe, coalesce(e.event_id, ''), a.identity, r.state, "  # noqa: S608
        "r.proposed, r.due, r.decided, r.decided_by, r.done, CASE d.state WHEN 'held' THEN d.reason ELSE '' END, "
        "CASE d.state WHEN 'pending' THEN d.reason ELSE '' END "
        "FROM regulations r JOIN accounts a ON a.id = r.account LEFT JOIN deliveries d ON d.id = r.delivery "
        f"LEFT JOIN events e ON e.seq = d.event WHERE {where} ORDER BY r.seq DESC LIMIT ?",
        (*given.values(), limit),
    )
    return [Request(*row) for row in rows]
