"""The `tests` of a recipe file, read; `replay` runs them."""

from collections.abc import Iterator, Mapping, Sequence

from connector.document import did_you_mean
from connector.model import Json
from connector.recipe.findings import Place
from connector.recipe.recipe import Step, TestCase, TestEvent
from connector.recipe.schema import EVENT_KEYS, LATER, Case, CaseEvent, read, shown
from connector.template.values import in_words


def cases(
    data: Json, place: Place, actions: Sequence[Step], feeds: Sequence[str], lookups: Sequence[str]
) -> tuple[TestCase, ...]:
    """The test cases; their mistakes are recorded. lookups: the names of the recipe's."""
    if not isinstance(data, list):
        return ()  # recorded with the top of the file
    for n, each in enumerate(data):
        _check_answers(each.get("lookups") if isinstance(each, dict) else None, place.at(n, "lookups"), lookups)
    found = [_case(each, place.at(n), actions, feeds) for n, each in enumerate(data)]
    return tuple(case for case in found if case is not None)


def _case(data: Json, place: Place, actions: Sequence[Step], feeds: Sequence[str]) -> TestCase | None:
    part = read(Case, data, place)
    events = [_event(each, place.at("events", n), feeds) for n, each in _entries(data, "events")]
    expect = [_expected(each, place.at("expect", n), actions) for n, each in _entries(data, "expect")]
    if part is None:
        return None
    line, _ = place.findings.document.place(place.where)
    return TestCase(
        part.name,
        tuple(event for event in events if event is not None),
        tuple(entry for entry in expect if entry is not None),
        part.because,
        line,
        part.lookups,
    )


def _check_answers(data: Json, place: Place, lookups: Sequence[str]) -> None:
    """What the lookups of a test find: those of the recipe; objects, lists or, for nothing, null."""
    for name, answer in data.items() if isinstance(data, dict) else ():
        if name not in lookups:
            known = f"known: {', '.join(lookups)}" if lookups else "the recipe has none"
            place.at(name).mistake(f"no lookup is called {shown(name)}", did_you_mean(name, lookups) or known, key=True)
        elif not isinstance(answer, dict | list | None):
            place.at(name).mistake(f"a lookup finds a mapping or a list, not {in_words(answer)}", "or null: nothing")


def _entries(data: Json, key: str) -> Iterator[tuple[int, Json]]:
    entries = data.get(key) if isinstance(data, dict) else None
    return enumerate(entries if isinstance(entries, list) else ())


def _event(data: Json, place: Place, feeds: Sequence[str]) -> TestEvent | None:
    event = read(CaseEvent, data, place)
    for key in data if isinstance(data, dict) else ():
        if key not in EVENT_KEYS and key not in LATER:
            hint = did_you_mean(key, EVENT_KEYS) or f"known: {', '.join(EVENT_KEYS)}"
            place.at(key).mistake(f"unknown key {shown(key)}", hint, key=True)
    if event is None or not feeds:
        return None
    if event.feed is not None and event.feed not in feeds:
        place.at("feed").mistake(f"the trigger does not name the feed {event.feed!r}", did_you_mean(event.feed, feeds))
    parts = {key: data[key] for key in ("properties", "context", "traits") if key in data}
    return TestEvent(event.event, event.feed or feeds[0], event.after, parts, event.model_extra or {})


def _expected(data: Json, place: Place, actions: Sequence[Step]) -> tuple[str, Mapping[str, Json]] | None:
    """One expected delivery: `{action id or kind: {its fields, in part}}`."""
    if not isinstance(data, dict):
        place.mistake(f"an expected delivery is a mapping, not {in_words(data)}", "write slack: {text: ...}")
        return None
    names = sorted({name for step in actions for name in (step.id, step.kind)})
    strange = [key for key in data if key not in names]
    for key in strange:
        hint = "it is not available yet" if key in LATER else did_you_mean(key, names) or f"known: {', '.join(names)}"
        place.at(key).mistake(f"no action {shown(key)}", hint, key=True)
    if strange:
        return None
    if len(data) != 1:
        place.mistake("an expected delivery names one action", "begin each with `- `")
        return None
    ((name, fields),) = data.items()
    if not isinstance(fields, dict):
        place.at(name).mistake(f"the fields of a delivery are a mapping, not {in_words(fields)}", f"write {name}: {{}}")
        return None
    return name, fields
