"""The receiver: what it keeps, and each way it can misbehave."""

import time
from typing import Any

import pytest
import requests

from tests.sandbox.client import Client


def hook(
    sandbox: Client, path: str = "/receiver/crm", body: bytes = b'{"id":"e1"}', **headers: Any
) -> requests.Response:
    return sandbox.http.post(sandbox.url + path, data=body, headers=headers, timeout=10, allow_redirects=False)


def behave(sandbox: Client, **given: Any) -> None:
    sandbox.control("POST", "/receivers/crm", given)


def counts(sandbox: Client, name: str = "receivers/crm") -> dict[str, Any]:
    found: dict[str, Any] = sandbox.control("GET", f"/{name}/counts")
    return found


def test_a_webhook_is_answered_200_and_kept_as_it_came(sandbox: Client) -> None:
    answer = hook(sandbox, "/receiver/crm/notes/7?a=b", b'{"x":1}', **{"Webhook-Id": "dlv_1", "X-Odd": "é".encode()})
    assert (200, {}) == (answer.status_code, answer.json())
    [kept] = sandbox.control("GET", "/receivers/crm")
    assert ("POST", "/receiver/crm/notes/7?a=b", '{"x":1}', 200) == tuple(
        kept[name] for name in ("method", "path", "body", "status")
    )
    assert "dlv_1" == kept["headers"]["webhook-id"]
    assert "2026-11-01T12:00:00.000Z" == kept["at"]


def test_any_method_is_taken(sandbox: Client) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        sandbox.http.request(method, f"{sandbox.url}/receiver/crm", timeout=10)
    assert ["GET", "PUT", "PATCH", "DELETE"] == [one["method"] for one in sandbox.control("GET", "/receivers/crm")]


def test_slack_is_answered_ok_in_plain_text(sandbox: Client) -> None:
    answer = hook(sandbox, "/slack/sales", b'{"text":"Hi"}')
    assert (200, "ok") == (answer.status_code, answer.text)
    assert "text/plain" in answer.headers["Content-Type"]
    assert ['{"text":"Hi"}'] == [one["body"] for one in sandbox.control("GET", "/slack/sales")]


def test_names_do_not_mix(sandbox: Client) -> None:
    hook(sandbox, "/receiver/crm")
    hook(sandbox, "/slack/crm")
    hook(sandbox, "/slack/crm")
    assert {"receiver/crm": 1} == {n: c["requests"] for n, c in sandbox.control("GET", "/receivers").items()}
    assert {"slack/crm": 2} == {n: c["requests"] for n, c in sandbox.control("GET", "/slack").items()}


def test_counts_tell_repeated_webhook_ids(sandbox: Client) -> None:
    for webhook_id in ("a", "b", "a", "c", "a"):
        hook(sandbox, **{"webhook-id": webhook_id})
    assert {"requests": 5, "statuses": {"200": 5}, "ids": 3, "repeated": {"a": 3}} == counts(sandbox)


def test_what_came_is_read_in_pages_or_by_id(sandbox: Client) -> None:
    for n in range(5):
        hook(sandbox, body=str(n).encode(), **{"webhook-id": f"id{n % 2}"})
    assert ["1", "2"] == [one["body"] for one in sandbox.control("GET", "/receivers/crm?from=1&size=2")]
    assert ["1", "3"] == [one["body"] for one in sandbox.control("GET", "/receivers/crm?id=id1")]


def test_down_breaks_the_connection_and_keeps_nothing(sandbox: Client) -> None:
    behave(sandbox, down=True)
    with pytest.raises(requests.ConnectionError):
        hook(sandbox)
    assert [] == sandbox.control("GET", "/receivers/crm")
    assert {"0": 1} == counts(sandbox)["statuses"]


def test_down_for_ten_seconds_ends_by_itself(sandbox: Client) -> None:
    behave(sandbox, down=True, lasts="10s")
    with pytest.raises(requests.ConnectionError):
        hook(sandbox)
    sandbox.clock.now += 10_000
    assert 200 == hook(sandbox).status_code


def test_a_status_is_given_to_all_and_does_not_count_as_taken(sandbox: Client) -> None:
    behave(sandbox, status=503)
    assert [503, 503] == [hook(sandbox, **{"webhook-id": "a"}).status_code for _ in range(2)]
    assert 0 == counts(sandbox)["ids"]


