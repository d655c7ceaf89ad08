"""Faults that the platform's answers can be given, for the next N of them or for a while.

| kind | what the client meets |
|---|---|
| status | an error of `status` (503), in the platform's shape; nothing was processed |
| body | status 200 (or `status`) with `body` and `content_type` as given; nothing was processed |
| html | a 200 page of HTML |
| empty | a 200 without a body |
| wrong_type | a 200 whose `data` is an object |
| truncated | the real answer's first half, framed as if it were whole |
| cut_body | the real answer's head and first half, then the connection breaks |
| cut | the connection breaks before anything was processed |
| lost | the request is processed, then the connection breaks |
| huge | `size` megabytes (64) of JSON white space before the list |
| gzip_bomb | `size` megabytes (200) of the same, compressed to thousands of times less |
| drip | the real answer, one byte each `wait` (100 ms) |
| slow | the real answer after `wait` (3 s) |
| redirect | a 307 to `location` (default: this port under another host name, `/receiver/elsewhere`) |
| skew | the real answer with a `Date` that is off by `wait` (10 m, may be negative) |
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from aiohttp import web

from connector.sandbox import wire
from connector.sandbox.replies import Reply, html_page, json_reply
from connector.sandbox.times import print_date_header, read_span
from connector.sandbox.words import refuse_unknown

_MEGABYTE: Final = 1_000_000
_WAITS: Final = {"drip": 100, "slow": 3_000, "skew": 600_000}
_SIZES: Final = {"huge": 64, "gzip_bomb": 200}
_UNPROCESSED: Final = frozenset(
    {"status", "body", "html", "empty", "wrong_type", "cut", "huge", "gzip_bomb", "redirect"}
)
KINDS: Final = (*sorted(_UNPROCESSED), "truncated", "cut_body", "lost", "drip", "slow", "skew")


@dataclass(slots=True)
class Fault:
    """One fault that waits for its requests.

    times: how many of them, None for all until the instant `until`. only: an operation (`events`, `traits`, `batch`,
    `intempt.track`, `intempt.matches` …; GET /sandbox/requests counts by them), None for all of them. headers are added
    to the answer's.
    """

    kind: str
    times: int | None = None
    until: int | None = None
    only: str | None = None
    status: int | None = None
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    location: str = ""
    wait: int = 0
    size: int = 0

    @property
    def processed(self) -> bool:
        """Whether the platform does what the request asks."""
        return self.kind not in _UNPROCESSED


def usual(kind: str, **given: Any) -> Fault:
    """A fault of this kind with its usual wait and size where none are given."""
    return Fault(kind, **{"wait": _WAITS.get(kind, 0), "size": _SIZES.get(kind, 0), **given})


class Faults:
    """The faults that are set, taken in the order of their setting. now: milliseconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.waiting: list[Fault] = []

    def add(self, kind: str, **given: Any) -> Fault:
        """Set a fault, for the next request unless `times=3` or `lasts="10s"` say more.

        given: names of `Fault`, but `lasts` in place of `until`; spans are text. Raises ConfigurationError for an
        unknown kind or name, ValueError for a span that is none.
        """
        refuse_unknown([kind], KINDS, "fault")
        refuse_unknown(given, {one.name for one in fields(Fault)} - {"kind", "until"} | {"lasts"}, "field of a fault")
        lasts, wait = given.pop("lasts", None), given.pop("wait", None)
        fault = usual(kind, **given)
        if wait is not None:
            fault.wait = read_span(wait)
        if lasts is not None:
            fault.until = self._now() + read_span(lasts)
        elif fault.times is None:
            fault.times = 1
        self.waiting.append(fault)
        return fault

    def take(self, operation: str) -> Fault | None:
        """The fault that this request meets, None for none."""
        now = self._now()
        self.waiting = [fault for fault in self.waiting if fault.until is None or now < fault.until]
        found = next((fault for fault in self.waiting if fault.only in {None, operation}), None)
        if found is not None and found.times is not None:
            found.times -= 1
            if found.times <= 0:
                self.waiting.remove(found)
        return found


# ── what they do to an answer ─────────────────────────────────────────────────────────────────


def replaced(fault: Fault, refusal: Callable[[int], Reply], port: int) -> Reply:
    """The answer of a fault that keeps the request from being processed. A cut connection's is never sent.

    refusal: gives the platform's error of a status.
    """
    match fault.kind:
        case "status":
            reply = refusal(fault.status or 503)
        case "body":
            reply = Reply(fault.status or 200, fault.body.encode("utf-8", "surrogatepass"), fault.content_type)
        case "html":
            reply = Reply(200, html_page("Welcome"), "text/html")
        case "wrong_type":
            reply = json_reply({"data": {"eventId": "not a list"}})
        case "redirect":
            reply = Reply(307, headers={"Location": fault.location or f"http://localhost:{port}/receiver/elsewhere"})
        case _:
            reply = Reply()
    return reply


async def send(
    fault: Fault, reply: Reply, request: web.BaseRequest, headers: Mapping[str, str], now: int
) -> web.StreamResponse:
    """Answer a request as the fault says. headers: those that every answer has; now: milliseconds of their `Date`."""
    headers = {**headers, **fault.headers}
    match fault.kind:
        case "cut" | "lost":
            return wire.cut(request)
        case "cut_body":
            return await wire.cut_in_the_middle(request, reply, headers)
        case "drip" | "huge":
            return await wire.stream(request, reply, headers, _pieces(fault, reply))
        case "gzip_bomb":
            zipped = {**headers, "Content-Encoding": "gzip"}
            return await wire.stream(request, reply, zipped, _pieces(fault, reply))
        case "slow":
            await asyncio.sleep(fault.wait / 1_000)
        case "truncated":
            reply = Reply(reply.status, reply.body[: len(reply.body) // 2], reply.content_type, reply.headers)
        case "skew":
            headers["Date"] = print_date_header(now + fault.wait)
    return wire.whole(reply, headers)


async def _pieces(fault: Fault, reply: Reply) -> AsyncIterator[bytes]:
    if fault.kind == "drip":
        for byte in reply.body:
            yield bytes((byte,))
            await asyncio.sleep(fault.wait / 1_000)
        return
    packer = zlib.compressobj(9, zlib.DEFLATED, 31) if fault.kind == "gzip_bomb" else None
    for piece in (b'{"data":', *(b" " * _MEGABYTE,) * fault.size, b"[]}"):
        yield packer.compress(piece) if packer else piece
    if packer:
        yield packer.flush()
