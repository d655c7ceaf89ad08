"""Runs that wait for their lookups: begun in the page's transaction, ended in that of their outcome.

Runs whose limit's keys meet share a lane and are judged in the order they came in, whoever's answers come first.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connector.model import Asked, Instant, Json, Waits
from connector.store.database import Tx, chunks
from connector.store.payload import pack, unpack
from connector.store.tables import RunAnswers, WaitingKey, WaitingRun

RECIPE_OFF: Final = "recipe_off"
NO_LANE: Final = 0  # of a run without a limit, which waits for nobody
QUICK: Final = 5  # attempts; a run that failed no more often is tried at once when its platform answers again
_BEGUN: Final = (
    *("seq", "event", "account", "recipe", "version", "refire", "at", "since", "lane", "due", "attempts", "reason"),
    "asked",
)
_READ: Final = (
    "seq, event, account, recipe, version, refire, at, since, lane, due, attempts, failing, reason, asked, answers"
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run that waits, as it stands. See tables.WaitingRun."""

    seq: int
    event: int
    account: int
    recipe: str
    version: str
    refire: int
    at: Instant
    since: Instant
    lane: int
    due: Instant | None
    attempts: int
    failing: Instant | None
    reason: str
    asked: Mapping[str, Asked | None]
    answers: Mapping[str, Json]

    @property
    def open(self) -> dict[str, Asked]:
        """The questions that have no answer yet."""
        return {name: asked for name, asked in self.asked.items() if asked is not None and name not in self.answers}

    @property
    def answered(self) -> bool:
        """Whether it only waits for its turn."""
        return self.due is None and not self.reason

    def found(self) -> dict[str, Json]:
        """What every lookup found; None: nothing, or nobody to ask about."""
        return {name: self.answers.get(name) for name in self.asked}


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that begins to wait."""

    event: int
    recipe: str
    version: str
    refire: int
    at: Instant
    waits: Waits


def begin(tx: Tx, account: int, begun: Sequence[Begun], now: Instant) -> None:
    """Have runs wait, due at once, each in the lane of those its keys meet."""
    if not begun:
        return
    alone = []
    for seq, run in enumerate(begun, tx.last(WaitingRun) + 1):
        waits = run.waits
        lane = _lane(tx, account, waits) or seq if waits.keys else NO_LANE
        facts = (seq, run.event, account, run.recipe, run.version, run.refire, run.at, now, lane, now, 0, "")
        row = (*facts, json.dumps(waits.asked))
        if lane == NO_LANE:
            alone.append(row)
            continue
        tx.insert(WaitingRun, _BEGUN, [row])
        keys = [(waits.memory, account, key, seq) for key in waits.keys]
        tx.insert(WaitingKey, ("memory", "account", "key", "run"), keys)
    tx.insert(WaitingRun, _BEGUN, alone)


def _lane(tx: Tx, account: int, waits: Waits) -> int | None:
    """The lane of the runs that hold one of these keys; several become one."""
    question = (  # whoever holds one key is in one lane: the first that is found tells it
        "SELECT w.lane FROM waiting_keys k JOIN waiting_runs w ON w.seq = k.run "
        "WHERE k.memory = ? AND k.account = ? AND k.key = ? LIMIT 1"
    )
    found = (tx.one(question, (waits.memory, account, key)) for key in waits.keys)
    lanes = sorted({row[0] for row in found if row is not None})
    for other in lanes[1:]:
        tx.run("UPDATE waiting_runs SET lane = ? WHERE lane = ?", (lanes[0], other))
    return lanes[0] if lanes else None


# ── looking ───────────────────────────────────────────────────────────────────────────────────


def due(tx: Tx, now: Instant, limit: int) -> list[Run]:
    """The runs whose time has come, the longest due first."""
    return _select(tx, "due <= ? ORDER BY due, seq LIMIT ?", (now, limit))


def front(tx: Tx, lane: int, limit: int) -> list[Run]:
    """The runs that are judged next in a lane, in their order."""
    return _select(tx, "lane = ? ORDER BY seq LIMIT ?", (lane, limit))


def answered_lanes(tx: Tx) -> list[int]:
    """The lanes that hold a run which only waits for its turn."""
    question = "SELECT DISTINCT lane FROM waiting_runs WHERE due IS NULL AND reason = '' AND lane <> 0"
    return [row[0] for row in tx.run(question)]


def any_off(tx: Tx) -> bool:
    """Whether a run waits for a recipe that was off."""
    return tx.one("SELECT 1 FROM waiting_runs WHERE due IS NULL AND reason = ? LIMIT 1", (RECIPE_OFF,)) is not None


def of_event(tx: Tx, event: int) -> list[Run]:
    """The runs of an event that still wait."""
    return _select(tx, "event = ? ORDER BY seq", (event,))


def events_of(tx: Tx, recipe: str, events: Sequence[int]) -> set[int]:
    """Those of these events of which a run of this recipe waits."""
    places = ",".join("?" * len(events))
    question = f"SELECT event FROM waiting_runs WHERE event IN ({places}) AND recipe = ?"  # noqa: S608  places only
    return {row[0] for row in tx.run(question, (*events, recipe))}


def by_number(tx: Tx, seqs: Iterable[int]) -> dict[int, Run]:
    """Those of these runs that still wait."""
    found: dict[int, Run] = {}
    for some in chunks(seqs):
        places = ",".join("?" * len(some))
        found.update((run.seq, run) for run in _select(tx, f"seq IN ({places})", some))
    return found


def _select(tx: Tx, where: str, values: Sequence[object]) -> list[Run]:
    rows = tx.run(f"SELECT {_READ} FROM waiting_runs WHERE {where}", values)  # noqa: S608  our own words
    return [_run(row) for row in rows]


def _run(row: Sequence[Any]) -> Run:
    *facts, asked, answers = row
    return Run(*[*facts, json.loads(asked), unpack(answers) if answers else {}])


@dataclass(frozen=True, slots=True)
class Sum:
    """What waits of one recipe. since: the oldest's beginning; failing: since when one of them has; reason: its."""

    recipe: str
    runs: int
    since: Instant
    failing: Instant | None
    reason: str


