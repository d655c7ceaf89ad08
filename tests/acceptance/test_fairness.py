"""A hundred thousand watched ids at 5 requests a second: nobody waits longer than a fair share, by a clock of its own."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from connector.engines.polling import Line, Polling
from connector.feeds import all_feeds
from connector.feeds.watching import TOGETHER
from connector.http import Bucket
from connector.model import SECOND, Answer, Event, Page, Rate, Request, instant_text
from connector.poll import Desk, Gates, InService, WatchList, take
from connector.recipe.index import Index
from connector.settings import load
from connector.store.database import Store
from connector.store.regulations import Rules

NOON = 1_793_534_400_000  # 2026-11-01T12:00:00Z
MANY = 100_000
POLL = 30 * SECOND
SHARE = 0.8  # of 5/1s: the rest is for lookups and writes
TURN = int(5 * SHARE * 30 * 0.9)  # ids that a turn looks at
ACTIVE = 20  # of the half of a turn that is theirs
QUIET = str(MANY - 1)  # the last in line
YAML = """
connections:
  intilery: {client_id: acme, account_id: acme, brand_id: ACME, auth_token: t, feeds: {events: {}}}
  intempt:
    organization: acme
    api_key: pfx.secret
    feeds: {matches: {poll: 30s, watch: {file: ids.txt, from: [{feed: intilery.events, path: event.userId}]}}}
"""


@dataclass
class Platform:
    """Answers at the pace that the feed may ask. ACTIVE ids match something whenever they are looked at.

    looked: by id, when it was looked at.
    """

    now: int = NOON
    looked: dict[str, list[int]] = field(default_factory=dict)

    async def send(self, request: Request) -> Answer:
        self.now += int(SECOND / 5 / SHARE)
        id = dict(parse_qsl(urlsplit(str(request.url)).query))["profileId"]
        self.looked.setdefault(id, []).append(self.now)
        updated = self.now if 0 <= int(id) - MANY // 2 < ACTIVE else NOON
        body = {"masterId": id, "profileIds": [], "matchedEvents": ["a"], "lastUpdated": instant_text(updated)}
        return Answer(200, {}, json.dumps(body).encode())


class Watched:
    """The feed with its database, and how large its pages were."""

    def __init__(self, folder: Path) -> None:
        (folder / "connector.yaml").write_text(YAML)
        (folder / "ids.txt").write_text("\n".join(map(str, range(MANY))))
        (_, _), (connection, feed) = all_feeds(load(folder / "connector.yaml", {}).connections)
        self.platform = Platform()
        self.store = Store(f"sqlite:///{folder}/connector.db").open()
        self.desk = Desk(
            self.store,
            lambda: InService(Index([])),
            Gates({}),
            Rules(),
            lambda: self.platform.now,
            watch_lists=[WatchList(feed)],
        )
        line = Line(Bucket(Rate(0, 1), 1, lambda: 0.0), self.platform.send)
        self.polling = Polling(feed, connection, line, self.desk, lambda _names: None)
        self.largest = 0
        taking = self.polling._take

        async def measured(pages: Sequence[Page]) -> object:
            self.largest = max(
                self.largest, *(len(page.rows) for page in pages if page.rows and page.rows[0].revision), 0
            )
            return await taking(pages)

        self.polling._take = measured  # type: ignore[method-assign,assignment]

    async def turn(self) -> None:
        begun = self.platform.now
        await self.polling.turn()
        self.platform.now = max(self.platform.now, begun + POLL)

    def show(self, id: str) -> None:
        """An event of another feed shows an id."""
        event = Event(
            "intilery:acme/acme/ACME", "intilery.events", f"of-{id}", "page", self.platform.now, None, {"userId": id}
        )
        with self.store.write() as tx:
            take(self.desk, tx, [Page("24h", None, events=[event])], event.account, "intilery.events")


def test_no_id_waits_longer_than_its_fair_share_and_an_active_one_no_longer_than_two_polls(tmp_path: Path) -> None:
    here, shown, turns = Watched(tmp_path), 0, 0
    looked = here.platform.looked
    fair = (MANY - ACTIVE) // (TURN - ACTIVE) * POLL + 2 * POLL
    assert fair < MANY // (TURN // 2) * POLL  # what half of the requests would still do
    with asyncio.Runner() as runner:
        runner.run(here.turn())
        for n in range(ACTIVE):
            here.show(str(MANY // 2 + n))
        while len(looked) < MANY and turns * POLL < 2 * fair:
            runner.run(here.turn())
            turns += 1
            if turns == 500:
                here.show(QUIET)
                shown = here.platform.now
    here.store.close()
    assert MANY == len(looked)
    assert fair >= max(times[0] - NOON for times in looked.values())
    assert 2 * POLL >= looked[QUIET][0] - shown
    active = [looked[str(MANY // 2 + n)] for n in range(ACTIVE)]
    gaps = [later - at for times in active for at, later in pairwise(times)]
    assert len(gaps) >= ACTIVE * (turns - 2)
    assert 2 * POLL >= max(gaps)
    assert TOGETHER == here.largest
