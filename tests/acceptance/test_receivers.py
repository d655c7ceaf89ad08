"""Receivers that are down, fail, dawdle, refuse: all arrives soon after they recover, and nobody waits for them."""

import time
from typing import Any

from tests.acceptance.books import balance, repeats
from tests.acceptance.conftest import Make
from tests.acceptance.world import CRM, World

TROUBLED = ("down", "flaky", "slow", "locked", "forbidden", "busy")
OUTAGE = 10  # seconds
SOON = 30  # seconds after the recovery
DESTINATIONS = (
    CRM
    + "".join(f'  {name}: {{{{webhook: "{{url}}/receiver/{name}"}}}}\n' for name in ("down", "flaky", "slow", "busy"))
    + "".join(
        f'  {name}: {{{{webhook: "{{url}}/receiver/{name}", headers: {{{{Authorization: "Bearer ${{{{{name.upper()}_KEY}}}}"}}}}}}}}\n'
        for name in ("locked", "forbidden")
    )
)
RECIPE = """
id: everywhere
trigger: {feed: intilery.events, event: Product Added}
actions:
  - webhook: {to: [crm, down, flaky, slow, locked, forbidden, busy], json: {id: "{{ event.eventId }}"}}
tests: []
"""


def trouble(here: World) -> None:
    """For ten seconds, or until the key is mended."""
    lasts = f"{OUTAGE}s"
    here.behave("down", down=True, lasts=lasts)
    here.behave("flaky", fail=0.15, lasts=lasts)
    here.behave("slow", wait="3s", lasts=lasts)
    here.behave("busy", status=429, headers={"Retry-After": "2"}, lasts=lasts)
    here.behave("locked", authorization="Bearer right")
    here.behave("forbidden", authorization="Bearer right", status=403)


def test_all_arrives_within_half_a_minute_of_the_recovery_and_the_others_never_wait(world: Make) -> None:
    keys = {"LOCKED_KEY": "wrong-key", "FORBIDDEN_KEY": "wrong-key"}
    here = world(destinations=DESTINATIONS, recipes={"everywhere.yaml": RECIPE}, secrets=keys).begin()
    trouble(here)
    recovery = time.time() + OUTAGE
    happened: list[str] = []
    while time.time() < recovery - 3:
        happened += here.generate(3)
        time.sleep(0.15)
    with here.database() as tx:
        parked = dict(tx.rows("SELECT name, reason FROM destinations WHERE state = 'parked'"))
        waiting = dict(tx.rows("SELECT destination, count(*) FROM deliveries WHERE state = 'pending' GROUP BY 1"))
        dead = tx.one("SELECT count(*) FROM deliveries WHERE state = 'dead'")[0]
    while time.time() < recovery:
        happened += here.generate(3)
        time.sleep(0.15)
    here.write_secrets(LOCKED_KEY="right", FORBIDDEN_KEY="right")
    for name in ("crm", *TROUBLED):
        here.until(
            lambda n=name: len({one.body for one in here.taken(n)}) == len(happened), f"all at {name}", SOON + 10
        )
        balance(here.taken(name), happened)

    late = {name: max(one.at for one in here.taken(name)) / 1000 - recovery for name in TROUBLED}
    assert {} == {name: seconds for name, seconds in late.items() if seconds > SOON}
    assert waited(here, "crm")["max"] < 4_000, "a healthy receiver waited for another"
    assert waited(here, "slow")["p50"] > 3_000

    assert {"down", "locked", "forbidden"} == parked.keys()
    assert ["HTTP 401" in parked["locked"], "HTTP 403" in parked["forbidden"]] == [True, True]
    assert parked.keys() <= waiting.keys()
    assert 0 == dead
    here.until(lambda: {state for _, state, _, _ in spent(here)} == {"delivered"}, "all recorded", 5)
    states = spent(here)
    assert {("delivered", len(happened))} == {(state, n) for _, state, n, _ in states}
    most = {name: attempts for name, _, _, attempts in states}
    assert {1} == {most[name] for name in ("crm", "slow", "locked", "forbidden", "busy")}, "an attempt was spent"
    assert most["down"] <= 3
    assert here.do(lambda sandbox: sandbox.receiver("down").statuses[0]) < 50, "a receiver that is down was pestered"
    assert all(repeats(here.taken(name)) == 0 for name in ("crm", *TROUBLED))
    assert 0 == here.stop()[0]


def waited(here: World, name: str) -> dict[str, Any]:
    """From visible on the platform to taken, milliseconds."""
    return here.do(lambda sandbox: sandbox.receiver(name).latency("id", sandbox.account().visible_since()))


def spent(here: World) -> list[Any]:
    """Destination, state, how many, and the most attempts that one of them spent."""
    with here.database() as tx:
        return tx.rows("SELECT destination, state, count(*), max(attempts) FROM deliveries GROUP BY destination, state")
