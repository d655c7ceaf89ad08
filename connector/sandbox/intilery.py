"""Intilery's events feed, identify and track as their documents describe them, without the HTTP around them.

Documents: Events API (GET …/v1/events), Tracking API (POST …/v1/identify, …/v1/track), Profiles API (errors, request
ids). Where they leave something open, a switch decides.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote

from connector.sandbox.account import Account
from connector.sandbox.events import AccountName
from connector.sandbox.feed import Query
from connector.sandbox.replies import Refusal, Reply, json_reply
from connector.sandbox.switches import Switches
from connector.sandbox.times import read_time

REACH = 10_000  # results that paging gets to
_RATE, _BURST = 100, 500  # requests a second for each token
_BODY_LIMITS = {"1mb": 1_000_000, "6mb": 6_000_000}
_OLD_SCROLL_ID = "DnF1ZXJ5VGhlbkZldGNoBQAAAAAAMzh3FmNJLUxtbGYyVFV5WVU1Uk9TcnM5NVE"
_DAY = 86_400_000
_PATH = re.compile(r"/track/[^/]+/[^/]+/[^/]+/v1/(?P<operation>[^/]+)/?")


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the platform. path: as on the wire, without the query. headers: whatever case they are asked in.

    body: at most what was read of it; `Intilery.body_limit` says how much is too much.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def operation(self) -> str:
        """`events`, `identify`, `track`, or whatever stands after `/v1/`; empty for a path unlike the documented."""
        match = _PATH.fullmatch(self.path)
        return match["operation"] if match else ""

    @property
    def account(self) -> AccountName:
        """Client, account and brand from the path."""
        client, account, brand = (unquote(part) for part in self.path.split("/")[2:5])
        return client, account, brand

    @property
    def writing(self) -> bool:
        """Whether it is one of the Tracking API's."""
        return self.method != "GET"


