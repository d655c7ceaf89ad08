"""Where the readers of a feed stand, and what each has yet to read.

The fresh reader follows the clock. After it every moment is read again at each age of `AGES`, by a reader of its own,
since events may be shown late; what was first read at a greater age, after a stop or at the first run, is left out.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, TypeAlias

import msgspec
from pydantic import AfterValidator

from connector.errors import FeedUnavailable
from connector.model import DAY, HOUR, MINUTE, SECOND, Instant, instant, span

FRESH: Final = "fresh"
OVERLAP: Final = "overlap"
AGES: Final[Mapping[str, int]] = {
    "30s": 30 * SECOND,
    "2m": 2 * MINUTE,
    "5m": 5 * MINUTE,
    OVERLAP: 15 * MINUTE,  # the configuration's word counts
    "1h": HOUR,
    "24h": DAY,
    "7d": 7 * DAY,
}
"""The readers that read again, each with its age. Their names outlive a changed `overlap`."""

_SHORTEST_STEP: Final = 10 * SECOND
_LONGEST_STEP: Final = 10 * MINUTE
_MOST_FIRSTS: Final = 50

First: TypeAlias = tuple[Instant, Instant, Instant]
"""(start, end, at): the moments from start to end were read for the first time at this instant."""


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """at: everything before it has been read. numbering: what `from` counts, `hits` or `pages`, as far as is known.

    The fresh reader's alone: start, nothing before it is read; skew, how far the platform's clock is ahead of ours;
    firsts, the moments that were first read late; form, whether times are read as such or as days (`datetime`, `date`),
    and looked, when that was last tried out.
    """

    at: Instant
    start: Instant = 0
    skew: int = 0
    numbering: str = ""
    firsts: tuple[First, ...] = ()
    form: str = ""
    looked: Instant = 0

    def text(self) -> str:
        """The form it is kept in."""
        return msgspec.json.encode(self).decode()


_decode: Final = msgspec.json.Decoder(Cursor).decode


def read_cursor(text: str) -> Cursor:
    """A cursor from its text. Raises FeedUnavailable with what to do about it."""
    try:
        return _decode(text)
    except msgspec.MsgspecError:
        raise FeedUnavailable(f"the cursor {text!r} cannot be read: set it with `connector cursor set`") from None


def _start(text: str) -> str:
    if text == "now" or instant(text) is not None:
        return text
    try:
        span(text)
    except ValueError:
        raise ValueError("expected now, a duration such as 7d, or a time such as 2026-11-01T00:00:00Z") from None
    return text


Start: TypeAlias = Annotated[str, AfterValidator(_start)]
"""Where the first reading begins: `now`, so long ago, or a time."""


def begin(start: str, now: Instant) -> Instant:
    """The moment that a `Start` stands for, seen from now."""
    at = instant(start)
    if at is not None:
        return at
    return now if start == "now" else now - span(start)


def step(age: int) -> int:
    """Milliseconds that a reader lets gather before it reads on: less for young ages, and never very much at once."""
    return max(_SHORTEST_STEP, min(age // 12, _LONGEST_STEP))


def unread(at: Instant, until: Instant, age: int, firsts: Iterable[First]) -> tuple[Instant, Instant]:
    """The next window that a reader of this age must read, from where it stands; empty (start >= end) when none.

    firsts: sorted. A moment first read at this age or a greater one is left out.
    """
    for start, end, seen in firsts:
        old_enough = min(end, seen - age)
        if start <= at < old_enough:
            at = old_enough
        elif at < start < old_enough:
            return at, min(until, start)
    return at, until


def with_first(firsts: tuple[First, ...], new: First, positions: Mapping[int, Instant]) -> tuple[First, ...]:
    """Remember moments that were first read at the least age or later, and forget those that no reader will meet.

    positions: where the reader of each age stands.
    """
    start, end, seen = new
    if end > start and seen - start >= min(positions):
        if firsts and firsts[-1][1:] == (start, seen):
            firsts, new = firsts[:-1], (firsts[-1][0], end, seen)
        firsts = (*firsts, new)
    kept = [one for one in firsts if any(at < min(one[1], one[2] - age) for age, at in positions.items())]
    return tuple(kept[-_MOST_FIRSTS:])
