"""Poll: feed → events → inbox → outcomes → outbox. The only way in.

`take` is the heart: pages of one reader in one transaction. What it writes (unseen events, what the recipes made of
them, their deliveries and memory, the cursor) is committed together or not at all.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from connector.actions import Action, Destination, destinations_of
from connector.actions.writing import accounts, lane
from connector.feeds import Feed, Source
from connector.model import MINUTE, STORED_REASONS, Event, Instant, Outcome, Page, Planned, Rate, Reason, Row, canonical
from connector.recipe.connections import choose
from connector.recipe.evaluate import evaluate
from connector.recipe.index import Index
from connector.recipe.memory import Remembered
from connector.recipe.path import path
from connector.recipe.recipe import Recipe
from connector.recipe.scope import scope as scope_of
from connector.settings import Settings
from connector.store import inbox, memory, states
from connector.store.database import Store, Tx
from connector.store.regulations import Rules
from connector.store.runs import Ledger, Taken

MOST_WATCHED: Final = 500_000  # ids of one watch list: anyone can send events that show some
FEW: Final = 200  # events that are not worth a thread


@dataclass(frozen=True, slots=True)
class InService:
    """The recipes in service, and since when each is live. Swapped whole when files change."""

    index: Index
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    live_from: Mapping[str, Instant] = field(default_factory=dict)


log = logging.getLogger("connector.poll")
_path = lru_cache(maxsize=256)(path)


@dataclass(frozen=True, slots=True)
class Gates:
    """What holds for a planned delivery: the action's own word, else its destination's, else its kind's.

    destinations: accounts that are written to, too. accounts: the identity of each connection, by its name.
    """

    destinations: Mapping[str, Destination]
    accounts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "Gates":
        """What the settings say. Raises ConfigurationError with every mistake in destinations."""
        identities = {name: each.identity for name, each in settings.connections.items()}
        return cls({**destinations_of(settings), **accounts(settings.connections)}, identities)

    def receiver(self, planned: Planned, event: Event) -> str:
        """Whom the outbox has it for: a destination, or of what is written to a platform the account."""
        platform = Action.kinds[planned.kind].platform
        if platform is None:
            return planned.destination
        written = planned.destination.removeprefix("@")
        if not written and event.account.startswith(f"{platform}:"):
            return lane(event.account)
        known = {name: identity.partition(":")[0] for name, identity in self.accounts.items()}
        name = choose(platform, written or None, "", known)
        return f"@{written or platform}" if name is None else lane(self.accounts[name])

    def expires(self, planned: Planned) -> int | None:
        """Milliseconds until an unsent delivery is discarded, or None."""
        destination = self.destinations.get(planned.destination)
        return planned.expires or (destination and destination.expires) or Action.kinds[planned.kind].expires

    def guard(self, planned: Planned) -> Rate | None:
        """How many of a recipe may pass to a destination, or None."""
        destination = self.destinations.get(planned.destination)
        return planned.guard or (destination and destination.guard) or Action.kinds[planned.kind].guard

    def order_key(self, planned: Planned, event: Event) -> str | None:
        """The value of the destination's `order_by` in this event, or None."""
        destination = self.destinations.get(planned.destination)
        if destination is None or destination.order_by is None:
            return None
        value = _path(destination.order_by).get(scope_of(event))
        return None if value is None else canonical(value).decode()


@dataclass(slots=True)
class StoredMemory:
    """The recipes' memory as `evaluate` reads it, inside one transaction."""

    tx: Tx
    account: int

    def recall(self, recipe_id: str, account: str, keys: tuple[str, ...]) -> Remembered:  # noqa: ARG002  one account
        """The rows of this recipe that hold one of these keys."""
        return Remembered(memory.recall(self.tx, self.account, recipe_id, keys))


@dataclass(slots=True)
class WatchList:
    """A feed that learns from other feeds' events what to look at.

    many: the rows it has, counted at `counted` and again where they seem too many: some may have been dropped since.
    """

    feed: Feed
    many: int = 0
    counted: Instant | None = None

    def hear(self, store: Store, tx: Tx, events: Sequence[Event], now: Instant) -> None:
        """Keep the ids that the events show. Raises nothing for what events say, however odd."""
        shown: dict[str, Row] = {}
        for source in self.feed.sources:
            for event in events:
                if event.feed == source.feed and (row := _shown(source, event, now)) is not None:
                    shown[row.key] = row
        if not shown:
            return
        kept = states.StoredRows.within(tx, self.feed.account, self.feed.key)
        known = kept.get(shown)
        fresh = [row for row in shown.values() if row.key not in known]
        old = self.counted is None or not 0 <= now - self.counted < MINUTE
        if self.counted is None or (old and self.many + len(fresh) > MOST_WATCHED):
            self.many, self.counted = kept.count(), now
        room = max(0, MOST_WATCHED - self.many)
        if len(fresh) > room:
            log.error(
                "watch.full: ids that events show are not watched any more; forged events may have filled the list",
                extra={"feed": self.feed.name, "watched": self.many},
            )
        self.many += min(len(fresh), room)
        again = [row for row in shown.values() if row.key in known and _newly(row, known[row.key], self.feed.poll)]
        states.hear(store, tx, self.feed.account, self.feed.key, fresh[:room], again)


