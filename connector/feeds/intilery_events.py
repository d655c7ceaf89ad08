"""`intilery.events`: everything that the customers of one Intilery account do (Events API document).

Reads: GET …/v1/events by windows of time. Cursor: a moment of our own clock, corrected by the answers' `Date`; never
anything an event says. An event without a usable eventId gets the hash of its canonical JSON.
"""

from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Annotated, ClassVar, Final, Self

from msgspec.structs import replace
from pydantic import AfterValidator, model_validator

from connector.feeds import Feed, Rows, Send, Span
from connector.feeds.cursor import AGES, FRESH, OVERLAP, Cursor, Start, begin, read_cursor, step, unread, with_first
from connector.feeds.timeline import Timeline
from connector.feeds.window import Piece
from connector.model import DAY, MINUTE, SECOND, Instant, Now, Page, instant, span_text
from connector.platforms import intilery

_PASSES: Final = 3  # over a window that changes while it is read again
_FORWARD: Final = 5 * SECOND  # so far may a cursor lie in the future: the platform's clock is only guessed
_LOOK_AGAIN: Final = 10 * MINUTE


def _action(text: str) -> str:
    if not text.strip() or "," in text:
        raise ValueError("expected one event action, such as page")
    return text


class IntileryEvents(Feed):
    """lag: how far each fresh window reaches back. overlap: one of the ages at which everything is read again.

    start: where the first run begins. exclude: event actions that are not asked for.
    """

    platform: ClassVar[str] = "intilery"
    kind: ClassVar[str] = "events"
    example: ClassVar[str] = "events: {poll: 10s, lag: 10s, overlap: 15m, settle: 2m, start: now, exclude: [page]}"

    lag: Span = 10 * SECOND
    overlap: Span = 15 * MINUTE
    start: Start = "now"
    exclude: tuple[Annotated[str, AfterValidator(_action)], ...] = ()

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.lag <= self.overlap <= 7 * DAY or self.overlap < MINUTE:
            raise ValueError("overlap must be between 1m and 7d, and no less than lag")
        return self

    @property
    def ages(self) -> dict[str, int]:
        """The readers that read again, each with its age."""
        return {**AGES, OVERLAP: self.overlap}

    # ── reading ───────────────────────────────────────────────────────────────────────────────

    def read(
        self,
        reader: str,
        cursors: Mapping[str, str],
        send: Send,
        now: Now,
        rows: Rows | None = None,  # noqa: ARG002
    ) -> AsyncIterator[Page]:
        """See Feed. Readers: `fresh` and the names of `ages`."""
        account = Timeline(
            self._connection,
            (self.account, self.name),
            send,
            now,
            request=partial(intilery.events_request, self._connection),
            parse=intilery.parse_events,
            exclude=self.exclude,
        )
        return self._fresh(cursors, account) if reader == FRESH else self._again(reader, cursors, account)

    async def _fresh(self, cursors: Mapping[str, str], account: Timeline) -> AsyncIterator[Page]:
        """From `lag` before the cursor to the platform's now; at the first run, from `start`."""
        old = cursors.get(FRESH)
        mark = read_cursor(old) if old else await self._first_run(account)
        account.knows(mark.skew, mark.form, mark.numbering)
        mark = await self._look(mark, account)
        if self._seems_ahead(mark, account.clock.time()):
            await account.hear()  # somebody may have set our clock
        begun, end = account.clock.now(), account.clock.time()
        mark = self._not_ahead(mark, end, account)
        if not old:
            yield Page(FRESH, None, mark.text(), notes=account.told())
            old = mark.text()
        ages = self.ages
        places = {ages[name]: self._place(name, cursors, mark) for name in ages}
        async for piece in account.drain(max(mark.start, mark.at - self.lag), end, passes=1):
            if piece.upto is None:
                yield Page(FRESH, old, events=piece.events)
                continue
            # Where the answers show that our clock is ahead, the window's end had not come yet.
            at = max(mark.at, min(piece.upto, begun + account.clock.skew))
            mark = replace(
                mark,
                at=at,
                skew=account.clock.skew,
                numbering=account.slices.numbering or "",
                firsts=with_first(mark.firsts, (mark.at, at, end), places),
            )
            yield _moved(FRESH, old, mark, piece, account)
            old = mark.text()

    async def _first_run(self, account: Timeline) -> Cursor:
        """Where the first run begins. Asks for something, to hear the platform's clock."""
        form = await account.learn_form()
        now = account.clock.time()
        start = begin(self.start, now)
        return Cursor(at=start, start=start, skew=account.clock.skew, form=form, looked=now)

    async def _look(self, mark: Cursor, account: Timeline) -> Cursor:
        """Try again what form times have, where there was no event to try it with so far."""
        now = account.clock.time()
        if account.form or now - mark.looked < _LOOK_AGAIN:
            return mark
        form = await account.learn_form()
        # Whole days, it turns out: what was asked for until now may have been answered with nothing.
        at = mark.start if form == "date" else mark.at
        return replace(mark, at=at, form=form, looked=now)

    def _not_ahead(self, mark: Cursor, now: Instant, account: Timeline) -> Cursor:
        """A cursor that lies in the future is pulled back: the clock it came from was wrong."""
        if not self._seems_ahead(mark, now):
            return mark
        chosen = instant(self.start) or 0
        account.notes.add(f"the cursor was {span_text((mark.at - now) // SECOND * SECOND)} ahead: pulled back")
        start = min(mark.start, max(now, chosen))
        return replace(mark, at=max(start, now - self.overlap), start=start, firsts=())

    def _seems_ahead(self, mark: Cursor, now: Instant) -> bool:
        return mark.at > max(now, instant(self.start) or 0) + _FORWARD

    async def _again(self, reader: str, cursors: Mapping[str, str], account: Timeline) -> AsyncIterator[Page]:
        """What the fresh reader has read and is by now as old as this reader's age."""
        fresh = read_cursor(cursors[FRESH])
        account.knows(fresh.skew, fresh.form, fresh.numbering)
        old, age, now = cursors.get(reader), self.ages[reader], account.clock.time()
        at = self._place(reader, cursors, fresh)
        if old and self._is_ahead(at, fresh, now - age):
            at = now - age
            yield Page(
                reader, old, Cursor(at=at).text(), notes=(f"the reader {reader} was ahead of its age: pulled back",)
            )
            old = Cursor(at=at).text()
        while True:
            begin, end = unread(at, min(fresh.at, now - age), age, fresh.firsts)
            if begin >= end:
                return
            async for piece in account.drain(begin, end, passes=_PASSES):
                if piece.upto is None:
                    yield Page(reader, old, events=piece.events)
                    continue
                mark = Cursor(at=piece.upto)
                yield _moved(reader, old, mark, piece, account)
                at, old = mark.at, mark.text()

    # ── where the readers stand ───────────────────────────────────────────────────────────────

    def due(self, cursors: Mapping[str, str], now: Instant) -> list[str]:
        """See Feed."""
        if FRESH not in cursors:
            return []
        fresh = read_cursor(cursors[FRESH])
        since = {}
        for reader, age in self.ages.items():
            newest = now + fresh.skew - age
            at = self._place(reader, cursors, fresh)
            begin, end = unread(at, min(fresh.at, newest), age, fresh.firsts)
            # Less than a step is left to gather, unless a stretch that is left out follows.
            enough = end - begin >= step(age) or begin < end < min(fresh.at, newest)
            if enough or self._is_ahead(at, fresh, newest):
                since[reader] = begin + age + step(age)
        return sorted(since, key=since.__getitem__)

    def behind(self, cursors: Mapping[str, str], now: Instant) -> dict[str, int]:
        """See Feed."""
        if FRESH not in cursors:
            return {}
        fresh = read_cursor(cursors[FRESH])
        late = {FRESH: max(0, now + fresh.skew - fresh.at)}
        for reader, age in self.ages.items():
            newest = now + fresh.skew - age
            late[reader] = max(0, newest - unread(self._place(reader, cursors, fresh), newest, age, fresh.firsts)[0])
        return late

    def read_to(self, cursors: Mapping[str, str]) -> Instant | None:
        """See Feed."""
        return read_cursor(cursors[FRESH]).at if FRESH in cursors else None

    def rewind(self, cursor: str | None, to: Instant) -> str:
        """See Feed. The fresh reader's way back before its `start` moves that too."""
        mark = read_cursor(cursor) if cursor else Cursor(at=to, start=to)
        return replace(mark, at=to, start=min(mark.start, to)).text()

    def _place(self, reader: str, cursors: Mapping[str, str], fresh: Cursor) -> Instant:
        """Where a reader that reads again stands, at `start` before its first time."""
        at = read_cursor(cursors[reader]).at if reader in cursors else fresh.start
        return max(at, fresh.start)

    @staticmethod
    def _is_ahead(at: Instant, fresh: Cursor, newest: Instant) -> bool:
        """Whether a reader has passed its age: the clock was wrong then, or `overlap` is longer now."""
        return at > max(newest, fresh.start) + _FORWARD


def _moved(reader: str, old: str | None, mark: Cursor, piece: Piece, account: Timeline) -> Page:
    gaps = (piece.gap,) if piece.gap else ()
    return Page(reader, old, mark.text(), gaps=gaps, notes=account.told())
