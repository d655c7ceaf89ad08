"""Carries on the runs that wait for lookups: claims those that are due, asks, and ends them in groups.

A claim needs no row: what was being asked when the process died is simply still waiting. Answers are written when all
of a run's are there, or when it is held; ended are all that wait for nobody before them, in the same transaction.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import SystemRandom
from typing import Final

from connector.deliver.asking import (
    LONGEST_RETRY_AFTER,
    SPACING,
    Asking,
    Found,
    Later,
    Line,
    Never,
    Platform,
    Result,
    spacing,
)
from connector.deliver.ending import UNREADABLE, Ending
from connector.model import DAY, HOUR, Asked, Instant, Now
from connector.recipe.connections import choose
from connector.recipe.recipe import Recipe
from connector.settings import Connection
from connector.store import waiting
from connector.store.database import Store, Tx
from connector.store.waiting import Run

log = logging.getLogger("connector.lookups")

CLAIM: Final = 256  # runs that are asked for at once
SOME: Final = 100  # of them that are written in one transaction
PATIENCE: Final = DAY  # a run whose answers have failed to come for so long is given up …
TRIED: Final = HOUR  # … but not before this process has tried for so long


@dataclass(frozen=True, slots=True)
class Step:
    """What came of looking at a run once. run: with the answers it has now. held: why and until when, None: answered.

    never: why no answer will come.
    """

    run: Run
    held: Later | None = None
    never: str = ""
    off: bool = False  # its recipe is


@dataclass
class Lookups:
    """Asks until told to stop. kick: told the destinations that have something to send.

    redact: takes secrets out of what platforms say, since it is kept.
    """

    store: Store
    connections: Mapping[str, tuple[Connection, Line]]
    ending: Ending
    now: Now
    kick: Callable[[set[str]], None]
    redact: Callable[[str], str]
    random: Callable[[], float] = SystemRandom().random
    asking: Asking = field(init=False)
    _own: dict[int, str] = field(default_factory=dict)  # by account
    _under_way: dict[int, "asyncio.Task[None]"] = field(default_factory=dict)
    _steps: list[Step] = field(default_factory=list)
    _lanes: set[int] = field(default_factory=set)
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _recorder: "asyncio.Task[None] | None" = None
    _begun: Instant = 0
    _stopping: bool = False

    def __post_init__(self) -> None:
        platforms = {name: Platform(connection, line) for name, (connection, line) in self.connections.items()}
        self.asking = Asking(platforms, self.now, self.random, self.redact)

    def start(self) -> None:
        """Go on with whatever waited when the process before this one ended."""
        self._begun = self.now()
        with self.store.write() as tx:
            waiting.release(tx, self._begun)
            waiting.bring_back(tx, self._begun, LONGEST_RETRY_AFTER)
            self._lanes.update(waiting.answered_lanes(tx))
        self._came.set()
        self._recorder = asyncio.create_task(self._record())
        self.look()

    async def recipes_changed(self) -> None:
        """A recipe may be on again."""
        with self.store.read() as tx:
            off = waiting.any_off(tx)
        if off:
            await self.store.transact(lambda tx: waiting.release(tx, self.now()))
        self.look()

    def look(self) -> None:
        """Ask for whatever is due. Called after each commit that had runs wait, and every second."""
        if self._stopping or self._recorder is None:
            return
        self.asking.wake()
        if self.asking.recovered:
            self._came.set()
        room = CLAIM - len(self._under_way)
        if room <= 0:
            return
        with self.store.read() as tx:
            runs = waiting.due(tx, self.now(), CLAIM)
            runs = [run for run in runs if run.seq not in self._under_way][:room]
            runs.sort(key=lambda run: run.attempts)  # stable: one that fails by itself is asked for after the others
            claimed = [(run, *self._context(tx, run)) for run in runs]
        for run, recipe, own in claimed:
            self._under_way[run.seq] = asyncio.create_task(self._carry(run, recipe, own))

    def _context(self, tx: Tx, run: Run) -> tuple[Recipe | None, str]:
        """The recipe that began a run, and the name of the connection its event came from."""
        if run.account not in self._own:
            identity = self.store.identity(tx, run.account)
            names = (name for name, (each, _) in self.connections.items() if each.identity == identity)
            self._own[run.account] = next(names, "")
        return self.ending.shelf.version(tx, run.version), self._own[run.account]

    def clock_set_back(self, tx: Tx, back: int) -> None:
        """The clock went back by `back` ms: what was to be done later is no further away than it was."""
        waiting.shift(tx, self.now(), back)
        self.asking.shift(back)

    async def stop(self) -> None:
        """Ask no more; what was answered is written."""
        self._stopping = True
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        if self._recorder is not None:
            self._came.set()
            await self._recorder

    # ── one run ───────────────────────────────────────────────────────────────────────────────

    async def _carry(self, run: Run, recipe: Recipe | None, own: str) -> None:
        try:
            step = await self._step(run, recipe, own)
        except Exception as error:  # a defect of ours must neither end a run nor leave it claimed for ever
            log.exception("lookup.defect", extra={"recipe": run.recipe, "event": run.event})
            step = self._held(run, [("", Later(f"a defect of the connector: {type(error).__name__}", 0, spent=True))])
        self._steps.append(step)
        self._came.set()

    async def _step(self, run: Run, recipe: Recipe | None, own: str) -> Step:
        if recipe is None:
            return Step(run, never=UNREADABLE)
        if not self.ending.shelf.serves(run.recipe):
            return Step(run, off=True)
        questions = run.open
        asked = [self._ask(recipe, name, question, own, run.attempts) for name, question in questions.items()]
        results = dict(zip(questions, await asyncio.gather(*asked), strict=True))
        found = {name: result.value for name, result in results.items() if isinstance(result, Found)}
        run = replace(run, answers={**run.answers, **found})
        for name, result in results.items():
            if isinstance(result, Never):
                return Step(run, never=f"lookups.{name}: {result.reason}")
        waits = [(name, result) for name, result in results.items() if isinstance(result, Later)]
        return self._held(run, waits) if waits else Step(run)

    async def _ask(self, recipe: Recipe, name: str, asked: Asked, own: str, attempts: int) -> Result:
        named = next(each for each in recipe.lookups if each.name == name)
        kind, known = named.lookup.kind, {name: each.platform for name, (each, _) in self.connections.items()}
        connection = choose(named.lookup.platform, named.connection, own, known)
        if connection is None:
            reason = f"the configuration has no connection for {kind}: name it again, or write `connection:`"
            return Later(reason, self.now() + SPACING[-1], spent=False)
        return await self.asking.ask(connection, kind, asked, cache=named.cache, attempts=attempts)

    def _held(self, run: Run, waits: list[tuple[str, Later]]) -> Step:
        name, later = max(waits, key=lambda wait: wait[1].due)
        reason = f"lookups.{name}: {later.reason}"
        now = self.now()
        if run.failing is not None and now - run.failing >= PATIENCE and now - self._begun >= TRIED:
            return Step(run, never=f"{reason}; given up after 24h")
        spent = any(each.spent for _, each in waits)
        due = later.due if not spent else max(later.due, now + spacing(run.attempts + 1))
        return Step(run, Later(reason, due, spent))

    # ── recording ─────────────────────────────────────────────────────────────────────────────

    async def _record(self) -> None:
        while not self._stopping or self._steps:
            await self._came.wait()
            self._came.clear()
            await asyncio.sleep(0)
            try:
                await self._flush()
            except Exception:  # the database may be full or locked: keep the answers and try again
                log.exception("lookup.record_failed")
                if self._stopping:
                    return  # what is not written is simply asked again
                self._came.set()
                await asyncio.sleep(1)

    async def _flush(self) -> None:
        """Write what came of every look since the last time, and end the runs that can be, in one transaction."""
        steps, lanes = self._steps[:SOME], frozenset(self._lanes)
        recovered, self.asking.recovered = self.asking.recovered, False
        try:
            kicked, more = await self.store.transact(lambda tx: self._write(tx, steps, lanes, hurry=recovered))
        except BaseException:
            self.asking.recovered |= recovered
            raise
        del self._steps[: len(steps)]
        for step in steps:
            self._under_way.pop(step.run.seq, None)
        self._lanes = (self._lanes - lanes) | more
        if self._lanes or self._steps:
            self._came.set()
        self.kick(kicked)
        self.look()

    def _write(self, tx: Tx, steps: list[Step], lanes: frozenset[int], *, hurry: bool) -> tuple[set[str], set[int]]:
        """The destinations that have something to send, and the lanes in which more can be judged."""
        now = self.now()
        if hurry:
            waiting.hurry(tx, now)
        standing = waiting.by_number(tx, [step.run.seq for step in steps])
        answered, never, touched = [], [], set(lanes)
        for step in steps:
            now_there = standing.get(step.run.seq)
            if now_there is None or (now_there.event, now_there.recipe) != (step.run.event, step.run.recipe):
                continue  # a person ended it meanwhile
            run = replace(step.run, lane=now_there.lane)
            if step.never:
                never.append((run, step.never))
            elif step.off:
                waiting.hold(tx, run, due=None, reason=waiting.RECIPE_OFF, failing=None, attempts=run.attempts)
            elif step.held is not None:
                failing = now if run.failing is None else run.failing
                attempts = run.attempts + step.held.spent
                waiting.hold(tx, run, due=step.held.due, reason=step.held.reason, failing=failing, attempts=attempts)
            else:
                answered.append(run)
            if run.lane:
                touched.add(run.lane)
        return self.ending.end(tx, answered, sorted(touched), never)
