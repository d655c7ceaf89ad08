"""`intilery.profiles`: profiles that are created, and profiles that change (Profiles API, *Listing all … Profiles*).

Reads: GET …/v1/profiles, a hundred at a time by scrollId, all of them in a pass. Keyed state: of each profile a hash,
and how often it changed; two changes between two passes are one. The scrollId is committed with each part, so that a
stop in the middle costs nothing; one that has timed out begins the pass anew, which repeats no event.

The first pass is a baseline. It is through once a pass went from end to end without a break: after one, a repeated
scrollId may lead past what an answer that was lost had held. Until then a profile that is new to us is taken for one
that was there, unless the list says that it was created since the first request; one that changed meanwhile fires.
"""

from collections.abc import AsyncIterator, Mapping
from typing import ClassVar, Final, Literal, TypeVar

from msgspec.structs import replace

from connector.errors import FeedUnavailable, HttpError
from connector.feeds import Rows, Send, Span
from connector.feeds.comparing import Comparing, Mark
from connector.feeds.cursor import FRESH
from connector.feeds.kept import Change, Kept, digests_of
from connector.feeds.made import digest, made_event, made_id
from connector.feeds.watch import id_text
from connector.model import MINUTE, SECOND, Answer, Event, Instant, Now, Page, Request, Row, instant
from connector.platforms import answers, rescue
from connector.platforms.endpoint import Conversation
from connector.platforms.intilery import profiles
from connector.platforms.intilery.profiles import Profile, ProfilePage
from connector.settings import Connection

BOOKKEEPING: Final = ("lastActivityTime", "firstEvent", "lastEvent")  # in the list where it shows metadata
_COUNT_EVERY: Final = 100  # parts
_SPARE: Final = 10_000  # profiles that a list may show twice

T = TypeVar("T")


class _Mark(Mark, frozen=True, omit_defaults=True):
    """at: when the last whole pass began. since: what is created from then on is new, by the platform's clock.

    base: whether the baseline is through. Of the pass under way: begun; whole, it was not interrupted; scroll, where it
    goes on; first, the id its last part began with; given, how many profiles it showed. name: the scroll parameter's.
    """

    since: Instant = 0
    base: bool = False
    begun: Instant = 0
    whole: bool = False
    scroll: str = ""
    first: str = ""
    given: int = 0
    name: str = ""

    def stopped(self) -> "_Mark":
        """The same without its pass."""
        return replace(self, scroll="", first="", given=0, whole=False)


class IntileryProfiles(Comparing):
    """poll: how often a pass over all profiles begins. ignore: names of fields whose change is none.

    baseline: whether the profiles that the first pass finds fire.
    """

    platform: ClassVar[str] = "intilery"
    kind: ClassVar[str] = "profiles"
    example: ClassVar[str] = (
        "profiles: {poll: 15m, baseline: silent, ignore: [lastActivityTime, firstEvent, lastEvent]}"
    )

    mark: ClassVar[type[Mark]] = _Mark
    share: ClassVar[float] = 0.5  # a pass is long, and nothing else should wait for it

    poll: Span = 15 * MINUTE
    baseline: Literal["silent", "fire"] = "silent"
    ignore: tuple[str, ...] = BOOKKEEPING

    # ── reading ───────────────────────────────────────────────────────────────────────────────

    async def read(
        self, reader: str, cursors: Mapping[str, str], send: Send, now: Now, rows: Rows
    ) -> AsyncIterator[Page]:
        """See Feed. There is one reader, `fresh`; it goes on with the pass under way, or begins one."""
        old = cursors.get(reader)
        mark = _Mark.of(old) or _Mark(now())
        # The answer that its scrollId would bring may have been on its way when the reading stopped.
        mark = replace(mark, whole=False) if mark.scroll else mark
        walk, anew = _Walk(self, Kept(rows, by=_rule(self.ignore)), send, now), False
        while True:
            try:
                mark, page = await walk.step(mark, old)
            except _Repeats:
                yield Page(FRESH, old, replace(mark.stopped(), name="").text())
                raise
            except FeedUnavailable as error:
                if error.status != 400 or not mark.scroll or anew:
                    raise
                anew, mark = True, mark.stopped()
                page = Page(FRESH, old, mark.text(), notes=(_TIMED_OUT,))
            yield page
            old = page.cursor
            if walk.over and mark.base:
                return

    def fires(self, profile: Profile, change: Change, now: Instant) -> Event:
        """The event that a profile is."""
        action = "profile_created" if change.is_new else "profile_updated"
        ids = {"userId": profile.user_id, "customerId": profile.id, "email": profile.email}
        return made_event(
            self.account,
            self.name,
            made_id("profile", change.key, change.digest, change.count),
            action,
            profile.body,
            now=now,
            ids={name: id for name, id in ids.items() if id},
            raw={"traits": profile.body},
        )

    @property
    def connection(self) -> Connection:
        """Whose profiles."""
        return self._connection


