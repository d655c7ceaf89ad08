"""One destination's lane: what it may send now, and what each answer means for it and for the delivery.

The lane keeps what the answers of one destination have in common (a row of failures, a doubtful 403, a 429); it
touches neither network nor database. A lane never waits for another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Final

from connector.deliver import policy
from connector.deliver.exchange import UNSURE
from connector.model import SECOND, Instant, State, Verdict
from connector.store.outbox import Due, Result
from connector.store.parking import Parked

REFUSED_WORDS: Final = "refused: "
DOUBTFUL_WORDS: Final = REFUSED_WORDS + "HTTP 403"


@dataclass
class Lane:
    """The standing of one destination.

    attempts: how many a delivery has. parked: why it is not called, None when open. throttled: how many 429s in a row,
    each after the pause of the one before; one delivery goes first after it. woken: when a secret changed. An attempt
    that was under way before the lane was parked, paused or woken says nothing new about it.
    """

    name: str
    attempts: int
    random: policy.Random
    parked: Parked | None = None
    failures: list[tuple[str, ...]] = field(default_factory=list)  # in a row, each with what it carried
    successes: int = 0
    throttled: int = 0
    pause_until: Instant = 0
    suspect: Due | None = None
    woken: Instant = 0

    # ── what an answer means ──────────────────────────────────────────────────────────────────

    def conclude(
        self,
        due: Due,
        verdict: Verdict,
        at: Instant,
        elapsed: int,
        status: int | None,
        others: Sequence[Due] = (),
    ) -> list[Result]:
        """The result of one attempt, and of the delivery that a doubtful 403 kept waiting, if this one decides it.

        others: what the same request carried; for the destination it is one answer, and for each of them a result.
        """
        results = self._conclude((due, *others), verdict, at, elapsed, status)
        first = results[0]
        again = verdict.outcome == "retry" and first.spent
        for other in others:
            settle = partial(replace, first, due=other, reason="")
            results.append(self._again(other, verdict, at + elapsed, settle) if again else settle())
        return results

    def _conclude(
        self, some: Sequence[Due], verdict: Verdict, at: Instant, elapsed: int, status: int | None
    ) -> list[Result]:
        due, now = some[0], at + elapsed
        settle: Callable[..., Result] = lambda **facts: Result(  # noqa: E731  one row, many endings
            due=due, at=at, elapsed=elapsed, status=status, outcome=verdict.outcome, answer=verdict.reason, **facts
        )
        if verdict.outcome in {"delivered", "dead"}:
            results = self._answered(due, at, now, success=verdict.outcome == "delivered")
            state = State.DELIVERED if verdict.outcome == "delivered" else State.DEAD
            reason = "" if state == State.DELIVERED else verdict.reason
            return [settle(spent=True, state=state, next_due=now, reason=reason), *results]
        if verdict.outcome == "throttled":
            self.throttled += at >= self.pause_until or not self.throttled
            self.failures.clear()
            self.pause_until = now + policy.throttle_delay(self.throttled, verdict.after, self.random)
            return [settle(spent=False, state=State.PENDING, next_due=self.pause_until)]
        if verdict.outcome == "refused":
            return [settle(spent=False, state=State.PENDING, next_due=self._refused(due, status, verdict, at, now))]
        if status in UNSURE:  # the destination answers, and doubts this delivery only
            results = self._answered(due, at, now, success=False)
            return [self._again(due, verdict, now, settle), *results]
        return [self._failed(some, verdict, at, now, settle)]

    def _answered(self, due: Due, at: Instant, now: Instant, *, success: bool) -> list[Result]:
        self.failures.clear()
        if at >= self.pause_until:
            self.throttled = 0
        self.successes += 1
        opens = success or not (self.parked and self.parked.reason.startswith(REFUSED_WORDS))
        if opens and not self._by_a_person():
            self.parked = None
        suspect, self.suspect = self.suspect, None
        if suspect is None or suspect.seq == due.seq:
            return []
        return [
            Result(
                due=suspect,
                at=now,
                elapsed=0,
                status=403,
                outcome="dead",
                answer="403, while another delivery was taken",
                spent=False,
                state=State.DEAD,
                next_due=now,
                reason="403: the receiver refuses this delivery, but takes others",
            )
        ]

    def _refused(self, due: Due, status: int | None, verdict: Verdict, at: Instant, now: Instant) -> Instant:
        """A 401, 403 or 410, a missing secret, a refused address: the destination is at fault, not the delivery."""
        self.successes = 0
        if at < self.woken or (self.parked and at < self.parked.probe_at):
            return now
        another = self.suspect is not None and self.suspect.seq != due.seq and now >= self.pause_until
        believed = status != 403 or another
        if self.parked or believed:
            self._park(REFUSED_WORDS + verdict.reason, now, refused=True)
            self.suspect = None
        elif self.suspect is None:
            self.suspect = due
            self.pause_until = now + policy.SECOND_OPINION
        return now + policy.SECOND_OPINION

    def _failed(
        self, some: Sequence[Due], verdict: Verdict, at: Instant, now: Instant, settle: Callable[..., Result]
    ) -> Result:
        self.successes = 0
        if self.parked:
            if at >= self.parked.probe_at:
                self._park(self.parked.reason, now, refused=False)
            return settle(spent=False, state=State.PENDING, next_due=now)
        self.failures = [*self.failures[-99:], tuple(due.id for due in some)]
        if len(self.failures) >= policy.PARK_AFTER and len(set(chain(*self.failures))) >= policy.PARK_OVER:
            self._park(verdict.reason, now, refused=False)
        return self._again(some[0], verdict, now, settle)

    def _again(self, due: Due, verdict: Verdict, now: Instant, settle: Callable[..., Result]) -> Result:
        spent = due.attempts + 1
        if spent >= self.attempts:
            reason = f"gave up after {spent} attempts: {verdict.reason}"
            return settle(spent=True, state=State.DEAD, next_due=now, reason=reason)
        delay = policy.retry_delay(spent, verdict.after, self.random)
        return settle(spent=True, state=State.PENDING, next_due=now + delay)

    def _park(self, reason: str, now: Instant, *, refused: bool) -> None:
        self.failures.clear()
        if self._by_a_person():
            return
        place = self.parked or Parked(self.name, reason, now, 0, now)
        probes = place.probes + 1 if self.parked else 0
        wait = policy.probe_delay(probes, refused=refused, doubtful=reason.startswith(DOUBTFUL_WORDS))
        self.parked = replace(place, reason=reason, probes=probes, probe_at=now + wait)

    # ── what may be sent ──────────────────────────────────────────────────────────────────────

    def may_probe(self, now: Instant) -> bool:
        """Whether a destination to which only single deliveries go is to be tried with one now."""
        if self.parked:
            return now >= self.parked.probe_at and not self._by_a_person()
        return self.one_at_a_time() and now >= self.pause_until

    def one_at_a_time(self) -> bool:
        """Whether only single deliveries go out: parked, a 403 in doubt, or a 429 that no other answer followed yet."""
        return self.in_doubt() or self.throttled > 0

    def in_doubt(self) -> bool:
        """Whether what is sent next is to tell about the destination, due or not: parked, or a 403 in doubt."""
        return self.parked is not None or self.suspect is not None

    def alone(self, now: Instant) -> None:
        """No other delivery is there to give a second opinion: the 403 is taken as the destination's."""
        self._park(DOUBTFUL_WORDS, now, refused=True)
        self.suspect = None

    def steady(self) -> bool:
        """Whether the destination has just answered so many in a row that retries need not wait; asked once a row."""
        if self.successes < policy.STEADY:
            return False
        self.successes = 0
        return True

    def wake(self, now: Instant) -> None:
        """The configuration or a secret changed, or a person said so: try at once."""
        if self.parked and not self._by_a_person():
            self.parked = replace(self.parked, probe_at=now, probes=0)
        self.pause_until = min(self.pause_until, now + SECOND)
        self.woken = now

    def shift(self, by: int) -> None:
        """The clock was set: what was planned stays as far away as it was."""
        self.pause_until += by
        self.woken += by
        if self.parked:
            self.parked = replace(self.parked, probe_at=self.parked.probe_at + by)

    def _by_a_person(self) -> bool:
        """Whether a person parked it: then only a person opens it."""
        return self.parked is not None and bool(self.parked.by)
