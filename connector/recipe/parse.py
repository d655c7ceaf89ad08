"""Text → Recipe: every mistake of the file at once, each with its place."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import Final

from connector import document
from connector.errors import ConfigurationError
from connector.model import Json, Rate
from connector.recipe.cases import cases
from connector.recipe.condition import condition, split
from connector.recipe.findings import Findings, Place
from connector.recipe.lookups import read_lookups
from connector.recipe.memory import KeysOf, customer_keys, path_keys
from connector.recipe.recipe import Known, Limit, Recipe
from connector.recipe.schema import LimitPart, Top, Trigger, as_written, read
from connector.recipe.scope import EXTRAS
from connector.recipe.steps import steps

_PLAIN: Final = re.compile(r"[A-Za-z]\w*(?:[ .-]\w+)*")
_ECHOES: Final = {  # kind of a feed that compares → the actions that may change what it shows
    "matches": ("intempt_track", "intempt_collection", "intempt_source"),
    "segmentations": ("intempt_track", "intempt_collection", "intempt_source"),
    "collection": ("intempt_collection", "intempt_source"),
    "profiles": ("intilery_identify",),
}
_LIMIT_HINT: Final = "or {max: 1/24h, key: properties.order_id}"


def parse(text: str, file: str, known: Known | None = None) -> Recipe:
    """Read one recipe file. file: how mistakes call it. known: None when there is no configuration to compare with.

    Raises ConfigurationError with every mistake; what is only doubtful stands in `recipe.warnings`.
    """
    return parse_document(document.read(text, file), known)


def parse_document(read: document.Document, known: Known | None = None) -> Recipe:
    """The recipe of a document that was read already; as `parse`."""
    findings = Findings(read)
    recipe = _Reader(findings, known).recipe()
    if recipe is None or findings.errors():
        raise ConfigurationError(findings.mistakes)
    return recipe


def version_of(text: str) -> str:
    """The name of a content: 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(slots=True)
class _Reader:
    findings: Findings
    known: Known | None

    def recipe(self) -> Recipe | None:
        place = Place(self.findings, ())
        data = self.findings.document.data
        if not isinstance(data, dict):
            place.mistake("a recipe is a mapping that begins with `id: ...`")
            return None
        self._tests_last(data, place)
        top = read(Top, {"tests": [], **data}, place)
        trigger = self._trigger(data["trigger"], place.at("trigger")) if "trigger" in data else None
        feeds = trigger.feed if trigger is not None else []
        self._feeds(feeds, place.at("trigger", "feed"))
        limit = self._limit(data["limit"], place.at("limit")) if "limit" in data else None
        lookups = read_lookups(data.get("lookups"), place.at("lookups"), feeds, self.known)
        if "lookups" in data:
            names = frozenset(map(str, data["lookups"] if isinstance(data["lookups"], dict) else ()))
            place = replace(place, names=place.names | {"lookups"}, lookups=names)
        held = condition(data["if"], place.at("if")) if "if" in data else None
        early, late = split(held) if held is not None else (None, None)
        actions = steps(data.get("actions"), place.at("actions"), feeds, self.known)
        if limit is None:
            self._echoes(feeds, [step.kind for step in actions], place.at("actions"))
        tests = cases(data.get("tests"), place.at("tests"), actions, feeds, [each.name for each in lookups])
        for key in ("description", "owner"):
            place.at(key).uncommented()
        if top is None or trigger is None:
            return None
        document_text = self.findings.document.text
        return Recipe(
            id=top.id,
            version=version_of(document_text),
            text=document_text,
            file=self.findings.document.file,
            feeds=tuple(trigger.feed),
            triggers=tuple(trigger.event),
            actions=actions,
            description=top.description,
            owner=top.owner,
            labels=tuple(top.labels),
            mode=top.mode,
            max_age=trigger.max_age,
            own=trigger.own,
            condition=early,
            lookups=lookups,
            late=late,
            limit=limit,
            tests=tests,
            extras=frozenset(place.reads & EXTRAS),
            warnings=tuple(sorted(self.findings.mistakes)),
        )

    def _trigger(self, data: Json, place: Place) -> Trigger | None:
        """Who writes only the event, or only the feed, is shown the line as it should be."""
        feeds = sorted(self.known.feeds) if self.known else []
        feed, event = (feeds or ["intilery.events"])[0], "Product Added"
        if isinstance(data, str) and data in feeds:
            feed = data
        elif isinstance(data, str):
            event = data if _PLAIN.fullmatch(data) else json.dumps(data, ensure_ascii=False)
        return read(Trigger, data, place, f"trigger: {{feed: {feed}, event: {event}}}")

    def _echoes(self, feeds: list[str], kinds: list[str], place: Place) -> None:
        """Feeds that compare show what we write without our mark: what it changes may wake the recipe that wrote it."""
        for n, kind in enumerate(kinds):
            shown = [feed for feed in feeds if kind in _ECHOES.get(feed.partition(".")[2], ())]
            if shown:
                message = f"what this writes may change what {shown[0]} shows, and so wake this recipe again and again"
                place.at(n).mistake(message, "give the recipe a `limit`", warning=True)

    def _tests_last(self, data: dict[str, Json], place: Place) -> None:
        """A file that was cut short lacks its end; so the end must be there."""
        if "tests" not in data:
            message = "`tests` is missing: it ends every recipe, so that a file cut short is noticed"
            self.findings.add_at_end(message, "add `tests: []` at the end")
            return
        keys = list(data)
        for late in keys[keys.index("tests") + 1 :]:
            place.at(late).mistake(
                f"{late!r} stands after `tests`", "`tests` comes last, so that a file cut short is noticed", key=True
            )

    def _feeds(self, feeds: list[str], place: Place) -> None:
        if self.known is None:
            return
        for n, feed in enumerate(feeds):
            if feed not in self.known.feeds:
                listed = ", ".join(sorted(self.known.feeds)) or "none"
                hint = document.did_you_mean(feed, self.known.feeds) or f"configured: {listed}"
                place.at(n).mistake(f"unknown feed {feed!r}", hint)

    def _limit(self, data: Json, place: Place) -> Limit | None:
        if not isinstance(data, dict):
            try:
                return Limit(Rate.parse(as_written(data)), customer_keys)
            except ValueError as error:
                place.mistake(str(error), _LIMIT_HINT)
                return None
        part = read(LimitPart, data, place)
        if part is None:
            return None
        keys = self._keys(part.key, place.at("key"))
        return Limit(part.max, keys) if keys else None

    def _keys(self, key: Json, place: Place) -> KeysOf | None:
        if key == "customer":
            return customer_keys
        written = key if isinstance(key, list) else [key]
        paths = [
            place.at(n).read_path(each) if isinstance(key, list) else place.read_path(each)
            for n, each in enumerate(written)
        ]
        sound = tuple(path for path in paths if path is not None)
        return path_keys(sound) if len(sound) == len(paths) else None
