"""A body sent piece by piece: it arrives whole, is never held whole, and every way it can go wrong is told."""

import asyncio
import resource
from collections.abc import AsyncIterator

import pytest

from connector import errors
from connector.http import Http
from connector.model import Answer, Request
from connector.secrets import Vault
from tests.http.servers import OK, Server, Visit, answering

ALLOW = ["127.0.0.1"]
MB = 1_000_000


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _much(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65_536):
        yield bytes(65_536)
    yield bytes(size % 65_536)


def _put(server: Server, **more: object) -> Request:
    return Request("PUT", f"{server.url}/place?X-Sig=1", **more)  # type: ignore[arg-type]  # fields of Request


def test_a_body_arrives_whole_with_its_length(vault: Vault) -> None:
    async def main() -> tuple[Answer, bytes]:
        async with Server(answering(OK)) as server, Http(ALLOW, vault) as http:
            return await http.upload(_put(server), _pieces(b"a,b\n", b"1,2\n"), 8), server.requests[0]

    answer, request = asyncio.run(main())
    head, _, body = request.partition(b"\r\n\r\n")
    assert (200, b"ok", b"a,b\n1,2\n") == (answer.status, answer.body, body)
    assert head.startswith(b"PUT /place?X-Sig=1 HTTP/1.1\r\n")
    assert b"\r\nContent-Length: 8" in head
    assert b"Transfer-Encoding" not in head


def test_a_large_body_is_never_held_whole(vault: Vault) -> None:
    size = 150 * MB

    async def counting(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        left = size
        while left:
            piece = await visit.reader.read(min(left, 1 << 20))
            left -= len(piece)
            await asyncio.sleep(0)
        await visit.write(OK)

    async def main() -> Answer:
        async with Server(counting) as server, Http(ALLOW, vault) as http:
            return await http.upload(_put(server, deadline=60_000), _much(size), size)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert 200 == asyncio.run(main()).status
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB


def test_an_answer_that_comes_early_is_the_answer(vault: Vault) -> None:
    async def refusing(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        await asyncio.sleep(60)

    async def main() -> tuple[Answer, Answer]:
        async with Server(refusing) as server, Http(ALLOW, vault) as http:
            first = await http.upload(_put(server), _much(50 * MB), 50 * MB)
            return first, await http.upload(_put(server), _much(50 * MB), 50 * MB)

    first, second = asyncio.run(main())
    assert ((403, b"no"), (403, b"no")) == ((first.status, first.body), (second.status, second.body))


def test_what_the_source_raises_comes_out(vault: Vault) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise errors.RenderError("the file became shorter")

    async def main() -> Server:
        async with Server(answering(OK)) as server, Http(ALLOW, vault) as http:
            with pytest.raises(errors.RenderError, match="the file became shorter"):
                await http.upload(_put(server), broken(), 8)
            await http.send(Request("GET", f"{server.url}/next"))
            return server

    server = asyncio.run(main())
    assert [b"GET /next HTTP/1.1"] == [request.split(b"\r\n")[0] for request in server.requests]


def test_a_connection_that_breaks_is_told(vault: Vault) -> None:
    async def breaking(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        visit.reset()

    async def main() -> None:
        async with Server(breaking) as server, Http(ALLOW, vault) as http:
            await http.upload(_put(server), _much(20 * MB), 20 * MB)

    with pytest.raises(errors.Unreachable) as caught:
        asyncio.run(main())
    assert "X-Sig" not in str(caught.value)


def test_a_server_that_takes_nothing_is_left_at_the_deadline(vault: Vault) -> None:
    async def deaf(visit: Visit) -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        async with Server(deaf) as server, Http(ALLOW, vault) as http:
            await http.upload(_put(server, deadline=300), _much(50 * MB), 50 * MB)

    with pytest.raises(errors.DeadlineExceeded):
        asyncio.run(main())


@pytest.mark.parametrize("url", ["http://example.com/f.csv", "https://127.0.0.2/f.csv", "https://10.0.0.1/f.csv"])
def test_plain_http_and_private_hosts_are_refused(vault: Vault, url: str) -> None:
    async def main() -> None:
        async with Http(ALLOW, vault) as http:
            await http.upload(Request("PUT", f"{url}?sig=s3cret"), _pieces(b"x"), 1)

    with pytest.raises(errors.AddressRefused) as caught:
        asyncio.run(main())
    assert "s3cret" not in str(caught.value)
