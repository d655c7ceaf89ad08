"""Ids as Intempt makes them: 64-bit, growing with time, past what a double holds exactly."""

from collections.abc import Callable
from typing import Final

_EPOCH: Final = 1_567_000_000_000  # milliseconds: ids then look like the documents' of the same day
LARGEST: Final = 2**63 - 1


class Ids:
    """Makes them. now: milliseconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._last = 0

    def next(self) -> int:
        """One that was never given before."""
        self._last = max(self._last + 1, (self._now() - _EPOCH) << 22)
        return self._last


def read_id(text: str) -> int | None:
    """The id of a text of digits, None for any other."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST else None
