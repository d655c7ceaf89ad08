"""One exchange with a platform: asked, sent through the one door, read; and what is said when it does not succeed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from connector.errors import ConnectorError, FeedError
from connector.model import SECOND, span_text
from connector.platforms.endpoint import Conversation

if TYPE_CHECKING:
    from connector.http import Http
    from connector.model import Answer, Request
    from connector.secrets import Vault
    from connector.settings import Connection, Settings

PAUSE: Final = 1 * SECOND  # before bytes that Intempt refused are sent once more
_UNSURE: Final = frozenset({400, 413, 422})


class CallFailed(ConnectorError):
    """The platform did not do what was asked, or could not be asked; the message says what to do."""


@dataclass(slots=True)
class Exchange:
    """What came of a call. result: as the endpoint's parser reads it. answer: the last one, as it came."""

    result: Any
    answer: "Answer"


def call(of: "Settings", connection: "Connection", conversation: Conversation[Any]) -> Exchange:
    """Hold one conversation with a platform. Raises CallFailed and what is wrong with the call or the configuration."""
    return asyncio.run(_with_door(of, lambda http: converse(http, connection, conversation)))


async def _with_door(of: "Settings", talk: "Callable[[Http], Awaitable[Exchange]]") -> Exchange:
    from connector.http import Http  # noqa: PLC0415

    async with Http(of.egress.allow, of.vault) as http:
        return await talk(http)


async def converse(http: "Http", connection: "Connection", conversation: Conversation[Any]) -> Exchange:
    """The same within an open door."""
    request = next(conversation)
    while True:
        answer = await _send(http, connection, request)
        try:
            request = conversation.send(answer)
        except StopIteration as end:
            return Exchange(end.value, answer)


async def _send(http: "Http", connection: "Connection", request: "Request") -> "Answer":
    """Send once; bytes that Intempt refuses, up to three times: it takes some of them a moment later."""
    from connector.platforms.intempt.project import PATIENCE  # noqa: PLC0415

    patience = PATIENCE if connection.platform == "intempt" and request.method == "POST" else 1
    for _ in range(patience - 1):
        answer = await http.send(request)
        if answer.status not in _UNSURE:
            return answer
        await asyncio.sleep(PAUSE / SECOND)
    return await http.send(request)


def told(error: ConnectorError, vault: "Vault") -> CallFailed:
    """An error in words that hold no secret, and what to do."""
    text = vault.redact(str(error))
    if isinstance(error, FeedError) and error.retry_after_ms:
        text += f"; again in {span_text(max(error.retry_after_ms, SECOND))}"
    return CallFailed(text)
