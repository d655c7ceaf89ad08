"""One request out, one answer in: what is sent, what is read, how long, and what each kind of trouble is called."""

import asyncio
import gzip
import resource
import ssl
import time
from typing import Any

import pytest
from aiohttp import TCPConnector

from connector import errors
from connector.http import Http
from connector.http.sending import Overflow
from connector.model import Answer, Request
from connector.secrets import Secret, Vault
from tests.http.certificate import Certificate
from tests.http.servers import OK, Script, Server, Visit, answering, hang

ALLOW = ["127.0.0.1", "::1"]


def sent(vault: Vault, script: Script, *requests: Request, overflow: Overflow = "error") -> tuple[list[Answer], Server]:
    """Send the requests one after the other to one server; a request's url is a path on it."""

    async def main() -> tuple[list[Answer], Server]:
        async with Server(script) as server, Http(ALLOW, vault) as http:
            answers = []
            for request in requests:
                place = Request(**{**fields(request), "url": server.url + str(request.url)})
                answers.append(await http.send(place, overflow=overflow))
            return answers, server

    return asyncio.run(main())


def fields(request: Request) -> dict[str, object]:
    return {name: getattr(request, name) for name in Request.__slots__}


def get(url: str = "/", **more: object) -> Request:
    return Request("GET", url, **more)  # type: ignore[arg-type]  # the fields of Request


def post(url: str = "/", body: bytes = b"{}", **more: object) -> Request:
    return Request("POST", url, body=body, **more)  # type: ignore[arg-type]  # the fields of Request


# ── what is sent ──────────────────────────────────────────────────────────────────────────────


def test_a_request_goes_out_as_it_was_built_and_the_answer_comes_back_whole(vault: Vault) -> None:
    answer = b'HTTP/1.1 201 Created\r\nX-Two: a\r\nx-two: b\r\nContent-Length: 7\r\n\r\n{"a":1}'
    request = post("/hooks?k=v", b'{"n":1}', headers=(("Content-Type", "application/json"), ("X-Who", "Zoë")))
    [got], server = sent(vault, answering(answer), request)
    assert (201, {"x-two": "a, b", "content-length": "7"}, b'{"a":1}') == (got.status, got.headers, got.body)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert [
        b"POST /hooks?k=v HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"Accept-Encoding: identity",
        b"Content-Type: application/json",
        "X-Who: Zoë".encode(),
        b"User-Agent: connector/0.1.0",
        b"Content-Length: 7",
    ] == head.split(b"\r\n")
    assert b'{"n":1}' == body


def test_secrets_are_read_when_they_are_sent(vault: Vault) -> None:
    environ = {"TOKEN": "first-value"}
    vault = Vault(environ, None, None)

    async def main() -> list[bytes]:
        async with Server(answering(OK)) as server, Http(ALLOW, vault) as http:
            environ["BASE"] = server.url
            request = get(Secret("${BASE}/hook", vault), headers=(("auth-token", Secret("${TOKEN}", vault)),))
            await http.send(request)
            environ["TOKEN"] = "second-value"
            await http.send(request)
            return server.requests

    first, second = asyncio.run(main())
    assert b"GET /hook HTTP/1.1" in first
    assert b"auth-token: first-value" in first
    assert b"auth-token: second-value" in second


