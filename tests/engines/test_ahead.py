"""Pages that come quickly are handed out together; none waits for a slow one."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from connector.engines.ahead import ENOUGH, Ahead
from connector.errors import FeedUnavailable
from connector.model import Event, Page

EVENTS = [Event("a", "f", f"e{n}", "page", 1, 1, {}) for n in range(100)]


async def pages(*waits: float, error: Exception | None = None) -> AsyncIterator[Page]:
    """One page after each wait, then perhaps an error."""
    for n, wait in enumerate(waits):
        if wait:
            await asyncio.sleep(wait)
        yield Page("fresh", str(n), str(n + 1), EVENTS)
    if error is not None:
        raise error


async def handed_out(from_: AsyncIterator[Page]) -> list[int]:
    """How many pages came at once, each time."""
    ahead = Ahead(from_)
    try:
        sizes = []
        while some := await ahead.some():
            sizes.append(len(some))
        return sizes
    finally:
        await ahead.close()


def test_what_comes_quickly_is_handed_out_together_up_to_enough() -> None:
    sizes = asyncio.run(handed_out(pages(*[0.0] * 23)))
    assert 23 == sum(sizes)
    assert ENOUGH // len(EVENTS) == max(sizes)


def test_a_page_does_not_wait_for_a_slow_one() -> None:
    assert [1, 1] == asyncio.run(handed_out(pages(0, 0.4)))


def test_an_error_comes_after_the_pages_before_it() -> None:
    async def read() -> tuple[int, list[Page]]:
        ahead = Ahead(pages(0, 0, error=FeedUnavailable("down")))
        try:
            before = await ahead.some()
            with pytest.raises(FeedUnavailable, match="down"):
                await ahead.some()
            return len(before), []
        finally:
            await ahead.close()

    assert (2, []) == asyncio.run(read())


def test_closing_ends_the_asking() -> None:
    async def close_early() -> bool:
        ended = False

        async def endless() -> AsyncIterator[Page]:
            nonlocal ended
            try:
                while True:
                    yield Page("fresh", None, "1", EVENTS)
            finally:
                ended = True

        source = endless()
        ahead = Ahead(source)
        await ahead.some()
        await ahead.close()
        await source.aclose()
        return ended

    assert asyncio.run(close_early())
