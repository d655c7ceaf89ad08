"""The part of the daemon that waits for lookups, with a clock that is set by hand, and the sandbox over real HTTP."""

import asyncio
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from connector.actions import load_all
from connector.deliver import Lookups
from connector.deliver.ending import Ending
from connector.engines.polling import line
from connector.http import Http
from connector.model import Event, Instant, Page, event_name, instant_text
from connector.poll import Desk, Gates, InService, Receipt, StoredMemory, take
from connector.recipe.index import Index
from connector.recipe.parse import parse
from connector.recipe.recipe import Known, Recipe
from connector.sandbox import Sandbox
from connector.sandbox.intilery import Account
from connector.settings import Settings, load
from connector.store import waiting
from connector.store.database import Store, Tx
from connector.store.regulations import Rules
from connector.store.runs import Ledger

START: Final[Instant] = 1_793_534_400_000  # 2026-11-01T12:00Z
ACCOUNT: Final = "intilery:acme/acme/ACME"
CONFIGURATION: Final = """
connections:
  intilery: {{client_id: acme, account_id: acme, brand_id: ACME, auth_token: "${{TOKEN}}", base_url: {url}}}
  intempt: {{organization: acme, project: shop, api_key: "${{KEY}}", base_url: {url}, rate: 1000/1s}}
destinations:
  crm: {{webhook: "{url}/receiver/crm"}}
egress: {{allow: [127.0.0.1]}}
"""


class Shelf:
    """The recipes in service, and every version that ever was."""

    def __init__(self, *texts: str) -> None:
        self.versions: dict[str, Recipe] = {}
        self.current = InService(Index([]))
        self.put(*texts)

    def put(self, *texts: str) -> None:
        recipes = [parse(text, "recipe.yaml", None) for text in texts]
        self.versions.update({recipe.version: recipe for recipe in recipes})
        live_from = dict.fromkeys((recipe.id for recipe in recipes), 0)
        self.current = InService(Index(recipes), {recipe.id: recipe for recipe in recipes}, live_from)

    def version(self, _tx: Tx, version: str) -> Recipe | None:
        return self.versions.get(version)

    def serves(self, recipe_id: str) -> bool:
        recipe = self.current.recipes.get(recipe_id)
        return recipe is not None and recipe.mode != "disabled"


class Bench:
    """Events in, runs that wait, outcomes and deliveries out.

    configuration: YAML, `{url}` in it is the sandbox. switches: the sandbox's. environ: the secrets.
    """

    def __init__(
        self,
        folder: Path,
        *recipes: str,
        configuration: str = CONFIGURATION,
        switches: dict[str, str] | None = None,
        environ: dict[str, str] | None = None,
    ) -> None:
        load_all()
        self.folder, self.configuration = folder, configuration
        self.environ = environ if environ is not None else {"TOKEN": "any", "KEY": "a.b"}
        self.now: Instant = START
        self.sandbox = Sandbox(switches=switches)
        self.shelf = Shelf(*recipes)
        self.store = Store(f"sqlite:///{folder}/connector.db").open()
        self.kicked: list[str] = []
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Self:
        await self.sandbox.__aenter__()
        file = self.folder / "connector.yaml"
        file.write_text(self.configuration.format(url=self.sandbox.url))
        self.settings: Settings = load(file, self.environ)
        self.http = Http(self.settings.egress.allow, self.settings.vault)
        await self.http.__aenter__()
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self.http.__aexit__(None, None, None)
        await self.sandbox.__aexit__()
        self.store.close()

    def start(self) -> None:
        """As a daemon that starts: only what the database knows is known."""
        lines = {
            name: (each, line(each, self.http.send, time.monotonic)) for name, each in self.settings.connections.items()
        }
        ending = Ending(self.shelf, StoredMemory, self.ledger, lambda _tx, _runs: set(), lambda: self.now)
        redact = self.settings.vault.redact
        self.lookups = Lookups(self.store, lines, ending, lambda: self.now, self.kicked.extend, redact, lambda: 0.5)
        self.lookups.start()

    async def stop(self) -> None:
        await self.lookups.stop()

    def ledger(self, tx: Tx) -> Ledger:
        return Ledger(tx, Gates({}), Rules(), self.now)

    # ── events ────────────────────────────────────────────────────────────────────────────────

    @property
    def account(self) -> Account:
        return self.sandbox.account()

    def event(self, name: str = "Product Added", *, at: Instant | None = None, **fields: Any) -> Event:
        number = next(self._numbers)
        moment = self.now if at is None else at
        inner = {part: fields.pop(part) for part in ("properties", "context", "traits") if part in fields}
        body = {"eventId": f"e{number}", "eventTime": instant_text(moment), "receivedTime": instant_text(moment)}
        body |= {"eventAction": event_name(name), **fields, "rawData": {"event": name, **inner}}
        return Event(ACCOUNT, "intilery.events", f"e{number}", event_name(name), moment, moment, body)

    async def take(self, *events: Event) -> Receipt:
        """One page, without anything that follows."""
        desk = Desk(self.store, lambda: self.shelf.current, Gates({}), Rules(), lambda: self.now)
        page = Page("fresh", None, None, events)
        return await self.store.transact(lambda tx: take(desk, tx, [page], ACCOUNT, "intilery.events"))

    async def happen_without_rest(self, *events: Event) -> None:
        """One page, and a moment in which questions leave."""
        await self.take(*events)
        self.lookups.look()
        await asyncio.sleep(0.02)

    async def happen(self, *events: Event) -> None:
        """One page, and whatever is done at once."""
        await self.take(*events)
        await self.look()

    async def look(self, later: int = 0) -> None:
        """Whatever is done so many milliseconds later, until nothing more is under way."""
        self.now += later
        self.lookups.look()
        await self.rest()

    async def rest(self) -> None:
        """Until nothing is under way."""
        while True:
            await self.until(lambda: not self.busy)
            await self.store.transact(lambda _: None)  # whatever is being written is written before this
            await asyncio.sleep(0.005)
            if not self.busy:
                return

    @property
    def busy(self) -> bool:
        its = self.lookups
        return bool(its._under_way or its._steps or its._lanes) or its._came.is_set()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not done():  # noqa: ASYNC110  whatever it is that a test waits for
                await asyncio.sleep(0.002)

    # ── what came of it ───────────────────────────────────────────────────────────────────────

    def rows(self, columns: str, table: str) -> list[tuple[Any, ...]]:
        with self.store.read() as tx:
            return [tuple(row) for row in tx.run(f"SELECT {columns} FROM {table} ORDER BY seq")]

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """(reason, detail) of every stored outcome."""
        return self.rows("reason, detail", "outcomes")

    @property
    def sent(self) -> list[str]:
        """The bodies of all deliveries that may be sent, as text."""
        return [row[0].decode() for row in self.rows("body", "deliveries WHERE state = 'pending'")]

    @property
    def waiting(self) -> list[waiting.Run]:
        with self.store.read() as tx:
            seqs = [row[0] for row in tx.run("SELECT seq FROM waiting_runs")]
            return list(waiting.by_number(tx, seqs).values())

    def asked(self, what: str = "traits", *statuses: int) -> int:
        """How often the platform was asked for something, and answered with one of these statuses."""
        counts = self.sandbox.requests.counts
        return sum(n for (name, status), n in counts.items() if name == what and (status in statuses or not statuses))


KNOWN: Final = Known(frozenset({"intilery.events"}), {"crm": "webhook"}, {"intilery": "intilery", "intempt": "intempt"})
