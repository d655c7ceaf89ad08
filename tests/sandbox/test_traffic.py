"""The live traffic: believable, repeatable, and never mistaken for what was seen before."""

import json
import re
import time
from collections import Counter
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.sandbox import Sandbox, catalog
from connector.sandbox.traffic import Call, Traffic
from tests.sandbox.client import Start


def calls(count: int, seed: str = "seed", start: int = 0) -> list[Call]:
    traffic = Traffic(seed, start)
    return [traffic.next() for _ in range(count)]


def bodies(count: int, seed: str = "seed") -> list[dict[str, Any]]:
    return [call.raw for call in calls(count, seed)]


def test_one_seed_gives_one_traffic() -> None:
    assert calls(500) == calls(500)


def test_another_seed_gives_another() -> None:
    assert bodies(50) != bodies(50, seed="other")


def test_another_start_gives_the_same_calls_under_new_ids() -> None:
    first, second = calls(500), calls(500, start=1)
    assert [call.raw for call in first] == [call.raw for call in second]
    assert not {call.id for call in first} & {call.id for call in second}


def test_ids_do_not_repeat() -> None:
    assert 5_000 == len({call.id for call in calls(5_000)})


def test_everything_in_the_catalogue_happens() -> None:
    assert set(catalog.EVENT_NAMES) == {body["event"] for body in bodies(20_000)}


def test_the_catalogue_s_table_names_each_event_and_its_properties() -> None:
    table = {}
    for line in catalog.__doc__.splitlines():
        if line.startswith("|") and "---" not in line:
            _, names, about, _ = line.split("|")
            table |= {name.strip(): about for name in names.split(",")}
    del table["event"]
    assert set(catalog.EVENT_NAMES) == set(table)
    documented = {"as sent", "as viewed", "as opened", "as checkout"}
    for body in bodies(5_000):
        if not any(words in table[body["event"]] for words in documented):
            missing = set(body.get("properties", {})) - set(re.findall(r"\w+", table[body["event"]]))
            assert set() == missing, body["event"]


@pytest.mark.parametrize(
    "event", ["Email Link Clicked", "Order Completed", "Privacy Request Submitted", "Demo Requested", "Trial Started"]
)
def test_what_demos_wait_for_happens_early(event: str) -> None:
    for seed in range(20):
        assert event in {body["event"] for body in bodies(200, seed=str(seed))}


def test_nobody_orders_before_something_is_in_the_basket() -> None:
    seen: set[str] = set()
    for body in bodies(3_000):
        if body["event"] == "Product Added":
            seen.add(body["properties"]["cart_id"])
        if body["event"] == "Order Completed":
            assert body["properties"]["cart_id"] in seen


def test_visitors_are_anonymous_until_they_identify() -> None:
    pages = [body for body in bodies(1_000) if body["event"] == "page"]
    assert {None} == {body.get("userId") for body in pages}
    assert all(body["anonymousId"] for body in pages)


def test_prices_and_quantities_are_text_as_the_page_prints_them() -> None:
    added = [body["properties"] for body in bodies(1_000) if body["event"] == "Product Added"]
    assert all(isinstance(one["price"], str) and isinstance(one["quantity"], str) for one in added)


def test_nobody_has_a_real_address() -> None:
    text = json.dumps(bodies(5_000))
    assert {"example.com"} == set(re.findall(r"@([\w.]+)", text))
    assert all(number.startswith("+447700900") for number in re.findall(r"\+44\d+", text))


def test_some_entries_depart_from_the_rule() -> None:
    odd = Counter(call.odd for call in calls(5_000))
    assert {"", "user_id", "shuffled", "extra", "no_user"} == set(odd)
    assert odd[""] > 4_000
    assert 0 < sum(call.past > 0 for call in calls(5_000)) < 100


def test_an_account_has_a_short_past_when_it_is_first_looked_at(start: Start) -> None:
    sandbox = start(traffic="10/1s")
    seen = sandbox.feed(sort="asc")
    assert 100 == len(seen)
    assert sorted(event["receivedTime"] for event in sandbox.feed(start="2026-11-01")) <= ["2026-11-01T12:00:00.000Z"]


def test_two_sandboxes_of_one_clock_show_the_same(start: Start) -> None:
    first, second = start(traffic="1/1h"), start(traffic="1/1h")
    assert first.feed() == second.feed()


def test_traffic_flows_at_its_rate(start: Start) -> None:
    sandbox = start(traffic="100/1s")
    sandbox.ask()
    before, began = sandbox.control("GET", "")["accounts"]["acme/acme/ACME"], time.monotonic()
    time.sleep(1)
    after = sandbox.control("GET", "")["accounts"]["acme/acme/ACME"]
    assert 70 <= (after - before) / (time.monotonic() - began) <= 130


def test_each_account_has_traffic_of_its_own(start: Start) -> None:
    sandbox = start(traffic="10/1s")
    mine = {event["eventId"] for event in sandbox.feed()}
    headers = {"auth-token": "x", "content-type": "application/json"}
    other = sandbox.http.get(f"{sandbox.url}/track/b/b/B/v1/events", headers=headers, timeout=10).json()["data"]
    assert ("b", 100) == (other[0]["clientId"], len(other))
    assert not mine & {event["eventId"] for event in other}


def test_traffic_can_be_turned_off_and_on(start: Start) -> None:
    sandbox = start(traffic="off")
    assert [] == sandbox.feed()
    assert {"rate": "200/1s"} == sandbox.control("POST", "/traffic", {"rate": "200/1s"})
    deadline = time.monotonic() + 5
    while not sandbox.feed() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sandbox.feed()
    sandbox.control("POST", "/traffic", {"rate": None})
    assert len(sandbox.control("GET", "/events")["visible"]) == len(sandbox.control("GET", "/events")["visible"])


def test_odd_entries_reach_the_feed(start: Start) -> None:
    sandbox = start(traffic="10/1s")
    account = sandbox.sandbox.account()
    traffic = Traffic("x", 0)
    for _ in range(1_000):
        account.emit(traffic.next(), sandbox.clock.now)
    entries = [json.loads(event.text) for event in account.feed.all()]
    assert any("user_id" in entry["rawData"] for entry in entries)
    assert any("validAgainstSchema" in entry for entry in entries)
    assert any(entry["userId"] is None and entry["customerId"] for entry in entries)
    assert any(next(iter(entry)) == "rawData" for entry in entries)
    assert any(entry["eventTime"] < "2026" for entry in entries)


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"--traffic: expected a rate such as 2/1s or 30/1m, got 'fast'"):
        Sandbox(traffic="fast")
