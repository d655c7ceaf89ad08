"""What events made of recipes, written down: outcomes, their counts, and the deliveries of those that fired.

Part of the page's transaction. The gates that need the database or the wall clock are judged here: guard, the
approval of regulations, and loops of what we write ourselves.
"""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Protocol

from connector.actions.writing import MOST_HOPS
from connector.model import DAY, STORED_REASONS, Event, Instant, Outcome, Planned, Rate, Reason, State, delivery_id
from connector.store import regulations, waiting
from connector.store.database import Tx
from connector.store.outbox import COLUMNS
from connector.store.regulations import Rules
from connector.store.tables import Delivery, GuardPass, StoredOutcome

log = logging.getLogger("connector.deliver")
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


class Gates(Protocol):
    """What holds for a planned delivery: the action's own word, else its destination's, else its kind's."""

    def receiver(self, planned: Planned, event: Event) -> str:
        """Whom the outbox has it for: a destination, or the account that is written to."""
        ...

    def expires(self, planned: Planned) -> int | None:
        """Milliseconds after which an unsent delivery is discarded, or None."""
        ...

    def guard(self, planned: Planned) -> Rate | None:
        """How many deliveries of a recipe may pass to a destination, or None."""
        ...

    def order_key(self, planned: Planned, event: Event) -> str | None:
        """The value that `order_by` has in this event, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """One outcome to be written, with its event's number."""

    seq: int
    event: Event
    outcome: Outcome
    refire: int = 0


