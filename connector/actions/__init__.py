"""What recipes can do: one file a kind, holding its Action (what is sent) and its Destination (where to, and how).

An Action's fields are the keys a recipe writes under its kind; a Destination's are those under `destinations:` in the
configuration. What every action has (`id if needs for_each to` and the gates) belongs to `recipe`.
"""

import importlib
import pkgutil
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from connector.document import did_you_mean
from connector.errors import ConfigurationError, RenderError, SecretMissing
from connector.model import SECOND, Answer, Event, Instant, Json, Message, Rate, Request, Verdict, span
from connector.platforms.answers import retry_after
from connector.secrets import Secret, Vault
from connector.settings.values import EVENT_PATH
from connector.template import OMIT, Template
from connector.template.field import read_template, wrong

if TYPE_CHECKING:
    from connector.settings import Section, Settings

Scope: TypeAlias = Mapping[str, Json]
Where: TypeAlias = tuple[str | int, ...]  # keys and indexes below the action or destination
T = TypeVar("T")

BODY: Final = 256 * 1024  # bytes of one rendered body
_DEEPEST: Final = 32
_STRICT: Final = ConfigDict(
    frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, arbitrary_types_allowed=True
)


# ── fields ────────────────────────────────────────────────────────────────────────────────────


def wrong_at(*places: tuple[Where, PydanticCustomError]) -> ValidationError:
    """Errors further inside the value that is validated."""
    return ValidationError.from_exception_data(
        "mistakes", [InitErrorDetails(type=error, loc=where, input=None) for where, error in places]
    )


class Tree:
    """A JSON value whose texts may be templates, all compiled. `templates`: those that are, with their places."""

    __slots__ = ("_root", "templates")

    def __init__(self, value: Json) -> None:
        self.templates: list[tuple[Where, Template]] = []
        mistakes: list[tuple[Where, PydanticCustomError]] = []
        self._root = self._compiled(value, (), mistakes)
        if mistakes:
            raise wrong_at(*mistakes)

    def render(self, scope: Scope) -> Json:
        """The value for this scope; what is omitted is left out. Raises RenderError."""
        value = _rendered(self._root, scope)
        if value is OMIT:
            raise RenderError("the whole body is omitted")
        return value

    def _compiled(self, value: Json, where: Where, mistakes: list[tuple[Where, PydanticCustomError]]) -> Any:
        if len(where) > _DEEPEST:
            mistakes.append((where, wrong(f"nested deeper than {_DEEPEST} levels")))
            return None
        if isinstance(value, dict):
            mistakes += [
                ((*where, key), wrong(f"a key cannot be a template: {key}", "templates stand in values"))
                for key in value
                if "{{" in key or "{%" in key
            ]
            return {key: self._compiled(item, (*where, key), mistakes) for key, item in value.items()}
        if isinstance(value, list):
            return [self._compiled(item, (*where, n), mistakes) for n, item in enumerate(value)]
        if isinstance(value, str):
            try:
                return self._compiled_text(value, where)
            except PydanticCustomError as error:
                mistakes.append((where, error))
        return value

    def _compiled_text(self, text: str, where: Where) -> str | Template:
        compiled = read_template(text)
        if compiled.constant is not None:
            return compiled.constant
        self.templates.append((where, compiled))
        return compiled


def _rendered(node: Any, scope: Scope) -> Json:
    kind = type(node)
    if kind is Template:
        return node.render(scope)
    if kind is dict:
        pairs = [(key, _rendered(item, scope)) for key, item in node.items()]
        return {key: value for key, value in pairs if value is not OMIT}
    if kind is list:
        return [value for item in node if (value := _rendered(item, scope)) is not OMIT]
    return node


def _by(parse: Callable[[str], T]) -> Callable[[object, ValidationInfo], T]:
    """A validator from a function that reads text and raises ValueError; in the configuration `${NAME}` is expanded."""

    def read(value: object, info: ValidationInfo) -> T:
        try:
            text = str(value)
            return parse(info.context["vault"].expand(text, secret=False) if info.context else text)
        except (ValueError, SecretMissing) as error:
            raise wrong(str(error).partition(", got ")[0]) from None  # the value may be a secret in the wrong place

    return read


def _path(text: str) -> str:
    if EVENT_PATH.fullmatch(text):
        return text
    raise ValueError(f"expected a path such as event.userId or properties.order_id, got {text!r}")


def _deadline(text: str) -> int:
    milliseconds = span(text)
    if not SECOND <= milliseconds <= 60 * SECOND:
        raise ValueError(f"a deadline is 1s to 60s, got {text}")
    return milliseconds


