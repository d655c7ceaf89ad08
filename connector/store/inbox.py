"""Where events enter: the unseen ones of a page, the cursors, and what is known of each feed.

Everything here happens inside the page's one transaction (`store.write()`).
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from connector.actions.writing import FOREIGN_MARK, lane, written_by
from connector.errors import ConnectorError
from connector.model import Event, Instant
from connector.store.database import Store, Tx, chunks
from connector.store.payload import pack, pack_texts, unpack
from connector.store.tables import Cursor, Gap, StoredEvent

_COLUMNS = ("seq", "account", "event_id", "feed", "name", "at", "time", "first_seen", "own", "notes", "payload")


class CursorMoved(ConnectorError):
    """Another poller moved this cursor since the page was asked for: the page is refused, nothing is lost."""


def packed(events: Sequence[Event]) -> list[bytes]:
    """What `add` would store of each, empty where it must find out by itself; may be called in any thread."""
    texts = iter(pack_texts([event.text for event in events if event.text]))
    return [next(texts) if event.text else b"" for event in events]


def add(
    store: Store, tx: Tx, events: Sequence[Event], now: Instant, payloads: Sequence[bytes] = ()
) -> list[tuple[int, Event]]:
    """Insert the events whose id is not known yet in their account; those alone come back, with their numbers.

    A mark of ours is believed only where it is proved. payloads: of each event what `packed` gave, if it was asked.
    """
    if not events:
        return []
    account = store.account(tx, events[0].account)
    known = _known(tx, account, [event.id for event in events])
    seq = tx.last(StoredEvent)
    fresh, rows = [], []
    for event, payload in zip(proved(tx, events, known), payloads or [b""] * len(events), strict=True):
        if event.id in known:
            continue
        known.add(event.id)
        seq += 1
        fresh.append((seq, event))
        rows.append(
            (
                *(seq, account, event.id, event.feed, event.name, event.at, event.time, now),
                *(int(event.own), ",".join(event.notes), payload or pack(event.body, event.text)),
            )
        )
    tx.insert(StoredEvent, _COLUMNS, rows)
    return fresh


def proved(tx: Tx, events: Sequence[Event], known: Collection[str] = ()) -> Sequence[Event]:
    """The events, of which only those are our own whose mark names a delivery of this database to their account.

    Anyone who can send an event can mark it; an unproved one is noted as `foreign_mark`. known: ids not worth a look.
    """
    marked = [event for event in events if event.own and event.id not in known]
    if not marked:
        return events
    ours: set[str] = set()
    for some in chunks(filter(None, {written_by(event) for event in marked})):
        places = ",".join("?" * len(some))
        question = f"SELECT id FROM deliveries WHERE id IN ({places}) AND destination = ?"  # noqa: S608  places only
        ours.update(row[0] for row in tx.run(question, (*some, lane(marked[0].account))))
    return [_foreign(event) if event.own and written_by(event) not in ours else event for event in events]


def _foreign(event: Event) -> Event:
    return msgspec.structs.replace(event, own=False, notes=(*event.notes, FOREIGN_MARK))


def _known(tx: Tx, account: int, ids: Iterable[str]) -> set[str]:
    known: set[str] = set()
    for some in chunks(ids):
        places = ",".join("?" * len(some))
        question = f"SELECT event_id FROM events WHERE account = ? AND event_id IN ({places})"  # noqa: S608  places only
        known.update(row[0] for row in tx.run(question, (account, *some)))
    return known


def load(tx: Tx, seq: int) -> Event | None:
    """A stored event by its number, or None when it is unknown or its payload was let go."""
    found = select(tx, "e.seq = ?", (seq,))
    return found[0][1] if found else None


def select(tx: Tx, where: str, values: Sequence[object], limit: int = 1_000_000_000) -> list[tuple[int, Event]]:
    """Stored events that still have their payload, in inbox order. `where` is our own SQL over `e` (events)."""
    question = (
        "SELECT e.seq, a.identity, e.feed, e.event_id, e.name, e.at, e.time, e.own, e.notes, e.payload "  # noqa: S608
        "FROM events e JOIN accounts a ON a.id = e.account "
        f"WHERE e.payload IS NOT NULL AND {where} ORDER BY e.seq LIMIT ?"
    )
    return [
        (
            row[0],
            Event(
                account=row[1],
                feed=row[2],
                id=row[3],
                name=row[4],
                at=row[5],
                time=row[6],
                own=bool(row[7]),
                notes=tuple(filter(None, row[8].split(","))),
                body=unpack(row[9]),
            ),
        )
        for row in tx.run(question, (*values, limit))
    ]


def cursors(store: Store, tx: Tx, identity: str, feed: str) -> dict[str, str]:
    """Each reader's cursor, by the reader's name. feed: the feed's kind, e.g. `intilery.events`."""
    account = store.account(tx, identity)
    rows = tx.rows("SELECT reader, cursor FROM cursors WHERE account = ? AND feed = ?", (account, feed))
    return {row[0]: row[1] for row in rows}


def move(  # noqa: PLR0913  a compare-and-set names the place, the old and the new value
    store: Store, tx: Tx, identity: str, feed: str, reader: str, *, old: str | None, new: str, now: Instant
) -> None:
    """Move a cursor from `old` (None: none yet) to `new`. Raises CursorMoved when it does not stand at `old`."""
    account = store.account(tx, identity)
    if old is None:
        taken = tx.one("SELECT 1 FROM cursors WHERE account = ? AND feed = ? AND reader = ?", (account, feed, reader))
        if taken:
            message = f"the cursor {feed} {reader} was made by another poller"
            raise CursorMoved(message)
        tx.insert(Cursor, ("account", "feed", "reader", "cursor", "moved"), [(account, feed, reader, new, now)])
        return
    done = tx.run(
        "UPDATE cursors SET cursor = ?, moved = ? WHERE account = ? AND feed = ? AND reader = ? AND cursor = ?",
        (new, now, account, feed, reader, old),
    )
    if done.rowcount != 1:
        message = f"the cursor {feed} {reader} was moved by another poller"
        raise CursorMoved(message)


def report_gap(tx: Tx, feed: str, gap: tuple[Instant, Instant, int, str], now: Instant) -> None:
    """Keep a stretch (start, end, results seen, reason) whose completeness could not be proved."""
    start, end, seen, reason = gap
    tx.insert(
        Gap,
        ("seq", "feed", "start", "end", "seen", "reason", "at"),
        [(tx.last(Gap) + 1, feed, start, end, seen, reason, now)],
    )
