"""Events by time as Intilery shows them, an account's or one customer's: what is asked, and what the answers teach."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

from connector.errors import AnswerTooLarge, FeedUnavailable, HttpError
from connector.feeds import Send
from connector.feeds.clock import PlatformClock
from connector.feeds.slices import Numbering, Query, Slices, TooLarge
from connector.feeds.window import Piece, Window
from connector.model import DAY, SECOND, Answer, Event, Instant, Now, Request, instant
from connector.platforms import intilery
from connector.settings import Connection


class Timeline:
    """Events as they can be asked for, and what is known of how the platform answers.

    form: whether times are read as such or as whole days (`datetime`, `date`), empty while that is not known.
    """

    def __init__(  # noqa: PLR0913  whose it is, and how it is asked
        self,
        connection: Connection,
        names: tuple[str, str],
        send: Send,
        now: Now,
        *,
        request: Callable[..., Request],
        parse: Callable[[Answer], list[intilery.Item]],
        exclude: tuple[str, ...] = (),
    ) -> None:
        """names: the account's identity and the feed's name. request, parse: the endpoint, a builder of it bound."""
        self.notes: set[str] = set()
        self.clock = PlatformClock(now, self.notes)
        self._send, self._request, self._parse = send, request, parse
        (self._identity, self._name), self._exclude = names, exclude
        said = intilery.dialect(connection, "from")
        self.slices = Slices(self.ask, numbering=_NUMBERINGS.get(said), certain=said in _NUMBERINGS)
        said = intilery.dialect(connection, "datetime")
        self.form = "" if said == "auto" else said

    def knows(self, skew: int, form: str, numbering: str) -> None:
        """Take over what an earlier read found out."""
        self.clock.skew = skew
        self.form = self.form or form
        self.slices.numbering = self.slices.numbering or _NUMBERINGS.get(numbering)

    def told(self) -> tuple[str, ...]:
        """The notes that have gathered, once."""
        notes = tuple(sorted(self.notes))
        self.notes.clear()
        return notes

    async def drain(self, begin: Instant, end: Instant, passes: int) -> AsyncIterator[Piece]:
        """A window of time, read completely."""
        days = self.form == "date"
        window = Window(
            self.slices, _clocks, _action_of, exclude=self._exclude, passes=passes, shortest=DAY if days else 1
        )
        async for piece in window.drain(begin, end):
            if days and piece.events:
                inside = [event for event in piece.events if _within(event, begin - 1, end + 1)]
                piece = Piece(inside)  # noqa: PLW2901  the same piece, without the rest of its days
            yield piece

    async def ask(self, query: Query, from_: int, size: int) -> Sequence[Event]:
        """One request. Raises FeedRefused, FeedUnavailable and TooLarge."""
        request = self._request(
            start=query.start,
            end=query.end,
            sort=query.sort,
            from_=from_,
            size=size,
            include=query.include,
            exclude=query.exclude,
            days=self.form == "date",
        )
        try:
            answer = await self._send(request)
            self.clock.hear(answer)
            items = self._parse(answer)
        except AnswerTooLarge as error:
            raise TooLarge(str(error)) from None
        except HttpError as error:
            raise FeedUnavailable(str(error)) from error
        except FeedUnavailable as error:
            if error.status == 413:
                raise TooLarge(error.message, error.status, error.request_id) from None
            if error.status == 400 and from_ > 0:
                return ()  # beyond what can be paged through
            raise
        seen, behind = self.clock.now(), max(0, -self.clock.skew)
        return [
            intilery.to_event(body, self._identity, self._name, seen, notes, text, behind=behind)
            for body, notes, text in items
        ]

    async def hear(self) -> None:
        """Ask for something, to hear the platform's clock."""
        now = self.clock.time()
        await self.ask(Query(now - SECOND, now), 0, 1)

    async def learn_form(self) -> str:
        """Find out whether times are read to the millisecond: a recent event must be found by its own times."""
        now = self.clock.time()
        wide = Query(now - 7 * DAY, now + DAY, "desc")
        try:
            recent = await self.ask(wide, 0, 10)
        except FeedUnavailable as error:
            if error.status != 400 or self.form:
                raise
            self.form = "date"
            recent = await self.ask(wide, 0, 10)
        if not self.form:
            self.form = await self._form_by(recent)
        if self.form == "date":
            self.notes.add("the platform reads start and end as whole days: more than 10,000 events a day are too many")
        return self.form

    async def _form_by(self, events: Sequence[Event]) -> str:
        for event in events:
            times = sorted(at for time in _clocks(event) if (at := instant(time)) is not None)
            if len(times) == 2 and times[0] // DAY == times[1] // DAY:
                narrow = Query(times[0] - 1, times[1] + 1)
                found = await self.ask(narrow, 0, 100)
                return "datetime" if any(_within(event, narrow.start, narrow.end) for event in found) else "date"
        return ""


_NUMBERINGS: Final[Mapping[str, Numbering]] = {"hits": "hits", "pages": "pages"}


def _clocks(event: Event) -> tuple[object, ...]:
    return event.body.get("eventTime"), event.body.get("receivedTime")


def _action_of(event: Event) -> str | None:
    action = event.body.get("eventAction")
    return action if isinstance(action, str) and action and "," not in action and len(action) <= 100 else None


def _within(event: Event, start: Instant, end: Instant) -> bool:
    """Whether one of an event's times lies between two instants, or none can be read."""
    times = [at for time in _clocks(event) if (at := instant(time)) is not None]
    return not times or any(start <= at <= end for at in times)
