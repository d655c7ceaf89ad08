"""How an event's value compares with the recipe's: every operator with every type of value."""

from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.recipe.compare import OperandMistake, Trouble, check, number
from connector.recipe.evaluate import evaluate
from connector.recipe.memory import DictMemory
from tests.recipe.samples import event, recipe

Expected = Literal["yes", "no", "err"]

#    test                                 absent  null    5       "5"     "abc"   true    "true"  [5]     {}
TABLE = [
    ("5",                                   "no",   "no",   "yes",  "yes",  "no",   "no",   "no",   "no",   "no"),
    ("{eq: 5}",                             "no",   "no",   "yes",  "yes",  "no",   "no",   "no",   "no",   "no"),
    ('{eq: "5"}',                           "no",   "no",   "no",   "yes",  "no",   "no",   "no",   "no",   "no"),
    ("{eq: true}",                          "no",   "no",   "no",   "no",   "no",   "yes",  "yes",  "no",   "no"),
    ("{ne: 5}",                             "yes",  "yes",  "no",   "no",   "yes",  "yes",  "yes",  "yes",  "yes"),
    ('{ne: "abc"}',                         "yes",  "yes",  "yes",  "yes",  "no",   "yes",  "yes",  "yes",  "yes"),
    ("{ne: true}",                          "yes",  "yes",  "yes",  "yes",  "yes",  "no",   "no",   "yes",  "yes"),
    ("[5, abc]",                            "no",   "no",   "yes",  "yes",  "yes",  "no",   "no",   "no",   "no"),
    ("{in: [5, abc]}",                      "no",   "no",   "yes",  "yes",  "yes",  "no",   "no",   "no",   "no"),
    ("{not_in: [5, abc]}",                  "yes",  "yes",  "no",   "no",   "no",   "yes",  "yes",  "yes",  "yes"),
    ("{gt: 4}",                             "no",   "no",   "yes",  "yes",  "err",  "err",  "err",  "err",  "err"),
    ("{gte: 5}",                            "no",   "no",   "yes",  "yes",  "err",  "err",  "err",  "err",  "err"),
    ("{lt: 5.0}",                           "no",   "no",   "no",   "no",   "err",  "err",  "err",  "err",  "err"),
    ("{lte: 5}",                            "no",   "no",   "yes",  "yes",  "err",  "err",  "err",  "err",  "err"),
    ("{contains: b}",                       "no",   "no",   "no",   "no",   "yes",  "no",   "no",   "err",  "err"),
    ("{starts_with: a}",                    "no",   "no",   "no",   "no",   "yes",  "no",   "no",   "err",  "err"),
    ("{ends_with: c}",                      "no",   "no",   "no",   "no",   "yes",  "no",   "no",   "err",  "err"),
    ('{starts_with: "5"}',                  "no",   "no",   "no",   "yes",  "no",   "no",   "no",   "err",  "err"),
    ('{matches: "^[a-c]+$"}',               "no",   "no",   "no",   "no",   "yes",  "no",   "no",   "err",  "err"),
    ("{contains: B, ignore_case: true}",    "no",   "no",   "no",   "no",   "yes",  "no",   "no",   "err",  "err"),
    ("{matches: B, ignore_case: true}",     "no",   "no",   "no",   "no",   "yes",  "no",   "no",   "err",  "err"),
    ("{eq: ABC, ignore_case: true}",        "no",   "no",   "no",   "no",   "yes",  "no",   "no",   "no",   "no"),
    ("{in: [ABC, 7], ignore_case: true}",   "no",   "no",   "no",   "no",   "yes",  "no",   "no",   "no",   "no"),
    ("{exists: true}",                      "no",   "no",   "yes",  "yes",  "yes",  "yes",  "yes",  "yes",  "yes"),
    ("{exists: false}",                     "yes",  "yes",  "no",   "no",   "no",   "no",   "no",   "no",   "no"),
    ("{before: 2026-11-01}",                "no",   "no",   "err",  "err",  "err",  "err",  "err",  "err",  "err"),
    ("{after: -7d}",                        "no",   "no",   "err",  "err",  "err",  "err",  "err",  "err",  "err"),
    ("{any_item: 5}",                       "no",   "no",   "err",  "err",  "err",  "err",  "err",  "yes",  "err"),
    ("{gt: 4, lt: 5}",                      "no",   "no",   "no",   "no",   "err",  "err",  "err",  "err",  "err"),
    ('"{{ properties.five }}"',             "no",   "no",   "yes",  "yes",  "no",   "no",   "no",   "no",   "no"),
    ('"{{ properties.five_text }}"',        "no",   "no",   "no",   "yes",  "no",   "no",   "no",   "no",   "no"),
    ('{gte: "{{ properties.five_text }}"}', "no",   "no",   "yes",  "yes",  "err",  "err",  "err",  "err",  "err"),
    ('{starts_with: "{{ properties.a }}"}', "no",   "no",   "no",   "no",   "yes",  "no",   "no",   "err",  "err"),
    ('{in: "{{ properties.list }}"}',       "no",   "no",   "yes",  "yes",  "yes",  "no",   "no",   "no",   "no"),
    ('["{{ properties.five }}", abc]',      "no",   "no",   "yes",  "yes",  "yes",  "no",   "no",   "no",   "no"),
    ('"{{ properties.missing }}"',          "no",   "no",   "err",  "err",  "err",  "err",  "err",  "err",  "err"),
    ('{ne: "{{ properties.missing }}"}',    "yes",  "yes",  "err",  "err",  "err",  "err",  "err",  "err",  "err"),
]  # fmt: skip
VALUES: list[dict[str, Any]] = [
    {}, {"v": None}, {"v": 5}, {"v": "5"}, {"v": "abc"}, {"v": True}, {"v": "true"}, {"v": [5]}, {"v": {}},
]  # fmt: skip
KINDS = ["absent", "null", "a number", "numeric text", "text", "true", "true as text", "a list", "a mapping"]
OTHERS = {"five": 5, "five_text": "5", "a": "a", "list": [5, "abc"]}


