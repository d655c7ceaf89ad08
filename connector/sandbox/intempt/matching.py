"""What comes of data: events that match, segments that are joined and left.

An event is a data item of one collection that meets a filter. What is tracked makes a collection and an event of its
own name, without a filter. A segment is made of events, user attributes and other segments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.sandbox.intempt.attributes import merged
from connector.sandbox.intempt.collections import Collection, Item
from connector.sandbox.intempt.filters import Filter, holds
from connector.sandbox.intempt.people import Master, Segmentation
from connector.sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """An event as the editor makes it. collection: the name of the one it is on."""

    name: str
    collection: str
    filter: Filter


class Matching:
    """What is defined. collection: gives one by name. new_id: makes ids. now: milliseconds."""

    def __init__(
        self,
        switches: Switches,
        collection: Callable[[str], Collection | None],
        new_id: Callable[[], int],
        now: Callable[[], int],
    ) -> None:
        self._switches = switches
        self._collection = collection
        self._new_id = new_id
        self._now = now
        self.events: dict[str, EventDefinition] = {}
        self.segments: dict[str, Filter] = {}
        self.strategies: dict[str, str] = {}
        self._on: dict[str, list[EventDefinition]] = {}  # collection → its events

    def define_event(self, name: str, collection: str, chosen: Filter) -> None:
        """Let items of a collection that meet a filter be this event, from now on."""
        old = self.events.get(name)
        if old is not None:
            self._on[old.collection].remove(old)
        self.events[name] = made = EventDefinition(name, collection, chosen)
        self._on.setdefault(collection, []).append(made)

    # ── as data comes in ──────────────────────────────────────────────────────────────────────

    def take(self, master: Master, collection: Collection, item: Item) -> None:
        """Let an item be the events that it matches, and its user join and leave segments."""
        for event in self._on.get(collection.name, ()):
            if holds(event.filter, lambda _, field: self._field(collection, item, field)):
                item.matches.append(event.name)
                self.match(master, event.name, item.updated)
        self.segment(master)

    def _field(self, collection: Collection, item: Item, path: str) -> Any:
        """A field of the item, `relation.field` of the one that a foreign key leads to."""
        first, _, rest = path.partition(".")
        value: Any = item.data
        if first in collection.keys.relations and rest:
            key, other = collection.keys.relations[first]
            related = self._collection(other)
            found = related.by_key(item.data.get(key)) if related else None
            value, path = (found.data if found else None), rest
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def match(self, master: Master, event: str, at: int) -> None:
        """Let an event match for a user, once more if it did before. at: milliseconds."""
        if self._switches["intempt_updated"] == "moves" or event not in self.matched(master):
            master.updated = max(master.updated, at)
        master.matched[event] = max(at, master.matched.get(event, at))

    def matched(self, master: Master) -> list[str]:
        """The events that a user is shown to have matched, as they came."""
        window, now = self._switches.span("intempt_window"), self._now()
        return [name for name, at in master.matched.items() if window is None or now - at <= window]

    def segment(self, master: Master) -> None:
        """Let a user join and leave the segments that are defined; those on other segments after these."""
        for _ in self.segments:
            before = dict(master.segmentations)
            for name, chosen in self.segments.items():
                inside = holds(chosen, self._subjects(master))
                if inside and name not in master.segmentations:
                    self.join(master, name)
                elif not inside:
                    master.segmentations.pop(name, None)
            if before.keys() == master.segmentations.keys():
                return

    def _subjects(self, master: Master) -> Callable[[str, str], Any]:
        events = self.matched(master)

        def value_of(kind: str, name: str) -> Any:
            if kind == "event":
                return name in events
            if kind == "segment":
                return name in master.segmentations
            return self.attributes(master).get(name)

        return value_of

    def join(self, master: Master, segment: str) -> None:
        """Let a user belong to a segment."""
        master.segmentations.setdefault(segment, Segmentation(self._new_id(), self._now()))

    def attributes(self, master: Master) -> Mapping[str, Any]:
        """A user's attributes, each as its merge strategy shows it (`recent` unless another is set)."""
        return {name: merged(values, self.strategies.get(name, "recent")) for name, values in master.attributes.items()}
