"""Kept connections: used again, looked at before they are, and never a reason to send something twice."""

import asyncio
import subprocess
import sys
import time

import pytest

from connector import errors
from connector.http import Http
from connector.model import Request
from connector.secrets import Vault
from tests.http.certificate import Certificate
from tests.http.servers import OK, Script, Server, Visit, answering

ALLOW = ["127.0.0.1"]


def once_then(close: str) -> Script:
    """Answers one request a connection; what happens to the second is told by `close`."""

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.write(OK)
        if close == "soon":
            await asyncio.sleep(0.05)
        elif close == "on the next request":
            await visit.request()
        elif close == "by reset":
            await visit.request()
            visit.reset()

    return script


async def twice(vault: Vault, server: Server, method: str, *, pause: float = 0) -> list[int]:
    async with Http(ALLOW, vault) as http:
        statuses = []
        for _ in range(2):
            answer = await http.send(Request(method, server.url, body=b"" if method == "GET" else b"{}"))
            statuses.append(answer.status)
            await asyncio.sleep(pause)
        return statuses


def test_a_connection_is_used_again(vault: Vault) -> None:
    async def main() -> int:
        async with Server(answering(OK)) as server:
            await twice(vault, server, "POST")
            return server.connects

    assert 1 == asyncio.run(main())


def test_requests_at_the_same_time_have_a_connection_each(vault: Vault) -> None:
    async def main() -> int:
        async def slow(visit: Visit) -> None:
            while True:
                await visit.request()
                await asyncio.sleep(0.1)
                await visit.write(OK)

        async with Server(slow) as server, Http(ALLOW, vault) as http:
            await asyncio.gather(*(http.send(Request("GET", server.url)) for _ in range(20)))
            return server.connects

    assert 20 == asyncio.run(main())


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_connection_the_server_closed_while_idle_costs_no_attempt(vault: Vault, method: str) -> None:
    async def main() -> tuple[list[int], int]:
        async with Server(once_then("soon")) as server:
            return await twice(vault, server, method, pause=0.2), len(server.requests)

    assert ([200, 200], 2) == asyncio.run(main())


OWN_PROCESS = """
import socket, ssl, sys, threading, time
listener = socket.create_server(("127.0.0.1", 0))
context = None
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[1:])
print(listener.getsockname()[1], flush=True)
requests = 0
while requests < 2:
    plain, _ = listener.accept()
    visit = context.wrap_socket(plain, server_side=True) if context else plain
    if visit.recv(65536):
        requests += 1
        visit.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        time.sleep(0.1)
        if context:
            visit.settimeout(0.2)
            try:
                visit.unwrap()
            except OSError:
                pass
    visit.close()
print(requests)
"""


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_it_is_noticed_even_when_this_process_was_busy_meanwhile(
    vault: Vault, certificate: Certificate, scheme: str
) -> None:
    """The end of the connection lies unread in the socket when the second request is about to go out."""
    files = [str(certificate.cert), str(certificate.key)] if scheme == "https" else []
    with subprocess.Popen([sys.executable, "-c", OWN_PROCESS, *files], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"{scheme}://127.0.0.1:{process.stdout.readline().strip()}"

        async def main() -> list[int]:
            async with Http(ALLOW, vault, tls=certificate.client) as http:
                first = await http.send(Request("POST", url, body=b"{}"))
                time.sleep(1)  # noqa: ASYNC251  the loop is to be busy
                second = await http.send(Request("POST", url, body=b"{}"))
                return [first.status, second.status]

        try:
            assert [200, 200] == asyncio.run(main())
            assert "2" == process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("close", ["on the next request", "by reset"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_a_kept_connection_swallows_is_never_sent_again_by_itself(vault: Vault, method: str, close: str) -> None:
    async def main() -> int:
        async with Server(once_then(close)) as server:
            with pytest.raises(errors.Unreachable) as caught:
                await twice(vault, server, method)
            assert caught.value.arrived is None
            return len(server.requests)

    assert 2 == asyncio.run(main())


@pytest.mark.parametrize("close", ["on the next request", "by reset"])
def test_a_get_that_a_kept_connection_swallows_is_asked_again_on_a_new_one(vault: Vault, close: str) -> None:
    async def main() -> tuple[list[int], int]:
        async with Server(once_then(close)) as server:
            return await twice(vault, server, "GET"), len(server.requests)

    assert ([200, 200], 3) == asyncio.run(main())


def test_a_get_on_a_new_connection_is_not_asked_again(vault: Vault) -> None:
    async def closes(visit: Visit) -> None:
        await visit.request()

    async def main() -> int:
        async with Server(closes) as server:
            with pytest.raises(errors.Unreachable):
                await twice(vault, server, "GET")
            return len(server.requests)

    assert 1 == asyncio.run(main())


def test_an_answer_nobody_asked_for_is_never_taken_for_the_next_one(vault: Vault) -> None:
    stray = b"HTTP/1.1 500 Stray\r\nContent-Length: 0\r\n\r\n"

    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.write(OK + stray if visit.number == 1 else OK)
        await asyncio.sleep(0.05)
        if visit.number == 2:
            await visit.write(stray)
        await asyncio.sleep(5)

    async def main() -> tuple[list[int], int]:
        async with Server(script) as server, Http(ALLOW, vault) as http:
            statuses = []
            for _ in range(3):
                statuses.append((await http.send(Request("POST", server.url))).status)
                await asyncio.sleep(0.1)
            return statuses, server.connects

    assert ([200, 200, 200], 3) == asyncio.run(main())


def test_connection_close_is_obeyed(vault: Vault) -> None:
    async def main() -> int:
        async with Server(answering(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))) as server:
            await twice(vault, server, "POST")
            return server.connects

    assert 2 == asyncio.run(main())


def test_an_answer_before_the_whole_request_was_read_ends_the_connection(vault: Vault) -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(0.2)

    async def main() -> tuple[list[int], int]:
        async with Server(script) as server, Http(ALLOW, vault) as http:
            body = b"x" * 30_000_000
            statuses = [(await http.send(Request("POST", server.url, body=body))).status for _ in range(2)]
            return statuses, server.connects

    assert ([413, 413], 2) == asyncio.run(main())


def test_a_body_that_was_cut_ends_the_connection(vault: Vault) -> None:
    async def main() -> int:
        big = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
        async with Server(answering(big)) as server, Http(ALLOW, vault) as http:
            for _ in range(2):
                assert 10 == len((await http.send(Request("POST", server.url, cap=10), overflow="cut")).body)
            return server.connects

    assert 2 == asyncio.run(main())
