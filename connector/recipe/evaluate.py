"""One event and one recipe → outcome: the decision itself, pure, the same for daemon, test, backtest and explain."""

from dataclasses import replace

from connector.model import Event, Instant, Outcome, Planned, Reason, State
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
    with the event.
    """
    moment = event.at if now is None else now
    early = _before_conditions(recipe, event, live_from)
    if early is not None:
        return recipe.stops[early]
    full = event_scope(event) if scope is None else scope
    if recipe.extras:
        full = run_scope(full, recipe, event, moment)
    condition = recipe.condition
    if condition is not None:
        verdict = condition.holds(full)
        if verdict is False:
            return recipe.stops["if"]
        if verdict is not True:
            return Outcome(recipe.id, recipe.version, "error", verdict.text, moment)
    return _limited_run(recipe, event, memory, full, moment)


def _before_conditions(recipe: Recipe, event: Event, live_from: Instant) -> Reason | None:
    """The stops that look at no field of the event."""
    if event.at < live_from or recipe.mode == "disabled":
        return "not_live"
    if event.time is not None and recipe.max_age is not None and event.time < event.at - recipe.max_age:
        return "stale"
    return "own" if event.own else None


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
