"""Live traffic at a chosen rate, a stream of its own for each account from the moment somebody first asks for it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from connector.errors import ConfigurationError, Mistake
from connector.sandbox.intilery.account import Account
from connector.sandbox.times import read_rate
from connector.sandbox.traffic import Call, Traffic

_HISTORY = 100  # events that an account already has when it is first looked at
_LONGEST_HISTORY = 60_000  # milliseconds


@dataclass(slots=True)
class _Stream:
    account: Account
    traffic: Traffic
    since: float  # monotonic seconds
    emitted: int = 0


class Live:
    """What makes the traffic. seed: which traffic. watch: is shown each call, with its moment, after the account."""

    def __init__(self, seed: str, rate: str | None, watch: Callable[[Call, int], None]) -> None:
        self._seed = seed
        self._watch = watch
        self._streams: list[_Stream] = []
        self.set_rate(rate)

    def set_rate(self, rate: str | None) -> None:
        """From now on at this rate (`2/1s`); None or `off` for none. Raises ConfigurationError."""
        rate = None if rate == "off" else rate
        try:
            self._per_second = read_rate(rate) if rate else 0.0
        except ValueError as error:
            raise ConfigurationError([Mistake("--traffic", 0, 0, str(error))]) from error
        self.rate = rate
        for stream in self._streams:
            stream.since, stream.emitted = time.monotonic(), 0

    def begin(self, account: Account, now: int) -> None:
        """Let an account have traffic, and a short past."""
        traffic = Traffic("/".join((self._seed, *account.name)), now)
        self._streams.append(_Stream(account, traffic, time.monotonic()))
        if self._per_second:
            gap = 1_000 / self._per_second
            for n in range(min(_HISTORY, int(_LONGEST_HISTORY / gap)), 0, -1):
                self._happen(self._streams[-1], now - int(n * gap))

    def _happen(self, stream: _Stream, at: int) -> None:
        call = stream.traffic.next()
        stream.account.emit(call, at)
        self._watch(call, at)

    def forget(self) -> None:
        """No account has traffic any more."""
        self._streams.clear()

    def emit(self, clock_time: int) -> None:
        """Let what is due happen, received at this moment."""
        for stream in self._streams:
            due = int((time.monotonic() - stream.since) * self._per_second)
            for _ in range(due - stream.emitted):
                self._happen(stream, clock_time)
            stream.emitted = due

    def pause(self) -> float:
        """Seconds until it is worth looking again."""
        return min(0.5, max(0.01, 0.5 / self._per_second)) if self._per_second else 0.5
