"""The table of endpoints: every builder with what it builds, how its answer is read, and where it is documented.

A builder registers itself with `@endpoint(…)` and stays an ordinary function of the connection and the endpoint's own
parameters, which `connector api` offers as arguments and options. Their annotations say what they are:
`Annotated[…, About("…")]`; `Data` is a JSON body, `Moment` an instant.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar, get_type_hints

from connector.model import Answer, Instant, Json, Request

T = TypeVar("T")
Builder = TypeVar("Builder", bound=Callable[..., Request])

Conversation: TypeAlias = Generator[Request, Answer, T]
"""One request after the other: each answer is sent in, what was learned of them is returned. Raises FeedError."""


@dataclass(frozen=True, slots=True)
class About:
    """What a parameter is, for people. name: its spelling on the command line, where that is not its own."""

    text: str
    name: str = ""


class Body(About):
    """Marks a parameter that is a JSON body."""


class At(About):
    """Marks a parameter that is an instant."""


Data: TypeAlias = Annotated[Json, Body("The body: JSON, @FILE, or - for standard input.")]
Moment: TypeAlias = Annotated[Instant | None, At("A time: 7d (so long ago), now, or 2026-11-01T00:00:00Z.")]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a builder. kind: its type without the annotation; required: it has no default.

    positional: it may stand without its name.
    """

    name: str
    kind: Any
    about: About
    default: Any
    required: bool
    positional: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row. name: what `connector api` calls it; path: as the documents write it; source: which documents.

    example: parameters that make a sound request. also: other paths that the builder makes, each with its example.
    confirm: what a person should know before it is sent. talk: a whole exchange, where one request is not enough.
    """

    platform: Literal["intilery", "intempt"]
    name: str
    method: str
    path: str
    source: str
    build: Callable[..., Request]
    parse: Callable[[Answer], Any]
    example: Mapping[str, Any]
    also: Mapping[str, Mapping[str, Any]]
    confirm: str = ""
    talk: Callable[..., Conversation[Any]] | None = None

    @property
    def paths(self) -> Mapping[str, Mapping[str, Any]]:
        """Every path that the builder makes, with its example."""
        return {self.path: self.example, **self.also}

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.build) or "").partition("\n")[0]

    @property
    def builder(self) -> str:
        """Where the builder is: `intilery.profiles.traits`."""
        return f"{self.build.__module__.removeprefix('connector.platforms.')}.{self.build.__name__}"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The builder's own, without the connection."""
        hints = get_type_hints(self.build, include_extras=True)
        given = list(inspect.signature(self.build).parameters.values())[1:]
        return tuple(_parameter(one, hints[one.name]) for one in given)

    def conversation(self, *arguments: Any, **options: Any) -> Conversation[Any]:
        """The exchange that this endpoint is: its own, or one request and its answer."""
        if self.talk is not None:
            return (yield from self.talk(*arguments, **options))
        return self.parse((yield self.build(*arguments, **options)))


def _parameter(given: inspect.Parameter, hint: Any) -> Parameter:
    about = next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, About)), About(""))
    kind = hint.__origin__ if hasattr(hint, "__metadata__") else hint
    required = given.default is inspect.Parameter.empty
    positional = given.kind is not inspect.Parameter.KEYWORD_ONLY
    return Parameter(given.name, kind, about, None if required else given.default, required, positional)


ENDPOINTS: Final[dict[tuple[str, str], Endpoint]] = {}


def endpoint(  # noqa: PLR0913  the columns of the table
    name: str,
    method: str,
    path: str,
    *,
    source: str,
    parse: Callable[[Answer], Any],
    example: Mapping[str, Any] | None = None,
    also: Mapping[str, Mapping[str, Any]] | None = None,
    confirm: str = "",
    talk: Callable[..., Conversation[Any]] | None = None,
) -> Callable[[Builder], Builder]:
    """Put a builder into the table; its platform is the folder it stands in."""

    def register(build: Builder) -> Builder:
        platform: Any = build.__module__.split(".")[2]
        shown, others = example or {}, also or {}
        row = Endpoint(platform, name, method, path, source, build, parse, shown, others, confirm, talk)
        ENDPOINTS[platform, name] = row
        return build

    return register


def load_all() -> None:
    """Import every builder, so that ENDPOINTS is complete, and in the modules' order whichever were imported before."""
    for platform in ("intilery", "intempt"):
        package = importlib.import_module(f"connector.platforms.{platform}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    rows = sorted(ENDPOINTS.items(), key=lambda row: (row[0][0] != "intilery", *_place(row[1].build)))
    ENDPOINTS.clear()
    ENDPOINTS.update(rows)


def _place(build: Callable[..., Request]) -> tuple[str, int]:
    return build.__module__, inspect.unwrap(build).__code__.co_firstlineno