def read_secret(value: object, info: ValidationInfo) -> Secret:
    """A text that may hold `${NAME}`, hidden. The validation context holds the `vault`. Raises PydanticCustomError."""
    if not isinstance(value, str):
        raise wrong("must be text")
    if Vault.malformed(value):
        raise wrong("a `${` here is no reference", "write ${NAME} or ${NAME:default}")
    context: dict[str, Vault] = info.context or {}
    return Secret(value, context["vault"])


JsonTree: TypeAlias = Annotated[Tree, PlainValidator(Tree, json_schema_input_type=Any)]
RateSetting: TypeAlias = Annotated[Rate, PlainValidator(_by(Rate.parse), json_schema_input_type=str)]
SpanSetting: TypeAlias = Annotated[int, PlainValidator(_by(span), json_schema_input_type=str)]
Deadline: TypeAlias = Annotated[int, PlainValidator(_by(_deadline), json_schema_input_type=str)]
PathSetting: TypeAlias = Annotated[str, PlainValidator(_by(_path), json_schema_input_type=str)]
TextSetting: TypeAlias = Annotated[str, PlainValidator(_by(str), json_schema_input_type=str)]
SecretText: TypeAlias = Annotated[Secret, PlainValidator(read_secret, json_schema_input_type=str)]


# ── actions ───────────────────────────────────────────────────────────────────────────────────


class Action(BaseModel):
    """One outgoing effect. Subclasses set `kind` (the word in YAML), `example` (YAML of one entry of `actions`).

    needs_destination: the kind of destination that `to` must name, or None. platform: whose connection it writes to, or
    None. guard and expires (milliseconds): the gates of this kind where neither the recipe nor the destination sets
    them. reads: what rendering takes from the scope beside the templates. patience: refusals (400, 413, 422) in a row
    that are final.
    """

    model_config = _STRICT

    kind: ClassVar[str]
    example: ClassVar[str]
    kinds: ClassVar[dict[str, type["Action"]]] = {}
    needs_destination: ClassVar[str | None] = None
    platform: ClassVar[Literal["intilery", "intempt"] | None] = None
    guard: ClassVar[Rate | None] = None
    expires: ClassVar[int | None] = None
    reads: ClassVar[frozenset[str]] = frozenset()
    patience: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "kind" in cls.__dict__:
            cls.kinds[cls.kind] = cls

    @abstractmethod
    def render(self, scope: Scope, event: Event) -> Message:
        """What a delivery carries. Pure. Raises RenderError, which names the value at fault."""

    @classmethod
    def judge(cls, answer: Answer, refusals: int = 0) -> Verdict:  # noqa: ARG003  most kinds have no patience
        """What an answer means for the delivery: by HTTP's own meaning of the status (design §7).

        refusals: how many attempts directly before this one were answered 400, 413 or 422.
        """
        return judge_status(answer)

    def templates(self) -> Iterator[tuple[Where, Template]]:
        """Every template with the place of its text below the kind, to check what it reads."""
        for key, value in self._written():
            if isinstance(value, Template):
                yield (key,), value
            elif isinstance(value, Tree):
                yield from (((key, *where), found) for where, found in value.templates)
            elif isinstance(value, dict):
                yield from (((key, name), found) for name, found in value.items())

    def preview(self, scope: Scope, event: Event) -> dict[str, Json]:  # noqa: ARG002  a kind may show what it takes of it
        """The fields as a recipe writes them, rendered but not escaped: what its tests compare with.

        Raises RenderError.
        """
        return {key: _plain(value, scope) for key, value in self._written()}

    def _written(self) -> Iterator[tuple[str, Any]]:
        """The YAML keys that are set, with their values."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if value is not None and value != {}:
                yield field.alias or name, value


def _plain(value: Any, scope: Scope) -> Json:
    if isinstance(value, Template):
        return value.unescaped().text(scope)
    if isinstance(value, Tree):
        return value.render(scope)
    return {name: _plain(item, scope) for name, item in value.items()} if isinstance(value, dict) else value


def load_all() -> None:
    """Import every kind, so that `Action.kinds` and `Destination.kinds` are complete."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


# ── destinations ──────────────────────────────────────────────────────────────────────────────


class Retry(BaseModel):
    """attempts: how many tries a delivery has; without it the whole schedule of design §7."""

    model_config = _STRICT
    attempts: int = Field(ge=1, le=13)


