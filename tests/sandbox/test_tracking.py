"""POST …/v1/identify and …/v1/track as the Tracking API page describes them."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.client import Client

TRACK = {"userId": "u1", "event": "x"}
FIXTURES = Path(__file__).parent.parent / "fixtures" / "intilery"


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def test_the_page_s_identify_is_accepted_and_shown(sandbox: Client) -> None:
    sent = fixture("identify")
    answer = sandbox.call("identify", sent).json()
    assert set(fixture("tracking-accepted")) == set(answer)
    assert answer["success"] is True
    [event] = sandbox.feed()
    assert answer["eventId"] == event["eventId"] == str(uuid.UUID(event["eventId"]))
    assert ("identify", "123456") == (event["eventAction"], event["userId"])
    assert "2019-11-18T13:30:11.444Z" == event["eventTime"]
    assert sent | {"action": "identify"} == event["rawData"]


def test_the_page_s_track_is_accepted_and_shown(sandbox: Client) -> None:
    sent = fixture("track-product-added")
    sandbox.call("track", sent)
    [event] = sandbox.feed()
    assert ("product_added", "ABC/123") == (event["eventAction"], event["userId"])
    assert sent | {"action": "track"} == event["rawData"]


def test_without_a_timestamp_it_happened_when_it_came(sandbox: Client) -> None:
    sandbox.call("track", {"userId": "u1", "event": "Logged In"})
    [event] = sandbox.feed()
    assert "2026-11-01T12:00:00.000Z" == event["eventTime"] == event["receivedTime"] == event["rawData"]["timestamp"]


def test_the_batch_example_s_one_digit_month_is_read(sandbox: Client) -> None:
    sandbox.call("track", {"userId": "u1", "event": "Song Played", "timestamp": "2015-2-02T00:30:08.276Z"})
    assert 1 == len(sandbox.feed(start="2015-02-02", end="2015-02-03"))


def test_an_anonymous_visitor_is_a_customer_once_identified(sandbox: Client) -> None:
    sandbox.call("track", {"anonymousId": "a1", "event": "page"})
    sandbox.call("identify", {"userId": "u1", "anonymousId": "a1", "event": "identify", "traits": {}})
    sandbox.call("track", {"anonymousId": "a1", "event": "page"})
    after, known, before = (event["customerId"] for event in sandbox.feed())
    assert before is None
    assert known is not None
    assert known == after


def test_one_user_is_one_customer(sandbox: Client) -> None:
    for event in ("Logged In", "Order Completed"):
        sandbox.call("track", {"userId": "u1", "event": event})
    sandbox.call("track", {"userId": "u2", "event": "Logged In"})
    other, second, first = (event["customerId"] for event in sandbox.feed())
    assert first == second != other


def test_integers_stay_exact(sandbox: Client) -> None:
    sandbox.call("track", b'{"userId":"u1","event":"x","properties":{"id":182233618306719715182233618306719715}}')
    assert 182233618306719715182233618306719715 == sandbox.feed()[0]["rawData"]["properties"]["id"]


@pytest.mark.parametrize(
    ("action", "body", "message"),
    [
        ("track", {"event": "x"}, "userId must not be empty"),
        ("track", {"event": "x", "userId": "", "anonymousId": None}, "userId must not be empty"),
        ("track", {"userId": "u1"}, "event must not be empty"),
        ("track", {"userId": "u1", "event": ""}, "event must not be empty"),
        ("track", {"userId": 5, "event": "x"}, "userId must be a string"),
        ("track", {"userId": "u1", "event": "x", "properties": []}, "properties must be an object"),
        ("track", TRACK | {"timestamp": "now"}, "timestamp must be ISO-8601, e.g. 2019-11-18T13:30:11.444Z"),
        ("track", [], "body must be a JSON object"),
        ("track", b"{", "body must be JSON"),
        ("track", b'{"userId":"u1","event":"x","properties":{"n":NaN}}', "body must be JSON"),
        ("track", b'{"userId":"u1","event":"x","properties":{"n":1e999}}', "body must be JSON"),
        ("track", b"[" * 100_000, "body must be JSON"),
        ("identify", {"userId": "u1", "event": "x", "traits": {}}, "event must be identify"),
        ("identify", {"userId": "u1", "event": "identify"}, "traits must not be empty"),
        ("identify", {"userId": "u1", "event": "identify", "traits": "x"}, "traits must be an object"),
    ],
)  # fmt: skip
def test_what_the_page_requires_is_required(sandbox: Client, action: str, body: Any, message: str) -> None:
    answer = sandbox.call(action, body)
    assert (400, {"success": False, "message": message}) == (answer.status_code, answer.json())
    assert [] == sandbox.feed()


def test_the_page_s_refusal_is_ours(sandbox: Client) -> None:
    assert fixture("tracking-refused") == sandbox.call("track", {"event": "x"}).json()


def test_an_event_of_a_new_type_may_be_accepted_and_never_shown(sandbox: Client) -> None:
    sandbox.switch(new_type="dropped")
    answer = sandbox.call("track", {"userId": "u1", "event": "Hamper Rattled"}).json()
    assert answer["success"] is True
    sandbox.call("track", {"userId": "u1", "event": "Order Completed"})
    assert ["order_completed"] == [event["eventAction"] for event in sandbox.feed()]
    assert [answer["eventId"]] == sandbox.control("GET", "/events")["dropped"]


def test_a_new_type_is_shown_once_marked_valid(sandbox: Client) -> None:
    sandbox.switch(new_type="dropped")
    sandbox.control("POST", "/types", {"event": "Hamper Rattled"})
    sandbox.call("track", {"userId": "u1", "event": "Hamper Rattled"})
    assert 1 == len(sandbox.feed())


def test_a_new_type_is_recorded_by_default(sandbox: Client) -> None:
    sandbox.call("track", {"userId": "u1", "event": "Hamper Rattled"})
    assert ["hamper_rattled"] == [event["eventAction"] for event in sandbox.feed()]
