"""Regulations that a person asks the platform for directly: the gate before them (design §9), and the audit."""

from connector.model import Instant
from connector.store import audit
from connector.store.database import Tx, fact
from connector.store.regulations import KILL_SWITCH, NotAllowed, Rules, suppressed


def allow(tx: Tx, rules: Rules, account: int, type: str, user_id: str, by: str, now: Instant) -> None:  # noqa: PLR0913, PLR0917
    """Let a named person's request pass, and keep it in the audit. Raises NotAllowed with the reason."""
    if fact(tx, KILL_SWITCH):
        raise NotAllowed("regulations are stopped: `connector regulations resume --by NAME` first")
    if tx.one(
        "SELECT 1 FROM regulations WHERE account = ? AND user_id = ? AND type = ? "
        "AND state IN ('proposed', 'approved')",
        (account, user_id, type),
    ):
        raise NotAllowed("the same was proposed already and waits: see `connector regulations list`")
    if type == "delete" and not rules.assume_suppressed and not suppressed(tx, account, user_id):
        raise NotAllowed(
            "a delete needs a finished suppress of the same user first "
            "(or `regulations.assume_suppressed: true` in connector.yaml)"
        )
    audit.append(tx, now, by, "regulation.by_hand", user_id, {"type": type})
