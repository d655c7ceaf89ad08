"""One page, one transaction: YAML and events in, rows of the outbox out. Real SQLite, no network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.actions import load_all
from connector.model import DAY, Event, Page, State
from connector.poll import Desk, Gates, InService, Receipt, take
from connector.recipe.index import Index
from connector.recipe.parse import parse
from connector.store.database import Store
from connector.store.inbox import CursorMoved
from connector.store.regulations import Rules

ACCOUNT = "intilery:acme/acme/ACME"
NOW = 1_800_000_000_000
CLICK = """
id: click
trigger: {feed: intilery.events, event: clicked}
LIMIT
actions:
  - webhook: {to: crm, json: {user: "{{ event.userId }}"}}
tests: []
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/connector.db").open()
    yield opened
    opened.close()


def desk(store: Store, *texts: str, now: int = NOW) -> Desk:
    load_all()
    recipes = [parse(text, "recipe.yaml", None) for text in texts]
    service = InService(Index(recipes), {r.id: r for r in recipes}, {r.id: 0 for r in recipes})
    return Desk(store, lambda: service, Gates({}), Rules(), lambda: now)


def event(n: int = 1, name: str = "clicked", **body: Any) -> Event:
    facts = {"eventId": f"e{n}", "eventAction": name, "userId": "u1", **body}
    return Event(ACCOUNT, "intilery.events", f"e{n}", name, NOW + n, NOW + n, facts)


def page(*events: Event, old: str | None = None, new: str | None = None) -> Page:
    return Page("fresh", old, new, events)


def send(to: Desk, *pages: Page) -> list[Receipt]:
    receipts = []
    for each in pages:
        with to.store.write() as tx:
            receipts.append(take(to, tx, [each], ACCOUNT, "intilery.events"))
    return receipts


def rows(store: Store, columns: str = "id, state, reason, body", table: str = "deliveries") -> list[tuple[Any, ...]]:
    with store.read() as tx:
        return [tuple(row) for row in tx.run(f"SELECT {columns} FROM {table} ORDER BY seq")]


def test_an_event_fires_its_recipe_once_however_often_it_is_read(store: Store) -> None:
    at = desk(store, CLICK.replace("LIMIT", ""))
    receipts = send(at, page(event(1)), page(event(1)), page(event(1), event(2)))
    assert [1, 0, 1] == [receipt.fired for receipt in receipts]
    assert [b'{"user":"u1"}'] * 2 == [row[3] for row in rows(store)]


def test_the_destinations_that_have_something_to_send_are_named(store: Store) -> None:
    assert [frozenset({"crm"})] == [
        r.destinations for r in send(desk(store, CLICK.replace("LIMIT", "")), page(event()))
    ]


def test_a_page_refused_for_its_cursor_leaves_no_event_and_no_delivery(store: Store) -> None:
    at = desk(store, CLICK.replace("LIMIT", ""))
    send(at, page(new="1"), page(old="1", new="2"))
    with pytest.raises(CursorMoved):
        send(at, page(event(), old="1", new="3"))
    assert ([], []) == (rows(store), rows(store, "event_id", "events"))


def test_a_limit_holds_within_one_page_and_across_pages(store: Store) -> None:
    at = desk(store, CLICK.replace("LIMIT", "limit: 2/1h"))
    send(at, page(event(1), event(2), event(3)), page(event(4)))
    assert 2 == len(rows(store))
    assert ["fired", "fired", "limited", "limited"] == [row[0] for row in rows(store, "reason", "outcomes")]


def test_a_limit_follows_a_customer_whose_ids_come_together(store: Store) -> None:
    at = desk(store, CLICK.replace("LIMIT", "limit: 1/1h").replace("event.userId", "event.anonymousId"))
    before = event(1, userId=None, anonymousId="a1")
    both = event(2, userId="u1", anonymousId="a1")
    after = event(3, userId="u1", anonymousId="a2")
    send(at, page(before, both, after))
    assert ["fired", "limited", "limited"] == [row[0] for row in rows(store, "reason", "outcomes")]


def test_the_delivery_id_depends_on_what_is_delivered_only(store: Store, tmp_path: Path) -> None:
    send(desk(store, CLICK.replace("LIMIT", "")), page(event(1), event(2)))
    other = Store(f"sqlite:///{tmp_path}/other.db").open()
    send(desk(other, CLICK.replace("LIMIT", ""), now=NOW + 999), page(event(2)), page(event(1)))
    assert {row[0] for row in rows(store)} == {row[0] for row in rows(other)}
    other.close()


def test_an_action_that_cannot_be_rendered_is_dead_and_the_others_go_on(store: Store) -> None:
    text = CLICK.replace("LIMIT", "").replace(
        "tests: []", '  - {id: two, webhook: {to: crm, text: "{{ properties.missing }}"}}\ntests: []'
    )
    send(desk(store, text), page(event()))
    first, second = rows(store)
    assert State.PENDING == first[1]
    assert State.DEAD == second[1]
    assert "properties.missing" in second[2]


def test_what_follows_the_hundredth_slack_message_is_held_for_a_person(store: Store) -> None:
    text = CLICK.replace("LIMIT", "").replace(
        'webhook: {to: crm, json: {user: "{{ event.userId }}"}}', "slack: {to: sales, text: hi}"
    )
    send(desk(store, text), page(*(event(n) for n in range(105))))
    held = [row for row in rows(store) if row[1] == State.HELD]
    assert [(State.HELD, "guard")] * 5 == [(row[1], row[2]) for row in held]


def test_what_passed_by_a_clock_that_was_ahead_holds_nothing(store: Store) -> None:
    text = CLICK.replace("LIMIT", "").replace(
        'webhook: {to: crm, json: {user: "{{ event.userId }}"}}', "slack: {to: sales, text: hi}"
    )
    send(desk(store, text, now=NOW + 400 * DAY), page(*(event(n) for n in range(100))))
    send(desk(store, text), page(event(100)))
    assert [State.PENDING] * 101 == [row[1] for row in rows(store)]


def test_outcomes_that_can_be_recomputed_cost_no_row_but_are_counted(store: Store) -> None:
    text = CLICK.replace("LIMIT", "if: [{event.userId: nobody}]")
    send(desk(store, text), page(event(1), event(2)))
    assert [] == rows(store, "reason", "outcomes")
    with store.read() as tx:
        assert [("click", "if", 2)] == [tuple(row) for row in tx.run("SELECT recipe, reason, n FROM outcome_counts")]


def test_a_regulation_is_only_recorded_by_default(store: Store) -> None:
    text = CLICK.replace("LIMIT", "").replace(
        'webhook: {to: crm, json: {user: "{{ event.userId }}"}}', "regulation: {type: suppress, reason: asked}"
    )
    send(desk(store, text), page(event()))
    assert [("skipped", "dry_run")] == [row[1:3] for row in rows(store)]
    assert [("suppress", "u1", "dry_run")] == rows(store, "type, user_id, state", "regulations")
