"""Somebody who talks to Intempt in the sandbox."""

from typing import Any

import requests

from tests.sandbox.client import Client

KEY = {"Authorization": "ApiKey pfx.secret"}
SOURCE = 1841503112918048768
USER = 182233620328374272  # the documents'
PROFILES = [182233618306719744, 182233618306719715, 182233618306771518]

TEXT = ["null", "string"]
VISITS = {
    "name": "visits",
    "fields": {"id": "long", "visitor": "string", "email": TEXT, "city": TEXT, "room": "long"},
    "primary": "id",
    "profile": "visitor",
    "users": ["email"],
    "attributes": {"city": "town"},
    "relations": {"booked": ["room", "rooms"]},
    "sourceId": SOURCE,
}
ROOMS = {"name": "rooms", "fields": {"id": "long", "price": "double"}, "primary": "id"}


class Intempt:
    """One organisation, acme, and its project shop."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.switch = client.switch

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """A request below the organisation; a path with a slash in front is below the project."""
        below = "/v1/acme/projects/shop" if path.startswith("/") else "/v1/acme/"
        sent = {"data": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        given = {"headers": KEY, "timeout": 10, "allow_redirects": False, **sent, **options}
        return self.client.http.request(method, f"{self.client.url}{below}{path}", **given)

    def get(self, path: str, **params: Any) -> Any:
        """What a request that works answers."""
        answer = self.ask("GET", path, params=params)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    def track(self, name: str, **payload: Any) -> requests.Response:
        """One entry, with a source."""
        return self.ask("POST", f"/sources/{SOURCE}/track", {"track": [{"name": name, "payload": [payload]}]})

    def order(self, what: str, body: Any) -> Any:
        """A control request."""
        return self.client.control("POST", f"/intempt/{what}", body)

    def person(self, **given: Any) -> Any:
        """Sets one up."""
        return self.order("people", given)

    def visit(self, **item: Any) -> None:
        """One visit to the hotel."""
        self.order("items", {"collection": "visits", "items": [{"room": 1, **item}]})

    def known(self) -> list[Any]:
        """The people there are after the documents' two."""
        people: list[Any] = self.client.control("GET", "/intempt")["people"]
        return people[2:]

    def matches(self, **who: Any) -> Any:
        return self.get("events/matches", **who)["matchedEvents"]

    def segmentations(self, **who: Any) -> list[Any]:
        found: list[Any] = self.get("segmentations/latest", **who)["_embedded"]["segmentations"]
        return found

    def tracked(self, name: str | None = None) -> list[Any]:
        query = f"?name={name}" if name else ""
        found: list[Any] = self.client.control("GET", f"/intempt/tracked{query}")
        return found


def error(answer: requests.Response) -> tuple[int, str]:
    """Status and message."""
    [one] = answer.json()["errors"]
    return answer.status_code, one["message"]
