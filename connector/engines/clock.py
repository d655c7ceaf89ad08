"""The wall clock, and noticing when somebody sets it.

APScheduler plans by the wall clock: set back by an hour, it would sleep for an hour. The watch compares the wall clock
with the monotonic one every second.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from connector.model import SECOND, Instant

TOLERATED: Final = 2 * SECOND


def now() -> Instant:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds that never go back."""
    return time.monotonic()


@dataclass
class Watch:
    """Tells by how many milliseconds the wall clock was moved since the last look; 0 for ordinary drift."""

    wall: Callable[[], Instant] = now
    steady: Callable[[], float] = monotonic
    _offset: float | None = None

    def moved(self) -> int:
        """Positive: set forward. Negative: set back. A machine that slept counts as set forward."""
        offset = self.wall() - self.steady() * 1000
        before, self._offset = self._offset, offset
        jump = 0 if before is None else int(offset - before)
        return jump if abs(jump) > TOLERATED else 0
