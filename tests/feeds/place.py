"""Where feeds that keep rows are tried: the engine's own turns, a real database, real HTTP, a clock set by hand."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from connector.engines.polling import Line, Polling
from connector.feeds import all_feeds
from connector.http import Bucket, Http
from connector.model import Answer, Rate, Request
from connector.poll import Desk, Gates, InService, WatchList
from connector.recipe.index import Index
from connector.sandbox import Sandbox
from connector.secrets import Vault
from connector.settings import load
from connector.store.database import Store
from connector.store.regulations import Rules

NOON = 1_793_534_400_000  # 2026-11-01T12:00:00Z
T = TypeVar("T")


@dataclass(kw_only=True)
class Place(ABC):
    """A folder with a configuration and a database, and a sandbox that answers.

    asked: the addresses of all requests.
    """

    folder: Path
    dialect: str = "{}"
    switches: dict[str, str] = field(default_factory=dict)
    now: int = NOON
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._runner = asyncio.Runner()
        self.sandbox = Sandbox(
            switches={"rate_limit": "off", "intempt_rate": "off", **self.switches}, clock=lambda: self.now
        )
        self.run(self.sandbox.__aenter__())
        self._http = Http(["127.0.0.1"], Vault({}, dotenv=None, folder=None))
        self.run(self._http.__aenter__())
        self.start()

    @abstractmethod
    def configuration(self) -> str:
        """What stands in connector.yaml."""

    @abstractmethod
    def scripted(self, request: Request) -> Answer | None:
        """What is answered instead of the sandbox, if anything is."""

    def start(self) -> None:
        """As after a restart: everything anew from the configuration and the database."""
        (self.folder / "connector.yaml").write_text(self.configuration())
        feeds = all_feeds(load(self.folder / "connector.yaml", {}).connections)
        self.store = Store(f"sqlite:///{self.folder}/connector.db").open()
        lists = [WatchList(feed) for _, feed in feeds if feed.sources]
        self.desk = Desk(
            self.store, lambda: InService(Index([])), Gates({}), Rules(), lambda: self.now, watch_lists=lists
        )
        line = Line(Bucket(Rate(0, 1), 1, lambda: 0.0), self._send)
        self.polling = {feed.name: Polling(feed, of, line, self.desk, lambda _names: None) for of, feed in feeds}

    def end(self) -> None:
        self.store.close()
        self.run(self._http.__aexit__(None, None, None))
        self.run(self.sandbox.__aexit__())
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _send(self, request: Request) -> Answer:
        self.asked.append(str(request.url))
        return self.scripted(request) or await self._http.send(request)

    def known(self) -> set[str]:
        """The keys of the rows there are."""
        with self.store.read() as tx:
            return {row[0] for row in tx.rows("SELECT key FROM state_rows")}
