"""What the configuration describes, made: feeds, and the recipes beside it."""

from collections.abc import Mapping
from contextlib import suppress
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
    from connector.feeds import all_feeds  # noqa: PLC0415

    return {feed.name: feed for _, feed in all_feeds(of.connections)}


def receiver(of: "Settings", name: str) -> str:
    """What the outbox calls a receiver: a destination's own name; for `@` and a connection's name its account."""
    connection = of.connections.get(name[1:]) if name.startswith("@") else None
    return name if connection is None else f"@{connection.identity}"


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
    ids = {each.file: each.id or each.file for each in loaded.files}
    errors = [mistake for mistake in loaded.mistakes if mistake.severity == "error"]
    broken = {ids.get(mistake.file, mistake.file): mistake for mistake in reversed(errors)}
    for id in broken.keys() & before.keys() - recipes.keys():
        kept = shelf.text(tx, before[id].version)
        if kept is not None:
            with suppress(ConfigurationError):
                recipes[id] = parse(kept[1], kept[0])
    return Served(recipes, {id: place.live_from for id, place in before.items()}, broken)
