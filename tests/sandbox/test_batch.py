"""POST …/v1/page, screen and batch, and the Track Action Commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.client import Client

FIXTURES = Path(__file__).parent.parent / "fixtures" / "intilery"
ITEM = {"userId": "u1", "event": "Logged In"}


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def actions(sandbox: Client) -> list[str]:
    return [event["eventAction"] for event in sandbox.feed(sort="asc")]


@pytest.mark.parametrize("action", ["page", "screen"])
def test_the_page_s_example_is_accepted_and_shown(sandbox: Client, action: str) -> None:
    answer = sandbox.call(action, fixture(action)).json()
    [event] = sandbox.feed()
    assert (answer["eventId"], action) == (event["eventId"], event["eventAction"])
    assert fixture(action)["timestamp"] == event["eventTime"]


@pytest.mark.parametrize(
    ("action", "body", "message"),
    [
        ("page", {"userId": "u1"}, "event must not be empty"),
        ("page", {"userId": "u1", "event": "Home"}, "event must be page"),
        ("screen", {"name": "Home"}, "userId must not be empty"),
        ("screen", {"userId": "u1", "name": 5}, "name must be a string"),
        ("batch", {}, "batch must be an array"),
        ("batch", [], "batch must be an array"),
        ("batch", {"batch": [ITEM, {"event": "x"}]}, "batch[1]: userId must not be empty"),
        ("batch", {"batch": [5]}, "batch[0]: body must be a JSON object"),
        ("batch", b"{", "body must be JSON"),
    ],
)
def test_what_the_page_requires_is_required(sandbox: Client, action: str, body: Any, message: str) -> None:
    answer = sandbox.call(action, body)
    assert (400, {"success": False, "message": message}) == (answer.status_code, answer.json())
    assert [] == sandbox.feed()


# ── batch ─────────────────────────────────────────────────────────────────────────────────────


def test_the_page_s_batch_is_accepted_and_shown(sandbox: Client) -> None:
    answer = sandbox.call("batch", fixture("batch"))
    assert (200, set(fixture("tracking-accepted"))) == (answer.status_code, set(answer.json()))
    assert ["identify", "song_played", "identify", "song_played"] == actions(sandbox)
    cindy = sandbox.ask("/profiles/userId:971mj8mk7p/traits").json()
    assert ("Cindy Gonzalez", 23) == (cindy["name"], cindy["age"])


def test_the_batch_s_context_is_merged_into_each_call_s(sandbox: Client) -> None:
    call = {**ITEM, "context": {"ip": "24.5.68.47", "locale": "en"}}
    sandbox.call("batch", {"batch": [call, ITEM], "context": {"locale": "de", "device": {"type": "phone"}}})
    first, second = (event["rawData"]["context"] for event in sandbox.feed(sort="asc"))
    assert {"ip": "24.5.68.47", "locale": "en", "device": {"type": "phone"}} == first
    assert {"locale": "de", "device": {"type": "phone"}} == second


def test_items_may_say_what_they_are_as_segment_s_do(sandbox: Client) -> None:
    items = [
        {"type": "identify", "userId": "u1", "traits": {"plan": "plus"}},
        {"type": "track", "userId": "u1", "event": "Product Added", "properties": {"price": "5"}},
        {"type": "page", "userId": "u1", "name": "Home"},
        {"type": "screen", "userId": "u1", "name": "Home"},
        {"type": "group", "userId": "u1", "groupId": "g1"},
    ]
    assert 200 == sandbox.call("batch", {"batch": items}).status_code
    assert ["identify", "product_added", "page", "screen", "group"] == actions(sandbox)


def test_a_call_of_32_kb_is_taken_and_one_byte_more_is_not(sandbox: Client) -> None:
    item = {**ITEM, "properties": {"x": ""}}
    room = 32_000 - len(json.dumps(item, separators=(",", ":")))
    fitting = {**ITEM, "properties": {"x": "x" * room}}
    larger = {**ITEM, "properties": {"x": "x" * (room + 1)}}
    assert 200 == sandbox.call("batch", {"batch": [fitting]}).status_code
    answer = sandbox.call("batch", {"batch": [ITEM, larger]})
    assert (413, "batch[1]: a call must not be larger than 32000 bytes") == (
        answer.status_code,
        answer.json()["message"],
    )
    sandbox.switch(item_limit="400")
    assert 400 == sandbox.call("batch", {"batch": [larger]}).status_code


def test_a_batch_over_a_megabyte_is_a_413(sandbox: Client) -> None:
    item = {**ITEM, "properties": {"x": "x" * 30_000}}
    assert 413 == sandbox.call("batch", {"batch": [item] * 34}).status_code
    assert [] == sandbox.feed()


def test_a_bad_call_may_be_left_out_in_silence(sandbox: Client) -> None:
    sandbox.switch(batch_mistake="skipped")
    answer = sandbox.call("batch", {"batch": [{"event": "x"}, ITEM]})
    assert (200, ["logged_in"]) == (answer.status_code, actions(sandbox))


def test_a_batch_without_a_token_is_let_in_by_a_switch(sandbox: Client) -> None:
    def send(action: str, **headers: str) -> int:
        body = {"batch": [ITEM]} if action == "batch" else ITEM
        return sandbox.http.post(f"{sandbox.base}/{action}", json=body, headers=headers, timeout=10).status_code

    assert 403 == send("batch")
    sandbox.switch(batch_token="optional")
    assert (200, 403, 403) == (send("batch"), send("track"), send("batch", **{"auth-token": "invalid"}))


# ── commands ──────────────────────────────────────────────────────────────────────────────────


def commands(sandbox: Client) -> list[Any]:
    found: list[Any] = sandbox.control("GET", "/commands")
    return found


@pytest.mark.parametrize("name", ["send_email", "send_sms", "send_print", "send_push", "SEND_SMS"])
def test_a_command_to_send_is_carried_out_with_its_merge_data(sandbox: Client, name: str) -> None:
    call = {"userId": "u1", "event": name, "assetId": "a1", "voucher": "PICNIC10"}
    assert 200 == sandbox.call("track", call).status_code
    [one] = commands(sandbox)
    assert (name.lower(), call, "2026-11-01T12:00:00.000Z") == (one["command"], one["call"], one["at"])


def test_a_command_to_start_a_journey_is_carried_out(sandbox: Client) -> None:
    call = {"userId": "u1", "event": "start_journey", "properties": {"journeyIdToTrigger": "j1"}}
    assert 200 == sandbox.call("track", call).status_code
    assert ["start_journey"] == [one["command"] for one in commands(sandbox)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"userId": "u1", "event": "send_email"}, "assetId must not be empty"),
        ({"anonymousId": "a1", "event": "send_email", "assetId": "x"}, "userId must not be empty"),
        ({"userId": "u1", "event": "start_journey"}, "properties.journeyIdToTrigger must not be empty"),
    ],
)
def test_a_command_needs_what_the_page_says(sandbox: Client, call: Any, message: str) -> None:
    answer = sandbox.call("track", call)
    assert (400, message, []) == (answer.status_code, answer.json()["message"], commands(sandbox))


@pytest.mark.parametrize(("spelling", "name"), [("lower", "send_sms"), ("upper", "SEND_SMS")])
def test_only_one_spelling_may_be_a_command(sandbox: Client, spelling: str, name: str) -> None:
    sandbox.switch(command_names=spelling)
    for sent in ("send_sms", "SEND_SMS"):
        assert 200 == sandbox.call("track", {"userId": "u1", "event": sent, "assetId": "a1"}).status_code
    assert [name] == [one["call"]["event"] for one in commands(sandbox)]
