"""From an action that is due to the deliveries it asks for: `for_each`, `if`, `to`, render. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from connector.errors import RenderError
from connector.model import Event, Json, Message, Planned, State
from connector.recipe.compare import Trouble, kind_of
from connector.recipe.path import Scope
from connector.recipe.recipe import Recipe, Step, Targets

MOST_ITEMS: Final = 1_000  # of a `for_each`: what an event may make one action send


def render_action(
    recipe: Recipe, action_id: str, scope: Scope, event: Event, actions: Mapping[str, Json] | None = None
) -> tuple[Planned, ...]:
    """The deliveries of one action of a run; one that can't be made is `dead`, with `error: …`.

    scope: what `scope.run_scope` gives. actions: for an action whose `needs` are met, `{id: {state, status, json}}`
    of those it needs. Raises KeyError when the recipe has no such action.
    """
    if actions is not None:
        scope = {**scope, "actions": actions}
    return tuple(planned for planned, _ in deliveries(recipe.step(action_id), scope, event))


def deliveries(step: Step, scope: Scope, event: Event) -> list[tuple[Planned, Scope]]:
    """The deliveries of one action, each with the scope it was rendered with (its `item` in it)."""
    try:
        items = _items(step, scope)
    except RenderError as error:
        return [(_dead(step, None, str(error)), scope)]
    return [(planned, within) for item, within in items for planned in _of_item(step, item, within, event)]


def waiting(step: Step) -> Planned:
    """The delivery of an action with `needs`: held until they are met, then `render_action` makes it."""
    planned = _planned(step, _only(step.targets), None, None)
    return replace(planned, state=State.HELD, reason="needs", needs=step.needs)


# ── one action ────────────────────────────────────────────────────────────────────────────────


def _items(step: Step, scope: Scope) -> list[tuple[int | None, Scope]]:
    """The scope of each item; without `for_each` the action's own. Raises RenderError."""
    if step.for_each is None:
        return [(None, scope)]
    items = step.for_each.get(scope)
    if items is None:
        return []
    if not isinstance(items, list):
        raise RenderError(f"for_each needs a list: {step.for_each.text} is {kind_of(items)}")
    if len(items) > MOST_ITEMS:
        raise RenderError(f"for_each takes at most {MOST_ITEMS} items: {step.for_each.text} has {len(items)}")
    return [(n, {**scope, "item": item}) for n, item in enumerate(items)]


def _of_item(step: Step, item: int | None, scope: Scope, event: Event) -> Iterator[Planned]:
    verdict = True if step.condition is None else step.condition.holds(scope)
    if verdict is False:
        return
    if isinstance(verdict, Trouble):
        yield _dead(step, item, verdict.text)
        return
    try:
        names = _destinations(step.targets, scope)
        message = step.action.render(scope, event)
    except RenderError as error:
        yield _dead(step, item, str(error))
        return
    for name in names:
        yield _planned(step, name, item, message)


def _destinations(targets: Targets, scope: Scope) -> tuple[str, ...]:
    if targets.by is None:
        return targets.names
    value = targets.by.get(scope)
    if isinstance(value, bool):
        value = "true" if value else "false"
    found = targets.map.get(str(value)) if isinstance(value, str | int) else None
    found = found or targets.otherwise
    if found is None:
        raise RenderError(f"`to` has no entry for what {targets.by.text} is, and no `else`")
    return found


def _planned(step: Step, destination: str, item: int | None, message: Message | None) -> Planned:
    return Planned(
        action=step.id,
        kind=step.kind,
        destination=destination,
        item=item,
        message=message,
        expires=step.expires,
        guard=step.guard,
        awaited=step.awaited,
    )


def _dead(step: Step, item: int | None, error: str) -> Planned:
    planned = _planned(step, _only(step.targets), item, None)
    return replace(planned, state=State.DEAD, reason=f"error: {error}")


def _only(targets: Targets) -> str:
    """The destination, where there is but one."""
    names = set(targets.every())
    return names.pop() if len(names) == 1 else ""
