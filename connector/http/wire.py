"""One exchange with one server over aiohttp's connections: bytes out, an answer in.

aiohttp's TCPConnector makes, checks, pools and ends the connections, its parser reads the answers. ClientSession is
left out: it costs half as much again as the whole exchange, follows, decodes and remembers what we must not, and
repeats a PUT or DELETE by itself when a connection breaks. Here only GET and HEAD are ever sent twice, and only when
the server closed a kept connection without a byte of answer; everything else goes out once, and whether it arrived is
for the caller to find out (same id, next attempt).
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from typing import Final, cast
from weakref import WeakKeyDictionary

from aiohttp import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientTimeout,
    ServerDisconnectedError,
    StreamReader,
    TCPConnector,
)
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import StreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage
from yarl import URL

from connector.errors import AnswerTooLarge, AnswerUnreadable, DeadlineExceeded, HttpError, Unreachable
from connector.http.guard import Guard
from connector.http.place import Place
from connector.http.resolver import CheckedResolver
from connector.http.sending import Sending
from connector.model import SECOND, Answer, span_text

_CONNECT: Final = 5  # seconds for lookup, TCP and TLS together
_KEEP: Final = 30  # seconds an unused connection is kept
_TRUSTED: Final = 0.05  # seconds after which a kept connection is looked at before it is used
_TURNS: Final = 4  # of the event loop, in which it reads the end of a connection, TLS too (two are enough today)
_CHUNK: Final = 65_536
_HEADER: Final = 8_190  # bytes in a header line
_HEADERS: Final = 128
_REPEATED: Final = frozenset({"GET", "HEAD"})


class Wire:
    """The connections to every server, kept 30 s for the next request. Belongs to the running loop."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._connector = TCPConnector(
            resolver=CheckedResolver(guard), limit=0, keepalive_timeout=_KEEP, ssl=True if tls is None else tls
        )
        self._timeout = ClientTimeout(connect=_CONNECT)
        self._origins: dict[tuple[str, str, int], ClientRequest] = {}
        self._kept: WeakKeyDictionary[ResponseHandler, float] = WeakKeyDictionary()  # since when, loop time

    async def close(self) -> None:
        """Break every connection; who still waits for an answer gets Unreachable."""
        await self._connector.close()

    async def exchange(self, sending: Sending) -> Answer:
        """Send and read within the deadline. Raises HttpError (see `connector.http.Http.send`)."""
        request, connection = sending.request, None
        started = self._loop.time()
        try:
            async with asyncio.timeout_at(started + request.deadline / SECOND):
                while True:
                    connection, used = await self._connect(sending.place)
                    try:
                        message, body = await self._talk(connection, sending)
                    except (ServerDisconnectedError, ClientOSError):
                        _drop(connection)
                        if not used or request.method not in _REPEATED:
                            raise
                    else:
                        elapsed = round((self._loop.time() - started) * SECOND)
                        return Answer(message.code, _headers(message), body, elapsed)
        except TimeoutError:
            late = DeadlineExceeded(f"{sending.place}: no whole answer within {span_text(request.deadline)}")
            late.arrived = False if connection is None else None
            raise late from None
        except (ClientConnectionError, ClientPayloadError, HttpProcessingError) as error:
            raise _told(error, sending.place) from None
        finally:
            if connection is not None:
                _drop(connection)

    async def _connect(self, place: Place) -> tuple[Connection, bool]:
        """A connection that is open as far as can be known, and whether it was used before."""
        while True:
            try:
                connection = await self._connector.connect(self._origin(place), [], self._timeout)
            except TimeoutError:
                raise _unsent(f"{place}: no connection within {_CONNECT} s") from None
            except ClientConnectorError as error:
                raise _unsent(f"{place}: {_why_unconnected(error)}") from None
            protocol = _protocol(connection)
            kept = self._kept.get(protocol)
            try:
                if kept is not None and self._loop.time() - kept > _TRUSTED:
                    for _ in range(_TURNS):  # the server may have closed it while this loop was busy
                        await asyncio.sleep(0)
            except BaseException:
                _drop(connection)
                raise
            if protocol.is_connected() and not protocol.should_close:  # nothing came unasked either
                return connection, kept is not None
            _drop(connection)
            if kept is None:
                raise _unsent(f"{place}: the server closed the connection at once, or spoke before it was asked")

    def _origin(self, place: Place) -> ClientRequest:
        """What the connector wants to know of a server; made once for each."""
        key = (place.scheme, place.host, place.port)
        if (origin := self._origins.get(key)) is None:
            url = URL.build(scheme=place.scheme, host=place.host, port=place.port)
            origin = self._origins[key] = ClientRequest("GET", url, loop=self._loop)
        return origin

    async def _talk(self, connection: Connection, sending: Sending) -> tuple[RawResponseMessage, bytes]:
        protocol = _protocol(connection)
        transport = cast("asyncio.Transport", protocol.transport)  # open: `_connect` has just looked
        protocol.set_response_params(
            skip_payload=sending.request.method == "HEAD",
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=_CHUNK,
            max_line_size=_HEADER,
            max_field_size=_HEADER,
            max_headers=_HEADERS,
        )
        transport.write(sending.data)
        pouring = None if sending.stream is None else self._loop.create_task(_pour(protocol, sending.stream))
        try:
            message, payload = await protocol.read()
            while 100 <= message.code < 200 and message.code != 101:  # interim answers, RFC 9110 §15.2
                message, payload = await protocol.read()
            body = await _body(payload, message, sending)
        finally:
            whole = pouring is None or not pouring.cancel()
        if whole and not transport.get_write_buffer_size():  # else it answered before it had read all
            self._kept[protocol] = self._loop.time()
            connection.release()
        return message, body


