"""The recipes in service: what the folder holds now, and for every broken file its last good version.

Every save is looked at as a whole set, then swapped at once. A file that is missing is believed to be deleted only
when it is still missing at the next look: many editors save by deleting first.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from connector.errors import ConfigurationError, Mistake
from connector.model import SECOND, Instant, Now
from connector.poll import InService
from connector.recipe.index import Index
from connector.recipe.load import Loaded, read_folder, stamp
from connector.recipe.parse import parse
from connector.recipe.recipe import Known, Recipe
from connector.store import recipes as shelf
from connector.store.database import Store, Tx

log = logging.getLogger("connector.recipes")

UNNOTICED: Final = 5 * SECOND  # so long may it take to notice that the clock was set


@dataclass
class Service:
    """Holds the set in service and brings it up to date. starts: where a feed that never ran will begin, by feed."""

    store: Store
    folder: Path
    known: Known
    now: Now
    starts: Mapping[str, Instant] = field(default_factory=dict)
    current: InService = field(default_factory=lambda: InService(Index([])))
    mistakes: list[Mistake] = field(default_factory=list)
    _seen: object = None
    _missing: set[str] = field(default_factory=set)
    _versions: dict[str, Recipe | None] = field(default_factory=dict)

    def get(self) -> InService:
        """The set in service now."""
        return self.current

    def refresh(self, *, anyway: bool = False) -> bool:
        """Look at the folder; when anything changed (or anyway), check it whole and swap. True when the set changed."""
        seen = stamp(self.folder)
        if seen == self._seen and not self._missing and not anyway:
            return False
        self._swap(read_folder(self.folder, self.known))
        self._seen = seen  # not before: what failed is looked at again
        return True

    def serves(self, recipe_id: str) -> bool:
        """Whether a recipe of this id is in service and not disabled: else its waiting runs are held."""
        recipe = self.current.recipes.get(recipe_id)
        return recipe is not None and recipe.mode != "disabled"

    def version(self, tx: Tx, version: str) -> Recipe | None:
        """A recipe by the version that began some work, from the set in service or the database."""
        if version not in self._versions:
            kept = shelf.text(tx, version)
            self._versions[version] = self._parse_kept(*kept) if kept else None
        return self._versions[version]

    def _parse_kept(self, file: str, text: str) -> Recipe | None:
        """A stored version; destinations it names may be gone from the configuration since, so they aren't checked."""
        try:
            return parse(text, file, None)
        except ConfigurationError:
            log.exception("recipe.version_unreadable", extra={"file": file})
            return None

    def _swap(self, loaded: Loaded) -> None:
        now = self.now()
        serving: dict[str, Recipe] = {recipe.id: recipe for recipe in loaded.recipes}
        with self.store.write() as tx:
            before = shelf.known(tx)
            broken = self._broken(loaded, before)
            for id, (place, error) in broken.items():
                kept = self.version(tx, place.version)
                if kept is not None and id not in serving:
                    serving[id] = kept
                    shelf.put(tx, _with(place, error=error))
            live_from = {id: _passed(place.live_from, now) for id, place in before.items()}
            for recipe in loaded.recipes:
                live_from[recipe.id] = self._live_from(recipe, before.get(recipe.id), now)
                shelf.keep_version(tx, recipe.version, recipe.id, recipe.file, recipe.text, now)
                standing = shelf.Known(recipe.id, recipe.file, recipe.version, recipe.mode, live_from[recipe.id], 1, "")
                shelf.put(tx, standing)
                self._versions[recipe.version] = recipe
            self._retire(tx, before, serving)
        self.mistakes = loaded.mistakes
        self.current = InService(Index(list(serving.values())), serving, live_from)
        for mistake in loaded.mistakes:
            log.log(logging.ERROR if mistake.severity == "error" else logging.WARNING, "recipe.broken: %s", mistake)
        log.info("recipes.loaded", extra={"recipes": len(serving), "broken": len(broken)})

    def _broken(self, loaded: Loaded, before: Mapping[str, shelf.Known]) -> dict[str, tuple[shelf.Known, str]]:
        """Which known recipes a broken file stands for: by its path, else by the id it seems to have."""
        first = {mistake.file: str(mistake) for mistake in reversed(loaded.mistakes) if mistake.severity == "error"}
        by_file = {place.file: place for place in before.values() if place.present}
        found: dict[str, tuple[shelf.Known, str]] = {}
        for each in loaded.files:
            if each.recipe is None:
                for place in (by_file.get(each.file), before.get(each.id or "")):
                    if place is not None:
                        found.setdefault(place.id, (place, first.get(each.file, "broken")))
        return found

    def _live_from(self, recipe: Recipe, place: shelf.Known | None, now: Instant) -> Instant:
        if place is not None and not (place.mode == "disabled" and recipe.mode != "disabled"):
            return _passed(place.live_from, now)
        starts = [self.starts[feed] for feed in recipe.feeds if feed in self.starts]
        return min(starts, default=now) if place is None else now

    def _retire(self, tx: Tx, before: Mapping[str, shelf.Known], serving: dict[str, Recipe]) -> None:
        """Take a recipe out of service once its file was missing at two looks."""
        missing = {id for id, place in before.items() if place.present and id not in serving}
        gone = missing & self._missing if self.folder.is_dir() else set()  # a folder that went away deleted nothing
        for id in gone:
            shelf.put(tx, _with(before[id], present=0))
            log.warning("recipe.removed", extra={"recipe": id})
        for id in missing - gone:
            kept = self.version(tx, before[id].version)
            if kept is not None:
                serving[id] = kept
        self._missing = missing - gone


def _passed(live_from: Instant, now: Instant) -> Instant:
    """A moment to come was written by a clock that has been set back since."""
    return live_from if live_from <= now else now - UNNOTICED


def _with(place: shelf.Known, *, error: str | None = None, present: int | None = None) -> shelf.Known:
    return shelf.Known(
        place.id,
        place.file,
        place.version,
        place.mode,
        place.live_from,
        place.present if present is None else present,
        place.error if error is None else error,
    )
