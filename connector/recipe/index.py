"""Which recipes an event wakes: by feed and normalised event name, so that a hundred recipes cost as much as one."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from typing import Final

from connector.recipe.recipe import Recipe

_REMEMBERED: Final = 4_096  # names a feed; they come from outside and may be endless


class Index:
    """The recipes in service, looked up per event."""

    def __init__(self, recipes: Iterable[Recipe]) -> None:
        self.recipes = tuple(sorted(recipes, key=lambda recipe: recipe.id))
        heard = [
            (recipe, {feed for named in recipe.feeds for feed in (named, *_part_of(named))}) for recipe in self.recipes
        ]
        feeds = {feed for _, feeds in heard for feed in feeds}
        self._feeds = {feed: _FeedIndex(recipe for recipe, feeds in heard if feed in feeds) for feed in feeds}

    def candidates(self, feed: str, name: str) -> Sequence[Recipe]:
        """The recipes whose trigger names this feed (`connection.feed`) and event (normalised), by id."""
        by_name = self._feeds.get(feed)
        return by_name[name] if by_name is not None else ()


def _part_of(feed: str) -> tuple[str, ...]:
    """Feeds that show a part of what this one shows: whichever sees an event first, it is this one's event, too."""
    connection, _, kind = feed.partition(".")
    return (f"{connection}.profile_events",) if kind == "events" else ()


class _FeedIndex(dict[str, tuple[Recipe, ...]]):
    """Event name → recipes; a name is worked out when it is first seen."""

    def __init__(self, recipes: Iterable[Recipe]) -> None:
        super().__init__()
        self._tests = [(recipe, name_test(recipe.triggers)) for recipe in recipes]

    def __missing__(self, name: str) -> tuple[Recipe, ...]:
        if len(self) >= _REMEMBERED:
            self.clear()
        found = self[name] = tuple(recipe for recipe, woken_by in self._tests if woken_by.fullmatch(name))
        return found


def name_test(triggers: Iterable[str]) -> re.Pattern[str]:
    """The pattern of event names that normalised triggers (`a-z0-9_*`) stand for; `*` is any run of characters.

    `translate` writes atomic groups: a long hostile name costs its length, not its length to the number of stars.
    """
    return re.compile("|".join(map(translate, triggers)))
