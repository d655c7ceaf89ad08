"""`connector explain`: why an event fired, or did not; nothing is written."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli.options import AsJson, WrongUse
from connector.cli.output import day_and_time, emit_json, iso, say, when
from connector.cli.parts import served
from connector.cli.session import reading, settings
from connector.cli.spent import Spent, spent
from connector.engines.clock import now as clock
from connector.errors import ConfigurationError
from connector.model import Instant, Json, instant_text

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
    "not_live": "it happened before the recipe was live: only `backfill` runs it",
    "stale": "it had happened long before it came: an import of history wakes nobody (`max_age`)",
    "own": "the connector itself wrote it",
    "if": "its conditions do not hold",
    "no_key": "it lacks what the recipe counts by (`key`)",
    "waiting": "it would look up the rest, and go on with what that finds",
    "lookup": "what it looks up was not found",
    "limited": "its `limit` was reached",
    "no_action": "none of its actions applied",
}
_DISABLED: Final = "the recipe is disabled: set its `mode` to live first, then `backfill` runs it"
_NEW: Final = "the daemon has not loaded this recipe yet: it counts as live from when it does"
_CHANGED: Final = "the recipe has changed since; this is what the version of then saw"
_GONE: Final = "that version is not kept any more"
_LET_GO: Final = "what its lookups found was let go (`privacy.keep.events`)"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one recipe made of the event. stored: outcomes with their deliveries; without any, it was recomputed.

    waiting: its runs that wait for lookups. spent: who spent the limit it met. commands: what would run it after all.
    """

    recipe: str
    stored: "list[tuple[Kept, list[Line]]]"
    explanation: "Explanation | None"
    notes: tuple[str, ...] = ()
    waiting: "tuple[Run, ...]" = ()
    spent: "Spent | None" = None
    commands: tuple[str, ...] = ()


def explain(
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="Its id or the beginning of it, @FILE or - for its JSON.")
    ],
    recipe: Annotated[str | None, typer.Argument(metavar="RECIPE", help="Only this recipe, woken or not.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why an event fired or did not: each condition with the event's value and the verdict."""
    from connector.store import inbox, seen  # noqa: PLC0415

    of, at = settings("warn"), clock()
    place = "standard input" if event == "-" else event.removeprefix("@")
    with reading(of) as tx:
        written = _written(event)
        if written is not None:
            seq, (found,) = None, inbox.proved(tx, [_parsed(of, written, at, place)])
        else:
            seq, found = seen.event(tx, event)
        findings = list(_findings(served(of, tx), tx, seq, found, recipe))
    if as_json:
        emit_json({"event": _event_as_json(found), "recipes": [_as_json(finding) for finding in findings]})
        return
    say(f"{found.name} {found.id}, from {found.feed}, {when(found.at, at)}")
    if found.notes:
        say(f"odd about it: {', '.join(found.notes)}")
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
            recipe = _of_version(tx, runs[-1].version, at_work.recipes.get(id))
            yield Finding(id, [], None if recipe is None else _then(recipe, event, runs[-1].at), waiting=runs)
        else:
            yield _recomputed(tx, at_work.recipes[id], seq, event, at_work.live_from.get(id))


def _stored(tx: "Tx", outcomes: "list[Kept]", event: "Event", current: "Recipe | None") -> Finding:
    """What was decided, and what its conditions saw; a limit has been spent since, so it is not judged again."""
    from connector.store import history, waiting  # noqa: PLC0415

    last, answers = outcomes[-1], waiting.answers_of(tx, outcomes[-1].run)
    deliveries = [(kept, history.deliveries(tx, run=kept.run, limit=10_000)[::-1]) for kept in outcomes]
    recipe = _of_version(tx, last.version, current)
    if recipe is None:
        return Finding(last.recipe, deliveries, None, (_GONE,))
    notes = (_CHANGED,) if recipe is not current else ()
    if recipe.lookups and answers is None:
        notes = (*notes, _LET_GO)
    explanation = _then(recipe, event, last.at, answers)
    if last.reason != "limited":
        return Finding(last.recipe, deliveries, explanation, notes)
    by = spent(tx, recipe, event, _memory(tx, event), last.at, before=last.run)
    return Finding(last.recipe, deliveries, replace(explanation, actions=()), notes, spent=by)


def _then(recipe: "Recipe", event: "Event", now: Instant, answers: dict[str, Json] | None = None) -> "Explanation":
    """What the conditions of a recipe saw, with what its lookups found."""
    from connector.recipe.memory import DictMemory  # noqa: PLC0415
    from connector.replay import explain as replayed  # noqa: PLC0415

    return replayed(recipe, event, DictMemory(), now=now, answers=answers)


def _of_version(tx: "Tx", version: str, current: "Recipe | None") -> "Recipe | None":
    """The current recipe where it is of that version, else the version as it is kept."""
    from connector.recipe.parse import parse  # noqa: PLC0415
    from connector.store import recipes as shelf  # noqa: PLC0415

    if current is not None and current.version == version:
        return current
    kept = shelf.text(tx, version)
    try:
        return parse(kept[1], kept[0]) if kept else None
    except ConfigurationError:
        return None


def _recomputed(tx: "Tx", recipe: "Recipe", seq: int | None, event: "Event", live_from: Instant | None) -> Finding:
    from connector.replay import explain as replayed  # noqa: PLC0415

    memory = _memory(tx, event)
    explanation = replayed(recipe, event, memory, live_from=live_from or 0)
    judged = explanation.as_if or explanation.outcome
    notes: tuple[str, ...] = (_NEW,) if live_from is None and explanation.woken else ()
    if explanation.as_if is not None and live_from and event.at < live_from:
        notes = (f"the recipe is live since {day_and_time(live_from)}",)
    by = spent(tx, recipe, event, memory, event.at) if judged is not None and judged.reason == "limited" else None
    return Finding(recipe.id, [], explanation, notes, spent=by, commands=_commands(recipe, seq, event, explanation))


def _commands(recipe: "Recipe", seq: int | None, event: "Event", explanation: "Explanation") -> tuple[str, ...]:
    """What would run an event that came before the recipe was live; nothing where that would change nothing."""
    runs = explanation.as_if is not None and explanation.as_if.reason in {"fired", "waiting"}
    if not runs or seq is None:
        return ()
    return (f"connector backfill {recipe.id} --since {instant_text(event.at)}",)


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
        meaning = _DISABLED if explanation.disabled else meaning
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
    yield from finding.spent.lines(at) if finding.spent is not None else ()
    yield from (f"  to run it: {command}" for command in finding.commands)
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
    recomputed = explanation if not (finding.stored or finding.waiting) else None
    outcome, as_if = (recomputed.outcome, recomputed.as_if) if recomputed is not None else (None, None)
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
        "as_if_live": as_if and {"reason": as_if.reason, "detail": as_if.detail},
        "commands": list(finding.commands),
        "limit": finding.spent and finding.spent.as_json(),
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
        "reads": dict(trace.reads),
        "parts": [_trace_as_json(part) for part in trace.parts],
    }
