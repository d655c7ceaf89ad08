"""Approved regulations on their way to an API: which is next, whether it may go, and what came of asking.

Before each request a row says that it is asked for. Where the process ends meanwhile that row stays as it is, and so
nobody can take the request for one that was never sent.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from connector.model import Instant, State
from connector.store import audit
from connector.store.database import Tx, fact
from connector.store.regulations import (
    KILL_SWITCH,
    NEEDS_HUMAN,
    TO_SEND,
    WORK_ITEM,
    Rules,
    over_cap,
    suppressed,
)
from connector.store.tables import Attempt

Outcome: TypeAlias = Literal["asking", "delivered", "retry", "throttled", "refused", "dead", "looked"]
UNSURE: Final = frozenset({"asking", "retry"})  # it may have been taken


@dataclass(frozen=True, slots=True)
class Next:
    """One that is to be sent. tries: outcome and instant of each, oldest first.

    An approval stands among the tries as `approved`: what came after it is told by their order, not by a clock.
    """

    seq: int
    id: str
    account: int
    run: int
    awaited: int
    type: str
    user_id: str
    reason: str
    proposed: Instant
    tries: tuple[tuple[str, Instant], ...]

    @property
    def unsure(self) -> Instant | None:
        """When it was last asked for without knowing what came of it, None where that never was."""
        return max((at for outcome, at in self.tries if outcome in UNSURE), default=None)

    def count(self, outcome: Outcome) -> int:
        """How many tries ended so since it was approved."""
        return sum(1 for each, _ in self.since_approval if each == outcome)

    @property
    def since_approval(self) -> tuple[tuple[str, Instant], ...]:
        """The tries after the last approval; all of them where none was needed."""
        marks = [n for n, (each, _) in enumerate(self.tries) if each == "approved"]
        return self.tries[marks[-1] + 1 :] if marks else self.tries


def next_due(tx: Tx, now: Instant) -> Next | None:
    """The one that has waited for longest, of those that may be sent now."""
    row = tx.one(
        "SELECT d.seq, d.id, d.account, d.run, d.awaited, r.type, r.user_id, r.reason, r.proposed "
        "FROM deliveries d JOIN regulations r ON r.delivery = d.id "
        "WHERE d.destination = '' AND d.state = 'pending' AND d.due <= ? AND d.kind = 'regulation' AND d.reason = ? "
        "AND r.state = 'approved' ORDER BY d.due, d.seq LIMIT 1",
        (now, TO_SEND),
    )
    if row is None:
        return None
    tries = tx.rows("SELECT outcome, at FROM attempts WHERE delivery = ? ORDER BY n", (row[0],))
    return Next(*(*row, tuple((outcome, at) for outcome, at in tries)))


def may_go(tx: Tx, rules: Rules, one: Next, now: Instant) -> bool:
    """Whether it may be asked for at this moment; else it is held, with the reason, or left to a person."""
    still = tx.one(
        "SELECT 1 FROM deliveries d JOIN regulations r ON r.delivery = d.id WHERE d.seq = ? AND d.state = 'pending' "
        "AND d.reason = ? AND r.state = 'approved'",
        (one.seq, TO_SEND),
    )
    if not still:  # a person rejected, held or closed it since it was chosen
        return False
    if rules.way(tx, one.account, one.type) != TO_SEND:  # the configuration is another one since it was approved
        tx.run("UPDATE deliveries SET reason = ? WHERE seq = ? AND state = 'pending'", (WORK_ITEM, one.seq))
        return False
    if fact(tx, KILL_SWITCH):
        why = "kill_switch"
    elif over_cap(tx, rules.cap, now):
        why = "cap"
    elif one.type == "delete" and not rules.assume_suppressed and not suppressed(tx, one.account, one.user_id):
        why = f"{NEEDS_HUMAN}: a delete needs a finished suppress of the same user first"
    else:
        return True
    tx.run("UPDATE deliveries SET state = 'held', reason = ? WHERE seq = ? AND state = 'pending'", (why, one.seq))
    return False


def begin(tx: Tx, one: Next, now: Instant) -> int:
    """Note that it is asked for; the number of this try."""
    n = _note(tx, one, now, "asking", None, "no answer is known")
    audit.append(tx, now, "connector", "regulation.asked", one.id, {"try": n})
    return n


def looked(tx: Tx, one: Next, now: Instant, status: int | None, why: str) -> None:
    """Note that the platform's list was asked for in vain."""
    _note(tx, one, now, "looked", status, why)


def _note(tx: Tx, one: Next, now: Instant, outcome: Outcome, status: int | None, answer: str) -> int:
    n = len(one.tries) + 1
    row = (one.seq, n, now, 0, status, outcome, 0, answer)
    tx.insert(Attempt, ("delivery", "n", "at", "elapsed", "status", "outcome", "spent", "answer"), [row])
    return n


def end(tx: Tx, one: Next, n: int, outcome: Outcome, status: int | None, answer: str) -> None:
    """Note what came of a try. A person may have held or rejected the regulation meanwhile: that stays so."""
    tx.run(
        "UPDATE attempts SET outcome = ?, status = ?, spent = 1, answer = ? WHERE delivery = ? AND n = ?",
        (outcome, status, answer, one.seq, n),
    )


def sent(tx: Tx, one: Next, now: Instant, answer: str) -> None:
    """The platform has it, whatever a person decided meanwhile: a person closes it once it is finished."""
    tx.run("UPDATE regulations SET state = 'sent' WHERE delivery = ?", (one.id,))
    audit.append(tx, now, "connector", "regulation.sent", one.id, {"answer": answer})
    tx.run(
        "UPDATE deliveries SET state = ?, reason = '', answer = ?, settled = ?, attempts = attempts + 1 WHERE seq = ?",
        (State.DELIVERED, answer, now, one.seq),
    )


def later(tx: Tx, one: Next, due: Instant, answer: str) -> None:
    """It is tried again then."""
    tx.run(
        "UPDATE deliveries SET due = ?, answer = ?, attempts = attempts + 1 WHERE seq = ? AND state = 'pending'",
        (due, answer, one.seq),
    )


def ask_a_person(tx: Tx, one: Next, now: Instant, why: str) -> None:
    """Nothing more happens by itself: it is held, with the reason, until a named person decides."""
    audit.append(tx, now, "connector", "regulation.needs_human", one.id, {"why": why})
    tx.run(
        "UPDATE deliveries SET state = 'held', reason = ?, answer = ? WHERE seq = ? AND state IN ('pending', 'held')",
        (f"{NEEDS_HUMAN}: {why}", why, one.seq),
    )