@pytest.mark.parametrize(
    ("url", "path", "target"),
    [
        ("", "", "/"),
        ("/", "", "/"),
        ("/hooks", "/notes", "/hooks/notes"),
        ("/hooks/", "/notes", "/hooks/notes"),
        ("/hooks", "notes", "/hooks/notes"),
        ("/hooks?key=1", "/notes?a=2", "/hooks/notes?key=1&a=2"),
        ("/hooks", "?a=2", "/hooks?a=2"),
        ("/h%2Fx/%7euser", "/a%2Fb%20c/%e2%82%ac", "/h%2Fx/%7euser/a%2Fb%20c/%e2%82%ac"),
        ("/a/../b//c;d", "", "/a/../b//c;d"),
    ],
)
def test_the_path_is_appended_and_nothing_is_normalised(vault: Vault, url: str, path: str, target: str) -> None:
    _, server = sent(vault, answering(OK), get(url, path=path))
    assert target == server.requests[0].split(b" ")[1].decode()


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: 1", "/é", "/a#b", "/../admin", "/a/%2e%2E", "/a/./b", "/.."])
def test_a_path_that_could_arrive_differently_is_refused(vault: Vault, path: str) -> None:
    with pytest.raises(errors.RequestRefused, match="path to append"):
        sent(vault, answering(OK), get("/hooks", path=path))


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\x1bb", "\ud800", "x" * 8193])
def test_a_header_value_that_could_break_out_is_refused(vault: Vault, value: str) -> None:
    with pytest.raises(errors.RequestRefused, match="the header X-Note") as caught:
        sent(vault, answering(OK), get(headers=(("X-Note", value),)))
    assert caught.value.arrived is False


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "é", "Host", "content-length", "Transfer-Encoding"])
def test_a_header_name_that_is_none_or_frames_the_request_is_refused(vault: Vault, name: str) -> None:
    with pytest.raises(errors.RequestRefused, match="header"):
        sent(vault, answering(OK), get(headers=((name, "1"),)))


def test_a_header_value_of_8_kib_passes(vault: Vault) -> None:
    _, server = sent(vault, answering(OK), get(headers=(("X-Long", "x" * 8192),)))
    assert b"X-Long: " + b"x" * 8192 in server.requests[0]


@pytest.mark.parametrize("method", ["", "get", "GE T", "GET\r\n", "CONNECT", "TRACE"])
def test_what_is_no_method_is_refused(vault: Vault, method: str) -> None:
    with pytest.raises(errors.RequestRefused, match="sent"):
        sent(vault, answering(OK), Request(method, "/"))


def test_another_user_agent_takes_the_place_of_ours(vault: Vault) -> None:
    _, server = sent(vault, answering(OK), get(headers=(("user-agent", "mine"),)))
    assert [b"user-agent: mine"] == [line for line in server.requests[0].split(b"\r\n") if b"agent" in line.lower()]


def test_cookies_are_not_kept(vault: Vault) -> None:
    set_cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: id=1\r\nContent-Length: 0\r\n\r\n"
    _, server = sent(vault, answering(set_cookie), get(), get())
    assert b"cookie" not in server.requests[1].lower()


def test_proxies_of_the_environment_are_ignored(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    [answer], _ = sent(vault, answering(OK), get())
    assert b"ok" == answer.body


# ── what is read ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(vault: Vault, status: int) -> None:
    moved = b"HTTP/1.1 %d Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n" % status
    [answer], server = sent(vault, answering(moved), post())
    assert (status, "http://169.254.169.254/", 1) == (answer.status, answer.headers["location"], len(server.requests))


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 404, 410, 418, 429, 500, 503, 599])
def test_every_status_is_an_answer(vault: Vault, status: int) -> None:
    body = b"" if status in {204, 304} else b"Content-Length: 0\r\n"
    [answer], _ = sent(vault, answering(b"HTTP/1.1 %d X\r\n%s\r\n" % (status, body)), get())
    assert status == answer.status


def test_html_is_an_answer_too(vault: Vault) -> None:
    html = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"
    [answer], _ = sent(vault, answering(html), get())
    assert ("text/html", b"<html></html>") == (answer.headers["content-type"], answer.body)


def test_chunks_are_put_together(vault: Vault) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    answers, server = sent(vault, answering(chunked), get(), get())
    assert ([b"abcde"] * 2, 1) == ([answer.body for answer in answers], server.connects)


def test_a_body_without_length_ends_with_the_connection(vault: Vault) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    [answer], _ = sent(vault, script, get())
    assert b"all of it" == answer.body


def test_interim_answers_are_passed_over(vault: Vault) -> None:
    hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    [answer], _ = sent(vault, answering(hints + OK), post())
    assert (200, b"ok") == (answer.status, answer.body)


def test_the_answer_to_head_has_no_body(vault: Vault) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n"
    answers, server = sent(vault, answering(head), Request("HEAD", "/"), Request("HEAD", "/"))
    assert ([b"", b""], 1) == ([answer.body for answer in answers], server.connects)


