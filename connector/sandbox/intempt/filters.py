"""Filters of events and segments: sums of products, that is, one of several lists of conditions that all hold.

A condition is `{"field": "total", "operator": "greater", "value": 100}`. In a segment its subject is an `event`, an
`attribute` or another `segment` in place of a `field`. Which operators the editors have is not documented.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Filter: TypeAlias = list[list[Mapping[str, Any]]]
ValueOf: TypeAlias = Callable[[str, str], Any]  # a subject's kind and name → its value, None for none

SUBJECTS: Final = ("field", "event", "attribute", "segment")


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _compares(holds: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def compare(actual: Any, expected: Any) -> bool:
        left, right = _number(actual), _number(expected)
        return left is not None and right is not None and holds(left, right)

    return compare


def _holds_text(holds: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda actual, expected: isinstance(actual, str) and holds(actual, str(expected))


OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "exists": lambda actual, _: actual not in (None, False),
    "not_exists": lambda actual, _: actual in (None, False),
    "equals": lambda actual, expected: actual == expected,
    "not_equals": lambda actual, expected: actual != expected,
    "in": lambda actual, expected: isinstance(expected, list) and actual in expected,
    "contains": lambda actual, expected: (
        expected in actual if isinstance(actual, list) else isinstance(actual, str) and str(expected) in actual
    ),
    "starts_with": _holds_text(str.startswith),
    "ends_with": _holds_text(str.endswith),
    "greater": _compares(lambda left, right: left > right),
    "greater_or_equal": _compares(lambda left, right: left >= right),
    "less": _compares(lambda left, right: left < right),
    "less_or_equal": _compares(lambda left, right: left <= right),
}


def read_filter(value: Any) -> Filter:
    """A filter as control routes take it; `[]` holds for everything. Raises ValueError with what is wrong."""
    if not isinstance(value, list) or not all(isinstance(product, list) for product in value):
        raise ValueError('a filter is a list of lists of conditions: [[{"field": "total", "operator": "exists"}]]')
    for condition in (condition for product in value for condition in product):
        if not isinstance(condition, dict) or sum(subject in condition for subject in SUBJECTS) != 1:
            raise ValueError(f"a condition names one of {', '.join(SUBJECTS)}, not {condition!r}")
        if condition.get("operator", "exists") not in OPERATORS:
            raise ValueError(f"an operator is one of {', '.join(OPERATORS)}, not {condition['operator']!r}")
    return value


def holds(chosen: Filter, value_of: ValueOf) -> bool:
    """Whether all conditions of one of its lists hold."""
    return not chosen or any(all(_one(condition, value_of) for condition in product) for product in chosen)


def _one(condition: Mapping[str, Any], value_of: ValueOf) -> bool:
    subject = next(subject for subject in SUBJECTS if subject in condition)
    actual = value_of(subject, condition[subject])
    return OPERATORS[condition.get("operator", "exists")](actual, condition.get("value"))
