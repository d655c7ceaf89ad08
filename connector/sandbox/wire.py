"""Ways to answer over HTTP: whole, slowly, in part, not at all."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from connector.sandbox.replies import Reply


def whole(reply: Reply, headers: Mapping[str, str]) -> web.Response:
    """The answer as it should be."""
    return web.Response(
        status=reply.status, body=reply.body, content_type=reply.content_type, headers={**headers, **reply.headers}
    )


def cut(request: web.BaseRequest) -> web.Response:
    """Break the connection at once; what is given back goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def cut_in_the_middle(request: web.BaseRequest, reply: Reply, headers: Mapping[str, str]) -> web.StreamResponse:
    """Promise the whole body, send half of it, break the connection."""
    answer = _begun(reply, headers)
    answer.content_length = len(reply.body)
    await answer.prepare(request)
    await answer.write(reply.body[: len(reply.body) // 2])
    await asyncio.sleep(0.01)  # breaking it at once would throw away what has not left yet
    cut(request)
    return answer


async def stream(
    request: web.BaseRequest, reply: Reply, headers: Mapping[str, str], pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    """The answer's head, then these pieces in place of its body, of a length that is not told."""
    answer = _begun(reply, headers)
    await answer.prepare(request)
    async for piece in pieces:
        await answer.write(piece)
    await answer.write_eof()
    return answer


def _begun(reply: Reply, headers: Mapping[str, str]) -> web.StreamResponse:
    return web.StreamResponse(
        status=reply.status, headers={**headers, **reply.headers, "Content-Type": reply.content_type}
    )
