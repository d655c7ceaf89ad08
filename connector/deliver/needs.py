"""Actions that need others: held until what they need has come true, discarded when it no longer can.

Called in the transaction that recorded the needed deliveries, so that a crash leaves neither a half-met need nor a
forgotten one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from connector.model import Instant, Json, Outcome, Planned, State
from connector.recipe import Recipe, render_action, scope_of
from connector.store import inbox
from connector.store.database import Tx
from connector.store.runs import Ledger, Taken

_GIVEN_UP: Final = frozenset({State.DEAD, State.DISCARDED})
_OPEN: Final = frozenset({State.HELD, State.PENDING})


@dataclass(frozen=True, slots=True)
class Needs:
    """Resolves the needs of runs. version: a recipe by the version that began the run, or None when unknown."""

    version: Callable[[Tx, str], Recipe | None]
    ledger: Callable[[Tx], Ledger]
    now: Callable[[], Instant]

    def resolve_all(self, tx: Tx) -> set[str]:
        """Look at every run that waits, e.g. after a person retried or discarded; the destinations to look at."""
        rows = tx.rows("SELECT DISTINCT run FROM deliveries WHERE state = 'held' AND reason = 'needs'")
        return self.resolve(tx, {row[0] for row in rows})

    def resolve(self, tx: Tx, runs: set[int]) -> set[str]:
        """Look at these runs until nothing more comes true; the destinations that have something to send."""
        kicked: set[str] = set()
        for run in runs:
            while True:
                moved = [self._one(tx, run, row, kicked) for row in self._waiting(tx, run)]
                if not any(moved):
                    break
        return kicked

    def _waiting(self, tx: Tx, run: int) -> list[Any]:
        columns = "seq, event, account, recipe, version, action, refire, needs"
        return tx.rows(
            f"SELECT {columns} FROM deliveries WHERE run = ? AND state = 'held' AND reason = 'needs'",  # noqa: S608
            (run,),
        )

    def _one(self, tx: Tx, run: int, row: Any, kicked: set[str]) -> bool:
        seq, event_seq, account, recipe_id, version, action, refire, needs = row
        verdicts = [_met(tx, run, needed, wanted) for needed, wanted in json.loads(needs)]
        if all(verdicts):
            planned = self._render(tx, run, event_seq, version, action)
            if not planned:
                _discard(tx, seq, "its `if` does not hold, or what it needs is no longer stored", self.now())
                return True
            event = inbox.load(tx, event_seq)
            if event is None:
                return False
            tx.run("DELETE FROM deliveries WHERE seq = ?", (seq,))
            outcome = Outcome(recipe_id, version, "fired")
            kicked |= self.ledger(tx).add(account, run, Taken(event_seq, event, outcome, refire), planned)
            return True
        if False in verdicts:
            _discard(tx, seq, "needs: can no longer come true", self.now())
            return True
        return False

    def _render(self, tx: Tx, run: int, event_seq: int, version: str, action: str) -> tuple[Planned, ...]:
        recipe, event = self.version(tx, version), inbox.load(tx, event_seq)
        if recipe is None or event is None:
            return ()
        now = tx.one("SELECT at FROM outcomes WHERE seq = ?", (run,))[0]
        return render_action(recipe, action, scope_of(event), event, now=now, actions=_answers(tx, run))


def _met(tx: Tx, run: int, needed: str, wanted: str) -> bool | None:
    """True: come true. False: no longer can. None: still open."""
    states = {row[0] for row in tx.run("SELECT state FROM deliveries WHERE run = ? AND action = ?", (run, needed))}
    if wanted == "delivered":
        if states == {State.DELIVERED}:
            return True
        return None if states and not states & _GIVEN_UP else False
    if states & _OPEN:
        return None
    return bool(states & _GIVEN_UP)


def _answers(tx: Tx, run: int) -> dict[str, Json]:
    """`actions.<id>`: state, status and json of each action's latest delivery."""
    answers: dict[str, Json] = {}
    for action, state, status, response in tx.run(
        "SELECT action, state, status, response FROM deliveries WHERE run = ? ORDER BY seq", (run,)
    ):
        answers[action] = {"state": state, "status": status, "json": _parsed(response)}
    return answers


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _discard(tx: Tx, seq: int, reason: str, now: Instant) -> None:
    tx.run("UPDATE deliveries SET state = 'discarded', reason = ?, settled = ? WHERE seq = ?", (reason, now, seq))
