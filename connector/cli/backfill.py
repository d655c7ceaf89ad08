"""`connector backfill`: stored events through one recipe again, after a mended mistake.

Everything holds that holds for the daemon (inbox order, conditions, limits, gates), but that events from before the
recipe was live count too. What fired or was limited before is left alone unless `--refire` says otherwise.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli import limits
from connector.cli.options import AsJson, ByDefault, WrongUse, Yes, confirm, moment, person
from connector.cli.output import Column, emit_json, outcomes, plural, say, table
from connector.cli.parts import served
from connector.cli.session import daemon, opened, reading, settings
from connector.engines.clock import now as clock
from connector.model import Instant, Json, State, instant_text

if TYPE_CHECKING:
    from connector.model import Event, Outcome, Planned
    from connector.poll import Gates
    from connector.recipe.recipe import Recipe
    from connector.settings import Settings
    from connector.store.database import Store, Tx
    from connector.store.regulations import Rules

_PAGE: Final = 200  # events in one transaction
_ASK: Final = 100  # more that would fire need a person's word
_SHOWN: Final = 5


def backfill(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="The recipe's id.")],
    since: Annotated[str, typer.Option(metavar="7d", help="Events that happened since then.")] = "7d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    refire: Annotated[
        bool, typer.Option("--refire", help="Also what fired or was limited before: what fires now is delivered again.")
    ] = False,
    yes: Yes = False,
    by: ByDefault = "",
    as_json: AsJson = False,
) -> None:
    """Run stored events through a recipe again."""
    from connector.store.regulations import Rules  # noqa: PLC0415

    of, at = settings(), clock()
    begin = moment(since, at)
    with reading(of) as tx:
        chosen = _recipe(of, tx, recipe)
        trial = limits.Trial(limits.Stored(tx, at))
        plan = _Sum(Rules.of(of))
        for page in _pages(tx, chosen, begin):
            for item in _items(tx, chosen, page, trial, refire=refire):
                plan.add(item)
    if as_json:
        emit_json(plan.as_json(recipe))
    elif dry_run:
        plan.tell(recipe)
    if dry_run:
        return
    _ask(plan, yes=yes)
    done = _write(of, chosen, begin, person(by), refire=refire)
    if not as_json:
        waits = ": start `connector run` to send" if done.states["pending"] and daemon(of) is None else ""
        say(f"{recipe}: {done.words()}{waits}")


def _ask(plan: "_Sum", *, yes: bool) -> None:
    """Whether it is meant: to send anything twice, or to fire for many. Raises WrongUse where nobody can be asked."""
    if plan.again:
        made = plural(plan.again, "delivery that was made before", "deliveries that were made before")
        confirm(f"{made} would be sent AGAIN. Go on?", yes=yes)
        return
    n = plan.outcomes["fired"] + plan.outcomes["waiting"]
    confirm(f"{n} events would fire, see --dry-run. Go on?", yes=yes or n <= _ASK)


def _recipe(of: "Settings", tx: "Tx", id: str) -> "Recipe":
    from connector.document import did_you_mean  # noqa: PLC0415

    at_work = served(of, tx)
    if id in at_work.broken:
        raise WrongUse(f"mend the recipe first: {at_work.broken[id]}")
    if id not in at_work.recipes:
        raise WrongUse(f"no recipe {id!r} - {did_you_mean(id, at_work.recipes) or 'see `connector status`'}")
    if at_work.recipes[id].mode == "disabled":
        raise WrongUse(f"{id} is disabled: set its mode to live or shadow first")
    return at_work.recipes[id]


# ── looking ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Item:
    """One event and what it makes of the recipe; outcome None where it fired (or was limited) before, or its run still
    waits for lookups: left alone.
    """  # noqa: D205  what it is needs two lines

    seq: int
    event: "Event"
    outcome: "Outcome | None"
    refire: int = 0
    before: str = ""


def _pages(tx: "Tx", recipe: "Recipe", begin: Instant) -> "Iterator[list[int]]":
    """The numbers of the stored events that the trigger names, in inbox order, some at a time."""
    from connector.recipe.index import Index  # noqa: PLC0415
    from connector.store import seen  # noqa: PLC0415
    from connector.store.database import chunks  # noqa: PLC0415

    index, after = Index([recipe]), seen.first_number(tx, begin) - 1
    while found := seen.numbers(tx, begin, after):
        after = found[-1][0]
        yield from chunks([seq for seq, feed, name in found if index.candidates(feed, name)], _PAGE)


def _items(tx: "Tx", recipe: "Recipe", page: Sequence[int], known: limits.Limits, *, refire: bool) -> "Iterator[_Item]":
    """Evaluate a page; limits remember as it goes."""
    from connector.recipe.evaluate import evaluate  # noqa: PLC0415
    from connector.recipe.memory import Unspent  # noqa: PLC0415
    from connector.store import history, inbox, waiting  # noqa: PLC0415

    before, waits = history.decided(tx, recipe.id, page), waiting.events_of(tx, recipe.id, page)
    for seq, event in inbox.select(tx, f"e.seq IN ({','.join('?' * len(page))})", page):
        number, reason = before.get(seq, (-1, ""))
        if seq in waits or (reason in {"fired", "limited"} and not refire):
            yield _Item(seq, event, None, before="waiting" if seq in waits else reason)
            continue
        memory = Unspent(known, event.at) if reason == "fired" else known
        outcome = evaluate(recipe, event, memory, live_from=0)
        if outcome.spent is not None:
            known.keep(recipe.memory_id, event.account, outcome.spent)
        yield _Item(seq, event, outcome, number + 1, reason)


# ── writing ───────────────────────────────────────────────────────────────────────────────────


def _write(of: "Settings", recipe: "Recipe", begin: Instant, by: str, *, refire: bool) -> "_Sum":
    """Do it, some events a transaction; the audit names who."""
    from connector.poll import Gates  # noqa: PLC0415
    from connector.store import audit, recipes  # noqa: PLC0415
    from connector.store.regulations import Rules  # noqa: PLC0415

    gates, rules = Gates.of(of), Rules.of(of)
    done = _Sum(rules)
    with opened(of) as store:
        with store.write() as tx:
            at = clock()
            recipes.keep_version(tx, recipe.version, recipe.id, recipe.file, recipe.text, at)
            audit.append(tx, at, by, "recipe.backfilled", recipe.id, {"since": instant_text(begin), "refire": refire})
        with store.read() as tx:
            pages = list(_pages(tx, recipe, begin))
        for page in pages:
            with store.write() as tx:
                items = list(_items(tx, recipe, page, limits.Stored(tx, clock()), refire=refire))
                _keep(store, tx, items, gates, rules)
            for item in items:
                done.add(item)
    return done


def _keep(store: "Store", tx: "Tx", items: "Sequence[_Item]", gates: "Gates", rules: "Rules") -> None:
    """Outcomes and deliveries; what an earlier run could not render is given up for the new one."""
    from connector.store import people  # noqa: PLC0415
    from connector.store.runs import Ledger, Taken  # noqa: PLC0415

    at = clock()
    by_account: dict[str, list[Taken]] = {}
    for item in items:
        if item.outcome is not None:
            if item.refire:
                people.give_up_unrendered(tx, item.outcome.recipe, item.seq, at)
            taken = Taken(item.seq, item.event, item.outcome, item.refire)
            by_account.setdefault(item.event.account, []).append(taken)
    for account, taken_there in by_account.items():
        Ledger(tx, gates, rules, at).write(store.account(tx, account), taken_there)


# ── summing up ────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Sum:
    """What a backfill makes: outcomes by reason, deliveries by state, and the first of them."""

    rules: "Rules"
    outcomes: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    first: list[tuple[str, str, str, str]] = field(default_factory=list)  # event, action, destination, state
    again: int = 0  # deliveries to be made of what fired before; one where lookups are still to say how many

    def add(self, item: _Item) -> None:
        """Count one event."""
        if item.outcome is None:
            self.outcomes[f"already {item.before}"] += 1
            return
        self.outcomes[item.outcome.reason] += 1
        fired_before = item.before == "fired"
        self.again += fired_before and item.outcome.waits is not None
        for one in item.outcome.planned:
            state, reason = self._gate(one)
            self.again += fired_before and one.state == State.PENDING
            self.states[state] += 1
            if len(self.first) < _SHOWN:
                self.first.append((item.event.id, one.action, one.destination, reason or state))

    def _gate(self, one: "Planned") -> tuple[State, str]:
        """The state a delivery starts with, and why."""
        if one.kind != "regulation" or one.state != State.PENDING or one.message is None:
            return one.state, one.reason
        if self.rules.mode == "dry_run":
            return State.SKIPPED, "dry_run"
        if one.message.meta.get("type") in self.rules.unattended:
            return one.state, one.reason
        return State.HELD, "approval"

    def words(self) -> str:
        """`12 fired, 30 not met; deliveries: 12 pending`; what a guard holds back is not known beforehand."""
        states = ", ".join(f"{n} {state}" for state, n in self.states.most_common())
        reasons = outcomes(dict(self.outcomes.most_common())) or "no stored event names it"
        return f"{reasons}; deliveries: {states or 'none'}"

    def as_json(self, recipe: str) -> dict[str, Json]:
        """For programs."""
        first = [dict(zip(("event", "action", "destination", "state"), one, strict=True)) for one in self.first]
        return {
            "recipe": recipe,
            "outcomes": dict(self.outcomes),
            "deliveries": dict(self.states),
            "first": first,
        }

    def tell(self, recipe: str) -> None:
        """For people."""
        say(f"{recipe} would make: {self.words()}")
        table(["event", "action", "to", Column("state", rigid=False)], self.first)
