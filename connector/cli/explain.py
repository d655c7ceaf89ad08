"""`connector explain`: why an event fired, or did not; nothing is written."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli.options import AsJson, WrongUse
from connector.cli.output import emit_json, iso, say, when
from connector.cli.parts import served
from connector.cli.session import reading, settings
from connector.engines.clock import now as clock
from connector.errors import ConfigurationError
from connector.model import Instant, Json

if TYPE_CHECKING:
    from connector.cli.parts import Served
    from connector.model import Event
    from connector.recipe.memory import Memory
    from connector.recipe.recipe import Recipe
    from connector.recipe.trace import Trace
    from connector.replay import Explanation
    from connector.settings import Settings
    from connector.store.database import Tx
    from connector.store.history import Kept, Line
    from connector.store.waiting import Run

_MEANING: Final = {  # the words of design §6, for people
    "not_live": "it happened before the recipe was live, or the recipe is disabled: only `backfill` runs it",
    "stale": "it had happened long before it came: an import of history wakes nobody (`max_age`)",
    "own": "the connector itself wrote it",
    "if": "its conditions do not hold",
    "no_key": "it lacks what the recipe counts by (`key`)",
    "waiting": "it would look up the rest, and go on with what that finds",
    "lookup": "what it looks up was not found",
    "limited": "its `limit` was reached",
    "no_action": "none of its actions applied",
}
_NEW: Final = "the daemon has not loaded this recipe yet: it counts as live from when it does"
_CHANGED: Final = "the recipe has changed since; this is what the version of then saw"
_GONE: Final = "that version is not kept any more"
_LET_GO: Final = "what its lookups found was let go (`privacy.keep.events`)"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one recipe made of the event. stored: outcomes with their deliveries; without any, it was recomputed.

    waiting: its runs that wait for lookups.
    """

    recipe: str
    stored: "list[tuple[Kept, list[Line]]]"
    explanation: "Explanation | None"
    notes: tuple[str, ...] = ()
    waiting: "tuple[Run, ...]" = ()


