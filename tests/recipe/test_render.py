"""From a run to its deliveries: `for_each`, `if`, `to`, `needs`."""

import json
from typing import Any

import pytest

from connector.model import MINUTE, Planned, Rate, State
from connector.recipe.evaluate import evaluate
from connector.recipe.memory import DictMemory
from connector.recipe.needs import needs_met
from connector.recipe.parse import parse
from connector.recipe.render import MOST_ITEMS, render_action
from connector.recipe.scope import run_scope, scope
from tests.recipe.samples import KNOWN, NOON, event, recipe

D, X, P, H = State.DELIVERED, State.DEAD, State.PENDING, State.HELD


def planned(actions: str, **fields: Any) -> tuple[Planned, ...]:
    return evaluate(recipe(actions=actions), event(**fields), DictMemory(), live_from=0).planned


def bodies(found: tuple[Planned, ...]) -> list[Any]:
    return [json.loads(each.message.body) if each.message else each.reason for each in found]


# ── for_each ──────────────────────────────────────────────────────────────────────────────────

EACH = """[{for_each: properties.products, if: {item.price: {gt: 1}},
            webhook: {to: crm, json: {sku: "{{ item.sku }}"}}}]"""


def test_each_item_that_passes_makes_a_delivery_with_its_index() -> None:
    found = planned(EACH, properties={"products": [{"price": 1}, {"price": 2, "sku": "B"}, {"price": "3", "sku": "C"}]})
    assert [(1, {"sku": "B"}), (2, {"sku": "C"})] == list(
        zip([each.item for each in found], bodies(found), strict=True)
    )


@pytest.mark.parametrize("products", [None, []])
def test_no_items_make_no_delivery(products: Any) -> None:
    assert () == planned(EACH, properties={"products": products})


def test_a_bad_item_is_dead_and_the_others_go_on() -> None:
    found = planned(EACH, properties={"products": [{"price": "much"}, {"price": 2}, {"price": 2, "sku": "C"}]})
    assert [X, X, P] == [each.state for each in found]
    assert "error: not a number: item.price is text" == found[0].reason
    assert found[1].reason.startswith("error: item.sku")


@pytest.mark.parametrize(
    ("products", "reason"),
    [
        ("A", "error: for_each needs a list: properties.products is text"),
        ({"sku": "A"}, "error: for_each needs a list: properties.products is a mapping"),
        (
            [1] * (MOST_ITEMS + 1),
            f"error: for_each takes at most {MOST_ITEMS} items: properties.products has {MOST_ITEMS + 1}",
        ),
    ],
)
def test_what_is_no_list_or_an_endless_one_is_dead(products: Any, reason: str) -> None:
    assert [(X, reason)] == [(each.state, each.reason) for each in planned(EACH, properties={"products": products})]


# ── to ────────────────────────────────────────────────────────────────────────────────────────

ROUTE = "[{webhook: {to: {by: properties.country, map: {GB: uk, US: [crm, uk], '44': crm, 'true': uk}, else: crm}}}]"


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("GB", ["uk"]),
        ("US", ["crm", "uk"]),
        ("gb", ["crm"]),
        (None, ["crm"]),
        (44, ["crm"]),
        (True, ["uk"]),
        ({}, ["crm"]),
    ],
)
def test_a_value_of_the_event_chooses_the_destination(country: Any, expected: list[str]) -> None:
    assert expected == [each.destination for each in planned(ROUTE, properties={"country": country})]


def test_without_else_an_unknown_value_is_an_error_that_is_seen() -> None:
    (dead,) = planned(
        "[{webhook: {to: {by: properties.country, map: {GB: uk, FR: uk}}}}]", properties={"country": "XX"}
    )
    reason = "error: `to` has no entry for what properties.country is, and no `else`"
    assert (X, reason, "uk") == (dead.state, dead.reason, dead.destination)