def test_header_bytes_that_are_no_text_are_replaced(vault: Vault) -> None:
    odd = b"HTTP/1.1 200 OK\r\nX-Odd: a\xffb\r\nX-Fine: \xc3\xa9\r\nContent-Length: 0\r\n\r\n"
    [answer], _ = sent(vault, answering(odd), get())
    assert ("a\ufffdb", "é") == (answer.headers["x-odd"], answer.headers["x-fine"])


def test_a_body_up_to_the_cap_is_read_and_one_byte_more_is_an_error(vault: Vault) -> None:
    def of(size: int) -> Script:
        return answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, b"x" * size))

    [answer], _ = sent(vault, of(1000), get(cap=1000))
    assert 1000 == len(answer.body)
    with pytest.raises(errors.AnswerTooLarge, match="larger than 1000 bytes") as caught:
        sent(vault, of(1001), get(cap=1000))
    assert caught.value.arrived is True


@pytest.mark.parametrize("overflow", ["error", "cut"])
def test_of_a_200_mb_body_only_the_cap_is_read(vault: Vault, overflow: Overflow) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        for _ in range(200):
            await visit.write(b"x" * 1_000_000)
        visit.server.requests.append(b"all of it was read")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if overflow == "cut":
        [answer], server = sent(vault, script, get(), overflow="cut")
        assert (200, 65_536, 1) == (answer.status, len(answer.body), len(server.requests))
    else:
        with pytest.raises(errors.AnswerTooLarge):
            sent(vault, script, get())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


BOMB = gzip.compress(bytes(50_000_000))
ZIPPED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(BOMB), BOMB)


def test_a_compressed_answer_is_not_unpacked_but_an_error(vault: Vault) -> None:
    with pytest.raises(errors.AnswerUnreadable, match="compressed, though we asked for `identity`"):
        sent(vault, answering(ZIPPED), get(cap=1_000_000))


def test_of_a_compressed_answer_the_status_counts_where_the_body_may_be_cut(vault: Vault) -> None:
    [answer], _ = sent(vault, answering(ZIPPED), get(), overflow="cut")
    assert (200, b"", "gzip") == (answer.status, answer.body, answer.headers["content-encoding"])


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 banana OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
def test_what_is_not_http_is_told_so(vault: Vault, answer: bytes) -> None:
    with pytest.raises(errors.HttpError, match=r"127\.0\.0\.1:\d+: ") as caught:
        sent(vault, answering(answer), get())
    assert type(caught.value) in {errors.AnswerUnreadable, errors.Unreachable}
    assert caught.value.arrived is not False


# ── how long ──────────────────────────────────────────────────────────────────────────────────


async def mid_headers(visit: Visit) -> None:
    await visit.request()
    await visit.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    await asyncio.sleep(60)


async def mid_body(visit: Visit) -> None:
    await visit.request()
    await visit.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    await asyncio.sleep(60)


def dripping(prefix: bytes, drop: bytes) -> Script:
    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.write(prefix)
        for _ in range(1000):
            await visit.write(drop)
            await asyncio.sleep(0.02)

    return script


drip_headers = dripping(b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n")
drip_body = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"x")
only_interim = dripping(b"", b"HTTP/1.1 102 Processing\r\n\r\n")


@pytest.mark.parametrize("script", [hang, mid_headers, mid_body, drip_headers, drip_body, only_interim])
def test_the_deadline_holds_for_the_whole_answer(vault: Vault, script: Script) -> None:
    started = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded, match=r"127\.0\.0\.1:\d+: no whole answer within 300ms") as caught:
        sent(vault, script, get(deadline=300))
    assert 0.25 < time.monotonic() - started < 2
    assert caught.value.arrived is None


def test_a_deadline_that_passes_before_there_is_a_connection_says_that_nothing_arrived(
    vault: Vault, certificate: Certificate
) -> None:
    async def silent(visit: Visit) -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        async with Server(silent) as server, Http(ALLOW, vault, tls=certificate.client) as http:
            await http.send(get(server.url.replace("http:", "https:"), deadline=300))

    with pytest.raises(errors.DeadlineExceeded) as caught:
        asyncio.run(main())
    assert caught.value.arrived is False


