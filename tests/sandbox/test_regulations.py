"""POST, GET, DELETE …/v1/regulations: gone, or in the shape that was documented in 2021."""

from typing import Any

import pytest
import requests

from tests.sandbox.client import HEADERS, Client, Start

DAY = 86_400_000
SUPPRESS = {"regulation_type": "Suppress_With_Delete", "attributes": {"name": "userId", "values": ["u1"]}}


@pytest.fixture
def served(start: Start) -> Client:
    return start(switches={"regulations": "historical"})


def send(sandbox: Client, method: str, path: str = "", body: Any = None, **params: Any) -> requests.Response:
    url = f"{sandbox.base}/regulations{path}"
    return sandbox.http.request(method, url, json=body, params=params, headers=HEADERS, timeout=10)


def request(sandbox: Client, kind: str = "Suppress_With_Delete", *users: str) -> str:
    attributes = {"name": "userId", "values": list(users or ("u1",))}
    answer = send(sandbox, "POST", "", {"regulation_type": kind, "attributes": attributes})
    assert 200 == answer.status_code, answer.text
    return str(answer.json()["regulate_id"])


def test_by_default_nothing_is_there(sandbox: Client) -> None:
    assert {404} == {
        send(sandbox, *asked).status_code for asked in (("POST", "", SUPPRESS), ("GET",), ("DELETE", "/x"))
    }


def test_a_request_goes_through_its_states_in_days(served: Client) -> None:
    id = request(served)
    seen = []
    for _ in range(4):
        answer = send(served, "GET", f"/{id}").json()
        seen.append((answer["overall_status"], answer["finished_at"]))
        served.clock.now += 2 * DAY
    never = "0001-01-01T00:00:00Z"
    done = "2026-11-05T12:00:00.000Z"
    assert [("initialized", never), ("running", never), ("finished", done), ("finished", done)] == seen
    place = answer["stream_status"][0]["destination_status"][0]
    assert {"name", "id", "status", "err_string", "finished_at"} == set(place)


def test_a_finished_one_has_deleted_and_suppresses(served: Client) -> None:
    served.call("track", {"userId": "u1", "event": "Logged In"})
    request(served)
    served.call("track", {"userId": "u1", "event": "Logged In"})
    assert 2 == len(served.feed())
    served.clock.now += 4 * DAY
    assert [] == served.feed()
    assert served.call("track", {"userId": "u1", "event": "Logged In"}).json()["success"] is True
    assert [] == served.feed()
    assert 404 == served.ask("/profiles/userId:u1/traits").status_code


def test_an_unsuppressed_user_is_recorded_again(served: Client) -> None:
    request(served, "Suppress")
    served.clock.now += 4 * DAY
    request(served, "Unsuppress")
    served.clock.now += 4 * DAY
    served.call("track", {"userId": "u1", "event": "Logged In"})
    assert 1 == len(served.feed())


def test_one_may_fail(served: Client) -> None:
    served.switch(regulation_end="failed", regulation_pace="1s")
    served.call("track", {"userId": "u1", "event": "Logged In"})
    id = request(served)
    served.clock.now += 2_000
    assert ("failed", 1) == (send(served, "GET", f"/{id}").json()["overall_status"], len(served.feed()))


def test_only_who_is_suppressed_may_be_deleted(served: Client) -> None:
    served.switch(regulation_delete="suppressed")
    body = {"regulation_type": "Delete", "attributes": {"name": "userId", "values": ["u1"]}}
    answer = send(served, "POST", "", body)
    assert (400, "u1 is not suppressed") == (answer.status_code, answer.json()["message"])
    request(served, "Suppress")
    served.clock.now += 4 * DAY
    assert 200 == send(served, "POST", "", body).status_code


def test_only_what_has_not_begun_can_be_taken_back(served: Client) -> None:
    first, second = request(served), request(served)
    assert 200 == send(served, "DELETE", f"/{first}").status_code
    assert 404 == send(served, "GET", f"/{first}").status_code
    served.clock.now += 3 * DAY
    answer = send(served, "DELETE", f"/{second}")
    assert (400, "a regulation that is running cannot be deleted") == (answer.status_code, answer.json()["message"])


def test_the_list_is_filtered_and_paged(served: Client) -> None:
    kinds = ["Suppress", "Delete"] * 60
    ids = [request(served, kind, f"u{n}") for n, kind in enumerate(kinds)]
    first = send(served, "GET").json()
    rest = send(served, "GET", next_page_token=first["next_page_token"]).json()
    assert (ids, "") == ([one["regulate_id"] for one in first["entries"] + rest["entries"]], rest["next_page_token"])
    chosen = send(served, "GET", status="initialized", regulation_types="Delete").json()["entries"]
    assert (60, ["u1"]) == (len(chosen), chosen[0]["attributes"]["values"])
    assert [] == send(served, "GET", status="failed").json()["entries"]


def test_several_types_can_be_listed(served: Client) -> None:
    for kind in ("Suppress", "Delete", "Unsuppress"):
        request(served, kind)
    answer = send(served, "GET", regulation_types=["Suppress", "Delete"]).json()
    assert 2 == len(answer["entries"])


def test_an_answer_lost_after_acceptance_leaves_one_that_only_the_list_shows(served: Client) -> None:
    served.fault("lost", only="regulations")
    with pytest.raises(requests.ConnectionError):
        send(served, "POST", "", SUPPRESS)
    assert [["u1"]] == [one["attributes"]["values"] for one in send(served, "GET").json()["entries"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "regulation_type must be one of"),
        (SUPPRESS | {"regulation_type": "NoTrack"}, "regulation_type must be one of"),
        (SUPPRESS | {"attributes": {"name": "objectId", "values": ["x"]}}, "attributes must have the name userId"),
        (SUPPRESS | {"attributes": {"name": "userId", "values": []}}, "attributes must have the name userId"),
        (SUPPRESS | {"attributes": {"name": "userId", "values": ["u"] * 5_001}}, "at most 5000 values in a request"),
    ],
)
def test_what_is_no_regulation_is_refused(served: Client, body: Any, said: str) -> None:
    answer = send(served, "POST", "", body)
    assert 400 == answer.status_code
    assert said in answer.json()["message"]


def test_what_is_no_json_is_refused(served: Client) -> None:
    answer = served.http.post(f"{served.base}/regulations", data=b"{", headers=HEADERS, timeout=10)
    assert (400, "body must be JSON") == (answer.status_code, answer.json()["message"])


def test_four_megabytes_are_taken_and_more_are_not(served: Client) -> None:
    body = {**SUPPRESS, "attributes": {"name": "userId", "values": ["x" * 3_999_800]}}
    assert 200 == send(served, "POST", "", body).status_code
    body["attributes"] = {"name": "userId", "values": ["x" * 4_000_000]}
    assert 413 == send(served, "POST", "", body).status_code


def test_what_was_requested_can_be_seen(served: Client) -> None:
    request(served, "Suppress", "u1", "u2")
    served.clock.now += 4 * DAY
    seen = served.control("GET", "/regulations")
    assert (["u1", "u2"], "Suppress") == (seen["suppressed"], seen["entries"][0]["regulation_type"])
