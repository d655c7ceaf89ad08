"""One pass over the hits of a query, oldest first, that notices when the list moves under it.

Each request begins a little before the end of what is known: at the last hit that is older than the newest time seen,
so that hits of equal time, whose order may differ at each request, are read together. It must bring back a hit that is
known and older: then nothing between was missed. If it does not, hits before it have vanished (a customer was erased),
and the pass steps back until it meets known ground again.

Where a whole page shares one time there is no older hit to be met. Such a crowd is followed all the same, since the
order may well be the same each time; whether everything was seen is then a matter of counting.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeAlias

from connector.feeds.slices import LARGEST, MOST, Query, Slice, Slices, Tally
from connector.model import Event, Instant, instant

Clocks: TypeAlias = Callable[[Event], tuple[object, ...]]
"""An event's times as they stand in it: the platform sorts by one of them."""

_MOST_STEPS: Final = 4 * MOST // LARGEST
_STEPS_BACK: Final = (0, *(LARGEST << n for n in range(8)))


class Crowded(Exception):
    """No error, but a reason to look at less at once: too many hits, or in no order that can be followed."""


class Sweep:
    """Passes over one query. count: how many hits there were. times: those of the last hit read.

    crowd: the times that a page had in common, if one had.
    """

    def __init__(self, slices: Slices, query: Query, clocks: Clocks, *, passes: int, look_ahead: int) -> None:
        """passes: at most, while the list changes. look_ahead: pages before asking whether there are too many."""
        self._slices, self._query, self._clocks = slices, query, clocks
        self._passes, self._look_ahead = passes, look_ahead
        self.count = 0
        self.times: tuple[Instant, ...] = ()
        self.crowd: tuple[Instant, ...] = ()
        self._before: set[str] = set()  # in earlier passes
        self._covered: set[str] = set()  # in this pass

    @property
    def seen(self) -> set[str]:
        """The ids of all passes."""
        return self._before | self._covered

    async def pages(self) -> AsyncIterator[list[Event]]:
        """The hits, each once. Raises Crowded, TooLarge and what asking raises."""
        tally = Tally()
        for _ in range(self._passes):
            self._before, self._covered = self.seen, set()
            async for events in self._pass():
                fresh = [event for event in events if event.id not in self._before]
                if fresh:
                    yield fresh
            if self.crowd and self._passes > 1:
                if tally.complete(self.count, self._covered):
                    return
            elif len(self.seen) >= self.count or (self._covered <= self._before and not self.crowd):
                return
        if self.crowd:
            raise Crowded

    async def _pass(self) -> AsyncIterator[list[Event]]:
        slice_ = await self._slices.at(self._query, 0)
        for step in range(1, _MOST_STEPS):
            if not slice_.events:
                return
            self.count = slice_.end
            self.times = tuple(at for time in self._clocks(slice_.events[-1]) if (at := instant(time)) is not None)
            yield self._cover(slice_.events)
            # A short answer is no proof of the end.
            if not slice_.full and not await self._slices.holds(self._query, slice_.end, self._covered):
                return
            if step == self._look_ahead and await self._slices.holds(self._query, MOST - LARGEST):
                raise Crowded
            slice_ = await self._next(slice_)
        raise Crowded

    def _cover(self, events: Sequence[Event]) -> list[Event]:
        fresh = {event.id: event for event in events if event.id not in self._covered}
        self._covered.update(fresh)
        return list(fresh.values())

    async def _next(self, last: Slice) -> Slice:
        """The hits after those of `last`, and at least one of those before."""
        if last.end > MOST - LARGEST:
            raise Crowded
        same_time = self._tied(last.events)
        for numbering in self._slices.beliefs:
            tied, steps_back = same_time, _STEPS_BACK
            if self._slices.reach(last.end - len(tied) - 1, numbering) <= last.end:
                self.crowd = self.times
                tied, steps_back = frozenset(), _STEPS_BACK[:1]
            position = last.end - len(tied) - 1
            for back in steps_back:
                start = max(0, position - back)
                found = await self._slices.at(self._query, start, numbering=numbering)
                if self._joins(found, tied):
                    if start:
                        self._slices.numbering = numbering
                    return found
                if not start:
                    break
        raise Crowded

    def _tied(self, events: Sequence[Event]) -> frozenset[str]:
        """The ids at the end that share their time, by whichever clock more of them do."""
        last, longest = self._clocks(events[-1]), 0
        for clock, time in enumerate(last):
            length = 0
            while length < len(events) and self._clocks(events[-1 - length])[clock] == time:
                length += 1
            longest = max(longest, length)
        return frozenset(event.id for event in events[len(events) - longest :])

    def _joins(self, found: Slice, tied: frozenset[str]) -> bool:
        """Whether these hits go on where the known ones end, leaving none out."""
        ids = {event.id for event in found.events}
        if found.full and ids <= self._covered:
            return False  # it should have reached beyond: `from` does not count what we believed
        return bool(ids) and (found.start == 0 or not ids & self._covered <= tied)