class _Repeats(FeedUnavailable):
    """The list shows the same profiles again and again."""


class _Walk:
    """Passes over the list, part by part. over: a pass has just ended."""

    def __init__(self, feed: IntileryProfiles, kept: Kept, send: Send, now: Now) -> None:
        self.over = False
        self._feed, self._kept, self._send, self._now = feed, kept, send, now
        self._before: frozenset[str] = frozenset()  # ids of the part before
        self._parts = self._nameless = self._broken = 0

    async def step(self, mark: _Mark, old: str | None) -> tuple[_Mark, Page]:
        """The next part, and where the list stands then. Raises FeedError; _Repeats among them."""
        part, mark = await (self._following(mark) if mark.scroll else self._first(mark))
        mark = replace(mark, given=mark.given + len(part.profiles))
        self._parts += 1
        if self._parts % _COUNT_EVERY == 0 and mark.given > 2 * self._kept.rows.count() + _SPARE:
            raise _Repeats(f"the list of profiles shows the same ones again: {mark.given} by now, and no end")
        self._before = frozenset(one.id for one in part.profiles)
        self.over = not part.scroll_id
        events, shown, rows = self._taken(part, mark)
        notes: tuple[str, ...] = ()
        if self.over:
            notes = self._told()
            at = mark.begun if mark.whole else mark.at
            mark = replace(mark.stopped(), at=at, base=mark.base or mark.whole)
        else:
            mark = replace(mark, scroll=part.scroll_id, first=part.profiles[0].id)
        return mark, Page(FRESH, old, mark.text(), events, notes=notes, rows=rows, shown=shown)

    async def _first(self, mark: _Mark) -> tuple[ProfilePage, _Mark]:
        self._nameless = self._broken = 0
        begun = self._now()
        answer = await self._ask(profiles.profiles(self._feed.connection))
        since = mark.since or (answers.date(answer) or begun) + SECOND  # a Date is cut to the second
        return profiles.parse_page(answer), replace(mark, begun=begun, since=since, whole=True, given=0)

    async def _following(self, mark: _Mark) -> tuple[ProfilePage, _Mark]:
        connection = self._feed.connection
        talk = profiles.following(connection, mark.scroll, mark.first, mark.name, self._before)
        part, name = await self._hold(talk)
        if profiles.began_anew(part, mark.first, self._before):
            raise _Repeats(
                "the list of profiles begins anew at each request, whatever scrollId is sent: see `scroll` under"
                " `dialect`, and ask the platform's support for the parameter's name"
            )
        return part, replace(mark, name=name if part.profiles else mark.name)

    async def _hold(self, talk: Conversation[T]) -> T:
        request = next(talk)
        while True:
            try:
                request = talk.send(await self._ask(request))
            except StopIteration as end:
                found: T = end.value
                return found

    async def _ask(self, request: Request) -> Answer:
        try:
            return await self._send(request)
        except HttpError as error:
            raise FeedUnavailable(str(error)) from None

    def _taken(self, part: ProfilePage, mark: _Mark) -> tuple[list[Event], list[Event], list[Row]]:
        """What fires, what is shown of the baseline, and the rows."""
        found: dict[str, Profile] = {}
        for one in part.profiles:
            if id_text(one.id) is None:
                self._nameless += 1
            elif rescue.is_reduced(dict(one.body)):
                self._broken += 1
            else:
                found.setdefault(one.id, one)
        ignored = frozenset(self._feed.ignore)
        digests, broken = digests_of(
            {id: {name: value for name, value in one.body.items() if name not in ignored} for id, one in found.items()}
        )
        self._broken += broken
        rows, changes = self._kept.take(digests)
        silent, at = self._feed.baseline == "silent" and not mark.base, self._now()
        events: list[Event] = []
        shown: list[Event] = []
        for change in changes:
            profile = found[change.key]
            event = self._feed.fires(profile, change, at)
            there = silent and change.is_new and not _created_since(profile, mark.since)
            (shown if there else events).append(event)
        return events, shown, rows

    def _told(self) -> tuple[str, ...]:
        reasons = ((self._nameless, "have no id that can be read"), (self._broken, "hold what cannot be read"))
        return tuple(f"{many} profiles {reason}, and are left out" for many, reason in reasons if many)


_TIMED_OUT: Final = "the scrollId of the list of profiles timed out in the middle of a pass: it begins anew"


def _created_since(profile: Profile, since: Instant) -> bool:
    by = profile.body.get("createdBy")
    created = instant(by.get("createdTime")) if isinstance(by, dict) else None
    return created is not None and created >= since


def _rule(ignore: tuple[str, ...]) -> str:
    """What tells hashes that leave these out from others."""
    return digest(sorted(set(ignore)))[:8]
