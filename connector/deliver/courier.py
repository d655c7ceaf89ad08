"""The courier carries what is due: one small crew of workers a destination, one recorder for all."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import SystemRandom

from connector.actions import Destination
from connector.deliver import policy
from connector.deliver.exchange import UNSURE, Door, Said, exchange, portion
from connector.deliver.lane import Lane
from connector.http import Bucket
from connector.model import SECOND, Instant, Now, State
from connector.secrets import CUT
from connector.store import outbox, parking
from connector.store.database import Store, Tx
from connector.store.outbox import Due, Result

log = logging.getLogger("connector.deliver")

SEATS = 32  # deliveries of one destination under way at once
CLAIM = 256  # claimed ahead of them
LONGEST_REST = 1  # seconds for a destination's rate, before looking whether to stop
UNRECORDED = 512  # answers that may wait for the recorder before a lane claims more
LAST_RECORD = 3  # seconds it has at the end; what it can't write by then is sent again, under the same id


Settled = Callable[[Tx, list[Result]], set[str]]  # inside the recorder's transaction; destinations to look at


@dataclass
class Crew:
    """One lane at work: what is claimed, what is under way, and how many hands carry. probing: a single try."""

    lane: Lane
    destination: Destination
    bucket: Bucket
    claimed: deque[Due] = field(default_factory=deque)
    under_way: set[int] = field(default_factory=set)
    hands: int = 0
    probing: bool = False
    next_due: Instant | None = 0


@dataclass
class Courier:
    """Delivers until told to stop.

    settled: called in the recorder's transaction with what was decided (for actions that `need` others). shared: the
    rates that destinations share with others, who come first. redact: hides secrets in what a receiver said.
    monotonic: seconds, for rates. Nothing is read from the wall clock but through `now`.
    """

    store: Store
    door: Door
    destinations: Mapping[str, Destination]
    now: Now
    monotonic: Callable[[], float]
    settled: Settled = lambda _tx, _results: set()
    shared: Mapping[str, Bucket] = field(default_factory=dict)
    redact: Callable[[str], str] = str
    random: policy.Random = SystemRandom().random
    crews: dict[str, Crew] = field(default_factory=dict)
    stopping: bool = False
    _ending: bool = False
    _results: list[tuple[Crew, list[Result]]] = field(default_factory=list)
    _answers: asyncio.Event = field(default_factory=asyncio.Event)
    _hands: set[asyncio.Task[None]] = field(default_factory=set)
    _recorder: asyncio.Task[None] | None = None
    _written: dict[str, parking.Parked] = field(default_factory=dict)

    def start(self) -> None:
        """Open a lane for each destination; parked ones are tried at once, since the configuration may be new."""
        with self.store.write() as tx:
            if n := outbox.bring_back(tx, self.now(), policy.LONGEST_DELAY):
                log.warning("clock.was_ahead", extra={"deliveries": n})
            self._written = parking.parked(tx)
        for name, destination in self.destinations.items():
            attempts = policy.attempts_allowed(destination.attempts)
            lane = Lane(name, attempts, self.random, self._written.get(name))
            if lane.parked and not lane.parked.by:
                lane.wake(self.now())
            rate = destination.rate
            own = self.shared.get(name) or Bucket(rate, rate.count if rate else 0, self.monotonic)
            self.crews[name] = Crew(lane, destination, own)
        self._recorder = asyncio.create_task(self._record())

    def look(self, *, everywhere: bool = False) -> None:
        """Start whatever may go out now. Called after each commit that planned something, and every second."""
        now = self.now()
        for crew in self.crews.values():
            if everywhere or (crew.next_due is not None and crew.next_due <= now) or crew.lane.one_at_a_time():
                self._man(crew)

    def kick(self, names: set[str]) -> None:
        """These destinations have something new."""
        for name in names & self.crews.keys():
            self.crews[name].next_due = 0
            self._man(self.crews[name])

    def reread(self) -> None:
        """Another process changed the database: a person may have parked or released a destination, or retried."""
        with self.store.read() as tx:
            parked = parking.parked(tx)
        for name, crew in self.crews.items():
            if parked.get(name) != self._written.get(name):
                crew.lane.parked = parked.get(name)
        self._written = parked
        self.look(everywhere=True)

    def wake(self, names: set[str]) -> None:
        """The secrets of these destinations changed: parked ones are tried at once."""
        for name in names & self.crews.keys():
            self.crews[name].lane.wake(self.now())
        self.kick(names)

    def shift(self, by: int) -> None:
        """The clock was set by so many milliseconds, and with it when deliveries are due (`outbox.shift`)."""
        for crew in self.crews.values():
            crew.lane.shift(by)
        self.look(everywhere=True)

    def under_way(self) -> set[int]:
        """What is claimed or being sent."""
        return {seq for crew in self.crews.values() for seq in crew.under_way}

    async def stop(self, grace: float) -> None:
        """Claim nothing more; let what is under way finish within `grace` seconds, and record it."""
        self.stopping = True
        if self._hands:
            await asyncio.wait(self._hands, timeout=grace)
        for task in self._hands:
            task.cancel()
        await asyncio.gather(*self._hands, return_exceptions=True)
        self._ending = True
        self._answers.set()
        if self._recorder is not None:
            await asyncio.wait({self._recorder}, timeout=LAST_RECORD)
            self._recorder.cancel()
            await asyncio.gather(self._recorder, return_exceptions=True)

    # ── carrying ──────────────────────────────────────────────────────────────────────────────

    def _man(self, crew: Crew) -> None:
        if self.stopping:
            return
        if not crew.claimed:
            self._claim(crew)
        wanted = 1 if crew.lane.one_at_a_time() else min(SEATS, len(crew.claimed) + crew.hands)
        while crew.hands < wanted and crew.claimed:
            crew.hands += 1
            task = asyncio.create_task(self._carry(crew))
            self._hands.add(task)
            task.add_done_callback(self._hands.discard)

    def _claim(self, crew: Crew) -> None:
        lane, now = crew.lane, self.now()
        if now < lane.pause_until or len(crew.under_way) > UNRECORDED:
            return
        with self.store.read() as tx:
            if lane.one_at_a_time():
                self._claim_one(tx, crew, now)
                return
            found = outbox.due(tx, lane.name, now, CLAIM + len(crew.under_way))
            if not found:
                crew.next_due = outbox.next_due(tx, lane.name)
        crew.probing = False
        for due in found:
            if due.seq not in crew.under_way:
                crew.under_way.add(due.seq)
                crew.claimed.append(due)

    def _claim_one(self, tx: Tx, crew: Crew, now: Instant) -> None:
        lane = crew.lane
        if crew.hands or not lane.may_probe(now):
            return
        if not lane.in_doubt():
            self._claim_first(tx, crew, now)
            return
        found = [due for due in outbox.probes(tx, lane.name, SEATS) if due.seq not in crew.under_way]
        others = [due for due in found if lane.suspect is None or due.seq != lane.suspect.seq]
        if not others and found:
            lane.alone(now)
            self._results.append((crew, []))
            self._answers.set()
            return
        for due in others[:1]:
            self._probe_with(crew, due)

    def _claim_first(self, tx: Tx, crew: Crew, now: Instant) -> None:
        """After a 429: what is due first goes alone, and its answer says whether the others may follow."""
        found = outbox.due(tx, crew.lane.name, now, 1 + len(crew.under_way))
        if not found:
            crew.next_due = outbox.next_due(tx, crew.lane.name)
        for due in [due for due in found if due.seq not in crew.under_way][:1]:
            self._probe_with(crew, due)

    @staticmethod
    def _probe_with(crew: Crew, due: Due) -> None:
        crew.probing = True
        crew.under_way.add(due.seq)
        crew.claimed.append(due)

    async def _carry(self, crew: Crew) -> None:
        """One hand: carries until nothing is claimed, or the destination wants to be left alone."""
        try:
            while crew.claimed and self._goes_on(crew):
                if wait := crew.bucket.take():
                    await asyncio.sleep(min(wait / SECOND, LONGEST_REST))
                    continue
                some = portion(crew.claimed, crew.destination)
                try:
                    await self._deliver(crew, some)
                except Exception:  # a defect of ours must not leave them claimed for ever
                    log.exception("delivery.defect", extra={"destination": crew.lane.name})
                    crew.under_way.difference_update(due.seq for due in some)
                    crew.lane.pause_until = self.now() + SECOND
                    crew.next_due = 0
                if not crew.claimed and self._goes_on(crew) and not crew.probing:
                    self._claim(crew)
        finally:
            crew.hands -= 1
            if crew.claimed and not self._goes_on(crew):
                crew.under_way.difference_update(due.seq for due in crew.claimed)
                crew.claimed.clear()
                crew.next_due = 0

    def _goes_on(self, crew: Crew) -> bool:
        lane = crew.lane
        if self.stopping or self.now() < lane.pause_until:
            return False
        return crew.probing or not lane.one_at_a_time()

    async def _deliver(self, crew: Crew, some: list[Due]) -> None:
        """One attempt of each, all in one request; what is refused of several is tried again in halves."""
        at = self.now()
        late = [due for due in some if due.expires_at is not None and at >= due.expires_at]
        results = [Result(due, at, 0, None, "dead", "expired", False, State.DISCARDED, at, "expired") for due in late]
        some = [due for due in some if due not in late] if late else some
        halves: list[list[Due]] = []
        if some:
            said = await exchange(self.door, crew.destination, some, at, self.now, self._refusals)
            if len(some) > 1 and not said.of_all:
                halves = [some[: len(some) // 2], some[len(some) // 2 :]]
            else:
                results += self._concluded(crew, some, said, at)
        if results:
            self._results.append((crew, results))
            self._answers.set()
        for half in halves:
            if await self._turn(crew):
                await self._deliver(crew, half)
            else:
                crew.under_way.difference_update(due.seq for due in half)
                crew.next_due = 0

    def _concluded(self, crew: Crew, some: list[Due], said: Said, at: Instant) -> list[Result]:
        if said.verdict.outcome == "throttled" and crew.lane.name in self.shared:
            crew.bucket.slow_down(max(said.verdict.after or 0, SECOND))
        first, *others = some
        verdict = replace(said.verdict, reason=self.redact(said.verdict.reason))  # a receiver may repeat what it got
        results = crew.lane.conclude(first, verdict, at, said.elapsed, said.status, others)
        if first.awaited and said.body:
            whole = said.body.decode(errors="replace") + (CUT if said.cut else "")
            results[0] = replace(results[0], response=self.redact(whole))
        return results

    async def _turn(self, crew: Crew) -> bool:
        """Wait until the rate allows one more request. False where the destination wants to be left alone."""
        while self._goes_on(crew):
            wait = crew.bucket.take()
            if not wait:
                return True
            await asyncio.sleep(min(wait / SECOND, LONGEST_REST))
        return False

    def _refusals(self, due: Due) -> int:
        with self.store.read() as tx:
            return outbox.in_a_row(tx, due.seq, UNSURE)

    # ── recording ─────────────────────────────────────────────────────────────────────────────

    async def _record(self) -> None:
        while self._results or not self._ending:
            await self._answers.wait()
            self._answers.clear()
            await asyncio.sleep(0)
            try:
                await self._flush()
            except Exception:  # the database may be full or locked: keep the answers and try again
                log.exception("delivery.record_failed")
                self._answers.set()
                await asyncio.sleep(1)

    async def _flush(self) -> None:
        """Write every answer that waits, in one transaction."""
        waiting, self._results = self._results, []
        if not waiting:
            return
        results = [result for _, some in waiting for result in some]
        crews = {crew.lane.name: crew for crew, _ in waiting}
        try:
            hurried, written, kicked = await self.store.transact(lambda tx: self._write(tx, results, crews))
        except BaseException:
            self._results = waiting + self._results
            raise
        self._note_lanes(written)
        for crew, some in waiting:
            crew.under_way.difference_update(result.due.seq for result in some)
            for result in some:
                self._say(result)
        for name, crew in crews.items():
            soonest = min((r.next_due for r in results if r.due.destination == name), default=0)
            if crew.next_due is None or soonest < crew.next_due or name in hurried:
                crew.next_due = soonest
            self._man(crew)
        self.kick(kicked | hurried)

    def _write(
        self, tx: Tx, results: list[Result], crews: Mapping[str, Crew]
    ) -> tuple[set[str], dict[str, parking.Parked], set[str]]:
        """What `_write_lanes` gives, and the destinations that have something new to send."""
        now = self.now()
        outbox.record(tx, results, now)
        settled = [result for result in results if result.state != State.PENDING]
        return *self._write_lanes(tx, crews, now), self.settled(tx, settled)

    def _write_lanes(
        self, tx: Tx, crews: Mapping[str, Crew], now: Instant
    ) -> tuple[set[str], dict[str, parking.Parked]]:
        """Note what was parked or opened; what waited for an opened or steady destination is due now.

        Gives the destinations that were hurried, and every parked one as it is now written.
        """
        hurried, written = set(), dict(self._written)
        for name, crew in crews.items():
            place, before = crew.lane.parked, written.get(name)
            if place is not None and place != before:
                parking.park(tx, place)
                written[name] = place
            elif place is None and before is not None:
                parking.release(tx, name)
                outbox.hurry(tx, name, now)
                hurried.add(name)
                del written[name]
            elif place is None and crew.lane.steady() and outbox.hurry(tx, name, now, policy.STEADY_ATTEMPTS):
                hurried.add(name)
        return hurried, written

    def _note_lanes(self, written: dict[str, parking.Parked]) -> None:
        """What is written is known from here on; say what changed."""
        for name in written.keys() - self._written.keys():
            log.warning("destination.parked", extra={"destination": name, "reason": written[name].reason})
        for name in self._written.keys() - written.keys():
            log.info("destination.opened", extra={"destination": name})
        self._written = written

    def _say(self, result: Result) -> None:
        event = "delivery.attempted" if result.state == State.PENDING else f"delivery.{result.state}"
        level = logging.DEBUG if result.state == State.DELIVERED else logging.INFO
        if log.isEnabledFor(level):
            facts = {"delivery": result.due.id, "destination": result.due.destination, "answer": result.answer}
            log.log(level, event, extra=facts)
