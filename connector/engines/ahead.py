"""A reader's pages, asked for while those before are committed, and handed out several at once while they come quickly.

A commit costs as much for a thousand events as for a hundred, so a backlog is taken in larger portions. A page never
waits for a slow one: what has come is handed out after `PATIENCE`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from connector.model import Page

PATIENCE: Final = 0.025  # seconds that a page waits for the next ones
ENOUGH: Final = 2_000  # events that are committed together
AHEAD: Final = 16  # pages that may wait while the ones before are committed


class Ahead:
    """Asks from when it is made until `close`. Belongs to the running loop."""

    def __init__(self, pages: AsyncIterator[Page]) -> None:
        self._came: asyncio.Queue[Page | Exception | None] = asyncio.Queue(maxsize=AHEAD)
        self._end: Exception | None = None
        self._ended = False
        self._asking = asyncio.create_task(self._ask(pages))

    async def some(self) -> list[Page]:
        """The next pages, in their order; none when there are no more. Raises what asking raised, after its pages."""
        some: list[Page] = []
        events, until = 0, None
        with suppress(TimeoutError):
            while not self._ended and events < ENOUGH:
                async with asyncio.timeout_at(until):
                    page = await self._came.get()
                if not isinstance(page, Page):
                    self._ended, self._end = True, page
                    break
                some.append(page)
                events += len(page.events)
                until = until or asyncio.get_running_loop().time() + PATIENCE
                await asyncio.sleep(0)  # let the next request leave before these are committed
        if self._end is not None and not some:
            raise self._end
        return some

    async def close(self) -> None:
        """Ask for no more."""
        self._asking.cancel()
        await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self, pages: AsyncIterator[Page]) -> None:
        try:
            async for page in pages:
                await self._came.put(page)
        except Exception as error:  # noqa: BLE001  handed to the one who takes the pages, who raises it
            await self._came.put(error)
        else:
            await self._came.put(None)
