"""Filters, tests and arithmetic."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import RenderError
from tests.template.samples import render


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("properties.price | number", 60),
        ("'1.50' | number", 1.5),
        ("'-2e3' | number", -2000.0),
        ("'182233618306719715' | number", 182233618306719715),
        ("properties.products | total('price')", 3.5),
        ("[1, '2', 3] | total", 6),
        ("'u1' | bucket(1)", 0),
        ("event.eventTime | time", "2026-11-01 12:30"),
        ("event.eventTime | time('%-d %B, %H:%M', 'Europe/London')", "1 November, 12:30"),
        ("'2026-07-01T12:00:00Z' | time('%H:%M %Z', 'Europe/London')", "13:00 BST"),
        ("event.eventTime | epoch_s", 1793536200),
        ("event.eventTime | epoch_ms", 1793536200000),
        ("'abc' | sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("traits.email | mask", "a***@example.com"),
        ("'Ada' | mask", "A***"),
        ("2.5 | round", 2),
        ("1.234 | round(2)", 1.23),
        ("1.2 | round(0, 'ceil')", 2),
        ("'héllo wörld' | title", "Héllo Wörld"),
        ("' a ' | trim | upper", "A"),
        ("'a/b c' | urlencode", "a%2Fb%20c"),
        ("'a-b-c' | replace('-', '+', 1)", "a+b-c"),
        ("'one two three four' | truncate(12, false, '…', 0)", "one two…"),
        ("properties.products | map(attribute='sku') | join(', ')", "a, b"),
        ("['a', 'b'] | map('upper') | join", "AB"),
        ("properties.products | selectattr('sku', 'eq', 'a') | list | length", 1),
        ("[1, 5, 9] | select('gt', 3) | list", [5, 9]),
        ("[1, 5, 9] | reject('gt', 3) | first", 1),
        ("properties.products | rejectattr('sku', 'in', ['a']) | map(attribute='sku') | last", "b"),
        ("['b', 'A', 'c'] | sort", ["A", "b", "c"]),
        ("['b', 'B', 'c'] | unique", ["b", "c"]),
        ("[3, 1, 2] | min", 1),
        ("properties.products | max(attribute='sku')", {"sku": "b", "price": 2}),
        ("[1, 2] | reverse", [2, 1]),
        ("{'b': 1, 'a': 2} | dictsort", [["a", 2], ["b", 1]]),
        ("[] | first | default('none')", "none"),
        ("'a b c' | wordcount", 3),
        ("-3 | abs", 3),
        ("5 is divisibleby(5) and 5 is odd and 'a' is string and [1] is sequence and {} is mapping", True),
        ("1 is integer and 1.5 is number and true is boolean and 'A' is upper and true is true", True),
    ],
)
def test_filters_and_tests(expression: str, expected: Any) -> None:
    assert expected == render(f"{{{{ {expression} }}}}")


@pytest.mark.parametrize(
    "value",
    ["", " 1", "1,000", "0x10", "1e999", "NaN", "Infinity", "abc", "٣", "01", "+1", ".5", "5.", "1" * 41, "9" * 5000],
)
def test_number_takes_numbers_of_json_only(value: str) -> None:
    with pytest.raises(RenderError, match=r"not a number|too large"):
        render("{{ properties.x | number }}", {"properties": {"x": value}})


@pytest.mark.parametrize("value", [[], {}, True, None])
def test_number_fails_on_what_is_no_number(value: Any) -> None:
    with pytest.raises(RenderError, match=r"not a number|absent"):
        render("{{ properties.x | number > 1000 }}", {"properties": {"x": value}})


@given(value=st.text(), n=st.integers(1, 1000))
def test_a_bucket_is_stable_and_in_range(value: str, n: int) -> None:
    scope = {"properties": {"x": value, "n": n}}
    first, again, salted = (
        render(f"{{{{ properties.x | bucket({arguments}) }}}}", scope)
        for arguments in ("properties.n", "properties.n", "properties.n, 'other'")
    )
    assert first == again
    assert 0 <= first < n
    assert 0 <= salted < n


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("'soon' | time", "not an ISO 8601 time: text 'soon'"),
        ("event.eventTime | time('%Q')", "time knows no %Q"),
        ("event.eventTime | time('%H', 'Europe/Londn')", "unknown time zone 'Europe/Londn'"),
        ("event.eventTime | time('%H', '../../etc/passwd')", "unknown time zone"),
        ("'9' < 10", "cannot order text and number: write both as value|number"),
        ("'9' * 3", "cannot calculate with text '9': write it as value|number"),
        ("true + 1", "cannot calculate with true/false"),
        ("1 / 0", "division by zero"),
        ("properties.products | total('nothing')", "an item has no 'nothing'"),
        ("'abc' | join", "needs a list, got text 'abc'"),
        ("1 in 5", "needs a list, a mapping or text"),
        ("'\ud800' | sha256", "surrogates not allowed"),
    ],
)
def test_rendering_errors_say_which_value_and_why(expression: str, message: str) -> None:
    with pytest.raises(RenderError, match=message.replace("|", r"\|") if "value" in message else message):
        render(f"{{{{ {expression} }}}}")
