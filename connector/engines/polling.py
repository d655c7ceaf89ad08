"""One feed's turns: the fresh window first, then what is to be read again, within the connection's budget.

A turn that fails leaves the cursor where it is; how soon the next one comes depends on why.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Final

from connector.engines.ahead import Ahead
from connector.errors import FeedError, FeedRefused, SecretMissing
from connector.feeds import Feed, Send
from connector.feeds.cursor import FRESH
from connector.http import Bucket
from connector.model import DAY, MINUTE, SECOND, Answer, Instant, Page, Rate, Request
from connector.poll import Desk, Receipt, prepare, take
from connector.settings import Connection
from connector.store import inbox
from connector.store.inbox import CursorMoved
from connector.store.states import StoredRows
from connector.store.tables import FeedState

log = logging.getLogger("connector.poll")

LONGEST_BACKOFF: Final = 5 * MINUTE
REFUSED_WAIT: Final = 5 * MINUTE
LONGEST_RETRY_AFTER: Final = 60 * MINUTE
NOTED: Final = DAY  # so long `status` shows a note
MOST_NOTES: Final = 5


@dataclass
class Line:
    """A connection's line to its platform: one rate for everything that asks it; polling goes first."""

    bucket: Bucket
    send: Send
    asked: int = 0

    async def __call__(self, request: Request) -> Answer:
        """Send once the rate allows it."""
        await self.bucket.wait(priority=1)
        self.asked += 1
        return await self.send(request)

    async def after_polling(self, request: Request) -> Answer:
        """Send once the rate allows it and no feed wants to."""
        await self.bucket.wait()
        return await self.send(request)

    def slow_down(self, milliseconds: int) -> None:
        """The platform wants to be left alone for so long."""
        self.bucket.slow_down(milliseconds)


