"""What the configuration describes, made: feeds, and the recipes beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.errors import ConfigurationError, Mistake
from connector.model import Instant

if TYPE_CHECKING:
    from connector.feeds import Feed
    from connector.recipe.recipe import Recipe
    from connector.settings import Settings
    from connector.store.database import Tx


def feeds(of: "Settings") -> "dict[str, Feed]":
    """Every feed by its name, `intilery.events`. Raises ConfigurationError."""
    from connector.feeds import feeds_of  # noqa: PLC0415

    return {feed.name: feed for connection in of.connections.values() for feed in feeds_of(connection)}


@dataclass(frozen=True, slots=True)
class Served:
    """The recipes as the daemon serves them: for a broken file its last good version.

    live_from: of each that the daemon has loaded before. broken: recipe id or file → its first mistake.
    """

    recipes: "Mapping[str, Recipe]"
    live_from: Mapping[str, Instant]
    broken: Mapping[str, Mistake]


def served(of: "Settings", tx: "Tx") -> Served:
    """Read the folder as it is now. Raises ConfigurationError for the configuration, not for a recipe."""
    from connector.recipe.load import read_folder  # noqa: PLC0415
    from connector.recipe.parse import parse  # noqa: PLC0415
    from connector.recipe.recipe import Known  # noqa: PLC0415
    from connector.store import recipes as shelf  # noqa: PLC0415

    loaded, before = read_folder(of.recipes, Known.of(of)), shelf.known(tx)
    recipes = {recipe.id: recipe for recipe in loaded.recipes}
    errors = {mistake.file: mistake for mistake in reversed(loaded.mistakes) if mistake.severity == "error"}
    broken = {}
    for each in loaded.files:
        if each.recipe is not None or each.file not in errors:
            continue
        broken[each.id or each.file] = errors[each.file]
        kept = shelf.text(tx, before[each.id].version) if each.id in before and each.id not in recipes else None
        if kept and each.id:
            try:
                recipes[each.id] = parse(kept[1], kept[0])
            except ConfigurationError:
                continue
    live_from = {id: place.live_from for id, place in before.items()}
    return Served(recipes, live_from, broken)
