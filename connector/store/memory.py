"""What recipes' limits remember, in the database: reads for `evaluate`, writes after it, in the page's transaction."""

import json

from connector.model import Instant, Spent
from connector.store.database import Tx
from connector.store.tables import MemoryKey, MemoryRow

Row = tuple[int, tuple[str, ...], tuple[Instant, ...]]


def recall(tx: Tx, account: int, recipe: str, keys: tuple[str, ...]) -> list[Row]:
    """The memories that share a key with these: (row id, its keys, the instants it was spent at), oldest row first."""
    places = ",".join("?" * len(keys))
    question = f"SELECT DISTINCT memory FROM memory_keys WHERE recipe = ? AND account = ? AND key IN ({places})"  # noqa: S608
    found = sorted(row[0] for row in tx.run(question, (recipe, account, *keys)))
    return [(number, _keys(tx, number), _times(tx, number)) for number in found]


def _keys(tx: Tx, memory: int) -> tuple[str, ...]:
    return tuple(row[0] for row in tx.run("SELECT key FROM memory_keys WHERE memory = ? ORDER BY key", (memory,)))


def _times(tx: Tx, memory: int) -> tuple[Instant, ...]:
    row = tx.one("SELECT times FROM memories WHERE id = ?", (memory,))
    return tuple(json.loads(row[0])) if row else ()


def keep(tx: Tx, account: int, recipe: str, spent: Spent, now: Instant) -> None:
    """Write what a run spent; memories that became one are joined into the oldest."""
    times = json.dumps(list(spent.times))
    if spent.joins:
        number = min(spent.joins)
        for other in spent.joins:
            tx.run("DELETE FROM memory_keys WHERE memory = ?", (other,))
            if other != number:
                tx.run("DELETE FROM memories WHERE id = ?", (other,))
        tx.run("UPDATE memories SET times = ?, touched = ? WHERE id = ?", (times, now, number))
    else:
        number = int(tx.one("SELECT max(id) FROM memories")[0] or 0) + 1
        tx.insert(MemoryRow, ("id", "recipe", "account", "times", "touched"), [(number, recipe, account, times, now)])
    tx.insert(MemoryKey, ("recipe", "account", "key", "memory"), [(recipe, account, key, number) for key in spent.keys])