@dataclass
class Polling:
    """A feed and how it fares. send: its door, by default the whole line.

    kick: told the destinations that have something new; look_up: that runs wait.
    """

    feed: Feed
    connection: Connection
    line: Line
    desk: Desk
    kick: Callable[[set[str]], None]
    look_up: Callable[[], None] = lambda: None
    send: Send | None = None
    random: Callable[[], float] = SystemRandom().random
    failures: int = 0
    not_before: Instant = 0
    error: str = ""
    fingerprint: str | None = None  # of a token that is refused: another one is a reason to ask at once
    stopping: bool = False
    suspended: dict[str, Ahead] = field(default_factory=dict)
    notes: dict[str, Instant] = field(default_factory=dict)

    async def turn(self) -> int | None:
        """Read what there is; milliseconds after which to come again sooner or later than usual, or None."""
        now = self.desk.now()
        if now < self.not_before and not self._secret_changed():
            return None
        wait = None
        try:
            await self._drain(FRESH)
            self.failures, self.error, self.not_before = 0, "", 0
            await self._again(now + self.feed.poll * 9 // 10)
        except FeedError as error:
            wait = self._failed(error)
        except SecretMissing as error:
            wait = self._failed(FeedRefused(str(error)))
        except CursorMoved as error:
            log.warning("feed.cursor_moved", extra={"feed": self.feed.name, "reason": str(error)})
        self._write_down(now)
        if wait is None and self.desk.now() - now >= self.feed.poll:
            return 0  # the turn that was due meanwhile was passed over
        return wait

    async def _again(self, end: Instant) -> None:
        """Read again what is of age, with at most half the connection's rate, until the next fresh read is due."""
        budget, begun = self._budget(), self.line.asked
        for reader in self.feed.due(self._cursors(), self.desk.now()):
            if await self._drain(reader, until=lambda: self.line.asked - begun >= budget or self.desk.now() >= end):
                return

    def _budget(self) -> float:
        rate = self.connection.rate
        if rate.per is None or rate.count == 0:
            return float("inf")
        return max(1.0, rate.count / rate.per * self.feed.poll / 2)

    async def _drain(self, reader: str, until: Callable[[], bool] = lambda: False) -> bool:
        """Take a reader's pages as they come; True when stopped by `until`. The next is asked for meanwhile.

        What was stopped goes on at its next turn where it stood: a cursor moves only when a whole stretch was read, so
        beginning anew each time would never finish where the platform is slow.
        """
        pages_of = self.suspended.pop(reader, None)
        send = self.send or self.line
        ahead = pages_of or Ahead(self.feed.read(reader, self._cursors(), send, self.desk.now, self._rows()))
        try:
            while pages := await ahead.some():
                self._took(pages, await self._take(pages))
                if self.stopping:
                    return True
                if until():
                    self.suspended[reader] = ahead
                    return True
        finally:
            if reader not in self.suspended:
                await ahead.close()
        return False

    async def close(self) -> None:
        """Ask for nothing more."""
        self.stopping = True
        for ahead in self.suspended.values():
            await ahead.close()

    async def _take(self, pages: Sequence[Page]) -> Receipt:
        payloads = await prepare(pages)
        return await self.desk.store.transact(
            lambda tx: take(self.desk, tx, pages, self.feed.account, self.feed.key, payloads)
        )

    def _took(self, pages: Sequence[Page], receipt: Receipt) -> None:
        if receipt.destinations:
            self.kick(set(receipt.destinations))
        if receipt.waiting:
            self.look_up()
        for page in pages:
            for gap in page.gaps:
                log.error("feed.gap", extra={"feed": self.feed.name, "seen": gap.seen, "reason": gap.reason})
            for note in page.notes:
                log.warning("feed.note: %s", note, extra={"feed": self.feed.name})
                self._note(note)

    def _note(self, note: str) -> None:
        """Keep what a person should know, the latest last; not for ever, and not without limit."""
        now = self.desk.now()
        young = [(text, at) for text, at in self.notes.items() if text != note and at > now - NOTED]
        self.notes = dict([*young[1 - MOST_NOTES :], (note, now)])

    def _rows(self) -> StoredRows:
        return StoredRows(self.desk.store.read, self.feed.account, self.feed.key)

    def _cursors(self) -> dict[str, str]:
        store = self.desk.store
        with store.read() as tx:
            row = tx.one("SELECT 1 FROM accounts WHERE identity = ?", (self.feed.account,))
            return inbox.cursors(store, tx, self.feed.account, self.feed.key) if row else {}

    # ── when it fails ─────────────────────────────────────────────────────────────────────────

    def _failed(self, error: FeedError) -> int:
        self.failures += 1
        self.error = self.connection.token.vault.redact(str(error))  # the platform may repeat what it was sent
        self.fingerprint = None
        if isinstance(error, FeedRefused):
            wait = REFUSED_WAIT
            self.fingerprint = self._fingerprint()
        else:
            longest = min(SECOND << min(self.failures - 1, 20), LONGEST_BACKOFF)
            wait = max(int(longest * self.random()), min(error.retry_after_ms or 0, LONGEST_RETRY_AFTER))
            if error.status == 429:
                self.line.bucket.slow_down(wait)
        self.not_before = self.desk.now() + wait
        facts = {"feed": self.feed.name, "reason": self.error, "failures": self.failures, "again_in_ms": wait}
        log.warning("feed.failed", extra=facts)
        return wait

    def _fingerprint(self) -> str:
        try:
            return self.connection.token.fingerprint()
        except Exception:  # noqa: BLE001  a secret that can't be read is one more way to differ
            return ""

    def _secret_changed(self) -> bool:
        return self.fingerprint is not None and self._fingerprint() != self.fingerprint

    def refused(self) -> bool:
        """Whether the platform refuses the token, and it has been replaced since: worth a turn at once."""
        return self.not_before > self.desk.now() and self._secret_changed()

    def _write_down(self, begun: Instant) -> None:
        """What `status` shows of this feed."""
        detail = "; ".join(text for text, at in self.notes.items() if at > begun - NOTED)
        with self.desk.store.write() as tx:
            known = tx.one("SELECT first_run, last_success FROM feeds WHERE feed = ?", (self.feed.name,))
            first_run, success = (known[0], known[1]) if known else (begun, None)
            tx.run("DELETE FROM feeds WHERE feed = ?", (self.feed.name,))
            columns = (
                "feed",
                "account",
                "first_run",
                "start",
                "last_poll",
                "last_success",
                *("next_poll", "failures", "error", "detail"),
            )
            account = self.desk.store.account(tx, self.feed.account)
            if not self.error:
                success = begun
            due = max(self.not_before, begun + self.feed.poll)
            facts = (first_run, first_run, begun, success, due, self.failures, self.error, detail)
            tx.insert(FeedState, columns, [(self.feed.name, account, *facts)])


def within(own: Line, connection: Connection, share: float, monotonic: Callable[[], float]) -> Send:
    """A connection's line for a feed that could use it all: its share of the rate, so that others have the rest."""
    rate: Rate = connection.rate
    if share >= 1 or rate.per is None or not rate.count:
        return own
    paced = Bucket(Rate(rate.count, int(rate.per / share)), 1, monotonic)

    async def send(request: Request) -> Answer:
        await paced.wait()
        return await own(request)

    return send


def line(connection: Connection, send: Send, monotonic: Callable[[], float]) -> Line:
    """The line of a connection, at its configured rate."""
    rate: Rate | None = connection.rate
    return Line(Bucket(rate, connection.burst, monotonic), send)
