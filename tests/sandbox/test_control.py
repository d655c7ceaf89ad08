"""The control routes: injecting, erasing, reading back, resetting."""

import json
from typing import Any

import pytest

from tests.sandbox.client import HEADERS, Client, Start


def test_the_root_says_what_is_here(sandbox: Client) -> None:
    answer = sandbox.http.get(sandbox.url, timeout=10)
    assert (200, True) == (answer.status_code, "/receiver/<name>" in answer.text)
    assert 404 == sandbox.http.get(f"{sandbox.url}/nowhere", timeout=10).status_code


def test_the_state_shows_switches_accounts_and_receivers(sandbox: Client) -> None:
    sandbox.generate(3)
    sandbox.http.post(f"{sandbox.url}/receiver/crm", timeout=10)
    state = sandbox.control("GET", "")
    assert "hits" == state["switches"]["from"]
    assert {"acme/acme/ACME": 3} == state["accounts"]
    assert ["receiver/crm"] == list(state["receivers"])
    assert state["traffic"] is None


def test_a_list_of_events_is_injected(sandbox: Client) -> None:
    sent = [{"event": "Order Completed", "userId": "u1"}, {"event": "page", "anonymousId": "a1"}]
    given = sandbox.control("POST", "/events", sent)["eventIds"]
    assert given[::-1] == [event["eventId"] for event in sandbox.feed()]
    assert ["page", "order_completed"] == [event["eventAction"] for event in sandbox.feed()]


def test_given_fields_stay_as_they_are_nulls_too(sandbox: Client) -> None:
    odd = {"eventId": None, "eventTime": "never", "userId": None, "eventAction": 7, "extra": [1], "event": "x"}
    sandbox.inject(odd)
    [event] = sandbox.feed()
    assert {name: odd[name] for name in odd if name != "event"} == {
        name: event[name] for name in odd if name != "event"
    }


def test_unfilled_events_are_served_as_they_are(sandbox: Client) -> None:
    sandbox.inject({"anything": 1}, fill=False)
    assert [{"anything": 1}] == sandbox.feed()


def test_raw_data_may_be_anything(sandbox: Client) -> None:
    sandbox.inject({"rawData": None}, {"rawData": "text"})
    assert ["text", None] == [event["rawData"] for event in sandbox.feed()]


@pytest.mark.parametrize(
    "text", ['{"eventId":"e1","eventId":"e2"}', '{"n":1e999}', '{"s":"\\ud800"}', "{", "[" * 100_000]
)
def test_a_text_is_served_as_it_stands(sandbox: Client, text: str) -> None:
    sandbox.inject(text)
    assert '{"data":[' + text + "]}" == sandbox.ask().text


def test_a_text_that_is_an_event_stands_in_its_place_in_time(sandbox: Client) -> None:
    text = json.dumps({"eventId": "e1", "eventTime": "2012-01-01T00:00:00.000Z", "eventAction": "x"})
    assert ["e1"] == sandbox.inject(text)
    assert 1 == len(sandbox.feed(end="2013-01-01", include="x"))


def test_events_may_have_been_received_earlier(sandbox: Client) -> None:
    sandbox.inject({}, at="-5m")
    sandbox.inject({}, at="2026-11-01T11:00:00Z")
    assert ["2026-11-01T11:55:00.000Z", "2026-11-01T11:00:00.000Z"] == [e["receivedTime"] for e in sandbox.feed()]


def test_events_may_appear_long_after_they_were_received(sandbox: Client) -> None:
    [late] = sandbox.inject({}, at="-6d", visible="10m")
    assert [late] == sandbox.control("GET", "/events")["pending"]
    sandbox.clock.now += 600_000
    assert [late] == [event["eventId"] for event in sandbox.feed()]
    assert [late] == sandbox.control("GET", "/events")["visible"]


def test_thousands_are_generated_on_one_millisecond(sandbox: Client) -> None:
    given = sandbox.generate(12_000, at="-1m", every=0, users=7, properties={"price": "5"})
    assert 12_000 == len(set(given))
    newest, *_ = sandbox.feed()
    assert ("2026-11-01T11:59:00.000Z", "product_added") == (newest["receivedTime"], newest["eventAction"])
    assert {"price": "5", "n": 11_999} == newest["rawData"]["properties"]
    assert 7 == len({event["customerId"] for event in sandbox.feed()})


def test_generated_names_take_turns(sandbox: Client) -> None:
    sandbox.generate(4, event=["Order Completed", "100 % Wool"])
    assert ["100_wool", "order_completed"] * 2 == [event["eventAction"] for event in sandbox.feed()]
    assert "100 % Wool" == sandbox.feed()[0]["rawData"]["event"]