def explain(
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="Its id or the beginning of it, @FILE or - for its JSON.")
    ],
    recipe: Annotated[str | None, typer.Argument(metavar="RECIPE", help="Only this recipe, woken or not.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why an event fired or did not: each condition with the event's value and the verdict."""
    from connector.store import history  # noqa: PLC0415

    of, at = settings("warn"), clock()
    place = "standard input" if event == "-" else event.removeprefix("@")
    with reading(of) as tx:
        written = _written(event)
        seq, found = (None, _parsed(of, written, at, place)) if written is not None else history.event(tx, event)
        findings = list(_findings(served(of, tx), tx, seq, found, recipe))
    if as_json:
        emit_json({"event": _event_as_json(found), "recipes": [_as_json(finding) for finding in findings]})
        return
    say(f"{found.name} {found.id}, from {found.feed}, {when(found.at, at)}")
    if not findings:
        say("no recipe's trigger names this event")
    for finding in findings:
        say()
        for line in _lines(finding, at):
            say(line)


# ── the event ─────────────────────────────────────────────────────────────────────────────────


def _written(event: str) -> str | None:
    """The JSON that stands for the event, None where its id does."""
    if event == "-":
        return sys.stdin.read()
    if not event.startswith("@"):
        return None
    try:
        return Path(event[1:]).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"cannot read {event[1:]}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from None


def _parsed(of: "Settings", written: str, at: Instant, place: str) -> "Event":
    """An event as the platform would show it, on the connection whose account it names, else the first."""
    from connector.platforms.intilery import to_event  # noqa: PLC0415

    try:
        body = json.loads(written)
    except ValueError as error:
        raise WrongUse(f"{place} is not the JSON of an event: {error}") from None
    if not isinstance(body, dict):
        raise WrongUse(f"{place} is not the JSON of an event: expected an object, as the platform shows it")
    connections = list(of.connections.values())
    if not connections:
        raise WrongUse(f"{of.file} has no connections")
    place = "intilery:" + "/".join(str(body.get(key)) for key in ("clientId", "accountId", "brandId"))
    chosen = next((one for one in connections if one.identity == place), connections[0])
    return to_event(body, chosen.identity, f"{chosen.name}.events", at)


# ── what the recipes made of it ───────────────────────────────────────────────────────────────


def _findings(at_work: "Served", tx: "Tx", seq: int | None, event: "Event", only: str | None) -> "Iterator[Finding]":
    from connector.document import did_you_mean  # noqa: PLC0415
    from connector.recipe.index import Index  # noqa: PLC0415
    from connector.store import history, waiting  # noqa: PLC0415

    stored: dict[str, list[Kept]] = {}
    for kept in history.outcomes(tx, seq) if seq is not None else ():
        stored.setdefault(kept.recipe, []).append(kept)
    waits = waiting.of_event(tx, seq) if seq is not None else []
    woken = [recipe.id for recipe in Index(at_work.recipes.values()).candidates(event.feed, event.name)]
    known = {*woken, *stored, *(run.recipe for run in waits)}
    if only is not None and only not in {*at_work.recipes, *known}:
        broken = f": {at_work.broken[only]}" if only in at_work.broken else ""
        hint = did_you_mean(only, at_work.recipes) or "see `connector status`"
        raise WrongUse(f"no recipe {only!r} is in service{broken or f' - {hint}'}")
    for id in [only] if only is not None else sorted(known):
        runs = tuple(run for run in waits if run.recipe == id)
        if id in stored:
            yield replace(_stored(tx, stored[id], event, at_work.recipes.get(id)), waiting=runs)
        elif runs:
            yield Finding(id, [], _then(tx, runs[-1].version, event, at_work.recipes.get(id))[0], (), runs)
        else:
            yield _recomputed(tx, at_work.recipes[id], event, at_work.live_from.get(id))


def _stored(tx: "Tx", outcomes: "list[Kept]", event: "Event", current: "Recipe | None") -> Finding:
    """What was decided, and what its conditions saw; a limit has been spent since, so it is not judged again."""
    from connector.store import history, waiting  # noqa: PLC0415

    last = outcomes[-1]
    deliveries = [(kept, history.deliveries(tx, run=kept.run, limit=10_000)[::-1]) for kept in outcomes]
    explanation, notes = _then(tx, last.version, event, current, waiting.answers_of(tx, last.run))
    return Finding(last.recipe, deliveries, explanation, notes)


def _then(
    tx: "Tx", version: str, event: "Event", current: "Recipe | None", answers: dict[str, Json] | None = None
) -> "tuple[Explanation | None, tuple[str, ...]]":
    """What the conditions of a version saw, with what its lookups found; and what is to be said about it."""
    from connector.recipe.memory import DictMemory  # noqa: PLC0415
    from connector.replay import explain as replayed  # noqa: PLC0415

    same = current is not None and current.version == version
    recipe = current if same else _version(tx, version)
    if recipe is None:
        return None, (_GONE,)
    gone = bool(recipe.lookups) and answers is None
    notes = (*(() if same else (_CHANGED,)), *((_LET_GO,) if gone else ()))
    return replayed(recipe, event, DictMemory(), answers=answers), notes


def _version(tx: "Tx", version: str) -> "Recipe | None":
    from connector.recipe.parse import parse  # noqa: PLC0415
    from connector.store import recipes as shelf  # noqa: PLC0415

    kept = shelf.text(tx, version)
    try:
        return parse(kept[1], kept[0]) if kept else None
    except ConfigurationError:
        return None


def _recomputed(tx: "Tx", recipe: "Recipe", event: "Event", live_from: Instant | None) -> Finding:
    from connector.replay import explain as replayed  # noqa: PLC0415

    explanation = replayed(recipe, event, _memory(tx, event), live_from=live_from or 0)
    return Finding(recipe.id, [], explanation, (_NEW,) if live_from is None and explanation.woken else ())


def _memory(tx: "Tx", event: "Event") -> "Memory":
    """What limits remember of this event's account."""
    from connector.poll import StoredMemory  # noqa: PLC0415
    from connector.recipe.memory import DictMemory  # noqa: PLC0415

    row = tx.one("SELECT id FROM accounts WHERE identity = ?", (event.account,))
    return StoredMemory(tx, row[0]) if row else DictMemory()


# ── for people ────────────────────────────────────────────────────────────────────────────────


def _lines(finding: Finding, at: Instant) -> Iterator[str]:
    explanation = finding.explanation
    recomputed = not finding.stored and not finding.waiting
    if recomputed and explanation is not None:
        head, *rest = explanation.lines()
        meaning = _MEANING.get(explanation.outcome.reason) if explanation.outcome else None
        yield head + (f" - {meaning}" if meaning else "")
        yield from rest
    for kept, deliveries in finding.stored:
        again = f", run again ({kept.refire})" if kept.refire else ""
        detail = f": {kept.detail}" if kept.detail else ""
        yield f"{finding.recipe}: {kept.reason}{detail}, {when(kept.at, at)}{again}"
        for line in deliveries:
            why = f" ({line.reason or line.answer})" if line.reason or line.answer else ""
            to = f" to {line.destination}" if line.destination else ""
            yield f"  {line.action}{to}: {line.state}{why}  {line.id}"
    for run in finding.waiting:
        yield f"{finding.recipe}: waiting for lookups, {when(run.since, at)}{_held(run, at)}"
    if not recomputed and explanation is not None:
        yield from explanation.reasons()
    yield from (f"  note: {note}" for note in finding.notes)


def _held(run: "Run", at: Instant) -> str:
    """Why a run waits and until when, and which of its lookups are still to be made."""
    if run.answered:
        return ": answered, behind an earlier event of its key"
    again = f"; again {when(run.due, at)}" if run.due is not None and run.attempts else ""
    return f": {run.reason or ', '.join(run.open)}{again}"


# ── for programs ──────────────────────────────────────────────────────────────────────────────


def _event_as_json(event: "Event") -> dict[str, Json]:
    return {
        "id": event.id,
        "name": event.name,
        "feed": event.feed,
        "account": event.account,
        "at": iso(event.at),
        "time": iso(event.time),
        "notes": list(event.notes),
    }


def _as_json(finding: Finding) -> dict[str, Json]:
    explanation = finding.explanation
    outcome = explanation.outcome if explanation is not None and not (finding.stored or finding.waiting) else None
    return {
        "recipe": finding.recipe,
        "version": explanation.version if explanation else None,
        "woken": bool(finding.stored or finding.waiting) or (explanation is not None and explanation.woken),
        "stored": [
            {
                "run": str(kept.run),
                "version": kept.version,
                "refire": kept.refire,
                "reason": kept.reason,
                "detail": kept.detail,
                "at": iso(kept.at),
                "deliveries": [
                    {"id": line.id, "action": line.action, "destination": line.destination, "state": line.state}
                    for line in lines
                ],
            }
            for kept, lines in finding.stored
        ],
        "waiting": [
            {
                "version": run.version,
                "refire": run.refire,
                "since": iso(run.since),
                "lookups": list(run.open),
                "reason": run.reason,
                "attempts": run.attempts,
                "next_attempt": iso(run.due),
            }
            for run in finding.waiting
        ],
        "recomputed": outcome and {"reason": outcome.reason, "detail": outcome.detail},
        "planned": [
            {"action": one.action, "destination": one.destination, "state": one.state, "reason": one.reason}
            for one in (outcome.planned if outcome else ())
        ],
        "condition": _trace_as_json(explanation.condition) if explanation and explanation.condition else None,
        "lookups": explanation.answers if explanation else None,
        "condition_on_lookups": _trace_as_json(explanation.late) if explanation and explanation.late else None,
        "actions": [
            {"action": action, "conditions": [_trace_as_json(one) for one in traces]}
            for action, traces in (explanation.actions if explanation else ())
        ],
        "notes": list(finding.notes),
    }


def _trace_as_json(trace: "Trace") -> dict[str, Json]:
    return {
        "what": trace.what,
        "operator": trace.operator,
        "expected": trace.expected,
        "value": trace.value,
        "verdict": trace.answer,
        "parts": [_trace_as_json(part) for part in trace.parts],
    }
