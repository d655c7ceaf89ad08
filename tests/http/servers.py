"""Servers for the door to knock at: raw sockets on loopback that do exactly what a test tells them."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import Self, TypeAlias

Script: TypeAlias = Callable[["Visit"], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Visit:
    """One connection to the server, and what came on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: "Server") -> None:
        self.reader = reader
        self.writer = writer
        self.server = server
        self.number = server.connects

    async def request(self) -> bytes:
        """One whole request, head and body; raises IncompleteReadError when the client is gone."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        whole = head + await self.reader.readexactly(length)
        self.server.requests.append(whole)
        return whole

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Server:
    """`async with Server(script) as server`: the script is run for every connection, which is closed after it."""

    def __init__(
        self, script: Script, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self._script = script
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self.host = host
        self.port = port
        self.connects = 0
        self.requests: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._visited, self.host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._script(Visit(reader, writer, self))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass  # the client went away, or the test is over
        finally:
            self._tasks.discard(task)
            writer.close()


def answering(*answers: bytes) -> Script:
    """Answers each request of a connection with the next of these, the last again and again."""

    async def script(visit: Visit) -> None:
        turn = 0
        while True:
            await visit.request()
            await visit.write(answers[min(turn, len(answers) - 1)])
            turn += 1

    return script


async def hang(visit: Visit) -> None:
    """Takes the request and says nothing."""
    await visit.request()
    await asyncio.sleep(60)
