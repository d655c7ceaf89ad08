"""Privacy requests: what events proposed, what people decided. Nothing here sends anything (design §9).

The life of one: proposed → approved → done, or rejected; `dry_run` is only recorded. Its delivery is held for
`approval` (or `cap`, `kill_switch`), then pending as a work item for a person, then delivered; or discarded. Where the
configuration names an API, an approved one is pending to be sent, then `sent` and delivered, then done; what became of
it that nobody can tell is held with `needs_human` and the reason.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from connector.errors import ConnectorError
from connector.model import DAY, Instant, Rate, State, instant_text
from connector.settings import Settings
from connector.store import audit
from connector.store.database import Tx, fact, set_fact
from connector.store.tables import Attempt, Regulation

KILL_SWITCH = "regulations_stopped"
NEEDS_HUMAN = "needs_human"
WORK_ITEM = "work item"
TO_SEND = "to send"
BY_HAND = "hand_"  # begins the id of one that a person asks for directly (`by_hand`); it has no delivery
_ACTIVE = "('proposed', 'approved', 'sent')"
_OPEN_ONES = (  # what is held for a person keeps its reason: it may have been sent
    f"state IN ('held', 'pending') AND reason NOT LIKE '{NEEDS_HUMAN}%' "  # noqa: S608  our own words
    "AND id IN (SELECT delivery FROM regulations WHERE state IN ('proposed', 'approved'))"
)

_NOT_HELD_YET = "(state = 'pending' OR reason = 'approval')"  # the cap, or a question to a person, holds on its own


class NotAllowed(ConnectorError):
    """A decision that design §9 forbids now; the message says why and what would allow it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The configuration's word on regulations. unattended types need no approval.

    api: in that mode the account (its identity) whose regulations are sent, and the types that have a name there.
    """

    mode: Literal["dry_run", "manual", "api"] = "dry_run"
    cap: Rate = field(default_factory=lambda: Rate(20, DAY))
    unattended: frozenset[str] = frozenset()
    assume_suppressed: bool = False
    api: tuple[str, frozenset[str]] = ("", frozenset())

    @classmethod
    def of(cls, said: Settings) -> "Rules":
        """What the settings say."""
        part = said.regulations
        connection = said.connections.get(part.connection or "") if part.mode == "api" else None
        api = (connection.identity, frozenset(map(str, part.types))) if connection else ("", frozenset[str]())
        return cls(part.mode, part.cap, frozenset(part.unattended), part.assume_suppressed, api)

    def way(self, tx: Tx, account: int, type: str) -> str:
        """What becomes of an approved one: TO_SEND where the API knows its type and account, else a WORK_ITEM."""
        identity, types = self.api
        known = tx.one("SELECT 1 FROM accounts WHERE id = ? AND identity = ?", (account, identity))
        return TO_SEND if known and type in types else WORK_ITEM


def one_month_later(at: Instant) -> Instant:
    """The same day of the next month, or its last day: when a data subject must have an answer (GDPR Art. 12(3))."""
    when = datetime.fromtimestamp(at / 1000, UTC)
    first = (when.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = ((first + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
    return int(first.replace(day=min(when.day, last)).timestamp() * 1000)


def active_request(tx: Tx, account: int, type: str, user_id: str) -> tuple[str, str] | None:
    """The id and state of the request of this user and type that is open, None without one: only one may be."""
    row = tx.one(
        "SELECT delivery, state FROM regulations WHERE account = ? AND user_id = ? AND type = ? "  # noqa: S608  ours
        f"AND state IN {_ACTIVE}",
        (account, user_id, type),
    )
    return (row[0], row[1]) if row else None


def propose(  # noqa: PLR0913  the facts of one request
    tx: Tx,
    rules: Rules,
    *,
    delivery: str,
    account: int,
    type: str,
    user_id: str,
    reason: str,
    recipe: str,
    now: Instant,
) -> tuple[State, str]:
    """Note one request; the state and reason its delivery starts with. The whole batch is held once a cap is passed."""
    before = tx.one("SELECT state FROM regulations WHERE delivery = ?", (delivery,))
    if before:  # the same event once more, its id forgotten: what was decided stays decided
        return State.DISCARDED, f"this very request was {before[0]} before"
    active = active_request(tx, account, type, user_id)
    if active:
        return State.DISCARDED, f"already asked for by {active[0]}"
    dry = rules.mode == "dry_run"
    ready = type != "delete" or rules.assume_suppressed or suppressed(tx, account, user_id)
    unattended = type in rules.unattended and ready and not dry
    state = "dry_run" if dry else "approved" if unattended else "proposed"
    tx.insert(
        Regulation,
        ("seq", "delivery", "account", "type", "user_id", "reason", "recipe", "state", "proposed", "due", "decided_by"),
        [
            (
                *(tx.last(Regulation) + 1, delivery, account, type, user_id, reason, recipe),
                *(state, now, one_month_later(now), "configuration" if unattended else ""),
            )
        ],
    )
    audit.append(tx, now, "connector", f"regulation.{state}", delivery, {"type": type, "recipe": recipe})
    if dry:
        return State.SKIPPED, "dry_run"
    if over_cap(tx, rules.cap, now):
        _hold_all(tx, "cap")
        return State.HELD, "cap"
    if fact(tx, KILL_SWITCH):
        return State.HELD, "kill_switch"
    return (State.PENDING, rules.way(tx, account, type)) if unattended else (State.HELD, "approval")


def over_cap(tx: Tx, cap: Rate, now: Instant) -> bool:
    """Whether more requests were proposed within the cap's time than it allows; rejected and dry ones do not count."""
    since = 0 if cap.per is None else now - cap.per
    row = tx.one(
        "SELECT count(*) FROM regulations WHERE proposed > ? AND state NOT IN ('rejected', 'dry_run')", (since,)
    )
    return int(row[0]) > cap.count


