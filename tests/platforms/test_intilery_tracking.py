"""What is written to Intilery: the documents' own calls go out as they stand, what they forbid does not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import FeedRefused, FeedUnavailable, RequestRefused
from connector.model import instant
from connector.platforms.bodies import LARGEST, LARGEST_ITEM
from connector.platforms.intilery import MARK, events, tracking
from connector.settings import Connection
from tests.platforms.conftest import Make
from tests.platforms.samples import TOKEN, answer, fixture, says, sent

BUILDERS = {
    "identify": tracking.identify,
    "track": tracking.track,
    "page": tracking.page,
    "screen": tracking.screen,
}


@pytest.mark.parametrize(
    ("method", "name"),
    [("identify", "identify"), ("track", "track-product-added"), ("page", "page"), ("screen", "screen")],
)
def test_the_documented_call_goes_out_as_it_stands(intilery: Connection, method: str, name: str) -> None:
    asked = sent(BUILDERS[method](intilery, fixture(f"intilery/{name}")))
    assert ("POST", f"/track/acme/acme/ACME/v1/{method}") == (asked.method, asked.path)
    assert (TOKEN, "application/json") == (asked.headers["auth-token"], asked.headers["content-type"])
    assert fixture(f"intilery/{name}") == asked.json


@pytest.mark.parametrize("method", ["identify", "page"])
def test_an_event_that_can_only_be_one_is_filled_in(intilery: Connection, method: str) -> None:
    asked = sent(BUILDERS[method](intilery, {"anonymousId": "a1", "traits": {}}))
    assert {"anonymousId": "a1", "traits": {}, "event": method} == asked.json


def test_a_body_is_made_of_what_is_given() -> None:
    made = tracking.call(
        user_id="u1", event="Paid", properties={"total": 3}, timestamp=instant("2026-11-01T12:00:00.5Z")
    )
    assert {
        "userId": "u1",
        "event": "Paid",
        "properties": {"total": 3},
        "timestamp": "2026-11-01T12:00:00.500Z",
    } == made


def test_what_carries_our_mark_is_known_as_our_own() -> None:
    made = tracking.marked({"userId": "u1", "event": "Paid", "context": {"ip": "1.2.3.4"}}, {"delivery": "dlv_1"})
    assert {"ip": "1.2.3.4", MARK: {"delivery": "dlv_1"}} == made["context"]
    seen = {"eventId": "e1", "eventAction": "paid", "rawData": made}
    assert events.to_event(seen, "intilery:a/a/A", "intilery.events", 0).own


@pytest.mark.parametrize(
    ("method", "body", "words"),
    [
        ("track", [], "the body must be a JSON object"),
        ("track", {"event": "X"}, "userId or anonymousId is needed"),
        ("track", {"event": "X", "userId": " "}, "userId or anonymousId is needed"),
        ("track", {"event": "X", "userId": 7}, "userId must be text, ids too"),
        ("track", {"userId": "u1"}, "event is needed"),
        ("track", {"userId": "u1", "event": "X", "properties": []}, "properties must be a JSON object"),
        ("track", {"userId": "u1", "event": "X", "timestamp": "yesterday"}, "timestamp must be a time"),
        ("track", {"userId": "u1", "event": "X", "timestamp": 1795225081}, "timestamp must be a time"),
        ("identify", {"userId": "u1"}, "traits are needed"),
        ("identify", {"userId": "u1", "traits": {}, "event": "Other"}, "event must be identify"),
        ("page", {"userId": "u1", "event": "Other"}, "event must be page"),
        ("screen", {"name": "Home"}, "userId or anonymousId is needed"),
        ("track", {"userId": "u1", "event": "X", "properties": {"n": float("nan")}}, "cannot be written as JSON"),
        ("track", {"userId": "u1", "event": "\ud800"}, "cannot be written as JSON"),
    ],
)
def test_what_the_documents_forbid_is_not_sent(intilery: Connection, method: str, body: Any, words: str) -> None:
    with pytest.raises(RequestRefused, match=words) as caught:
        BUILDERS[method](intilery, body)
    assert caught.value.arrived is False


def test_two_megabytes_are_not_sent(intilery: Connection) -> None:
    with pytest.raises(RequestRefused, match="at most 1,000,000 are taken"):
        tracking.track(intilery, {"userId": "u1", "event": "X", "properties": {"text": "x" * 2_000_000}})


# ── commands ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", tracking.COMMANDS)
def test_a_command_is_a_tracked_event_of_its_name(intilery: Connection, make: Make, name: str) -> None:
    body = {"userId": "u1", "assetId": "a1", "discount": 5, "properties": {"journeyIdToTrigger": "j1"}}
    asked = sent(tracking.command(intilery, name, body))
    assert ("/track/acme/acme/ACME/v1/track", {**body, "event": name}) == (asked.path, asked.json)
    upper = sent(tracking.command(make("intilery", dialect={"command_names": "upper"}), name, body))
    assert name.upper() == upper.json["event"]


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("send_fax", {}, "a command is one of send_email"),
        ("send_sms", {"assetId": "a1"}, "send_sms needs a userId"),
        ("send_sms", {"userId": "u1"}, "send_sms needs an assetId"),
        ("send_print", {"userId": "u1", "assetId": 7}, "assetId must be text"),
        ("start_journey", {"userId": "u1"}, "needs properties.journeyIdToTrigger"),
    ],
)
def test_a_command_that_lacks_something_is_not_sent(intilery: Connection, name: str, body: Any, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        tracking.command(intilery, name, body)


# ── several at once ───────────────────────────────────────────────────────────────────────────


def test_the_documented_batch_goes_out_as_it_stands(intilery: Connection) -> None:
    asked = sent(tracking.batch(intilery, fixture("intilery/batch")))
    assert ("/track/acme/acme/ACME/v1/batch", fixture("intilery/batch")) == (asked.path, asked.json)
    items = fixture("intilery/batch")["batch"]
    assert {"batch": items} == sent(tracking.batch(intilery, items)).json


def test_a_batch_can_name_its_calls_as_segment_does(make: Make) -> None:
    connection = make("intilery", dialect={"batch_item": "both"})
    asked = sent(tracking.batch(connection, fixture("intilery/batch")))
    assert ["identify", "track", "identify", "track"] == [one["type"] for one in asked.json["batch"]]
    assert fixture("intilery/batch")["batch"][1] == {
        name: value for name, value in asked.json["batch"][1].items() if name != "type"
    }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "batch must be a list with at least one item"),
        ({}, "batch must be a list"),
        ([{"userId": "u1"}], "event is needed"),
        ([{"event": "X", "userId": "u1"}, 7], r"batch\[1\] must be a JSON object"),
        ([{"event": "identify", "userId": "u1"}], "traits are needed"),
        ([{"event": "X", "userId": "u1", "properties": {"t": "x" * 32_000}}], r"batch\[0\] has more than 32,000 bytes"),
        ([{"event": "X", "userId": "u1", "properties": {"t": "x" * 30_000}}] * 40, "at most 1,000,000 are taken"),
    ],
)
def test_a_batch_that_would_be_refused_is_not_sent(intilery: Connection, body: Any, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        tracking.batch(intilery, body)


@given(sizes=st.lists(st.integers(0, 40_000), max_size=120))
def test_calls_are_put_together_as_far_as_a_batch_may_go(sizes: list[int]) -> None:
    calls = [{"userId": "u", "event": "X", "n": n, "t": "x" * size} for n, size in enumerate(sizes)]
    lots = list(tracking.batches(calls))
    assert calls == [call for lot in lots for call in lot]
    for lot in lots:
        whole = len(json.dumps({"batch": lot}, separators=(",", ":")))
        largest = max(len(json.dumps(call, separators=(",", ":"))) for call in lot)
        assert whole <= LARGEST
        assert largest <= LARGEST_ITEM or len(lot) == 1


# ── answers ───────────────────────────────────────────────────────────────────────────────────


def test_the_documented_acknowledgement_names_the_event() -> None:
    assert (
        "7f7211bf-94c8-4bfc-afb2-8a319d045cd6" == tracking.parse_accepted(answer("intilery/tracking-accepted")).event_id
    )
    assert "delivered" == tracking.judge(answer("intilery/tracking-accepted")).outcome


def test_the_documented_refusal_is_final() -> None:
    refused = answer("intilery/tracking-refused", 400)
    with pytest.raises(FeedUnavailable, match="it says: userId must not be empty"):
        tracking.parse_accepted(refused)
    verdict = tracking.judge(refused)
    assert ("dead", "HTTP 400: userId must not be empty [x-amzn-RequestId req-1]") == (verdict.outcome, verdict.reason)


def test_success_false_is_none_whatever_the_status() -> None:
    no = says({"success": False, "message": "no such brand"})
    with pytest.raises(FeedUnavailable, match="the platform says no; it says: no such brand"):
        tracking.parse_accepted(no)
    assert "dead" == tracking.judge(no).outcome


@pytest.mark.parametrize("body", [b"<html>", b"[1", b"\xff"])
def test_a_success_that_the_platform_did_not_say_is_tried_again(body: bytes) -> None:
    assert "retry" == tracking.judge(says(body)).outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (401, "refused"), (403, "refused"), (404, "dead"), (410, "refused"), (413, "dead"), (408, "retry"),
        (425, "retry"), (429, "throttled"), (500, "retry"), (502, "retry"), (503, "retry"), (504, "retry"),
        (301, "dead"), (418, "dead"),
    ],
)  # fmt: skip
def test_a_status_means_what_it_says(status: int, outcome: str) -> None:
    assert outcome == tracking.judge(says(b"", status)).outcome


def test_a_token_that_may_not_write_is_refused() -> None:
    with pytest.raises(FeedRefused, match="mend auth_token"):
        tracking.parse_accepted(says({"success": False, "message": "No Token Supplied"}, 403))