def verdict(test: str, properties: dict[str, Any]) -> Expected:
    outcome = evaluate(
        recipe(f"if: [{{properties.v: {test}}}]"), event(properties={**OTHERS, **properties}), DictMemory(), live_from=0
    )
    words: dict[str, Expected] = {"fired": "yes", "if": "no", "error": "err"}
    return words[outcome.reason]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_an_operator_with_each_type_of_value(row: tuple[str, ...]) -> None:
    got = {kind: verdict(row[0], value) for kind, value in zip(KINDS, VALUES, strict=True)}
    assert dict(zip(KINDS, row[1:], strict=True)) == got


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("-5", True), ("5.0", True), ("5.00e0", True), ("50e-1", True), ("05", False), ("+5", False), (" 5", False),
        ("5 ", False), ("5.", False), ("", False), ("\u0665", False), ("5,0", False), ("0x5", False), ("NaN", False),
        ("1e999", True), ("1_000", False), ("Infinity", False),
    ],
)  # fmt: skip
def test_numeric_text_is_what_json_calls_a_number(*, text: str, holds: bool) -> None:
    assert holds is (number(text) is not None)


@pytest.mark.parametrize(
    ("operand", "value", "equal"),
    [
        (0.1, "0.1", True),
        (0.1, "0.10", True),
        (0.3, 0.1 + 0.2, False),
        (9007199254740993, "9007199254740993", True),
        (9007199254740993, 9007199254740992, False),
        (9007199254740993, 9007199254740992.0, False),
        (10**23, 1e23, True),
        (1, 1.0, True),
        (1, True, False),
        (True, 1, False),
        (5, "9" * 5000, False),
        (5, float("inf"), False),
        (5, "1e99999999999999999999", False),
    ],
)
def test_numbers_are_compared_as_exact_decimals(*, operand: Any, value: Any, equal: bool) -> None:
    assert equal is check("eq", operand)(value)


