"""Where an action goes: `to`, a destination's name, a list, or by a value of the event; `connection` on a platform."""

from collections.abc import Iterator, Sequence

from pydantic import TypeAdapter, ValidationError

from connector.actions import Action, findings
from connector.document import did_you_mean
from connector.model import Json
from connector.recipe.connections import check_connection
from connector.recipe.findings import Place
from connector.recipe.recipe import Known, Targets
from connector.recipe.schema import Names, Part, Route, is_name, read

_NAMES = TypeAdapter(Names)


def receiver_key(model: type[Action]) -> str | None:
    """The key beside the kind's own that says where it goes."""
    return "to" if model.needs_destination else "connection" if model.platform else None


def read_targets(
    model: type[Action], data: Json, place: Place, feeds: Sequence[str], known: Known | None
) -> Targets | None:
    """Where an action of this kind sends; what needs no name has one that is called nothing.

    A connection that is written is called `@name`; else the event decides which one. feeds: the trigger's.
    """
    if model.platform is not None:
        return _connection(model, data, place, feeds, known)
    if model.needs_destination is None:
        return Targets(names=("",))
    if not isinstance(data, dict):
        return None  # recorded with the kind
    if data.get("to") is None:
        place.mistake("the key 'to' is missing", "name a destination of the configuration")
        return None
    to = place.at("to")
    targets = _route(data["to"], to) if isinstance(data["to"], dict) else _direct(data["to"], to)
    if targets is None:
        return None
    if known is not None:
        for name, at in _named(data["to"], to):
            _check_known(name, model, at, known)
    return targets


def _connection(
    model: type[Action], data: Json, place: Place, feeds: Sequence[str], known: Known | None
) -> Targets | None:
    if not isinstance(data, dict):
        return None  # recorded with the kind
    written = data.get("connection")
    if written is not None and not (isinstance(written, str) and is_name(written)):
        place.at("connection").mistake("must be the name of a connection of the configuration")
        return None
    if known is not None:
        platform = str(model.platform)
        check_connection(model.kind, platform, "write to", written, place, feeds=feeds, known=known)
    return Targets(names=("" if written is None else f"@{written}",))


def _direct(data: Json, place: Place) -> Targets | None:
    try:
        names = _NAMES.validate_python(data)
    except ValidationError as error:
        for each in findings(error, Part):
            at = place.at(*each.where) if isinstance(data, list) else place
            at.mistake(each.message, each.hint)
        return None
    if len(set(names)) < len(names):
        place.mistake("a destination is named twice", "it would get everything twice")
    return Targets(names=tuple(names))


def _route(data: dict[str, Json], place: Place) -> Targets | None:
    route = read(Route, data, place)
    by = place.at("by").read_path(data["by"]) if "by" in data else None
    if route is None or by is None:
        return None
    routed = {value: tuple(names) for value, names in route.map.items()}
    return Targets(by=by, map=routed, otherwise=tuple(route.otherwise) if route.otherwise else None)


def _named(data: Json, place: Place) -> Iterator[tuple[str, Place]]:
    """Every destination that is written, with its place."""
    if isinstance(data, str):
        yield data, place
    elif isinstance(data, list):
        for n, name in enumerate(data):
            yield name, place.at(n)
    else:
        for value, names in data["map"].items():
            yield from _named(names, place.at("map", value))
        if data.get("else") is not None:
            yield from _named(data["else"], place.at("else"))


def _check_known(name: str, model: type[Action], place: Place, known: Known) -> None:
    kind = known.destinations.get(name)
    if kind is None:
        listed = ", ".join(sorted(known.destinations)) or "none"
        hint = did_you_mean(name, known.destinations) or f"configured: {listed}"
        place.mistake(f"unknown destination {name!r}", hint)
    elif kind != model.needs_destination:
        fitting = sorted(other for other, its in known.destinations.items() if its == model.needs_destination)
        hint = (
            f"of that kind: {', '.join(fitting)}" if fitting else f"configure a {model.needs_destination} destination"
        )
        place.mistake(f"`{model.kind}` needs a {model.needs_destination} destination; {name!r} is a {kind} one", hint)
