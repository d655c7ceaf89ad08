"""Who may ask Intempt, how often, and the shapes of its refusals."""

import base64
import gzip
import json
from typing import Any

import pytest
import requests

from tests.sandbox.client import Client, Start
from tests.sandbox.intempt import KEY, PROFILES, SOURCE, Intempt, error

BASIC = {"Authorization": f"Basic {base64.b64encode(b'pfx.with:secret').decode()}"}
ENTRY = {"track": [{"name": "Purchase", "payload": [{"userId": "u1"}]}]}
MATCHES = f"events/matches?profileId={PROFILES[0]}"


@pytest.mark.parametrize("path", ["", "/"])
def test_the_root_says_that_it_is_there(sandbox: Client, path: str) -> None:
    answer = sandbox.http.get(sandbox.url + path, timeout=10).json()
    assert ("metadata", "v1", "ok") == (answer["service"], answer["version"], answer["status"])
    assert {"sources", "collections"} == set(answer["_links"])


def test_a_browser_sees_what_is_here(sandbox: Client) -> None:
    answer = sandbox.http.get(sandbox.url, headers={"accept": "text/html"}, timeout=10)
    assert answer.headers["content-type"].startswith("text/plain")
    assert "/receiver/<name>" in answer.text


@pytest.mark.parametrize("headers", [KEY, BASIC], ids=["apikey", "basic"])
def test_both_forms_of_a_key_are_taken_on_both_generations(intempt: Intempt, headers: dict[str, str]) -> None:
    assert 200 == intempt.ask("GET", MATCHES, headers=headers).status_code
    assert 201 == intempt.ask("POST", "/track", ENTRY, headers=headers).status_code


@pytest.mark.parametrize("name", ["apiKey", "api_key"])
def test_a_key_in_the_query_is_taken_but_shown_nowhere(intempt: Intempt, name: str) -> None:
    answer = intempt.ask("GET", MATCHES, headers={}, params={name: "pfx.canary"})
    assert 200 == answer.status_code
    assert "canary" not in json.dumps(intempt.client.control("GET", "/requests"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "ApiKey invalid"},
        {"Authorization": "ApiKey pfx.invalid"},
        {"Authorization": "Bearer pfx.secret"},
        {"Authorization": "Basic !"},
        {"Authorization": f"Basic {base64.b64encode(b':').decode()}"},
        {"Authorization": f"Basic {base64.b64encode(b'invalid:secret').decode()}"},
    ],
)
def test_without_a_good_key_it_is_a_401(intempt: Intempt, headers: dict[str, str]) -> None:
    assert (401, "Your API key is wrong.") == error(intempt.ask("GET", MATCHES, headers=headers))
    assert 401 == intempt.ask("POST", "/track", ENTRY, headers=headers).status_code
    assert [] == intempt.tracked()


@pytest.mark.parametrize(
    ("form", "organization", "project"),
    [
        ("basic", (401, 200, 401), (401, 201, 401)),
        ("apikey", (200, 401, 401), (201, 401, 401)),
        ("query", (401, 401, 200), (401, 401, 201)),
        ("generation", (200, 401, 401), (401, 201, 401)),
    ],
)
def test_only_one_form_may_be_taken(intempt: Intempt, form: str, organization: Any, project: Any) -> None:
    intempt.switch(intempt_auth=form)
    forms: list[dict[str, Any]] = [{"headers": KEY}, {"headers": BASIC}, {"headers": {}, "params": {"apiKey": "a.b"}}]
    assert organization == tuple(intempt.ask("GET", MATCHES, **one).status_code for one in forms)
    assert project == tuple(intempt.ask("POST", "/track", ENTRY, **one).status_code for one in forms)


def test_a_hundred_at_once_then_fifty_a_second(intempt: Intempt) -> None:
    statuses = [intempt.ask("GET", MATCHES).status_code for _ in range(101)]
    assert [200] * 100 + [429] == statuses
    intempt.client.clock.now += 100
    assert [200] * 5 + [429] == [intempt.ask("GET", MATCHES).status_code for _ in range(6)]


def test_a_429_has_no_body_and_says_what_the_limit_is(intempt: Intempt) -> None:
    intempt.switch(intempt_rate="5")
    answer = [intempt.ask("GET", MATCHES) for _ in range(11)][-1]
    limits = {name: value for name, value in answer.headers.items() if name.startswith("X-RateLimit-")}
    assert (429, b"", None) == (answer.status_code, answer.content, answer.headers.get("Retry-After"))
    assert {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Replenish-Rate": "5",
        "X-RateLimit-Burst-Capacity": "10",
        "X-RateLimit-Requested-Tokens": "1",
    } == limits


