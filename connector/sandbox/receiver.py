"""Receivers: what webhook destinations (`/receiver/<name>/…`) and Slack's incoming webhooks (`/slack/<name>`) are here.

They take whatever comes, verify nothing, and keep it. The way through a well-behaved one is short, since benchmarks
send thousands of requests a second: bytes are kept as they came and read only when somebody looks.
"""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any, Final, NamedTuple

from aiohttp import web

from connector.sandbox import faults, wire
from connector.sandbox.replies import Reply
from connector.sandbox.times import print_time, read_span
from connector.sandbox.words import refuse_unknown

KEPT: Final = 100_000  # requests a receiver remembers whole; it counts them all
FAULTS: Final = ("cut_body", "drip", "gzip_bomb", "huge", "lost", "truncated")
_SLACK_ERRORS: Final = {
    400: b"invalid_payload",
    401: b"invalid_token",
    403: b"action_prohibited",
    404: b"no_service",
    410: b"channel_is_archived",
    429: b"rate_limited",
    500: b"rollup_error",
}


class Received(NamedTuple):
    """One request as it came. at: milliseconds, when its body was whole. status: what it was to be answered."""

    at: int
    method: str
    path: str
    raw_headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    status: int

    @property
    def headers(self) -> dict[str, str]:
        """Headers by lower-case name."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self.raw_headers}

    @property
    def json(self) -> Any:
        """The body read as JSON. Raises ValueError."""
        return json.loads(self.body)

    def as_dict(self) -> dict[str, Any]:
        """For control routes."""
        body = self.body.decode("utf-8", "replace")
        shown = {"method": self.method, "path": self.path, "headers": self.headers, "body": body, "status": self.status}
        return {"at": print_time(self.at), **shown}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a receiver departs from answering 200.

    down: connections break before anything is read. status: the answer to all. fail: the share (0..1) of requests that
    get 500, or `status` if given. wait: a span before each answer. authorization: requests whose header is not exactly
    this get 401, or `status`. headers: sent along, such as Retry-After. body: of the 200. fault: what happens to an
    answer on its way, one of `FAULTS`, as `faults` tells. until: milliseconds, when all is well again.
    """

    down: bool = False
    status: int | None = None
    fail: float | None = None
    wait: int = 0
    authorization: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    fault: str | None = None
    until: int | None = None


class Receiver:
    """One destination. now: milliseconds; watch: is shown each request that comes."""

    def __init__(
        self, name: str, now: Callable[[], int], watch: Callable[[Received], None] | None, *, slack: bool = False
    ) -> None:
        self.name = name
        self.slack = slack
        self._now = now
        self._watch = watch
        self._content_type = "text/plain" if slack else "application/json"
        self.reset()

    def reset(self) -> None:
        """Forget what came and behave well."""
        self.received: deque[Received] = deque(maxlen=KEPT)
        self.ids: dict[str, int] = {}  # webhook-id → requests that were taken with it
        self.statuses: Counter[int] = Counter()
        self.behaviour: Behaviour | None = None
        self._dice = Random(self.name)  # noqa: S311  which requests fail must be repeatable, not secret

    def behave(self, *, lasts: str | None = None, wait: str = "0", **given: Any) -> None:
        """Behave so from now on, for a span if `lasts` is given; without arguments: well.

        Names are `Behaviour`'s. Raises ConfigurationError for others, ValueError for a span that is none.
        """
        refuse_unknown(given, {one.name for one in fields(Behaviour)} - {"until"} | {"lasts"}, "behaviour")
        refuse_unknown([given["fault"]] if given.get("fault") else [], FAULTS, "fault of a receiver")
        until = None if lasts is None else self._now() + read_span(lasts)
        behaviour = Behaviour(wait=read_span(wait), until=until, **given)
        self.behaviour = None if behaviour == Behaviour() else behaviour

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Take one request."""
        if self.behaviour is not None:
            if self.behaviour.until is None or self._now() < self.behaviour.until:
                return await self._misbehave(request, self.behaviour)
            self.behaviour = None
        self._keep(request, await request.read(), 200)
        return web.Response(body=b"ok" if self.slack else b"{}", content_type=self._content_type)

    def _keep(self, request: web.BaseRequest, body: bytes, status: int) -> None:
        one = Received(self._now(), request.method, request.raw_path, request.raw_headers, body, status)
        self.received.append(one)
        if self._watch is not None:
            self._watch(one)
        self.statuses[status] += 1
        webhook_id = request.headers.get("webhook-id")
        if webhook_id is not None and 200 <= status < 300:
            self.ids[webhook_id] = self.ids.get(webhook_id, 0) + 1

    async def _misbehave(self, request: web.BaseRequest, behaviour: Behaviour) -> web.StreamResponse:
        if behaviour.down:
            self.statuses[0] += 1
            return wire.cut(request)
        body = await request.read()
        if behaviour.wait:
            await asyncio.sleep(behaviour.wait / 1_000)
        status = self._status(request, behaviour)
        self._keep(request, body, status)
        if status == 200:
            body = (behaviour.body or ("ok" if self.slack else "{}")).encode()
        else:
            body = _SLACK_ERRORS.get(status, b"") if self.slack else b'{"error":"as asked"}'
        reply = Reply(status, body, self._content_type, behaviour.headers)
        if behaviour.fault is None:
            return wire.whole(reply, {})
        return await faults.send(faults.usual(behaviour.fault), reply, request, {}, self._now())

    def _status(self, request: web.BaseRequest, behaviour: Behaviour) -> int:
        if behaviour.authorization is not None:
            right = request.headers.get("authorization") == behaviour.authorization
            return 200 if right else behaviour.status or 401
        if behaviour.fail is not None:
            return (behaviour.status or 500) if self._dice.random() < behaviour.fail else 200
        return behaviour.status or 200

    # ── reading back ──────────────────────────────────────────────────────────────────────────

    def counts(self) -> dict[str, Any]:
        """How many came, how they were answered (0: not at all), and what the taken ones' webhook-ids say."""
        repeated = {webhook_id: count for webhook_id, count in self.ids.items() if count > 1}
        return {
            "requests": sum(self.statuses.values()),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "ids": len(self.ids),
            "repeated": repeated,
        }

    def page(self, skip: int = 0, size: int = 100, webhook_id: str | None = None) -> list[dict[str, Any]]:
        """Requests as they came, oldest first, all or those of one delivery."""
        chosen = [one for one in self.received if webhook_id is None or one.headers.get("webhook-id") == webhook_id]
        return [one.as_dict() for one in chosen[skip : skip + size]]

    def latency(self, path: str, visible: Mapping[str, int]) -> dict[str, int]:
        """Milliseconds from visible in the feed to taken here, first arrivals only: count, p50, p99, max.

        path: dots to the eventId in the JSON bodies. visible: eventId → milliseconds.
        """
        spans: dict[str, int] = {}
        for one in self.received:
            event_id = _at(one, path)
            if one.status == 200 and event_id in visible and event_id not in spans:
                spans[event_id] = one.at - visible[event_id]
        ordered = sorted(spans.values())
        if not ordered:
            return {"count": 0}
        ranks = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        found = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in ranks.items()}
        return {"count": len(ordered), **found}


def _at(one: Received, path: str) -> str:
    try:
        value = one.json
    except ValueError:
        return ""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return str(value)
