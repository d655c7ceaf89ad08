"""Somebody who talks to a sandbox over HTTP, and the clock it is given."""

from collections.abc import Callable
from typing import Any, TypeAlias

import requests

from connector.sandbox import Sandbox
from connector.sandbox.times import read_time

NOON = read_time("2026-11-01T12:00:00.000Z")
HEADERS = {"auth-token": "any", "content-type": "application/json"}


class Clock:
    """The machine's time as the test wants it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


class Client:
    """Somebody who talks to the sandbox."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.url = sandbox.url
        self.base = f"{sandbox.url}/track/acme/acme/ACME/v1"
        self.http = requests.Session()
        self.http.trust_env = False

    def ask(self, path: str = "/events", **params: Any) -> requests.Response:
        return self.http.get(self.base + path, params=params, headers=HEADERS, timeout=10, allow_redirects=False)

    def feed(self, **params: Any) -> list[dict[str, Any]]:
        answer = self.ask(**params)
        assert 200 == answer.status_code, answer.text
        return answer.json()["data"]

    def numbers(self, **params: Any) -> list[int]:
        """The `n` of each event of a page."""
        return [event["rawData"]["properties"]["n"] for event in self.feed(**params)]

    def call(self, action: str, body: Any, **headers: str) -> requests.Response:
        sent = {"json": body} if not isinstance(body, bytes) else {"data": body}
        return self.http.post(f"{self.base}/{action}", headers=HEADERS | headers, timeout=10, **sent)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.http.post(self.url + path, json=body, headers=headers, timeout=10)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.url}/sandbox{path}", json=body, timeout=10)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    def switch(self, **settings: str) -> None:
        self.control("POST", "/switches", settings)

    def inject(self, *events: Any, **options: Any) -> list[str]:
        return self.control("POST", "/events", {"events": list(events), **options})["eventIds"]

    def generate(self, count: int, **options: Any) -> list[str]:
        return self.control("POST", "/events", {"count": count, **options})["eventIds"]

    def fault(self, kind: str, **given: Any) -> None:
        self.control("POST", "/faults", {"kind": kind, **given})


Start: TypeAlias = Callable[..., Client]