def test_connecting_has_a_deadline_of_its_own(
    vault: Vault, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector.http import wire

    monkeypatch.setattr(wire, "_CONNECT", 0.2)

    async def silent(visit: Visit) -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        async with Server(silent) as server, Http(ALLOW, vault, tls=certificate.client) as http:
            await http.send(get(server.url.replace("http:", "https:"), deadline=10_000))

    with pytest.raises(errors.Unreachable, match=r"no connection within 0\.2 s") as caught:
        asyncio.run(main())
    assert caught.value.arrived is False


def test_what_a_server_did_not_take_before_the_deadline_is_not_sent_after_it(vault: Vault) -> None:
    size = 50_000_000

    async def main() -> int:
        taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def late(visit: Visit) -> None:
            await asyncio.sleep(0.6)
            total = 0
            try:
                while chunk := await visit.reader.read(1_000_000):
                    total += len(chunk)
            finally:
                taken.set_result(total)

        async with Server(late) as server, Http(ALLOW, vault) as http:
            with pytest.raises(errors.DeadlineExceeded):
                await http.send(post(server.url, bytes(size), deadline=300))
            return await taken

    assert asyncio.run(main()) < size


def test_elapsed_is_in_milliseconds(vault: Vault) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        await asyncio.sleep(0.1)
        await visit.write(OK)

    [answer], _ = sent(vault, script, get())
    assert 95 <= answer.elapsed < 2000


def test_giving_up_ends_the_connection_and_not_the_door(vault: Vault) -> None:
    async def main() -> tuple[int, int]:
        async def first_hangs(visit: Visit) -> None:
            await (hang if visit.number == 1 else answering(OK))(visit)

        async with Server(first_hangs) as server, Http(ALLOW, vault) as http:
            task = asyncio.create_task(http.send(get(server.url)))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return (await http.send(get(server.url))).status, server.connects

    assert (200, 2) == asyncio.run(main())


# ── what trouble is called ────────────────────────────────────────────────────────────────────


def test_nobody_listening_surely_did_not_arrive(vault: Vault) -> None:
    async def main() -> None:
        async with Server(hang) as server:
            pass
        async with Http(ALLOW, vault) as http:
            await http.send(post(server.url))

    with pytest.raises(errors.Unreachable, match=r"no connection \(connection refused\)") as caught:
        asyncio.run(main())
    assert caught.value.arrived is False


async def closes(visit: Visit) -> None:
    await visit.request()


async def resets(visit: Visit) -> None:
    await visit.request()
    visit.reset()


async def truncates(visit: Visit) -> None:
    await visit.request()
    await visit.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")


async def truncates_chunks(visit: Visit) -> None:
    await visit.request()
    await visit.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")


async def resets_within(visit: Visit) -> None:
    await visit.request()
    await visit.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    await asyncio.sleep(0.05)
    visit.reset()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (closes, "closed the connection without an answer"),
        (resets, "broke before the answer .connection reset by peer"),
        (truncates, "in the middle of the answer"),
        (truncates_chunks, "in the middle of the answer"),
        (resets_within, "in the middle of the answer|connection reset by peer"),
    ],
)
def test_a_connection_that_breaks_may_have_arrived(vault: Vault, script: Script, words: str) -> None:
    with pytest.raises(errors.Unreachable, match=words) as caught:
        sent(vault, script, post())
    assert caught.value.arrived is None


def test_an_unknown_certificate_is_refused(vault: Vault, certificate: Certificate) -> None:
    async def main() -> int:
        async with Server(answering(OK), tls=certificate.server) as server, Http(ALLOW, vault) as http:
            with pytest.raises(errors.Unreachable, match=r"certificate is not accepted \(self-signed") as caught:
                await http.send(post(server.url))
            assert caught.value.arrived is False
            return len(server.requests)

    assert 0 == asyncio.run(main())


def test_a_certificate_of_another_host_is_refused(vault: Vault, certificate: Certificate) -> None:
    async def main() -> None:
        server = Server(answering(OK), host="127.0.0.2", tls=certificate.server)
        async with server, Http(["127.0.0.2"], vault, tls=certificate.client) as http:
            await http.send(post(server.url))

    with pytest.raises(errors.Unreachable, match=r"certificate is not accepted .IP address mismatch"):
        asyncio.run(main())


def test_a_known_certificate_is_accepted_and_the_connection_kept(vault: Vault, certificate: Certificate) -> None:
    async def main() -> int:
        async with Server(answering(OK), tls=certificate.server) as server:
            async with Http(ALLOW, vault, tls=certificate.client) as http:
                assert {200} == {(await http.send(post(server.url))).status for _ in range(3)}
            return server.connects

    assert 1 == asyncio.run(main())


