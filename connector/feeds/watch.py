"""Watch lists: the ids a feed looks at one by one, from the configuration, a file, and other feeds' events.

A key of the feed's keyed state is the kind of id and the id: `profile_id:182233618306719744`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connector.document import did_you_mean
from connector.errors import FeedUnavailable
from connector.model import NEW, Instant, Json, Row, canonical
from connector.platforms import answers
from connector.secrets import stamp
from connector.settings.values import EVENT_PATH

_LONGEST_KEPT: Final = 1_000  # bytes of one value: they are kept for every id
_ID: Final = re.compile(r"[^\s\x00-\x1f\x7f]{1,128}")


def id_text(value: object) -> str | None:
    """An id as text, digit by digit; None for what cannot be one."""
    text = answers.text_id(value)
    return text if _ID.fullmatch(text) else None


def _id(value: object) -> str:
    text = id_text(value)
    if text is None:
        raise ValueError("expected an id: 1 to 128 characters without spaces")
    return text


def _path(text: str) -> str:
    if not EVENT_PATH.fullmatch(text):
        raise ValueError("expected a path such as event.userId or context.traits.intemptProfileId")
    return text


Id = Annotated[str, BeforeValidator(_id)]
PathText = Annotated[str, AfterValidator(_path)]


class From(BaseModel):
    """feed: whose events show ids. path: where in them. keep: name → path of what recipes see in `event.watched`.

    as: what kind of id it is, by default the first the feed knows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    feed: str
    path: PathText
    keep: dict[str, PathText] = {}
    as_: str = Field("", alias="as")


class Watch(BaseModel):
    """file: a file with one id a line, `# …` is a comment. from: paths in other feeds' events that hold ids.

    Subclasses have a list for each kind of id, such as `profile_ids`; the first is what a bare id is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kinds: ClassVar[tuple[str, ...]]

    file: str = ""
    from_: tuple[From, ...] = Field((), alias="from")

    @model_validator(mode="after")
    def _known_kinds(self) -> Self:
        for source in self.from_:
            if source.as_ and source.as_ not in self.kinds:
                hint = did_you_mean(source.as_, self.kinds) or f"expected one of {', '.join(self.kinds)}"
                raise ValueError(f"from: as: {source.as_} is no kind of id; {hint}")
        return self

    @property
    def sources(self) -> tuple["Heard", ...]:
        """Where ids are learnt."""
        return tuple(Heard(one.feed, one.path, one.keep, one.as_ or self.kinds[0]) for one in self.from_)

    def keys(self, folder: Path) -> dict[str, None]:
        """The keys that the lists and the file name, in their order. Raises FeedUnavailable for an unreadable file."""
        listed = (f"{kind}:{id}" for kind in self.kinds for id in getattr(self, f"{kind}s"))
        return dict.fromkeys([*listed, *self._of_file(folder)])

    def stamp(self, folder: Path) -> object:
        """What changes when the file does."""
        return stamp(folder / self.file) if self.file else None

    def _of_file(self, folder: Path) -> Iterator[str]:
        if not self.file:
            return
        try:
            lines = (folder / self.file).read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise FeedUnavailable(f"watch.file: {self.file} cannot be read: {error}") from None
        for n, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            kind, colon, id = text.partition(":")
            if kind not in self.kinds or not colon:
                kind, id = self.kinds[0], text
            if not text:
                continue
            if id_text(id) is None:
                raise FeedUnavailable(f"watch.file: {self.file}:{n} is no id: one a line, such as 182233618306719744")
            yield f"{kind}:{id}"


class People(Watch):
    """profile_ids, master_ids: ids of Intempt's profiles and users that are always watched."""

    kinds: ClassVar[tuple[str, ...]] = ("profile_id", "master_id")

    profile_ids: tuple[Id, ...] = ()
    master_ids: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """See `Source`. kind: of the ids it shows."""

    feed: str
    path: str
    keep: Mapping[str, str]
    kind: str

    @property
    def name(self) -> str:
        """What tells it from others: a row that was heard here is dropped with it."""
        return f"{self.feed} {self.path}"

    def row(self, value: object, kept: Mapping[str, Json], now: Instant) -> Row | None:
        """See Source."""
        id = id_text(value)
        if id is None:
            return None
        short = {name: value for name, value in kept.items() if len(canonical(value)) <= _LONGEST_KEPT}
        about = canonical({"from": self.name, "keep": short}).decode()
        return Row(f"{self.kind}:{id}", due=now, rank=NEW, heard=now, about=about)


def dropped(origins: Mapping[str, str], listed: Mapping[str, None], sources: Sequence[Heard]) -> list[str]:
    """The keys that neither a list nor a source of the configuration accounts for any more."""
    names = {canonical(source.name).decode() for source in sources}
    return [
        key
        for key, about in origins.items()
        if key not in listed and not any(about.startswith(f'{{"from":{name},') for name in names)
    ]
