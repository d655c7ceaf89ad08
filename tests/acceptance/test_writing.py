"""What recipes write to the platforms, killed in the middle: each call at least once, a repeat under the first one's id."""

import json
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.conftest import Make
from tests.acceptance.world import World

KILLS = 8
EACH = 30
INTEMPT = (
    '  intempt: {{organization: acme, project: shop, api_key: "a.b", base_url: {url}, rate: 1000/1s, burst: 1000}}\n'
)
RECIPE = """
id: rated
trigger: {feed: intilery.events, event: "*"}
actions:
  - intilery_track: {event: Basket Rated, properties: {of: "{{ event.eventId }}"}}
  - intempt_track: {name: Basket rated, source: 347816547721216, data: {of: "{{ event.eventId }}"}}
tests: []
"""


def kill_at(world: World, nth: int) -> threading.Event:
    """Kill the daemon when a platform has taken the nth request that writes, before its answer leaves."""
    killed, left, process = threading.Event(), [nth], world.daemon
    assert process is not None

    def watched(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def answering(asked: Any) -> Any:
            reply = answer(asked)
            if asked.method == "POST":
                left[0] -= 1
                if left[0] == 0:
                    process.kill()
                    killed.set()
            return reply

        return answering

    def hook(sandbox: Any) -> None:
        for platform in (sandbox.intilery, sandbox.intempt):
            platform.answer = watched(type(platform).answer.__get__(platform))

    world.do(hook)
    return killed


def written(world: World) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
    """By the event they tell of: the ids under which Intilery and Intempt were told, and how often."""
    intilery, intempt = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)

    def read(sandbox: Any) -> tuple[list[bytes], list[dict[str, Any]]]:
        return [one.text for one in sandbox.account().feed.all()], list(sandbox.organization().tracked)

    entries, lines = world.do(read)
    for raw in (json.loads(text)["rawData"] for text in entries):
        if raw.get("event") == "Basket Rated":
            intilery[raw["properties"]["of"]][raw["context"]["connector"]["delivery"]] += 1
    for line in lines:
        intempt[line["data"]["of"]][line["eventId"]] += 1
    return intilery, intempt


@pytest.mark.timeout(240)
def test_killed_while_it_writes_it_loses_nothing_and_repeats_only_under_the_same_id(world: Make) -> None:
    here = world(connections=INTEMPT, recipes={"rated.yaml": RECIPE})
    dice = random.Random(4)
    happened: list[str] = []
    for n in range(KILLS):
        happened += here.generate(EACH, users=5)
        here.start()
        kill_at(here, dice.randrange(1, 3 if n % 2 else 8)).wait(6)
        here.kill()
    here.start()
    here.until(lambda: all(len(told) >= len(happened) for told in written(here)), "all at both platforms", 60)
    here.until(lambda: Counter(row[0] for row in _states(here)) == {"delivered": 2 * len(happened)}, "all recorded", 30)
    assert 0 == here.stop()[0]

    again = 0
    for told in written(here):
        assert set(happened) == set(told), "what we wrote ourselves woke the recipe, or an event was lost"
        assert [] == [event for event, ids in told.items() if len(ids) > 1]
        again += sum(n - 1 for ids in told.values() for n in ids.values())
    assert again > 0, "no kill fell between sending and recording: this run showed little"
    assert 0 == here.cli("db", "verify").returncode
    for word in ("defect", "ERROR", "Traceback"):
        assert word not in here.log()


def _states(world: World) -> list[Any]:
    with world.database() as tx:
        return tx.rows("SELECT state FROM deliveries")