def test_each_key_has_its_own_limit_and_it_can_be_lifted(intempt: Intempt) -> None:
    intempt.switch(intempt_rate="5")
    assert 429 == [intempt.ask("GET", MATCHES).status_code for _ in range(11)][-1]
    assert 200 == intempt.ask("GET", MATCHES, headers=BASIC).status_code
    intempt.switch(intempt_rate="off")
    answer = [intempt.ask("GET", MATCHES) for _ in range(150)][-1]
    assert (200, None) == (answer.status_code, answer.headers.get("X-RateLimit-Remaining"))


@pytest.mark.parametrize(
    ("status", "said"),
    [(402, "analytics_limit_reached"), (400, "Can't create a collection for auto-event"), (503, "We're temporarily")],
)
def test_a_fault_comes_in_its_shape_and_passes(intempt: Intempt, status: int, said: str) -> None:
    intempt.client.fault("status", status=status, only="intempt.track")
    answer = intempt.track("Purchase", userId="u1")
    assert status == answer.status_code
    assert answer.json()["errors"][0]["message"].startswith(said)
    assert 201 == intempt.track("Purchase", userId="u1").status_code


def test_a_429_can_be_had_as_a_fault(intempt: Intempt) -> None:
    intempt.client.fault("status", status=429, only="intempt.matches")
    answer = intempt.ask("GET", MATCHES)
    assert (429, b"", "100") == (answer.status_code, answer.content, answer.headers["X-RateLimit-Remaining"])


def test_a_lost_answer_was_processed(intempt: Intempt) -> None:
    intempt.client.fault("lost", only="intempt.track")
    with pytest.raises(requests.ConnectionError):
        intempt.track("Purchase", userId="u1")
    assert 1 == len(intempt.tracked())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("GET", "", 404),
        ("GET", "/track", 405),
        ("GET", "track", 404),
        ("POST", "events/matches", 405),
        ("PATCH", "collections", 405),
        ("GET", f"/sources/{SOURCE}/track", 405),
        ("POST", "/collections", 404),
        ("GET", "collections/abc", 400),
        ("GET", "collections/99999999999999999999", 400),
        ("GET", "collections/7", 404),
    ],
)
def test_what_is_not_documented_is_not_there(intempt: Intempt, method: str, path: str, status: int) -> None:
    assert status == intempt.ask(method, path).status_code


def test_only_json_is_answered(intempt: Intempt) -> None:
    for accept, status in (("text/csv", 406), ("application/hal+json", 200), ("*/*", 200)):
        assert status == intempt.ask("GET", MATCHES, headers=KEY | {"accept": accept}).status_code


def test_a_zipped_body_is_a_400(intempt: Intempt) -> None:
    body, zipped = gzip.compress(json.dumps(ENTRY).encode()), {**KEY, "content-encoding": "gzip"}
    assert 400 == intempt.ask("POST", "/track", body, headers=zipped).status_code
    assert [] == intempt.tracked()


def test_more_than_a_megabyte_is_a_413(intempt: Intempt) -> None:
    start = b'{"track":[]}'
    assert 201 == intempt.ask("POST", "/track", start + b" " * (1_000_000 - len(start))).status_code
    assert 413 == intempt.ask("POST", "/track", start + b" " * 1_000_000).status_code


def test_any_names_are_served_each_with_its_own(intempt: Intempt) -> None:
    intempt.track("Purchase", userId="u1")
    url = f"{intempt.client.url}/v1/other/projects/p/track"
    assert 201 == intempt.client.http.post(url, json=ENTRY, headers=BASIC, timeout=10).status_code
    assert {"acme", "other"} == set(intempt.client.control("GET", "")["organizations"])
    assert 1 == len(intempt.tracked())


def test_requests_are_counted_by_operation(intempt: Intempt) -> None:
    intempt.ask("GET", MATCHES)
    intempt.track("Purchase", userId="u1")
    counts = intempt.client.control("GET", "/requests")["counts"]
    assert {"intempt.matches": {"200": 1}, "intempt.track": {"201": 1}} == counts


def test_reset_forgets_organisations_and_limits(start: Start) -> None:
    intempt = Intempt(start(switches={"intempt_rate": "5"}))
    for _ in range(11):
        intempt.ask("GET", MATCHES)
    intempt.person(profileIds=["7"])
    intempt.client.control("POST", "/reset")
    assert (404, 200) == tuple(
        intempt.ask("GET", f"events/matches?profileId={id}").status_code for id in (7, PROFILES[0])
    )