@dataclass
class Ledger:
    """Writes the outcomes of one transaction. rules: the configuration's word on regulations.

    needy: the runs written that hold an action with `needs`, to be resolved in the same transaction.
    """

    tx: Tx
    gates: Gates
    rules: Rules
    now: Instant
    needy: set[int] = field(default_factory=set)
    said: set[tuple[str, str, str]] = field(default_factory=set)

    def write(
        self, account: int, taken: Sequence[Taken], silent: Mapping[tuple[str, Reason], int] = MappingProxyType({})
    ) -> set[str]:
        """Write outcomes, counts and deliveries, and what begins to wait; the destinations that have something to send.

        silent: how many more outcomes there were, that are only counted, by recipe and reason.
        """
        ended = [one for one in taken if one.outcome.waits is None]
        self._count(ended, silent)
        self._begin(account, taken)
        runs = self._outcomes(ended)
        self.needy |= {run for run, one in runs if any(planned.needs for planned in one.outcome.planned)}
        rows = [self._row(account, run, one, planned) for run, one in runs for planned in one.outcome.planned]
        return self._insert(rows)

    def add(self, account: int, run: int, one: Taken, planned: Sequence[Planned]) -> set[str]:
        """More deliveries of a run that was written before: what waited for `needs`."""
        return self._insert([self._row(account, run, one, each) for each in planned])

    def _insert(self, rows: list[tuple[object, ...]]) -> set[str]:
        if not rows:
            return set()
        seq = self.tx.last(Delivery)
        places = ",".join("?" * (len(COLUMNS)))
        self.tx.many(
            f"INSERT INTO deliveries ({','.join(COLUMNS)}) VALUES ({places}) ON CONFLICT (id) DO NOTHING",  # noqa: S608
            [(seq + position, *row) for position, row in enumerate(rows, start=1)],
        )
        at, state = COLUMNS.index("destination") - 1, COLUMNS.index("state") - 1
        return {str(row[at]) for row in rows if row[state] == State.PENDING}

    def _outcomes(self, taken: Sequence[Taken]) -> list[tuple[int, Taken]]:
        seq = self.tx.last(StoredOutcome)
        kept = [one for one in taken if one.outcome.reason in STORED_REASONS or one.outcome.answers is not None]
        runs = list(enumerate(kept, start=seq + 1))
        self.tx.insert(
            StoredOutcome,
            ("seq", "event", "recipe", "version", "refire", "reason", "detail", "at"),
            [
                (
                    *(run, one.seq, one.outcome.recipe, one.outcome.version, one.refire),
                    *(one.outcome.reason, one.outcome.detail, one.outcome.now),
                )
                for run, one in runs
            ],
        )
        waiting.keep_answers(self.tx, [(run, one.seq, one.outcome.answers) for run, one in runs if one.outcome.answers])
        return runs

    def _begin(self, account: int, taken: Sequence[Taken]) -> None:
        """Have the runs wait that need lookups."""
        begun = [
            waiting.Begun(one.seq, outcome.recipe, outcome.version, one.refire, outcome.now, outcome.waits)
            for one in taken
            if (outcome := one.outcome).waits is not None
        ]
        waiting.begin(self.tx, account, begun, self.now)

    def _count(self, taken: Sequence[Taken], silent: Mapping[tuple[str, Reason], int]) -> None:
        day = self.now // DAY
        counts = Counter((one.outcome.recipe, one.outcome.reason) for one in taken)
        counts.update(silent)
        self.tx.many(
            "INSERT INTO outcome_counts (day, recipe, reason, n) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (day, recipe, reason) DO UPDATE SET n = outcome_counts.n + excluded.n",
            [(day, recipe, reason, n) for (recipe, reason), n in counts.items()],
        )

    def _row(self, account: int, run: int, one: Taken, planned: Planned) -> tuple[object, ...]:
        """One delivery in the order of COLUMNS, without its number."""
        outcome, event = one.outcome, one.event
        receiver = self.gates.receiver(planned, event)
        if receiver != planned.destination:
            planned = replace(planned, destination=receiver)
        identity = delivery_id(
            event.account,
            event.id,
            outcome.recipe,
            planned.action,
            destination=planned.destination,
            item=planned.item,
            refire=one.refire,
        )
        state, reason = self._gate(account, identity, one, planned)
        if state == State.HELD and reason != "needs":
            self._say_held(one.outcome.recipe, planned, reason)
        expires = self.gates.expires(planned)
        message = planned.message
        open_state = state in {State.PENDING, State.HELD}
        return (
            *(identity, account, run, one.seq, outcome.recipe, outcome.version, planned.action, planned.kind),
            *(planned.destination, planned.item, one.refire, state, reason, self.now, self.now),
            *(None if open_state else self.now, None if expires is None else self.now + expires),
            *(self.gates.order_key(planned, event), int(planned.awaited), _json(list(planned.needs))),
            *(
                (message.method, message.path, _json(message.headers), message.body, _json(message.meta))
                if message
                else ("", "", "", None, "")
            ),
            *(0, "", ""),
        )

    def _say_held(self, recipe: str, planned: Planned, reason: str) -> None:
        """Say that a person is waited for: the first of a kind in a transaction speaks for all."""
        facts = (recipe, planned.destination or planned.kind, reason)
        if facts not in self.said:
            self.said.add(facts)
            log.warning("delivery.held", extra=dict(zip(("recipe", "destination", "reason"), facts, strict=True)))

    def _gate(self, account: int, identity: str, one: Taken, planned: Planned) -> tuple[State, str]:
        if planned.state != State.PENDING:
            return planned.state, planned.reason
        if planned.kind == "regulation":
            meta: Mapping[str, str] = planned.message.meta if planned.message else {}
            return regulations.propose(
                self.tx,
                self.rules,
                delivery=identity,
                account=account,
                type=meta["type"],
                user_id=meta["user_id"],
                reason=meta["reason"],
                recipe=one.outcome.recipe,
                now=self.now,
            )
        if planned.message is not None and planned.message.meta.get("hops", 0) > MOST_HOPS:
            return State.HELD, "loop"
        guard = self.gates.guard(planned)
        if guard is not None and not self._passes(guard, one.outcome.recipe, planned.destination):
            return State.HELD, "guard"
        return State.PENDING, ""

    def _passes(self, guard: Rate, recipe: str, destination: str) -> bool:
        since = 0 if guard.per is None else self.now - guard.per
        row = self.tx.one(
            "SELECT count(*) FROM guard_passes WHERE recipe = ? AND destination = ? AND at > ? AND at <= ?",
            (recipe, destination, since, self.now),  # none of a clock that was ahead
        )
        if row[0] >= guard.count:
            return False
        self.tx.insert(GuardPass, ("recipe", "destination", "at"), [(recipe, destination, self.now)])
        return True


def _json(value: object) -> str:
    return _ENCODE(value) if value else ""
