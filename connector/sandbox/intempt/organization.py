"""One organisation: its sources and collections, its people, and what is done with what comes in."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from connector.sandbox.catalog import known_person
from connector.sandbox.intempt.collections import Collection, Item, Keys, Source
from connector.sandbox.intempt.filters import read_filter
from connector.sandbox.intempt.ids import Ids
from connector.sandbox.intempt.matching import Matching
from connector.sandbox.intempt.people import Master, People
from connector.sandbox.intempt.refused import Refused
from connector.sandbox.switches import Switches
from connector.sandbox.traffic import Call

TRACKER: Final = 23525541210886144  # the documents' source, which the live traffic comes through
_PEOPLE: Final = ("profileId", "userId", "anotherUserId")
_NO_DATA: Final = frozenset({"data", "userAttributes", "accountAttributes"})


class Organization:
    """An organisation and everything in it. now: the platform's clock, milliseconds."""

    def __init__(self, name: str, switches: Switches, now: Callable[[], int]) -> None:
        self.name = name
        self.ids = Ids(now)
        self.people = People(self.ids)
        self.matching = Matching(switches, self.collection_named, self.ids.next, now)
        self.sources: dict[int, Source] = {}
        self.collections: dict[int, Collection] = {}
        self.identifiers: dict[str, str] = {}  # a primary identifier's name → its collection's
        self.purposes: dict[int, dict[str, str]] = {}  # what consent can be given to
        self.consents: list[dict[str, Any]] = []
        self.choices: list[dict[str, Any]] = []
        self.feeds: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, tuple[int, int]] = {}  # token → collection, and when it was given, milliseconds
        self.tracked: deque[dict[str, Any]] = deque(maxlen=100_000)  # entries as they came, with source and name
        self._switches = switches
        self._now = now
        self._event_ids: set[str] = set()
        self._by_name: dict[str, Collection] = {}
        self._of_events: dict[str, Collection] = {}  # what tracking made

    # ── sources and collections ───────────────────────────────────────────────────────────────

    def source(self, id: int) -> Source:
        """The source with this id, made unless `intempt_sources` says that it must be known. Raises Refused."""
        if id not in self.sources:
            if self._switches["intempt_sources"] == "known":
                raise Refused(404, f"Source {id} was not found")
            self.sources[id] = Source(id, f"source-{id}")
        return self.sources[id]

    def add_collection(self, made: Collection) -> Collection:
        """Let it be one of ours. Raises Refused where its name is taken."""
        if made.name in self._by_name:
            raise Refused(400, f"there is a collection {made.name} already")
        self.collections[made.id] = self._by_name[made.name] = made
        return made

    def remove_collection(self, id: int) -> Collection:
        """Delete a collection with its items; gives it. Raises Refused."""
        made = self.collection(id)
        del self.collections[id]
        for names in (self._by_name, self._of_events):
            if names.get(made.name) is made:
                del names[made.name]
        return made

    def collection(self, id: int) -> Collection:
        """The collection with this id. Raises Refused."""
        if id not in self.collections:
            raise Refused(404)
        return self.collections[id]

    def collection_named(self, name: str) -> Collection | None:
        """The collection of this name."""
        return self._by_name.get(name) or self._of_events.get(name)

    def define_event(self, name: str, collection: str, chosen: Any) -> None:
        """Define an event. Raises ValueError: only collections with a profile identifier can have one."""
        on = self.collection_named(collection)
        if on is not None and on.schema is not None and on.keys.profile is None:
            raise ValueError(f"collection {collection!r} has no profile identifier, so it can't be used as an event")
        self.matching.define_event(name, collection, read_filter(chosen))

    def define_segment(self, name: str, chosen: Any) -> None:
        """Define a segment; who is in it is seen at once. Raises ValueError."""
        self.matching.segments[name] = read_filter(chosen)
        for master in self.people.masters.values():
            self.matching.segment(master)

    # ── data that comes in ────────────────────────────────────────────────────────────────────

    def store(self, collection: Collection, given: Any) -> Item:
        """Put one item into a collection. Raises Refused."""
        return self.keep(collection, collection.conform(given))

    def keep(self, collection: Collection, data: dict[str, Any]) -> Item:
        """Put one item in that was found to conform."""
        at = self._now()
        item = collection.put(data, self.ids.next(), at)
        keys = collection.keys
        if keys.profile is not None and data.get(keys.profile) is not None:
            master = self.people.identified(collection.source_id, keys.profile, str(data[keys.profile]), at).master
            users = [str(data[name]) for name in keys.users if data.get(name) is not None]
            master = self.people.put_together((), users, master, at)
            master.add_attributes({name: data.get(field) for field, name in keys.attributes.items()})
            self.matching.take(master, collection, item)
        return item

    def track(self, source_id: int, name: str, entry: Mapping[str, Any], at: int) -> None:
        """Take in one tracked entry that was found valid. at: milliseconds, when it came."""
        self.tracked.append({"sourceId": source_id, "name": name, **entry})
        if self._switches["intempt_event_id"] == "once" and not self._is_first(entry.get("eventId")):
            return
        collection = self.event_collection(source_id, name)
        flat = {key: value for key, value in entry.items() if key not in _NO_DATA} | _object(entry.get("data"))
        item = collection.put(flat, self.ids.next(), at)
        master = self._tracked_by(source_id, entry, at)
        if master is not None:
            master.add_attributes(_object(entry.get("userAttributes")))
            self.matching.take(master, collection, item)

    def _is_first(self, event_id: Any) -> bool:
        known = event_id is not None and str(event_id) in self._event_ids
        self._event_ids.add(str(event_id))
        return not known

    def event_collection(self, source_id: int, name: str) -> Collection:
        """The collection of a tracked event, made when it is first seen, with an event of its name."""
        made = self._of_events.get(name)
        if made is None:
            made = Collection(self.ids.next(), source_id, name, keys=Keys(profile="profileId"), event=True)
            self.collections[made.id] = self._of_events[name] = made
            if name not in self.matching.events:
                self.matching.define_event(name, name, [])
        return made

    def is_new(self, name: str) -> bool:
        """Whether nobody has tracked an event of this name."""
        return name not in self._of_events

    def _tracked_by(self, source_id: int, entry: Mapping[str, Any], at: int) -> Master | None:
        """Whose entry it is; None where it names no person."""
        known = {name: str(entry[name]) for name in _PEOPLE if entry.get(name)}
        if not known:
            return None
        users = [value for name, value in known.items() if name != "profileId"]
        if "profileId" not in known:
            found = self.people.of_user(users[0])
            if found is not None:
                return self.people.put_together((), users, found, at)
        identifier, value = next(iter(known.items()))
        master = self.people.identified(source_id, identifier, value, at).master
        return self.people.put_together((), users, master, at)

    def observe(self, call: Call, at: int) -> None:
        """Take in a call of the live traffic, as the shop's tracker sends it here."""
        person = known_person(call.raw.get("userId"))
        if person is None:
            return
        entry = {
            "eventId": call.id,
            "timestamp": at - call.delay - call.past,
            "profileId": person.intempt_profile_id,
            "userId": person.user_id,
            "data": call.raw.get("properties", {}),
            "userAttributes": {"email": person.email, "firstName": person.first_name, "plan": person.plan},
        }
        self.track(TRACKER, call.raw["event"], entry, at)

    # ── what the sandbox does to it ───────────────────────────────────────────────────────────

    def person(
        self,
        profile_ids: Iterable[int] = (),
        *,
        master_id: int | None = None,
        users: Iterable[str] = (),
        attributes: Mapping[str, Any] | None = None,
        matches: Iterable[str] | None = None,
        segments: Iterable[str] | None = None,
    ) -> Master:
        """Set a user up as given; names of `matches` and `segments` replace those that there were.

        users: values of user identifiers.
        """
        at, ids = self._now(), list(profile_ids)
        known = [self.people.profiles[id].master for id in ids if id in self.people.profiles]
        master = self.people.master(master_id, at) if master_id else next(iter(known), None)
        master = self.people.put_together(ids, users, master or self.people.master(self.ids.next(), at), at)
        master.add_attributes(attributes or {})
        if matches is not None:
            master.matched = dict.fromkeys(matches, at)
            master.updated = at
        if segments is not None:
            kept = dict.fromkeys(segments)
            master.segmentations = {name: one for name, one in master.segmentations.items() if name in kept}
            for name in kept:
                self.matching.join(master, name)
        return master


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
