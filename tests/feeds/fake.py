"""A scripted platform behind a fake door, with a clock of its own, and a poller that keeps what the feed gives it.

The platform decides every point that Intilery's documents leave open by a switch; events may be shown late, be erased
or be added while pages are read, and answers may be broken.
"""

import json
import random
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from connector.errors import FeedError
from connector.feeds import feeds_of
from connector.feeds.cursor import FRESH
from connector.feeds.intilery_events import IntileryEvents
from connector.model import DAY, HOUR, MINUTE, SECOND, Answer, Event, Gap, Request, instant, instant_text
from connector.settings import load

NOON = 1_793_534_400_000  # 2026-11-01T12:00:00Z
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One event as the platform keeps it. visible: when the feed begins to show it."""

    id: str
    time: int
    received: int
    visible: int
    action: str = "product_added"
    extra: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def text(self) -> bytes:
        body = {
            "eventId": self.id,
            "eventTime": instant_text(self.time),
            "receivedTime": instant_text(self.received),
            "eventAction": self.action,
            "userId": f"user-{self.id}",
            "rawData": {"event": self.action, "properties": {"price": "9.99"}},
        } | dict(self.extra)
        return json.dumps(body).encode()


@dataclass
class Platform:
    """numbering hits|pages; clock eventTime|receivedTime; edges inclusive|exclusive|half_open; ties stable|random;
    beyond 400|empty; form datetime|date|refused; skew: milliseconds its clock is ahead of the poller's.
    """

    numbering: str = "hits"
    clock: str = "receivedTime"
    edges: str = "inclusive"
    ties: str = "stable"
    beyond: str = "400"
    form: str = "datetime"
    skew: int = 0
    now: int = NOON  # the poller's clock
    pace: int = 20  # milliseconds that a request takes
    requests: list[dict[str, str]] = field(default_factory=list)
    before: list[Callable[[dict[str, str]], Answer | None]] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    _entries: list[Entry] = field(default_factory=list)
    _times: list[int] = field(default_factory=list)
    _all_visible: int = 0
    _answers: dict[str, list[Entry]] = field(default_factory=dict)  # the same until something is added or erased

    @property
    def time(self) -> int:
        return self.now + self.skew

    def add(self, *entries: Entry) -> None:
        self._entries = sorted([*self._entries, *entries], key=self._time_of)
        self._times = [self._time_of(entry) for entry in self._entries]
        self._answers.clear()
        self._all_visible = max((entry.visible for entry in self._entries), default=0)

    def erase(self, gone: Callable[[Entry], bool]) -> None:
        kept = [entry for entry in self._entries if not gone(entry)]
        self._entries = []
        self.add(*kept)

    def _time_of(self, entry: Entry) -> int:
        return entry.time if self.clock == "eventTime" else entry.received

    async def send(self, request: Request) -> Answer:
        self.now += self.pace
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        self.requests.append(query)
        for interfere in list(self.before):
            answer = interfere(query)
            if answer is not None:
                return answer
        return self.answer(query)

    def answer(self, query: dict[str, str]) -> Answer:
        size, skip = int(query["size"]), int(query["from"])
        skip = skip * size if self.numbering == "pages" else skip
        if self.form == "refused" and len(query["start"]) > 10:
            return refused(400, "start must be a date")
        if skip + size > 10_000:
            return refused(400, "too far") if self.beyond == "400" else events((), self.time)
        key = str([item for item in sorted(query.items()) if item[0] not in ("from", "size")])
        found = self._answers.get(key) or self._found(query)
        if self._all_visible <= self.time:
            self._answers[key] = found
        page = self._cut(found[::-1] if query["sort"] == "desc" else found, skip, size)
        return events([entry.text for entry in page], self.time)

    def _found(self, query: dict[str, str]) -> list[Entry]:
        start, end = (instant(query[name]) or 0 for name in ("start", "end"))
        if self.form == "date":
            start, end = start // DAY * DAY, end // DAY * DAY
        low = (bisect_right if self.edges == "exclusive" else bisect_left)(self._times, start)
        high = (bisect_right if self.edges == "inclusive" else bisect_left)(self._times, end)
        found = self._entries[low:high]
        if self._all_visible <= self.time and not query.keys() & {"include", "exclude"}:
            return found
        excluded = query.get("exclude", "").split(",")
        return [
            entry
            for entry in found
            if entry.visible <= self.time
            and entry.action not in excluded
            and query.get("include", entry.action) == entry.action
        ]

    def _cut(self, found: list[Entry], skip: int, size: int) -> list[Entry]:
        page = found[skip : skip + size]
        if self.ties != "random" or not page:
            return page
        first, last = skip, skip + len(page)
        while first and self._time_of(found[first - 1]) == self._time_of(page[0]):
            first -= 1
        while last < len(found) and self._time_of(found[last]) == self._time_of(page[-1]):
            last += 1
        mixed: list[Entry] = []
        for _, tied in groupby(found[first:last], key=self._time_of):
            group = list(tied)
            self.dice.shuffle(group)
            mixed += group
        return mixed[skip - first : skip - first + size]


def events(texts: Iterable[bytes], date: int = NOON) -> Answer:
    return Answer(200, {"date": http_date(date)}, b'{"data":[' + b",".join(texts) + b"]}")


def refused(status: int, message: str = "no") -> Answer:
    return Answer(status, {}, json.dumps({"error": {"code": "e", "message": message}}).encode())


def http_date(at: int) -> str:
    from email.utils import formatdate

    return formatdate(at / 1000, usegmt=True)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run what never really waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("it waited")


URL = "https://tracking.intilery.com"
YAML = """
connections:
  intilery:
    client_id: acme
    account_id: acme
    brand_id: ACME
    base_url: {url}
    auth_token: ${{INTILERY_TOKEN}}
    dialect: {dialect}
    feeds:
      events: {options}
