"""Connections from YAML, answers from fixtures, and a request taken apart as the wire has it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

from connector.http.place import read
from connector.http.sending import encode, revealed
from connector.model import Answer, Request
from connector.settings import Connection, load

FIXTURES = Path(__file__).parent.parent / "fixtures"
TOKEN = "t0k3n-canary"
KEY = "pfx.secret"
USUAL = {
    "intilery": {"client_id": "acme", "account_id": "acme", "brand_id": "ACME", "auth_token": "${INTILERY_TOKEN}"},
    "intempt": {"organization": "my-org", "project": "my-project", "api_key": "${INTEMPT_API_KEY}"},
}


def connections(folder: Path, **more: dict[str, Any]) -> dict[str, Connection]:
    """The usual connections; more: other keys of them."""
    file = folder / "connector.yaml"
    whole = {name: {**keys, **more.get(name, {})} for name, keys in USUAL.items()}
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


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def answer(name: str, status: int = 200) -> Answer:
    """A body that the documents print, as an answer."""
    return Answer(status, {"x-amzn-requestid": "req-1"}, (FIXTURES / f"{name}.json").read_bytes())


def says(body: Any = None, status: int = 200, **headers: str) -> Answer:
    """Any answer."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)
