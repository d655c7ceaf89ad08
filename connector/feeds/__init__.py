"""Feeds: the endpoints that are polled. One file a feed: a subclass of `Feed` whose fields are its YAML keys.

What several feeds need stands beside them, from the outside in: `cursor` (what each reader has yet to read), `window`
(a window of time, completely), `crowd` and `sweep` (its hits), `slices` (`from` and `size`); `watching` (ids that are
looked at one by one), `watch` (which ids), `comparing` (where feeds stand that compare), `kept` (what a list shows),
`made` (events that the platform does not give, but its changes are), `timeline` (events by time, as one account or
customer has them).
"""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Protocol, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import ErrorDetails

from connector.document import did_you_mean
from connector.errors import ConfigurationError, Mistake
from connector.model import MINUTE, SECOND, Answer, Instant, Json, Now, Page, Request, Row, span
from connector.platforms import dialect
from connector.settings import Connection, Section

__all__ = ["Feed", "Rows", "Send", "Source", "Span", "all_feeds", "feeds_of", "load_all"]

Send: TypeAlias = Callable[[Request], Awaitable[Answer]]
"""The door to the network, within the connection's rate. Raises HttpError."""


_EXPECTED: Final = {
    "tuple_type": "expected a list",
    "string_type": "expected text",
    "missing": "is missing",
    "too_short": "expected at least one",
}


def _span(value: object) -> object:
    try:
        return span(value)  # type: ignore[arg-type]  # whatever stands in the file
    except (ValueError, TypeError):
        raise ValueError("expected a duration such as 10s, 15m, 24h or 7d") from None


Span: TypeAlias = Annotated[int, BeforeValidator(_span), WithJsonSchema({"type": "string", "examples": ["10s", "15m"]})]
"""A duration in YAML, milliseconds in Python."""


class Rows(Protocol):
    """A feed's keyed state as it was committed last: see `model.Row`. What a page changes of it comes with the page."""

    def get(self, keys: Iterable[str]) -> Mapping[str, Row]:
        """The rows there are of these keys."""
        ...

    def due(self, rank: int, now: Instant, limit: int) -> Sequence[Row]:
        """Those of a rank that are to be looked at by now, who waited longest first."""
        ...

    def oldest(self) -> Instant | None:
        """When the one that waits longest was to be looked at; None where none is."""
        ...

    def origins(self) -> Mapping[str, str]:
        """Of every row its key and `about`, empty for those that no event showed."""
        ...

    def count(self) -> int:
        """How many there are."""
        ...


class Source(Protocol):
    """Where a watch list learns ids: a path in the events of another feed. keep: what else of the event is kept."""

    @property
    def feed(self) -> str:
        """Whose events."""
        ...

    @property
    def path(self) -> str:
        """Where in them an id is."""
        ...

    @property
    def keep(self) -> Mapping[str, str]:
        """Name → path."""
        ...

    def row(self, value: object, kept: Mapping[str, Json], now: Instant) -> Row | None:
        """The row of an id that an event shows, None for what cannot be one."""
        ...


