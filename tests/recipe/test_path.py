"""Paths: the left sides of conditions, `key`, `by`, `for_each` and `order_by`."""

from typing import Any

import pytest

from connector.recipe.path import PathMistake, order_key, path

SCOPE: dict[str, Any] = {
    "event": {"userId": "u1", "customerId": None},
    "properties": {
        "price": 5,
        "utm-source": "news",
        "first name": "Ada",
        "a.b": "dotted",
        "products": [{"sku": "A"}, {"sku": "B"}],
        "0": "zero",
        "items": "mine",
    },
    "context": {"traits": {"email": "a@example.com"}},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("properties", SCOPE["properties"]),
        ("properties.price", 5),
        ('properties."utm-source"', "news"),
        ("properties.utm-source", "news"),
        ('properties."first name"', "Ada"),
        ('properties."a.b"', "dotted"),
        ("properties.products.0.sku", "A"),
        ("properties.products.1", {"sku": "B"}),
        ("properties.0", "zero"),
        ("properties.items", "mine"),
        ("context.traits.email", "a@example.com"),
    ],
)
def test_a_path_gives_what_stands_there(text: str, expected: object) -> None:
    assert expected == path(text).get(SCOPE)


@pytest.mark.parametrize(
    "text",
    [
        "properties.missing",
        "properties.price.deeper",
        "properties.products.2",
        "properties.products.sku",
        'properties.products."0"',
        "properties.products.00",
        "properties.a.b",
        "event.customerId",
        "traits.email",
        "properties.first.name",
    ],
)
def test_a_path_that_leads_nowhere_or_to_null_is_absent(text: str) -> None:
    assert path(text).get(SCOPE) is None


@pytest.mark.parametrize(
    "text",
    ["", ".", "properties.", ".properties", "a..b", "a b", 'a."b', 'a."\\q"', "a[0]", "a.b(c)", ".".join("a" * 33)],
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(PathMistake):
        path(text)


def test_the_hint_mends_brackets() -> None:
    with pytest.raises(PathMistake) as caught:
        path("properties['first name'][0]")
    assert 'write properties."first name"."0"' == caught.value.hint


def test_paths_of_any_item_start_at_the_item() -> None:
    assert path("sku", start="item").get({"item": {"sku": "A"}}) == "A"


@pytest.mark.parametrize(
    ("text", "key"),
    [("event.userId", "u1"), ("properties.price", "5"), ("properties.missing", None), ("properties.0", "zero")],
)
def test_order_by_gives_one_text_for_one_value(text: str, key: str | None) -> None:
    assert key == order_key(text, SCOPE)