"""


def feed(folder: Path, options: str = "{}", dialect: str = "{}", url: str = URL) -> IntileryEvents:
    file = folder / "connector.yaml"
    file.write_text(YAML.format(options=options, dialect=dialect, url=url))
    found = feeds_of(load(file, {"INTILERY_TOKEN": "t0p"}).connections["intilery"])
    assert isinstance(found[0], IntileryEvents)
    return found[0]


@dataclass
class Poller:
    """What poll does with a feed: commits pages by compare-and-set, reads fresh first, then what is due.

    platform: what answers, with the poller's clock. drive: runs what is awaited.
    """

    feed: IntileryEvents
    platform: Any
    drive: Callable[[Coroutine[Any, Any, None]], None] = at_once
    cursors: dict[str, str] = field(default_factory=dict)
    inbox: dict[str, Event] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[FeedError] = field(default_factory=list)

    async def _read(self, reader: str) -> None:
        platform = self.platform
        async for page in self.feed.read(reader, self.cursors, platform.send, lambda: platform.now):
            assert page.old == self.cursors.get(page.reader)
            for event in page.events:
                self.inbox.setdefault(event.id, event)
                self.seen[event.id] += 1
            self.gaps += page.gaps
            self.notes += page.notes
            if page.cursor is not None:
                self.cursors[page.reader] = page.cursor

    def read(self, reader: str = FRESH) -> None:
        self.drive(self._read(reader))

    def poll(self) -> None:
        """One beat: fresh, then whoever is due."""
        try:
            self.read()
            for reader in self.feed.due(self.cursors, self.platform.now):
                self.read(reader)
        except FeedError as error:
            self.errors.append(error)

    def run(self, *, until: int, every: int = 10 * SECOND) -> None:
        while self.platform.now < until:
            begun = self.platform.now
            self.poll()
            self.platform.now = max(self.platform.now, begun + every)

    def run_to_the_end(self) -> None:
        """Until every age has passed over what is there, in longer and longer beats."""
        now = self.platform.now
        for length, every in (
            (MINUTE, 10 * SECOND),
            (10 * MINUTE, MINUTE),
            (2 * HOUR, 10 * MINUTE),
            (8 * DAY, 6 * HOUR),
        ):
            self.run(until=now + length, every=every)
