"""`intilery.profiles` on the sandbox: who is created, and who changes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import ConfigurationError, NoMoments
from connector.model import MINUTE, SECOND, Answer, Request
from connector.sandbox.intilery.account import Account
from tests.feeds.kept import NOON, House

QUARTER = 15 * MINUTE
Open = Callable[..., House]


@pytest.fixture
def house(houses: Open) -> Open:
    """Starts a sandbox, and the feed on it."""
    return lambda options="{}", **more: houses("intilery.profiles", options, **more)


def account(house: House) -> Account:
    return house.sandbox.account()


def people(house: House, *numbers: int, **traits: Any) -> None:
    for n in numbers:
        account(house).identify(f"u{n}", {"email": f"u{n}@example.com", "n": n, **traits}, id=f"id-{n}")


def told(house: House) -> list[tuple[str, Any]]:
    return [(event.name, event.body["rawData"]["traits"]["n"]) for event in house.events()]


# ── what fires ────────────────────────────────────────────────────────────────────────────────


def test_who_is_there_at_the_first_pass_is_silent(house: Open) -> None:
    here = house()
    people(here, *range(250))
    here.turn()
    assert [] == here.events()
    assert 250 == len(here.known())


def test_who_is_there_at_the_first_pass_fires_where_that_is_asked_for(house: Open) -> None:
    here = house("{baseline: fire}")
    people(here, *range(250))
    here.turn()
    here.turn(QUARTER)
    assert sorted(("profile_created", n) for n in range(250)) == sorted(told(here))


def test_who_comes_later_is_created_and_who_changes_is_updated(house: Open) -> None:
    here = house()
    people(here, *range(150))
    here.turn()
    people(here, 500)
    people(here, 7, plan="gold")
    here.turn(QUARTER)
    here.turn(QUARTER)
    assert [("profile_created", 500), ("profile_updated", 7)] == sorted(told(here))


def test_a_change_back_is_another_event(house: Open) -> None:
    here = house()
    for plan in ("gold", "lead", "gold"):
        people(here, 1, plan=plan)
        here.turn(QUARTER)
    assert ["lead", "gold"] == [event.body["rawData"]["traits"]["plan"] for event in here.events()]


def test_the_event_says_whose_profile_it_is(house: Open) -> None:
    here = house()
    here.turn()
    people(here, 1)
    here.turn(QUARTER)
    [event] = here.events()
    assert ("u1", "id-1", "u1@example.com") == tuple(event.body[name] for name in ("userId", "customerId", "email"))
    assert event.body["rawData"]["traits"] == event.body["rawData"]["properties"]
    assert "intilery.profiles" == event.feed


@pytest.mark.parametrize(("options", "events"), [("{}", []), ("{ignore: []}", ["profile_updated"])])
def test_bookkeeping_is_no_change(house: Open, options: str, events: list[str]) -> None:
    here = house(options, switches={"profile_list": "meta"})
    people(here, 1)
    here.turn()
    account(here).inject([{"event": "Order Completed", "userId": "u1", "customerId": "id-1"}])
    here.turn(QUARTER)
    assert events == here.names()


def test_another_list_of_what_is_ignored_is_no_change_of_profiles(house: Open) -> None:
    here = house()
    people(here, 1, 2)
    here.turn()
    here.again("{ignore: [n]}")
    here.turn(QUARTER)
    assert [] == here.events()
    people(here, 1, plan="gold")
    here.turn(QUARTER)
    assert [("profile_updated", 1)] == told(here)


# ── the baseline ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("repeat", ["same", "next"])
@pytest.mark.parametrize("parts", range(5))
@pytest.mark.parametrize("later", [SECOND, QUARTER])
def test_a_first_pass_that_was_cut_short_does_not_fire_what_remains(
    house: Open, repeat: str, parts: int, later: int
) -> None:
    here = house(switches={"scroll_repeat": repeat})
    people(here, *range(350))
    here.killed(parts)
    here.turn(later)
    here.turn(QUARTER)
    assert [] == here.events()
    assert 350 == len(here.known())
    people(here, 999)
    here.turn(QUARTER)
    assert [("profile_created", 999)] == told(here)


def test_a_first_pass_whose_answer_was_lost_is_read_once_more(house: Open) -> None:
    here = house(switches={"scroll_repeat": "next"})
    people(here, *range(350))
    here.sandbox.faults.add("lost", times=1)
    here.turn()
    here.turn(SECOND)
    here.turn(10 * SECOND)
    assert 350 == len(here.known())
    assert [] == here.events()


def test_who_changes_before_the_baseline_is_through_fires(house: Open) -> None:
    here = house()
    people(here, *range(250))
    here.killed(1)
    [known, *_] = here.known()
    n = int(known.removeprefix("id-"))
    people(here, n, plan="gold")
    here.turn(QUARTER)
    assert [("profile_updated", n)] == told(here)


def test_who_is_created_during_the_first_pass_fires_where_the_list_says_when(house: Open) -> None:
    here = house(switches={"profile_list": "meta"})
    people(here, *range(150))
    here.killed(1)
    here.now += MINUTE
    people(here, 500)
    here.turn(QUARTER)
    assert [("profile_created", 500)] == told(here)


def test_watch_lists_learn_from_the_first_pass(house: Open) -> None:
    others = "profile_events: {watch: {from: [{feed: intilery.profiles, path: event.userId}]}}"
    here = house(others=others)
    people(here, 1)
    here.turn()
    assert "user_id:u1" in here.known()
    assert [] == here.events()


# ── the scroll ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("repeat", ["same", "next"])
@pytest.mark.parametrize("parts", range(5))
def test_a_pass_cut_short_loses_and_repeats_nothing(house: Open, repeat: str, parts: int) -> None:
    here = house(switches={"scroll_repeat": repeat})
    here.turn()
    people(here, *range(350))
    here.killed(parts, later=QUARTER)
    here.turn(SECOND)
    here.turn(QUARTER)
    assert sorted(("profile_created", n) for n in range(350)) == sorted(told(here))


def test_a_stop_goes_on_where_the_list_stood(house: Open) -> None:
    here = house()
    people(here, *range(350))
    here.killed(2)
    here.asked.clear()
    here.turn(SECOND)
    assert all("scrollId=" in asked for asked in here.asked[:2])


def test_a_scroll_that_timed_out_begins_a_new_pass(house: Open) -> None:
    here = house()
    here.turn()
    people(here, *range(350))
    here.killed(2, later=QUARTER)
    here.turn(10 * MINUTE)
    assert ["the scrollId of the list of profiles timed out in the middle of a pass: it begins anew"] == here.notes
    assert "" == here.error
    assert sorted(("profile_created", n) for n in range(350)) == sorted(told(here))


def test_a_scroll_that_always_times_out_is_an_error(house: Open) -> None:
    here = house()
    people(here, *range(350))
    here.answers = lambda request: Answer(400) if "scroll" in str(request.url) else None
    here.turn()
    assert "(HTTP 400)" in here.error
    assert len(here.asked) <= 4


@pytest.mark.parametrize("dialect", ["{}", "{scroll: scrollid}"])
def test_the_parameter_may_have_its_other_name(house: Open, dialect: str) -> None:
    here = house(switches={"scroll_name": "scrollid"}, dialect=dialect)
    people(here, *range(350))
    here.turn()
    assert 350 == len(here.known())
    assert len(here.asked) == (6 if dialect == "{}" else 5)


def test_a_scroll_that_is_ignored_ends_with_an_error_that_says_so(house: Open) -> None:
    here = house(switches={"scroll_name": "scrollid"}, dialect="{scroll: scrollId}")
    people(here, *range(350))
    here.turn()
    assert "begins anew at each request" in here.error
    assert 2 == len(here.asked)
    here.turn(QUARTER)
    assert 4 == len(here.asked)


def test_a_scroll_that_is_ignored_is_noticed_while_profiles_are_active(house: Open) -> None:
    here = house(switches={"scroll_name": "scrollid"}, dialect="{scroll: scrollId}")
    people(here, *range(350))

    def active(_request: Request) -> None:
        account(here).identify(f"new-{len(here.asked)}", {}, active=here.now + len(here.asked))

    here.answers = active
    here.turn()
    assert "begins anew at each request" in here.error
    assert len(here.asked) == 2


@pytest.mark.parametrize("many", [1, 2, 100])
def test_a_few_profiles_are_a_whole_list(house: Open, many: int) -> None:
    here = house(switches={"scroll_name": "scrollid"})
    people(here, *range(many))
    here.turn()
    assert "" == here.error
    assert many == len(here.known())


# ── answers that are odd ──────────────────────────────────────────────────────────────────────


def part(*found: Any, scroll: str = "s") -> Answer:
    return Answer(200, {}, json.dumps({"scrollId": scroll, "data": list(found)}).encode())


def answering(*answers: Answer) -> Callable[[Request], Answer | None]:
    waiting = list(answers)
    return lambda _request: waiting.pop(0) if waiting else part()


def test_a_profile_without_an_id_is_left_out_with_a_note(house: Open) -> None:
    here = house("{baseline: fire}")
    here.answers = answering(part({}, {}, {"id": "p1", "n": 1}))
    here.turn()
    assert [("profile_created", 1)] == told(here)
    assert ["2 profiles have no id that can be read, and are left out"] == here.notes


def test_one_scroll_id_for_all_parts_is_as_good(house: Open) -> None:
    here = house("{baseline: fire}")
    here.answers = answering(*(part({"id": f"p{n}", "n": n}) for n in range(5)))
    here.turn()
    assert [0, 1, 2, 3, 4] == [n for _, n in told(here)]


def test_a_profile_in_two_parts_is_one_event_a_content(house: Open) -> None:
    here = house("{baseline: fire}")
    first, second = ([{"id": f"p{n}", "n": n} for n in some] for some in (range(4), range(3, 8)))
    here.answers = answering(part(*first), part(*second))
    here.turn()
    assert list(range(8)) == [n for _, n in told(here)]


POISON = [
    rb'"\ud800"',
    b"1e400",
    b"9" * 5_000,
    b"[" * 20_000 + b"]" * 20_000,
    b"[" * 400 + b"]" * 400,
    b'"\xff"',
    b"NaN",
    b'"\x00"',
    b"{",
]


@pytest.mark.parametrize("poison", POISON)
def test_what_anyone_put_into_a_profile_does_not_cost_the_others(house: Open, poison: bytes) -> None:
    here = house("{baseline: fire}")
    bad = b'{"id":"bad","n":0,"odd":' + poison + b"}"
    body = b'{"scrollId":"s","data":[{"id":"p1","n":1},' + bad + b',{"id":"p2","n":2}]}'
    here.answers = answering(Answer(200, {}, body))
    here.turn()
    if poison == b"{":  # not even brackets: no answer at all
        assert "is not a list of profiles" in here.error
        return
    assert [1, 2] == [n for _, n in told(here) if n]
    assert "" == here.error
    assert ("bad" in here.known()) != bool(here.notes)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_is_told(house: Open, status: int) -> None:
    here = house()
    here.answers = lambda _request: Answer(status)
    here.turn()
    assert f"(HTTP {status})" in here.error


# ── where it stands ───────────────────────────────────────────────────────────────────────────


def test_it_has_read_up_to_the_beginning_of_its_last_whole_pass(house: Open) -> None:
    here = house()
    people(here, *range(250))
    here.turn()
    assert NOON + MINUTE == here.feed.read_to(here.cursors())
    here.killed(1, later=QUARTER)
    here.turn(SECOND)
    assert NOON + MINUTE == here.feed.read_to(here.cursors())
    assert {"fresh": QUARTER + SECOND} == here.feed.behind(here.cursors(), here.now)
    here.turn(QUARTER)
    assert here.now == here.feed.read_to(here.cursors())


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ("{poll: 0s}", "poll must be 1s or more"),
        ("{ignore: lastActivityTime}", "expected a list"),
        ("{baseline: loud}", "'silent' or 'fire'"),
        ("{ignored: []}", "did you mean 'ignore'"),
    ],
)
def test_a_mistake_in_the_options_is_told(house: Open, options: str, mistake: str) -> None:
    with pytest.raises(ConfigurationError, match=mistake):
        house().again(options)


def test_there_is_no_moment_to_go_back_to(house: Open) -> None:
    with pytest.raises(NoMoments):
        house().feed.rewind(None, NOON)


# ── anything ──────────────────────────────────────────────────────────────────────────────────

profiles = st.dictionaries(
    st.integers(1, 6),
    st.dictionaries(st.text(max_size=3).map("x{}".format), st.none() | st.integers() | st.text(max_size=3), max_size=2),
    min_size=1,
    max_size=6,
)


@given(st.lists(profiles, min_size=1, max_size=5), st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=5))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_each_difference_between_two_passes_is_one_event(
    house: Open, history: list[dict[int, Any]], kills: list[tuple[int, bool]]
) -> None:
    here = house()
    before: dict[int, Any] = {}
    expected = []
    for n, state in enumerate(history):
        if n:
            expected += [(id, now) for id, now in state.items() if id not in before or before[id] != now]
        before |= state
        parts = [{**traits, "id": str(id)} for id, traits in state.items()]

        def answer(request: Request, parts: list[Any] = parts) -> Answer:
            place = int(str(request.url).partition("scrollId=")[2] or 0)
            return part(*parts[place : place + 2], scroll=str(place + 2))

        here.answers = answer
        if n < len(kills):
            here.killed(kills[n][0], later=QUARTER)
        here.turn(SECOND if n < len(kills) and kills[n][1] else QUARTER)
        here.turn(QUARTER)
    got = []
    for event in here.events():
        traits = dict(event.body["rawData"]["traits"])
        got.append((int(traits.pop("id")), traits))
    assert sorted(expected, key=repr) == sorted(got, key=repr)