def _shown(source: Source, event: Event, now: Instant) -> Row | None:
    scope = scope_of(event)
    value = _path(source.path).get(scope)
    return None if value is None else source.row(value, {k: _path(p).get(scope) for k, p in source.keep.items()}, now)


def _newly(row: Row, known: Row, often: int) -> bool:
    """Whether it is worth writing down that an id was shown once more."""
    return row.about != known.about or row.heard - known.heard >= often


@dataclass(frozen=True, slots=True)
class Desk:
    """What taking a page needs: where it is written, which recipes are in service, and what the configuration says.

    resolve: looks at the runs that hold an action with `needs` (what they need may be dead from the start); gives the
    destinations that have something to send. watch_lists: the feeds that learn ids from what is taken.
    """

    store: Store
    service: Callable[[], InService]
    gates: Gates
    rules: Rules
    now: Callable[[], Instant]
    resolve: Callable[[Tx, set[int]], set[str]] = lambda _tx, _runs: set()
    watch_lists: Sequence[WatchList] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of some pages: new events, outcomes that fired, the destinations that have something to send.

    waiting: runs that began to wait for lookups.
    """

    events: int
    fired: int
    destinations: frozenset[str]
    waiting: int = 0


async def prepare(pages: Sequence[Page]) -> list[bytes]:
    """What can be done of `take` beside the running loop, where it is worth the way: compress what is to be kept."""
    events = [event for page in pages for event in page.events]
    return await asyncio.to_thread(inbox.packed, events) if len(events) > FEW else []


def take(desk: Desk, tx: Tx, pages: Sequence[Page], account: str, feed: str, payloads: Sequence[bytes] = ()) -> Receipt:
    """Write pages of one reader, in the one transaction that also holds all that comes of them.

    account: the connection's identity. feed: its platform and kind, e.g. `intilery.events`. payloads: see `prepare`.
    Raises CursorMoved when another poller was faster: then nothing is kept, and what they held will be read again.
    """
    now, service = desk.now(), desk.service()
    for page in pages:
        if page.cursor is not None:
            inbox.move(desk.store, tx, account, feed, page.reader, old=page.old, new=page.cursor, now=now)
        states.put(desk.store, tx, account, feed, page)
        for gap in page.gaps:
            inbox.report_gap(tx, feed, (gap.start, gap.end, gap.seen, gap.reason), now)
    fresh = inbox.add(desk.store, tx, [event for page in pages for event in page.events], now, payloads)
    if desk.watch_lists:
        seen = [event for _, event in fresh] + [event for page in pages for event in page.shown]
        for watch_list in desk.watch_lists:
            watch_list.hear(desk.store, tx, seen, now)
    if not fresh:
        return Receipt(0, 0, frozenset())
    number = desk.store.account(tx, account)
    taken, silent = decide(tx, service, number, fresh)
    ledger = Ledger(tx, desk.gates, desk.rules, now)
    kicked = ledger.write(number, taken, silent) | desk.resolve(tx, ledger.needy)
    fired = sum(one.outcome.reason == "fired" for one in taken)
    waits = sum(one.outcome.waits is not None for one in taken)
    return Receipt(len(fresh), fired, frozenset(kicked), waits)


def decide(
    tx: Tx, service: InService, account: int, fresh: Sequence[tuple[int, Event]]
) -> tuple[list[Taken], Counter[tuple[str, Reason]]]:
    """Evaluate each event with each recipe that its name wakes, in inbox order; limits remember as they go.

    The outcomes to be stored, and the runs that wait, with their events; of the others, how many by recipe and reason.
    """
    remembered = StoredMemory(tx, account)
    taken: list[Taken] = []
    silent: Counter[tuple[str, Reason]] = Counter()
    unmet: Counter[str] = Counter()  # by recipe, since this is how most evaluations end
    live_from = service.live_from
    for seq, event in fresh:
        candidates = service.index.candidates(event.feed, event.name)
        if not candidates:
            continue
        scope = scope_of(event)
        for recipe in candidates:
            try:
                outcome = evaluate(recipe, event, remembered, live_from=live_from[recipe.id], scope=scope)
            except Exception as error:  # noqa: BLE001  one event that meets a defect of ours must not hold up its feed
                outcome = _defect(recipe, event, error)
            if outcome.reason == "if":
                unmet[recipe.id] += 1
                continue
            if outcome.spent is not None:
                memory.keep(tx, account, recipe.memory_id, outcome.spent, outcome.now)
            if outcome.reason in STORED_REASONS or outcome.waits is not None:
                taken.append(Taken(seq, event, outcome))
            else:
                silent[recipe.id, outcome.reason] += 1
    silent.update({(recipe, "if"): n for recipe, n in unmet.items()})
    return taken, silent


def _defect(recipe: Recipe, event: Event, error: Exception) -> Outcome:
    log.error("recipe.defect", extra={"recipe": recipe.id, "event": event.id}, exc_info=error)
    detail = f"a defect of the connector: {type(error).__name__}"
    return Outcome(recipe.id, recipe.version, "error", detail, event.at)
