"""One event and one recipe: the outcome with its reason, in the order of the design."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import DAY, HOUR, MINUTE, Event, Outcome, State
from connector.recipe.evaluate import evaluate
from connector.recipe.memory import DictMemory
from connector.recipe.parse import parse
from connector.recipe.recipe import Recipe
from connector.recipe.scope import run_scope, scope
from tests.recipe.samples import LARGE, NOON, SMALL, event, recipe


def run(of: Recipe, happened: Event, memory: DictMemory | None = None, **options: Any) -> Outcome:
    """Evaluate, and keep what was spent."""
    memory = memory if memory is not None else DictMemory()
    outcome = evaluate(of, happened, memory, **{"live_from": 0} | options)
    if outcome.spent is not None:
        memory.keep(of.memory_id, happened.account, outcome.spent)
    return outcome


def reason(of: Recipe, happened: Event, memory: DictMemory | None = None, **options: Any) -> str:
    return run(of, happened, memory, **options).reason


NAMES = [
    *("rawData", "properties", "context", "traits", "userId", "customerId", "anonymousId", "price", "quantity"),
    *("currency", "email", "products", "campaign_id", "name"),
]
HOSTILE = """\
id: hostile
trigger: {feed: intilery.events, event: x, max_age: any}
if:
  - any: [{properties.price: {exists: true}}, {properties.name: {matches: a}}, {traits.email: {after: -7d}},
          {properties.products: {any_item: {price: {gt: 1}}}}, {event.userId: {ne: "{{ traits.name }}"}}]
limit: {max: 5/1h, key: [properties.products, event.userId]}
actions:
  - for_each: properties.products
    webhook: {to: {by: item.name, map: {a: uk}, else: crm}, path: "/{{ item.name }}", json: {i: "{{ item }}"}}
  - slack: {to: sales, text: "{{ properties.name }} {{ traits.price | default(properties.price) }}"}
  - regulation: {type: suppress, reason: "{{ context.email | default('asked') }}"}