def test_a_status_may_come_with_headers(sandbox: Client) -> None:
    behave(sandbox, status=429, headers={"Retry-After": "2"})
    assert "2" == hook(sandbox).headers["Retry-After"]


def test_fifteen_per_cent_fail_and_always_the_same_ones(sandbox: Client) -> None:
    rounds = []
    for _ in range(2):
        sandbox.control("DELETE", "/receivers/crm")
        behave(sandbox, fail=0.15)
        rounds.append([hook(sandbox).status_code for _ in range(200)])
    assert rounds[0] == rounds[1]
    assert 15 <= rounds[0].count(500) <= 45


def test_slow_answers_after_its_wait(sandbox: Client) -> None:
    behave(sandbox, wait="150ms")
    began = time.monotonic()
    assert 200 == hook(sandbox).status_code
    assert 0.15 <= time.monotonic() - began


def test_credentials_are_refused_until_they_are_right(sandbox: Client) -> None:
    behave(sandbox, authorization="Bearer right")
    assert 401 == hook(sandbox).status_code
    assert 401 == hook(sandbox, Authorization="Bearer wrong").status_code
    assert 200 == hook(sandbox, Authorization="Bearer right").status_code


def test_credentials_may_be_refused_with_another_status(sandbox: Client) -> None:
    behave(sandbox, authorization="Bearer right", status=403)
    assert 403 == hook(sandbox).status_code


def test_a_200_may_break_in_its_body(sandbox: Client) -> None:
    behave(sandbox, fault="cut_body")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        hook(sandbox, **{"webhook-id": "a"})
    assert 1 == counts(sandbox)["ids"]


def test_an_answer_may_be_lost_after_the_request_was_taken(sandbox: Client) -> None:
    behave(sandbox, fault="lost")
    with pytest.raises(requests.ConnectionError):
        hook(sandbox, **{"webhook-id": "a"})
    assert 1 == counts(sandbox)["ids"]


@pytest.mark.parametrize("fault", ["drip", "truncated"])
def test_an_answer_may_be_hurt_on_its_way(sandbox: Client, fault: str) -> None:
    behave(sandbox, fault=fault, body='{"taken":true}')
    assert '{"taken":true}'.startswith(hook(sandbox).text)


def test_a_fault_that_receivers_do_not_have_is_refused(sandbox: Client) -> None:
    answer = sandbox.post("/sandbox/receivers/crm", {"fault": "lsot"})
    assert "there is no fault of a receiver 'lsot' - did you mean 'lost'?" in answer.json()["error"]


def test_the_body_of_the_answer_can_be_chosen(sandbox: Client) -> None:
    behave(sandbox, body='{"id":7}')
    assert {"id": 7} == hook(sandbox).json()


def test_an_empty_behaviour_is_a_good_one(sandbox: Client) -> None:
    behave(sandbox, status=500)
    behave(sandbox)
    assert 200 == hook(sandbox).status_code


@pytest.mark.parametrize(
    ("status", "text"), [(400, "invalid_payload"), (404, "no_service"), (410, "channel_is_archived")]
)
def test_slack_says_why_it_refuses(sandbox: Client, status: int, text: str) -> None:
    sandbox.control("POST", "/slack/sales", {"status": status})
    answer = hook(sandbox, "/slack/sales")
    assert (status, text) == (answer.status_code, answer.text)


def test_a_misspelt_behaviour_is_refused(sandbox: Client) -> None:
    answer = sandbox.post("/sandbox/receivers/crm", {"stauts": 500})
    assert (400, "sandbox: there is no behaviour 'stauts' - did you mean 'status'?") == (
        answer.status_code,
        answer.json()["error"],
    )


def test_latency_is_counted_from_visible_in_the_feed_to_the_first_arrival(sandbox: Client) -> None:
    [first, second] = sandbox.inject({"event": "a"}, {"event": "b"})
    for wait, event_id in ((40, first), (10, second), (500, first)):
        sandbox.clock.now += wait
        hook(sandbox, body=f'{{"about":{{"id":"{event_id}"}}}}'.encode())
    hook(sandbox, body=b"not json")
    found = sandbox.control("GET", "/receivers/crm/latency?path=about.id")
    assert {"count": 2, "p50": 50, "p99": 50, "max": 50} == found


def test_latency_of_nothing_is_a_count_of_nothing(sandbox: Client) -> None:
    assert {"count": 0} == sandbox.control("GET", "/receivers/crm/latency")
