"""Watching feeds on the sandbox: people in Intempt, and events of Intilery that show who they are."""

import json
from dataclasses import dataclass, field
from typing import Any

from connector.model import MINUTE, Answer, Event, Page, Request
from connector.poll import take
from connector.store import inbox
from tests.feeds.place import NOON, Place

__all__ = ["INTEMPT", "NOON", "Office"]

ACCOUNT = "intilery:acme/acme/ACME"
INTEMPT = "intempt:acme"

YAML = """
connections:
  intilery: {{client_id: acme, account_id: acme, brand_id: ACME, auth_token: t, base_url: {url}, feeds: {{events: {{}}}}}}
  intempt:
    organization: acme
    api_key: pfx.secret
    base_url: {url}
    rate: {rate}
    dialect: {dialect}
    feeds: {feeds}
"""


@dataclass(kw_only=True)
class Office(Place):
    """feeds: Intempt's, in YAML. answers: by a part of the address, what is answered instead of the sandbox."""

    feeds: str
    rate: str = "1000/1s"
    answers: dict[str, Answer] = field(default_factory=dict)

    def configuration(self) -> str:
        return YAML.format(url=self.sandbox.url, feeds=self.feeds, dialect=self.dialect, rate=self.rate)

    def scripted(self, request: Request) -> Answer | None:
        return next((answer for part, answer in self.answers.items() if part in str(request.url)), None)

    # ── what a test does ──────────────────────────────────────────────────────────────────────

    def turn(self, name: str = "intempt.matches", later: int = MINUTE) -> None:
        """One turn of a feed, after so long."""
        self.now += later
        self.run(self.polling[name].turn())

    def show(self, body: dict[str, Any]) -> None:
        """An event of the Intilery account comes in."""
        event = Event(ACCOUNT, "intilery.events", str(body["eventId"]), "identify", self.now, self.now, body)
        with self.store.write() as tx:
            take(self.desk, tx, [Page("24h", None, events=[event])], ACCOUNT, "intilery.events")

    def person(self, *profile_ids: int, **given: Any) -> None:
        """Set a user of Intempt up: `matches`, `segments`, `master_id`."""
        self.sandbox.organization("acme").person(profile_ids, **given)

    def error(self, name: str = "intempt.matches") -> str:
        return self.polling[name].error

    def notes(self, name: str = "intempt.matches") -> list[str]:
        return list(self.polling[name].notes)

    def events(self) -> list[Event]:
        """Everything in the inbox that Intempt's feeds made."""
        with self.store.read() as tx:
            return [event for _, event in inbox.select(tx, "e.feed LIKE 'intempt.%'", ())]

    def told(self) -> list[tuple[str, Any]]:
        """Each event with what it is about."""
        return [
            (event.name, properties.get("name") or properties.get("names") or properties.get("id"))
            for event in self.events()
            for properties in [event.body["rawData"]["properties"]]
        ]

    def state(self, key: str) -> dict[str, Any]:
        with self.store.read() as tx:
            found: dict[str, Any] = json.loads(tx.one("SELECT value FROM state_rows WHERE key = ?", (key,))[0])
            return found