tests: []
"""

# ── the order ─────────────────────────────────────────────────────────────────────────────────

STOPS = [
    ("not_live", "mode: disabled", {}),
    ("stale", "description: ''", {"time": NOON - 25 * HOUR}),
    ("own", "description: ''", {"own": True}),
    ("if", "if: [{properties.a: 1}]", {}),
    ("error", "if: [{properties.word: {gt: 1}}]", {"properties": {"word": "abc"}}),
    ("no_key", "limit: 1/1h", {"userId": " "}),
    ("no_action", "description: ''", {"properties": {"quiet": True}}),
    ("fired", "description: ''", {}),
]


@pytest.mark.parametrize(("expected", "line", "fields"), STOPS, ids=[stop[0] for stop in STOPS])
def test_each_stop_is_named(expected: str, line: str, fields: dict[str, Any]) -> None:
    made = recipe(line, actions="[{webhook: {to: crm}, if: {properties.quiet: {exists: false}}}]")
    assert expected == reason(made, event(**fields))


def test_the_first_stop_counts() -> None:
    made = recipe("if: [{properties.a: 1}]", "limit: 1/1h")
    old = {"time": NOON - 25 * HOUR}
    assert reason(made, event(own=True, **old), live_from=NOON + 1) == "not_live"
    assert reason(made, event(own=True, **old)) == "stale"
    assert reason(made, event(own=True)) == "own"
    assert reason(made, event()) == "if"
    assert reason(made, event(properties={"a": 1})) == "no_key"


def test_an_event_before_the_recipe_came_into_service_wakes_nothing() -> None:
    assert reason(recipe(), event(at=NOON), live_from=NOON + 1) == "not_live"
    assert reason(recipe(), event(at=NOON), live_from=NOON) == "fired"


@pytest.mark.parametrize(
    ("max_age", "age", "expected"),
    [
        ("24h", 24 * HOUR, "fired"), ("24h", 24 * HOUR + 1, "stale"), ("7d", 6 * DAY, "fired"),
        ("any", 5_000 * DAY, "fired"), ("24h", -DAY, "fired"),
    ],
)  # fmt: skip
def test_an_import_of_history_wakes_nobody(max_age: str, age: int, expected: str) -> None:
    made = recipe(event=f"x, max_age: {max_age}")
    assert expected == reason(made, event(time=NOON - age))


def test_an_event_without_a_readable_time_is_not_stale() -> None:
    assert reason(recipe(), event(eventTime="yesterday")) == "fired"


def test_the_run_bears_the_time_of_the_event() -> None:
    assert run(recipe(), event()).now == NOON
    assert run(recipe(), event(), now=NOON + 5).now == NOON + 5


def test_the_outcome_names_recipe_and_version() -> None:
    made = recipe()
    outcome = run(made, event())
    assert (made.id, made.version) == (outcome.recipe, outcome.version)


# ── the scope ─────────────────────────────────────────────────────────────────────────────────


def test_traits_come_from_the_event_before_the_context() -> None:
    parts = scope(event(traits={"a": 1, "b": None}, context={"traits": {"a": 2, "b": 3, "c": 4}}))
    assert {"a": 1, "b": 3, "c": 4} == parts["traits"]


@pytest.mark.parametrize(
    "raw", [None, "text", [], {"properties": [], "context": "x", "traits": 5}, {"context": {"traits": 1}}]
)
def test_parts_that_are_missing_or_odd_are_empty(raw: Any) -> None:
    happened = event()
    parts = scope(Event(happened.account, happened.feed, "e", "x", NOON, NOON, {"rawData": raw}))
    assert ({}, {}) == (parts["properties"], parts["traits"])
    assert isinstance(parts["context"], dict)


def test_the_event_itself_is_never_changed() -> None:
    happened = event(userId="u1", traits={"a": 1}, context={"traits": {"b": 2}})
    before = repr(happened.body)
    run(parse(SMALL, "a.yaml"), happened)
    assert before == repr(happened.body)


def test_recipe_connection_customer_and_now_are_there_for_those_who_read_them() -> None:
    names = {"r": "recipe.id", "c": "connection.name", "i": "connection.identity", "u": "customer.userId", "n": "now"}
    json = ", ".join(f'{key}: "{{{{ {name} }}}}"' for key, name in names.items())
    made = recipe("limit: 1/1h", actions=f"[{{webhook: {{to: crm, json: {{{json}}}}}}}]")
    assert {"recipe", "connection", "customer", "now"} == made.extras
    (planned,) = run(made, event(userId="u1")).planned
    assert planned.message is not None
    assert (
        planned.message.body
        == b'{"r":"a","c":"intilery","i":"intilery:acme/acme/ACME","u":"u1","n":"2026-11-01T12:00:00.000Z"}'
    )
    assert frozenset() == recipe().extras


# ── deliveries ────────────────────────────────────────────────────────────────────────────────


def test_the_small_recipe_of_the_readme_tells_sales_once_a_day() -> None:
    made, memory = parse(SMALL, "trial.yaml"), DictMemory()
    click = {"userId": "u1", "properties": {"campaign_id": "TRIAL_1", "email_subject": "Hi"}}
    first = run(made, event("Email Link Clicked", **click), memory)
    assert [("slack", "slack", "sales", State.PENDING)] == [
        (p.action, p.kind, p.destination, p.state) for p in first.planned
    ]
    assert reason(made, event("Email Link Clicked", at=NOON + HOUR, **click), memory) == "limited"
    assert reason(made, event("Email Link Clicked", at=NOON + DAY, **click), memory) == "fired"


def test_the_large_recipe_plans_each_action() -> None:
    properties = {
        "price": "60", "quantity": "2", "currency": "GBP", "name": "Wine",
        "products": [{"sku": "A", "price": 100}, {"sku": "B", "price": "100.01"}, {"sku": "C", "price": 500}],
    }  # fmt: skip
    outcome = run(parse(LARGE, "basket.yaml"), event("Product Added", userId="u1", properties=properties))
    assert [
        ("tell", "sales", None, State.PENDING, ""),
        ("webhook", "crm", 1, State.PENDING, ""),
        ("webhook", "crm", 2, State.PENDING, ""),
        ("slack", "ops", None, State.HELD, "needs"),
    ] == [(p.action, p.destination, p.item, p.state, p.reason) for p in outcome.planned]
    tell, *_, last = outcome.planned
    assert (12 * HOUR, True) == (tell.expires, tell.awaited)
    assert (None, (("tell", "dead"),), None) == (last.message, last.needs, last.expires)


def test_a_recipe_in_shadow_plans_everything_and_sends_nothing() -> None:
    made = recipe("mode: shadow", actions="[{webhook: {to: crm}}, {slack: {to: ops, text: '{{ traits.gone }}'}}]")
    outcome = run(made, event())
    assert outcome.reason == "fired"
    assert {State.SKIPPED} == {planned.state for planned in outcome.planned}
    assert "shadow" == outcome.planned[0].reason
    assert outcome.planned[1].reason.startswith("error: ")


def test_a_recipe_in_shadow_has_a_memory_of_its_own() -> None:
    memory = DictMemory()
    assert reason(recipe("mode: shadow", "limit: 1/1h"), event(userId="u1"), memory) == "fired"
    assert reason(recipe("limit: 1/1h"), event(userId="u1"), memory) == "fired"
    assert reason(recipe("mode: shadow", "limit: 1/1h"), event(userId="u1"), memory) == "limited"


def test_an_action_that_cannot_be_rendered_stops_no_other() -> None:
    made = recipe(actions="[{slack: {to: sales, text: 'Hi {{ traits.firstName }}'}}, {webhook: {to: crm}}]")
    outcome = run(made, event())
    assert ("fired", [State.DEAD, State.PENDING]) == (outcome.reason, [planned.state for planned in outcome.planned])
    assert outcome.planned[0].reason.startswith("error: ")


def test_when_nothing_can_be_rendered_the_outcome_is_the_error_and_the_limit_is_not_spent() -> None:
    made, memory = recipe("limit: 1/1h", actions="[{slack: {to: sales, text: '{{ traits.name }}'}}]"), DictMemory()
    outcome = run(made, event(userId="u1"), memory)
    assert ("error", True) == (outcome.reason, "traits.name" in outcome.detail)
    assert reason(made, event(userId="u1", at=NOON + MINUTE, traits={"name": "Ada"}), memory) == "fired"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)

SEVERAL = [parse(text, "a.yaml") for text in (SMALL, LARGE, HOSTILE)]


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_no_event_whatever_is_in_it_breaks_the_evaluation(body: dict[str, Any]) -> None:
    happened = Event("intilery:acme/acme/ACME", "intilery.events", "e", "x", NOON, NOON, body)
    for made in SEVERAL:
        assert run(made, happened).reason in {"if", "no_key", "no_action", "fired", "error"}


def test_what_reads_now_sees_the_time_of_the_run() -> None:
    made = recipe("if: [{properties.seen: {after: -1h}}]")
    happened = event(properties={"seen": "2026-11-01T11:30:00Z"})
    assert reason(made, happened) == "fired"
    assert reason(made, happened, now=NOON + HOUR) == "if"
    assert "now" in run_scope(scope(happened), made, happened, NOON)
