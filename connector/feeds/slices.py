"""A list of hits, read by position whichever way the platform counts `from`.

`from` may skip hits or count pages of `size`. Both readings give every position: with pages, a size is chosen whose
pages begin at or shortly before it. A single hit (`size` 1) stands at the same `from` under both.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from connector.errors import FeedUnavailable
from connector.model import Event, Instant

Numbering: TypeAlias = Literal["hits", "pages"]

MOST: Final = 10_000  # results that can be paged through
LARGEST: Final = 100  # results in one answer


class TooLarge(FeedUnavailable):
    """So many events at once do not fit into an answer."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: events between two instants, of one action or but for some."""

    start: Instant
    end: Instant
    sort: Literal["asc", "desc"] = "asc"
    include: str | None = None
    exclude: tuple[str, ...] = ()


Ask: TypeAlias = Callable[[Query, int, int], Awaitable[Sequence[Event]]]
"""One request: query, from, size → the events of its answer. Raises FeedError, TooLarge among them."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The hits from position `start` on; `full` when the answer held as many as were asked for."""

    start: int
    events: Sequence[Event]
    full: bool

    @property
    def end(self) -> int:
        """The position after its last hit."""
        return self.start + len(self.events)


@dataclass(slots=True)
class Slices:
    """Reads by position. numbering: what `from` counts, None until it is known; certain: nothing will change that."""

    ask: Ask
    numbering: Numbering | None = None
    certain: bool = False
    size: int = LARGEST

    async def at(self, query: Query, position: int, *, numbering: Numbering | None = None, smallest: int = 4) -> Slice:
        """The hits from `position`, or from shortly before it.

        numbering: to be believed for this once. When an answer would be too large, fewer are asked for from then on.
        Raises TooLarge where even `smallest` are too many.
        """
        while True:
            from_, size = place(numbering or self.numbering or "hits", position, self.size)
            try:
                events = await self.ask(query, from_, size)
            except TooLarge:
                if self.size <= smallest:
                    raise
                self.size = max(smallest, self.size // 2)
            else:
                pages = (numbering or self.numbering) == "pages"
                return Slice(from_ * size if pages else from_, events, full=len(events) >= size)

    def reach(self, position: int, numbering: Numbering) -> int:
        """The position after the last one that an answer with `position` in it can hold."""
        from_, size = place(numbering, position, self.size)
        return from_ * size + size if numbering == "pages" else from_ + size

    async def holds(self, query: Query, position: int, besides: Collection[str] = ()) -> bool:
        """Whether there is a hit at this position, and none of those whose ids are known."""
        try:
            return any(event.id not in besides for event in await self.ask(query, position, 1))
        except TooLarge:
            return True

    async def learn(self, query: Query) -> None:
        """Find out what `from` counts, without a look at what the hits are; needs more than a page of them."""
        if self.certain or self.size < LARGEST or not await self.holds(query, LARGEST):
            return
        skipped = await self.ask(query, LARGEST, LARGEST)
        self.numbering = "hits" if skipped else "pages"  # page 100 of 100 hits each is past all that can be read

    @property
    def beliefs(self) -> tuple[Numbering, ...]:
        """What `from` may count, the likeliest first (the vendor corrected its own documents to hits in 2023)."""
        if self.certain and self.numbering:
            return (self.numbering,)
        return ("pages", "hits") if self.numbering == "pages" else ("hits", "pages")


class Tally:
    """Whether the passes over a list have shown all of it, although it may be shuffled at each request, or shrink.

    Ids count from a pass that found no fewer hits than the one before: an id seen earlier may have been erased since,
    and would stand for one that was missed. idle: passes in a row that brought nothing to this.
    """

    def __init__(self) -> None:
        self.idle = 0
        self._count: int | None = None
        self._ids: set[str] = set()

    def complete(self, count: int, ids: Collection[str]) -> bool:
        """Add a pass: how many hits there were at its end, and the ids it showed."""
        known, before, self._count = len(self._ids), self._count, count
        if before is None or count < before:
            self._ids = set()
            return False
        self._ids.update(ids)
        self.idle = self.idle + 1 if len(self._ids) == known else 0
        return len(self._ids) >= count


def place(numbering: Numbering, position: int, most: int) -> tuple[int, int]:
    """`from` and `size` of the request that holds `position` and reaches farthest beyond it, within what can be read.

    >>> place("hits", 98, 100), place("pages", 98, 100), place("pages", 9890, 100)
    ((98, 100), (1, 98), (115, 86))
    """
    if numbering == "hits":
        return position, max(1, min(most, MOST - position))
    ends = {size: (position // size + 1) * size for size in range(1, most + 1)}
    size = max((size for size, end in ends.items() if end <= MOST), key=lambda size: (ends[size], size), default=1)
    return position // size, size