def _hold_all(tx: Tx, reason: str) -> None:
    tx.run(
        f"UPDATE deliveries SET state = 'held', reason = ? WHERE {_OPEN_ONES}",  # noqa: S608  our own words
        (reason,),
    )


def _held(tx: Tx, delivery: str) -> tuple[str, str, str, int]:
    row = tx.one("SELECT r.state, r.type, r.user_id, r.account FROM regulations r WHERE r.delivery = ?", (delivery,))
    if row is None:
        message = f"{delivery} is not a regulation: see `connector approvals list`"
        raise NotAllowed(message)
    return str(row[0]), str(row[1]), str(row[2]), int(row[3])


def approve(tx: Tx, rules: Rules, delivery: str, by: str, now: Instant) -> str:
    """A named person lets one request go on, or once more; what becomes of it. Raises NotAllowed with the reason."""
    state, wanted, user_id, account = _held(tx, delivery)
    again = state == "approved" and tx.one("SELECT 1 FROM deliveries WHERE id = ? AND state = 'held'", (delivery,))
    if state != "proposed" and not again:
        message = f"{delivery} is {state}, only a proposed one can be approved"
        raise NotAllowed(message)
    if fact(tx, KILL_SWITCH):
        message = "regulations are stopped: `connector regulations resume --by NAME` first"
        raise NotAllowed(message)
    if over_cap(tx, rules.cap, now):
        message = (
            f"more than {rules.cap} were proposed: reject those that nobody asked for "
            "(`connector approvals reject`), or raise `regulations.cap`"
        )
        raise NotAllowed(message)
    if wanted == "delete" and not rules.assume_suppressed and not suppressed(tx, account, user_id):
        message = (
            "a delete needs a finished suppress of the same user first "
            "(or `regulations.assume_suppressed: true` in connector.yaml)"
        )
        raise NotAllowed(message)
    _decide(tx, delivery, "approved", by, now)
    _mark(tx, delivery, by, now)
    way = rules.way(tx, account, wanted)
    tx.run("UPDATE deliveries SET state = 'pending', reason = ?, due = ? WHERE id = ?", (way, now, delivery))
    return way


def reject(tx: Tx, delivery: str, by: str, now: Instant) -> None:
    """A named person turns one request down; a batch held by its cap is looked at anew by `approve`."""
    state, *_ = _held(tx, delivery)
    if state not in {"proposed", "approved"} and not (state == "sent" and delivery.startswith(BY_HAND)):  # taken back
        message = f"{delivery} is already {state}"
        raise NotAllowed(message)
    _decide(tx, delivery, "rejected", by, now)
    tx.run(
        "UPDATE deliveries SET state = 'discarded', reason = ?, settled = ? WHERE id = ?",
        (f"rejected by {by}", now, delivery),
    )


