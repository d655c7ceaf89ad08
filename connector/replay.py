"""Replaying events without writing anything: a recipe's own tests, and why an event fired or did not."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from connector.errors import RenderError
from connector.model import (
    Asked,
    Event,
    Instant,
    Json,
    Outcome,
    Planned,
    State,
    event_name,
    instant,
    instant_text,
)
from connector.recipe.evaluate import evaluate, go_on
from connector.recipe.index import Index
from connector.recipe.memory import DictMemory, Memory
from connector.recipe.needs import needs_met
from connector.recipe.path import Scope
from connector.recipe.recipe import Recipe, Step, TestCase, TestEvent
from connector.recipe.render import deliveries
from connector.recipe.scope import run_scope, scope
from connector.recipe.trace import SHOWN, Trace, trace

START: Final[Instant] = 1_767_603_600_000  # 2026-01-05T09:00Z, a Monday: when the first event of a test happens
_INTEMPT_FEEDS: Final = frozenset({"matches", "segmentations", "collection"})
_ANSWER: Final = {"state": "delivered", "status": 200, "json": {}}  # what every attempt of a test gets


# ── a recipe's own tests ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TestResult:
    """What one entry of `tests` came to. message: expected and got, in lines; empty when it passed."""

    recipe: str
    name: str
    passed: bool
    message: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Made:
    """A delivery of a test. fields: as the recipe writes them, `to` too; of one that could not be made `error`."""

    action: str
    kind: str
    fields: Mapping[str, Json]

    @property
    def dead(self) -> bool:
        """Whether it could not be made."""
        return "error" in self.fields


@dataclass(slots=True)
class _Course:
    """A test while it runs."""

    made: list[Made] = field(default_factory=list)
    outcome: Outcome | None = None
    last: Event | None = None
    unanswered: list[str] = field(
        default_factory=list
    )  # lookups that were made and whose answer the test does not give


def run_tests(recipe: Recipe) -> list[TestResult]:
    """Run the recipe's own tests with the code of the daemon, gates open, every attempt answered 200 `{}`."""
    served = replace(recipe, mode="live")
    return [_run_test(served, case) for case in recipe.tests]


def _run_test(recipe: Recipe, case: TestCase) -> TestResult:
    course = _play(recipe, case)
    problems = _differences(case, course)
    if problems:
        problems += _reasons(recipe, course)
    return TestResult(recipe.id, case.name, not problems, "\n".join(problems), recipe.file, case.line)


def _play(recipe: Recipe, case: TestCase) -> _Course:
    course, memory, index = _Course(), DictMemory(), Index([recipe])
    at = START
    for number, written in enumerate(case.events, 1):
        at += written.after
        event = event_of(written, number, at)
        if not index.candidates(event.feed, event.name):
            continue
        parts = scope(event)
        outcome = evaluate(recipe, event, memory, live_from=0, scope=parts)
        course.outcome, course.last = outcome, event
        if outcome.waits is not None:
            answers = _answers(outcome.waits.asked, case.lookups, course)
            if course.unanswered:
                break
            course.outcome = outcome = go_on(recipe, event, memory, answers, scope=parts)
        if outcome.spent is not None:
            memory.keep(recipe.memory_id, event.account, outcome.spent)
        if outcome.planned:
            course.made += _attempts(recipe, event, run_scope(parts, recipe, event, outcome.now, outcome.answers))
    return course


def _answers(asked: Mapping[str, Asked | None], given: Mapping[str, Json], course: _Course) -> dict[str, Json]:
    """What each lookup finds in a test; there is nothing to find for one that asks about nobody."""
    course.unanswered += [name for name, question in asked.items() if question is not None and name not in given]
    return {name: None if question is None else given.get(name) for name, question in asked.items()}


def event_of(written: TestEvent, number: int, at: Instant) -> Event:
    """An event as the feed would bring it: only what is written, and an id and times of its own."""
    intempt = written.feed.partition(".")[2] in _INTEMPT_FEEDS
    raw = {"event": written.name, **written.parts, **_mapping(written.fields.get("rawData"))}
    own = {"eventId": f"test-{number}", "eventTime": instant_text(at), "receivedTime": instant_text(at)}
    place = {} if intempt else {"clientId": "acme", "accountId": "acme", "brandId": "ACME"}
    body = {**own, "eventAction": event_name(written.name), **place, **written.fields, "rawData": raw}
    return Event(
        account="intempt:acme/shop" if intempt else "intilery:acme/acme/ACME",
        feed=written.feed,
        id=str(body["eventId"]),
        name=event_name(written.name),
        at=at,
        time=instant(body["eventTime"]),
        body=body,
    )


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


