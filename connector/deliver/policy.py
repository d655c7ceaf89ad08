"""How long to wait: the retry schedule, probing and throttling of design §7. Pure; randomness is handed in."""

from collections.abc import Callable
from typing import Final

from connector.model import HOUR, MINUTE, SECOND

Random = Callable[[], float]  # uniform in [0, 1)

SCHEDULE: Final = (
    *(1 * SECOND, 5 * SECOND, 20 * SECOND, 1 * MINUTE, 5 * MINUTE, 30 * MINUTE),
    *(2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)
LONGEST_RETRY_AFTER: Final = 1 * HOUR
LONGEST_DELAY: Final = SCHEDULE[-1] * 6 // 5  # with its jitter
PARK_AFTER: Final = 5  # failures in a row …
PARK_OVER: Final = 3  # … over so many deliveries
SECOND_OPINION: Final = 1 * SECOND  # a 403 is believed when another delivery gets it too, this much later
DOUBTS: Final = 6
REFUSED_PROBE: Final = 15 * MINUTE
LONGEST_PROBE: Final = 60 * SECOND
STEADY: Final = 20  # answers in a row after which a destination is well again
STEADY_ATTEMPTS: Final = 5  # retries that are then not kept waiting


def attempts_allowed(configured: int | None) -> int:
    """How many attempts a delivery has: the destination's `retry.attempts`, else the whole schedule and the first."""
    return len(SCHEDULE) + 1 if configured is None else configured


def retry_delay(spent: int, asked: int | None, random: Random) -> int:
    """Milliseconds until the next attempt after `spent` of them; never sooner than the receiver asked (clamped)."""
    base = SCHEDULE[min(spent, len(SCHEDULE)) - 1]
    jittered = int(base * (0.8 + 0.4 * random()))
    return max(jittered, min(asked or 0, LONGEST_RETRY_AFTER))


def probe_delay(probes: int, *, refused: bool, doubtful: bool = False) -> int:
    """Milliseconds until a parked destination is tried again, after so many probes.

    doubtful: a 403, which may be about what was sent: a few others are tried soon, before the long wait.
    """
    if doubtful and probes < DOUBTS:
        return SECOND << probes
    return REFUSED_PROBE if refused else min(SECOND << min(probes, 10), LONGEST_PROBE)


def throttle_delay(streak: int, asked: int | None, random: Random) -> int:
    """Milliseconds a destination is left alone after its `streak`-th 429 in a row."""
    backoff = int(min(SECOND << min(streak - 1, 10), LONGEST_PROBE) * (0.8 + 0.4 * random()))
    return max(backoff, min(asked or 0, LONGEST_RETRY_AFTER))