async def _pour(protocol: ResponseHandler, stream: AsyncIterator[bytes]) -> None:
    """Write a body as fast as the server takes it. What its source raises comes out where the answer is awaited."""
    writer = StreamWriter(protocol, asyncio.get_running_loop())
    try:
        async for piece in stream:
            await writer.write(piece)
    except ClientConnectionError:
        return  # whoever awaits the answer hears of it, or has it already
    except Exception as error:  # noqa: BLE001  handed on
        protocol.set_exception(error)


async def _body(payload: StreamReader, message: RawResponseMessage, sending: Sending) -> bytes:
    """At most `cap` bytes. Compressed although identity was asked: an error, or nothing where the body may be cut."""
    cap = sending.request.cap
    chunks = [await payload.readany()]
    size = len(chunks[0])
    while size <= cap and not payload.at_eof():
        chunks.append(await payload.readany())
        size += len(chunks[-1])
    body = b"".join(chunks)
    if size > cap and sending.overflow == "error":
        raise AnswerTooLarge(f"{sending.place}: the answer is larger than {cap} bytes")
    if body and message.headers.get("Content-Encoding", "identity").lower() != "identity":
        if sending.overflow == "error":
            raise AnswerUnreadable(f"{sending.place}: the answer is compressed, though we asked for `identity`")
        return b""
    return body[:cap]


def _headers(message: RawResponseMessage) -> dict[str, str]:
    """Lower-case names; a repeated header is one list (RFC 9110 §5.3); bytes that are no text are replaced."""
    headers: dict[str, str] = {}
    for name, text in message.headers.items():
        clean = text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        key = name.lower()
        headers[key] = f"{headers[key]}, {clean}" if key in headers else clean
    return headers


def _protocol(connection: Connection) -> ResponseHandler:
    return cast("ResponseHandler", connection.protocol)  # None only after it was given back


def _drop(connection: Connection) -> None:
    """End it at once, unless it was given back: `close` alone would first send what a server does not take."""
    if connection.transport is not None:
        connection.transport.abort()
    connection.close()


def _unsent(text: str) -> Unreachable:
    error = Unreachable(text)
    error.arrived = False
    return error


def _why_unconnected(error: ClientConnectorError) -> str:
    if isinstance(error, ClientConnectorDNSError):
        return f"the host name could not be resolved ({_words(error.os_error)})"
    if isinstance(error, ClientConnectorCertificateError):
        cause = error.certificate_error
        why = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else str(cause)
        return f"its certificate is not accepted ({why})"
    return f"no connection ({_words(error.os_error)})"


def _words(error: OSError) -> str:
    """`connection refused` rather than `Connect call failed ('192.0.2.1', 443)`."""
    if error.errno and error.errno > 0 and not isinstance(error, ssl.SSLError):
        return os.strerror(error.errno).lower()
    return error.strerror or str(error)


def _told(error: Exception, place: Place) -> HttpError:
    """In our words: theirs may quote what the server sent."""
    if isinstance(error, HttpProcessingError):
        return AnswerUnreadable(f"{place}: what came back is not HTTP/1.1, or a header passes {_HEADER} bytes")
    if isinstance(error, ClientPayloadError):
        return Unreachable(f"{place}: the connection ended in the middle of the answer")
    if isinstance(error, ClientOSError):
        return Unreachable(f"{place}: the connection broke before the answer ({_words(error)})")
    return Unreachable(f"{place}: the server closed the connection without an answer")
