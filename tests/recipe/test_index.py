"""Which recipes an event wakes."""

import time

import pytest

from connector.model import event_name
from connector.recipe.index import Index
from connector.recipe.parse import parse
from connector.recipe.recipe import Recipe


def woken_by(trigger: str, id: str = "a") -> Recipe:
    return parse(f"id: {id}\ntrigger: {trigger}\nactions: [{{webhook: {{to: crm}}}}]\ntests: []\n", "a.yaml")


@pytest.mark.parametrize(
    ("event", "name", "woken"),
    [
        ("Product Added", "Product Added", True),
        ("product_added", "Product Added", True),
        ("PRODUCT-ADDED!", "product added", True),
        ("Product Added", "Product Removed", False),
        ("[Product Added, Product Removed]", "Product Removed", True),
        ('"email_*"', "Email Opened", True),
        ('"Email *"', "Email Link Clicked", True),
        ('"Email *"', "Emails Sent", False),
        ('"Email*"', "Emails Sent", True),
        ('"*_opened"', "Email Opened", True),
        ('"*link*"', "Email Link Clicked", True),
        ('"*"', "anything", True),
        ('"a.c"', "abc", False),
        ('"[ab]*"', "a", False),
        ('"[ab]*"', "AB c", True),
        ('"404"', "404", True),
    ],
)
def test_a_trigger_names_events_in_any_spelling(*, event: str, name: str, woken: bool) -> None:
    index = Index([woken_by(f"{{feed: intilery.events, event: {event}}}")])
    assert woken is bool(index.candidates("intilery.events", event_name(name)))


def test_only_the_feeds_of_the_trigger_wake_a_recipe() -> None:
    index = Index([woken_by("{feed: [intilery.events, shop.events], event: x}")])
    assert [1, 1, 0] == [len(index.candidates(f"{name}.events", "x")) for name in ("intilery", "shop", "other")]


def test_recipes_come_in_the_order_of_their_ids() -> None:
    index = Index([woken_by("{feed: intilery.events, event: [x, 'x*']}", id) for id in ("c", "a", "b")])
    assert ["a", "b", "c"] == [recipe.id for recipe in index.candidates("intilery.events", "x")]


def test_endless_event_names_do_not_fill_the_memory() -> None:
    index = Index([woken_by("{feed: intilery.events, event: x}")])
    for n in range(10_000):
        assert () == index.candidates("intilery.events", f"name_{n}")
    assert len(index.candidates("intilery.events", "x")) == 1
    assert len(index._feeds["intilery.events"]) <= 4_096


def test_a_long_hostile_name_is_compared_at_once() -> None:
    index = Index([woken_by('{feed: intilery.events, event: "*a*a*a*a*a*b"}')])
    began = time.perf_counter()
    assert () == index.candidates("intilery.events", "a" * 30_000)
    assert time.perf_counter() - began < 5


def test_an_event_of_the_account_wakes_its_recipes_whichever_feed_saw_it_first() -> None:
    both = Index([woken_by("{feed: [intilery.events, intilery.profile_events], event: x}")])
    account, customers = (
        Index([woken_by(f"{{feed: intilery.{kind}, event: x}}")]) for kind in ("events", "profile_events")
    )
    feeds = ("intilery.events", "intilery.profile_events", "shop.profile_events")
    assert [1, 1, 0] == [len(both.candidates(feed, "x")) for feed in feeds]
    assert [1, 1, 0] == [len(account.candidates(feed, "x")) for feed in feeds]
    assert [0, 1, 0] == [len(customers.candidates(feed, "x")) for feed in feeds]
