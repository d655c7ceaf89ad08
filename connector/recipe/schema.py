"""The shape of a recipe file, key by key, as pydantic models.

What is `Any` here (paths, conditions, actions) is read by itself, so that one mistake hides no other.
"""

import re
from typing import Annotated, Any, Final, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from connector.actions import findings
from connector.document import did_you_mean
from connector.model import DAY, Json, Rate, event_name, span
from connector.model import Reason as Stop
from connector.recipe.findings import Place
from connector.recipe.recipe import Mode
from connector.template import EVENT_NAMES
from connector.template.field import wrong
from connector.template.values import in_words

# Keys of the recipe language that this version does not have.
LATER: Final = frozenset({"at", "approve", "count", "digest", "hours", "silent_for", "until", "wait"})
REASONS: Final[tuple[str, ...]] = get_args(Stop)

_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_FEED: Final = re.compile(rf"{_NAME.pattern}\.{_NAME.pattern}")
_LONGEST: Final = 100  # characters of an id or name

P = TypeVar("P", bound=BaseModel)


# ── values ────────────────────────────────────────────────────────────────────────────────────


def shown(text: str) -> str:
    """A short quotation for a message."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def as_written(value: Json) -> str:
    """A value that ought to have been text, as text: what an error message shows of it."""
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value) if plain else in_words(value)


def _text(value: Json) -> str:
    if not isinstance(value, str):
        quotable = isinstance(value, bool | int | float)
        raise wrong(f"must be text, not {in_words(value)}", "put quotes around it" if quotable else "")
    return value


def _id(value: Json) -> str:
    text = _text(value)
    if not _ID.fullmatch(text) or len(text) > _LONGEST:
        raise wrong(f"not an id: {shown(text)}", "write lower-case letters and digits with dashes between: trial-click")
    return text


def _name(value: Json) -> str:
    text = _text(value)
    if not is_name(text):
        raise wrong(f"not a name: {shown(text)}", "write lower-case letters and digits with underscores between")
    return text


def is_name(text: str) -> bool:
    """Whether a key can be the name of a part."""
    return bool(_NAME.fullmatch(text)) and len(text) <= _LONGEST


def _feed(value: Json) -> str:
    text = _text(value)
    if not _FEED.fullmatch(text):
        raise wrong(f"not a feed: {shown(text)}", "write connection.feed, such as intilery.events")
    return text


def _event(value: Json) -> str:
    """The normalised name, its stars kept."""
    first, *rest = (re.sub(r"[^a-z0-9]+", "_", part.lower()) for part in _text(value).split("*"))
    name = "*".join([first.lstrip("_"), *rest[:-1], rest[-1].rstrip("_")]) if rest else event_name(first)
    if not name:
        raise wrong(f"not an event name: {shown(_text(value))}", "names are compared by their letters a-z and digits")
    return name


def _span(value: Json) -> int:
    try:
        return span(as_written(value))
    except ValueError as error:
        raise wrong(str(error)) from None


def _some_time(value: Json) -> int:
    found = _span(value)
    if found == 0:
        raise wrong("must be longer than nothing", "leave the key out for the default")
    return found


def _max_age(value: Json) -> int | None:
    return None if value == "any" else _some_time(value)


def _rate(value: Json) -> Rate:
    try:
        return Rate.parse(as_written(value))
    except ValueError as error:
        raise wrong(str(error)) from None


def _actions(value: Json) -> Json:
    """Who has one action forgets the dash before it."""
    if isinstance(value, dict):
        first = next(iter(value), "slack")
        raise wrong(
            "must be a list", f"write actions: [{{{first}: {{...}}}}], or each on a line that begins `- {first}:`"
        )
    return _some(value)


def _some(value: Json) -> Json:
    if value == []:
        raise wrong("an empty list", "write at least one")
    return value


def _one_or_more(value: Json) -> Json:
    return _some(value) if isinstance(value, list) else [value]


def _reason(value: Json) -> str:
    text = _text(value)
    word = text.partition(":")[0]
    if word not in REASONS:
        raise wrong(f"no such outcome: {shown(word)}", did_you_mean(word, REASONS) or f"known: {', '.join(REASONS)}")
    return text


Text: TypeAlias = Annotated[str, BeforeValidator(_text)]
Id: TypeAlias = Annotated[str, BeforeValidator(_id)]
Name: TypeAlias = Annotated[str, BeforeValidator(_name)]
Names: TypeAlias = Annotated[list[Name], BeforeValidator(_one_or_more)]
Feed: TypeAlias = Annotated[str, BeforeValidator(_feed)]
EventName: TypeAlias = Annotated[str, BeforeValidator(_event)]
Span: TypeAlias = Annotated[int, BeforeValidator(_span)]
Time: TypeAlias = Annotated[int, BeforeValidator(_some_time)]
MaxAge: TypeAlias = Annotated[int | None, BeforeValidator(_max_age)]
RateText: TypeAlias = Annotated[Any, BeforeValidator(_rate)]
Some: TypeAlias = Annotated[list[Any], BeforeValidator(_some)]
Actions: TypeAlias = Annotated[list[Any], BeforeValidator(_actions)]
Reason: TypeAlias = Annotated[str, BeforeValidator(_reason)]


# ── parts ─────────────────────────────────────────────────────────────────────────────────────


class Part(BaseModel):
    """One mapping of a recipe file. Unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Top(Part):
    """The whole file."""

    id: Id
    description: Text = ""
    owner: Text = ""
    labels: list[Text] = []
    mode: Mode = "live"
    trigger: Any
    condition: Any = Field(None, alias="if")
    lookups: Any = None
    limit: Any = None
    actions: Actions
    tests: list[Any]


