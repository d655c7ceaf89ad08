"""The one door to the network: who is called, with what, how long, and how much may come back."""

import ssl
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Self

from connector.errors import HttpError
from connector.http.guard import Guard
from connector.http.place import Place, read
from connector.http.sending import Overflow, Sending, encode, revealed
from connector.model import Answer, Request
from connector.secrets import Vault

if TYPE_CHECKING:
    from connector.http.wire import Wire


class Http:
    """Sends requests over kept connections: `async with Http(egress, vault) as http: await http.send(request)`.

    egress: the entries of `egress.allow` (see `guard`). vault: redacts what errors say. tls: a context with another
    set of trusted authorities; certificates and host names are verified whatever it is. Proxies, cookies and
    redirects do not exist here. How many requests go to one host at once is for the callers to limit.
    """

    def __init__(self, egress: Sequence[str], vault: Vault, *, tls: ssl.SSLContext | None = None) -> None:
        """Raises ValueError for an entry of egress that cannot be read, or a context that does not verify."""
        if tls is not None and not (tls.verify_mode == ssl.CERT_REQUIRED and tls.check_hostname):
            raise ValueError("the door only takes a TLS context that verifies certificates and host names")
        self._guard = Guard(egress)
        self._vault = vault
        self._tls = tls
        self._place = lru_cache(maxsize=1024)(self._admitted)
        self._wire: Wire | None = None

    async def __aenter__(self) -> Self:
        from connector.http.wire import Wire  # noqa: PLC0415  aiohttp takes 0.15 s; most commands never send

        self._wire = Wire(self._guard, self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._wire is not None:
            await self._wire.close()
            self._wire = None

    async def send(self, request: Request, *, overflow: Overflow = "error") -> Answer:
        """Send once and give the answer, whatever its status; a redirect is an answer too.

        overflow: what to do when the body passes the request's cap, or is compressed unasked: raise, or `cut` it
        there (to nothing, if compressed) where the status is what matters.
        Raises Unreachable, DeadlineExceeded, AnswerTooLarge, AnswerUnreadable, AddressRefused, RequestRefused (each
        an HttpError, with `arrived`) and SecretMissing.
        """
        return await self._exchange(request, overflow)

    async def upload(self, request: Request, stream: AsyncIterator[bytes], size: int) -> Answer:
        """Send a body piece by piece, never held whole; give the answer, which may come before all was sent.

        stream: exactly `size` bytes; what it raises ends the exchange and comes out here. Raises as `send` does; an
        answer's body beyond the cap is cut.
        """
        return await self._exchange(request, "cut", stream, size)

    async def _exchange(
        self, request: Request, overflow: Overflow, stream: AsyncIterator[bytes] | None = None, size: int | None = None
    ) -> Answer:
        if self._wire is None:
            raise RuntimeError("Http is used inside `async with` only")
        try:
            place = self._place(revealed(request.url))
            data = encode(request, place, self._vault.hide, size)
            return await self._wire.exchange(Sending(request, place, data, overflow, stream))
        except HttpError as error:
            error.args = tuple(self._vault.redact(str(text)) for text in error.args)
            raise

    def _admitted(self, url: str) -> Place:
        place = read(url)
        self._guard.admit(place)
        return place
