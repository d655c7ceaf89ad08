"""Wrong answers of the platform: the cursor and the daemon stay well, it is said what is wrong, and events arrive."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from connector.model import instant
from tests.acceptance.books import event_id
from tests.acceptance.conftest import Make
from tests.acceptance.world import EVERY, World

FAULTS: dict[str, tuple[dict[str, Any], str]] = {  # what is answered → what the log says
    "html": ({}, "not a list of events"),
    "empty": ({}, "not a list of events"),
    "wrong_type": ({}, "not a list of events"),
    "truncated": ({}, "not a list of events"),
    "body": ({"body": '{"message": "Endpoint request timed out"}'}, "Endpoint request timed out"),
    "cut": ({"times": 6}, "closed the connection without an answer"),
    "lost": ({"times": 6}, "closed the connection without an answer"),
    "cut_body": ({}, "the connection ended in the middle of the answer"),
    "gzip_bomb": ({"size": 20}, "compressed, though we asked for `identity`"),
    "redirect": ({}, "the platform redirects"),
    "400": ({"status": 400}, "HTTP 400"),
    "404": ({"status": 404}, "HTTP 404"),
    "429": ({"status": 429, "headers": {"Retry-After": "1"}}, "rate limit"),
    "500": ({"status": 500}, "HTTP 500"),
    "503": ({"status": 503}, "HTTP 503"),
    "huge": ({"size": 20}, ""),
    "slow": ({"wait": "1s"}, ""),
    "ahead": ({"wait": "10m"}, ""),
    "behind": ({"wait": "-10m"}, ""),
}
KINDS = {"ahead": "skew", "behind": "skew", **dict.fromkeys(("400", "404", "429", "500", "503"), "status")}


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One daemon that meets all the faults."""
    here = World(tmp_path_factory.mktemp("platform") / "world")
    here.begin()
    yield here
    here.end()


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_wrong_answer_everything_arrives(steady: World, fault: str) -> None:
    given, said = FAULTS[fault]
    kind = KINDS.get(fault, fault)
    heard = len(steady.log())
    process = steady.daemon
    before = steady.happen({"event": "Before"})
    steady.do(lambda sandbox: sandbox.faults.add(kind, **{"times": 2, **given}))
    during = steady.happen({"event": "During"})
    steady.until(lambda: not steady.do(lambda sandbox: sandbox.faults.waiting), f"the answers {fault}")
    after = steady.happen({"event": "After"})
    steady.until(lambda: {*before, *during, *after} <= {event_id(one) for one in steady.came()}, "the events")
    news = steady.log()[heard:]
    assert said in news, news
    assert ("feed.failed" in news) == bool(said)
    assert " ERROR " not in news
    assert process is steady.daemon
    assert read_up_to(steady) <= time.time() * 1000 + 1_000


def read_up_to(here: World) -> int:
    with here.database() as tx:
        from connector.feeds.cursor import FRESH, read_cursor

        return read_cursor(tx.one("SELECT cursor FROM cursors WHERE reader = ?", (FRESH,))[0]).at


def test_while_the_platform_fails_the_cursor_stands_and_status_says_why(world: Make) -> None:
    here = world().begin()
    here.until(lambda: here.asked(200) > 2, "some polls")
    here.do(lambda sandbox: sandbox.faults.add("html", times=1_000))
    here.until(lambda: "feed.failed" in here.log(), "the first failure")
    first = read_up_to(here)
    happened = here.generate(200)
    here.until(lambda: here.log().count("feed.failed") > 2, "two more")
    later = here.status()
    assert first == read_up_to(here)
    assert not later["healthy"]
    assert any("intilery.events fails: the platform's answer is not a list" in one for one in later["problems"])
    here.do(lambda sandbox: sandbox.faults.waiting.clear())
    here.until(lambda: set(happened) <= {event_id(one) for one in here.came()}, "all events")


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_refused_token_slows_one_connection_down_until_it_changes(world: Make, status: str) -> None:
    """The other connection of the same platform goes on, and the mended token is tried at once."""
    other = """
  other: {{platform: intilery, client_id: acme, account_id: other, brand_id: OTHER, auth_token: good,
           base_url: "{url}", feeds: {{events: {{poll: 1s, start: 10m}}}}}}
"""
    recipe = EVERY.replace("intilery.events", "[intilery.events, other.events]")
    here = world(
        connections=other,
        switches={"auth_status": status},
        recipes={"every.yaml": recipe},
        secrets={"TOKEN": "invalid"},
    )
    here.begin()
    here.until(lambda: here.asked(int(status)) > 0, "the refusal")
    here.until(lambda: here.asked(200) > 3, "polls of the other")
    waiting = here.generate(50)
    others = here.do(lambda sandbox: sandbox.account("acme/other/OTHER").generate(50))
    here.until(lambda: set(others) <= {event_id(one) for one in here.came()}, "the other's events", 10)
    told = {feed["feed"]: feed for feed in here.status()["feeds"]}
    assert 1 == here.asked(int(status))
    assert f"HTTP {status}" in told["intilery.events"]["error"]
    assert "token" in told["intilery.events"]["error"]
    assert "" == told["other.events"]["error"]
    next_look = (instant(told["intilery.events"]["next_poll"]) or 0) / 1000 - time.time()
    assert 240 < next_look <= 300

    here.write_secrets(TOKEN="mended")
    here.until(lambda: set(waiting) <= {event_id(one) for one in here.came()}, "what waited", 10)
    here.until(lambda: here.status()["healthy"], "all is well")
    assert 1 == here.asked(int(status))

    # From here on the platform's trouble is trouble as any other: there is a pause between two looks.
    here.do(lambda sandbox: sandbox.faults.add("status", status=503, times=1_000, headers={"Retry-After": "600"}))
    here.until(lambda: here.asked(503) >= 2, "both refused")
    time.sleep(2.5)
    assert here.asked(503) <= 3


def test_an_answer_that_drips_for_ever_ends_at_the_deadline(world: Make) -> None:
    here = world().begin()
    here.do(lambda sandbox: sandbox.faults.add("drip", wait="2s"))
    happened = here.happen({"event": "During"})
    here.until(lambda: {event_id(one) for one in here.came()} == set(happened), "the event", 50)
    assert "no whole answer within 30s" in here.log()