class Trigger(Part):
    """`trigger`: which events wake the recipe, how much older than its receipt one may be, and whether ours count."""

    feed: Annotated[list[Feed], BeforeValidator(_one_or_more)]
    event: Annotated[list[EventName], BeforeValidator(_one_or_more)]
    max_age: MaxAge = DAY
    own: StrictBool = False


class LookupPart(Part):
    """What every entry of `lookups` has beside its kind. cache: how long an answer is used again."""

    cache: Time | None = None
    optional: StrictBool = False
    connection: Name | None = None


class LimitPart(Part):
    """`limit`: how many runs a key may have in a time."""

    max: RateText
    key: Any = "customer"


class Common(Part):
    """What every action has beside its kind."""

    id: Name | None = None
    condition: Any = Field(None, alias="if")
    needs: Any = None
    for_each: Any = None
    expires: Time | None = None
    guard: RateText | None = None


class Route(Part):
    """A `to` that depends on the event."""

    by: Any
    map: dict[str, Names]
    otherwise: Names | None = Field(None, alias="else")


class Case(Part):
    """One entry of `tests`."""

    name: Text
    events: Some
    lookups: dict[str, Any] = {}
    expect: list[Any]
    because: Reason | None = None


class CaseEvent(BaseModel):
    """One event of a test; its other keys are the documented fields of events."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    event: Text
    after: Span = 0
    feed: Feed | None = None
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}
    traits: dict[str, Any] = {}


EVENT_KEYS: Final = (*CaseEvent.model_fields, *EVENT_NAMES)


def read(model: type[P], data: Json, place: Place, example: str = "key: value") -> P | None:
    """The part that stands at a place. None when it holds mistakes; all of them are recorded, each at its place.

    example: what to write, where something else than a mapping stands.
    """
    if not isinstance(data, dict):
        place.mistake(f"must be a mapping, not {in_words(data)}", f"write {example}")
        return None
    sound = {key: value for key, value in data.items() if not _is_later(key, model, place)}
    try:
        return model.model_validate(sound)
    except ValidationError as error:
        for each in findings(error, model):
            place.at(*each.where).mistake(each.message, each.hint, key=each.key)
        return None


def validated(model: type[P], data: Json, place: Place) -> P | None:
    """What a kind reads under its key, as `read`; a mistake within a template points at its place in it."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for each in findings(error, model):
            if each.key or (each.line, each.column) == (1, 1):
                place.at(*each.where).mistake(each.message, each.hint, key=each.key)
            else:
                where = (*place.where, *each.where)
                place.findings.add_within(where, each.message, each.hint, each.line, each.column)
        return None


def _is_later(key: str, model: type[BaseModel], place: Place) -> bool:
    """Whether this version does not have the key yet; that is recorded."""
    if key not in LATER or key in model.model_fields:
        return False
    place.at(key).mistake(f"unknown key {key!r}", "it is not available yet", key=True)
    return True
