"""What happened, as people ask for it: deliveries, events and their names, outcomes, and how everything stands.

Reads only. Lists come newest first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from connector.errors import ConnectorError
from connector.model import DAY, Event, Instant, Message, State
from connector.store import inbox
from connector.store.database import Tx

SHORTEST_PREFIX: Final = 6  # characters of an id that may stand for the whole


class Unknown(ConnectorError):
    """Nothing has this id, or more than one thing begins with it."""


# ── deliveries ────────────────────────────────────────────────────────────────────────────────

_LINE: Final = (
    "SELECT d.seq, d.id, d.recipe, d.action, coalesce(e.event_id, ''), d.destination, d.state, d.reason, d.attempts, "
    "d.due, d.answer, d.created, d.settled, d.kind, d.method <> '' "
    "FROM deliveries d LEFT JOIN events e ON e.seq = d.event"
)

# SQLite takes an index of some rows only where the question repeats its very condition.
_INDEXED: Final = (State.HELD, State.DEAD, State.DISCARDED, State.SKIPPED)
_UNUSUAL: Final = "state IN ('held', 'dead', 'discarded', 'skipped')"


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
        where += f" AND d.state = '{State(state)}'" + (f" AND d.{_UNUSUAL}" if state in _INDEXED else "")
    question = f"{_LINE} WHERE {where} ORDER BY d.seq DESC LIMIT ?"
    return [Line(*row) for row in tx.rows(question, (*given.values(), limit))]


def delivery(tx: Tx, id: str) -> Line:
    """The delivery of that id, or of the only one that begins so. Raises Unknown."""
    found = tx.rows(f"{_LINE} WHERE d.id = ?", (id,))
    if not found and len(id) >= SHORTEST_PREFIX:
        found = tx.rows(f"{_LINE} WHERE d.id >= ? AND d.id < ? LIMIT 2", (id, id + "\x7f"))
    if len(found) != 1:
        raise Unknown(_unknown("delivery", id, len(found), "see `connector deliveries list`"))
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


def _unknown(noun: str, id: str, found: int, advice: str) -> str:
    if found:
        return f"several {noun} ids begin with {id!r}: write more of it"
    if len(id) < SHORTEST_PREFIX:
        return f"there is no {noun} {id!r}: write at least {SHORTEST_PREFIX} characters of its id, or {advice}"
    return f"there is no {noun} {id!r}: {advice}"


# ── events ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Name:
    """An event name: how many were seen, when the last one happened, and one of their ids."""

    name: str
    n: int
    last: Instant
    example: str


_NAMES: Final = (  # one look into the index a name, however many events there are
    "WITH RECURSIVE n (name) AS (SELECT min(name) FROM events UNION ALL "
    "SELECT (SELECT min(name) FROM events WHERE name > n.name) FROM n WHERE n.name IS NOT NULL) "
    "SELECT n.name, (SELECT count(*) FROM events e WHERE e.name = n.name AND e.at >= ?), "
    "(SELECT max(at) FROM events e WHERE e.name = n.name), "
    "(SELECT event_id FROM events e WHERE e.name = n.name ORDER BY e.at DESC LIMIT 1) FROM n WHERE n.name IS NOT NULL"
)


def names(tx: Tx, since: Instant) -> list[Name]:
    """The event names seen since then, the commonest first."""
    return sorted((Name(*row) for row in tx.run(_NAMES, (since,)) if row[1]), key=lambda name: (-name.n, name.name))


def named(tx: Tx, name: str, since: Instant, limit: int) -> list[Event]:
    """The latest stored events of a name that still have their payload, newest first."""
    newest = "e.seq IN (SELECT seq FROM events WHERE name = ? AND at >= ? ORDER BY at DESC LIMIT ?)"
    return [event for _, event in reversed(inbox.select(tx, newest, (name, since, limit)))]


_ANYWHERE: Final = "e.account IN (SELECT id FROM accounts)"  # so that the index of ids serves


def event(tx: Tx, id: str) -> tuple[int, Event]:
    """The stored event of that id, or of the only one that begins so. Raises Unknown, also for one let go."""
    found = inbox.select(tx, f"{_ANYWHERE} AND e.event_id = ?", (id,), 2)
    if not found and len(id) >= SHORTEST_PREFIX:
        found = inbox.select(tx, f"{_ANYWHERE} AND e.event_id >= ? AND e.event_id < ?", (id, id + "\U0010ffff"), 2)
    if len(found) == 1:
        return found[0]
    seen = f"SELECT 1 FROM events e WHERE {_ANYWHERE} AND e.event_id = ?"  # noqa: S608  our own words
    if not found and tx.one(seen, (id,)):
        raise Unknown(f"the event {id} was seen, but its content was let go (`privacy.keep.events`)")
    raise Unknown(_unknown("event", id, len(found), "see `connector events NAME --list`"))


def numbers(tx: Tx, since: Instant, after: int, limit: int = 5_000) -> list[tuple[int, str, str]]:
    """(number, feed, name) of the stored events that happened since then, in inbox order, behind a number."""
    question = (
        "SELECT seq, feed, name FROM events WHERE seq > ? AND at >= ? AND payload IS NOT NULL ORDER BY seq LIMIT ?"
    )
    return [(row[0], row[1], row[2]) for row in tx.rows(question, (after, since, limit))]


def first_number(tx: Tx, since: Instant) -> int:
    """The lowest number of the events that happened since then, 0 when there are none."""
    return int(tx.one("SELECT min(seq) FROM events WHERE at >= ?", (since,))[0] or 0)


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


def outcome_counts(tx: Tx, now: Instant) -> dict[str, dict[str, int]]:
    """How often each recipe stopped for each reason, today and yesterday (UTC)."""
    counts: dict[str, dict[str, int]] = {}
    question = "SELECT recipe, reason, sum(n) FROM outcome_counts WHERE day >= ? GROUP BY recipe, reason ORDER BY 1, 2"
    for recipe, reason, n in tx.run(question, (now // DAY - 1,)):
        counts.setdefault(recipe, {})[reason] = int(n)
    return counts


# ── how everything stands ─────────────────────────────────────────────────────────────────────


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
    question = f"SELECT reason, count(*) FROM deliveries WHERE state = 'held' AND {_UNUSUAL} GROUP BY reason"  # noqa: S608
    return {row[0]: int(row[1]) for row in tx.run(question)}


def _unsettled(tx: Tx) -> list[tuple[str, str, int]]:
    """(state, destination, how many) of all deliveries but the delivered ones."""
    question = "SELECT state, destination, count(*) FROM deliveries WHERE {} GROUP BY state, destination"
    rows = [*tx.run(question.format("state = 'pending'")), *tx.run(question.format(_UNUSUAL))]
    return [(row[0], row[1], int(row[2])) for row in rows]


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
