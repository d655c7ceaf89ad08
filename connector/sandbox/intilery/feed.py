"""The events of one account in memory, found by time in either clock, and read a page at a time.

Built for speed: sorted lists and bisection, events encoded when they come in. A page of 100 among a million costs
less than the HTTP around it.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from connector.sandbox.intilery.events import Event

Clock = Literal["eventTime", "receivedTime"]
_TIME: dict[Clock, Callable[[Event], int]] = {
    "eventTime": lambda event: event.time,
    "receivedTime": lambda event: event.received,
}


_FEW = 50  # up to so many are cheaper put in one by one than by sorting everything again


class Index:
    """Events sorted by one clock; equal times in the order of their coming."""

    def __init__(self, time_of: Callable[[Event], int], events: Iterable[Event] = ()) -> None:
        self.time_of = time_of
        self.arrange(events)

    def add(self, event: Event) -> None:
        """Put one event in its place, which is nearly always the end."""
        time = self.time_of(event)
        place = bisect_right(self.times, time)
        self.times.insert(place, time)
        self.events.insert(place, event)

    def add_many(self, events: Iterable[Event]) -> None:
        """Put many in their places at once."""
        self.arrange([*self.events, *events])

    def arrange(self, events: Iterable[Event]) -> None:
        """Hold these events and no others."""
        self.events = sorted(events, key=self.time_of)
        self.times = [self.time_of(event) for event in self.events]


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks of the feed, its parameters already read. Instants are milliseconds, None is open.

    includes: these event actions only, None for all. skip: hits to leave out. lag: milliseconds that events may stay
    invisible after they were received. since: nothing received before.
    """

    clock: Clock = "eventTime"
    start: int | None = None
    end: int | None = None
    edges: str = "inclusive"
    includes: Collection[str] | None = None
    excludes: Collection[str] = ()
    descending: bool = True
    skip: int = 0
    size: int = 100
    ties: str = "stable"
    lag: int = 0
    since: int | None = None