class Intilery:
    """The platform. account: gives the account of a name. now: its clock, milliseconds."""

    def __init__(self, switches: Switches, account: Callable[[AccountName], Account], now: Callable[[], int]) -> None:
        self._switches = switches
        self._account = account
        self._now = now
        self._buckets: dict[str, tuple[float, int]] = {}  # token → what is left of the burst, at which moment

    @property
    def body_limit(self) -> int:
        """Bytes of the largest request."""
        return _BODY_LIMITS[self._switches["body_limit"]]

    def reset(self) -> None:
        """Fill every token's bucket again."""
        self._buckets.clear()

    def answer(self, asked: Request) -> Reply:
        """What the platform answers."""
        if asked.path.endswith("/") and self._switches["slash"] == "301":
            return Reply(301, headers={"Location": asked.path.rstrip("/") + (f"?{asked.query}" if asked.query else "")})
        try:
            serve = self._route(asked)
            self._admit(asked)
            return serve(self, self._account(asked.account), asked)
        except Refusal as refusal:
            return refusal.reply(self._switches, writing=asked.writing)

    def _route(self, asked: Request) -> "Serve":
        serve = _ROUTES.get((asked.method, asked.operation))
        if serve is None or (asked.path.endswith("/") and self._switches["slash"] == "404"):
            raise Refusal(404)
        return serve

    # ── who may ask, and how often ────────────────────────────────────────────────────────────

    def _admit(self, asked: Request) -> None:
        token = asked.headers.get("auth-token", "")
        if not token or token == "invalid":  # noqa: S105  the one token that is refused
            chosen = self._switches["auth_status"]
            status = (403 if asked.writing else 401) if chosen == "documented" else int(chosen)
            message = "No Token Supplied" if asked.writing and not token else ""
            raise Refusal(status, message)
        if self._switches["rate_limit"] == "on" and not self._take(token):
            raise Refusal(429)
        if len(asked.body) > self.body_limit:
            raise Refusal(413)
        if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(400, "content-type must be application/json")

    def _take(self, token: str) -> bool:
        now = self._now()
        left, since = self._buckets.get(token, (_BURST, now))
        left = min(_BURST, left + max(0, now - since) * _RATE / 1_000)
        enough = left >= 1
        self._buckets[token] = (left - 1 if enough else left, now)
        return enough

    # ── GET events ────────────────────────────────────────────────────────────────────────────

    def events(self, account: Account, asked: Request) -> Reply:
        """The account's feed: `{"data":[…]}`, most recent first unless told otherwise."""
        given = {name: values[0] for name, values in parse_qs(asked.query, keep_blank_values=True).items()}
        query = self._query(given)
        within_reach = query.skip + query.size <= REACH
        if not within_reach and self._switches["beyond"] == "400":
            raise Refusal(400, f"from + size must be less than or equal to {REACH}")
        found = account.feed.page(query, self._now()) if within_reach else []
        return Reply(body=self._data([event.text for event in found]))

    def _data(self, texts: list[bytes]) -> bytes:
        members = [f'"scrollId":"{_OLD_SCROLL_ID}"'.encode()] if self._switches["scroll_id"] == "present" else []
        empty = self._switches["data_on_empty"]
        if texts or empty == "list":
            members.append(b'"data":[' + b",".join(texts) + b"]")
        elif empty == "null":
            members.append(b'"data":null')
        return b"{" + b",".join(members) + b"}"

    def _query(self, given: Mapping[str, str]) -> Query:
        size = _count(given, "size", int(self._switches["size_default"]), 1, 100)
        skip = _count(given, "from", 0, 0, 10**9)
        if given.get("sort", "desc") not in {"asc", "desc"}:
            raise Refusal(400, "sort must be asc or desc", "validation_error")
        include, retention = given.get("include"), self._switches.span("retention")
        names = include.split(",") if include and self._switches["include"] == "list" else [include]
        return Query(
            clock="eventTime" if self._switches["time_field"] == "eventTime" else "receivedTime",
            start=self._moment(given, "start"),
            end=self._moment(given, "end"),
            edges=self._switches["edges"],
            includes=[name for name in names if name] if include else None,
            excludes=frozenset(filter(None, given.get("exclude", "").split(","))),
            descending=given.get("sort", "desc") == "desc",
            skip=skip * size if self._switches["from"] == "pages" else skip,
            size=size,
            ties=self._switches["ties"],
            lag=self._switches.span("lag") or 0,
            since=None if retention is None else self._now() - retention,
        )

    def _moment(self, given: Mapping[str, str], name: str) -> int | None:
        text = given.get(name)
        if not text:
            return None
        reading = self._switches["datetime"]
        try:
            at = read_time(text)
        except ValueError:
            raise Refusal(400, f"{name} must be an ISO 8601 date", "validation_error") from None
        if reading == "refused" and len(text) > len("2006-01-02"):
            raise Refusal(400, f"{name} must be a date such as 2006-01-02", "validation_error")
        return at - at % _DAY if reading == "date" else at

    # ── POST identify, track ──────────────────────────────────────────────────────────────────

    def identify(self, account: Account, asked: Request) -> Reply:
        """Ties a user to traits: `{"success":true,"eventId":…}`."""
        body = _call_body(asked)
        if body.get("event") != "identify":
            raise Refusal(400, "event must be identify")
        if body.get("traits") is None:
            raise Refusal(400, "traits must not be empty")
        return json_reply({"success": True, "eventId": account.write(body)})

    def track(self, account: Account, asked: Request) -> Reply:
        """Records what a user did: `{"success":true,"eventId":…}`."""
        return json_reply({"success": True, "eventId": account.write(_call_body(asked))})


Serve: TypeAlias = Callable[[Intilery, Account, Request], Reply]
_ROUTES: Mapping[tuple[str, str], Serve] = {
    ("GET", "events"): Intilery.events,
    ("POST", "identify"): Intilery.identify,
    ("POST", "track"): Intilery.track,
}


def _count(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        limits = f"between {least} and {most}" if name == "size" else "an integer from 0"
        raise Refusal(400, f"{name} must be {limits}", "validation_error")
    return int(text)


def _call_body(asked: Request) -> dict[str, Any]:
    """The body of a tracking call, found to have what the Tracking API page requires."""
    try:
        body = json.loads(asked.body, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Refusal(400, "body must be JSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "body must be a JSON object")
    for name in ("userId", "anonymousId", "event", "timestamp"):
        if not isinstance(body.get(name), str | None):
            raise Refusal(400, f"{name} must be a string")
    for name in ("traits", "properties", "context"):
        if not isinstance(body.get(name), dict | None):
            raise Refusal(400, f"{name} must be an object")
    if not body.get("userId") and not body.get("anonymousId"):
        raise Refusal(400, "userId must not be empty")
    if not body.get("event"):
        raise Refusal(400, "event must not be empty")
    _check_timestamp(body.get("timestamp"))
    return body


def _finite(text: str) -> float:
    """A number that JSON can print again: Python would read `NaN` and `1e999`, too."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _check_timestamp(text: str | None) -> None:
    try:
        read_time(text or "2019-11-18T13:30:11.444Z")
    except ValueError:
        raise Refusal(400, "timestamp must be ISO-8601, e.g. 2019-11-18T13:30:11.444Z") from None
