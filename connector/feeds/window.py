"""Reading a window of time completely, whatever the platform's documents leave open.

Does `from` skip hits or count pages, which clock do the times go by, are the edges in, what order have equal times,
what comes beyond 10,000 results: nothing here depends on the answers. What is too crowded is read in shorter
stretches; the shortest one in every way there is, and where that is not enough a gap is reported and reading goes on.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.errors import FeedUnavailable
from connector.feeds.crowd import Crowd
from connector.feeds.slices import LARGEST, Query, Slices, TooLarge
from connector.feeds.sweep import Clocks, Crowded, Sweep
from connector.model import Event, Gap, Instant, span_text

_LATE_LOOK: Final = 12  # pages before asking whether there are too many, when nothing suggests it
_EARLY_LOOK: Final = 2
_MOST_CROWDS: Final = 3  # with gaps, one beside the other


@dataclass(frozen=True, slots=True)
class Piece:
    """A step of reading: events; or the news that everything before `upto` has been read, but for a gap."""

    events: Sequence[Event] = ()
    upto: Instant | None = None
    gap: Gap | None = None


@dataclass(slots=True)
class Window:
    """How windows are read. passes: at most so many over one that keeps changing. shortest: milliseconds of a stretch.

    exclude: actions that are not asked for. clocks, action: what `sweep` and `crowd` need to know of an event.
    """

    slices: Slices
    clocks: Clocks
    action: Callable[[Event], str | None]
    exclude: tuple[str, ...] = ()
    passes: int = 1
    shortest: int = 1
    _given: set[str] = field(default_factory=set)  # ids of the stretch in work, once it had to be shortened
    _edges_are_in: bool | None = None
    _shuffled: bool = False  # equal times come in another order each time

    async def drain(self, start: Instant, end: Instant) -> AsyncIterator[Piece]:
        """Read from start (in) to end (out), oldest first, in stretches as long as can be read at once.

        Raises FeedError; what was drained before stays drained.
        """
        position, length, crowds = start, end - start, 0
        while position < end:
            until = min(end, position + length)
            sweep = self._sweep(position, until, look=_LATE_LOOK if length == end - start else _EARLY_LOOK)
            gap = None
            try:
                async for events in self._stretch(sweep):
                    yield Piece(events)
            except (Crowded, TooLarge):
                self._given |= sweep.seen
                self._shuffled = self._shuffled or bool(sweep.crowd)
                await self._learn_edges(sweep.times)
                if until - position > self.shortest:
                    length = self._shorter(position, until, sweep.crowd)
                    continue
                crowd = Crowd(self.slices, self._query(position, until), self.action)
                async for events in crowd.pages():
                    yield Piece(events)
                gap = None if crowd.whole else Gap(position, until, len(crowd.found), _why(until - position))
            crowds = crowds + 1 if gap else 0
            if crowds > _MOST_CROWDS:
                raise FeedUnavailable("the platform shows the same events whatever time is asked for")
            yield Piece(upto=until, gap=gap)
            position, length = until, length * 2
            self._given.clear()
            self.slices.size = LARGEST

    def _shorter(self, start: Instant, end: Instant, crowd: Iterable[Instant]) -> int:
        """How long to try instead: up to the crowd, the crowd alone, or half."""
        for at in crowd:
            if start <= at < end:
                return max(self.shortest, at - start)
        return max(self.shortest, (end - start) // 2)

    def _sweep(self, start: Instant, end: Instant, look: int) -> Sweep:
        return Sweep(self.slices, self._query(start, end), self.clocks, passes=self.passes, look_ahead=look)

    async def _stretch(self, sweep: Sweep) -> AsyncIterator[list[Event]]:
        """What one stretch has that was not handed out yet."""
        async for events in sweep.pages():
            if sweep.crowd and self._shuffled:
                raise Crowded
            fresh = [event for event in events if event.id not in self._given] if self._given else events
            if fresh:
                yield fresh

    def _query(self, start: Instant, end: Instant) -> Query:
        """The query for a stretch. Until it is known whether edges are in, a millisecond more makes that irrelevant."""
        if self._edges_are_in is None:
            return Query(start - 1, end + 1, exclude=self.exclude)
        if self._edges_are_in:
            return Query(start, end - 1, exclude=self.exclude)
        return Query(start - 1, end, exclude=self.exclude)

    async def _learn_edges(self, at: Iterable[Instant]) -> None:
        """Find out, by times that events have, whether edges are in: so that a crowd is not met again beside itself."""
        if self._edges_are_in is None and self.shortest == 1:
            for time in at:
                if await self.slices.holds(Query(time, time, exclude=self.exclude), 0):
                    self._edges_are_in = True
                    return
                self._edges_are_in = False


def _why(length: int) -> str:
    return f"more events within {span_text(length)} than the platform lets us read"