def test_a_hostile_number_costs_nothing() -> None:
    assert Trouble("not a number") == check("gt", 5)("1e" + "9" * 30_000)
    assert check("gt", 5)("1e999999999") is True


@pytest.mark.parametrize(
    ("test", "value", "holds"),
    [
        ("{before: 2026-11-02}", "2026-11-01T23:59:59.999Z", True),
        ("{before: 2026-11-02}", "2026-11-02", False),
        ("{after: 2026-11-01T12:00:00+01:00}", "2026-11-01T11:00:01Z", True),
        ("{after: -7d}", "2026-10-26T00:00:00Z", True),
        ("{after: -7d}", "2026-10-25T00:00:00Z", False),
        ("{before: -1h30m}", "2026-11-01T10:29:00Z", True),
        ("{before: +1d}", "2026-11-02T11:00:00Z", True),
        ('{after: "{{ properties.start }}"}', "2026-10-02", True),
        ('{after: "{{ properties.distance }}"}', "2026-11-01T11:30:00Z", True),
        ('{after: "{{ properties.distance }}"}', "2026-11-01T10:30:00Z", False),
    ],
)
def test_times_are_compared_with_a_moment_or_from_now(*, test: str, value: str, holds: bool) -> None:
    assert holds is (verdict(test, {"v": value, "start": "2026-10-01", "distance": "-1h"}) == "yes")


@pytest.mark.parametrize("value", ["\ud800", "a" * 100_000 + "!", "a\0b", "ä"])
def test_a_pattern_reads_any_text_at_once(value: str) -> None:
    assert check("matches", "(a+)+$")(value) is (value == "")


def test_matches_searches_anywhere() -> None:
    assert check("matches", "b+")("abbc") is True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["5", "5.0", "true", "-0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
).filter(lambda value: value is not None)
SCALARS = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(SCALARS, JSON)
def test_ne_is_the_opposite_of_eq_and_neither_ever_fails(operand: Any, value: Any) -> None:
    assert check("eq", operand)(value) is not check("ne", operand)(value)


@given(operands=st.lists(SCALARS, min_size=1), value=JSON, fold=st.booleans())
def test_in_is_eq_with_one_of_the_list(*, operands: list[Any], value: Any, fold: bool) -> None:
    alone = [check("eq", operand, fold=fold)(value) for operand in operands]
    assert any(alone) is check("in", operands, fold=fold)(value)
    assert any(alone) is not check("not_in", operands, fold=fold)(value)


@given(SCALARS)
def test_every_value_equals_itself(value: Any) -> None:
    assert check("eq", value)(value) is True


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), JSON)
def test_exactly_one_of_less_equal_greater_holds_for_numbers(operand: Any, value: Any) -> None:
    verdicts = [check(name, operand)(value) for name in ("lt", "eq", "gt")]
    if number(value) is None:
        assert [Trouble("not a number"), False, Trouble("not a number")] == verdicts
    else:
        assert sorted(verdicts, key=bool) == [False, False, True]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.decimals(allow_nan=False, allow_infinity=False))
def test_numeric_texts_are_ordered_as_decimals(one: Decimal, other: Decimal) -> None:
    assert (Decimal(f"{one:f}") < other) is check("lt", f"{other:f}")(f"{one:f}")


@given(
    name=st.sampled_from(["contains", "starts_with", "ends_with", "matches"]),
    operand=st.text(min_size=1),
    value=JSON,
    fold=st.booleans(),
)
def test_text_operators_give_a_verdict_on_everything(*, name: str, operand: str, value: Any, fold: bool) -> None:
    try:
        verdict = check(name, operand, fold=fold)(value)
    except OperandMistake:
        return  # not a pattern
    assert isinstance(verdict, bool if isinstance(value, str) else bool | Trouble)
    if isinstance(value, list | dict):
        assert Trouble("not text") == verdict
