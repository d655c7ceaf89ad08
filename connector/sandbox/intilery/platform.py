"""Which path is what, who may ask, how often, and how much at once."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote

from connector.sandbox.bucket import Buckets
from connector.sandbox.intilery.account import Account
from connector.sandbox.intilery.events import AccountName
from connector.sandbox.intilery.reading import Reading
from connector.sandbox.intilery.regulations import Regulating
from connector.sandbox.intilery.second import SecondHost
from connector.sandbox.intilery.writing import Writing
from connector.sandbox.replies import Refusal, Reply, request_id
from connector.sandbox.request import Request
from connector.sandbox.switches import Switches

_RATE, _BURST = 100, 500  # requests a second for each token
_BODY_LIMITS = {"1mb": 1_000_000, "6mb": 6_000_000}
_REGULATIONS_LIMIT = 4_000_000
_PATH = re.compile(r"/track/([^/]+)/([^/]+)/([^/]+)/v1/(.+?)/?")
_DEEPER: Final = (
    (re.compile(r"profiles/([^/]+)/traits"), "traits"),
    (re.compile(r"profiles/([^/]+)/(meta(?:data)?)"), "meta"),
    (re.compile(r"profiles/([^/]+)/events"), "profile_events"),
    (re.compile(r"regulations/([^/]+)"), "regulations"),
)
Serve: TypeAlias = Callable[[Account, Request, tuple[str, ...]], Reply]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads. operation: `events`, `traits` …, empty for a path unlike the documented; raw: as it came.

    arguments: what else stands in the path, decoded.
    """

    account: AccountName
    operation: str
    arguments: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()


def place(path: str) -> Place | None:
    """The place of a path below `/track/`, None for one without an account."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    client, account, brand = (unquote(part) for part in match.groups()[:3])
    name, rest = (client, account, brand), match[4]
    if "/" not in rest:
        return Place(name, rest)
    for shape, operation in _DEEPER:
        found = shape.fullmatch(rest)
        if found is not None:
            return Place(name, operation, tuple(unquote(part) for part in found.groups()), found.groups())
    return Place(name, "")


class Intilery:
    """The platform. account: gives the account of a name. accounts: all of them. now: its clock, milliseconds."""

    def __init__(
        self,
        switches: Switches,
        account: Callable[[AccountName], Account],
        accounts: Callable[[], Iterable[Account]],
        now: Callable[[], int],
    ) -> None:
        self._switches = switches
        self._account = account
        self._now = now
        self._buckets = Buckets(now)
        writing = Writing(switches)
        self._second = SecondHost(account, accounts, writing)
        regulating = Regulating(switches, now)
        self._routes: Mapping[tuple[str, str], Serve] = {
            **Reading(switches, now).routes,
            **writing.routes,
            **regulating.routes,
        }

    def operation(self, path: str) -> str:
        """`events`, `identify`, `traits` …: what faults and counts call a path."""
        if not path.startswith("/track/"):
            return self._second.operation(path)
        found = place(path)
        return found.operation if found else ""

    def limit(self, path: str) -> int:
        """Bytes of the largest request."""
        if self._switches["regulations"] != "404" and self.operation(path) == "regulations":
            return _REGULATIONS_LIMIT
        return _BODY_LIMITS[self._switches["body_limit"]]

    def reset(self) -> None:
        """Fill every token's bucket again."""
        self._buckets.reset()

    def headers(self) -> dict[str, str]:
        """What every answer carries."""
        return {"x-amzn-RequestId": request_id()}

    def refusal(self, asked: Request, status: int) -> Reply:
        """An error of this status, in the platform's shape."""
        return Refusal(status).reply(self._switches, writing=asked.method != "GET")

    def answer(self, asked: Request) -> Reply:
        """What the platform answers."""
        if asked.path.startswith("/cdp/"):
            return self._second.answer(asked, self._switches, self.limit(asked.path))
        if asked.path.endswith("/") and self._switches["slash"] == "301":
            return Reply(301, headers={"Location": asked.path.rstrip("/") + (f"?{asked.query}" if asked.query else "")})
        try:
            found, serve = self._route(asked)
            self._admit(asked, found)
            account = self._account(found.account)
            account.settle()
            return serve(account, asked, found.arguments)
        except Refusal as refusal:
            return refusal.reply(self._switches, writing=asked.method != "GET")

    def _route(self, asked: Request) -> tuple[Place, Serve]:
        found = place(asked.path)
        serve = self._routes.get((asked.method, found.operation)) if found else None
        if found is None or serve is None or (asked.path.endswith("/") and self._switches["slash"] == "404"):
            raise Refusal(404)
        if self._switches["encoded_slash"] == "404" and any("%2f" in part.lower() for part in found.raw):
            raise Refusal(404)
        return found, serve

    def _admit(self, asked: Request, found: Place) -> None:
        token = asked.headers.get("auth-token", "")
        optional = self._switches["batch_token"] == "optional"  # noqa: S105  a switch
        if token == "invalid" or not (token or (optional and found.operation == "batch")):  # noqa: S105  the one token that is refused
            chosen, writing = self._switches["auth_status"], asked.method != "GET"
            status = (403 if writing else 401) if chosen == "documented" else int(chosen)
            raise Refusal(status, "No Token Supplied" if writing and not token else "")
        if self._switches["rate_limit"] == "on" and not self._buckets.take(token, _RATE, _BURST):
            raise Refusal(429)
        if len(asked.body) > self.limit(asked.path):
            raise Refusal(413)
        if asked.content_type != "application/json":
            raise Refusal(400, "content-type must be application/json")