class Feed(BaseModel, ABC):
    """One endpoint of a connection: what it reads, and its options.

    poll: how often the fresh reader reads. settle: how long after a moment its absence may be concluded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    platform: ClassVar[str]
    kind: ClassVar[str]
    example: ClassVar[str]
    kinds: ClassVar[dict[tuple[str, str], type["Feed"]]] = {}

    share: ClassVar[float] = 1.0  # of the connection's rate that reading may take

    poll: Span = 10 * SECOND
    settle: Span = 2 * MINUTE

    _connection: Connection = PrivateAttr()
    _folder: Path = PrivateAttr(default_factory=Path)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "kind" in vars(cls):
            Feed.kinds[cls.platform, cls.kind] = cls

    @classmethod
    def of(cls, connection: Connection, section: Section) -> Self:
        """The feed with its options as the configuration has them. Raises ConfigurationError with every mistake."""
        try:
            return cls.model_validate(dict(section), context=connection)
        except ValidationError as error:
            raise ConfigurationError([cls._mistake(section, detail) for detail in error.errors()]) from None

    def model_post_init(self, context: Connection | None, /) -> None:
        """Keep the connection, which is not one of the options, and where the configuration is."""
        if context:
            self._connection = context
            section = context.feeds.get(self.kind)
            self._folder = section.folder if section is not None else Path()

    @classmethod
    def _mistake(cls, section: Section, detail: ErrorDetails) -> Mistake:
        if detail["type"] == "extra_forbidden":
            *_, key = detail["loc"]
            known = cls.model_fields if len(detail["loc"]) == 1 else ()
            return section.mistake(detail["loc"], f"unknown key {key}", did_you_mean(str(key), known), key=True)
        given = section.get(str(detail["loc"][0])) if len(detail["loc"]) == 1 else None
        bare = type(given) is int and given > 0 and "duration" in detail["msg"]
        message = _EXPECTED.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
        return section.mistake(detail["loc"], message, f"write {given}s" if bare else "")

    @model_validator(mode="after")
    def _not_too_often(self) -> Self:
        if self.poll < SECOND:
            raise ValueError("poll must be 1s or more")
        return self

    @property
    def key(self) -> str:
        """Its platform and kind, which its cursors and rows are kept under: `intilery.events`."""
        return f"{self.platform}.{self.kind}"

    @property
    def name(self) -> str:
        """`connection.feed`, e.g. `intilery.events`: what recipes call it."""
        return f"{self._connection.name}.{self.kind}"

    @property
    def account(self) -> str:
        """The connection's identity: what all state is keyed by."""
        return self._connection.identity

    @property
    def sources(self) -> Sequence[Source]:
        """Where it learns, from events of other feeds, what to look at."""
        return ()

    @abstractmethod
    def read(self, reader: str, cursors: Mapping[str, str], send: Send, now: Now, rows: Rows) -> AsyncIterator[Page]:
        """The pages that a reader has to read now, to be committed in this order; the next may be asked for meanwhile.

        cursors: every reader's, as committed. rows: the feed's keyed state, likewise. Raises FeedUnavailable and
        FeedRefused; what was yielded stays good.
        To stop early is safe, but what was read since the last page with a cursor is then read again.
        """

    @abstractmethod
    def due(self, cursors: Mapping[str, str], now: Instant) -> list[str]:
        """The readers beside the fresh one that have something to read, the most urgent first."""

    @abstractmethod
    def behind(self, cursors: Mapping[str, str], now: Instant) -> dict[str, int]:
        """How many milliseconds each reader is behind where it should be."""

    @abstractmethod
    def read_to(self, cursors: Mapping[str, str]) -> Instant | None:
        """The moment up to which everything was read at least once; None before the first run."""

    @abstractmethod
    def rewind(self, cursor: str | None, to: Instant) -> str:
        """The cursor that makes a reader go on from another moment. Raises NoMoments where it knows none."""


def all_feeds(connections: Mapping[str, Connection]) -> list[tuple[Connection, Feed]]:
    """Every feed that the configuration asks for. Raises ConfigurationError with every mistake in them.

    A watch list may only learn from a feed that is polled.
    """
    feeds, mistakes = list[tuple[Connection, Feed]](), list[Mistake]()
    for connection in connections.values():
        try:
            feeds += [(connection, feed) for feed in feeds_of(connection)]
        except ConfigurationError as error:
            mistakes += error.mistakes
    polled = {f"{name}.{kind}" for name, connection in connections.items() for kind in connection.feeds}
    for connection, feed in feeds:
        for n, source in enumerate(feed.sources):
            if source.feed not in polled:
                hint = did_you_mean(source.feed, polled) or f"polled are: {', '.join(sorted(polled))}"
                place = ("watch", "from", n, "feed")
                mistakes.append(connection.feeds[feed.kind].mistake(place, f"no feed {source.feed!r} is polled", hint))
    if mistakes:
        raise ConfigurationError(mistakes)
    return feeds


def feeds_of(connection: Connection) -> list[Feed]:
    """The feeds a configuration asks for. Raises ConfigurationError with every mistake in them, or in `dialect`."""
    load_all()
    known = {kind: feed for (platform, kind), feed in Feed.kinds.items() if platform == connection.platform}
    feeds, mistakes = list[Feed](), list[Mistake]()
    try:
        dialect.check(connection.platform, connection.dialect)
    except ConfigurationError as error:
        mistakes += error.mistakes
    for kind, section in connection.feeds.items():
        if kind not in known:
            hint = did_you_mean(kind, known) or f"known: {', '.join(known)}"
            mistakes.append(section.mistake((), f"{connection.platform} has no feed {kind}", hint, key=True))
            continue
        try:
            feeds.append(known[kind].of(connection, section))
        except ConfigurationError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigurationError(mistakes)
    return feeds


def load_all() -> None:
    """Import every feed, so that `Feed.kinds` knows it."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
