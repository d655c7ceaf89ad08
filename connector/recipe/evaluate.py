"""One event and one recipe → outcome: the decision itself, pure, the same for daemon, test, backtest and explain."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from connector.errors import RenderError
from connector.model import Asked, Event, Instant, Json, Outcome, Planned, Reason, State, Waits
from connector.recipe.compare import Trouble
from connector.recipe.memory import Memory, standing
from connector.recipe.path import Scope
from connector.recipe.recipe import Recipe
from connector.recipe.render import deliveries, waiting
from connector.recipe.scope import Parts, run_scope
from connector.recipe.scope import scope as event_scope


def evaluate(
    recipe: Recipe,
    event: Event,
    memory: Memory,
    *,
    live_from: Instant,
    scope: Parts | None = None,
    now: Instant | None = None,
) -> Outcome:
    """What this event makes of this recipe, with the first stop of the order (design §6).

    The event met the recipe's trigger. live_from: when the recipe came into service. scope: `scope(event)`, made once
    for all recipes. now: the run's time, the event's `at` unless it waited; an outcome that stopped before a run bears
    none. `outcome.spent` is to be kept under `recipe.memory_id`, `outcome.planned` in the outbox, in one transaction
    with the event. A recipe with lookups gets no further than `waiting`: `go_on` takes it from there.
    """
    moment = event.at if now is None else now
    at, time, max_age = event.at, event.time, recipe.max_age
    if at < live_from or recipe.mode == "disabled":
        return recipe.stops["not_live"]
    if time is not None and max_age is not None and time < at - max_age:
        return recipe.stops["stale"]
    if event.own and not recipe.own:
        return recipe.stops["own"]
    full = event_scope(event) if scope is None else scope
    if recipe.extras:
        full = run_scope(full, recipe, event, moment)
    condition = recipe.condition
    if condition is not None and (verdict := condition.holds(full)) is not True:
        return _stopped(recipe, verdict, moment)
    if recipe.lookups:
        return _wait(recipe, event, memory, full, moment)
    return _limited_run(recipe, event, memory, full, moment)


def go_on(
    recipe: Recipe,
    event: Event,
    memory: Memory,
    answers: Mapping[str, Json],
    *,
    scope: Parts | None = None,
    now: Instant | None = None,
) -> Outcome:
    """What becomes of a run that waited, once its lookups are made: the rest of the order.

    answers: what each found, by name; None: nothing. As `evaluate` in all else; `outcome.answers` are kept with it.
    """
    moment = event.at if now is None else now
    for named in recipe.lookups:
        if answers[named.name] is None and not named.optional:
            return Outcome(recipe.id, recipe.version, "lookup", f"{named.name}: not found", moment, answers=answers)
    full = run_scope(event_scope(event) if scope is None else scope, recipe, event, moment, answers)
    verdict = True if recipe.late is None else recipe.late.holds(full)
    if verdict is True:
        outcome = _limited_run(recipe, event, memory, full, moment)
    else:
        outcome = _stopped(recipe, verdict, moment)
    return replace(outcome, now=moment, answers=answers)


def _stopped(recipe: Recipe, verdict: Literal[False] | Trouble, now: Instant) -> Outcome:
    """The outcome of a condition that does not hold."""
    return recipe.stops["if"] if verdict is False else Outcome(recipe.id, recipe.version, "error", verdict.text, now)


def _wait(recipe: Recipe, event: Event, memory: Memory, scope: Scope, now: Instant) -> Outcome:
    """What the lookups ask, rendered; and whose turn it will be, since later events of one key wait behind this run."""
    keys: tuple[str, ...] = ()
    if recipe.limit is not None:
        keys = recipe.limit.keys(event, scope)
        if not keys:
            return recipe.stops["no_key"]
        keys = standing(memory.recall(recipe.memory_id, event.account, keys).rows, keys).keys
    asked: dict[str, Asked | None] = {}
    for named in recipe.lookups:
        try:
            asked[named.name] = named.lookup.ask(scope, now)
        except RenderError as error:
            return Outcome(recipe.id, recipe.version, "error", f"lookups.{named.name}: {error}", now)
    return Outcome(recipe.id, recipe.version, "waiting", "", now, waits=Waits(asked, recipe.memory_id, keys))


def _limited_run(recipe: Recipe, event: Event, memory: Memory, scope: Scope, now: Instant) -> Outcome:
    limit = recipe.limit
    if limit is None:
        return _run(recipe, event, scope, now)
    keys = limit.keys(event, scope)
    if not keys:
        return recipe.stops["no_key"]
    known = standing(memory.recall(recipe.memory_id, event.account, keys).rows, keys)
    if known.limited(limit.rate, now):
        return Outcome(recipe.id, recipe.version, "limited", str(limit.rate), now, spent=known.unspent())
    outcome = _run(recipe, event, scope, now)
    return replace(outcome, spent=known.after_run(limit.rate, now) if outcome.reason == "fired" else known.unspent())


def _run(recipe: Recipe, event: Event, scope: Scope, now: Instant) -> Outcome:
    planned: list[Planned] = []
    for step in recipe.actions:
        planned += [waiting(step)] if step.needs else (made for made, _ in deliveries(step, scope, event))
    if not planned:
        return recipe.stops["no_action"]
    reason, detail = _verdict(planned)
    if recipe.mode == "shadow":
        planned = [_shadow(each) for each in planned]
    return Outcome(recipe.id, recipe.version, reason, detail, now, tuple(planned))


def _verdict(planned: list[Planned]) -> tuple[Reason, str]:
    """`fired` if one delivery is not dead, else `error`."""
    if any(each.state is not State.DEAD for each in planned):
        return "fired", ""
    return "error", planned[0].reason.removeprefix("error: ")


def _shadow(planned: Planned) -> Planned:
    """The delivery that would have been made; nothing of it is ever sent."""
    reason = planned.reason if planned.state is State.DEAD else "shadow"
    return replace(planned, state=State.SKIPPED, reason=reason)
