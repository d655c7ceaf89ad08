"""`if`: groups, templates, `any_item`, and what an error is worth among other conditions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.recipe.evaluate import evaluate
from connector.recipe.memory import DictMemory
from tests.recipe.samples import event, recipe

YES, NO, ERROR = "properties.one: 1", "properties.one: 2", "properties.word: {gt: 1}"
VERDICTS = {"yes": YES, "no": NO, "error": ERROR}
PROPERTIES = {"one": 1, "word": "abc", "tags": ["red", "Blue"], "none": None, "five": 5}


def outcome(condition: str, **fields: Any) -> str:
    held = evaluate(recipe(f"if: {condition}"), event(**{"properties": PROPERTIES} | fields), DictMemory(), live_from=0)
    return f"{held.reason}: {held.detail}" if held.detail else held.reason


def expected(word: str, names: list[str]) -> str:
    if word == "all":
        return "no" if "no" in names else "error" if "error" in names else "yes"
    inner = "yes" if "yes" in names else "error" if "error" in names else "no"
    return inner if word == "any" else {"yes": "no", "no": "yes", "error": "error"}[inner]


@given(
    st.sampled_from(["all", "any", "none"]), st.lists(st.sampled_from(["yes", "no", "error"]), min_size=1, max_size=4)
)
def test_false_beats_an_error_in_all_and_true_in_any(word: str, names: list[str]) -> None:
    entries = ", ".join(f"{{{VERDICTS[name]}}}" for name in names)
    words = {"fired": "yes", "if": "no", "error": "error"}
    assert expected(word, names) == words[outcome(f"[{{{word}: [{entries}]}}]").partition(":")[0]]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (f"[{{{YES}}}, {{{NO}}}]", "if"),
        ("{properties.one: 1, properties.five: 5}", "fired"),
        ("{properties.one: 1, properties.five: 6}", "if"),
        ("{any: [{properties.one: 2}, {properties.five: 5}]}", "fired"),
        ("[{none: [{properties.one: 2}, {any: [{properties.five: 6}]}]}]", "fired"),
        ("[{all: [{none: [{properties.one: 1}]}]}]", "if"),
        ('"{{ properties.five > 4 and properties.one == 1 }}"', "fired"),
        ('"{{ properties.missing > 4 }}"', "error: "),
        ('"{{ properties.missing }}"', "if"),
        ('"{{ properties.five }}"', "error: "),
        ("{properties.five: {gt: 4, lte: 5}}", "fired"),
        ("{properties.five: {gt: 5, lte: 5}}", "if"),
    ],
)
def test_conditions_join(condition: str, holds: str) -> None:
    assert outcome(condition).startswith(holds)


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ("{channel: email, subscribed: true}", "fired"),
        ("{channel: sms, subscribed: true}", "if"),
        ("{channel: sms}", "fired"),
        ("{item.channel: sms}", "if"),
        ("{any: [{channel: push}, {channel: sms}]}", "fired"),
        ("{channel: '{{ properties.preferred }}'}", "fired"),
        ("{channel: {any_item: x}}", "error: not a list: channel is text"),
        ("{inner.list: {any_item: {deep: 1}}}", "fired"),
    ],
)
def test_one_item_must_hold_all_of_it(test: str, holds: str) -> None:
    channels = [
        {"channel": "email", "subscribed": True},
        {"channel": "sms", "subscribed": False, "inner": {"list": [{"deep": 1}]}},
    ]
    properties = {"channels": channels, "preferred": "sms"}
    assert holds == outcome(f"{{properties.channels: {{any_item: {test}}}}}", properties=properties)


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ("red", "fired"), ("green", "if"), ("[green, red]", "fired"), ("{starts_with: r}", "fired"),
        ("{eq: blue, ignore_case: true}", "fired"), ("{eq: blue}", "if"),
        ("{gt: 1}", "error: not a number: item is text"), ("'{{ properties.word }}'", "if"),
    ],
)  # fmt: skip
def test_operators_test_the_item_itself(test: str, holds: str) -> None:
    assert holds == outcome(f"{{properties.tags: {{any_item: {test}}}}}")


def test_true_beats_an_error_among_items() -> None:
    assert outcome("{properties.l: {any_item: {gt: 1}}}", properties={"l": ["a", 5]}) == "fired"
    assert outcome("{properties.l: {any_item: {gt: 1}}}", properties={"l": ["a", 0]}).startswith("error")


def test_an_error_names_the_path_and_its_type_but_not_its_value() -> None:
    assert outcome("{properties.word: {gt: 1}}") == "error: not a number: properties.word is text"


def test_nothing_written_in_an_event_becomes_a_template() -> None:
    hostile = {"word": "{{ 7 * 7 }}"}
    assert outcome('{properties.word: "49"}', properties=hostile) == "if"
    assert outcome("{properties.word: {contains: '7 *'}}", properties=hostile) == "fired"


@given(
    st.dictionaries(
        st.sampled_from(["one", "word", "tags"]), st.none() | st.text() | st.integers() | st.lists(st.text())
    )
)
def test_conditions_give_a_verdict_on_every_event(properties: dict[str, Any]) -> None:
    condition = (
        "[{properties.one: {gte: 1}}, {any: [{properties.word: {matches: a}}, {properties.tags: {any_item: a}}]}]"
    )
    assert outcome(condition, properties=properties).partition(":")[0] in {"fired", "if", "error"}
