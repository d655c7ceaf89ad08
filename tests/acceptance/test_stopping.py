"""The end of a daemon, the one too many, and clocks that somebody sets."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.books import balance, event_id, firsts, repeats
from tests.acceptance.conftest import Make
from tests.acceptance.world import CRM

OTHER_CLOCK = str(Path(__file__).with_name("other_clock.py"))
HOUR = 3_600_000


def test_told_to_stop_under_load_it_ends_what_it_began_and_nothing_else(world: Make) -> None:
    here = world()
    here.behave("crm", wait="150ms")
    dice = random.Random(5)
    happened = []
    for _ in range(3):
        happened += here.generate(600)
        here.begin()
        taken = len(here.came()) + dice.randrange(1, 300)
        here.until(lambda n=taken: len(here.came()) >= n, "some deliveries")
        code, seconds = here.stop()
        assert (0, True) == (code, seconds < 30)
        assert "daemon.stopped" in here.log().splitlines()[-1]
    assert len(here.came()) < len(happened)
    here.behave("crm")
    here.begin()
    here.until(lambda: len(firsts(here.came())) >= len(happened), "the rest")
    assert 0 == here.stop()[0]
    assert 0 == repeats(here.came()), "sent again after an orderly stop"
    balance(here.came(), happened)


def test_told_to_stop_it_waits_neither_for_the_platform_nor_for_a_rate(world: Make) -> None:
    here = world(destinations=CRM.replace('"}}', '", rate: 1/10m}}'))
    here.generate(5)
    here.begin()
    here.until(lambda: here.came(), "the only one for ten minutes")
    here.do(lambda sandbox: sandbox.faults.add("slow", wait="25s"))
    here.until(lambda: not here.do(lambda sandbox: sandbox.faults.waiting), "a request that hangs")
    code, seconds = here.stop()
    assert (0, True) == (code, seconds < 5), seconds


def test_told_to_stop_while_receivers_hang_it_ends_within_half_a_minute(world: Make) -> None:
    here = world(destinations=CRM.replace('"}}', '", deadline: 60s}}'))
    here.behave("crm", wait="45s")
    happened = here.generate(3)
    here.begin()
    time.sleep(1)  # three requests hang by now; no receiver has answered
    code, seconds = here.stop()
    assert (0, True) == (code, seconds < 30), seconds
    here.behave("crm")
    here.begin()
    here.until(lambda: {event_id(one) for one in here.taken()} >= set(happened), "all")
    balance(here.taken(), happened)


def test_a_second_daemon_ends_with_3_and_names_the_first(world: Make) -> None:
    here = world().begin()
    assert here.daemon is not None
    second = here.cli("run")
    assert 3 == second.returncode
    assert f"process {here.daemon.pid}" in second.stderr
    happened = here.generate(20)
    here.until(lambda: len(here.came()) == 20, "the first goes on")
    balance(here.came(), happened)


@pytest.mark.parametrize(("first", "then"), [(0, -HOUR), (HOUR, 0), (0, HOUR)], ids=["back", "put right", "forward"])
def test_a_clock_that_is_set_stops_nothing(world: Make, first: int, then: int) -> None:
    here = world(destinations=CRM + '  down: {{webhook: "{url}/receiver/down"}}\n', recipes={"both.yaml": BOTH})
    clock = here.folder / "clock"
    clock.write_text(str(first))
    here.behave("down", status=500)
    asked = here.asked()
    here.start(OTHER_CLOCK)
    here.until(lambda: here.asked() > asked, "the first poll")
    happened = here.generate(2)
    here.until(lambda: len(here.came("down")) >= 4, "retries")

    clock.write_text(str(then))
    assert here.daemon is not None
    here.daemon.send_signal(signal.SIGUSR1)
    here.behave("down")
    for _ in range(3):
        happened += here.generate(5)
        here.until(lambda: len(firsts(here.came())) == len(happened), "events after the clock was set", 10)
    here.until(lambda: len(firsts(here.taken("down"))) == len(happened), "what waited for its next try", 15)
    for name in ("crm", "down"):
        balance(here.taken(name), happened)
    assert "clock.moved by_ms" in here.log()
    assert 0 == here.stop()[0]


BOTH = """
id: both
trigger: {feed: intilery.events, event: "*"}
actions:
  - webhook: {to: [crm, down], json: {id: "{{ event.eventId }}"}}
tests: []
"""
