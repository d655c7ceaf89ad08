"""Connections from YAML, answers from fixtures, and a request taken apart as the wire has it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

from connector.http import Http
from connector.http.place import read
from connector.http.sending import encode, revealed
from connector.model import Answer, Request
from connector.platforms.endpoint import ENDPOINTS, Conversation, load_all
from connector.sandbox import Sandbox
from connector.settings import Connection, load

load_all()
FIXTURES = Path(__file__).parent.parent / "fixtures"
TOKEN = "t0k3n-canary"
KEY = "pfx.secret"
USUAL = {
    "intilery": {"client_id": "acme", "account_id": "acme", "brand_id": "ACME", "auth_token": "${INTILERY_TOKEN}"},
    "intempt": {"organization": "my-org", "project": "my-project", "api_key": "${INTEMPT_API_KEY}"},
}


def connections(folder: Path, **more: dict[str, Any]) -> dict[str, Connection]:
    """The usual connections; more: other keys of them, None for none."""
    file = folder / "connector.yaml"
    merged = {name: {**keys, **more.get(name, {})} for name, keys in USUAL.items()}
    whole = {name: {key: value for key, value in keys.items() if value is not None} for name, keys in merged.items()}
    file.write_text(yaml.safe_dump({"connections": whole}))
    return load(file, {"INTILERY_TOKEN": TOKEN, "INTEMPT_API_KEY": KEY}).connections


@dataclass(frozen=True)
class Sent:
    """A request as it leaves: its head and body, taken apart again."""

    method: str
    host: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def parts(self) -> list[str]:
        """The path's parts, decoded."""
        return [unquote(part) for part in self.path.split("/")[1:]]


def sent(request: Request) -> Sent:
    """What the door makes of a request."""
    place = read(revealed(request.url))
    head, _, body = encode(request, place, lambda _: None).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    parts = urlsplit(target)
    query = parse_qsl(parts.query, keep_blank_values=True)
    return Sent(method, f"{place.scheme}://{place.authority}", parts.path, query, headers, body)


@dataclass(frozen=True)
class World:
    """A sandbox, and connections to it."""

    sandbox: Sandbox
    connections: dict[str, Connection]

    def ask(self, platform: str, name: str, *arguments: Any, **options: Any) -> Any:
        """What an endpoint finds, over real HTTP. Raises what its parser raises."""
        connection = self.connections[platform]
        talk = ENDPOINTS[platform, name].conversation(connection, *arguments, **options)
        return self.run(lambda http: self._hold(http, talk))

    def run(self, act: Callable[[Http], Awaitable[Any]]) -> Any:
        """Do something with the door open."""

        async def main() -> Any:
            vault = self.connections["intilery"].token.vault
            async with Http(["127.0.0.1", "localhost"], vault) as http:
                return await act(http)

        return asyncio.run(main())

    @staticmethod
    async def _hold(http: Http, talk: Conversation[Any]) -> Any:
        request = next(talk)
        while True:
            try:
                request = talk.send(await http.send(request))
            except StopIteration as end:
                return end.value

    def switch(self, **settings: str) -> None:
        """Set switches of the sandbox."""
        self.sandbox.switches.set(settings)


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def answer(name: str, status: int = 200) -> Answer:
    """A body that the documents print, as an answer."""
    return Answer(status, {"x-amzn-requestid": "req-1"}, (FIXTURES / f"{name}.json").read_bytes())


def says(body: Any = None, status: int = 200, **headers: str) -> Answer:
    """Any answer."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)
