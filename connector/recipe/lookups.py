"""The `lookups` of a recipe file → NamedLookups: what every lookup has, around the part its kind owns."""

from collections.abc import Sequence
from typing import Final

from connector.document import did_you_mean
from connector.lookups import Lookup, load_all
from connector.model import Json
from connector.recipe.connections import check_connection
from connector.recipe.findings import Place
from connector.recipe.recipe import Known, NamedLookup
from connector.recipe.schema import LookupPart, is_name, read, shown, validated
from connector.template.values import in_words

_COMMON: Final = tuple(LookupPart.model_fields)
_SHAPE: Final = 'write profile: {intilery_traits: {user_id: "{{ event.userId }}"}}'


def read_lookups(data: Json, place: Place, feeds: Sequence[str], known: Known | None) -> tuple[NamedLookup, ...]:
    """The lookups of a recipe; mistakes in them are recorded. feeds: the trigger's."""
    if data is None:
        return ()
    if not isinstance(data, dict) or not data:
        place.mistake(f"`lookups` is a mapping of names, not {in_words(data)}" if data else "no lookup", _SHAPE)
        return ()
    load_all()
    found = [_lookup(name, entry, place.at(name), feeds, known) for name, entry in data.items()]
    return tuple(each for each in found if each is not None)


def _lookup(name: str, data: Json, place: Place, feeds: Sequence[str], known: Known | None) -> NamedLookup | None:
    if not is_name(name):
        place.mistake(
            f"not a name: {shown(name)}", "write lower-case letters and digits with underscores between", key=True
        )
    kind = _kind(data, place)
    if kind is None:
        return None
    common = read(LookupPart, {key: value for key, value in data.items() if key != kind}, place)
    lookup = _own(kind, data[kind], place.at(kind))
    if common is None or lookup is None:
        return None
    if known is not None:
        kind_of = lookup.kind, lookup.platform, "ask"
        check_connection(*kind_of, common.connection, place, feeds=feeds, known=known)
    return NamedLookup(name, lookup, common.cache or 0, common.optional, common.connection)


def _kind(data: Json, place: Place) -> str | None:
    """The one key of a lookup that names a kind."""
    if not isinstance(data, dict):
        place.mistake(f"a lookup is a mapping, not {in_words(data)}", _SHAPE)
        return None
    kinds = [str(key) for key in data if key in Lookup.kinds]
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        place.at(kinds[1]).mistake(
            f"one lookup looks up one thing, not {kinds[0]} and {kinds[1]}", "give each a name", key=True
        )
        return None
    known = sorted(Lookup.kinds)
    strange = next((key for key in data if key not in _COMMON), None)
    hint = (did_you_mean(strange, known) if strange else "") or f"known: {', '.join(known)}"
    at = place.at(strange) if strange else place
    at.mistake(f"unknown lookup {shown(strange)}" if strange else "this lookup has no kind", hint, key=True)
    return None


def _own(kind: str, data: Json, place: Place) -> Lookup | None:
    """What the kind itself reads."""
    model = Lookup.kinds[kind]
    if not isinstance(data, dict):
        place.mistake(f"`{kind}` takes a mapping, not {in_words(data)}", "write key: value below it")
        return None
    for key, value in data.items():
        if isinstance(value, str):
            place.at(key).uncommented()
    lookup = validated(model, data, place)
    if lookup is None:
        return None
    readable = [place.at(*where).may_read(template) for where, template in lookup.templates()]
    return lookup if all(readable) else None
