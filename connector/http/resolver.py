"""Name → addresses that were checked. The connection is made to one of these and nothing is looked up again."""

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from connector.http.guard import Guard

_Found: TypeAlias = list[tuple[socket.AddressFamily, str]]


class CheckedResolver(AbstractResolver):
    """What aiohttp asks for a host that is not a literal address (`Guard.admit` judges those)."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of the host. Raises AddressRefused, and OSError when there is none."""
        # With a dot at the end no search domain is tried: "crm.example.com" stays what it says, in a cluster too.
        # A host that egress.allow names may come from /etc/hosts or a search domain.
        name = host if self._guard.named(host, port) else f"{host}."
        found = await _look_up(name, port, family)
        self._guard.screen(host, port, (address for _, address in found))
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for family, address in found
        ]

    async def close(self) -> None:
        """Nothing to close."""


async def _look_up(name: str, port: int, family: socket.AddressFamily) -> _Found:
    """The system's resolver in a thread of its own: it cannot be stopped, and a daemon thread holds no exit back."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_Found] = loop.create_future()

    def settle(found: _Found, error: OSError | None) -> None:
        if answer.done():  # who asked has given up
            return
        if error is None:
            answer.set_result(found)
        else:
            answer.set_exception(error)

    def ask() -> None:
        found: _Found = []
        error = None
        try:
            found = [
                (kind, str(where[0]))
                for kind, _, _, _, where in socket.getaddrinfo(name, port, family, socket.SOCK_STREAM)
            ]
        except OSError as failure:
            error = failure
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, found, error)

    threading.Thread(target=ask, name=f"look up {name}", daemon=True).start()
    return await answer
