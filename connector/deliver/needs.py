"""Actions that need others: held until what they need has come true, discarded when it no longer can.

Called in the transaction that recorded the needed deliveries, so that a crash leaves neither a half-met need nor a
forgotten one.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.model import Event, Instant, Json, Outcome, Planned, State
from connector.recipe.needs import needs_met
from connector.recipe.recipe import Recipe
from connector.recipe.render import render_action
from connector.recipe.scope import run_scope, scope
from connector.store import inbox, waiting
from connector.store.database import Tx
from connector.store.outbox import WAITING
from connector.store.runs import Ledger, Taken

log = logging.getLogger("connector.deliver")


@dataclass(frozen=True, slots=True)
class Needs:
    """Resolves the needs of runs. version: a recipe by the version that began the run, or None when unknown."""

    version: Callable[[Tx, str], Recipe | None]
    ledger: Callable[[Tx], Ledger]
    now: Callable[[], Instant]

    def resolve_all(self, tx: Tx) -> set[str]:
        """Look at every run that waits, e.g. after a person retried or discarded; the destinations to look at."""
        rows = tx.rows(f"SELECT DISTINCT run FROM deliveries WHERE {WAITING} AND state = 'held' AND reason = 'needs'")  # noqa: S608
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
        met = needs_met([tuple(need) for need in json.loads(needs)], _states(tx, run, seq))
        if met is None:
            return False
        event = inbox.load(tx, event_seq) if met else None
        planned = self._render(tx, run, event, version, action) if event else ()
        if event is None or not planned:
            why = "its `if` does not hold" if event else "what it needs can no longer come true"
            tx.run(
                "UPDATE deliveries SET state = 'discarded', reason = ?, settled = ? WHERE seq = ?",
                (f"needs: {why}", self.now(), seq),
            )
            return True
        tx.run("DELETE FROM deliveries WHERE seq = ?", (seq,))
        outcome = Outcome(recipe_id, version, "fired")
        kicked |= self.ledger(tx).add(account, run, Taken(event_seq, event, outcome, refire), planned)
        return True

    def _render(self, tx: Tx, run: int, event: Event, version: str, action: str) -> tuple[Planned, ...]:
        recipe = self.version(tx, version)
        if recipe is None:
            return ()
        now = tx.one("SELECT at FROM outcomes WHERE seq = ?", (run,))[0]
        try:
            within = run_scope(scope(event), recipe, event, now, waiting.answers_of(tx, run))
            return render_action(recipe, action, within, event, _answers(tx, run))
        except Exception:  # one run that meets a defect of ours must not keep others' answers from being recorded
            log.exception("delivery.defect", extra={"run": run, "action": action})
            return ()


def _states(tx: Tx, run: int, but: int) -> dict[str, list[State]]:
    """The states of each action's deliveries in a run, but for one of them."""
    states: dict[str, list[State]] = {}
    for action, state in tx.run("SELECT action, state FROM deliveries WHERE run = ? AND seq <> ?", (run, but)):
        states.setdefault(action, []).append(State(state))
    return states


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
    except (ValueError, RecursionError):  # a receiver may answer anything
        return None
