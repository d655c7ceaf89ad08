"""The writes that people make: each changes one thing and leaves a row in the audit that names them."""

from typing import Final

from connector.errors import ConnectorError
from connector.model import Instant, State
from connector.store import audit, history, inbox, parking
from connector.store.database import Store, Tx
from connector.store.history import Line

_REGULATION: Final = "regulation"
_DECIDED: Final = frozenset({"approval", "cap", "kill_switch"})  # gates that only a decision opens
_NEVER: Final = 253_402_300_799_000  # the last second of the year 9999: what a person parked is not probed


class Refused(ConnectorError):
    """What a person asked for can't be done to this delivery; the message says what can."""


def retry(tx: Tx, id: str, by: str, now: Instant) -> Line:
    """A dead delivery is pending again: same id, its attempts counted from zero, no longer bound to expire.

    Raises Unknown and Refused.
    """
    line = history.delivery(tx, id)
    if line.state != State.DEAD:
        raise Refused(f"{line.id} is {line.state}: only a dead delivery can be retried")
    if not line.rendered:
        way = (
            f"mend the recipe, then `connector backfill {line.recipe}`"
            if history.runs_again(tx, line)
            else f"give it up with `connector deliveries discard {line.id}`, its run made others"
        )
        raise Refused(f"{line.id} was never rendered ({line.reason}): {way}")
    tx.run(
        "UPDATE deliveries SET state = 'pending', reason = '', attempts = 0, due = ?, settled = NULL, "
        "expires_at = NULL WHERE seq = ?",
        (now, line.seq),
    )
    audit.append(tx, now, by, "delivery.retried", line.id, {"was": line.reason})
    return line


def discard(tx: Tx, id: str, by: str, now: Instant) -> Line:
    """A held, pending or dead delivery is given up for good. Raises Unknown and Refused.

    A regulation is turned down instead, but for one that could not be rendered: nobody was ever asked for it.
    """
    line = history.delivery(tx, id)
    if line.state not in {State.HELD, State.PENDING, State.DEAD}:
        raise Refused(f"{line.id} is already {line.state}")
    if line.kind == _REGULATION and history.regulations(tx, delivery=line.id):
        raise Refused(f"{line.id} is a regulation: turn it down with `connector approvals reject {line.id} --by NAME`")
    tx.run(
        "UPDATE deliveries SET state = 'discarded', reason = ?, settled = ? WHERE seq = ?", (f"by {by}", now, line.seq)
    )
    audit.append(tx, now, by, "delivery.discarded", line.id, {"was": line.state, "reason": line.reason})
    return line


def give_up_unrendered(tx: Tx, recipe: str, event: int, now: Instant) -> None:
    """Discard the dead deliveries of an event that could not be rendered: a mended recipe runs it again."""
    tx.run(
        "UPDATE deliveries SET state = 'discarded', reason = 'run again by backfill', settled = ? WHERE state = 'dead' "
        "AND method = '' AND run IN (SELECT seq FROM outcomes WHERE event = ? AND recipe = ?)",
        (now, event, recipe),
    )


def release(tx: Tx, id: str, by: str, now: Instant) -> Line:
    """A held delivery goes out in spite of what held it. Raises Unknown and Refused: regulations never do."""
    line = history.delivery(tx, id)
    if line.state != State.HELD:
        raise Refused(f"{line.id} is {line.state}, not held")
    if line.reason in _DECIDED or line.kind == _REGULATION:
        raise Refused(f"{line.id} waits for approval: `connector approvals approve {line.id} --by NAME`")
    if line.reason == "needs":
        raise Refused(f"{line.id} needs another action of its recipe: retry, release or discard that one")
    tx.run("UPDATE deliveries SET state = 'pending', reason = '', due = ? WHERE seq = ?", (now, line.seq))
    audit.append(tx, now, by, "delivery.released", line.id, {"was": line.reason})
    return line


def park(tx: Tx, name: str, by: str, now: Instant) -> None:
    """Call a destination no more until a person releases it."""
    parking.park(tx, parking.Parked(name, f"by {by}", now, 0, _NEVER, by))
    audit.append(tx, now, by, "destination.parked", name, {})


def open_destination(tx: Tx, name: str, by: str, now: Instant) -> bool:
    """Call a parked destination again at once; False when it was open."""
    was_parked = parking.release(tx, name)
    if was_parked:
        audit.append(tx, now, by, "destination.released", name, {})
    return was_parked


def set_cursor(  # noqa: PLR0913  a compare-and-set names the place, the old and the new value
    store: Store, tx: Tx, identity: str, feed: str, reader: str, *, old: str | None, new: str, by: str, now: Instant
) -> None:
    """Move one reader of a feed. Raises CursorMoved when the daemon moved it meanwhile: nothing is changed then."""
    inbox.move(store, tx, identity, feed, reader, old=old, new=new, now=now)
    audit.append(tx, now, by, "cursor.moved", f"{feed} {reader}", {"account": identity, "from": old, "to": new})
