"""How waiting runs end: answers → `if` → `limit` → render → outbox rows, in one transaction with their outcome.

Runs of one lane are judged in the order they came in; one that has no answers yet keeps those behind it waiting.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Protocol

from connector.model import Event, Now, Outcome
from connector.recipe.evaluate import go_on
from connector.recipe.memory import Memory, Unspent
from connector.recipe.recipe import Recipe
from connector.store import history, inbox, memory, waiting
from connector.store.database import Tx, chunks
from connector.store.runs import Ledger, Taken
from connector.store.waiting import Run

log = logging.getLogger("connector.lookups")

MOST: Final = 100  # runs that are judged in one transaction
UNREADABLE: Final = "its version of the recipe cannot be read any more"


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

    def end(
        self, tx: Tx, answered: Sequence[Run], lanes: Iterable[int], given_up: Sequence[tuple[Run, str]] = ()
    ) -> tuple[set[str], set[int]]:
        """End what can be: runs just answered, those behind them in their lanes, and those given up, each with why.

        Gives the destinations that have something to send, and the lanes in which there was more than is done at once.
        """
        gone = [run for run, _ in given_up]
        waiting.end(tx, gone)
        turns, more = self._turns(tx, answered, lanes)
        off = [run for run in turns if not self.shelf.serves(run.recipe)]
        for run in off:
            waiting.hold(tx, run, due=None, reason=waiting.RECIPE_OFF, failing=None, attempts=run.attempts)
        ended = [run for run in turns if run not in off] if off else turns
        events = _events(tx, [*gone, *ended])
        taken = [(run.account, _given_up(run, why, events.get(run.event))) for run, why in given_up]
        taken += [(run.account, self._judged(tx, run, events.get(run.event))) for run in ended]
        waiting.end(tx, ended)
        return self._write(tx, taken), more

    def _turns(self, tx: Tx, answered: Sequence[Run], lanes: Iterable[int]) -> tuple[list[Run], set[int]]:
        """The runs whose turn it is, in the order they came in; of the others the answers are kept."""
        fresh = {run.seq: run for run in answered}
        turns, more = [run for run in answered if not run.lane], set[int]()
        for lane in lanes:
            if len(turns) >= MOST:
                more.add(lane)
                continue
            front = waiting.front(tx, lane, MOST)
            ready = [fresh.get(run.seq, run) for run in takewhile(lambda run: run.answered or run.seq in fresh, front)]
            turns += ready
            if len(ready) == MOST:
                more.add(lane)
        for run in turns:
            fresh.pop(run.seq, None)
        for run in fresh.values():
            waiting.answer(tx, run.seq, run.answers)
        return sorted(turns, key=lambda run: run.seq), more

    def _judged(self, tx: Tx, run: Run, event: Event | None) -> Taken:
        """What becomes of a run whose turn it is; what it spends is remembered at once, for those behind it."""
        recipe, answers = self.shelf.version(tx, run.version), run.found()
        if recipe is None or event is None:
            return _error(run, "the event's content was let go" if recipe else UNREADABLE, event)
        known = self.memory(tx, run.account)
        if run.refire and history.decided(tx, run.recipe, [run.event]).get(run.event, (0, ""))[1] == "fired":
            known = Unspent(known, run.at)
        try:
            outcome = go_on(recipe, event, known, answers, now=run.at)
        except Exception as error:  # a run that meets a defect of ours must not hold up its lane for ever
            log.exception("recipe.defect", extra={"recipe": run.recipe, "event": event.id})
            return _error(run, f"a defect of the connector: {type(error).__name__}", event)
        if outcome.spent is not None:
            memory.keep(tx, run.account, recipe.memory_id, outcome.spent, self.now())
        return Taken(run.event, event, outcome, run.refire)

    def _write(self, tx: Tx, taken: Sequence[tuple[int, Taken]]) -> set[str]:
        ledger, kicked = self.ledger(tx), set[str]()
        for account in dict.fromkeys(account for account, _ in taken):
            kicked |= ledger.write(account, [one for whose, one in taken if whose == account])
        return kicked | self.resolve(tx, ledger.needy)


def _given_up(run: Run, why: str, event: Event | None) -> Taken:
    log.error("run.given_up", extra={"recipe": run.recipe, "event": event.id if event else run.event, "reason": why})
    return _error(run, why, event)


def _error(run: Run, why: str, event: Event | None) -> Taken:
    bare = Event("", "", "", "", run.at, None, {})  # of one let go nothing is delivered
    outcome = Outcome(run.recipe, run.version, "error", why, run.at, answers=run.found())
    return Taken(run.event, event or bare, outcome, run.refire)


def _events(tx: Tx, runs: Sequence[Run]) -> dict[int, Event]:
    """The runs' events by number, where their content is still there."""
    found: dict[int, Event] = {}
    for some in chunks({run.event for run in runs}):
        found.update(inbox.select(tx, f"e.seq IN ({','.join('?' * len(some))})", some))
    return found
