"""One feed that keeps rows, on the sandbox; and what a kill in the middle of its turn leaves."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.feeds import Feed
from connector.model import MINUTE, Answer, Event, Request
from connector.poll import take
from connector.store import inbox
from connector.store.states import StoredRows
from tests.feeds.place import NOON, Place

__all__ = ["NOON", "House"]

YAML = """
connections:
  intilery:
    {{client_id: acme, account_id: acme, brand_id: ACME, auth_token: t, base_url: {url}, dialect: {dialect}, feeds: {intilery}}}
  intempt: {{organization: acme, api_key: pfx.secret, base_url: {url}, rate: 1000/1s, feeds: {intempt}}}
"""


@dataclass(kw_only=True)
class House(Place):
    """name: the feed that is asked to read. options: its, others: more feeds of its connection, in YAML.

    answers: a function that may answer a request instead of the sandbox.
    """

    name: str
    options: str
    others: str = ""
    answers: Callable[[Request], Answer | None] = lambda _request: None

    def configuration(self) -> str:
        platform, _, kind = self.name.partition(".")
        feeds = {platform: f"{{{kind}: {self.options}{self.others and f', {self.others}'}}}"}
        return YAML.format_map(
            {"intilery": "{}", "intempt": "{}", "dialect": self.dialect, "url": self.sandbox.url} | feeds
        )

    def scripted(self, request: Request) -> Answer | None:
        return self.answers(request)

    def again(self, options: str) -> None:
        """A restart with other options."""
        self.options = options
        self.start()

    # ── what a test does ──────────────────────────────────────────────────────────────────────

    @property
    def feed(self) -> Feed:
        return self.polling[self.name].feed

    @property
    def error(self) -> str:
        return self.polling[self.name].error

    @property
    def notes(self) -> list[str]:
        return list(self.polling[self.name].notes)

    def turn(self, later: int = MINUTE, name: str = "") -> None:
        """One turn of the feed, or another one, after so long."""
        self.now += later
        self.run(self.polling[name or self.name].turn())

    def killed(self, pages: int, later: int = MINUTE) -> int:
        """A turn that dies after so many pages were committed, and a new process; how many there were."""
        self.now += later
        done = self.run(self._some(pages))
        self.store.close()
        self.start()
        return done

    async def _some(self, most: int) -> int:
        rows = StoredRows(self.store.read, self.feed.account, self.name)
        pages: Any = self.feed.read("fresh", self.cursors(), self._send, lambda: self.now, rows)
        done = 0
        async for page in pages:
            if done == most:
                break  # asked for, and lost
            with self.store.write() as tx:
                take(self.desk, tx, [page], self.feed.account, self.name)
            done += 1
        await pages.aclose()
        return done

    def cursors(self) -> dict[str, str]:
        with self.store.write() as tx:
            return inbox.cursors(self.store, tx, self.feed.account, self.name)

    def cursor(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.cursors()["fresh"])
        return found

    def events(self) -> list[Event]:
        """What is in the inbox, in its order."""
        with self.store.read() as tx:
            return [event for _, event in inbox.select(tx, "1 = 1", ())]

    def names(self) -> list[str]:
        return [event.name for event in self.events()]
