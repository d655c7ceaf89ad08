"""A token bucket: `burst` at once, then `rate`; whoever waits is served in order, higher priority first."""

import asyncio
import heapq
import math
from collections.abc import Callable
from itertools import count
from typing import TypeAlias

from connector.model import SECOND, Rate

_Waiter: TypeAlias = tuple[int, int, int, asyncio.Future[None]]  # -priority, order of arrival, tokens, served


class Bucket:
    """At most `burst` at once and `rate` in the long run; None (or a count of 0) lifts the limit.

    monotonic: seconds, from any start. One bucket serves one event loop. Raises ValueError for a rate per ever.
    """

    def __init__(self, rate: Rate | None, burst: int, monotonic: Callable[[], float]) -> None:
        self._lifted = rate is None or rate.count == 0
        self._speed = math.inf  # tokens a millisecond
        if rate is not None and rate.count:
            if rate.per is None:
                raise ValueError(f"{rate} cannot pace requests; write a rate such as 100/1s")
            self._speed = rate.count / rate.per
        self._burst = float(max(burst, 1))
        self._tokens = self._burst
        self._monotonic = monotonic
        self._at = monotonic() * SECOND  # when `_tokens` was true; in the future while slowed down
        self._waiting: list[_Waiter] = []
        self._arrivals = count()
        self._alarm: asyncio.TimerHandle | None = None

    def take(self, n: int = 1) -> int:
        """Take n tokens and give 0, or take none and give the milliseconds after which to try again.

        More than the burst can be taken from a full bucket, and is paid back by waiting longer afterwards.
        Those who already wait come first.
        """
        queued = sum(waiter[2] for waiter in self._waiting if not waiter[3].done())
        delay = self._delay(n, queued)
        if not delay:
            self._tokens -= n
        return delay

    async def wait(self, n: int = 1, priority: int = 0) -> None:
        """Return once n tokens are taken. Higher priority is served first, then who came first."""
        if not self._waiting and not self.take(n):
            return
        served = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-priority, next(self._arrivals), n, served))
        self._serve()
        try:
            await served
        except asyncio.CancelledError:
            if not served.cancelled():
                self._tokens += n
            self._serve()
            raise

    def slow_down(self, milliseconds: int) -> None:
        """Give nothing for so long (the receiver answered 429), and no burst after it."""
        self._refill()
        self._tokens = min(self._tokens, 1.0)
        self._at = max(self._at, self._monotonic() * SECOND + milliseconds)

    def _refill(self) -> None:
        now = self._monotonic() * SECOND
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._speed)
            self._at = now

    def _delay(self, n: int, queued: int = 0) -> int:
        """Milliseconds until n tokens are there for one who stands behind `queued` others; 0 = now."""
        self._refill()
        pause = self._at - self._monotonic() * SECOND
        missing = 0.0 if self._lifted else min(n, self._burst) + queued - self._tokens
        if pause <= 0 and missing <= 1e-9:
            return 0
        return max(1, math.ceil(max(pause, 0) + max(missing, 0) / self._speed))

    def _serve(self) -> None:
        """Hand tokens to the first in line as far as they reach, and come back when there are more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while self._waiting:
            _, _, n, served = self._waiting[0]
            if not served.done():
                if delay := self._delay(n):
                    self._alarm = asyncio.get_running_loop().call_later(delay / SECOND, self._serve)
                    return
                self._tokens -= n
                served.set_result(None)
            heapq.heappop(self._waiting)
