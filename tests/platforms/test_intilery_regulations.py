"""Regulations in the shape of February 2021, and what the configuration can change of it."""

from typing import Any

import pytest

from connector.errors import FeedUnavailable, NothingThere, RequestRefused
from connector.model import instant
from connector.platforms.intilery import regulations
from connector.settings import Connection
from tests.platforms.conftest import Make
from tests.platforms.samples import says, sent


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("suppress_and_delete", "Suppress_With_Delete"),
        ("delete", "Delete"),
        ("unsuppress", "Unsuppress"),
        ("suppress", "Suppress"),
    ],
)
def test_a_regulation_names_its_users(intilery: Connection, kind: str, name: str) -> None:
    asked = sent(regulations.regulate(intilery, kind, ["u1", "ABC/123"]))
    assert ("POST", "/track/acme/acme/ACME/v1/regulations") == (asked.method, asked.path)
    assert {"regulation_type": name, "attributes": {"name": "userId", "values": ["u1", "ABC/123"]}} == asked.json


def test_types_path_and_token_are_the_configuration_s(make: Make) -> None:
    dialect = {
        "regulations_path": "/privacy/requests/",
        "regulation_types": {"no_track": "NoTrack", "suppress": "SUPPRESS_ONLY"},
        "regulations_token": "page",
    }
    connection = make("intilery", dialect=dialect)
    asked = sent(regulations.regulate(connection, "no_track", ["u1"]))
    assert ("/track/acme/acme/ACME/v1/privacy/requests", "NoTrack") == (asked.path, asked.json["regulation_type"])
    listed = sent(regulations.regulations(connection, kinds=["suppress", "delete"], page_token="2021-02-01"))
    assert [
        ("regulation_types", "SUPPRESS_ONLY"),
        ("regulation_types", "Delete"),
        ("page", "2021-02-01"),
    ] == listed.query


@pytest.mark.parametrize("kind", ["no_track", "track", "access", "erase"])
def test_a_type_that_never_had_a_name_is_not_sent(intilery: Connection, kind: str) -> None:
    with pytest.raises(RequestRefused, match="has no name on the wire that is known"):
        regulations.regulate(intilery, kind, ["u1"])


@pytest.mark.parametrize("users", [[], [" "], ["u"] * 5_001])
def test_nobody_and_too_many_are_not_sent(intilery: Connection, users: list[str]) -> None:
    with pytest.raises(RequestRefused, match="takes 1 to 5,000 userIds"):
        regulations.regulate(intilery, "suppress", users)


def test_one_is_asked_for_listed_and_taken_back_by_its_id(intilery: Connection) -> None:
    one = sent(regulations.regulation(intilery, "a/b"))
    back = sent(regulations.cancel_regulation(intilery, "a/b"))
    assert ("GET", "DELETE") == (one.method, back.method)
    assert ["regulations", "a/b"] == one.parts[-2:] == back.parts[-2:]
    listed = sent(regulations.regulations(intilery, status="failed", kinds=["suppress"]))
    assert [("status", "failed"), ("regulation_types", "Suppress")] == listed.query


# ── answers ───────────────────────────────────────────────────────────────────────────────────


def test_what_was_asked_for_has_an_id() -> None:
    assert "r1" == regulations.parse_requested(says({"regulate_id": "r1"}))
    with pytest.raises(FeedUnavailable, match="it has no regulate_id"):
        regulations.parse_requested(says({}))


STATUS: dict[str, Any] = {
    "workspace_id": "acme",
    "overall_status": "running",
    "stream_status": [
        {
            "id": "s1",
            "destination_status": [
                {"name": "S3", "id": "d1", "status": "failed", "err_string": "no bucket", "finished_at": ""},
                {"name": "Intilery", "id": "d2", "status": "running", "err_string": "", "finished_at": ""},
            ],
        }
    ],
    "created_at": "2021-02-01T10:00:00Z",
    "finished_at": "0001-01-01T00:00:00Z",
}


def test_how_one_fares_is_read_and_year_one_is_not_yet() -> None:
    found = regulations.parse_status(says(STATUS))
    assert ("running", instant("2021-02-01T10:00:00Z"), None) == (found.state, found.created, found.ended)
    assert ("S3: no bucket",) == found.failures
    over = regulations.parse_status(says({**STATUS, "finished_at": "2021-02-08T10:00:00Z"}))
    assert instant("2021-02-08T10:00:00Z") == over.ended
    with pytest.raises(FeedUnavailable, match="it has no overall_status"):
        regulations.parse_status(says({}))


def test_the_list_is_read_with_its_next_part() -> None:
    entry = {
        "regulate_id": "r1",
        "attributes": {"name": "userId", "values": ["u1", 7]},
        "status": "finished",
        "created_at": "2021-02-01T10:00:00Z",
        "finished_at": "2021-02-02T10:00:00Z",
    }
    page = regulations.parse_page(says({"entries": [entry, {**entry, "attributes": None}], "next_page_token": "t"}))
    assert ("t", ["r1", "r1"], ("u1", "7"), ()) == (
        page.next,
        [one.id for one in page.regulations],
        page.regulations[0].users,
        page.regulations[1].users,
    )
    assert ((), "") == (regulations.parse_page(says({"entries": None})).regulations, "")


def test_that_there_is_no_such_endpoint_today_is_told_with_what_to_do() -> None:
    for parse in (regulations.parse_requested, regulations.parse_page, regulations.parse_cancelled):
        with pytest.raises(NothingThere, match=r"see `regulations_path` under `dialect`, or use mode manual"):
            parse(says({"message": "Not Found"}, 404))
