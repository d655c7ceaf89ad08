"""Limits: who counts as one customer, and how often a recipe may run for one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import DAY, MINUTE, Event, Spent
from connector.recipe.evaluate import evaluate
from connector.recipe.memory import CUSTOMER_IDS, DictMemory, customer
from connector.recipe.recipe import Recipe
from tests.recipe.samples import ACCOUNT, NOON, event, recipe

ONCE = recipe("limit: 1/24h")


def play(made: Recipe, *events: Event, memory: DictMemory | None = None) -> list[str]:
    memory = memory if memory is not None else DictMemory()
    reasons = []
    for each in events:
        outcome = evaluate(made, each, memory, live_from=0)
        if outcome.spent is not None:
            memory.keep(made.memory_id, each.account, outcome.spent)
        reasons.append(outcome.reason)
    return reasons


def at(minutes: float, **ids: Any) -> Event:
    return event(at=NOON + int(minutes * MINUTE), **ids)


# ── customers ─────────────────────────────────────────────────────────────────────────────────


def test_each_customer_has_a_limit_of_their_own() -> None:
    assert ["fired", "fired", "limited"] == play(ONCE, at(0, userId="u1"), at(1, userId="u2"), at(2, userId="u1"))


def test_ids_are_compared_with_their_own_kind_only() -> None:
    assert ["fired", "fired"] == play(ONCE, at(0, userId="x"), at(1, anonymousId="x"))


def test_a_limited_event_still_says_who_is_who() -> None:
    events = [at(0, anonymousId="a1"), at(1, anonymousId="a1", userId="u1"), at(2, userId="u1")]
    assert ["fired", "limited", "limited"] == play(ONCE, *events)


def test_several_sets_become_one_and_their_spendings_are_added() -> None:
    twice = recipe("limit: 2/24h")
    events = [at(0, userId="u1"), at(1, anonymousId="a1"), at(2, userId="u1", anonymousId="a1"), at(3, customerId="c1")]
    memory = DictMemory()
    assert ["fired", "fired", "limited", "fired"] == play(twice, *events, memory=memory)
    assert [("anonymousId=a1", "userId=u1"), ("customerId=c1",)] == sorted(
        tuple(sorted(spent.keys)) for _, _, spent in memory.rows.values()
    )


@pytest.mark.parametrize("weak", ["anonymousId", "customerId"])
def test_a_weaker_id_does_not_join_two_users(weak: str) -> None:
    memory = DictMemory()
    events = [at(0, userId="u1", **{weak: "x"}), at(1, userId="u2"), at(2, userId="u2", **{weak: "x"})]
    assert ["fired", "fired", "limited"] == play(ONCE, *events, memory=memory)
    assert [{"userId=u1", f"{weak}=x"}, {"userId=u2"}] == [set(spent.keys) for _, _, spent in memory.rows.values()]


def test_an_event_belongs_to_the_user_it_names() -> None:
    events = [at(0, userId="u1", anonymousId="a1"), at(1, userId="u2", anonymousId="a1"), at(2, anonymousId="a1")]
    assert ["fired", "fired", "limited"] == play(ONCE, *events)


def test_two_weaker_ids_of_different_users_leave_them_apart() -> None:
    memory, twice = DictMemory(), recipe("limit: 2/24h")
    first = [at(0, userId="u1", customerId="c1"), at(1, userId="u2", anonymousId="a2")]
    forged = at(2, customerId="c1", anonymousId="a2")
    assert ["fired", "fired", "fired"] == play(twice, *first, forged, memory=memory)
    assert ["limited", "fired"] == play(twice, at(3, userId="u1"), at(4, userId="u2"), memory=memory)


def test_an_anonymous_customer_is_joined_by_one_user_only() -> None:
    events = [at(0, anonymousId="a1"), at(1, userId="u1", anonymousId="a1"), at(2, userId="u2", anonymousId="a1")]
    assert ["fired", "limited", "fired"] == play(ONCE, *events)


def test_forged_ids_do_not_drive_a_user_out_of_a_full_memory() -> None:
    memory = DictMemory()
    first, *forged = (
        at(0, userId="u1", customerId="c1"),
        *(at(1, customerId="c1", anonymousId=f"a{n}") for n in range(200)),
    )
    play(ONCE, first, *forged, *(at(2, anonymousId="a199", customerId=f"d{n}") for n in range(200)), memory=memory)
    assert ["limited"] == play(ONCE, at(3, userId="u1"), memory=memory)


def test_accounts_do_not_share_customers() -> None:
    other = event(at=NOON + 1, userId="u1")
    other = Event("intilery:other/other/OTHER", other.feed, other.id, other.name, other.at, other.time, other.body)
    assert ["fired", "fired"] == play(ONCE, at(0, userId="u1"), other)


@pytest.mark.parametrize(
    "nobody", [{}, {"userId": None}, {"userId": ""}, {"userId": "  "}, {"userId": []}, {"userId": True}]
)
def test_an_event_of_nobody_has_no_key(nobody: dict[str, Any]) -> None:
    assert ["no_key"] == play(ONCE, at(0, **nobody))


def test_a_number_and_its_text_are_one_id() -> None:
    assert ["fired", "limited"] == play(ONCE, at(0, userId=9007199254740993), at(1, userId="9007199254740993"))


def test_an_intempt_customer_is_known_by_the_master_id() -> None:
    body = {"masterId": "m1", "userId": "u1"}
    assert {"masterId": "m1"} == customer(Event("intempt:acme/shop", "intempt.matches", "e", "x", NOON, NOON, body))


def test_forged_ids_do_not_make_a_memory_grow_for_ever() -> None:
    memory = DictMemory()
    play(ONCE, *(at(n / 10, userId="u1", anonymousId=f"a{n}") for n in range(300)), memory=memory)
    ((_, _, spent),) = memory.rows.values()
    assert len(spent.keys) <= 100
    assert {"userId=u1", "anonymousId=a299"} <= set(spent.keys)


@pytest.mark.parametrize("name", ["u" * 30_000, "\ud800"])
def test_an_id_that_cannot_be_a_key_is_hashed(name: str) -> None:
    memory = DictMemory()
    assert ["fired", "limited"] == play(ONCE, at(0, userId=name), at(1, userId=name), memory=memory)
    ((_, _, spent),) = memory.rows.values()
    assert len(spent.keys[0].encode()) < 100


# ── other keys ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["properties.order", "[properties.order]"])
def test_a_path_replaces_the_customer(key: str) -> None:
    made = recipe(f"limit: {{max: 1/24h, key: {key}}}")
    events = [at(n, userId="u1", properties={"order": order}) for n, order in enumerate(["A", "B", "A"])]
    assert ["fired", "fired", "limited"] == play(made, *events)


def test_a_list_of_paths_is_one_compound_key() -> None:
    made = recipe("limit: {max: 1/24h, key: [event.userId, properties.shop]}")
    pairs = [("u1", "A"), ("u1", "B"), ("u2", "A"), ("u1", "A")]
    events = [at(n, userId=user, properties={"shop": shop}) for n, (user, shop) in enumerate(pairs)]
    assert ["fired", "fired", "fired", "limited"] == play(made, *events)


@pytest.mark.parametrize("value", [None, "", " ", [], {}])
def test_a_missing_part_is_no_key_never_a_common_one(value: object) -> None:
    made = recipe("limit: {max: 1/24h, key: [event.userId, properties.shop]}")
    assert ["no_key"] == play(made, at(0, userId="u1", properties={"shop": value}))


def test_an_empty_key_is_everyone() -> None:
    assert ["fired", "limited"] == play(recipe("limit: {max: 1/24h, key: []}"), at(0, userId="u1"), at(1))


# ── times ─────────────────────────────────────────────────────────────────────────────────────


def test_a_limit_rolls() -> None:
    made = recipe("limit: 2/1h")
    minutes = [0, 30, 59, 60, 89, 90, 91]
    expected = ["fired", "fired", "limited", "fired", "limited", "fired", "limited"]
    assert expected == play(made, *(at(minute, userId="u1") for minute in minutes))


def test_once_for_ever() -> None:
    events = [event(at=NOON + n * 400 * DAY, userId="u1", time=NOON + n * 400 * DAY) for n in range(3)]
    assert ["fired", "limited", "limited"] == play(recipe("limit: 1/ever"), *events)


def test_a_late_event_counts_what_came_after_it() -> None:
    made = recipe("limit: 1/1h")
    assert ["fired", "limited", "fired"] == play(made, at(120, userId="u1"), at(90, userId="u1"), at(60, userId="u1"))


def test_a_backfill_of_old_events_is_limited_among_itself() -> None:
    made = recipe("limit: 1/24h", event="x, max_age: any")
    old = [event(at=NOON - 10 * DAY + n * MINUTE, userId="u1") for n in range(5)]
    assert ["fired", "fired", *["limited"] * 4] == play(made, at(0, userId="u1"), *old)


def test_what_can_limit_nothing_any_more_is_forgotten() -> None:
    made, memory = recipe("limit: 2/1h"), DictMemory()
    play(made, *(at(minute, userId="u1") for minute in (0, 10, 100, 110)), memory=memory)
    assert [Spent(("userId=u1",), (NOON + 100 * MINUTE, NOON + 110 * MINUTE), (1,))] == [
        spent for _, _, spent in memory.rows.values()
    ]


@given(
    st.integers(1, 3),
    st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from(["u1", "u2"]), st.sampled_from(["", "a1", "a2"])), max_size=30
    ),
)
def test_no_customer_ever_gets_more_than_the_limit(most: int, happened: list[tuple[int, str, str]]) -> None:
    made, memory, fired = recipe(f"limit: {most}/1h"), DictMemory(), []
    for minute, user, anonymous in sorted(happened):
        ids = {"userId": user} | ({"anonymousId": anonymous} if anonymous else {})
        if play(made, at(minute, **ids), memory=memory) == ["fired"]:
            fired.append((minute, user))
    for user in ("u1", "u2"):
        minutes = [minute for minute, of in fired if of == user]
        assert all(sum(start <= minute < start + 60 for minute in minutes) <= most for start in minutes)


_SOME = st.none() | st.sampled_from(["1", "2", "3"])


@given(st.lists(st.tuples(_SOME, _SOME, _SOME).filter(any), max_size=30))
def test_a_set_has_one_user_and_a_key_one_set(happened: list[tuple[str | None, ...]]) -> None:
    memory = DictMemory()
    for minute, ids in enumerate(happened):
        play(ONCE, at(minute, **dict(zip(CUSTOMER_IDS, ids, strict=True))), memory=memory)
    sets = [spent.keys for _, _, spent in memory.rows.values()]
    assert all(sum(key.startswith("userId=") for key in keys) <= 1 for keys in sets)
    assert sum(map(len, sets)) == len({key for keys in sets for key in keys})


def test_the_memory_is_asked_for_the_keys_of_the_event() -> None:
    memory = DictMemory()
    play(ONCE, at(0, userId="u1", customerId="c1"), memory=memory)
    assert [(1, ("userId=u1", "customerId=c1"), (NOON,))] == memory.recall("a", ACCOUNT, ("customerId=c1",)).rows
    assert [] == memory.recall("a", ACCOUNT, ("userId=c1",)).rows
