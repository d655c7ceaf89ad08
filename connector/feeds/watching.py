"""Feeds that can be asked about one id at a time: which id is looked at next, and what a look changes.

Ids whose state changed lately, or that other feeds showed lately, wait in a line of their own, which gets half of the
requests; so an active id is looked at every poll, and no quiet one waits longer than its fair share. Ids that events
showed and nobody has looked at yet wait in a third line with a quarter: anyone can send events, and make up ids. Each
id is one row of the feed's keyed state, and is committed with the events that its look gave.
"""

import asyncio
import json
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, PrivateAttr

from connector.errors import FeedError, FeedRefused, FeedUnavailable, HttpError, NothingThere
from connector.feeds import Rows, Send, Span
from connector.feeds.comparing import Comparing, Mark
from connector.feeds.cursor import FRESH
from connector.feeds.watch import Heard, People, Watch, dropped
from connector.model import (
    ACTIVE,
    LIVELY,
    MINUTE,
    NEW,
    QUIET,
    SECOND,
    Answer,
    Event,
    Gap,
    Instant,
    Json,
    Now,
    Page,
    Request,
    Row,
)

TOGETHER: Final = 8  # ids that are asked about, and committed, at once
MOST: Final = 5_000  # ids of one turn where no rate limits it
REST: Final = 10 * MINUTE  # the longest that an id which cannot be read is left alone
PATIENCE: Final = 3  # looks that find nobody, after which an id that only an event told of is dropped
_ALL: Final = frozenset({401, 402, 403, 410, 429})  # refusals that are not about the id

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at one id gave. state: as it is kept from now on. events: what it tells.

    changed: whether anything did since the look before. gaps: stretches of time that could not be read completely.
    due: the moment up to which was read, where that was not all there is: then it waits in front of others.
    """

    state: State
    events: tuple[Event, ...] = ()
    changed: bool = False
    gaps: tuple[Gap, ...] = ()
    due: Instant | None = None


@dataclass
class _Turn:
    """How a turn went so far. due: when the ids that it looks at are due again: at the next turn.

    late: the moment up to which the one that is furthest behind was read.
    """

    due: Instant
    late: Instant
    looked: int = 0
    missing: int = 0
    failed: int = 0
    last: FeedError | None = None
    rows: list[Row] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def page(self, old: str | None, cursor: str | None = None, notes: tuple[str, ...] = ()) -> Page:
        """What has gathered, once."""
        page = Page(FRESH, old, cursor, self.events, tuple(self.gaps), notes, self.rows, self.gone)
        self.rows, self.gone, self.events, self.gaps = [], [], [], []
        return page


class Looking(Comparing):
    """poll: how often an active id is looked at, and every id where the connection's rate allows it.

    watch: which ids.
    """

    share: ClassVar[float] = 0.8  # lookups and writes need some of the connection's rate, too
    mend: ClassVar[str] = "see the ids under `watch`"  # what to do where nobody has any of them

    poll: Span = 30 * SECOND
    watch: Watch

    _listed: dict[str, None] = PrivateAttr(default_factory=dict)  # keys that the lists and the file name
    _stamp: object = PrivateAttr(default=None)  # of the file, when it was read
    _settled: bool = PrivateAttr(default=False)  # whether the rows are known to agree with the lists
    _resting: dict[str, tuple[int, Instant]] = PrivateAttr(default_factory=dict)  # key → failures, until when

    @abstractmethod
    async def look(self, row: Row, send: Send, now: Now) -> Look:
        """Look at one id. Raises NothingThere where nobody has it, FeedRefused, FeedUnavailable and HttpError."""

    def told(self) -> tuple[str, ...]:
        """What a person should know of this turn."""
        return ()

    @property
    def sources(self) -> tuple[Heard, ...]:
        """See Feed."""
        return self.watch.sources

    @property
    def budget(self) -> int:
        """How many ids one turn looks at: what its share of the rate allows until the next is due."""
        rate = self._connection.rate
        if rate.per is None or rate.count == 0:
            return MOST
        return max(1, min(MOST, int(rate.count / rate.per * self.share * self.poll * 0.9)))

    # ── a turn ────────────────────────────────────────────────────────────────────────────────

    async def read(
        self, reader: str, cursors: Mapping[str, str], send: Send, now: Now, rows: Rows
    ) -> AsyncIterator[Page]:
        """See Feed. There is one reader, `fresh`."""
        old, begun = cursors.get(reader), now()
        page = self._seed(rows, old, begun)
        if page is not None:
            yield page
        turn, chosen = _Turn(begun + self.poll * 9 // 10, begun), self._choose(rows, begun, page or Page(FRESH, old))
        for n in range(0, len(chosen), TOGETHER):
            some, since = chosen[n : n + TOGETHER], now()
            looks = await asyncio.gather(*(self._look(row, send, now) for row in some))
            refused = self._took(turn, some, looks, now())
            yield turn.page(old)
            if refused is not None:
                raise refused
            if 2 * now() - since - begun >= self.poll * 19 // 20:
                break  # the next few would not be through before the next turn
        self._judge(turn, rows)
        seen = min(rows.oldest() or begun, turn.late)
        before = Mark.of(old)
        cursor = Mark(max(seen, before.at) if before else seen).text()
        notes = (f"{turn.failed} watched ids could not be read: {turn.last}",) if turn.failed else ()
        yield turn.page(old, cursor, (*notes, *self.told()))

    def _seed(self, rows: Rows, old: str | None, now: Instant) -> Page | None:
        """Bring the rows in line with the lists and the file, where these changed; None where they did not."""
        stamp = self.watch.stamp(self._folder)
        if self._settled and stamp == self._stamp:
            return None
        listed, there = self.watch.keys(self._folder), rows.origins()
        fresh = [Row(key, due=now) for key in listed if key not in there]
        gone = dropped(there, listed, self.sources)
        self._listed, self._stamp = listed, stamp
        self._settled = not fresh and not gone  # what is to be committed may not be: look again at the next turn
        return Page(FRESH, old, rows=fresh, gone=gone) if fresh or gone else None

    def _choose(self, rows: Rows, now: Instant, seed: Page) -> list[Row]:
        """Whom to look at: from each line its share, and what one does not need goes to the others.

        seed: the page that goes before, which may not be committed yet.
        """
        gone = set(seed.gone)
        out = len(gone) + sum(until > now for _, until in self._resting.values())
        active, new, quiet = lines = [
            [row for row in rows.due(rank, now, self.budget + out) if row.key not in gone and not self._rests(row, now)]
            for rank in (ACTIVE, NEW, QUIET)
        ]
        there = {row.key for row in quiet}
        quiet += [replace(row, revision=1) for row in seed.rows if row.key not in there]
        counts = [min(len(active), self.budget // 2), min(len(new), self.budget // 4), 0]
        for n in (2, 0, 1):
            counts[n] = min(len(lines[n]), self.budget - sum(counts) + counts[n])
        return [row for line, count in zip(lines, counts, strict=True) for row in line[:count]]

    def _rests(self, row: Row, now: Instant) -> bool:
        _, until = self._resting.get(row.key, (0, 0))
        return now < until <= now + REST

    async def _look(self, row: Row, send: Send, now: Now) -> Look | FeedError:
        try:
            return await self.look(row, send, now)
        except FeedError as error:
            return error
        except HttpError as error:
            return FeedUnavailable(str(error))

    def _took(
        self, turn: _Turn, some: Sequence[Row], looks: Sequence[Look | FeedError], now: Instant
    ) -> FeedError | None:
        """Take in the looks; what ends the turn, if one of them does or none can be read."""
        errors = []
        for row, look in zip(some, looks, strict=True):
            turn.looked += 1
            if isinstance(look, NothingThere):
                self._missing(turn, row)
                turn.last = look
            elif isinstance(look, FeedError):
                self._failed(turn, row, now)
                turn.last = look
                errors.append(look)
            else:
                self._resting.pop(row.key, None)
                since = now if look.changed else known(row).get("changed", 0)
                value = {"state": look.state, "changed": since}
                due = turn.due if look.due is None else look.due
                turn.late = min(turn.late, due)
                turn.rows.append(_next(row, value, due, ACTIVE if since > now - LIVELY else QUIET))
                turn.events += look.events
                turn.gaps += look.gaps
        return next(
            (error for error in errors if isinstance(error, FeedRefused) or error.status in _ALL),
            errors[0] if len(errors) == len(some) else None,
        )

    def _missing(self, turn: _Turn, row: Row) -> None:
        """Nobody has this id: what is known of it stays. One that only an event told of is not asked about for ever."""
        turn.missing += 1
        value = {"since": row.due, **known(row)}
        value["missing"] = value.get("missing", 0) + 1
        made_up = "state" not in value and row.about and row.key not in self._listed
        if made_up and value["missing"] >= PATIENCE:
            turn.gone.append(row.key)
        else:
            turn.rows.append(_next(row, value, turn.due, NEW if made_up else QUIET))

    def _failed(self, turn: _Turn, row: Row, now: Instant) -> None:
        """Leave it alone for longer each time: nobody else must wait for it, and it does not lose its place."""
        turn.failed += 1
        failures, _ = self._resting.get(row.key, (0, 0))
        self._resting[row.key] = (failures + 1, now + min(self.poll << min(failures, 10), REST))

    def _judge(self, turn: _Turn, rows: Rows) -> None:
        """Raises FeedUnavailable where the platform seems to know nobody at all: then the address is wrong."""
        if turn.missing and turn.missing == turn.looked and turn.looked >= min(3, rows.count()):
            raise FeedUnavailable(
                f"nobody has any of the {turn.looked} watched ids that were looked at, or the endpoint is not there for"
                f" this account: {self.mend}; {turn.last}",
                404,
                retry_after_ms=5 * MINUTE,
            )


def _next(row: Row, value: State, due: Instant, rank: int) -> Row:
    return replace(row, value=json.dumps(value, separators=(",", ":")), due=due, rank=rank)


class Watching(Looking):
    """Feeds of Intempt's profiles and users that compare one answer with what was answered before.

    baseline: what is found at the first look at an id is silent, or fires.
    """

    platform: ClassVar[str] = "intempt"
    mend: ClassVar[str] = "see `reads` under `dialect`, and the ids under `watch`"

    watch: People = Field(default_factory=lambda: People.model_validate({}))
    baseline: Literal["silent", "fire"] = "silent"

    @abstractmethod
    def ask(self, kind: str, id: str) -> Request:
        """What is asked about one id. Raises RequestRefused."""

    @abstractmethod
    def compare(self, key: str, before: State | None, answer: Answer, about: Mapping[str, Json], now: Instant) -> Look:
        """What an answer means for an id that stood at `before` (None: never looked at).

        about: what the event that told of the id said, by the names of `keep`. Raises NothingThere for an answer that
        knows nobody, FeedRefused and FeedUnavailable.
        """

    async def look(self, row: Row, send: Send, now: Now) -> Look:
        """See Looking: one request, and what it changed."""
        kind, _, id = row.key.partition(":")
        answer = await send(self.ask(kind, id))
        return self.compare(row.key, known(row).get("state"), answer, kept(row), now())


def known(row: Row) -> State:
    """What is kept of an id: `state`, when it `changed`; of one that nobody had so far `missing`, and since when."""
    return json.loads(row.value) if row.value else {}


def kept(row: Row) -> Mapping[str, Json]:
    """What the event that told of an id said, by the names of `keep`."""
    return json.loads(row.about)["keep"] if row.about else {}