@dataclass
class Feed:
    """All events of one account. `erased` keeps the eventIds of those that were deleted."""

    erased: list[str] = field(default_factory=list)
    _indexes: dict[tuple[Clock, str | None], Index] = field(default_factory=dict)
    _of: dict[str, list[Event]] = field(default_factory=dict)  # user, customer or anonymous id → their events
    _visible: int = -(2**63)  # from then on every event is visible, but for the lag

    def __post_init__(self) -> None:
        for clock, time_of in _TIME.items():
            self._indexes[clock, None] = Index(time_of)

    def add(self, event: Event) -> None:
        """Take one event in."""
        self._visible = max(self._visible, event.visible)
        for clock, time_of in _TIME.items():
            self._indexes[clock, None].add(event)
            self._indexes.setdefault((clock, event.action), Index(time_of)).add(event)
        self._remember(event)

    def add_many(self, events: list[Event]) -> None:
        """Take many in at once."""
        if len(events) < _FEW:
            for event in events:
                self.add(event)
            return
        self._visible = max([self._visible, *(event.visible for event in events)])
        actions = {event.action for event in events}
        for clock, time_of in _TIME.items():
            self._indexes[clock, None].add_many(events)
            for action in actions:
                index = self._indexes.setdefault((clock, action), Index(time_of))
                index.add_many(event for event in events if event.action == action)
        for event in events:
            self._remember(event)

    def _remember(self, event: Event) -> None:
        for person in event.people:
            self._of.setdefault(person, []).append(event)

    def all(self) -> list[Event]:
        """Every event, by receivedTime, visible or not yet."""
        return self._indexes["receivedTime", None].events

    def of(self, person: str) -> list[Event]:
        """Every event that holds this user, customer or anonymous id, as they came."""
        return self._of.get(person, [])

    def erase(self, person: str) -> int:
        """Delete every event that holds this user, customer or anonymous id; gives how many."""
        gone = self._of.pop(person, [])
        if gone:
            for other in {one for event in gone for one in event.people} - {person}:
                self._of[other] = [event for event in self._of[other] if person not in event.people]
            self.erased.extend(event.id for event in gone if event.id is not None)
            for index in self._indexes.values():
                index.arrange([event for event in index.events if person not in event.people])
        return len(gone)

    def page(self, query: Query, now: int) -> list[Event]:
        """The events that this request gets at this moment."""
        return self._cut(query, now, self._index(query))

    def page_of(self, people: Iterable[str], query: Query, now: int) -> list[Event]:
        """The same among what these people did."""
        events = {id(event): event for person in people for event in self.of(person)}
        names = query.includes
        chosen = (event for event in events.values() if names is None or event.action in names)
        return self._cut(query, now, Index(_TIME[query.clock], chosen))

    def _cut(self, query: Query, now: int, index: Index) -> list[Event]:
        times, events, low, high = _window(query, index)
        wanted = self._filter(query, now)
        if wanted is not None:
            events = [event for event in events[low:high] if wanted(event)]
            times = [_TIME[query.clock](event) for event in events]
            low, high = 0, len(events)
        return _slice(query, times, events, low, high)

    def _index(self, query: Query) -> Index:
        if query.includes is None:
            return self._indexes[query.clock, None]
        named = [self._indexes.get((query.clock, name)) for name in set(query.includes)]
        found = [index for index in named if index is not None]
        time_of = _TIME[query.clock]
        return found[0] if len(found) == 1 else Index(time_of, [event for one in found for event in one.events])

    def _filter(self, query: Query, now: int) -> Callable[[Event], bool] | None:
        """What an event of the window must still meet; None when all of them surely do."""
        if not query.excludes and query.since is None and self._visible + query.lag <= now:
            return None
        since = -(2**63) if query.since is None else query.since
        excludes, lag = query.excludes, query.lag
        return lambda event: (
            event.visible + lag * event.share <= now and event.received >= since and event.action not in excludes
        )


_Find = Callable[[list[int], int], int]
_EDGES: dict[str, tuple[_Find, _Find]] = {
    "inclusive": (bisect_left, bisect_right),
    "exclusive": (bisect_right, bisect_left),
    "half_open": (bisect_left, bisect_left),
}


def _window(query: Query, index: Index) -> tuple[list[int], list[Event], int, int]:
    """All times and events of the index, and between which places those of the request's time stand."""
    first, last = _EDGES[query.edges]
    low = 0 if query.start is None else first(index.times, query.start)
    high = len(index.times) if query.end is None else last(index.times, query.end)
    return index.times, index.events, low, high


def _slice(query: Query, times: list[int], events: list[Event], low: int, high: int) -> list[Event]:
    """The page among the hits `events[low:high]`, in the order asked for."""
    if query.descending:
        after = high - query.skip
        before = max(low, after - query.size)
    else:
        before = low + query.skip
        after = min(high, before + query.size)
    if before >= after:
        return []
    if query.ties == "stable" or (query.ties == "arrival" and not query.descending):
        page = events[before:after]
        return page[::-1] if query.descending else page
    # A tie may be cut by the page's edge: order whole ties, then cut.
    first = bisect_left(times, times[before], low, high)
    last = bisect_right(times, times[after - 1], low, high)
    ordered = list(_tied(query, zip(times[first:last], events[first:last], strict=True)))
    skipped = last - after if query.descending else before - first
    return ordered[skipped : skipped + after - before]


def _tied(query: Query, hits: Iterable[tuple[int, Event]]) -> Iterator[Event]:
    """Hits with their ties as the switch says, times in the order asked for."""
    groups = [[event for _, event in group] for _, group in groupby(hits, key=lambda hit: hit[0])]
    for group in reversed(groups) if query.descending else groups:
        if query.ties == "random":
            random.shuffle(group)
        yield from group
