"""Regulations that a person asks the platform for directly: the gate of design §9 before them, the ledger, the audit.

Each stands in the ledger like one that an event proposed, under an id of its own: it counts against the cap, and no
second one of its user and type may go. `approved` until an answer is known, then `sent`, or `rejected` where it was
surely not taken; a person closes it, as every other.
"""

from typing import Final

from connector.errors import ConnectorError, FeedError, HttpError
from connector.model import Instant
from connector.store import audit
from connector.store.database import Tx, fact
from connector.store.regulations import (
    BY_HAND,
    KILL_SWITCH,
    NotAllowed,
    Rules,
    active_request,
    one_month_later,
    over_cap,
    suppressed,
)
from connector.store.tables import Regulation

_COLUMNS: Final = (
    *("seq", "delivery", "account", "type", "user_id", "reason", "recipe", "state", "proposed", "due"),
    *("decided", "decided_by"),
)


def begin(tx: Tx, rules: Rules, account: int, type: str, user_id: str, by: str, now: Instant) -> str:  # noqa: PLR0913, PLR0917
    """Let a named person's request pass, and note it before it is sent; its id. Raises NotAllowed with the reason."""
    if fact(tx, KILL_SWITCH):
        raise NotAllowed("regulations are stopped: `connector regulations resume --by NAME` first")
    same = active_request(tx, account, type, user_id)
    if same:
        raise NotAllowed(
            f"the same was asked for already ({same[0]}, {same[1]}): see `connector regulations list`; "
            "`connector regulations done` or `connector approvals reject` closes it"
        )
    if type == "delete" and not rules.assume_suppressed and not suppressed(tx, account, user_id):
        raise NotAllowed(
            "a delete needs a finished suppress of the same user first "
            "(or `regulations.assume_suppressed: true` in connector.yaml)"
        )
    seq = tx.last(Regulation) + 1
    id = f"{BY_HAND}{seq}"
    what = (account, type, user_id, "asked for by hand", "", "approved")
    tx.insert(Regulation, _COLUMNS, [(seq, id, *what, now, one_month_later(now), now, by)])
    if over_cap(tx, rules.cap, now):
        raise NotAllowed(
            f"more than {rules.cap} regulations: wait, reject those that nobody asked for "
            "(`connector approvals reject`), or raise `regulations.cap`"
        )
    audit.append(tx, now, by, "regulation.by_hand", id, {"type": type, "user_id": user_id})
    return id


def sent(tx: Tx, id: str, by: str, answer: str, now: Instant) -> None:
    """The platform has it: a person closes it once it is finished. answer: the platform's id."""
    tx.run("UPDATE regulations SET state = 'sent' WHERE delivery = ?", (id,))
    audit.append(tx, now, by, "regulation.sent", id, {"answer": answer})


def failed(tx: Tx, id: str, by: str, error: ConnectorError, now: Instant) -> bool:
    """Note what went wrong; whether it was surely not taken. Else it stays `approved`, and is not blindly repeated."""
    surely = _not_taken(error)
    if surely:
        tx.run("UPDATE regulations SET state = 'rejected' WHERE delivery = ?", (id,))
    audit.append(tx, now, by, "regulation.refused" if surely else "regulation.needs_human", id, {})
    return surely


def _not_taken(error: ConnectorError) -> bool:
    if isinstance(error, HttpError):
        return error.arrived is False
    if isinstance(error, FeedError):
        return error.status is not None and 400 <= error.status < 500 and error.status != 408
    return True  # what is wrong with the call, a secret or an address: nothing was sent