def summed(tx: Tx) -> list[Sum]:
    """What waits, by recipe."""
    rows = tx.rows(
        "SELECT w.recipe, count(*), min(w.since), min(w.failing), coalesce((SELECT f.reason FROM waiting_runs f WHERE "
        "f.recipe = w.recipe AND f.reason <> '' ORDER BY f.failing IS NULL, f.failing, f.seq LIMIT 1), '') "
        "FROM waiting_runs w GROUP BY w.recipe ORDER BY w.recipe"
    )
    return [Sum(*row) for row in rows]


# ── moving on ─────────────────────────────────────────────────────────────────────────────────


def answer(tx: Tx, seq: int, answers: Mapping[str, Json]) -> None:
    """All answers are there: the run only waits for its turn."""
    tx.run(
        "UPDATE waiting_runs SET due = NULL, failing = NULL, reason = '', answers = ? WHERE seq = ?",
        (pack(answers), seq),
    )


def hold(tx: Tx, run: Run, *, due: Instant | None, reason: str, failing: Instant | None, attempts: int) -> None:
    """Try again at `due`. run: with the answers that came meanwhile."""
    tx.run(
        "UPDATE waiting_runs SET due = ?, reason = ?, failing = ?, attempts = ?, answers = ? WHERE seq = ?",
        (due, reason, failing, attempts, pack(run.answers) if run.answers else None, run.seq),
    )


def end(tx: Tx, runs: Sequence[Run]) -> None:
    """They wait no longer."""
    tx.many("DELETE FROM waiting_keys WHERE run = ?", [(run.seq,) for run in runs if run.lane])
    tx.many("DELETE FROM waiting_runs WHERE seq = ?", [(run.seq,) for run in runs])


def keep_answers(tx: Tx, rows: Sequence[tuple[int, int, Mapping[str, Json]]]) -> None:
    """Keep what lookups found with their runs: (run, event, answers)."""
    tx.insert(RunAnswers, ("run", "event", "body"), [(run, event, pack(answers)) for run, event, answers in rows])


def answers_of(tx: Tx, run: int) -> dict[str, Json] | None:
    """What the lookups of a run found; None when it made none, or when they were let go."""
    row = tx.one("SELECT body FROM answers WHERE run = ?", (run,))
    return unpack(row[0]) if row and row[0] else None


def hurry(tx: Tx, now: Instant) -> None:
    """A platform answers again: what it held up is due now, but for what failed often by itself."""
    tx.run("UPDATE waiting_runs SET due = ? WHERE due > ? AND attempts <= ?", (now, now, QUICK))


def release(tx: Tx, now: Instant) -> None:
    """The recipes changed: look again at what waits for a recipe that was off."""
    tx.run("UPDATE waiting_runs SET due = ?, reason = '' WHERE due IS NULL AND reason = ?", (now, RECIPE_OFF))


def shift(tx: Tx, now: Instant, back: int) -> None:
    """The clock went back by `back` ms: what was due in the future stays as far away as it was."""
    tx.run("UPDATE waiting_runs SET due = due - ? WHERE due > ?", (back, now))


def bring_back(tx: Tx, now: Instant, longest: int) -> None:
    """Make due what lies further ahead than anything ever waits (ms): a clock that is right again set it."""
    tx.run("UPDATE waiting_runs SET due = ? WHERE due > ?", (now, now + longest))
    tx.run("UPDATE waiting_runs SET failing = ? WHERE failing > ?", (now, now))
