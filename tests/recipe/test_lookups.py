"""Lookups in a recipe: what is judged before them and what after, what they ask, and what becomes of the run."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigurationError
from connector.model import HOUR, Event, Json, Outcome
from connector.recipe.condition import split
from connector.recipe.connections import choose
from connector.recipe.evaluate import evaluate, go_on
from connector.recipe.memory import DictMemory
from connector.recipe.parse import parse
from connector.recipe.recipe import Known, Recipe
from tests.recipe.samples import NOON, event, recipe

PROFILE = 'lookups: {profile: {intilery_traits: {user_id: "{{ event.userId }}"}}}'
BOTH = """lookups:
  profile: {intilery_traits: {user_id: "{{ event.userId }}"}}
  matched: {intempt_matches: {profile_id: "{{ properties.intempt | default('') }}"}, optional: true}"""


def judged(of: Recipe, happened: Event, memory: DictMemory | None = None, **answers: Json) -> Outcome:
    """The whole way of an event, with these answers; what is spent is kept."""
    memory = memory if memory is not None else DictMemory()
    outcome = evaluate(of, happened, memory, live_from=0)
    if outcome.reason == "waiting":
        outcome = go_on(of, happened, memory, answers)
    if outcome.spent is not None:
        memory.keep(of.memory_id, happened.account, outcome.spent)
    return outcome


def asked(of: Recipe, happened: Event, memory: DictMemory | None = None) -> dict[str, Json]:
    outcome = evaluate(of, happened, memory or DictMemory(), live_from=0)
    assert outcome.waits is not None, outcome
    return dict(outcome.waits.asked)


# ── what is judged when ───────────────────────────────────────────────────────────────────────


def test_nothing_is_asked_for_an_event_that_the_cheap_conditions_pass_over() -> None:
    made = recipe("if: [{properties.a: 1}, {lookups.profile.b: 1}]", PROFILE)
    assert "if" == evaluate(made, event(userId="u1"), DictMemory(), live_from=0).reason
    assert "waiting" == evaluate(made, event(userId="u1", properties={"a": 1}), DictMemory(), live_from=0).reason


@pytest.mark.parametrize(
    "condition",
    [
        "[{properties.a: 1}, {lookups.profile.b: 1}]",
        "[{lookups.profile.b: 1}, {properties.a: 1}]",
        "{properties.a: 1, lookups.profile.b: 1}",
        "{all: [{properties.a: 1}, {lookups.profile.b: 1}]}",
        "[{all: [{lookups.profile.b: 1}, {all: [{properties.a: 1}]}]}]",
    ],
)
def test_what_must_all_hold_is_split_however_it_is_written(condition: str) -> None:
    made = recipe(f"if: {condition}", PROFILE)
    assert "if" == evaluate(made, event(userId="u1"), DictMemory(), live_from=0).reason
    happened = event(userId="u1", properties={"a": 1})
    assert "fired" == judged(made, happened, profile={"b": 1}).reason
    assert "if" == judged(made, happened, profile={"b": 2}).reason


@pytest.mark.parametrize(
    "entry",
    [
        "any: [{properties.a: 2}, {lookups.profile.b: 1}]",
        "none: [{properties.a: 2}, {lookups.profile.b: {ne: 1}}]",
        'properties.a: "{{ lookups.profile.b }}"',
        'properties.a: {in: [7, "{{ lookups.profile.b }}"]}',
        "lookups.profile.list: {any_item: {a: 1}}",
        'properties.list: {any_item: {a: "{{ lookups.profile.b }}"}}',
        "lookups.profile: {exists: true}",
        '"{{ lookups.profile.b == properties.a }}"',
    ],
)
def test_whatever_reads_a_lookup_waits_for_it(entry: str) -> None:
    written = f"if: [{entry}]" if entry.startswith('"') else f"if: [{{{entry}}}]"
    made = recipe(written, PROFILE)
    happened = event(userId="u1", properties={"a": 1, "list": [{"a": 1}]})
    assert (None, True) == (made.condition, made.late is not None)
    assert "fired" == judged(made, happened, profile={"b": 1, "list": [{"a": 1}]}).reason


def test_an_error_in_the_first_part_ends_there() -> None:
    made = recipe("if: [{properties.a: {gt: 1}}, {lookups.profile.b: 1}]", PROFILE)
    outcome = evaluate(made, event(userId="u1", properties={"a": "x"}), DictMemory(), live_from=0)
    assert ("error", "not a number: properties.a is text") == (outcome.reason, outcome.detail)


def test_false_beats_an_error_within_what_reads_lookups() -> None:
    made = recipe("if: [{lookups.profile.a: {gt: 1}}, {lookups.profile.b: 1}]", PROFILE)
    assert "if" == judged(made, event(userId="u1"), profile={"a": "x", "b": 2}).reason
    outcome = judged(made, event(userId="u1"), profile={"a": "x", "b": 1})
    assert ("error", "not a number: lookups.profile.a is text") == (outcome.reason, outcome.detail)


LEAVES = st.sampled_from(
    [
        *("properties.a: 1", "properties.b: {gt: 1}", "properties.c: {exists: false}"),
        *("lookups.profile.a: 1", "lookups.profile.b: {gt: 1}", 'properties.a: "{{ lookups.profile.a }}"'),
    ]
)
TREES = st.recursive(
    LEAVES.map(lambda leaf: f"{{{leaf}}}"),
    lambda inner: st.builds(
        lambda word, parts: f"{{{word}: [{', '.join(parts)}]}}",
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)
VALUES = st.fixed_dictionaries({}, optional={name: st.sampled_from([0, 1, 2, "1", "x"]) for name in ("a", "b", "c")})


@given(st.lists(TREES, min_size=1, max_size=4), VALUES, VALUES)
def test_splitting_changes_no_verdict_but_that_an_early_error_is_final(
    entries: list[str], properties: dict[str, Any], profile: dict[str, Any]
) -> None:
    whole = _whole(entries)
    early, late = split(whole)
    full = {"properties": properties, "lookups": {"profile": profile}}
    first = True if early is None else early.holds({"properties": properties})
    then = True if late is None else late.holds(full)
    verdict = whole.holds(full)
    assert (verdict is True) is (first is True and then is True)
    if isinstance(verdict, bool) and isinstance(first, bool):
        assert verdict is (first if first is False else then is True)


def _whole(entries: list[str]) -> Any:
    """The condition as it is written, not split."""
    made = recipe(f"if: [{', '.join(entries)}]", PROFILE)
    from connector import document
    from connector.recipe.condition import condition
    from connector.recipe.findings import EVERYWHERE, Findings, Place

    findings = Findings(document.read(made.text, "a.yaml"))
    names = EVERYWHERE | {"lookups"}
    place = Place(findings, ("if",), names=names, lookups=frozenset({"profile"}))
    found = condition(findings.document.data["if"], place)
    assert [] == findings.mistakes
    return found


# ── what is asked ─────────────────────────────────────────────────────────────────────────────


def test_questions_are_rendered_with_the_event() -> None:
    happened = event(userId="u1", properties={"intempt": 182233618306719744})
    assert {"profile": {"who": "userId:u1"}, "matched": {"profile": "182233618306719744"}} == asked(
        recipe(BOTH), happened
    )


def test_there_is_no_question_about_nobody() -> None:
    assert None is asked(recipe(BOTH), event(userId="u1"))["matched"]


def test_an_absent_id_is_an_error_that_names_the_lookup() -> None:
    outcome = evaluate(recipe(PROFILE), event(), DictMemory(), live_from=0)
    assert "error" == outcome.reason
    assert outcome.detail.startswith("lookups.profile: user_id: event.userId is absent")


def test_a_lookup_may_read_what_a_template_may() -> None:
    line = 'lookups: {p: {intilery_traits: {id: "{{ customer.customerId }}-{{ recipe.id }}-{{ now }}"}}}'
    assert {"p": {"who": "id:c1-a-2026-11-01T12:00:00.000Z"}} == asked(recipe(line), event(customerId="c1"))


@pytest.mark.parametrize(("value", "told"), [(["a"], "a text or a whole number"), ("x" * 1001, "longer than 1000")])
def test_an_id_is_a_text_or_a_whole_number(value: Json, told: str) -> None:
    line = 'lookups: {p: {intilery_traits: {id: "{{ properties.id }}"}}}'
    outcome = evaluate(recipe(line), event(properties={"id": value}), DictMemory(), live_from=0)
    assert "error" == outcome.reason
    assert told in outcome.detail


def test_events_are_asked_from_a_whole_minute_back_from_the_runs_time() -> None:
    line = 'lookups: {o: {intilery_events: {user_id: "{{ event.userId }}", include: Order Completed, since: 1h}}}'
    happened = event(userId="u1", at=NOON + 59_999)
    question = {"who": "userId:u1", "include": "order_completed", "exclude": [], "start": NOON - HOUR, "size": 100}
    assert {"o": question} == asked(recipe(line), happened)


# ── what becomes of it ────────────────────────────────────────────────────────────────────────


def test_what_is_not_found_ends_the_run() -> None:
    outcome = judged(recipe(BOTH), event(userId="u1"), profile=None, matched=None)
    assert ("lookup", "profile: not found", ()) == (outcome.reason, outcome.detail, outcome.planned)


def test_an_optional_lookup_that_finds_nothing_is_absent() -> None:
    text = "{{ lookups.matched.matchedEvents | default('none') }}"
    made = recipe(
        "if: [{lookups.matched: {exists: false}}]", BOTH, actions=f'[{{webhook: {{to: crm, text: "{text}"}}}}]'
    )
    (planned,) = judged(made, event(userId="u1"), profile={"id": "1"}, matched=None).planned
    assert planned.message is not None
    assert b"none" == planned.message.body


def test_actions_read_lookups_in_every_place() -> None:
    made = recipe(
        PROFILE,
        actions="""
  - for_each: lookups.profile.orders
    if: {item.total: {gt: "{{ lookups.profile.least }}"}}
    webhook:
      to: {by: lookups.profile.country, map: {GB: uk}, else: crm}
      json: {name: "{{ lookups.profile.firstName }}", n: "{{ item.total }}"}""",
    )
    profile = {"firstName": "Ada", "country": "GB", "least": 5, "orders": [{"total": 4}, {"total": 6}]}
    (planned,) = judged(made, event(userId="u1"), profile=profile).planned
    assert planned.message is not None
    assert ("uk", b'{"name":"Ada","n":6}') == (planned.destination, planned.message.body)


def test_answers_are_kept_with_every_outcome_they_made() -> None:
    made = recipe("if: [{lookups.profile.b: 1}]", PROFILE)
    for profile in ({"b": 1}, {"b": 2}, None):
        assert {"profile": profile} == judged(made, event(userId="u1"), profile=profile).answers


# ── with a limit ──────────────────────────────────────────────────────────────────────────────


def test_a_limit_is_judged_after_the_lookups_and_spent_by_what_fired() -> None:
    made, memory = recipe("if: [{lookups.profile.b: 1}]", PROFILE, "limit: 1/1h"), DictMemory()
    assert "if" == judged(made, event(userId="u1"), memory, profile={"b": 2}).reason
    assert "fired" == judged(made, event(userId="u1"), memory, profile={"b": 1}).reason
    assert "limited" == judged(made, event(userId="u1"), memory, profile={"b": 1}).reason


def test_an_event_without_a_key_is_not_asked_for() -> None:
    made = recipe('lookups: {p: {intilery_traits: {id: "1"}}}', "limit: {max: 1/1h, key: properties.k}")
    assert "no_key" == evaluate(made, event(), DictMemory(), live_from=0).reason


def test_a_run_waits_with_every_id_that_is_known_of_its_customer() -> None:
    made, memory = recipe(PROFILE, "limit: 1/1h"), DictMemory()
    judged(made, event(userId="u1", anonymousId="a1"), memory, profile={})
    waits = evaluate(made, event(userId="u1"), memory, live_from=0).waits
    assert waits is not None
    assert {"userId=u1", "anonymousId=a1"} == set(waits.keys)
    unlimited = evaluate(recipe(PROFILE), event(userId="u1"), memory, live_from=0).waits
    assert unlimited is not None
    assert () == unlimited.keys


def test_a_recipe_in_shadow_asks_and_waits_with_a_memory_of_its_own() -> None:
    waits = evaluate(
        recipe("mode: shadow", PROFILE, "limit: 1/1h"), event(userId="u1"), DictMemory(), live_from=0
    ).waits
    assert waits is not None
    assert "a (shadow)" == waits.memory


# ── whom to ask ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "own", "expected"),
    [
        (None, "shop", "shop"),
        (None, "other", None),
        ("brand", "shop", "brand"),
        ("intempt", "shop", None),
        ("gone", "shop", None),
    ],
)
def test_the_connection_is_the_written_one_or_the_events_own(
    written: str | None, own: str, expected: str | None
) -> None:
    known = {"shop": "intilery", "brand": "intilery", "intempt": "intempt"}
    assert expected == choose("intilery", written, own, known)
    assert "intempt" == choose("intempt", None, own, known)


CONNECTIONS = {"shop": "intilery", "brand": "intilery", "intempt": "intempt"}
TWO = Known(frozenset({"shop.events", "intempt.matches"}), {"crm": "webhook"}, CONNECTIONS)


def _mistakes(feed: str, lookup: str, known: Known) -> list[str]:
    text = f"""id: a
