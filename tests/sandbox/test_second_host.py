"""Intilery's second host: Segment's messages and marketing preferences."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.sandbox.client import Client

KEY = base64.b64encode(b"acme:acme:ACME").decode()
CHANNELS = [{"channel": "email", "subscribed": True}, {"channel": "sms", "subscribed": True}]


def post(sandbox: Client, path: str, body: Any, **headers: str) -> requests.Response:
    sent = {"data": body} if isinstance(body, bytes) else {"json": body}
    return sandbox.http.post(f"{sandbox.url}/cdp{path}", headers=headers, timeout=10, **sent)


def test_one_message_is_taken_for_the_account_of_its_key(sandbox: Client) -> None:
    message = {"type": "track", "userId": "u1", "event": "Song Played", "messageId": "m1"}
    assert 200 == post(sandbox, "/events/segment/t", {**message, "writeKey": KEY}).status_code
    [event] = sandbox.feed()
    assert ("song_played", "m1") == (event["eventAction"], event["rawData"]["messageId"])
    assert "writeKey" not in event["rawData"]


def test_a_phone_s_batch_is_taken_zipped_or_not(sandbox: Client) -> None:
    item = {"type": "identify", "userId": "u1", "traits": {"plan": "plus"}}
    body = json.dumps({"writeKey": KEY, "batch": [item]}).encode()
    zipped = {"content-encoding": "gzip"}
    assert 200 == post(sandbox, "/events/segment/mobile/batch", body).status_code
    assert 200 == post(sandbox, "/events/segment/mobile/batch", gzip.compress(body), **zipped).status_code
    assert ["identify", "identify"] == [event["eventAction"] for event in sandbox.feed()]


@pytest.mark.parametrize("key", [None, "", "!", base64.b64encode(b"acme").decode()])
def test_a_message_without_a_good_key_is_refused(sandbox: Client, key: Any) -> None:
    answer = post(sandbox, "/events/segment/t", {"type": "track", "userId": "u1", "event": "x", "writeKey": key})
    assert (400, "writeKey must not be empty") == (answer.status_code, answer.json()["message"])


def preferences(sandbox: Client) -> str:
    traits = {"marketingPreferences": {"channels": CHANNELS}}
    sandbox.call("identify", {"userId": "u1", "event": "identify", "traits": traits})
    subscription = sandbox.ask("/profiles/userId:u1/meta").json()["_subscriptionId"]
    return f"/cdp/marketing-preferences/{quote(subscription, safe='')}"


def test_a_subscription_id_shows_preferences_without_a_key(sandbox: Client) -> None:
    answer = sandbox.http.get(f"{sandbox.url}{preferences(sandbox)}?assetId=a1", timeout=10).json()
    assert (KEY, CHANNELS, [], False) == tuple(
        answer[name] for name in ("writeKey", "channels", "categories", "unsubscribeAll")
    )
    assert sandbox.ask("/profiles/userId:u1/traits").json()["id"] == answer["customerId"]


def test_preferences_can_be_changed(sandbox: Client) -> None:
    path = preferences(sandbox)
    wanted = {"channels": [{"channel": "sms", "subscribed": False}], "categories": [{"name": "offers"}]}
    assert 200 == sandbox.http.post(sandbox.url + path, json=wanted, timeout=10).status_code
    traits = sandbox.ask("/profiles/userId:u1/traits").json()
    assert [True, False] == [one["subscribed"] for one in traits["marketingPreferences"]["channels"]]
    assert [{"name": "offers"}] == sandbox.http.get(sandbox.url + path, timeout=10).json()["categories"]


def test_somebody_can_unsubscribe_from_all(sandbox: Client) -> None:
    path = preferences(sandbox)
    sandbox.http.post(sandbox.url + path, json={"unsubscribeAll": True, "unsubscribeReason": "too many"}, timeout=10)
    answer = sandbox.http.get(sandbox.url + path, timeout=10).json()
    assert (True, [False, False]) == (answer["unsubscribeAll"], [one["subscribed"] for one in answer["channels"]])


@pytest.mark.parametrize("subscription", ["x", base64.b64encode(b"acme:acme:nobody").decode()])
def test_an_unknown_subscription_is_not_found(sandbox: Client, subscription: str) -> None:
    preferences(sandbox)
    url = f"{sandbox.url}/cdp/marketing-preferences/{quote(subscription, safe='')}"
    assert 404 == sandbox.http.get(url, timeout=10).status_code


@pytest.mark.parametrize("wanted", [[], {"channels": {}}, {"categories": "all"}])
def test_preferences_that_cannot_be_are_refused(sandbox: Client, wanted: Any) -> None:
    assert 400 == sandbox.http.post(sandbox.url + preferences(sandbox), json=wanted, timeout=10).status_code


def test_more_than_a_megabyte_is_a_413(sandbox: Client) -> None:
    assert 413 == post(sandbox, "/events/segment/t", b"x" * 1_000_001).status_code


def test_nothing_else_is_there(sandbox: Client) -> None:
    assert 404 == post(sandbox, "/events/segment/x", {}).status_code
    assert 404 == sandbox.http.get(f"{sandbox.url}/cdp/events/segment/t", timeout=10).status_code
