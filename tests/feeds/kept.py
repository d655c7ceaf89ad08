"""Feeds that keep rows, on the sandbox: the engine's own turns, a real database, real HTTP, a clock set by hand."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from connector.engines.polling import Line, Polling
from connector.feeds import Feed, all_feeds
from connector.http import Bucket, Http
from connector.model import MINUTE, Answer, Event, Rate, Request
from connector.poll import Desk, Gates, InService, WatchList, take
from connector.recipe.index import Index
from connector.sandbox import Sandbox
from connector.secrets import Vault
from connector.settings import load
from connector.store import inbox
from connector.store.database import Store
from connector.store.regulations import Rules
from connector.store.states import StoredRows

NOON = 1_793_534_400_000  # 2026-11-01T12:00:00Z
T = TypeVar("T")

YAML = """
connections:
  intilery:
    {{client_id: acme, account_id: acme, brand_id: ACME, auth_token: t, base_url: {url}, dialect: {dialect}, feeds: {intilery}}}
  intempt: {{organization: acme, api_key: pfx.secret, base_url: {url}, rate: 1000/1s, feeds: {intempt}}}
"""


@dataclass
class House:
    """A folder with a configuration and a database, a sandbox that answers, and one feed that is asked to read.

    answers: one function that may answer a request instead of the sandbox.
    """

    folder: Path
    name: str
    options: str
    others: str = ""
    dialect: str = "{}"
    switches: dict[str, str] = field(default_factory=dict)
    now: int = NOON
    asked: list[str] = field(default_factory=list)
    answers: Callable[[Request], Answer | None] = lambda _request: None

    def __post_init__(self) -> None:
        self._runner = asyncio.Runner()
        self.sandbox = Sandbox(
            switches={"rate_limit": "off", "intempt_rate": "off", **self.switches}, clock=lambda: self.now
        )
        self.run(self.sandbox.__aenter__())
        self._http = Http(["127.0.0.1"], Vault({}, dotenv=None, folder=None))
        self.run(self._http.__aenter__())
        self.start()

    def start(self, options: str | None = None) -> None:
        """As after a restart: everything anew from the configuration and the database."""
        self.options = self.options if options is None else options
        platform, _, kind = self.name.partition(".")
        feeds = {platform: f"{{{kind}: {self.options}{self.others and f', {self.others}'}}}"}
        text = YAML.format_map(
            {"intilery": "{}", "intempt": "{}", "dialect": self.dialect, "url": self.sandbox.url} | feeds
        )
        (self.folder / "connector.yaml").write_text(text)
        found = all_feeds(load(self.folder / "connector.yaml", {}).connections)
        self.store = Store(f"sqlite:///{self.folder}/connector.db").open()
        lists = [WatchList(feed) for _, feed in found if feed.sources]
        self.desk = Desk(
            self.store, lambda: InService(Index([])), Gates({}), Rules(), lambda: self.now, watch_lists=lists
        )
        line = Line(Bucket(Rate(0, 1), 1, lambda: 0.0), self._send)
        self.polling = {feed.name: Polling(feed, of, line, self.desk, lambda _names: None) for of, feed in found}

    def end(self) -> None:
        self.store.close()
        self.run(self._http.__aexit__(None, None, None))
        self.run(self.sandbox.__aexit__())
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _send(self, request: Request) -> Answer:
        self.asked.append(str(request.url))
        return self.answers(request) or await self._http.send(request)

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

    def known(self) -> set[str]:
        """The keys of the rows there are."""
        with self.store.read() as tx:
            return {row[0] for row in tx.rows("SELECT key FROM state_rows")}