def test_a_list_sends_the_same_to_each() -> None:
    found = planned("[{webhook: {to: [crm, uk], text: hi}}]")
    assert ["crm", "uk"] == [each.destination for each in found]
    assert found[0].message == found[1].message


def test_a_regulation_has_no_destination() -> None:
    (found,) = planned("[{regulation: {type: suppress, reason: asked}}]", userId="u1")
    assert ("", "regulation") == (found.destination, found.kind)


def test_a_route_names_only_destinations_that_are_configured() -> None:
    text = f"id: a\ntrigger: {{feed: intilery.events, event: x}}\nactions: {ROUTE}\ntests: []\n"
    assert ("crm", "uk") == tuple(sorted(set(parse(text, "a.yaml", KNOWN).actions[0].targets.every())))


# ── what every action has ─────────────────────────────────────────────────────────────────────


def test_the_gates_of_the_recipe_travel_with_the_delivery() -> None:
    first, second = planned("[{webhook: {to: crm}, expires: 1h30m, guard: 5/1m}, {id: b, webhook: {to: crm}}]")
    assert (90 * MINUTE, Rate(5, MINUTE)) == (first.expires, first.guard)
    assert (None, None) == (second.expires, second.guard)


def test_an_action_is_called_by_its_id_or_its_kind() -> None:
    found = planned("[{webhook: {to: crm}}, {id: tell, webhook: {to: crm}}]")
    assert ["webhook", "tell"] == [each.action for each in found]


def test_the_action_of_a_false_condition_makes_no_delivery() -> None:
    assert ["b"] == [
        each.action
        for each in planned(
            "[{if: {properties.a: 1}, webhook: {to: crm}}, {id: b, if: {properties.a: 2}, webhook: {to: crm}}]",
            properties={"a": 2},
        )
    ]


# ── needs ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wanted", "states", "expected"),
    [
        ("delivered", [D], True), ("delivered", [D, D], True), ("delivered", [D, P], None), ("delivered", [H], None),
        ("delivered", [D, X], False), ("delivered", [P, X], False), ("delivered", [State.DISCARDED], False),
        ("delivered", [], False), ("dead", [X], True), ("dead", [D, X], True), ("dead", [X, P], None),
        ("dead", [State.DISCARDED, D], True), ("dead", [D], False), ("dead", [H], None), ("dead", [], False),
        ("dead", [State.SKIPPED], False),
    ],
)  # fmt: skip
def test_needs_are_met_open_or_lost(wanted: Any, states: list[State], expected: object) -> None:
    assert needs_met([("tell", wanted)], {"tell": states}) is expected


def test_all_needs_must_be_met() -> None:
    needs: Any = [("a", "delivered"), ("b", "dead")]
    assert needs_met(needs, {"a": [D], "b": [X]}) is True
    assert needs_met(needs, {"a": [D], "b": [P]}) is None
    assert needs_met(needs, {"a": [X], "b": [P]}) is False


def test_an_action_whose_needs_are_met_is_rendered_with_their_answers() -> None:
    made = recipe(
        actions="""[{id: note, webhook: {to: crm}},
                    {needs: note, if: {actions.note.json.id: {exists: true}},
                     slack: {to: ops, text: "{{ actions.note.json.id }}"}}]"""
    )
    happened = event()
    held = evaluate(made, happened, DictMemory(), live_from=0).planned[1]
    assert (H, "needs", None) == (held.state, held.reason, held.message)
    within = run_scope(scope(happened), made, happened, NOON)
    answer = {"state": "delivered", "status": 201, "json": {"id": "n1"}}
    (found,) = render_action(made, "slack", within, happened, {"note": answer})
    assert found.message is not None
    assert (P, (), "n1") == (found.state, found.needs, json.loads(found.message.body)["text"])
    assert () == render_action(made, "slack", within, happened, {"note": answer | {"json": None}})


def test_rendering_an_action_that_is_not_there_says_so() -> None:
    with pytest.raises(KeyError):
        render_action(recipe(), "nobody", {}, event())
