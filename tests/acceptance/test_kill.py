"""SIGKILL at any moment: nothing is lost, and what is sent again carries its first id."""

import itertools
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from connector.sandbox.receiver import Received
from tests.acceptance.books import balance, firsts, repeats
from tests.acceptance.conftest import Make
from tests.acceptance.world import CRM, World

KILLS = 100
EACH = 40  # events between two kills
USERS = 25
DESTINATIONS = CRM + (
    '  ledger: {{webhook: "{url}/receiver/ledger", sign: "${{CRM_SECRET}}", order_by: event.userId}}\n'
    '  welcome: {{webhook: "{url}/receiver/welcome", sign: "${{CRM_SECRET}}"}}\n'
)
RECIPES = {
    "every.yaml": """
id: every
trigger: {feed: intilery.events, event: Product Added}
actions:
  - webhook: {to: crm, json: {id: "{{ event.eventId }}"}}
tests: []
""",
    "in-order.yaml": """
id: in-order
trigger: {feed: intilery.events, event: Product Added}
actions:
  - webhook: {to: ledger, json: {id: "{{ event.eventId }}", user: "{{ event.userId }}", round: "{{ properties.round }}", n: "{{ properties.n }}"}}
tests: []
""",
    "once.yaml": """
id: once
trigger: {feed: intilery.events, event: Product Added}
limit: 1/ever
actions:
  - webhook: {to: welcome, json: {id: "{{ event.userId }}"}}
tests: []
""",
}


def at_a_time(world: World, dice: random.Random) -> None:
    """While it starts, polls, delivers, or rests."""
    time.sleep(dice.choice([dice.uniform(0.05, 0.6), dice.uniform(0.4, 1.2), dice.uniform(1.0, 2.2)]))


def while_a_page_is_read(world: World, dice: random.Random) -> None:
    """Right after the platform answered one of its requests."""
    killed = threading.Event()
    process, nth = world.daemon, dice.randrange(1, 5)
    assert process is not None

    def kill() -> None:
        process.kill()
        killed.set()

    world.do(lambda sandbox: sandbox.after_requests(nth, sandbox.account(), kill))
    killed.wait(4)


def between_sending_and_recording(world: World, dice: random.Random, most: int = EACH) -> None:
    """When a receiver has taken one of the first `most` deliveries, before it answers."""
    killed = threading.Event()
    process, left = world.daemon, itertools.count(-dice.randrange(most))
    assert process is not None

    def kill(_: Received) -> None:
        if next(left) == 0:
            process.kill()
            killed.set()

    world.seen = kill
    killed.wait(4)
    world.seen = None


MOMENTS: tuple[Callable[[World, random.Random], None], ...] = (
    at_a_time,
    at_a_time,
    while_a_page_is_read,
    between_sending_and_recording,
)


@pytest.mark.timeout(600)
def test_killed_a_hundred_times_it_loses_nothing_and_repeats_only_under_the_same_id(world: Make) -> None:
    here = world(destinations=DESTINATIONS, recipes=RECIPES)
    dice = random.Random(3)
    happened: list[str] = []
    for n in range(KILLS):
        happened += here.generate(EACH, users=USERS, properties={"round": n})
        here.start()
        MOMENTS[n % len(MOMENTS)](here, dice)
        here.kill()
    here.start()
    for name, expected in (("crm", len(happened)), ("ledger", len(happened)), ("welcome", USERS)):
        here.until(lambda n=name, wanted=expected: len(firsts(here.came(n))) >= wanted, f"all at {name}", 60)
    time.sleep(1.5)  # a poll more: nothing comes again
    assert 0 == here.stop()[0]

    users = [f"user-{n}" for n in range(USERS)]
    again = sum(repeats(here.came(name)) for name in ("crm", "ledger", "welcome"))
    assert again >= KILLS // len(MOMENTS) // 2, "few kills fell between sending and recording: this run showed little"
    balance(here.came("crm"), happened)
    balance(here.came("ledger"), happened)
    balance(here.came("welcome"), users)
    assert [] == out_of_order(here.came("ledger"))
    assert_sound(here, len(happened))


def test_killed_at_full_speed_between_sending_and_recording_it_repeats_under_the_same_id(world: Make) -> None:
    here = world()
    dice = random.Random(5)
    happened: list[str] = []
    for _ in range(8):
        happened += here.generate(400)
        here.start()
        between_sending_and_recording(here, dice, 400)
        here.kill()
    here.begin()
    here.until(lambda: len(firsts(here.came())) == len(happened), "all")
    assert 0 == here.stop()[0]
    assert repeats(here.came()) >= 8, "a kill in the middle of a delivery, and it was not sent again"
    balance(here.came(), happened)


def test_killed_while_it_makes_its_database_it_starts_all_the_same(world: Make) -> None:
    here = world()
    happened = here.generate(10)
    file = here.folder / "connector.db"
    for n in range(6):
        for part in here.folder.glob("connector.db*"):
            part.unlink()
        here.start()
        here.until(file.exists, "the file")
        time.sleep(n * 0.012)
        here.kill()
        here.begin()
        here.kill()
    here.begin()
    here.until(lambda: len(firsts(here.came())) == len(happened), "all")
    assert 0 == here.stop()[0]
    repeats(here.came())
    balance(here.came(), happened)
    assert 0 == here.cli("db", "verify").returncode


def out_of_order(received: list[Received]) -> list[tuple[Any, Any]]:
    """Neighbours of one customer that came the wrong way round."""
    last: dict[str, tuple[int, int]] = {}
    wrong = []
    for one in firsts(received):
        body = one.json
        place = (body["round"], body["n"])
        if place < last.get(body["user"], (-1, -1)):
            wrong.append((last[body["user"]], place))
        last[body["user"]] = place
    return wrong


def assert_sound(here: World, events: int) -> None:
    """The database is whole, every delivery is settled as delivered, and nobody complained."""
    verified = here.cli("db", "verify")
    assert 0 == verified.returncode, verified.stdout
    with here.database() as tx:
        assert events == tx.one("SELECT count(*) FROM events")[0]
        states = dict(tx.rows("SELECT state, count(*) FROM deliveries GROUP BY state"))
        assert {"delivered": 2 * events + USERS} == states
        sent = {row[0] for row in tx.rows("SELECT id FROM deliveries")}
    came = {one.headers["webhook-id"] for name in ("crm", "ledger", "welcome") for one in here.came(name)}
    assert sent == came
    for word in ("cursor_moved", "defect", "ERROR", "Traceback"):
        assert word not in here.log()
