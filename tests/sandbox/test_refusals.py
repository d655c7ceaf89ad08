"""Who is refused and how: tokens, content types, sizes, rates, paths, and the shapes of errors."""

from typing import Any

import pytest
import requests

from tests.sandbox.client import Client

TRACK = {"userId": "u1", "event": "Logged In"}


def send(sandbox: Client, method: str, path: str, **headers: str) -> requests.Response:
    return sandbox.http.request(method, sandbox.base + path, headers=headers, timeout=10)


@pytest.mark.parametrize("token", [{}, {"auth-token": ""}, {"auth-token": "invalid"}], ids=["none", "empty", "invalid"])
def test_reading_without_a_good_token_is_a_401(sandbox: Client, token: Any) -> None:
    answer = send(sandbox, "GET", "/events", **token, **{"content-type": "application/json"})
    assert 401 == answer.status_code
    assert {"error": {"code": "authentication_error", "message": "No valid Access Secret provided."}} == answer.json()


@pytest.mark.parametrize(("token", "message"), [("", "No Token Supplied"), ("invalid", "Token Not Authorised")])
def test_writing_without_a_good_token_is_a_403(sandbox: Client, token: Any, message: str) -> None:
    answer = sandbox.call("track", TRACK, **{"auth-token": token})
    assert (403, {"success": False, "message": message}) == (answer.status_code, answer.json())


@pytest.mark.parametrize("status", [401, 403])
def test_the_status_for_a_bad_token_is_a_switch(sandbox: Client, status: int) -> None:
    sandbox.switch(auth_status=str(status))
    assert status == sandbox.call("track", TRACK, **{"auth-token": "invalid"}).status_code
    assert status == send(sandbox, "GET", "/events").status_code


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("error", {"error": {"code": "validation_error", "message": "size must be between 1 and 100"}}),
        ("success", {"success": False, "message": "size must be between 1 and 100"}),
        ("gateway", {"message": "size must be between 1 and 100"}),
    ],
)
def test_errors_come_in_either_envelope(sandbox: Client, shape: str, expected: Any) -> None:
    sandbox.switch(envelope=shape)
    assert expected == sandbox.ask(size=0).json()


def test_errors_may_come_as_html(sandbox: Client) -> None:
    sandbox.switch(envelope="html")
    answer = sandbox.ask(size=0)
    assert (400, "text/html") == (answer.status_code, answer.headers["Content-Type"])
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize("kind", [{}, {"content-type": "text/plain"}], ids=["none", "text"])
def test_the_content_type_must_be_json_on_get_too(sandbox: Client, kind: dict[str, str]) -> None:
    answer = send(sandbox, "GET", "/events", **{"auth-token": "x"}, **kind)
    assert (400, "invalid_request_error") == (answer.status_code, answer.json()["error"]["code"])


def test_a_content_type_may_name_a_charset(sandbox: Client) -> None:
    headers = {"auth-token": "x", "content-type": "application/json; charset=utf-8"}
    assert 200 == send(sandbox, "GET", "/events", **headers).status_code


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("GET", "/track"), ("POST", "/events"), ("GET", "/events/more"), ("GET", "")],
)
def test_what_is_not_documented_is_not_found(sandbox: Client, method: str, path: str) -> None:
    headers = {"auth-token": "x", "content-type": "application/json"}
    assert 404 == send(sandbox, method, path, **headers).status_code


def test_a_megabyte_is_taken_and_one_byte_more_is_not(sandbox: Client) -> None:
    start = b'{"userId":"u1","event":"Big","properties":{"x":"'
    fitting = start + b"x" * (1_000_000 - len(start) - 3) + b'"}}'
    assert 200 == sandbox.call("track", fitting).status_code
    answer = sandbox.call("track", fitting + b" ")
    assert (413, {"success": False, "message": "Request too large"}) == (answer.status_code, answer.json())


def test_the_limit_may_be_six_megabytes(sandbox: Client) -> None:
    sandbox.switch(body_limit="6mb")
    assert 200 == sandbox.call("track", b'{"userId":"u1","event":"Big"}' + b" " * 5_000_000).status_code
    assert 413 == sandbox.call("track", b'{"userId":"u1","event":"Big"}' + b" " * 6_000_000).status_code


def test_a_burst_of_500_is_served_then_100_a_second(sandbox: Client) -> None:
    statuses = [sandbox.ask(size=1).status_code for _ in range(501)]
    assert [200] * 500 + [429] == statuses
    sandbox.clock.now += 100
    assert [200] * 10 + [429] == [sandbox.ask(size=1).status_code for _ in range(11)]


def test_a_429_says_nothing_of_when_to_come_back(sandbox: Client) -> None:
    for _ in range(500):
        sandbox.ask(size=1)
    answer = sandbox.ask()
    assert {"error": {"code": "rate_limit_error", "message": "Rate limit exceeded"}} == answer.json()
    assert "Retry-After" not in answer.headers


def test_each_token_has_its_own_bucket(sandbox: Client) -> None:
    for _ in range(500):
        sandbox.ask(size=1)
    other = {"auth-token": "other", "content-type": "application/json"}
    assert 200 == send(sandbox, "GET", "/events", **other).status_code


def test_the_limit_can_be_lifted(sandbox: Client) -> None:
    sandbox.switch(rate_limit="off")
    assert {200} == {sandbox.ask(size=1).status_code for _ in range(520)}
