"""Watching feeds on the sandbox: the engine's own turns, a real database, real HTTP, and a clock that is set by hand."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from connector.engines.polling import Line, Polling
from connector.feeds import all_feeds
from connector.http import Bucket, Http
from connector.model import MINUTE, Answer, Event, Page, Rate, Request
from connector.poll import Desk, Gates, InService, WatchList, take
from connector.recipe.index import Index
from connector.sandbox import Sandbox
from connector.secrets import Vault
from connector.settings import load
from connector.store import inbox
from connector.store.database import Store
from connector.store.regulations import Rules

NOON = 1_793_534_400_000  # 2026-11-01T12:00:00Z
ACCOUNT = "intilery:acme/acme/ACME"
INTEMPT = "intempt:acme"
T = TypeVar("T")

YAML = """
connections:
  intilery: {{client_id: acme, account_id: acme, brand_id: ACME, auth_token: t, base_url: {url}, feeds: {{events: {{}}}}}}
  intempt:
    organization: acme
    api_key: pfx.secret
    base_url: {url}
    rate: {rate}
    dialect: {dialect}
    feeds: {feeds}
"""


@dataclass
class Office:
    """A folder with a configuration, a database, a sandbox that answers, and one turn at a time."""

    folder: Path
    feeds: str
    dialect: str = "{}"
    rate: str = "1000/1s"
    switches: dict[str, str] = field(default_factory=dict)
    now: int = NOON
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)  # by a part of the address: instead of the sandbox's

    def __post_init__(self) -> None:
        self._runner = asyncio.Runner()
        self.sandbox = Sandbox(switches={"rate_limit": "off", **self.switches}, clock=lambda: self.now)
        self.run(self.sandbox.__aenter__())
        self._http = Http(["127.0.0.1"], Vault({}, dotenv=None, folder=None))
        self.run(self._http.__aenter__())
        self.start()

    def start(self) -> None:
        """As after a restart: everything anew from the configuration and the database."""
        text = YAML.format(url=self.sandbox.url, feeds=self.feeds, dialect=self.dialect, rate=self.rate)
        (self.folder / "connector.yaml").write_text(text)
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
        address = str(request.url)
        self.asked.append(address)
        scripted = next((answer for part, answer in self.answers.items() if part in address), None)
        return scripted or await self._http.send(request)

    # ── what a test does ──────────────────────────────────────────────────────────────────────

    def turn(self, name: str = "intempt.matches", later: int = MINUTE) -> None:
        """One turn of a feed, after so long."""
        self.now += later
        self.run(self.polling[name].turn())

    def show(self, body: dict[str, Any]) -> None:
        """An event of the Intilery account comes in."""
        event = Event(ACCOUNT, "intilery.events", str(body["eventId"]), "identify", self.now, self.now, body)
        with self.store.write() as tx:
            take(self.desk, tx, [Page("24h", None, events=[event])], ACCOUNT, "intilery.events")

    def person(self, *profile_ids: int, **given: Any) -> None:
        """Set a user of Intempt up: `matches`, `segments`, `master_id`."""
        self.sandbox.organization("acme").person(profile_ids, **given)

    def error(self, name: str = "intempt.matches") -> str:
        return self.polling[name].error

    def notes(self, name: str = "intempt.matches") -> list[str]:
        return list(self.polling[name].notes)

    def events(self) -> list[Event]:
        """Everything in the inbox that Intempt's feeds made."""
        with self.store.read() as tx:
            return [event for _, event in inbox.select(tx, "e.feed LIKE 'intempt.%'", ())]

    def told(self) -> list[tuple[str, Any]]:
        """Each event with what it is about."""
        return [
            (event.name, properties.get("name") or properties.get("names") or properties.get("id"))
            for event in self.events()
            for properties in [event.body["rawData"]["properties"]]
        ]

    def keys(self) -> set[str]:
        """The ids that are watched."""
        with self.store.read() as tx:
            return {row[0] for row in tx.rows("SELECT key FROM state_rows")}

    def state(self, key: str) -> dict[str, Any]:
        with self.store.read() as tx:
            found: dict[str, Any] = json.loads(tx.one("SELECT value FROM state_rows WHERE key = ?", (key,))[0])
            return found
