"""`intilery.profile_events`: what chosen customers do (Profiles API, *Get a Customer's Events*).

Reads: GET …/v1/profiles/{idType}:{id}/events by windows of time, one customer after the other. Keyed state: of each
watched id the moment up to which it was read, and where that began. An event that the account's feed shows too is one
event: it has the same id, and `event.feed` is the feed that saw it first. What becomes visible later than `overlap` is
not found. A 404 means that nobody has the id, or not yet: once somebody has it, they are read from the first of
the looks that found nobody.
"""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Final, Self

from msgspec.structs import replace
from pydantic import Field, PrivateAttr, model_validator

from connector.errors import FeedError, HttpError
from connector.feeds import Send, Span
from connector.feeds.cursor import Start, begin
from connector.feeds.timeline import Timeline
from connector.feeds.watch import Id, Watch
from connector.feeds.watching import Look, Looking, kept, known
from connector.model import DAY, HOUR, MINUTE, Event, Gap, Json, Now, Row
from connector.platforms.intilery import profiles

MOST: Final = 5_000  # events of one look; what is left waits for the next
_ID_TYPES: Final = {"user_id": "userId", "email": "email", "id": "id"}  # our kinds, and the platform's


class Customers(Watch):
    """user_ids, emails, ids (the platform's own): customers that are always watched."""

    kinds: ClassVar[tuple[str, ...]] = ("user_id", "email", "id")

    user_ids: tuple[Id, ...] = ()
    emails: tuple[Id, ...] = ()
    ids: tuple[Id, ...] = ()


class IntileryProfileEvents(Looking):
    """poll: how often each customer is looked at where the rate allows it. watch: which customers.

    start: where the first look at a customer begins; now: when it is first to be looked at. overlap: how far back each
    look reads again.
    """

    platform: ClassVar[str] = "intilery"
    kind: ClassVar[str] = "profile_events"
    example: ClassVar[str] = (
        "profile_events: {poll: 1m, start: now, overlap: 1h, watch: {user_ids: [ABC/123], emails: [ada@example.com],"
        " file: watched.txt, from: [{feed: intilery.events, path: event.userId}]}}"
    )

    poll: Span = MINUTE
    watch: Customers = Field(default_factory=lambda: Customers.model_validate({}))
    start: Start = "now"
    overlap: Span = HOUR

    _skew: int = PrivateAttr(default=0)
    _form: str = PrivateAttr(default="")
    _numbering: str = PrivateAttr(default="")
    _notes: set[str] = PrivateAttr(default_factory=set)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not MINUTE <= self.overlap <= 7 * DAY:
            raise ValueError("overlap must be between 1m and 7d")
        return self

    async def look(self, row: Row, send: Send, now: Now) -> Look:
        """See Looking. State: start, and at, the moment up to which was read."""
        timeline, before = self._timeline(row.key, send, now), known(row)
        state = before.get("state")
        if not timeline.form:
            await timeline.learn_form()
        begun, end = timeline.clock.now(), timeline.clock.time()
        if state is None:
            first = begin(self.start, min(before.get("since") or row.due or end, end))
            state = {"start": first, "at": first}
        start, at = state["start"], state["at"]
        reached, events, gaps = at, list[Event](), list[Gap]()
        try:
            async for piece in timeline.drain(max(start, min(at, end) - self.overlap), end, passes=1):
                events += piece.events
                if piece.upto is not None:
                    reached = max(reached, min(piece.upto, begun + timeline.clock.skew))
                    gaps += [piece.gap] if piece.gap else []
                    if len(events) >= MOST and reached > at:
                        break
        except (FeedError, HttpError):
            if reached <= at:
                raise
        self._learn(timeline)
        fresh = any(event.at > at for event in events)
        late = None if reached >= min(end, begun + timeline.clock.skew) or start >= end else max(1, reached)
        about = kept(row)
        told = tuple(_told(event, about) for event in events) if about else tuple(events)
        return Look({"start": start, "at": reached}, told, fresh, tuple(gaps), late)

    def _timeline(self, key: str, send: Send, now: Now) -> Timeline:
        kind, _, id = key.partition(":")
        timeline = Timeline(
            self._connection,
            (self.account, self.name),
            send,
            now,
            request=partial(profiles.profile_events, self._connection, f"{_ID_TYPES[kind]}:{id}"),
            parse=profiles.parse_profile_events,
        )
        timeline.knows(self._skew, self._form, self._numbering)
        return timeline

    def _learn(self, timeline: Timeline) -> None:
        """What one customer's answers teach holds for all."""
        self._skew = timeline.clock.skew
        self._form = timeline.form
        self._numbering = timeline.slices.numbering or ""
        self._notes.update(timeline.told())

    def told(self) -> tuple[str, ...]:
        """See Looking."""
        notes = tuple(sorted(self._notes))
        self._notes.clear()
        return notes


def _told(event: Event, about: Mapping[str, Json]) -> Event:
    """The event with what the event that told of its customer said."""
    return replace(event, body={**event.body, "watched": dict(about)}, text=b"")
