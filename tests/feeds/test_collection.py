"""`intempt.collection` on the sandbox: what comes into a collection, and what changes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import ConfigurationError, NoMoments
from connector.model import MINUTE, Answer, Request
from connector.sandbox.intempt.collections import Collection, Keys
from tests.feeds.kept import NOON, House

ROOMS, GUESTS = 19554189106348032, 19554189106348099
Open = Callable[..., House]


@pytest.fixture
def house(houses: Open) -> Open:
    """Starts a sandbox with the two collections, and the feed on it."""

    def begin(options: str = "", **more: Any) -> House:
        made = houses("intempt.collection", f"{{collections: [{ROOMS}]{options}}}", **more)
        organization = made.sandbox.organization()
        for id, name in ((ROOMS, "rooms"), (GUESTS, "guests")):
            organization.add_collection(Collection(id, 1, name, keys=Keys(primary="id"), schema={"fields": []}))
        return made

    return begin


def put(house: House, *items: dict[str, Any], into: int = ROOMS) -> None:
    organization = house.sandbox.organization()
    for item in items:
        organization.collections[into].put(item, organization.ids.next(), house.now)


def told(house: House) -> list[tuple[str, Any]]:
    return [(event.name, event.body["rawData"]["properties"]) for event in house.events()]


# ── what fires ────────────────────────────────────────────────────────────────────────────────


def test_what_the_first_reading_finds_is_silent(house: Open) -> None:
    here = house()
    put(here, {"id": 1, "price": 80})
    here.turn()
    assert [] == here.events()
    assert 1 == len(here.known())


def test_what_the_first_reading_finds_fires_where_that_is_asked_for(house: Open) -> None:
    here = house(", baseline: fire")
    put(here, {"id": 1, "price": 80})
    here.turn()
    here.turn()
    assert [("item_created", {"id": 1, "price": 80})] == told(here)


def test_an_item_that_comes_later_is_created_and_one_that_changes_is_updated(house: Open) -> None:
    here = house()
    put(here, {"id": 1, "price": 80})
    here.turn()
    put(here, {"id": 2, "price": 90}, {"id": 1, "price": 85})
    here.turn()
    here.turn()
    assert {("item_created", 90), ("item_updated", 85)} == {(name, item["price"]) for name, item in told(here)}


def test_a_change_back_is_another_event(house: Open) -> None:
    here = house()
    for price in (80, 90, 80, 90):
        put(here, {"id": 1, "price": price})
        here.turn()
    assert [90, 80, 90] == [item["price"] for _, item in told(here)]


def test_the_event_says_which_item_of_which_collection_it_is(house: Open) -> None:
    here = house()
    here.turn()
    put(here, {"id": 1})
    here.turn()
    [event] = here.events()
    [key] = here.known()
    assert f"{event.body['collectionId']}:{event.body['itemId']}" == key
    assert str(ROOMS) == event.body["collectionId"]
    assert "item_created" == event.body["eventAction"]
    assert ("intempt:acme", "intempt.collection") == (event.account, event.feed)
    assert event.id.startswith("made_")


def test_an_item_that_vanishes_tells_nothing_nor_does_its_return(house: Open) -> None:
    here = house()
    put(here, {"id": 1})
    here.turn()
    items = here.sandbox.organization().collections[ROOMS].items
    away = dict(items)
    items.clear()
    here.turn()
    items.update(away)
    here.turn()
    assert [] == here.events()


# ── the baseline ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pages", range(4))
def test_a_baseline_that_was_cut_short_does_not_fire_what_remains(house: Open, pages: int) -> None:
    here = house()
    put(here, *({"id": n} for n in range(500)))
    here.killed(pages)
    here.turn()
    assert [] == here.events()
    put(here, {"id": 501})
    here.turn()
    assert [("item_created", {"id": 501})] == told(here)


def test_what_is_known_and_changes_before_the_baseline_is_through_fires(house: Open) -> None:
    here = house()
    put(here, *({"id": n, "price": 1} for n in range(300)))
    here.killed(1)
    known = next(iter(here.known())).partition(":")[2]
    item = here.sandbox.organization().collections[ROOMS].items[int(known)]
    put(here, {**item.data, "price": 2})
    here.turn()
    assert ["item_updated"] == here.names()


def test_a_collection_that_is_added_has_a_baseline_of_its_own(house: Open) -> None:
    here = house()
    put(here, {"id": 1})
    put(here, {"id": 7}, into=GUESTS)
    here.turn()
    here.again(f"{{collections: [{ROOMS}, '{GUESTS}']}}")
    put(here, {"id": 2})
    here.turn()
    assert [("item_created", {"id": 2})] == told(here)
    put(here, {"id": 8}, into=GUESTS)
    here.turn()
    assert ("item_created", {"id": 8}) == told(here)[-1]


def test_watch_lists_learn_from_the_baseline(house: Open) -> None:
    others = "matches: {watch: {from: [{feed: intempt.collection, path: properties.profileId}]}}"
    here = house(others=others)
    put(here, {"id": 1, "profileId": 182233618306719744})
    here.turn()
    assert "profile_id:182233618306719744" in here.known()
    assert [] == here.events()


# ── a kill ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pages", range(5))
def test_a_kill_anywhere_loses_and_repeats_nothing(house: Open, pages: int) -> None:
    here = house()
    put(here, {"id": 0})
    here.turn()
    put(here, *({"id": n} for n in range(1, 701)))
    here.killed(pages)
    here.turn()
    here.turn()
    assert list(range(1, 701)) == sorted(item["id"] for _, item in told(here))
    assert 700 == len({event.id for event in here.events()})


# ── answers that are odd ──────────────────────────────────────────────────────────────────────


def listed(*items: Any, following: str = "") -> Answer:
    links = {"next": {"href": following}} if following else {}
    return Answer(200, {}, json.dumps({"_embedded": {"dataItemList": list(items)}, "_links": links}).encode())


def item(id: Any, **data: Any) -> dict[str, Any]:
    return {"collId": ROOMS, "id": id, "data": data, "matches": []}


def answering(*answers: Answer) -> Callable[[Request], Answer | None]:
    waiting = list(answers)
    return lambda _request: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def test_of_items_with_one_id_the_first_counts(house: Open) -> None:
    here = house(", baseline: fire")
    here.answers = answering(listed(item(1, price=1), item(1, price=2), item(2, price=3)))
    here.turn()
    here.turn()
    assert [1, 3] == [item["price"] for _, item in told(here)]
    assert ["1 items have the id of one before them, which counts" in note for note in here.notes] == [True]


@pytest.mark.parametrize("id", [None, "", True, 1.5, "a b", {"x": 1}])
def test_an_item_without_an_id_is_left_out_with_a_note(house: Open, id: Any) -> None:
    here = house(", baseline: fire")
    here.answers = answering(listed(item(id, price=1), item("2", price=2)))
    here.turn()
    assert [2] == [item["price"] for _, item in told(here)]
    assert [f"collection {ROOMS}: 1 items have no id that can be read, and are left out"] == here.notes
    assert "" == here.error


def test_an_id_of_64_bits_stays_exact(house: Open) -> None:
    here = house(", baseline: fire")
    here.answers = answering(listed(item(9223372036854775807, n=9223372036854775806)))
    here.turn()
    [event] = here.events()
    assert "9223372036854775807" == event.body["itemId"]
    assert 9223372036854775806 == event.body["rawData"]["properties"]["n"]


@pytest.mark.parametrize(
    "poison",
    [rb'"\ud800"', b"1e400", b"9" * 5_000, b"[" * 20_000 + b"]" * 20_000, b"[" * 400 + b"]" * 400, b'"\xff"', b"NaN"],
)
def test_what_anyone_put_into_an_item_does_not_cost_the_others(house: Open, poison: bytes) -> None:
    here = house(", baseline: fire")
    bad = b'{"id":9,"data":{"price":9,"odd":' + poison + b"}}"
    items = b'{"id":1,"data":{"price":1}},' + bad + b',{"id":2,"data":{"price":2}}'
    here.answers = answering(Answer(200, {}, b'{"_embedded":{"dataItemList":[' + items + b']},"_links":{}}'))
    here.turn()
    assert [1, 2] == [item["price"] for _, item in told(here) if item["price"] != 9]
    assert "" == here.error
    assert (f"{ROOMS}:9" in here.known()) != bool(here.notes)


# ── lists in parts ────────────────────────────────────────────────────────────────────────────


def test_all_parts_of_a_list_are_read(house: Open) -> None:
    here = house(switches={"intempt_pages": "next"})
    put(here, *({"id": n} for n in range(450)))
    here.turn()
    assert 450 == len(here.known())
    assert 5 == len(here.asked)
    put(here, {"id": 450})
    here.turn()
    assert [("item_created", {"id": 450})] == told(here)


def test_a_list_that_goes_on_elsewhere_is_not_followed_there(house: Open) -> None:
    here = house()
    here.answers = answering(listed(item(1), following="https://evil.example/v1/acme/collections/1/data?page=2"))
    here.turn()
    assert 1 == len(here.asked)
    assert "at another address" in here.error


@pytest.mark.parametrize("links", [["?page=1"], ["?page=1", "?page=2", "?page=3"]])
def test_a_list_that_never_ends_is_an_error(house: Open, links: list[str]) -> None:
    here = house()
    own = f"/v1/acme/collections/{ROOMS}/data"
    here.answers = answering(*(listed(item(1), following=own + link) for link in links))
    here.turn()
    assert "was read already" in here.error
    assert len(here.asked) <= 3


# ── when it fails ─────────────────────────────────────────────────────────────────────────────


def test_a_collection_that_is_not_there_does_not_stop_the_others(house: Open) -> None:
    here = house()
    here.again(f"{{collections: [77, {ROOMS}]}}")
    put(here, {"id": 1})
    here.turn()
    put(here, {"id": 2})
    here.turn()
    assert [("item_created", {"id": 2})] == told(here)
    assert "" == here.error
    assert ["collection 77 cannot be read: nobody has this id"] == [note.split(", or")[0] for note in here.notes]


def test_what_was_not_read_is_behind(house: Open) -> None:
    here = house()
    here.again(f"{{collections: [77, {ROOMS}]}}")
    here.turn()
    here.turn(5 * MINUTE)
    assert NOON + MINUTE == here.feed.read_to(here.cursors())
    assert {"fresh": 5 * MINUTE} == here.feed.behind(here.cursors(), here.now)


def test_where_no_collection_can_be_read_the_feed_is_unavailable(house: Open) -> None:
    here = house()
    here.again("{collections: [77, 78]}")
    here.turn()
    assert here.error.startswith("none of the 2 collections can be read; see `collections`")
    assert {} == here.cursors()


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_of_the_key_ends_the_turn(house: Open, status: int) -> None:
    here = house()
    here.again(f"{{collections: [77, {ROOMS}]}}")
    here.answers = lambda _request: Answer(status)
    here.turn()
    assert 1 == len(here.asked)
    assert f"(HTTP {status})" in here.error


def test_a_baseline_that_failed_is_made_up_for(house: Open) -> None:
    here = house()
    put(here, {"id": 1})
    here.answers = lambda _request: Answer(500)
    here.turn()
    here.answers = lambda _request: None
    here.turn(10 * MINUTE)
    put(here, {"id": 2})
    here.turn()
    assert [("item_created", {"id": 2})] == told(here)


def test_a_cursor_that_cannot_be_read_is_as_none(house: Open) -> None:
    here = house()
    assert here.feed.read_to({"fresh": "what?"}) is None


def test_there_is_no_moment_to_go_back_to(house: Open) -> None:
    with pytest.raises(NoMoments):
        house().feed.rewind(None, NOON)


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ("{}", "is missing"),
        ("{collections: []}", "expected at least one"),
        ("{collections: [1.9e16]}", "expected the id of a collection"),
        ("{collections: ['a b']}", "expected the id of a collection"),
        ("{collections: 7}", "expected a list"),
        ("{collections: [7], pol: 1m}", "did you mean 'poll'"),
        ("{collections: [7], poll: 0s}", "poll must be 1s or more"),
    ],
)
def test_a_mistake_in_the_options_is_told(house: Open, options: str, mistake: str) -> None:
    with pytest.raises(ConfigurationError, match=mistake):
        house().again(options)


# ── anything ──────────────────────────────────────────────────────────────────────────────────

data = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
        lambda x: st.lists(x, max_size=2),
        max_leaves=3,
    ),
    max_size=3,
)
steps = st.lists(st.dictionaries(st.integers(1, 6), data, max_size=6), min_size=1, max_size=6)


@given(steps, st.lists(st.integers(0, 3), max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_each_difference_between_two_looks_is_one_event(
    house: Open, history: list[dict[int, Any]], kills: list[int]
) -> None:
    here = house()
    before: dict[int, Any] = {}
    expected = []
    for n, state in enumerate(history):
        if n:
            expected += [(id, now) for id, now in state.items() if id not in before or before[id] != now]
        before |= state
        here.answers = answering(listed(*(item(id, **now) for id, now in state.items())))
        if n < len(kills):
            here.killed(kills[n])
        here.turn()
    got = [(int(event.body["itemId"]), event.body["rawData"]["properties"]) for event in here.events()]
    assert sorted(expected, key=repr) == sorted(got, key=repr)
