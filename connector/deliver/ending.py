"""How waiting runs end: answers → `if` → `limit` → render → outbox rows, in one transaction with their outcome.

Runs of one lane are judged in the order they came in; one that has no answers yet keeps those behind it waiting.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from connector.model import Event, Now, Outcome
from connector.recipe.evaluate import go_on
from connector.recipe.memory import Memory, Unspent
from connector.recipe.recipe import Recipe
from connector.store import inbox, memory, waiting
from connector.store.database import Tx
from connector.store.runs import Ledger, Taken
from connector.store.waiting import Run

log = logging.getLogger("connector.lookups")

MOST: Final = 200  # runs of one lane in one transaction


class Shelf(Protocol):
    """The recipes, as far as runs need them."""

    def version(self, tx: Tx, version: str) -> Recipe | None:
        """A recipe by the version that began a run; None when it cannot be read any more."""
        ...

    def serves(self, recipe_id: str) -> bool:
        """Whether a recipe of this id is in service and not disabled."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """Ends runs. memory: what limits remember of an account. resolve: looks at runs with an action that has `needs`."""

    shelf: Shelf
    memory: Callable[[Tx, int], Memory]
    ledger: Callable[[Tx], Ledger]
    resolve: Callable[[Tx, set[int]], set[str]]
    now: Now

    def lanes(self, tx: Tx, lanes: Iterable[int]) -> tuple[set[str], set[int]]:
        """Judge what can be judged in these lanes.

        Gives the destinations that have something to send, and the lanes in which there was more than is done at once.
        """
        taken: dict[int, list[Taken]] = {}
        more = set()
        for lane in dict.fromkeys(lanes):
            done = 0
            while (run := waiting.first_of(tx, lane)) is not None and run.answered:
                if done == MOST:
                    more.add(lane)
                    break
                if not self.shelf.serves(run.recipe):
                    waiting.hold(tx, run, due=None, reason=waiting.RECIPE_OFF, failing=None, attempts=run.attempts)
                    break
                self._end(tx, run, taken)
                done += 1
        return self._write(tx, taken), more

    def give_up(self, tx: Tx, runs: Iterable[tuple[Run, str]]) -> set[str]:
        """End runs whose answers will not come, with the outcome `error` and why."""
        taken: dict[int, list[Taken]] = {}
        for run, why in runs:
            log.error("run.given_up", extra={"recipe": run.recipe, "event": run.event, "reason": why})
            outcome = Outcome(run.recipe, run.version, "error", why, run.at, answers=run.found())
            self._keep(tx, run, inbox.load(tx, run.event), outcome, taken)
        return self._write(tx, taken)

    def _end(self, tx: Tx, run: Run, taken: dict[int, list[Taken]]) -> None:
        recipe, event = self.shelf.version(tx, run.version), inbox.load(tx, run.event)
        answers = run.found()
        if recipe is None or event is None:
            why = "the event's content was let go" if recipe else "its version of the recipe cannot be read any more"
            outcome = Outcome(run.recipe, run.version, "error", why, run.at, answers=answers)
            self._keep(tx, run, event, outcome, taken)
            return
        remembered = self.memory(tx, run.account)
        known: Memory = Unspent(remembered, run.at) if run.refire else remembered
        try:
            outcome = go_on(recipe, event, known, answers, now=run.at)
        except Exception as error:  # a run that meets a defect of ours must not hold up its lane for ever
            log.exception("recipe.defect", extra={"recipe": run.recipe, "event": event.id})
            why = f"a defect of the connector: {type(error).__name__}"
            outcome = Outcome(run.recipe, run.version, "error", why, run.at, answers=answers)
        if outcome.spent is not None:
            memory.keep(tx, run.account, recipe.memory_id, outcome.spent, self.now())
        self._keep(tx, run, event, outcome, taken)

    def _keep(self, tx: Tx, run: Run, event: Event | None, outcome: Outcome, taken: dict[int, list[Taken]]) -> None:
        waiting.end(tx, run.seq)
        bare = Event("", "", "", "", run.at, None, {})  # of one let go nothing is delivered
        taken.setdefault(run.account, []).append(Taken(run.event, event or bare, outcome, run.refire))

    def _write(self, tx: Tx, taken: Mapping[int, list[Taken]]) -> set[str]:
        ledger = self.ledger(tx)
        kicked: set[str] = set()
        for account, some in taken.items():
            kicked |= ledger.write(account, some)
        return kicked | self.resolve(tx, ledger.needy)
