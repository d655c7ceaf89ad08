"""A sandbox in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from connector.sandbox import Sandbox
from tests.sandbox.client import Client, Clock, Start
from tests.sandbox.intempt import ROOMS, VISITS, Intempt


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts sandboxes; they end with the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    clients: list[Client] = []

    def begin(**options: Any) -> Client:
        clock = Clock()
        sandbox = Sandbox(**{"clock": clock, **options})
        asyncio.run_coroutine_threadsafe(sandbox.__aenter__(), loop).result(10)
        clients.append(Client(sandbox, clock))
        return clients[-1]

    yield begin
    for client in clients:
        client.http.close()
        asyncio.run_coroutine_threadsafe(client.sandbox.__aexit__(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def sandbox(start: Start) -> Client:
    """One sandbox without traffic, at noon."""
    return start()


@pytest.fixture
def intempt(sandbox: Client) -> Intempt:
    """Intempt in that sandbox."""
    return Intempt(sandbox)


@pytest.fixture
def hotel(intempt: Intempt) -> Intempt:
    """Rooms, and visits of theirs by people."""
    intempt.order("collections", ROOMS)
    intempt.order("collections", VISITS)
    intempt.order("items", {"collection": "rooms", "items": [{"id": 1, "price": 80.0}, {"id": 2, "price": 200.0}]})
    return intempt
