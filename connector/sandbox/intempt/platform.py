"""Which path is what, who may ask, and how often."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from connector.sandbox.bucket import Buckets
from connector.sandbox.intempt import data, decisions, ingestion, management, reads
from connector.sandbox.intempt.asking import Asking, Route
from connector.sandbox.intempt.organization import Organization
from connector.sandbox.intempt.refused import Refused
from connector.sandbox.replies import Reply
from connector.sandbox.request import Request
from connector.sandbox.switches import Switches

_ROUTES: Final = (
    *ingestion.ROUTES,
    *reads.ROUTES,
    *data.ROUTES,
    *decisions.ROUTES,
    *management.ROUTES,
)
_SHAPES: Final = tuple((re.compile(route.path.replace("{}", "([^/]+)")), route) for route in _ROUTES)
_PATH: Final = re.compile(r"/v1/([^/]+)(/projects/[^/]+)?/(.+?)/?")
_UPLOAD: Final = re.compile(r"/upload/([^/]+)/([0-9a-f]+)\.csv")
_LIMIT, _FILE_LIMIT = 1_000_000, 256_000_000
_JSON: Final = ("json", "*/*", "application/*")


class Intempt:
    """The platform. organization: gives the organisation of a name. now: its clock, milliseconds."""

    def __init__(self, switches: Switches, organization: Callable[[str], Organization], now: Callable[[], int]) -> None:
        self._switches = switches
        self._organization = organization
        self._now = now
        self._buckets = Buckets(now)

    def operation(self, path: str) -> str:
        """`intempt.track`, `intempt.matches` …: what faults and counts call a path."""
        if _UPLOAD.fullmatch(path):
            return "intempt.upload"
        match = _PATH.fullmatch(path)
        found = (route for shape, route in _SHAPES if match and shape.fullmatch(match[3]))
        route = next(found, None)
        return route.operation if route else ""

    def limit(self, path: str) -> int:
        """Bytes of the largest request."""
        return _FILE_LIMIT if path.startswith("/upload/") else _LIMIT

    def headers(self) -> Mapping[str, str]:
        """What every answer carries."""
        return {}

    def reset(self) -> None:
        """Fill every key's bucket again."""
        self._buckets.reset()

    def refusal(self, asked: Request, status: int) -> Reply:
        """An error of this status, in the platform's shape."""
        return self._with_limits(Refused(status).reply(), _key(asked))

    def answer(self, asked: Request) -> Reply:
        """What the platform answers."""
        uploaded = _UPLOAD.fullmatch(asked.path)
        try:
            if uploaded:
                return data.upload(self._organization(unquote(uploaded[1])), uploaded[2], asked, self._now())
            reply = self._serve(asked)
        except Refused as refused:
            reply = refused.reply()
        return self._with_limits(reply, _key(asked))

    def _serve(self, asked: Request) -> Reply:
        match = _PATH.fullmatch(asked.path)
        if match is None:
            raise Refused(404)
        below = "project" if match[2] else "organization"
        self._admit(asked, below)
        route, ids = self._route(asked.method, match[3], below)
        organization = self._organization(unquote(match[1]))
        return route.serve(Asking(organization, asked, ids, self._switches, self._now()))

    def _route(self, method: str, path: str, below: str) -> tuple[Route, tuple[str, ...]]:
        found = [(route, shape.fullmatch(path)) for shape, route in _SHAPES if self._is_served(route, below)]
        known = [(route, match) for route, match in found if match is not None]
        for route, match in known:
            if route.method == method:
                return route, tuple(unquote(part) for part in match.groups())
        raise Refused(405 if known else 404)

    def _is_served(self, route: Route, below: str) -> bool:
        """Whether a route is there at all; of those nobody is sure of, the switch says what they answer."""
        if route.below != "switch":
            return route.below in {below, "both"}
        chosen = self._switches["intempt_reads"]
        return chosen in {below, "both"} or chosen.isdigit()

    # ── who may ask, and how often ────────────────────────────────────────────────────────────

    def _admit(self, asked: Request, below: str) -> None:
        key = _key(asked)
        if not key.strip(".") or "invalid" in key.partition(".") or not self._takes(_form(asked), below):
            raise Refused(401)
        rate = self._switches["intempt_rate"]
        if rate != "off" and not self._buckets.take(key, int(rate), 2 * int(rate)):
            raise Refused(429)
        if len(asked.body) > _LIMIT:
            raise Refused(413)
        if asked.headers.get("content-encoding", "identity") != "identity":
            raise Refused(400, "Malformed JSON")  # nothing is decompressed
        accepted = asked.headers.get("accept", "*/*")
        if not any(kind in accepted for kind in _JSON):
            raise Refused(406)
        gone = self._switches["intempt_reads"]
        if gone.isdigit() and self.operation(asked.path) in {"intempt.matches", "intempt.segmentations"}:
            raise Refused(int(gone))

    def _takes(self, form: str, below: str) -> bool:
        chosen = self._switches["intempt_auth"]
        if chosen == "generation":
            chosen = "apikey" if below == "organization" else "basic"
        return chosen in {"any", form}

    def _with_limits(self, reply: Reply, key: str) -> Reply:
        """The answer with what is left of the limit."""
        rate = self._switches["intempt_rate"]
        if rate == "off":
            return reply
        limits = {
            "X-RateLimit-Remaining": str(self._buckets.left(key, 2 * int(rate))),
            "X-RateLimit-Replenish-Rate": rate,
            "X-RateLimit-Burst-Capacity": str(2 * int(rate)),
            "X-RateLimit-Requested-Tokens": "1",
        }
        return replace(reply, headers={**reply.headers, **limits})


def _form(asked: Request) -> str:
    scheme = asked.headers.get("authorization", "").partition(" ")[0].lower()
    return scheme or "query"


def _key(asked: Request) -> str:
    """The key as `identifier.secret`, whichever form it came in; empty for none."""
    scheme, _, value = asked.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "apikey":
            return value.strip()
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().replace(":", ".", 1)
            except ValueError:
                return ""
        case "":
            given = asked.parameters
            return given.get("apiKey") or given.get("api_key") or ""
    return ""
