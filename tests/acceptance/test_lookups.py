"""Runs that wait for lookups, in a daemon that is killed, stopped, and cut off from its platform."""

import random
import threading
import time
from typing import Any

from connector.sandbox import Sandbox
from tests.acceptance.books import balance, firsts
from tests.acceptance.conftest import Make
from tests.acceptance.world import World

USERS = 20
EACH = 40  # events between two kills
KILLS = 16
PROFILE = 'lookups: {profile: {intilery_traits: {user_id: "{{ event.userId }}"}}}'
RECIPES = {
    "all.yaml": f"""
id: all
trigger: {{feed: intilery.events, event: Product Added}}
{PROFILE}
if: [lookups.profile.tier: gold]
actions:
  - webhook: {{to: crm, json: {{id: "{{{{ event.eventId }}}}", name: "{{{{ lookups.profile.firstName }}}}"}}}}
tests: []
""",
    "once.yaml": f"""
id: once
trigger: {{feed: intilery.events, event: Product Added}}
{PROFILE}
if: [lookups.profile.tier: gold]
limit: 1/ever
actions:
  - webhook: {{to: welcome, json: {{id: "{{{{ event.userId }}}}", first: "{{{{ event.eventId }}}}"}}}}
tests: []
""",
}
DESTINATIONS = '  crm: {{webhook: "{url}/receiver/crm"}}\n  welcome: {{webhook: "{url}/receiver/welcome"}}\n'


def make(world: Make, recipes: dict[str, str]) -> World:
    here = world(destinations=DESTINATIONS, recipes=recipes)
    here.do(populate)
    return here


def populate(sandbox: Sandbox) -> None:
    """Half of the customers are worth it."""
    for n in range(USERS):
        tier = "gold" if n % 2 == 0 else "none"
        sandbox.account().identify(f"user-{n}", {"firstName": f"Ada {n}", "tier": tier})


def kill_after_questions(here: World, count: int) -> None:
    """When the platform has answered so many more lookups."""
    process, killed = here.daemon, threading.Event()
    assert process is not None

    def watch(sandbox: Sandbox) -> None:
        take, left = sandbox.faults.take, [count]

        def counting(operation: str) -> Any:
            if operation == "traits":
                left[0] -= 1
                if left[0] == 0:
                    process.kill()
                    killed.set()
            return take(operation)

        sandbox.faults.take = counting  # type: ignore[method-assign]

    here.do(watch)
    killed.wait(3)
    here.do(lambda sandbox: sandbox.faults.__dict__.pop("take", None))


def waiting(here: World) -> int:
    with here.database() as tx:
        return int(tx.one("SELECT count(*) FROM waiting_runs")[0])


def test_killed_while_runs_wait_it_loses_none_and_tells_none_twice(world: Make) -> None:
    here = make(world, RECIPES)
    dice = random.Random(4)
    happened: list[str] = []
    waited = 0
    for n in range(KILLS):
        happened += here.generate(EACH, users=USERS)
        if n % 3 == 0:
            here.do(lambda sandbox: sandbox.faults.add("status", status=503, times=2, only="traits"))
        here.start()
        if n % 2:
            time.sleep(dice.uniform(0.5, 1.4))
        else:
            kill_after_questions(here, dice.randrange(1, EACH))
        here.kill()
        waited += waiting(here)
    assert waited > 0, "no kill fell while a run waited: this run showed little"
    here.start()
    here.until(lambda: len(firsts(here.came("crm"))) >= len(happened) // 2, "all at crm", 60)
    here.until(lambda: len(firsts(here.came("welcome"))) >= USERS // 2, "all at welcome", 60)
    time.sleep(1.5)  # a poll more: nothing comes again
    assert 0 == here.stop()[0]
    gold = {event for n in range(KILLS) for event in happened[n * EACH : (n + 1) * EACH : 2]}
    balance(here.came("crm"), gold)
    balance(here.came("welcome"), [f"user-{n}" for n in range(0, USERS, 2)])
    assert 0 == waiting(here)
    with here.database() as tx:
        rows = tx.rows("SELECT recipe, reason, count(*) FROM outcomes GROUP BY recipe, reason ORDER BY 1, 2")
        assert 2 * len(happened) == tx.one("SELECT count(*) FROM answers")[0]
    half, told = len(happened) // 2, USERS // 2
    expected = [("all", "fired", half), ("all", "if", half)]
    expected += [("once", "fired", told), ("once", "if", half), ("once", "limited", half - told)]
    assert expected == [tuple(row) for row in rows]
    assert 0 == here.cli("db", "verify").returncode
    for word in ("defect", "ERROR", "Traceback"):
        assert word not in here.log()


def test_the_first_event_of_a_customer_is_the_one_that_is_told_of(world: Make) -> None:
    """Whatever the answers' order and whatever was killed: a limit goes by the inbox."""
    here = make(world, {"once.yaml": RECIPES["once.yaml"]})
    happened = here.generate(10 * USERS, users=USERS)
    for n in range(4):
        here.start()
        kill_after_questions(here, 5 + 20 * n)
        here.kill()
    here.begin()
    here.until(lambda: len(firsts(here.came("welcome"))) >= USERS // 2, "all at welcome")
    assert 0 == here.stop()[0]
    told = {one.json["id"]: one.json["first"] for one in here.came("welcome")}
    assert {f"user-{n}": happened[n] for n in range(0, USERS, 2)} == told


def test_told_to_stop_it_does_not_wait_for_answers(world: Make) -> None:
    here = make(world, {"all.yaml": RECIPES["all.yaml"]})
    here.do(lambda sandbox: sandbox.faults.add("slow", wait="25s", times=100, only="traits"))
    happened = here.generate(40, users=USERS)
    here.begin()
    here.until(lambda: here.do(lambda sandbox: sandbox.faults.waiting[0].times < 100), "a question that hangs")
    code, seconds = here.stop()
    assert (0, True) == (code, seconds < 5), seconds
    assert 40 == waiting(here)
    here.do(lambda sandbox: sandbox.faults.waiting.clear())
    here.begin()
    here.until(lambda: len(here.came("crm")) >= 20, "all at crm")
    balance(here.came("crm"), happened[::2])


def test_a_platform_that_is_down_holds_runs_up_and_nothing_else(world: Make) -> None:
    plain = (
        RECIPES["all.yaml"]
        .replace(f"{PROFILE}\nif: [lookups.profile.tier: gold]\n", "")
        .replace("id: all", "id: plain")
    )
    plain = plain.replace(', name: "{{ lookups.profile.firstName }}"', "").replace("to: crm", "to: welcome")
    here = make(world, {"all.yaml": RECIPES["all.yaml"], "plain.yaml": plain})
    here.do(lambda sandbox: sandbox.faults.add("status", status=503, lasts="1h", only="traits"))
    happened = here.generate(40, users=USERS)
    here.begin()
    here.until(lambda: len(here.came("welcome")) >= 40, "what needs no lookup")
    here.until(lambda: any("wait for lookups" in problem for problem in here.status()["problems"]), "status says so")
    (waits,) = here.status()["waiting"]
    assert ("all", 40) == (waits["recipe"], waits["runs"])
    assert "503" in waits["reason"]
    told = here.cli("explain", happened[0], "all").stdout
    assert "all: waiting for lookups" in told
    assert "HTTP 503" in told
    here.do(lambda sandbox: sandbox.faults.waiting.clear())
    here.until(lambda: len(here.came("crm")) >= 20, "all at crm", 40)
    balance(here.came("crm"), happened[::2])
    assert [] == here.status()["waiting"]