def test_erasing_takes_everything_of_a_person(sandbox: Client) -> None:
    sandbox.call("track", {"anonymousId": "a1", "event": "page"})
    sandbox.call("identify", {"userId": "u1", "anonymousId": "a1", "event": "identify", "traits": {}})
    [kept] = sandbox.inject({"userId": "u2"})
    assert {"erased": 2} == sandbox.control("POST", "/erase", {"person": "u1"})
    assert [kept] == [event["eventId"] for event in sandbox.feed()]
    assert 2 == len(sandbox.control("GET", "/events")["erased"])


def test_a_page_can_shift_while_it_is_read(sandbox: Client) -> None:
    sandbox.generate(6, at="-1m", users=6)
    sandbox.control("POST", "/erase", {"person": "user-0", "after_requests": 1})
    first = sandbox.numbers(sort="asc", size=2)
    second = sandbox.numbers(sort="asc", size=2, **{"from": 2})
    assert ([0, 1], [3, 4]) == (first, second)


def test_events_can_come_in_while_a_page_is_read(sandbox: Client) -> None:
    assert {"waits": 2} == sandbox.control("POST", "/events", {"count": 1, "after_requests": 2})
    assert [0, 0, 1] == [len(sandbox.feed()) for _ in range(3)]


def test_only_requests_of_that_account_are_waited_for(sandbox: Client) -> None:
    sandbox.control("POST", "/events", {"events": [{}], "account": "a/b/C", "after_requests": 1})
    sandbox.ask()
    assert [] == sandbox.control("GET", "/events?account=a/b/C")["visible"]
    sandbox.http.get(f"{sandbox.url}/track/a/b/C/v1/events", headers=HEADERS, timeout=10)
    assert 1 == len(sandbox.control("GET", "/events?account=a/b/C")["visible"])


def test_requests_are_counted_by_operation_and_status(sandbox: Client) -> None:
    sandbox.ask(size=2)
    sandbox.ask(size=0)
    sandbox.fault("cut", only="track")
    with pytest.raises(OSError):
        sandbox.call("track", {})
    seen = sandbox.control("GET", "/requests")
    assert {"events": {"200": 1, "400": 1}, "track": {"0": 1}} == seen["counts"]
    assert "/track/acme/acme/ACME/v1/events?size=2" == seen["latest"][0]["path"]


def test_tokens_are_not_among_what_is_shown(sandbox: Client) -> None:
    sandbox.call("track", {"userId": "u1", "event": "x"}, **{"auth-token": "canary-token"})
    shown = [sandbox.control("GET", path) for path in ("", "/requests", "/events", "/faults")]
    assert "canary-token" not in json.dumps(shown)


def test_reset_brings_everything_back(start: Start) -> None:
    sandbox = start(switches={"from": "pages"})
    sandbox.switch(edges="exclusive", **{"from": "hits"})
    sandbox.generate(5)
    sandbox.fault("status", times=9)
    sandbox.http.post(f"{sandbox.url}/receiver/crm", timeout=10)
    sandbox.control("POST", "/reset")
    state = sandbox.control("GET", "")
    assert ("pages", "inclusive") == (state["switches"]["from"], state["switches"]["edges"])
    assert ({}, [], {}) == (state["accounts"], state["faults"], state["receivers"])


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("switches", {"form": "pages"}, "there is no switch 'form' - did you mean 'from'?"),
        ("switches", {"ties": "rando"}, "one of stable, arrival, random, not 'rando' - did you mean 'random'?"),
        ("events", {"evnts": []}, "there is no field 'evnts' - did you mean 'events'?"),
        ("events", {"count": 1, "evry": 0}, "there is no field 'evry' - did you mean 'every'?"),
        ("events", {"events": [], "at": "soon"}, "'soon' is not an ISO 8601 date"),
        ("events", {"account": "acme", "events": []}, "an account is client/account/BRAND"),
        ("events", "text", "expected a JSON object"),
        ("events", [5], "an event is a JSON object or a text that is served as it stands, not 5"),
        ("receivers", {}, "name a receiver: /sandbox/receivers/<name>"),
        ("erase", {"persn": "u1"}, "did you mean 'person'?"),
        ("traffic", {"rate": "fast"}, "expected a rate such as 2/1s"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_was_meant(sandbox: Client, path: str, body: Any, said: str) -> None:
    answer = sandbox.post(f"/sandbox/{path}", body)
    assert 400 == answer.status_code
    assert said in answer.json()["error"]


def test_an_unknown_route_lists_the_known_ones(sandbox: Client) -> None:
    answer = sandbox.post("/sandbox/evnts", {})
    assert 404 == answer.status_code
    assert "POST /sandbox/events" in answer.json()["routes"]


def test_broken_json_is_told(sandbox: Client) -> None:
    answer = sandbox.http.post(f"{sandbox.url}/sandbox/faults", data=b"{", timeout=10)
    assert 400 == answer.status_code


def test_switches_are_set_all_or_none(sandbox: Client) -> None:
    assert 400 == sandbox.post("/sandbox/switches", {"from": "pages", "edges": "x"}).status_code
    assert "hits" == sandbox.control("GET", "/switches")["from"]
