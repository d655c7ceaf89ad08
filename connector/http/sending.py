"""A Request → what is sent. Here the secrets are put in, and what could break out of its place is refused."""

import base64
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from connector import __version__
from connector.errors import RequestRefused
from connector.http.place import Place
from connector.http.sign import signed_headers
from connector.model import Hidden, Request

Overflow: TypeAlias = Literal["error", "cut"]
Hide: TypeAlias = Callable[[str], None]  # has errors show *** for a value from now on

_LONGEST: Final = 8_192  # characters; servers commonly refuse more

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_UNSENDABLE: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_OURS: Final = frozenset(  # they frame the request or choose how it is answered
    {
        "accept-encoding", "connection", "content-length", "expect", "host", "http2-settings", "keep-alive",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_AGENT: Final = f"User-Agent: connector/{__version__}\r\n"


@dataclass(slots=True)
class Sending:
    """A request, and what it has become: where it goes, its bytes, what to do with a body beyond its cap.

    stream: what follows the bytes, piece by piece.
    """

    request: Request
    place: Place
    data: bytes
    overflow: Overflow
    stream: AsyncIterator[bytes] | None = None


def revealed(text: str | Hidden) -> str:
    """The text itself, or what is hidden behind it. Raises SecretMissing."""
    return text if isinstance(text, str) else text.reveal()


def encode(request: Request, place: Place, hide: Hide, length: int | None = None) -> bytes:
    """Request line, headers and body. length: of a body that follows. Raises RequestRefused and SecretMissing."""
    headers: tuple[tuple[str, str | Hidden], ...] = request.headers
    if request.basic is not None:
        headers += (("Authorization", _basic(request.basic.reveal(), place, hide)),)
    if request.sign is not None:
        headers += signed_headers(request.sign.reveal(), request.id, request.at, request.body)
    target = place.target(request.path)
    lines = [f"{_method(request.method)} {target} HTTP/1.1\r\nHost: {place.authority}\r\nAccept-Encoding: identity\r\n"]
    agent = _AGENT
    for name, hidden in headers:
        if _header_name(name) == "user-agent":
            agent = ""
        text = revealed(hidden)
        if len(text) > _LONGEST or _UNSENDABLE.search(text):
            raise RequestRefused(
                f"{place}: the header {name} holds a line break or another control character, or is longer than"
                f" {_LONGEST} characters; nothing was sent"
            )
        lines.append(f"{name}: {text}\r\n")
    lines.append(agent)
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {len(request.body) if length is None else length}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode() + request.body


def _basic(key: str, place: Place, hide: Hide) -> str:
    """The `Authorization` that a key `identifier.secret` makes, split at its first dot. Raises RequestRefused."""
    identifier, _, secret = key.partition(".")
    if not identifier or not secret:
        raise RequestRefused(
            f"{place}: the key is not of the form identifier.secret; correct api_key, or the variable it names."
            " Nothing was sent"
        )
    pair = f"{identifier}:{secret}"
    hide(secret)
    hide(pair)
    return f"Basic {base64.b64encode(pair.encode(errors='surrogateescape')).decode()}"


@lru_cache(maxsize=1024)
def _header_name(name: str) -> str:
    """The name in lower case. Raises RequestRefused for one that is no name, or ours to set."""
    if not _TOKEN.fullmatch(name):
        raise RequestRefused(f"{name!a} is not a header name; nothing was sent")
    if name.lower() in _OURS:
        raise RequestRefused(f"the header {name} is set by the connector itself; leave it out. Nothing was sent")
    return name.lower()


@lru_cache(maxsize=64)
def _method(method: str) -> str:
    if not (method.isascii() and method.isalpha() and method.isupper()):
        raise RequestRefused(f"{method!a} is not an HTTP method; nothing was sent")
    if method in {"CONNECT", "TRACE"}:
        raise RequestRefused(f"{method} is not sent: it is for proxies")
    return method
