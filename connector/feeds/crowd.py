"""The shortest stretch of time with more events than can be paged through in order: everything else that can be tried.

Its hits share one time, so their order may differ at each request and no request can be joined to the one before. They
are counted and read until as many ids are known as there are hits; where there are more than can be paged through,
from the other end too, and action by action.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from connector.feeds.slices import MOST, Query, Slices, Tally, TooLarge
from connector.model import Event

_PASSES: Final = 12  # over a list that is shuffled at each request, each brings 63 % of what is missing
_MOST_ACTIONS: Final = 20
_MOST_UNREADABLE: Final = 3
_MOST_REPEATED: Final = 5  # pages of a pass that bring nothing new to it


@dataclass(slots=True)
class Crowd:
    """action: the name `include` and `exclude` know an event by. found: the ids read. whole: surely all of them."""

    slices: Slices
    query: Query
    action: Callable[[Event], str | None]
    found: set[str] = field(default_factory=set)
    whole: bool = False
    _actions: Counter[str] = field(default_factory=Counter)

    async def pages(self) -> AsyncIterator[list[Event]]:
        """The events, each once. Raises FeedError."""
        await self.slices.learn(self.query)
        async for events in self._lay(self.query):
            yield events
        if self.whole:
            return
        async for events in self._lay(replace(self.query, sort="desc")):
            yield events
        names = [name for name, _ in self._actions.most_common(_MOST_ACTIONS)]
        others = replace(self.query, exclude=(*self.query.exclude, *names))
        proven = True
        for query in (*(replace(self.query, include=name, exclude=()) for name in names), others):
            async for events in self._lay(query):
                yield events
            proven = proven and self.whole
        self.whole = proven

    async def _lay(self, query: Query) -> AsyncIterator[list[Event]]:
        """Read a query from end to end until nothing can be missing, or too little comes of it; sets `whole` for it."""
        tally = Tally()
        for _ in range(_PASSES):
            ids: set[str] = set()
            count = lost = 0
            async for position, events in self._positions(query):
                lost += not events
                count = position
                ids.update(event.id for event in events)
                fresh = self._keep(events)
                if fresh:
                    yield fresh
            self.whole = tally.complete(count, ids) and not lost and count < MOST
            if self.whole or count >= MOST or tally.idle > 1:
                return

    async def _positions(self, query: Query) -> AsyncIterator[tuple[int, list[Event]]]:
        """The pages of one pass, each with the position after it; empty for an event that no answer can hold."""
        position = unreadable = repeated = 0
        ids: set[str] = set()
        while position < MOST and repeated < _MOST_REPEATED:
            try:
                slice_ = await self.slices.at(query, position, smallest=1)
            except TooLarge:
                unreadable += 1
                if unreadable > _MOST_UNREADABLE:
                    raise
                position += 1
                yield position, []
                continue
            if slice_.end <= position:
                return
            position = slice_.end
            repeated = repeated + 1 if ids.issuperset(event.id for event in slice_.events) else 0
            ids.update(event.id for event in slice_.events)
            yield position, list(slice_.events)

    def _keep(self, events: list[Event]) -> list[Event]:
        fresh = []
        for event in events:
            if event.id not in self.found:
                self.found.add(event.id)
                fresh.append(event)
                action = self.action(event)
                if action:
                    self._actions[action] += 1
        return fresh