def test_a_context_that_does_not_verify_is_not_taken(vault: Vault) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(ValueError, match="verifies certificates"):
        Http([], vault, tls=context)


def test_plain_http_on_a_tls_port_is_explained(vault: Vault) -> None:
    async def plain(visit: Visit) -> None:
        await visit.reader.read(1)
        await visit.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def main() -> None:
        async with Server(plain) as server, Http(ALLOW, vault) as http:
            await http.send(post(server.url.replace("http:", "https:")))

    with pytest.raises(errors.Unreachable, match=r"no connection \(.*wrong version number") as caught:
        asyncio.run(main())
    assert caught.value.arrived is False


async def closes_at_once(visit: Visit) -> None:
    """Hangs up before it is asked anything."""


async def speaks_first(visit: Visit) -> None:
    await visit.write(b"220 mail.example ESMTP\r\n")
    await asyncio.sleep(5)


@pytest.mark.parametrize("script", [closes_at_once, speaks_first])
def test_a_server_that_hangs_up_or_speaks_first_is_not_asked(
    vault: Vault, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = TCPConnector.connect

    async def slowly(self: TCPConnector, *arguments: Any) -> object:
        connection = await connect(self, *arguments)
        await asyncio.sleep(0.1)  # as when the loop is busy: what the server did is seen before the request goes out
        return connection

    monkeypatch.setattr(TCPConnector, "connect", slowly)
    with pytest.raises(errors.Unreachable, match="closed the connection at once, or spoke before") as caught:
        sent(vault, script, post())
    assert caught.value.arrived is False


def test_an_upgrade_nobody_asked_for_is_an_answer_and_ends_the_connection(vault: Vault) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    answers, server = sent(vault, answering(switch), get(), get())
    assert ([101, 101], 2) == ([answer.status for answer in answers], server.connects)


# ── what is never told ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("script", [hang, closes, resets, truncates])
def test_an_error_holds_neither_the_path_nor_a_secret(
    vault: Vault, script: Script, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    async def main() -> None:
        async with Server(script) as server, Http(ALLOW, vault) as http:
            secret = Vault({"HOOK": f"{server.url}/services/T0/hookhookhook?key=kkk"}, None, None)
            auth = ("Authorization", Secret("Bearer ${TOKEN}", vault))
            await http.send(post(Secret("${HOOK}", secret), headers=(auth,), deadline=300))

    caplog.set_level("DEBUG")
    with pytest.raises(errors.HttpError) as caught:
        asyncio.run(main())
    told = repr(caught.value) + repr(caught.value.__cause__) + caplog.text + repr(list(recwarn))
    assert not [word for word in ("hookhookhook", "services", "kkk", "s3cr3t") if word in told]


def test_a_secret_host_is_redacted(vault: Vault) -> None:
    async def main() -> None:
        hidden = Vault({"PLACE": "https://tenant-1234.internal"}, None, None)
        hidden.hide("tenant-1234")
        async with Http([], hidden) as http:
            await http.send(post(Secret("${PLACE}", hidden)))

    with pytest.raises(errors.AddressRefused, match=r"\*\*\*.internal:443"):
        asyncio.run(main())


def test_a_missing_secret_is_named(vault: Vault) -> None:
    async def main() -> None:
        async with Http(ALLOW, vault) as http:
            await http.send(post(Secret("${NOT_THERE}", vault)))

    with pytest.raises(errors.SecretMissing, match="NOT_THERE"):
        asyncio.run(main())


def test_outside_its_block_nothing_is_sent(vault: Vault) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(Http([], vault).send(get("https://example.com")))


def test_ending_the_block_ends_what_is_under_way(vault: Vault) -> None:
    async def main() -> BaseException | Answer:
        async with Server(hang) as server:
            async with Http(ALLOW, vault) as http:
                task = asyncio.create_task(http.send(get(server.url)))
                await asyncio.sleep(0.1)
            [outcome] = await asyncio.gather(task, return_exceptions=True)
            return outcome

    assert isinstance(asyncio.run(main()), errors.Unreachable)