class Destination(BaseModel):
    """A named receiver: its address and secrets, and how it wants to be called.

    rate: requests it takes. order_by: a path; deliveries with one value of it keep their order. guard, expires: gates
    for all its deliveries, unless the recipe says otherwise. deadline: milliseconds for one whole exchange.
    """

    model_config = _STRICT

    kind: ClassVar[str]
    example: ClassVar[str]
    kinds: ClassVar[dict[str, type["Destination"]]] = {}

    rate: RateSetting | None = None
    retry: Retry | None = None
    order_by: PathSetting | None = None
    guard: RateSetting | None = None
    expires: SpanSetting | None = None
    deadline: Deadline = 15 * SECOND

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "kind" in cls.__dict__:
            cls.kinds[cls.kind] = cls

    @property
    def attempts(self) -> int | None:
        """How many tries a delivery has; None: the whole schedule."""
        return self.retry.attempts if self.retry else None

    @abstractmethod
    def secrets(self) -> tuple[Secret, ...]:
        """Whatever it reads at each attempt: when one changes, a parked destination is tried at once."""

    @abstractmethod
    def request(self, message: Message, *, id: str, at: Instant) -> Request:
        """The request of one attempt: the message as stored, the address, headers and secrets as they are now."""

    @classmethod
    def read(cls, section: "Section") -> "Destination":
        """The destination a section of the configuration describes. Raises ConfigurationError with every mistake."""
        load_all()
        named = [key for key in section if key in cls.kinds]
        if len(named) != 1:
            kinds = ", ".join(sorted(cls.kinds))
            hint = did_you_mean(next(iter(section), ""), cls.kinds) or f"give one of {kinds} with its address"
            raise ConfigurationError([section.mistake((), f"{section.name} needs one kind of destination", hint)])
        model = cls.kinds[named[0]]
        try:
            return model.model_validate(dict(section), context={"vault": section.vault})
        except ValidationError as error:
            found = findings(error, model)
        raise ConfigurationError([section.mistake(each.where, each.message, each.hint, key=each.key) for each in found])


def destinations_of(settings: "Settings") -> dict[str, Destination]:
    """Every configured destination by name. Raises ConfigurationError with every mistake in them."""
    load_all()
    found, mistakes = {}, []
    for name, section in settings.destinations.items():
        try:
            found[name] = Destination.read(section)
        except ConfigurationError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigurationError(mistakes)
    return found


# ── findings ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake in an action's or destination's keys. key: it is about the key itself, else about its value.

    line and column count from 1 within the text at fault.
    """

    where: Where
    message: str
    hint: str = ""
    key: bool = False
    line: int = 1
    column: int = 1


_IN_WORDS: Final = {
    "string_type": "must be text", "int_type": "must be a whole number", "dict_type": "must be a mapping",
    "list_type": "must be a list", "bool_type": "must be true or false", "model_type": "must be a mapping",
}  # fmt: skip


def findings(error: ValidationError, model: type[BaseModel]) -> list[Finding]:
    """The mistakes of a validation in the words of the configuration, without any value that was given."""
    keys = [field.alias or name for name, field in model.model_fields.items()]
    return [_finding(each, keys) for each in error.errors(include_url=False, include_input=False)]


def _finding(error: ErrorDetails, keys: list[str]) -> Finding:
    where, context = tuple(error["loc"]), error.get("ctx", {})
    match error["type"]:
        case "mistake":
            return Finding(where, context["message"], context["hint"], line=context["line"], column=context["column"])
        case "extra_forbidden":
            known = keys if len(where) == 1 else []
            hint = did_you_mean(str(where[-1]), known) or (f"known: {', '.join(known)}" if known else "")
            return Finding(where, f"unknown key {where[-1]!r}", hint, key=True)
        case "missing":
            return Finding(where[:-1], f"the key {where[-1]!r} is missing")
        case "literal_error":
            return Finding(where, f"must be {context['expected']}")
        case kind:
            return Finding(where, _IN_WORDS.get(kind) or error["msg"].replace("Input should", "must"))


# ── answers ───────────────────────────────────────────────────────────────────────────────────

_REFUSED: Final = {401: "the credentials are refused", 403: "access is refused", 410: "the address is gone for good"}


def judge_status(answer: Answer) -> Verdict:
    """The verdict that HTTP's own meaning of a status gives, for every status (design §7)."""
    status = answer.status
    reason = f"HTTP {status}"
    if 200 <= status < 300:
        return Verdict("delivered", reason)
    if status == 429:
        return Verdict("throttled", reason, retry_after(answer))
    if status in (408, 425) or status >= 500 or status < 200:
        return Verdict("retry", reason, retry_after(answer))
    if status in _REFUSED:
        return Verdict("refused", f"{reason}: {_REFUSED[status]}")
    if status < 400:
        return Verdict("dead", f"{reason}: redirects are not followed, give the final address")
    return Verdict("dead", reason)
