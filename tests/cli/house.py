"""A folder as a person has it, a database filled through the store's own functions, and commands to run in it."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connector.cli.app import run_command
from connector.model import MINUTE, Event, Json, Message, Outcome, Planned, Rate, State
from connector.store import inbox
from connector.store import recipes as shelf
from connector.store.database import Store
from connector.store.regulations import Rules
from connector.store.runs import Ledger, Taken

CANARY = "canary-5f1c0b9d7e"
ACCOUNT = "intilery:acme/acme/ACME"
CONFIGURATION = """\
connections:
  intilery:
    client_id: acme
    account_id: acme
    brand_id: ACME
    auth_token: ${INTILERY_TOKEN}
    feeds: {events: {poll: 10s}}
destinations:
  sales: {slack: "${SLACK_SALES}"}
  crm: {webhook: "https://crm.example.com/hooks", sign: "${CRM_SECRET}"}
regulations: {mode: manual, cap: 20/1d}
"""
DOTENV = f"""\
INTILERY_TOKEN={CANARY}-token
SLACK_SALES=https://hooks.slack.example.com/services/{CANARY}
CRM_SECRET=whsec_Y2FuYXJ5LTVmMWMwYjlkN2UtY2FuYXJ5LTVmMWMwYjlkN2U=
"""
RECIPE = """\
id: trial-click
description: Tell sales when a trial prospect clicks
trigger: {feed: intilery.events, event: email_link_clicked}
if:
  - properties.campaign_id: {starts_with: TRIAL}
actions:
  - slack: {to: sales, text: "clicked {{ properties.email_subject }}"}
tests:
  - name: tells sales
    events: [{event: email_link_clicked, userId: u1, properties: {campaign_id: TRIAL_1, email_subject: Hi}}]
    expect: [{slack: {text: clicked Hi}}]
"""


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class _Gates:
    """No destination's word: what the planned delivery says itself."""

    def receiver(self, planned: Planned, event: Event) -> str:
        return planned.destination

    def expires(self, planned: Planned) -> int | None:
        return planned.expires

    def guard(self, planned: Planned) -> Rate | None:
        return planned.guard

    def order_key(self, planned: Planned, event: Event) -> str | None:
        return None


@dataclass
class House:
    """One folder with connector.yaml, .env, recipes and a database."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    now: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def run(self, *arguments: str) -> Said:
        """A command in this process."""
        self.capsys.readouterr()
        code = run_command(arguments)
        out, err = self.capsys.readouterr()
        return Said(code, out, err)

    def write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/connector.db"

    def store(self) -> Store:
        return Store(self.url).open()

    def event(
        self, n: int, *, ago: int = 0, name: str = "email_link_clicked", user: str = "u1", **properties: Json
    ) -> Event:
        raw = {"properties": {"campaign_id": "TRIAL_1", "email_subject": "Hi", **properties}}
        body = {"eventId": f"event-{n:04}", "eventAction": name, "userId": user, "rawData": raw}
        at = self.now - ago
        return Event(ACCOUNT, "intilery.events", f"event-{n:04}", name, at, at, body)

    def see(self, *events: Event) -> None:
        """Put events into the inbox; no recipe looks at them."""
        store = self.store()
        with store.write() as tx:
            inbox.add(store, tx, events, self.now)
        store.close()

    def fire(self, event: Event, *planned: Planned, recipe: str = "trial-click", version: str = "v1") -> list[str]:
        """An event of which a recipe made these deliveries; their ids."""
        store = self.store()
        with store.write() as tx:
            ((seq, _),) = inbox.add(store, tx, [event], self.now)
            outcome = Outcome(recipe, version, "fired", now=event.at, planned=planned)
            ledger = Ledger(tx, _Gates(), Rules(mode="manual", cap=Rate(20, 24 * 60 * MINUTE)), self.now)
            ledger.write(store.account(tx, ACCOUNT), [Taken(seq, event, outcome)])
            ids = [row[0] for row in tx.run("SELECT id FROM deliveries WHERE event = ? ORDER BY seq", (seq,))]
        store.close()
        return ids

    def change(self, statement: str, *values: object) -> None:
        """Something that happened to the database, in SQL."""
        store = self.store()
        with store.write() as tx:
            tx.run(statement, values)
        store.close()

    def ask(self, question: str, *values: object) -> Any:
        """The first row that answers a question, in SQL."""
        store = self.store()
        with store.read() as tx:
            row = tx.one(question, values)
        store.close()
        return row

    def live(self, recipe: str, since: int) -> None:
        """The daemon has had this recipe in service since then."""
        self._write(lambda tx: shelf.put(tx, shelf.Known(recipe, f"{recipe}.yaml", "v1", "live", since, 1, "")))

    def _write(self, act: Any) -> None:
        store = self.store()
        with store.write() as tx:
            act(tx)
        store.close()


def a_message(text: str = "Hi") -> Message:
    return Message(headers=(("Content-Type", "application/json"),), body=json.dumps({"text": text}).encode())


def a_delivery(state: State = State.PENDING, reason: str = "", *, text: str = "Hi", to: str = "sales") -> Planned:
    return Planned("slack", "slack", to, message=a_message(text), state=state, reason=reason)


def a_regulation(type: str = "suppress", user: str = "u1") -> Planned:
    message = Message(meta={"type": type, "user_id": user, "reason": "asked for"})
    return Planned("regulation", "regulation", "", message=message)


def connector(*arguments: str, cwd: Path, **environ: str) -> Said:
    """The command as a person starts it: a process of its own, its output piped."""
    done = subprocess.run(
        [sys.executable, "-m", "connector", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environ},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    return Said(done.returncode, done.stdout, done.stderr)
