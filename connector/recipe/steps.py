"""The `actions` of a recipe file → Steps: what every action has, around the part its kind owns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal, get_origin

from connector.actions import Action, load_all
from connector.document import did_you_mean
from connector.model import Json
from connector.recipe.condition import condition
from connector.recipe.findings import Place
from connector.recipe.needs import read_needs
from connector.recipe.recipe import Known, Step
from connector.recipe.schema import Common, read, shown, validated
from connector.recipe.targets import read_targets, receiver_key
from connector.template.values import in_words

_COMMON: Final = tuple(field.alias or name for name, field in Common.model_fields.items())
_WHOLE: Final = frozenset({"event", "event.rawData", "properties", "context", "traits", "lookups"})


def steps(data: Json, place: Place, feeds: Sequence[str], known: Known | None) -> tuple[Step, ...]:
    """The actions of a recipe, in their order; mistakes in them are recorded. feeds: the trigger's."""
    if not isinstance(data, list):
        return ()  # recorded with the top of the file
    load_all()
    found = [(_step(entry, place.at(n), feeds, known), place.at(n)) for n, entry in enumerate(data)]
    sound = [(step, at) for step, at in found if step is not None]
    _check_ids(sound, data)
    if len(sound) == len(found):  # else an action that is needed may be among the broken ones
        _check_needs(sound)
    awaited = {need for step, _ in sound for need, _ in step.needs}
    return tuple(replace(step, awaited=step.id in awaited) for step, _ in sound)


def _step(data: Json, place: Place, feeds: Sequence[str], known: Known | None) -> Step | None:
    kind = _kind(data, place)
    if kind is None:
        return None
    common = read(Common, {key: value for key, value in data.items() if key != kind}, place)
    needs = read_needs(data["needs"], place.at("needs")) if "needs" in data else ()
    for_each = place.at("for_each").read_path(data["for_each"]) if "for_each" in data else None
    names = place.names | ({"item"} if "for_each" in data else set()) | ({"actions"} if needs else set())
    inner = replace(place, names=frozenset(names), needs=frozenset(need for need, _ in needs))
    held = condition(data["if"], inner.at("if")) if "if" in data else None
    action = _action(kind, data[kind], inner.at(kind))
    targets = read_targets(Action.kinds[kind], data[kind], inner.at(kind), feeds, known)
    if common is None or action is None or targets is None:
        return None
    return Step(
        id=common.id or kind,
        kind=kind,
        action=action,
        targets=targets,
        condition=held,
        for_each=for_each,
        needs=needs,
        expires=common.expires,
        guard=common.guard,
    )


def _kind(data: Json, place: Place) -> str | None:
    """The one key of an action that names a kind."""
    known = sorted(Action.kinds)
    if not isinstance(data, dict):
        place.mistake(f"an action is a mapping, not {in_words(data)}", "write slack: {to: ..., text: ...}")
        return None
    kinds = [str(key) for key in data if key in Action.kinds]
    if len(kinds) > 1:
        place.at(kinds[1]).mistake(
            f"one entry does one thing, not {kinds[0]} and {kinds[1]}", "begin each with `- `", key=True
        )
        return None
    if not kinds:
        strange = next((key for key in data if key not in _COMMON), None)
        hint = (did_you_mean(strange, known) if strange else "") or f"known: {', '.join(known)}"
        at = place.at(strange) if strange else place
        at.mistake(f"unknown action {shown(strange)}" if strange else "this action has no kind", hint, key=True)
        return None
    return kinds[0]


def _action(kind: str, data: Json, place: Place) -> Action | None:
    """What the kind itself reads: everything under its key but where it goes."""
    model = Action.kinds[kind]
    if not isinstance(data, dict):
        place.mistake(f"`{kind}` takes a mapping, not {in_words(data)}", "write key: value below it")
        return None
    own = {key: value for key, value in data.items() if key != receiver_key(model)}
    _check_texts(model, own, place)
    action = validated(model, own, place)
    if action is None:
        return None
    readable = [place.at(*where).may_read(template) for where, template in action.templates()]
    place.reads.update(model.reads)
    for where, template in action.templates():
        if kind == "slack" and (whole := sorted(template.paths & _WHOLE)):
            message = f"all of `{whole[0]}` goes into a Slack message, personal data too"
            place.at(*where).mistake(message, "print the fields that are needed", warning=True)
    return action if all(readable) else None


def _check_texts(model: type[Action], data: Mapping[str, Json], place: Place) -> None:
    literal = {
        field.alias or name for name, field in model.model_fields.items() if get_origin(field.annotation) is Literal
    }
    for key, value in data.items():
        if key not in literal:
            for at, text in _texts(value, place.at(key)):
                at.uncommented()
                at.doubtful(text)


def _texts(value: Json, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inner, place.at(key))


# ── together ──────────────────────────────────────────────────────────────────────────────────


def _check_ids(found: list[tuple[Step, Place]], data: list[Json]) -> None:
    seen: set[str] = set()
    for step, place in found:
        if step.id in seen:
            written = "id" in data[int(place.where[-1])]
            where = place.at("id" if written else step.kind)
            where.mistake(f"two actions are called {step.id!r}", "give each its own `id`", key=not written)
        seen.add(step.id)


def _check_needs(found: list[tuple[Step, Place]]) -> None:
    needs = {step.id: [need for need, _ in step.needs] for step, _ in found}
    for step, place in found:
        for need in needs[step.id]:
            if need not in needs:
                hint = did_you_mean(need, needs) or f"known: {', '.join(needs)}"
                place.at("needs").mistake(f"no action is called {shown(need)}", hint)
        if step.id in _reached(step.id, needs):
            place.at("needs").mistake(f"{step.id!r} waits for itself", "needs may not lead back to the same action")


def _reached(start: str, needs: Mapping[str, list[str]]) -> set[str]:
    """The actions that one waits for, directly or not."""
    reached: set[str] = set()
    rest = list(needs[start])
    while rest:
        need = rest.pop()
        if need not in reached:
            reached.add(need)
            rest += needs.get(need, [])
    return reached
