"""What paths and templates of a recipe see of an event (design §6 *Scope*)."""

from collections.abc import Mapping
from typing import Final

from connector.model import Event, Instant, Json, instant_text
from connector.recipe.memory import customer
from connector.recipe.recipe import Recipe

Parts = dict[str, Json]

EXTRAS: Final = frozenset({"recipe", "connection", "customer", "now"})  # made only for recipes that read them


def scope(event: Event) -> Parts:
    """`event`, `properties`, `context` and `traits` of an event, made once and shared by all recipes.

    traits: `rawData.traits` over `context.traits`, a null hides nothing. A part that is missing or no mapping is {}.
    """
    body = event.body
    raw = body.get("rawData")
    if type(raw) is not dict:
        raw = body
    properties = raw.get("properties")
    context = raw.get("context")
    if type(context) is not dict:
        context = {}
    return {
        "event": body,
        "properties": properties if type(properties) is dict else {},
        "context": context,
        "traits": _traits(raw.get("traits"), context.get("traits")),
    }


def _traits(own: Json, within: Json) -> Mapping[str, Json]:
    if type(within) is not dict:
        return own if type(own) is dict else {}
    if type(own) is not dict or not own:
        return within
    return {**within, **{name: value for name, value in own.items() if value is not None}}


def run_scope(
    parts: Parts, recipe: Recipe, event: Event, now: Instant, answers: Mapping[str, Json] | None = None
) -> Parts:
    """The event's scope with those of `recipe connection customer now` that this recipe reads.

    answers: what its lookups found, by name (None: nothing), once they were made.
    """
    if answers is not None:
        parts = {**parts, "lookups": {name: found for name, found in answers.items() if found is not None}}
    if not recipe.extras:
        return parts
    name = event.feed.partition(".")[0]
    platform = event.account.partition(":")[0]
    return {
        **parts,
        "recipe": {
            "id": recipe.id,
            "version": recipe.version,
            "description": recipe.description,
            "owner": recipe.owner,
            "labels": list(recipe.labels),
            "mode": recipe.mode,
        },
        "connection": {"name": name, "platform": platform, "identity": event.account},
        "customer": customer(event),
        "now": instant_text(now),
    }
