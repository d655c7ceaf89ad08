"""Destinations that are parked: a fact of the destination, not of its deliveries."""

from dataclasses import dataclass

from connector.model import Instant
from connector.store.database import Tx
from connector.store.tables import DestinationState


@dataclass(frozen=True, slots=True)
class Parked:
    """Why and since when a destination is not called, and when it is probed next. probes: how often it was."""

    name: str
    reason: str
    since: Instant
    probes: int
    probe_at: Instant
    by: str = ""


def parked(tx: Tx) -> dict[str, Parked]:
    """Every parked destination by name."""
    rows = tx.rows("SELECT name, reason, since, probes, probe_at, by FROM destinations WHERE state = 'parked'")
    return {row[0]: Parked(*row) for row in rows}


def park(tx: Tx, place: Parked) -> None:
    """Park a destination, or note its next probe."""
    tx.run("DELETE FROM destinations WHERE name = ?", (place.name,))
    columns = ("name", "state", "reason", "since", "probes", "probe_at", "by")
    tx.insert(
        DestinationState,
        columns,
        [(place.name, "parked", place.reason, place.since, place.probes, place.probe_at, place.by)],
    )


def release(tx: Tx, name: str) -> bool:
    """Open a destination; False when it was open."""
    return bool(tx.run("DELETE FROM destinations WHERE name = ?", (name,)).rowcount)