# ── deliveries of a test ──────────────────────────────────────────────────────────────────────


def _attempts(recipe: Recipe, event: Event, within: Scope) -> list[Made]:
    """All deliveries of a run, attempted; those with `needs` once these are met."""
    states: dict[str, list[State]] = {}
    made = []
    for step in recipe.actions:
        states[step.id] = [State.HELD]
        if not step.needs:
            made += _attempt(step, event, within, states)
    waiting = [step for step in recipe.actions if step.needs]
    while waiting:
        step = next(step for step in waiting if needs_met(step.needs, states) is not None)  # needs have no cycle
        waiting.remove(step)
        if needs_met(step.needs, states):
            answers = {need: {**_ANSWER, "state": str(states[need][-1])} for need, _ in step.needs}
            made += _attempt(step, event, {**within, "actions": answers}, states)
        else:
            states[step.id] = [State.DISCARDED]
    return made


def _attempt(step: Step, event: Event, within: Scope, states: dict[str, list[State]]) -> list[Made]:
    planned = deliveries(step, within, event)
    states[step.id] = [State.DEAD if each.state is State.DEAD else State.DELIVERED for each, _ in planned]
    return [Made(step.id, step.kind, _fields(step, each, inner, event)) for each, inner in planned]


def _fields(step: Step, planned: Planned, within: Scope, event: Event) -> Mapping[str, Json]:
    if planned.state is State.DEAD:
        return {"error": planned.reason.removeprefix("error: ")}
    try:
        fields = step.action.preview(within, event)
    except RenderError as error:  # what renders escaped renders unescaped; if not, the test says so
        return {"error": str(error)}
    if planned.destination.startswith("@"):
        return {**fields, "connection": planned.destination[1:]}
    return {**fields, "to": planned.destination} if planned.destination else fields


# ── expected and got ──────────────────────────────────────────────────────────────────────────


def _differences(case: TestCase, course: _Course) -> list[str]:
    if course.unanswered:
        gap = ", ".join(f"{name}: {{...}}" for name in course.unanswered)
        return [f"the test does not say what is found: write lookups: {{{gap}}}, or null for nothing"]
    made = course.made
    if (case.because or "").partition(":")[0] == "error" and not any("error" in fields for _, fields in case.expect):
        made = [each for each in made if not each.dead]  # the test knows of them
    lines = []
    if len(case.expect) != len(made):
        noun = "delivery" if len(case.expect) == 1 else "deliveries"
        lines.append(f"expected {len(case.expect)} {noun}, got {len(made)}")
    for n in range(max(len(case.expect), len(made))):
        wanted = case.expect[n] if n < len(case.expect) else None
        got = made[n] if n < len(made) else None
        lines += [f"delivery {n + 1}: {difference}" for difference in _delivery(wanted, got)]
    text = outcome_text(course.outcome)
    if case.because is not None and not text.startswith(case.because):
        lines.append(f"because: expected {case.because!r}, got {text!r}")
    return lines


def _delivery(wanted: tuple[str, Mapping[str, Json]] | None, got: Made | None) -> list[str]:
    """How one delivery differs from the one that is expected at its place."""
    if got is None:
        return [f"missing, expected {_written(*wanted)}"] if wanted else []
    if wanted is None:
        return [f"not expected, got {_written(got.action, got.fields)}"]
    if wanted[0] not in {got.action, got.kind}:
        return [f"expected {_written(*wanted)}, got {_written(got.action, got.fields)}"]
    if got.dead:
        begins = str(got.fields["error"]).startswith(str(wanted[1].get("error", "\n")))
        return [] if begins else [f"{got.action}: error: {got.fields['error']}"]
    return list(_parts(got.action, wanted[1], got.fields))


def _parts(place: str, expected: Json, got: Json) -> Iterator[str]:
    """Where a value lacks what is expected of it: mappings in part, lists and texts whole; null is absent."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key, value in expected.items():
            yield from _parts(f"{place}.{key}", value, got.get(key))
    elif not same(expected, got):
        yield f"{place}: expected {_shown(expected)}, got {_shown(got)}"


def same(one: Json, other: Json) -> bool:
    """Whether two values are equal as JSON: 1 is 1.0, true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _written(name: str, fields: Mapping[str, Json]) -> str:
    return f"{name}: {_shown(dict(fields))}"


def _shown(value: Json) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:297] + "..."


def _reasons(recipe: Recipe, course: _Course) -> list[str]:
    """What became of the last event, for whoever wonders."""
    if course.last is None or course.outcome is None:
        return ["no event met the trigger"]
    lines = [f"outcome of the last event: {outcome_text(course.outcome)}"]
    condition = recipe.condition if course.outcome.answers is None else recipe.late
    if course.outcome.reason in {"if", "error"} and condition is not None:
        within = run_scope(scope(course.last), recipe, course.last, course.last.at, course.outcome.answers)
        lines += trace(condition, within).lines(1)
    return lines


