"""Two connections as a configuration has them, to the real platforms and to a sandbox."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from connector.sandbox import Sandbox
from connector.settings import Connection
from tests.platforms.samples import World, connections

Make: TypeAlias = Callable[..., Connection]


@pytest.fixture
def intilery(tmp_path: Path) -> Connection:
    return connections(tmp_path)["intilery"]


@pytest.fixture
def intempt(tmp_path: Path) -> Connection:
    return connections(tmp_path)["intempt"]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a connection with other keys than the usual ones."""

    def made(platform: str, **more: Any) -> Connection:
        return connections(tmp_path, **{platform: more})[platform]

    return made


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Both connections against a sandbox of their own."""
    made, ready, stop = Sandbox(), threading.Event(), threading.Event()

    async def serve() -> None:
        async with made:
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    yield World(made, connections(tmp_path, **{name: {"base_url": made.url} for name in ("intilery", "intempt")}))
    stop.set()
    thread.join(10)
