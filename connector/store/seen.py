"""The events that were seen, as people ask for them: their names, one by its id, and those of a time.

Reads only.
"""

from dataclasses import dataclass
from typing import Final

from connector.model import Event, Instant
from connector.store import inbox
from connector.store.database import Tx
from connector.store.history import SHORTEST_PREFIX, Unknown


@dataclass(frozen=True, slots=True)
class Name:
    """An event name: how many were seen, when the last one happened, and one of their ids."""

    name: str
    n: int
    last: Instant
    example: str


_EACH_NAME: Final = (  # one look into the index a name, however many events there are
    "WITH RECURSIVE n (name) AS (SELECT min(name) FROM events UNION ALL "
    "SELECT (SELECT min(name) FROM events WHERE name > n.name) FROM n WHERE n.name IS NOT NULL) "
)
_NAMES: Final = (
    f"{_EACH_NAME}SELECT n.name, (SELECT count(*) FROM events e WHERE e.name = n.name AND e.at >= ?), "  # noqa: S608  our own
    "(SELECT max(at) FROM events e WHERE e.name = n.name), "
    "(SELECT event_id FROM events e WHERE e.name = n.name ORDER BY e.at DESC LIMIT 1) FROM n WHERE n.name IS NOT NULL"
)
_FIRST: Final = (  # name by name: an index of times alone would cost every event that comes in
    f"{_EACH_NAME}SELECT min((SELECT min(seq) FROM events e WHERE e.name = n.name AND e.at >= ?)) FROM n"  # noqa: S608  our own
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
    raise Unknown.of("event", id, len(found), "see `connector events NAME --list`")


def numbers(tx: Tx, since: Instant, after: int, limit: int = 5_000) -> list[tuple[int, str, str]]:
    """(number, feed, name) of the stored events that happened since then, in inbox order, behind a number."""
    question = (
        "SELECT seq, feed, name FROM events WHERE seq > ? AND at >= ? AND payload IS NOT NULL ORDER BY seq LIMIT ?"
    )
    return [(row[0], row[1], row[2]) for row in tx.rows(question, (after, since, limit))]


def first_number(tx: Tx, since: Instant) -> int:
    """The lowest number of the events that happened since then, 0 when there are none."""
    return int(tx.one(_FIRST, (since,))[0] or 0)
