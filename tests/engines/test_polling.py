"""A turn of a feed: what stops in the middle goes on where it stood."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from connector.engines.polling import Polling
from connector.feeds import Feed, Rows, Send
from connector.model import Event, Instant, Now, Page
from connector.poll import Desk, Gates, InService
from connector.recipe.index import Index
from connector.store.database import Store
from connector.store.regulations import Rules

ACCOUNT = "intilery:acme/acme/ACME"


class Slow(Feed):
    """A reader whose window has six pages; its cursor moves with the last."""

    platform = "test"

    def read(self, reader: str, cursors: Mapping[str, str], send: Send, now: Now, rows: Rows) -> AsyncIterator[Page]:
        return self._pages(reader, cursors.get(reader))

    async def _pages(self, reader: str, old: str | None) -> AsyncIterator[Page]:
        begun.append(reader)
        for n in range(6):
            events = [Event(ACCOUNT, self.name, f"{reader}-{n}", "page", 1, 1, {})]
            yield Page(reader, old, "done" if n == 5 else None, events)

    def due(self, cursors: Mapping[str, str], now: Instant) -> list[str]:
        return [] if "24h" in cursors else ["24h"]

    def behind(self, cursors: Mapping[str, str], now: Instant) -> dict[str, int]:
        return {}

    def read_to(self, cursors: Mapping[str, str]) -> Instant | None:
        return None

    def rewind(self, cursor: str | None, to: Instant) -> str:
        return ""

    @property
    def name(self) -> str:
        return "test.slow"

    @property
    def account(self) -> str:
        return ACCOUNT


Slow.kind = "slow"
begun: list[str] = []


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    begun.clear()
    opened = Store(f"sqlite:///{tmp_path}/connector.db").open()
    yield opened
    opened.close()


def stored(store: Store) -> int:
    with store.read() as tx:
        return int(tx.one("SELECT count(*) FROM events")[0])


def test_a_reader_stopped_by_its_budget_goes_on_where_it_stood(store: Store) -> None:
    desk = Desk(store, lambda: InService(Index([])), Gates({}), Rules(), lambda: 1_000)
    polling = Polling(Slow(), None, None, desk, lambda _names: None)  # type: ignore[arg-type]  asks nobody

    async def turns() -> list[bool]:
        stopped = []
        for _ in range(20):
            stopped.append(await polling._drain("24h", until=lambda: True))
            if not stopped[-1]:
                break
        await polling.close()
        return stopped

    stopped = asyncio.run(turns())
    assert stopped[0]
    assert not stopped[-1]
    assert ["24h"] == begun
    assert 6 == stored(store)


def test_stopping_closes_what_was_suspended(store: Store) -> None:
    desk = Desk(store, lambda: InService(Index([])), Gates({}), Rules(), lambda: 1_000)
    polling = Polling(Slow(), None, None, desk, lambda _names: None)  # type: ignore[arg-type]  asks nobody

    async def stop() -> int:
        await polling._drain("24h", until=lambda: True)
        await polling.close()
        return len(asyncio.all_tasks())

    assert 1 == asyncio.run(stop())
