"""Each fault, as the client meets it."""

import gzip
import time
import zlib
from typing import Any

import pytest
import requests

from tests.sandbox.client import Client


@pytest.fixture
def feed(sandbox: Client) -> Client:
    """A sandbox with something to read."""
    sandbox.generate(3, at="-1m")
    return sandbox


def ids(sandbox: Client) -> list[str]:
    visible: list[str] = sandbox.control("GET", "/events")["visible"]
    return visible


def test_a_fault_meets_one_request_and_is_over(feed: Client) -> None:
    feed.fault("status", status=500)
    assert [500, 200] == [feed.ask().status_code, feed.ask().status_code]


def test_a_fault_may_meet_several(feed: Client) -> None:
    feed.fault("status", status=503, times=2)
    assert [503, 503, 200] == [feed.ask().status_code for _ in range(3)]


def test_a_fault_may_last_a_while(feed: Client) -> None:
    feed.fault("status", status=503, lasts="10s")
    assert [503, 503] == [feed.ask().status_code for _ in range(2)]
    feed.clock.now += 10_000
    assert 200 == feed.ask().status_code


def test_a_fault_may_be_for_one_operation_only(feed: Client) -> None:
    feed.fault("status", status=500, only="track")
    assert 200 == feed.ask().status_code
    assert 500 == feed.call("track", {"userId": "u1", "event": "x"}).status_code


def test_faults_come_in_the_order_of_their_setting(feed: Client) -> None:
    feed.fault("status", status=500)
    feed.fault("status", status=502)
    assert [500, 502, 200] == [feed.ask().status_code for _ in range(3)]


def test_faults_can_be_taken_back(feed: Client) -> None:
    feed.fault("status", times=5)
    feed.control("DELETE", "/faults")
    assert 200 == feed.ask().status_code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "authentication_error"),
        (403, "authentication_error"),
        (429, "rate_limit_error"),
        (500, "internal_server_error"),
        (502, "internal_server_error"),
        (503, "internal_server_error"),
        (504, "internal_server_error"),
    ],
)
def test_a_status_comes_in_the_documented_envelope(feed: Client, status: int, code: str) -> None:
    feed.fault("status", status=status)
    answer = feed.ask()
    assert (status, code) == (answer.status_code, answer.json()["error"]["code"])
    assert "x-amzn-RequestId" in answer.headers


def test_a_status_may_carry_headers(feed: Client) -> None:
    feed.fault("status", status=429, headers={"Retry-After": "7"})
    assert "7" == feed.ask().headers["Retry-After"]


def test_a_refused_call_was_not_processed(feed: Client) -> None:
    before = ids(feed)
    feed.fault("status", status=500)
    feed.call("track", {"userId": "u1", "event": "x"})
    assert before == ids(feed)


@pytest.mark.parametrize(
    ("fault", "kind", "body"),
    [
        ({"kind": "empty"}, "application/json", ""),
        ({"kind": "wrong_type"}, "application/json", '{"data":{"eventId":"not a list"}}'),
        ({"kind": "body", "body": '{"data":NaN}'}, "application/json", '{"data":NaN}'),
        ({"kind": "body", "body": "é", "content_type": "text/plain"}, "text/plain", "é"),
    ],
    ids=lambda fault: fault["kind"] if isinstance(fault, dict) else "",
)
def test_a_200_may_hold_nonsense(feed: Client, fault: dict[str, Any], kind: str, body: Any) -> None:
    feed.control("POST", "/faults", fault)
    answer = feed.ask()
    assert (200, kind, body) == (answer.status_code, answer.headers["Content-Type"], answer.content.decode())


def test_a_200_may_be_html(feed: Client) -> None:
    feed.fault("html")
    answer = feed.ask()
    assert (200, "text/html") == (answer.status_code, answer.headers["Content-Type"])


def test_truncated_is_half_an_answer_framed_as_a_whole(feed: Client) -> None:
    whole = feed.ask().content
    feed.fault("truncated")
    assert whole[: len(whole) // 2] == feed.ask().content


def test_cut_body_breaks_in_the_middle(feed: Client) -> None:
    feed.fault("cut_body")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        feed.ask()
    assert 200 == feed.ask().status_code


def test_cut_breaks_before_anything_was_done(feed: Client) -> None:
    before = ids(feed)
    feed.fault("cut")
    with pytest.raises(requests.ConnectionError):
        feed.call("track", {"userId": "u1", "event": "x"})
    assert before == ids(feed)


def test_lost_breaks_after_the_call_was_taken(feed: Client) -> None:
    before = ids(feed)
    feed.fault("lost")
    with pytest.raises(requests.ConnectionError):
        feed.call("track", {"userId": "u1", "event": "x"})
    assert len(before) + 1 == len(ids(feed))


def test_huge_is_megabytes_of_valid_json(feed: Client) -> None:
    feed.fault("huge", size=3)
    answer = feed.ask()
    assert 3_000_000 < len(answer.content)
    assert {"data": []} == answer.json()


def test_a_gzip_bomb_is_small_until_opened(feed: Client) -> None:
    feed.fault("gzip_bomb", size=20)
    answer = feed.http.get(
        feed.base + "/events", headers={"auth-token": "x", "content-type": "application/json"}, stream=True, timeout=10
    )
    packed = answer.raw.read(decode_content=False)
    assert "gzip" == answer.headers["Content-Encoding"]
    assert len(packed) < 40_000
    assert 20_000_000 < len(gzip.decompress(packed)) == len(zlib.decompress(packed, 31))


def test_drip_sends_byte_by_byte(feed: Client) -> None:
    feed.fault("drip", wait="1ms")
    began = time.monotonic()
    assert 3 == len(feed.feed())
    assert 0.5 < time.monotonic() - began


def test_slow_is_right_but_late(feed: Client) -> None:
    feed.fault("slow", wait="200ms")
    began = time.monotonic()
    assert 3 == len(feed.feed())
    assert 0.2 <= time.monotonic() - began


def test_redirect_leads_to_another_host_that_shows_what_followed(feed: Client) -> None:
    feed.fault("redirect")
    answer = feed.ask()
    assert (307, f"http://localhost:{feed.sandbox.port}/receiver/elsewhere") == (
        answer.status_code,
        answer.headers["Location"],
    )


def test_redirect_may_lead_anywhere(feed: Client) -> None:
    feed.fault("redirect", location="http://169.254.169.254/latest")
    assert "http://169.254.169.254/latest" == feed.ask().headers["Location"]


def test_skew_moves_the_date_of_one_answer_only(feed: Client) -> None:
    feed.fault("skew", wait="-1h")
    assert "Sun, 01 Nov 2026 11:00:00 GMT" == feed.ask().headers["Date"]
    assert "Sun, 01 Nov 2026 12:00:00 GMT" == feed.ask().headers["Date"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "statsu"}, "there is no fault 'statsu' - did you mean 'status'?"),
        ({"kind": "slow", "wiat": "3s"}, "there is no field of a fault 'wiat' - did you mean 'wait'?"),
        ({"kind": "slow", "wait": "soon"}, "expected a duration"),
    ],
)
def test_a_misspelt_fault_is_refused(feed: Client, given: dict[str, Any], said: str) -> None:
    answer = feed.post("/sandbox/faults", given)
    assert 400 == answer.status_code
    assert said in answer.json()["error"]
    assert [] == feed.control("GET", "/faults")