def done(tx: Tx, delivery: str, by: str, now: Instant) -> None:
    """A named person did the work in the platform's console, or saw it finished. Raises NotAllowed unless approved."""
    state, *_ = _held(tx, delivery)
    if state not in {"approved", "sent"}:
        message = f"{delivery} is {state}: only an approved one can be done"
        raise NotAllowed(message)
    if fact(tx, KILL_SWITCH):
        message = "regulations are stopped: `connector regulations resume --by NAME` first"
        raise NotAllowed(message)
    if tx.one("SELECT 1 FROM deliveries WHERE id = ? AND state = 'held' AND reason = 'cap'", (delivery,)):
        message = f"{delivery} is held by the cap: approve it anew first"
        raise NotAllowed(message)
    tx.run("UPDATE regulations SET state = 'done', done = ? WHERE delivery = ?", (now, delivery))
    audit.append(tx, now, by, "regulation.done", delivery, {})
    tx.run(
        "UPDATE deliveries SET state = 'delivered', reason = ?, settled = ? WHERE id = ?",
        (f"done by {by}", now, delivery),
    )


def stop(tx: Tx, by: str, now: Instant) -> None:
    """The kill switch: every open regulation is held, none can be approved or done until `resume`."""
    set_fact(tx, KILL_SWITCH, f"{by} at {instant_text(now)}", now)
    audit.append(tx, now, by, "regulations.stopped", "", {})
    tx.run(f"UPDATE deliveries SET state = 'held', reason = 'kill_switch' WHERE {_OPEN_ONES} AND {_NOT_HELD_YET}")  # noqa: S608


def resume(tx: Tx, rules: Rules, by: str, now: Instant) -> None:
    """Lift the kill switch: approved ones go on, the others wait for approval, or for the person they waited for."""
    set_fact(tx, KILL_SWITCH, None, now)
    audit.append(tx, now, by, "regulations.resumed", "", {})
    for delivery, account, type, state in tx.rows(
        "SELECT r.delivery, r.account, r.type, r.state FROM deliveries d JOIN regulations r ON r.delivery = d.id "
        "WHERE d.state = 'held' AND d.reason = 'kill_switch'"
    ):
        way = ("pending", rules.way(tx, account, type)) if state == "approved" else ("held", "approval")
        tx.run("UPDATE deliveries SET state = ?, reason = ? WHERE id = ?", (*way, delivery))


def suppressed(tx: Tx, account: int, user_id: str) -> bool:
    """Whether the last of a user's finished regulations of that sort left the user suppressed."""
    row = tx.one(
        "SELECT type FROM regulations WHERE account = ? AND user_id = ? AND state = 'done' "
        "AND type IN ('suppress', 'suppress_and_delete', 'unsuppress') ORDER BY done DESC, seq DESC LIMIT 1",
        (account, user_id),
    )
    return row is not None and row[0] != "unsuppress"


def _mark(tx: Tx, delivery: str, by: str, now: Instant) -> None:
    """Note the approval among the tries: which of them came after it is then no matter of clocks."""
    row = tx.one(
        "SELECT d.seq, coalesce(max(a.n), 0) FROM deliveries d LEFT JOIN attempts a ON a.delivery = d.seq "
        "WHERE d.id = ? GROUP BY d.seq",
        (delivery,),
    )
    columns = ("delivery", "n", "at", "elapsed", "status", "outcome", "spent", "answer")
    tx.insert(Attempt, columns, [(row[0], row[1] + 1, now, 0, None, "approved", 0, f"approved by {by}")])


def _decide(tx: Tx, delivery: str, state: str, by: str, now: Instant) -> None:
    tx.run(
        "UPDATE regulations SET state = ?, decided = ?, decided_by = ? WHERE delivery = ?", (state, now, by, delivery)
    )
    audit.append(tx, now, by, f"regulation.{state}", delivery, {})
