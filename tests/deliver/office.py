"""The courier at work: recipes and events in, requests to the sandbox out over real HTTP, with a clock set by hand."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from connector.actions.writing import lane
from connector.deliver import Courier
from connector.engines.polling import line
from connector.http import Http
from connector.model import Event, Instant, Page, event_name, instant_text
from connector.poll import Desk, Gates, InService, take
from connector.recipe.index import Index
from connector.recipe.parse import parse
from connector.recipe.recipe import Known
from connector.sandbox import Sandbox
from connector.settings import load
from connector.store import parking
from connector.store.database import Store
from connector.store.outbox import Result
from connector.store.regulations import Rules

START: Final[Instant] = 1_793_534_400_000  # 2026-11-01T12:00Z
INTILERY: Final = "intilery:acme/acme/ACME"
INTEMPT: Final = "intempt:acme/shop"
SOURCE: Final = 1841503112918048768
CONFIGURATION: Final = """
connections:
  intilery: {{client_id: acme, account_id: acme, brand_id: ACME, auth_token: "${{TOKEN}}", base_url: {url},
    feeds: {{events: {{}}}}}}
  intempt: {{organization: acme, project: shop, api_key: "${{KEY}}", base_url: {url}, rate: 1000/1s, burst: 50}}
destinations:
  crm: {{webhook: "{url}/receiver/crm"}}
egress: {{allow: [127.0.0.1]}}
"""


class Office:
    """actions: of one recipe each. configuration: YAML, `{url}` in it is the sandbox. switches: the sandbox's."""

    def __init__(
        self,
        folder: Path,
        *actions: str,
        configuration: str = CONFIGURATION,
        switches: dict[str, str] | None = None,
        trigger: str = "",
    ) -> None:
        self.folder, self.configuration, self.actions, self.trigger = folder, configuration, actions, trigger
        self.secrets = {"TOKEN": "any", "KEY": "a.b", "SLACK": "xoxb-1"}
        self.now: Instant = START
        self.sandbox = Sandbox(switches=switches, clock=lambda: self.now)
        self.store = Store(f"sqlite:///{folder}/connector.db").open()
        self.settled: list[Result] = []
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Self:
        await self.sandbox.__aenter__()
        file = self.folder / "connector.yaml"
        file.write_text(self.configuration.format(url=self.sandbox.url))
        self.write_secrets()
        self.settings = load(file, {})
        self.serve()
        self.gates, self.rules = Gates.of(self.settings), Rules.of(self.settings)
        self.http = Http(self.settings.egress.allow, self.settings.vault)
        await self.http.__aenter__()
        self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        await self.http.__aexit__(None, None, None)
        await self.sandbox.__aexit__()
        self.store.close()

    def serve(self) -> None:
        """Put the recipes into service."""
        known = Known.of(self.settings)
        recipes = [parse(self._recipe(n, text), "r.yaml", known) for n, text in enumerate(self.actions)]
        live = dict.fromkeys((recipe.id for recipe in recipes), 0)
        self.service = InService(Index(recipes), {recipe.id: recipe for recipe in recipes}, live)

    def _recipe(self, n: int, actions: str) -> str:
        return (
            f"id: r{n}\ntrigger: {{feed: intilery.events, event: '*'{self.trigger}}}\n"
            f"actions:\n{actions.strip(chr(10))}\ntests: []\n"
        )

    def write_secrets(self, **changed: str) -> None:
        self.secrets |= changed
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in self.secrets.items()))

    def begin(self) -> None:
        """As a daemon that starts: only what the database knows is known."""
        lines = {
            each.identity: line(each, self.http.send, time.monotonic) for each in self.settings.connections.values()
        }
        shared = {lane(identity): its.bucket for identity, its in lines.items()}
        self.courier = Courier(
            *(self.store, self.http, self.gates.destinations, lambda: self.now, time.monotonic),
            shared=shared,
            redact=self.settings.vault.redact,
        )
        self.courier.start()

    async def end(self) -> None:
        await self.courier.stop(5)

    # ── events ────────────────────────────────────────────────────────────────────────────────

    def event(self, name: str = "Product Added", **fields: Any) -> Event:
        number = next(self._numbers)
        own = fields.pop("own", None)
        inner = {part: fields.pop(part) for part in ("properties", "context", "traits") if part in fields}
        if own is not None:
            inner["context"] = {"connector": own}
        body = {"eventId": f"e{number}", "eventTime": instant_text(self.now), "receivedTime": instant_text(self.now)}
        body |= {"eventAction": event_name(name), "userId": "u1", **fields, "rawData": {"event": name, **inner}}
        return Event(
            INTILERY, "intilery.events", f"e{number}", event_name(name), self.now, self.now, body, own is not None
        )

    async def happen(self, *events: Event) -> None:
        """One page, and whatever is delivered at once."""
        desk = Desk(self.store, lambda: self.service, self.gates, self.rules, lambda: self.now)
        page = Page("fresh", None, None, events)
        receipt = await self.store.transact(lambda tx: take(desk, tx, [page], INTILERY, "intilery.events"))
        self.courier.kick(set(receipt.destinations))
        await self.rest()

    async def later(self, milliseconds: int) -> None:
        """Whatever is delivered so much later."""
        self.now += milliseconds
        self.courier.look(everywhere=True)
        await self.rest()

    async def rest(self) -> None:
        """Until nothing is under way."""
        async with asyncio.timeout(20):
            quiet = 0
            while quiet < 3:
                busy = self.courier._hands or self.courier._results or self.courier._answers.is_set()
                quiet = 0 if busy else quiet + 1
                await self.store.transact(lambda _: None)  # whatever is being written is written before this
                await asyncio.sleep(0.005)

    async def pause(self, seconds: float = 0.005) -> None:
        await asyncio.sleep(seconds)

    # ── what came of it ───────────────────────────────────────────────────────────────────────

    def rows(self, columns: str, table: str = "deliveries", order: str = "seq") -> list[tuple[Any, ...]]:
        with self.store.read() as tx:
            return [tuple(row) for row in tx.run(f"SELECT {columns} FROM {table} ORDER BY {order}")]

    @property
    def parked(self) -> dict[str, parking.Parked]:
        """What is parked, by name."""
        with self.store.read() as tx:
            return parking.parked(tx)

    @property
    def states(self) -> list[str]:
        return [row[0] for row in self.rows("state")]

    def asked(self, operation: str) -> list[int]:
        """The statuses that an operation was answered with, in order of their number."""
        counts = self.sandbox.requests.counts
        return sorted(status for (name, status), n in counts.items() if name == operation for _ in range(n))

    @property
    def feed(self) -> list[dict[str, Any]]:
        """What Intilery's feed has, as it came: `rawData`."""
        return [json.loads(one.text)["rawData"] for one in self.sandbox.account().feed.all()]

    @property
    def tracked(self) -> list[dict[str, Any]]:
        """What Intempt was told, line by line."""
        return list(self.sandbox.organization().tracked)


Make = Callable[..., Office]
