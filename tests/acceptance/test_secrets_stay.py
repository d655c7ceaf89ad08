"""No secret in a log, an error, the database, or anything that is printed: whatever goes wrong, whoever repeats it."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.acceptance.conftest import Make
from tests.acceptance.world import World

CANARIES = {
    "TOKEN": "canary-token+of/the=platform",
    "CRM_SECRET": "whsec_" + base64.b64encode(b"canary-signing-secret-of-32-byte").decode(),
    "CRM_KEY": "canary-bearer/key of crm".replace(" ", "-"),
    "ADDRESS_KEY": "canary-in-the-address",
    "SLACK": "",  # filled in below: the address of the sandbox
}
DESTINATIONS = """
  crm: {{webhook: "{url}/receiver/crm", sign: "${{CRM_SECRET}}", headers: {{Authorization: "Bearer ${{CRM_KEY}}"}}}}
  hidden: {{webhook: "{url}/receiver/${{ADDRESS_KEY}}"}}
  closed: {{webhook: "http://127.0.0.1:9/${{ADDRESS_KEY}}"}}
  team: {{slack: "${{SLACK}}"}}
  nowhere: {{slack: "${{NOWHERE}}"}}
"""
RECIPE = """
id: all-over
trigger: {feed: intilery.events, event: "*"}
actions:
  - id: tell
    webhook: {to: [crm, hidden, closed], json: {id: "{{ event.eventId }}"}}
  - id: chat
    slack: {to: [team, nowhere], text: "{{ event.eventId }}"}
  - id: after
    needs: tell
    webhook: {to: crm, json: {said: "{{ actions.tell.json.echo | default('nothing') }}"}}
tests: []
"""
READING = (
    ("status", "--json"),
    ("check",),
    ("deliveries", "list", "--json"),
    ("destinations", "list", "--json"),
    ("events", "--json"),
    ("cursor", "show"),
    ("db", "verify"),
    ("run",),
)


def forms(secret: str) -> set[str]:
    """The spellings that would give it away."""
    raw = secret.encode()
    shifted = {base64.b64encode(bytes(n) + raw).decode()[4 * (n > 0) : -4] for n in range(3)}
    return {secret, quote(secret, safe=""), base64.b64encode(raw).decode(), *shifted}


def leaks(text: bytes) -> list[str]:
    return [name for name, secret in CANARIES.items() for form in forms(secret) if secret and form.encode() in text]


def files(here: World) -> list[Path]:
    """Everything the connector wrote."""
    own = {".env", "connector.yaml"}
    return [file for file in here.folder.rglob("*") if file.is_file() and file.name not in own]


def nothing_leaked(here: World) -> None:
    assert {} == {str(file): found for file in files(here) if (found := leaks(file.read_bytes()))}


@pytest.fixture
def here(world: Make) -> World:
    made: World = world(destinations=DESTINATIONS, recipes={"all-over.yaml": RECIPE}, secrets=dict(CANARIES))
    address = f"{made.url}/slack/canary-in-slack-address"
    made.write_secrets(SLACK=address, NOWHERE="http://127.0.0.1:9/canary-in-slack-address")
    return made


def test_whatever_fails_no_secret_is_told(here: World) -> None:
    echo = " ".join(here.secrets.values())
    here.do(lambda sandbox: sandbox.faults.add("body", times=1, status=401, body=f'{{"message": "bad: {echo}"}}'))
    here.behave("crm", status=200, body=f'{{"echo": "Bearer {CANARIES["CRM_KEY"]}"}}')
    here.behave("canary-in-the-address", status=403)
    here.behave("canary-in-slack-address", slack=True, status=410)
    here.happen({"event": "One", "userId": "u"}, {"event": "Two", "userId": "u"})
    here.start()
    here.until(lambda: "feed.failed" in here.log(), "the refused token", 20)
    output = [here.cli("status"), here.cli("status", "--json")]
    here.write_secrets(TOKEN=CANARIES["TOKEN"] + "2")
    here.until(lambda: len(here.taken("crm")) >= 2, "deliveries")
    for name in ("closed", "nowhere"):
        here.until(lambda n=name: f"destination={n} answer=" in here.log(), f"an attempt at {name}")
    for name in ("hidden", "team"):
        here.until(lambda n=name: f"destination.parked destination={n}" in here.log(), f"{name} parked")
    output += [here.cli(*command) for command in READING]
    listed = {row["destination"]: row["id"] for row in json.loads(here.cli("deliveries", "list", "--json").stdout)}
    output += [here.cli("deliveries", "show", id, "--json") for id in listed.values()]
    told = "".join(done.stdout + done.stderr for done in output)
    assert [] == leaks(told.encode())
    assert "canary" not in told
    nothing_leaked(here)
    here.kill()
    nothing_leaked(here)
    assert b"canary" not in b"".join(file.read_bytes() for file in files(here))


CRASH = """
import sys
from connector.cli.app import run_command
from connector.engines import local

def crash(daemon):
    secrets = [daemon.settings.connections["intilery"].token.reveal(), *map(str, daemon.settings.vault.variables().values())]
    raise RuntimeError(f"a defect that names {secrets}")

local.Daemon._begin = crash
sys.exit(run_command(sys.argv[1:]))
"""


def test_not_even_a_crash_tells_them(here: World) -> None:
    daemon = here.start("-c", CRASH)
    assert 70 == daemon.wait(20)
    assert "this is a mistake in the connector (RuntimeError), not yours" in here.log()
    assert 1 == len(list(here.folder.glob("connector-defect-*")))
    nothing_leaked(here)
