"""The second host: which one it is, that it never gets the token, and that a subscriptionId stays hidden."""

import base64
from typing import Any

import pytest

from connector.errors import FeedUnavailable, NothingThere, RequestRefused
from connector.platforms.hidden import Veiled
from connector.platforms.intilery import second
from connector.settings import Connection
from tests.platforms.conftest import Make
from tests.platforms.samples import says, sent

SUBSCRIPTION = "aW50aWxlcnk6bWFya2V0aW5nOjg3MzA1NWVmLTdmYmYtNDYyNS1iMWNkLTEwYjRlNDc5YjIwZA=="
KEY = base64.b64encode(b"acme:acme:ACME").decode()
MESSAGE = {"type": "track", "event": "Product Added", "userId": "u1", "timestamp": "2019-11-28T14:31:58.596Z"}


def test_a_message_says_whose_it_is_and_has_no_token(intilery: Connection) -> None:
    asked = sent(second.segment(intilery, MESSAGE))
    assert ("POST", "https://events.intilery.com", "/cdp/events/segment/t") == (asked.method, asked.host, asked.path)
    assert {"writeKey": KEY, **MESSAGE} == asked.json
    assert "auth-token" not in asked.headers


def test_messages_go_together(intilery: Connection) -> None:
    asked = sent(second.segment_batch(intilery, [MESSAGE, MESSAGE]))
    assert "/cdp/events/segment/mobile/batch" == asked.path
    assert {"writeKey": KEY, "batch": [MESSAGE, MESSAGE]} == asked.json
    own = {"writeKey": "other", "sentAt": "2026-11-21T01:45:48.014Z", "batch": [MESSAGE]}
    assert own == sent(second.segment_batch(intilery, own)).json


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({**MESSAGE, "type": "click"}, "the body needs a type"),
        ({**MESSAGE, "userId": None}, "the body needs a userId or an anonymousId"),
        ({**MESSAGE, "timestamp": "soon"}, "timestamp must be a time"),
        ("text", "the body must be a JSON object"),
    ],
)
def test_what_is_no_message_is_not_sent(intilery: Connection, body: Any, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        second.segment(intilery, body)


def test_a_connection_to_a_sandbox_never_calls_the_real_host(make: Make) -> None:
    sandbox = make("intilery", base_url="http://127.0.0.1:8300/")
    assert "http://127.0.0.1:8300" == sent(second.segment(sandbox, MESSAGE)).host
    said = make("intilery", dialect={"second_host": "https://events.example.com/", "write_key": "k1"})
    asked = sent(second.segment(said, MESSAGE))
    assert ("https://events.example.com", "k1") == (asked.host, asked.json["writeKey"])


def test_whatever_a_success_says_it_is_one_unless_it_says_no() -> None:
    for body in (None, {}, {"success": True}, "ok"):
        assert "" == second.parse_taken(says(body)).event_id
    with pytest.raises(FeedUnavailable, match="the platform says no"):
        second.parse_taken(says({"success": False, "message": "no"}))


# ── marketing preferences ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", [SUBSCRIPTION, Veiled(SUBSCRIPTION)])
def test_a_subscription_id_is_in_the_address_and_nowhere_to_be_seen(intilery: Connection, given: Any) -> None:
    request = second.preferences(intilery, given, asset_id="a/1")
    asked = sent(request)
    assert ("GET", "https://events.intilery.com") == (asked.method, asked.host)
    assert ["cdp", "marketing-preferences", SUBSCRIPTION] == asked.parts
    assert [("assetId", "a/1")] == asked.query
    assert "auth-token" not in asked.headers
    assert SUBSCRIPTION[:8] not in repr(request) + str(request.url)


def test_preferences_are_changed_by_what_is_given(intilery: Connection) -> None:
    body = {
        "channels": [{"channel": "email", "subscribed": False}],
        "categories": [],
        "unsubscribeAll": False,
        "unsubscribeReason": "too many",
    }
    asked = sent(second.set_preferences(intilery, SUBSCRIPTION, body))
    assert ("POST", body) == (asked.method, asked.json)


@pytest.mark.parametrize("body", [[], {"channels": "email"}, {"categories": ["news"]}, {"unsubscribeAll": "yes"}])
def test_what_cannot_be_preferences_is_not_sent(intilery: Connection, body: Any) -> None:
    with pytest.raises(RequestRefused):
        second.set_preferences(intilery, SUBSCRIPTION, body)


def test_an_empty_subscription_id_is_not_sent(intilery: Connection) -> None:
    with pytest.raises(RequestRefused, match="must not be empty"):
        second.preferences(intilery, " ")


def test_preferences_are_read() -> None:
    body = {
        "writeKey": "k",
        "customerId": 7,
        "channels": [{"channel": "email", "subscribed": True}, {"channel": "sms"}],
        "categories": [{"category": "news"}],
        "unsubscribeAll": False,
    }
    found = second.parse_preferences(says(body))
    assert ("7", {"email": True, "sms": False}, False) == (found.customer_id, found.channels, found.unsubscribe_all)
    assert ({"category": "news"},) == found.categories
    with pytest.raises(NothingThere, match="nobody has this subscriptionId"):
        second.parse_preferences(says({"message": "x"}, 404))
    assert None is second.parse_changed(says({}))  # type: ignore[func-returns-value]
