"""How long a commit takes where 100,000 ids are watched: each look's rows and events, on the disk."""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl, urlsplit

from connector.feeds import all_feeds
from connector.model import SECOND, Answer, Request, instant_text
from connector.poll import Desk, Gates, InService, prepare, take
from connector.recipe.index import Index
from connector.settings import load
from connector.store import inbox
from connector.store.database import Store
from connector.store.regulations import Rules
from connector.store.states import StoredRows

BEGIN = 1_793_534_400_000  # 2026-11-01T12:00:00Z
YAML = """
connections:
  intempt: {organization: acme, api_key: pfx.secret, feeds: {matches: {poll: 30s, watch: {file: ids.txt}}}}
"""


@dataclass(frozen=True)
class Commits:
    """Milliseconds. rows: of one commit at most."""

    median: float
    p99: float
    rows: int
    commits: int


def commits(ids: int, turns: int) -> Commits:
    """Watch so many ids for so many turns, by a clock of its own; one in ten has something new at each look."""
    with TemporaryDirectory() as folder:
        return asyncio.run(_commits(Path(folder), ids, turns))


async def _commits(folder: Path, ids: int, turns: int) -> Commits:
    (folder / "connector.yaml").write_text(YAML)
    (folder / "ids.txt").write_text("\n".join(map(str, range(ids))))
    ((_, feed),) = all_feeds(load(folder / "connector.yaml", {}).connections)
    store, clock = Store(f"sqlite:///{folder}/connector.db").open(), [BEGIN]
    desk = Desk(store, lambda: InService(Index([])), Gates({}), Rules(), lambda: clock[0])
    rows, took, largest = StoredRows(store.read, feed.account, "intempt.matches"), [], 0

    async def send(request: Request) -> Answer:
        clock[0] += SECOND // 4
        id = dict(parse_qsl(urlsplit(str(request.url)).query))["profileId"]
        moved = clock[0] if int(id) % 10 == 0 else BEGIN
        body = {"masterId": id, "profileIds": [], "matchedEvents": ["a"], "lastUpdated": instant_text(moved)}
        return Answer(200, {}, json.dumps(body).encode())

    for _ in range(turns):
        begun = clock[0]
        with store.read() as tx:
            known = tx.one("SELECT 1 FROM accounts")
            cursors = inbox.cursors(store, tx, feed.account, "intempt.matches") if known else {}
        async for page in feed.read("fresh", cursors, send, lambda: clock[0], rows):
            payloads = await prepare([page])
            started = time.perf_counter()
            await store.transact(
                lambda tx, page=page, payloads=payloads: take(
                    desk, tx, [page], feed.account, "intempt.matches", payloads
                )
            )
            if page.rows and page.rows[0].revision:
                took.append((time.perf_counter() - started) * 1000)
                largest = max(largest, len(page.rows))
        clock[0] = max(clock[0], begun + 30 * SECOND)
    store.close()
    return Commits(statistics.median(took), statistics.quantiles(took, n=100)[98], largest, len(took))
