"""Matches and segmentations: the documents' own answers, and what else may come."""

from typing import Any

import pytest

from connector.errors import FeedRefused, FeedUnavailable, NothingThere, RequestRefused
from connector.model import instant
from connector.platforms.intempt import people
from connector.settings import Connection
from tests.platforms.conftest import Make
from tests.platforms.samples import answer, fixture, says, sent


def test_the_documented_service_is_there() -> None:
    assert people.Service("metadata", "v1", "ok") == people.parse_service(answer("intempt/service-root"))


# ── matches ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("given", "name"), [("profile", "profileId"), ("master", "masterId")])
def test_one_id_is_asked_about(intempt: Connection, given: str, name: str) -> None:
    asked = sent(people.matches(intempt, **{given: "182233618306719744"}))
    assert ("GET", "/v1/my-org/events/matches") == (asked.method, asked.path)
    assert [(name, "182233618306719744")] == asked.query


@pytest.mark.parametrize("given", [{}, {"profile": " "}, {"profile": "1", "master": "2"}])
def test_no_id_and_two_are_not_asked(intempt: Connection, given: dict[str, str]) -> None:
    for build in (people.matches, people.segmentations):
        with pytest.raises(RequestRefused, match="one of the two"):
            build(intempt, **given)


def test_the_reads_may_be_below_the_project(make: Make) -> None:
    connection = make("intempt", dialect={"reads": "project"})
    assert "/v1/my-org/projects/my-project/events/matches" == sent(people.matches(connection, profile="1")).path
    assert "/v1/my-org/projects/my-project/segmentations" == sent(people.all_segmentations(connection)).path


def test_the_documented_matches_are_read_digit_by_digit() -> None:
    found = people.parse_matches(answer("intempt/matches-by-profile"))
    assert ("182233620328374272", ("newtestevent",)) == (found.master_id, found.names)
    assert ("182233618306719744", "182233618306719715", "182233618306771518") == found.profile_ids
    assert instant("2021-01-13T09:09:52.207Z") == found.last_updated
    assert fixture("intempt/matches-by-profile") == found.body
    assert ("182233618306719744",) == people.parse_matches(answer("intempt/matches-by-master")).profile_ids


def test_ids_may_be_text_or_numbers_and_names_come_once() -> None:
    body = {"masterId": 2**60 + 1, "profileIds": ["5", 6], "matchedEvents": ["a", "b", "a"], "lastUpdated": None}
    found = people.parse_matches(says(body))
    assert (str(2**60 + 1), ("5", "6"), ("a", "b"), None) == (
        found.master_id,
        found.profile_ids,
        found.names,
        found.last_updated,
    )


def test_nothing_matched_is_no_trouble() -> None:
    assert () == people.parse_matches(says({"matchedEvents": [], "_links": {}})).names


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"masterId": "1"},
        {"matchedEvents": "a"},
        {"matchedEvents": [1]},
        {"matchedEvents": [], "profileIds": 7},
        [],
        b"",
    ],
)
def test_what_is_no_list_of_names_is_not_nothing(body: Any) -> None:
    with pytest.raises(FeedUnavailable):
        people.parse_matches(says(body))


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, FeedRefused, "mend api_key"),
        (404, NothingThere, "nobody has this id, or nothing is at this address: see `reads`"),
        (410, FeedUnavailable, "not available for this organization any more"),
        (402, FeedUnavailable, "the plan's limit is reached"),
        (503, FeedUnavailable, "the platform has trouble"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        people.parse_matches(says({"errors": [{"message": "no"}]}, status))


# ── segmentations ─────────────────────────────────────────────────────────────────────────────


def test_segmentations_by_the_value_of_a_source_s_identifier(intempt: Connection) -> None:
    asked = sent(people.segmentations(intempt, source="23525541210886144", identity={"visitorId": "a&b=ü"}))
    assert "/v1/my-org/segmentations/latest" == asked.path
    assert [("sourceId", "23525541210886144"), ("profile", '{"visitorId":"a&b=ü"}')] == asked.query


@pytest.mark.parametrize(
    "given", [{"source": "1"}, {"source": "1", "identity": {"a": 1}, "profile": "2"}, {"source": "1", "identity": "x"}]
)
def test_a_source_goes_with_an_identity_alone(intempt: Connection, given: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        people.segmentations(intempt, **given)


def test_the_documented_segmentation_is_read() -> None:
    [found] = people.parse_segmentations(answer("intempt/segmentations"))
    assert ("200382528132874240", "200382140847620096") == (found.id, found.master_id)
    assert (("200382140415606784",), instant("2021-03-03T12:52:03.723Z")) == (found.profile_ids, found.created)


def test_a_person_in_no_segment_has_none() -> None:
    for body in ({"_links": {}}, {"_embedded": {"segmentations": []}}, {"_embedded": {}, "_links": {}}):
        assert () == people.parse_segmentations(says(body))


@pytest.mark.parametrize("body", [{}, {"_embedded": []}, {"_embedded": {"segmentations": [1]}}, []])
def test_what_is_no_list_of_segmentations_is_not_none(body: Any) -> None:
    with pytest.raises(FeedUnavailable):
        people.parse_segmentations(says(body))


def test_one_segmentation_and_all_of_them(intempt: Connection) -> None:
    assert ["segmentations", "200382528132874240"] == sent(people.segmentation(intempt, "200382528132874240")).parts[
        -2:
    ]
    assert "segmentations" == sent(people.all_segmentations(intempt)).parts[-1]
    one = fixture("intempt/segmentations")["_embedded"]["segmentations"][0]
    assert "200382528132874240" == people.parse_segmentation(says(one)).id