def outcome_text(outcome: Outcome | None) -> str:
    """`fired`, `limited: 1/24h`, `error: not a number …`: what `because` is compared with."""
    if outcome is None:
        return "no event met the trigger"
    return f"{outcome.reason}: {outcome.detail}" if outcome.detail else outcome.reason


# ── why an event fired or did not ─────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one event makes of one recipe, and why. woken: the trigger names the event; without it all else is empty.

    as_if: of an event that came before the recipe was live, what it would make of a live one; all that follows is of
    that. disabled: that the recipe is off is why. condition: the recipe's `if`, late: what of it reads the lookups, if
    they were made. answers: what these found, by name. actions: for each action of a run, its id and the traces of its
    own `if`, one an item.
    """

    recipe: str
    version: str
    woken: bool
    outcome: Outcome | None = None
    as_if: Outcome | None = None
    disabled: bool = False
    condition: Trace | None = None
    late: Trace | None = None
    answers: Mapping[str, Json] | None = None
    actions: tuple[tuple[str, tuple[Trace, ...]], ...] = ()

    def lines(self) -> list[str]:
        """For people: the outcome, each condition with its verdict and value, each delivery."""
        if self.outcome is None:
            return [f"{self.recipe}: not woken, its trigger does not name this event"]
        lines = [f"{self.recipe}: {outcome_text(self.outcome)}"]
        lines += [f"  were it live: {outcome_text(self.as_if)}"] if self.as_if is not None else []
        lines += self.reasons()
        for planned in self.outcome.planned:
            to = f" to {planned.destination}" if planned.destination else ""
            reason = f" ({planned.reason})" if planned.reason else ""
            lines.append(f"  {planned.action}{to}: {planned.state}{reason}")
        return lines

    def reasons(self) -> list[str]:
        """Each condition with its verdict and value, and what lookups found."""
        lines = ["  if", *self.condition.lines(2)] if self.condition is not None else []
        for name, found in (self.answers or {}).items():
            lines.append(f"  lookups.{name}: {'not found' if found is None else _shown(found)}")
        lines += ["  if", *self.late.lines(2)] if self.late is not None else []
        for action, traces in self.actions:
            lines += [f"  {action} if", *(line for each in traces for line in each.lines(2))]
        return lines


def explain(
    recipe: Recipe,
    event: Event,
    memory: Memory,
    *,
    live_from: Instant = 0,
    now: Instant | None = None,
    answers: Mapping[str, Json] | None = None,
) -> Explanation:
    """Evaluate an event again, with the verdict of every condition; nothing is spent, asked or sent.

    answers: what the recipe's lookups found then; without them a run that needs some is `waiting`.
    """
    if not Index([recipe]).candidates(event.feed, event.name):
        return Explanation(recipe.id, recipe.version, woken=False)
    first = evaluate(recipe, event, memory, live_from=live_from, now=now)
    outcome = first
    disabled = recipe.mode == "disabled"
    if first.reason == "not_live":
        recipe = replace(recipe, mode="live") if disabled else recipe
        outcome = evaluate(recipe, event, memory, live_from=0, now=now)
    if outcome.reason == "waiting" and answers is not None:
        outcome = go_on(recipe, event, memory, answers, now=now)
    found = outcome.answers
    within = run_scope(scope(event), recipe, event, event.at if now is None else now, found)
    condition = None
    if recipe.condition is not None and outcome.reason not in {"stale", "own"}:
        condition = trace(recipe.condition, within)
    ran = outcome.reason in {"fired", "no_action"} or (outcome.reason == "error" and bool(outcome.planned))
    actions = tuple(_explained(step, within) for step in recipe.actions if step.condition is not None) if ran else ()
    asked = found is not None and outcome.reason != "lookup"
    late = trace(recipe.late, within) if recipe.late is not None and asked else None
    told, as_if = (first, outcome) if first.reason == "not_live" else (outcome, None)
    return Explanation(recipe.id, recipe.version, True, told, as_if, disabled, condition, late, found, actions)


def _explained(step: Step, within: Scope) -> tuple[str, tuple[Trace, ...]]:
    if step.condition is None or step.needs:
        return step.id, ()
    if step.for_each is None:
        return step.id, (trace(step.condition, within),)
    items = step.for_each.get(within)
    listed = items[:SHOWN] if isinstance(items, list) else []
    return step.id, tuple(trace(step.condition, {**within, "item": item}) for item in listed)
