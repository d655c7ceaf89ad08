"""The append-only audit: every row's hash covers the row and the hash before it, so a change anywhere shows."""

import hashlib
import json
from dataclasses import dataclass

from connector.model import Instant, Json, canonical
from connector.store.database import Tx
from connector.store.tables import AuditRow

GENESIS = "0" * 64


def append(tx: Tx, now: Instant, actor: str, action: str, subject: str, detail: Json) -> None:
    """Add one row. actor: a person's name or `connector`; subject: what it is about; detail: JSON."""
    row = tx.one("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    seq, previous = (row[0] + 1, row[1]) if row else (1, GENESIS)
    text = canonical(detail).decode()
    values = (seq, now, actor, action, subject, text, previous)
    tx.insert(
        AuditRow,
        ("seq", "at", "actor", "action", "subject", "detail", "previous", "hash"),
        [(*values, row_hash(values))],
    )


def row_hash(values: tuple[int, Instant, str, str, str, str, str]) -> str:
    """The hash of (seq, at, actor, action, subject, detail, previous hash)."""
    return hashlib.sha256(canonical(list(values))).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as people read it. subject: what it is about; detail: JSON, the text itself where it is none any more.

    user_id: whom a regulation is about; None for what is none.
    """

    number: int
    at: Instant
    actor: str
    action: str
    subject: str
    detail: Json
    hash: str
    user_id: str | None = None


def entries(tx: Tx, since: Instant) -> list[Entry]:
    """What was done since then, the newest last."""
    rows = tx.rows(
        "SELECT b.seq, b.at, b.actor, b.action, b.subject, b.detail, b.hash, r.user_id "
        "FROM audit b LEFT JOIN regulations r ON r.delivery = b.subject WHERE b.at >= ? ORDER BY b.seq",
        (since,),
    )
    return [Entry(row[0], row[1], row[2], row[3], row[4], _detail(row[5]), row[6], row[7]) for row in rows]


def _detail(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


def verify(tx: Tx) -> int | None:
    """The number of the first row that does not fit its chain, or None when all fit."""
    previous = GENESIS
    columns = "seq, at, actor, action, subject, detail, previous, hash"
    for position, row in enumerate(tx.rows(f"SELECT {columns} FROM audit ORDER BY seq"), start=1):  # noqa: S608
        if row[0] != position or row[6] != previous or row[7] != row_hash(tuple(row[:7])):
            return position
        previous = row[7]
    return None
