"""The token buckets that platforms count requests with."""

from collections.abc import Callable


class Buckets:
    """One bucket for each key. now: milliseconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._left: dict[str, tuple[float, int]] = {}  # key → what is left of the burst, at which moment

    def take(self, key: str, rate: int, burst: int) -> bool:
        """Whether one more request is within the limit. rate: requests a second; burst: what the bucket holds."""
        now = self._now()
        left, since = self._left.get(key, (burst, now))
        left = min(burst, left + max(0, now - since) * rate / 1_000)
        enough = left >= 1
        self._left[key] = (left - 1 if enough else left, now)
        return enough

    def left(self, key: str, burst: int) -> int:
        """How many requests it holds as of the last one."""
        return int(self._left.get(key, (burst, 0))[0])

    def reset(self) -> None:
        """Fill every bucket again."""
        self._left.clear()