trigger: {{feed: {feed}, event: x}}
lookups: {{p: {lookup}}}
actions: [webhook: {{to: crm}}]
tests: []
"""
    try:
        parse(text, "a.yaml", known)
    except ConfigurationError as error:
        return [f"{mistake.message} - {mistake.hint}" for mistake in error.mistakes]
    return []


@pytest.mark.parametrize(
    ("feed", "lookup", "told"),
    [
        ("shop.events", "{intilery_traits: {id: x}}", []),
        ("shop.events", "{intempt_item: {collection: x, id: x}}", []),
        ("intempt.matches", "{intilery_traits: {id: x}, connection: brand}", []),
        (
            "intempt.matches",
            "{intilery_traits: {id: x}}",
            ["`intilery_traits` could ask brand or shop - write connection: brand"],
        ),
    ],
)
def test_where_it_is_open_which_connection_is_meant_it_must_be_written(feed: str, lookup: str, told: list[str]) -> None:
    assert told == _mistakes(feed, lookup, TWO)


def test_a_lookup_needs_a_connection_of_its_platform() -> None:
    alone = Known(frozenset({"shop.events"}), {"crm": "webhook"}, {"shop": "intilery"})
    told = ["`intempt_item` has no connection to ask - configure a connection of intempt"]
    assert told == _mistakes("shop.events", "{intempt_item: {collection: x, id: x}}", alone)
