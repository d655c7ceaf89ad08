"""`intilery.profile_events` on the sandbox: what chosen customers do."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import ConfigurationError, NoMoments
from connector.model import DAY, HOUR, MINUTE, SECOND, Answer, instant_text
from connector.sandbox.intilery.events import customer_id
from tests.feeds.kept import NOON, House

Open = Callable[..., House]
ADA = "{watch: {user_ids: [ada]}}"


@pytest.fixture
def house(houses: Open) -> Open:
    """Starts a sandbox, and the feed on it."""
    return lambda options=ADA, **more: houses("intilery.profile_events", options, **more)


def done(house: House, name: str = "Order Completed", user: str = "ada", **more: Any) -> list[str]:
    """A customer does something."""
    event = {"event": name, "userId": user, "customerId": customer_id(("acme", "acme", "ACME"), user)}
    visible = more.pop("visible", None)
    return house.sandbox.account().inject([{**event, **more}], visible=visible)


def there(house: House, *users: str, **traits: Any) -> None:
    for user in users:
        house.sandbox.account().identify(user, {"email": f"{user}@example.com", **traits})


# ── what arrives ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "options",
    [
        "{watch: {user_ids: [ada]}}",
        "{watch: {emails: [ada@example.com]}}",
        f"{{watch: {{ids: ['{customer_id(('acme', 'acme', 'ACME'), 'ada')}']}}}}",
    ],
)
def test_what_a_watched_customer_does_arrives(house: Open, options: str) -> None:
    here = house(options)
    there(here, "ada", "bob")
    here.turn()
    done(here)
    done(here, user="bob")
    here.turn()
    [event] = here.events()
    assert ("order_completed", "ada") == (event.name, event.body["userId"])
    assert "intilery.profile_events" == event.feed


def test_what_was_done_before_does_not(house: Open) -> None:
    here = house()
    there(here, "ada")
    done(here)
    here.turn()
    assert [] == here.events()


@pytest.mark.parametrize("start", ["2h", "2026-11-01T10:00:00Z"])
def test_what_was_done_since_start_arrives(house: Open, start: str) -> None:
    here = house(f"{{start: '{start}', watch: {{user_ids: [ada]}}}}")
    there(here, "ada")
    for ago in (3 * HOUR, HOUR, MINUTE):
        at = instant_text(NOON - ago)
        here.sandbox.account().inject(
            [{"event": f"at {ago}", "userId": "ada", "eventTime": at, "receivedTime": at}], at=NOON - ago
        )
    here.turn()
    assert [f"at_{HOUR}", f"at_{MINUTE}"] == here.names()


def test_each_event_arrives_once_however_often_it_is_read(house: Open) -> None:
    here = house()
    there(here, "ada")
    here.turn()
    for _ in range(5):
        done(here)
        here.turn()
    assert 5 == len(here.events())


def test_what_becomes_visible_late_is_found_within_the_overlap(house: Open) -> None:
    here = house()
    there(here, "ada")
    here.turn()
    done(here, visible=here.now + 50 * MINUTE)
    for _ in range(6):
        here.turn(10 * MINUTE)
    assert ["order_completed"] == here.names()


def test_a_customer_who_appears_later_is_read_from_their_first_event_on(house: Open) -> None:
    here = house("{watch: {user_ids: [ada, bob, eve, joe]}}")
    there(here, "bob", "eve", "joe")
    here.turn()
    here.turn()
    here.now += 30 * SECOND
    done(here)
    there(here, "ada")
    here.turn()
    assert ["order_completed"] == here.names()


def test_more_than_can_be_paged_through_arrives(house: Open) -> None:
    here = house("{start: 1d, watch: {user_ids: [user-0]}}")
    here.sandbox.account().generate(10_500, at=NOON - HOUR, every=100, users=1)
    here.turn()
    here.turn()
    here.turn()
    assert 10_500 == len(here.events())


def test_a_customer_with_too_much_for_one_look_is_behind_until_it_is_read(house: Open) -> None:
    here = house("{start: 1d, watch: {user_ids: [user-0]}}")
    here.sandbox.account().generate(11_000, at=NOON - HOUR, every=100, users=1)
    here.turn()
    assert 5_000 <= len(here.events()) < 11_000
    read_to = here.feed.read_to(here.cursors()) or 0
    assert max(event.at for event in here.events()) - HOUR < read_to < NOON
    while len(here.events()) < 11_000:
        here.turn()
    here.turn()
    assert here.now - MINUTE <= (here.feed.read_to(here.cursors()) or 0)


@pytest.mark.parametrize(
    "switch",
    ["from=pages", "edges=half_open", "ties=random", "beyond=empty", "datetime=date", "datetime=refused", "lag=9s",
     "skew=10m", "skew=-10m", "data_on_empty=missing", "data_on_empty=null", "time_field=receivedTime"],
)  # fmt: skip
def test_every_way_the_platform_may_answer_will_do(house: Open, switch: str) -> None:
    here = house(switches=dict([switch.split("=")]))
    there(here, "ada")
    expected = []
    here.turn()
    for n in range(4):
        here.now += 10 * SECOND
        for _ in range(30 * (n % 2) * 4 + 1):
            expected += done(here)
        here.turn()
    here.turn()
    assert sorted(expected) == sorted(event.id for event in here.events())
    assert "" == here.error


# ── one event, two feeds ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", ["intilery.events", "intilery.profile_events"])
@pytest.mark.parametrize("event_id", ["e-1", None, "", "hash_1"])
def test_an_event_that_two_feeds_show_is_one(house: Open, first: str, event_id: str | None) -> None:
    here = house(others="events: {}")
    there(here, "ada")
    order = [first, *({"intilery.events", "intilery.profile_events"} - {first})]
    for name in order:
        here.turn(SECOND, name)
    done(here, eventId=event_id)
    for name in order:
        here.turn(MINUTE, name)
    assert [first] == [event.feed for event in here.events()]


# ── who is watched ────────────────────────────────────────────────────────────────────────────


def test_customers_are_learnt_from_another_feed_with_what_is_kept(house: Open) -> None:
    source = "{feed: intilery.events, path: event.userId, keep: {page: properties.url}}"
    here = house(f"{{watch: {{from: [{source}]}}}}", others="events: {}")
    there(here, "ada", "bob")
    here.turn(SECOND, "intilery.events")
    here.turn(SECOND)
    done(here, "page", properties={"url": "/home"})
    here.turn(20 * SECOND, "intilery.events")
    assert {"user_id:ada"} == here.known()
    here.turn(SECOND)
    done(here)
    here.turn()
    [event] = [event for event in here.events() if event.feed == here.name]
    assert {"page": "/home"} == event.body["watched"]
    assert "ada" == event.body["userId"]


def test_nobody_of_one_id_is_no_error(house: Open) -> None:
    here = house("{watch: {user_ids: [nobody, ada]}}")
    there(here, "ada")
    here.turn()
    done(here)
    here.turn()
    assert "" == here.error
    assert ["order_completed"] == here.names()


@pytest.mark.parametrize("unknown", ["404", "empty"])
def test_an_address_that_nobody_has_is_no_error(house: Open, unknown: str) -> None:
    here = house("{watch: {user_ids: [ada], emails: [eve@example.com]}}", switches={"email_unknown": unknown})
    there(here, "ada")
    here.turn()
    done(here, user="eve")
    there(here, "eve")
    here.turn()
    assert "" == here.error
    assert ["eve"] == [event.body["userId"] for event in here.events()]


def test_where_nobody_has_any_of_the_ids_the_feed_is_unavailable(house: Open) -> None:
    here = house("{watch: {user_ids: [a, b, c, d]}}")
    here.turn()
    assert here.error.startswith("nobody has any of the 4 watched ids that were looked at")
    assert "dialect" not in here.error


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_of_the_token_ends_the_turn(house: Open, status: int) -> None:
    here = house("{watch: {user_ids: [a, b, c, d, e, f, g, h, i, j]}}")
    here.answers = lambda _request: Answer(status)
    here.turn()
    assert f"(HTTP {status})" in here.error
    assert 8 == len(here.asked)


def test_one_customer_that_cannot_be_read_does_not_stop_the_others(house: Open) -> None:
    here = house("{watch: {user_ids: [ada, bob]}}")
    there(here, "ada", "bob")
    here.answers = lambda request: Answer(500) if "ada" in str(request.url) else None
    here.turn()
    done(here)
    done(here, user="bob")
    here.turn()
    assert ["bob"] == [event.body["userId"] for event in here.events()]
    here.answers = lambda _request: None
    here.turn(10 * MINUTE)
    assert ["bob", "ada"] == [event.body["userId"] for event in here.events()]


# ── a kill ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pages", range(5))
def test_a_kill_anywhere_loses_and_repeats_nothing(house: Open, pages: int) -> None:
    users = [f"u{n}" for n in range(20)]
    here = house(f"{{watch: {{user_ids: {users}}}}}")
    there(here, *users)
    here.killed(pages)
    here.turn()
    expected = [id for user in users for id in done(here, user=user)]
    here.killed(pages)
    expected += [id for user in users for id in done(here, user=user)]
    here.turn()
    here.turn()
    assert sorted(expected) == sorted(event.id for event in here.events())


@given(st.lists(st.tuples(st.integers(1, 4 * 3600), st.integers(0, 40), st.integers(0, 3)), max_size=6))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_pauses_and_kills_each_event_arrives_once(house: Open, course: list[tuple[int, int, int]]) -> None:
    here = house()
    there(here, "ada")
    here.turn()
    expected: list[str] = []
    for pause, many, kill in course:
        for _ in range(many):
            here.now += pause * SECOND // 60
            expected += done(here)
        if kill:
            here.killed(kill - 1, later=pause * SECOND)
        here.turn(SECOND)
    here.turn()
    here.turn()
    assert sorted(expected) == sorted(event.id for event in here.events())


# ── options ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ("{overlap: 8d}", "overlap must be between 1m and 7d"),
        ("{poll: 0s}", "poll must be 1s or more"),
        ("{start: soon}", "expected now, a duration"),
        ("{watch: {profile_ids: [1]}}", "unknown key profile_ids"),
        ("{watch: {user_ids: [a b]}}", "expected an id"),
        ("{watch: {from: [{feed: intilery.profiles, path: event.userId}]}}", "no feed 'intilery.profiles' is polled"),
    ],
)
def test_a_mistake_in_the_options_is_told(house: Open, options: str, mistake: str) -> None:
    with pytest.raises(ConfigurationError, match=mistake):
        house().again(options)


def test_there_is_no_moment_to_go_back_to(house: Open) -> None:
    with pytest.raises(NoMoments):
        house().feed.rewind(None, NOON - DAY)
