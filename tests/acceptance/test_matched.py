"""The recipe for first large orders, killed in the middle: a match in Intempt, a profile in Intilery, a write to both."""

import json
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Make
from tests.acceptance.test_writing import kill_at
from tests.acceptance.world import World

RECIPE = (Path(__file__).parents[2] / "recipes" / "first-large-order.yaml").read_text()
WATCH = "{feed: intilery.events, path: traits.intemptProfileId, keep: {email: traits.email}}"
INTEMPT = f"""
  intempt:
    organization: acme
    project: shop
    api_key: a.b
    base_url: {{url}}
    rate: 1000/1s
    burst: 1000
    feeds: {{{{matches: {{{{poll: 1s, watch: {{{{from: [{WATCH.replace("{", "{{").replace("}", "}}")}]}}}}}}}}}}}}
"""
PEOPLE = 40
EACH = 8  # written in batches: first large orders between two kills
FIRST = 9_007_199_254_740_993  # past 2**53


def identify(world: World) -> None:
    """Everybody is known to Intilery by address, and identifies themselves with the profile that Intempt has of them."""

    def known(sandbox: Any) -> None:
        for n in range(PEOPLE):
            sandbox.account().identify(f"user-{n}", {"email": f"user-{n}@example.com", "plan": "family"})
            sandbox.organization("acme").person([FIRST + n], matches=["visit"])

    world.do(known)
    world.happen(
        *(
            {
                "event": "identify",
                "userId": f"user-{n}",
                "traits": {"intemptProfileId": str(FIRST + n), "email": f"user-{n}@example.com"},
            }
            for n in range(PEOPLE)
        )
    )


def looked_at(world: World) -> int:
    with world.database() as tx:
        return int(tx.one("SELECT count(*) FROM state_rows WHERE value LIKE '%visit%'")[0])


def written(world: World) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
    """By user: the ids under which Intilery and Intempt were told, and how often."""
    intilery, intempt = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)

    def read(sandbox: Any) -> tuple[list[bytes], list[dict[str, Any]]]:
        return [one.text for one in sandbox.account().feed.all()], list(sandbox.organization("acme").tracked)

    entries, lines = world.do(read)
    for raw in (json.loads(text)["rawData"] for text in entries):
        if raw.get("event") == "First Large Order":
            intilery[raw["userId"]][raw["context"]["connector"]["delivery"]] += 1
    for line in lines:
        intempt[line["data"]["intileryUser"]][line["eventId"]] += 1
    return intilery, intempt


@pytest.mark.timeout(240)
def test_killed_in_the_middle_both_platforms_hear_of_every_match_and_repeats_have_the_first_id(world: Make) -> None:
    here = world(connections=INTEMPT, recipes={"first-large-order.yaml": RECIPE})
    identify(here)
    here.begin()
    here.until(lambda: looked_at(here) == PEOPLE, "everybody looked at once")
    dice = random.Random(4)
    here.kill()
    for begin in range(0, PEOPLE, EACH):

        def order(sandbox: Any, begin: int = begin) -> None:
            for n in range(begin, begin + EACH):
                sandbox.organization("acme").person([FIRST + n], matches=["visit", "large_order"])

        here.do(order)
        here.start()
        kill_at(here, dice.randrange(1, 3)).wait(6)
        here.kill()
    here.start()
    users = {f"user-{n}" for n in range(PEOPLE)}
    here.until(lambda: all(users <= set(told) for told in written(here)), "all at both platforms", 60)
    assert 0 == here.stop()[0]
    again = 0
    for told in written(here):
        assert users == set(told)
        assert [] == [user for user, ids in told.items() if len(ids) > 1]
        again += sum(n - 1 for ids in told.values() for n in ids.values())
    assert again > 0, "no kill fell between sending and recording: this run showed little"
    for word in ("defect", "ERROR", "Traceback"):
        assert word not in here.log()
