"""How the key travels: each generation its own way, never in an address by default, never seen."""

from typing import Any

import pytest

from connector.errors import RequestRefused
from connector.platforms.endpoint import ENDPOINTS, load_all
from connector.platforms.intempt import collections, people, project
from connector.settings import Connection
from tests.platforms.conftest import Make
from tests.platforms.samples import KEY, says, sent
from tests.platforms.vendor import BASIC

load_all()
CALLS = [
    pytest.param(row, example, id=f"{row.name} {path}")
    for row in ENDPOINTS.values()
    for path, example in row.paths.items()
    if row.platform == "intempt" and row.name != "service"
]


@pytest.mark.parametrize(("row", "example"), CALLS)
def test_each_generation_has_its_own_way(intempt: Connection, row: Any, example: Any) -> None:
    asked = sent(row.build(intempt, **example))
    expected = BASIC if "/projects/" in asked.path else f"ApiKey {KEY}"
    assert expected == asked.headers["authorization"]
    assert KEY not in asked.path + str(asked.query)


@pytest.mark.parametrize(("row", "example"), CALLS)
def test_the_configuration_can_choose_one_way_for_all(make: Make, row: Any, example: Any) -> None:
    for way, header in (("basic", BASIC), ("apikey", f"ApiKey {KEY}"), ("query", None)):
        asked = sent(row.build(make("intempt", dialect={"auth": way}), **example))
        assert header == asked.headers.get("authorization")
        assert ([KEY] if way == "query" else []) == [value for name, value in asked.query if name == "apiKey"]


@pytest.mark.parametrize("way", ["generation", "basic", "apikey", "query"])
def test_no_request_shows_the_key(make: Make, way: str) -> None:
    connection = make("intempt", dialect={"auth": way})
    for request in (people.matches(connection, profile="1"), ENDPOINTS["intempt", "feeds"].build(connection)):
        assert KEY not in repr(request)
        assert "secret" not in repr(request)


def test_the_service_root_gets_no_key(intempt: Connection) -> None:
    asked = sent(people.service(intempt))
    assert ("GET", "https://api.intempt.com", "/") == (asked.method, asked.host, asked.path)
    assert "authorization" not in asked.headers


@pytest.mark.parametrize("key", ["nodot", ".secret", "identifier.", "."])
def test_a_key_that_has_no_two_halves_is_not_sent(make: Make, key: str) -> None:
    connection = make("intempt", api_key=key)
    with pytest.raises(RequestRefused, match="not of the form identifier") as caught:
        sent(ENDPOINTS["intempt", "feeds"].build(connection))
    assert "secret." not in str(caught.value).replace("identifier.secret", "")


def test_a_key_is_split_at_its_first_dot(make: Make) -> None:
    import base64

    asked = sent(ENDPOINTS["intempt", "feeds"].build(make("intempt", api_key="a.b.c:d")))
    assert b"a:b.c:d" == base64.b64decode(asked.headers["authorization"].removeprefix("Basic "))


def test_without_a_project_what_is_below_one_is_not_asked(make: Make) -> None:
    connection = make("intempt", project=None)
    with pytest.raises(RequestRefused, match=r"connections.intempt has no project"):
        ENDPOINTS["intempt", "feeds"].build(connection)
    assert "/v1/my-org/collections/7/data" == sent(collections.items(connection, "7")).path


# ── what an answer means ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_is_final_only_when_it_is_the_third_in_a_row(status: int) -> None:
    body = {"errors": [{"message": "Can't create a collection for auto-event"}]}
    verdicts = [project.judge(says(body, status), refusals=n) for n in range(3)]
    assert ["retry", "retry", "dead"] == [one.outcome for one in verdicts]
    assert "auto-event; 1 of 3 in a row" in verdicts[0].reason


def test_201_with_nothing_is_a_success() -> None:
    for answer in (says(None, 201), says({}), says({"track": []}), says(None, 204)):
        assert "delivered" == project.judge(answer).outcome
    assert None is project.parse_taken(says(None, 201))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(401, "refused"), (402, "refused"), (403, "refused"), (404, "dead"), (405, "dead"), (410, "refused"),
     (500, "retry"), (503, "retry"), (307, "dead")],
)  # fmt: skip
def test_a_status_means_what_it_says(status: int, outcome: str) -> None:
    assert outcome == project.judge(says(b"", status)).outcome


def test_402_is_told_as_the_plan_s_limit() -> None:
    verdict = project.judge(says({"errors": [{"message": "analytics_limit_reached"}]}, 402))
    assert ("refused", "HTTP 402: analytics_limit_reached") == (verdict.outcome, verdict.reason)
    assert "the plan's limit is reached" in project.judge(says(None, 402)).reason


def test_an_empty_429_is_waited_for_as_its_limits_say() -> None:
    limits = {"x_ratelimit_replenish_rate": "5", "x_ratelimit_remaining": "0", "x_ratelimit_requested_tokens": "1"}
    verdict = project.judge(says(None, 429, **limits))
    assert ("throttled", 200) == (verdict.outcome, verdict.after)
