"""What recipes can look up: one file a kind, holding its Lookup: the question, and the exchange that answers it.

A Lookup's fields are the keys a recipe writes under its kind. What every lookup has (its name, `cache`, `optional`,
`connection`) belongs to `recipe`. Nothing here sends anything: whoever asks does (design §6 *Order*).
"""

import importlib
import pkgutil
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from connector.errors import ConnectorError, RenderError
from connector.model import Asked, Instant, Json
from connector.platforms.endpoint import Conversation
from connector.settings import Connection
from connector.template import OMIT, Template
from connector.template.field import wrong

Scope: TypeAlias = Mapping[str, Json]
Where: TypeAlias = tuple[str | int, ...]  # keys below the lookup

LONGEST_ID: Final = 1_000  # characters
_HALF: Final = re.compile("[\ud800-\udfff]")


class NotFound(ConnectorError):
    """The platform has nothing of what was asked for: a run ends there, or goes on where the lookup is optional."""


class NotOne(ConnectorError):
    """Several things were found where one was meant; asking again will not help."""


class Lookup(BaseModel):
    """One question to a platform. Subclasses set `kind` (the word in YAML), `platform`, `example` (YAML of a lookup).

    What is asked is rendered once, with the event; to ask it and to read the answer no recipe is needed any more.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )

    kind: ClassVar[str]
    platform: ClassVar[Literal["intilery", "intempt"]]
    example: ClassVar[str]
    kinds: ClassVar[dict[str, type["Lookup"]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "kind" in cls.__dict__:
            cls.kinds[cls.kind] = cls

    @abstractmethod
    def ask(self, scope: Scope, now: Instant) -> Asked | None:
        """The question, rendered; None where there is nobody to ask about. now: the run's time. Raises RenderError."""

    @classmethod
    @abstractmethod
    def talk(cls, connection: Connection, asked: Asked) -> Conversation[Json]:
        """The exchange that answers a question; returns what was found: an object or a list.

        Raises NotFound, NotOne, NothingThere (404), FeedRefused (401, 403), FeedUnavailable (any other refusal, or no
        sound JSON), and RequestRefused for a question that cannot be sent.
        """

    def templates(self) -> Iterator[tuple[Where, Template]]:
        """Every template with the place of its text below the kind, to check what it reads."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, Template):
                yield (field.alias or name,), value


def one_written(lookup: Lookup, names: Iterable[str], hint: str = "") -> str:
    """The only one of these keys that a lookup has. Raises PydanticCustomError where it has several, or none."""
    written = [name for name in names if getattr(lookup, name) is not None]
    if len(written) == 1:
        return written[0]
    *others, last = names
    listed = f"one of {', '.join(others)} and {last}"
    raise wrong(f"takes {listed}, not {' and '.join(written)}" if written else f"needs {listed}", hint)


def rendered_id(name: str, template: Template, scope: Scope) -> str | None:
    """An id or address for this scope, as text; None where it is left out (`default(omit)`) or empty.

    Raises RenderError, which names the key.
    """
    try:
        value = template.render(scope)
    except RenderError as error:
        raise RenderError(f"{name}: {error}") from None
    if value is OMIT:
        return None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise RenderError(f"{name} must give a text or a whole number")
    text = str(value)
    if len(text) > LONGEST_ID:
        raise RenderError(f"{name} is longer than {LONGEST_ID} characters")
    if not text.isascii() and _HALF.search(text):
        raise RenderError(f"{name} holds half a character")
    return text if text.strip() else None


def load_all() -> None:
    """Import every kind, so that `Lookup.kinds` is complete."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
