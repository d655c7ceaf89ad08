"""Pairs of what the documents leave open, over eight days: polling itself, on a clock of its own, without the network.

Every two settings of two switches meet in one of these runs. Events come in ties, late, back-dated and dated
far away; customers are erased and events added between two pages; the daemon begins anew in the middle.
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connector.engines.polling import Polling, line
from connector.engines.service import Service
from connector.feeds import feeds_of
from connector.model import DAY, HOUR, MINUTE, SECOND, Answer, Request
from connector.poll import Desk, Gates
from connector.recipe.recipe import Known
from connector.sandbox import Sandbox
from connector.sandbox.request import Request as Asked
from connector.sandbox.switches import SWITCHES
from connector.sandbox.times import print_date_header
from connector.settings import load
from connector.store.database import Store
from connector.store.regulations import Rules
from tests.acceptance.world import EVERY

NOON = 1_793_534_400_000  # 2026-11-01T12:00:00Z
START = 10 * MINUTE
TOUCHING = {  # the switches that touch reading, with what stands for <duration>
    **{switch.name: switch.values for switch in SWITCHES[:10]},
    "lag": ("0", "3m"),
    "retention": ("unlimited", "8d"),
    "skew": ("0", "10m", "-10m"),
}
CONFIGURATION = """
connections:
  intilery:
    client_id: acme
    account_id: acme
    brand_id: ACME
    auth_token: good
    base_url: http://127.0.0.1:1
    rate: 1000000/1s
    burst: 1000000
    feeds: {events: {poll: 10s, start: 10m}}
destinations: {crm: {webhook: "https://crm.example.com"}}
"""


def covering(values: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """A few settings of everything, in which any two values of two switches meet."""
    dice = random.Random(1)
    left = {
        frozenset((one, other))
        for a, b in itertools.combinations(values, 2)
        for one in ((a, value) for value in values[a])
        for other in ((b, value) for value in values[b])
    }
    rows = []
    while left:
        tries = []
        for pair in dice.sample(sorted(left, key=sorted), min(20, len(left))):
            row = {name: dice.choice(some) for name, some in values.items()} | dict(pair)
            tries.append((sum(one <= row.items() for one in left), sorted(row.items())))
        rows.append(dict(max(tries)[1]))
        left = {pair for pair in left if not pair <= rows[-1].items()}
    return rows


ROWS = covering(TOUCHING)


class Run:
    """One connector's polling, and one platform whose every answer takes 15 milliseconds of their common time."""

    def __init__(self, folder: Path, switches: dict[str, str]) -> None:
        self.now = NOON
        self.dice = random.Random(7)
        self.sandbox = Sandbox(switches=switches, clock=lambda: self.now)
        self.account = self.sandbox.account()
        self.between: Callable[[], object] = lambda: None
        (folder / "recipes").mkdir()
        (folder / "recipes" / "every.yaml").write_text(EVERY)
        (folder / "connector.yaml").write_text(CONFIGURATION)
        self.settings = load(folder / "connector.yaml", {})
        self.begin()

    def begin(self) -> None:
        """What the daemon does when it starts."""
        settings = self.settings
        connection = settings.connections["intilery"]
        [feed] = feeds_of(connection)
        self.store = Store(settings.database).open()
        starts = {feed.name: NOON - START}
        service = Service(self.store, settings.recipes, Known.of(settings), lambda: self.now, starts)
        service.refresh()
        desk = Desk(self.store, service.get, Gates.of(settings), Rules.of(settings), lambda: self.now)
        self.polling = Polling(
            feed, connection, line(connection, self.send, lambda: self.now / 1000), desk, lambda _: None
        )

    async def end(self) -> None:
        await self.polling.close()
        self.store.close()

    async def send(self, request: Request) -> Answer:
        """The sandbox's answer, without HTTP."""
        self.now += 15
        url = urlsplit(str(request.url))
        headers = {"auth-token": "good", "content-type": "application/json"}
        reply = self.sandbox.intilery.answer(Asked(request.method, url.path, url.query, headers))
        self.between()
        date = print_date_header(self.sandbox.now())
        return Answer(reply.status, {"date": date}, reply.body, 15)

    async def turns(self, until: int, every: int) -> None:
        while self.now < until:
            begun = self.now
            await self.polling.turn()
            self.now = max(self.now, begun + every)

    # ── what happens on the platform ──────────────────────────────────────────────────────────

    def busy_seconds(self) -> None:
        account, now = self.account, self.sandbox.now()
        account.generate(12, every=7, at=now - 1_500, users=12, event=("Product Added", "page", "Email Opened"))
        account.generate(15, every=0, at=now - self.dice.randrange(1_000), users=15)
        for _ in range(3):
            account.inject([{"event": "Late"}], at=now - 500, visible=now + self.dice.randrange(8 * MINUTE))
        for year in ("2012", "2099"):
            account.inject([{"event": "Import", "eventTime": f"{year}-06-01T00:00:00.000Z"}], at=now - 100)
        account.erase(f"user-{self.dice.randrange(30)}")

    def crowd(self) -> None:
        """Hundreds in one millisecond."""
        self.account.generate(150, every=0, at=self.sandbox.now() - 1_000, users=30)

    def shift_pages(self) -> None:
        if self.dice.random() < 0.06:
            self.account.erase(f"user-{self.dice.randrange(30)}")
        if self.dice.random() < 0.06:
            self.account.generate(3, every=1, event="Product Viewed", users=3)


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_any_two_unknowns_together_lose_and_double_nothing(tmp_path: Path, row: int) -> None:
    switches = ROWS[row]
    run = Run(tmp_path, switches)
    asyncio.run(eight_days(run))

    time_of = (lambda event: event.time) if switches["time_field"] == "eventTime" else (lambda event: event.received)
    began = NOON + (run.sandbox.switches.span("skew") or 0) - START
    since = run.account.visible_since()
    must = {
        event.id
        for event in run.account.feed.all()
        if event.id and began <= time_of(event) and since[event.id] - time_of(event) <= 7 * DAY
        if time_of(event) < run.sandbox.now()
    }
    store = Store(run.settings.database)
    with store.read() as tx:
        inbox = {event_id for (event_id,) in tx.rows("SELECT event_id FROM events")}
        fired = dict(tx.rows("SELECT event, count(*) FROM deliveries GROUP BY event"))
        gaps = tx.rows("SELECT start, end, seen, reason FROM gaps")
    store.close()
    assert len(must) > 200, "there was nothing to lose"
    assert set() == must - inbox, switches
    assert len(inbox) == len(fired), "an event woke no recipe"
    assert {1} == set(fired.values())
    assert [] == gaps
    assert "" == run.polling.error


async def eight_days(run: Run) -> None:
    run.account.inject([{"event": "Logged In"}], at=run.sandbox.now() - MINUTE)
    await run.polling.turn()
    run.between = run.shift_pages
    for step in range(10):
        run.now += 2 * SECOND
        run.busy_seconds()
        if step == 5:
            run.crowd()
        if step == 7:
            await run.end()
            run.begin()
        await run.polling.turn()
    run.between = lambda: None
    for span, every in ((9 * MINUTE, MINUTE), (2 * HOUR, 30 * MINUTE), (7 * DAY + 9 * HOUR, 12 * HOUR)):
        await run.turns(NOON + span, every)
    await run.end()
