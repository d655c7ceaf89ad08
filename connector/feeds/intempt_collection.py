"""`intempt.collection`: items that come into chosen collections, and items that change (API reference of 2021).

Reads: GET /v1/{org}/collections/{id}/data, all of a collection at each look, since no parameters are documented; a
`next` is followed on the same host and path only. Keyed state: of each item a hash of its data, and how often it
changed. Two changes between two looks are one; an item that vanishes tells nothing, and nothing new when it comes back
as it was. An item without an id can't be told from others, and is left out with a note. The first reading of a
collection is a baseline, through only once all of it was read: until then only what is known already and changes fires.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from connector.errors import FeedError, FeedRefused, FeedUnavailable, HttpError
from connector.feeds import Rows, Send, Span
from connector.feeds.comparing import Comparing, Mark
from connector.feeds.cursor import FRESH
from connector.feeds.kept import Change, Kept, digests_of
from connector.feeds.made import made_event, made_id
from connector.feeds.watch import id_text
from connector.model import MINUTE, Event, Instant, Now, Page
from connector.platforms import answers
from connector.platforms.intempt.collections import Item, Items, items, parse_items

TOGETHER: Final = 200  # items of a page
_ALL: Final = frozenset({402, 410, 429})  # refusals that are not about one collection


def _collection(value: object) -> str:
    text = answers.text_id(value)
    if not re.fullmatch(r"[\w-]{1,64}", text):
        raise ValueError("expected the id of a collection, such as 19554189106348032")
    return text


def _once(ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


class _Mark(Mark, frozen=True, omit_defaults=True):
    """at: when everything was read last. read: the collections whose first reading is through."""

    read: tuple[str, ...] = ()


class IntemptCollection(Comparing):
    """poll: how often the collections are read. collections: the ids of those that are.

    baseline: whether what the first reading of a collection finds fires.
    """

    platform: ClassVar[str] = "intempt"
    kind: ClassVar[str] = "collection"
    example: ClassVar[str] = "collection: {collections: [19554189106348032], poll: 5m, baseline: silent}"

    poll: Span = 5 * MINUTE
    collections: Annotated[
        tuple[Annotated[str, BeforeValidator(_collection)], ...], Field(min_length=1), AfterValidator(_once)
    ]
    mark: ClassVar[type[Mark]] = _Mark

    baseline: Literal["silent", "fire"] = "silent"

    # ── reading ───────────────────────────────────────────────────────────────────────────────

    async def read(
        self, reader: str, cursors: Mapping[str, str], send: Send, now: Now, rows: Rows
    ) -> AsyncIterator[Page]:
        """See Feed. There is one reader, `fresh`; one collection that cannot be read does not stop the others."""
        old, begun, kept = cursors.get(reader), now(), Kept(rows)
        mark = _Mark.of(old) or _Mark(begun)
        mark = _Mark(mark.at, tuple(id for id in mark.read if id in self.collections))
        failed: dict[str, FeedError] = {}
        for id in self.collections:
            silent = self.baseline == "silent" and id not in mark.read
            reading = _Reading(self, id, kept, now, silent=silent)
            try:
                async for page in reading.pages(send, old):
                    yield page
            except FeedRefused:
                raise
            except FeedError as error:
                if error.status in _ALL:
                    raise
                failed[id] = error
                continue
            if id not in mark.read:
                mark = _Mark(mark.at, (*mark.read, id))
                yield Page(FRESH, old, mark.text())
                old = mark.text()
        if len(failed) == len(self.collections):
            raise _all_failed(failed)
        notes = tuple(f"collection {id} cannot be read: {error}" for id, error in failed.items())
        at = mark.at if failed else max(begun, mark.at)
        yield Page(FRESH, old, _Mark(at, mark.read).text(), notes=notes)

    def fires(self, id: str, item: Item, change: Change, now: Instant) -> Event:
        """The event that an item is."""
        action = "item_created" if change.is_new else "item_updated"
        return made_event(
            self.account,
            self.name,
            made_id("item", id, item.id, change.digest, change.count),
            action,
            item.data,
            now=now,
            ids={"collectionId": id, "itemId": item.id},
        )

    async def part(self, id: str, after: str, send: Send) -> Items:
        """A collection's items, or those that a link leads to. Raises FeedError."""
        try:
            return parse_items(await send(items(self._connection, id, after=after)))
        except HttpError as error:
            raise FeedUnavailable(str(error)) from None


@dataclass(slots=True)
class _Reading:
    """One collection, read once. silent: new items do not fire."""

    feed: IntemptCollection
    id: str
    kept: Kept
    now: Now
    silent: bool
    _seen: set[str] = field(default_factory=set)
    _nameless: int = 0
    _twice: int = 0
    _broken: int = 0

    async def pages(self, send: Send, old: str | None) -> AsyncIterator[Page]:
        """What is new or has changed in it, and what a person should know. Raises FeedError."""
        after, followed = "", set[str]()
        while True:
            part = await self.feed.part(self.id, after, send)
            many = len(self._seen)
            self._broken += part.broken
            for n in range(0, len(part.items), TOGETHER):
                page = self._page(part.items[n : n + TOGETHER], old)
                if page is not None:
                    yield page
                await asyncio.sleep(0)  # a long list must not hold up everything else
            if not part.next or not part.items:
                break
            followed.add(after)
            after = part.next
            if after in followed or len(self._seen) == many:
                raise FeedUnavailable(f"the list goes on with a part that was read already: {after}")
        notes = self._told(whole=not followed)
        if notes:
            yield Page(FRESH, old, notes=notes)

    def _page(self, items: Sequence[Item], old: str | None) -> Page | None:
        found: dict[str, Item] = {}
        for item in items:
            if id_text(item.id) is None:
                self._nameless += 1
            elif item.id in self._seen:
                self._twice += 1
            else:
                self._seen.add(item.id)
                found[item.id] = item
        keyed = {f"{self.id}:{id}": item for id, item in found.items()}
        digests, broken = digests_of({key: item.data for key, item in keyed.items()})
        self._broken += broken
        rows, changes = self.kept.take(digests)
        if not rows:
            return None
        at = self.now()
        events = [self.feed.fires(self.id, keyed[change.key], change, at) for change in changes]
        if not self.silent:
            return Page(FRESH, old, events=events, rows=rows)
        told = [event for event, change in zip(events, changes, strict=True) if not change.is_new]
        shown = [event for event, change in zip(events, changes, strict=True) if change.is_new]
        return Page(FRESH, old, events=told, rows=rows, shown=shown)

    def _told(self, *, whole: bool) -> tuple[str, ...]:
        """whole: the list came in one part; between parts items may have moved, so that some come again."""
        notes = []
        if self._nameless:
            notes.append(f"collection {self.id}: {self._nameless} items have no id that can be read, and are left out")
        if self._broken:
            notes.append(f"collection {self.id}: {self._broken} items hold what cannot be read, and are left out")
        if self._twice and whole:
            notes.append(f"collection {self.id}: {self._twice} items have the id of one before them, which counts")
        return tuple(notes)


def _all_failed(failed: Mapping[str, FeedError]) -> FeedUnavailable:
    *_, (id, last) = failed.items()
    which = f"collection {id}" if len(failed) == 1 else f"none of the {len(failed)} collections"
    said = last.message if len(failed) == 1 else f"{id}: {last.message}"
    how = "cannot be read" if len(failed) == 1 else "can be read"
    return FeedUnavailable(
        f"{which} {how}; see `collections` in the configuration; {said}",
        last.status,
        last.request_id,
        retry_after_ms=last.retry_after_ms,
    )
