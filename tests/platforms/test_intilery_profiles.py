"""Intilery's profiles: how they are asked for, and what the documents' own answers become."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import FeedError, FeedRefused, FeedUnavailable, NothingThere, RequestRefused
from connector.model import Answer, instant
from connector.platforms import intilery as feed
from connector.platforms.endpoint import Conversation
from connector.platforms.intilery import profiles
from connector.settings import Connection
from tests.platforms.conftest import Make
from tests.platforms.samples import TOKEN, Sent, answer, connections, fixture, says, sent


def hold(conversation: Conversation[Any], answers: Sequence[Answer]) -> tuple[Any, list[Sent]]:
    """A conversation to its end, and what was asked in it."""
    asked = [next(conversation)]
    for one in answers:
        try:
            asked.append(conversation.send(one))
        except StopIteration as end:
            return end.value, [sent(request) for request in asked]
    raise AssertionError("it asked for more")


# ── requests ──────────────────────────────────────────────────────────────────────────────────


def test_a_profile_is_asked_for_with_the_token_and_the_type_of_its_id(intilery: Connection) -> None:
    asked = sent(profiles.traits(intilery, "email:joe.bloggs@intilery.com"))
    assert ("GET", "https://tracking.intilery.com") == (asked.method, asked.host)
    assert "/track/acme/acme/ACME/v1/profiles/email:joe.bloggs@intilery.com/traits" == asked.path
    assert (TOKEN, "application/json") == (asked.headers["auth-token"], asked.headers["content-type"])


def test_a_slash_in_an_id_is_a_part_of_it(intilery: Connection, make: Make) -> None:
    assert sent(profiles.meta(intilery, "userId:ABC/123")).path.endswith("/profiles/userId:ABC%2F123/meta")
    twice = make("intilery", dialect={"encoding": "twice"})
    assert sent(profiles.traits(twice, "userId:ABC/123")).path.endswith("/profiles/userId:ABC%252F123/traits")


@given(id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_id_arrives_as_it_is(tmp_path_factory: pytest.TempPathFactory, id: str) -> None:
    connection = connections(tmp_path_factory.mktemp("one"))["intilery"]
    asked = sent(profiles.traits(connection, f"userId:{id}")) if id not in {".", ".."} else None
    assert asked is None or ["v1", "profiles", f"userId:{id}", "traits"] == asked.parts[-4:]


@pytest.mark.parametrize("who", ["joe", "name:joe", "userId:", "userId: ", "", "userId:..", "userId:\ud800"])
def test_what_names_nobody_is_not_asked(intilery: Connection, who: str) -> None:
    with pytest.raises(RequestRefused, match="Nothing was sent"):
        profiles.traits(intilery, who)


def test_a_profile_s_events_are_asked_for_as_the_feed_is(intilery: Connection) -> None:
    options: dict[str, Any] = {
        "start": instant("2026-11-01T12:00:00Z"),
        "end": instant("2026-11-02T12:00:00Z"),
        "sort": "asc",
        "from_": 100,
        "size": 10,
        "include": "page",
        "exclude": ["identify", "logged_in"],
    }
    one = sent(profiles.profile_events(intilery, "id:725722e8", **options))
    every = sent(feed.events_request(intilery, **options))
    assert one.query == every.query
    assert {
        "start": "2026-11-01T12:00:00.000Z",
        "end": "2026-11-02T12:00:00.000Z",
        "sort": "asc",
        "from": "100",
        "size": "10",
        "include": "page",
        "exclude": "identify,logged_in",
    } == dict(one.query)
    days = sent(profiles.profile_events(intilery, "id:725722e8", days=True, **options))
    assert ("2026-11-01", "2026-11-03") == (dict(days.query)["start"], dict(days.query)["end"])


# ── answers ───────────────────────────────────────────────────────────────────────────────────


def test_the_documented_traits_are_one_profile() -> None:
    [found] = profiles.parse_profiles(answer("intilery/profile-traits"))
    assert "4c90b9cf-5e4d-4689-ba57-b0f3e7c813fe" == found.id
    assert ("joe.bloggs@intilery.com", "joe.bloggs@intilery.com") == (found.user_id, found.email)
    assert fixture("intilery/profile-traits") == found.body


def test_by_email_there_may_be_several_profiles_or_none() -> None:
    [found] = profiles.parse_profiles(answer("intilery/profile-traits-by-email"))
    assert "Joe" == found.body["firstName"]
    assert ["1", "2"] == [one.id for one in profiles.parse_profiles(says({"data": [{"id": 1}, {"id": "2"}]}))]
    assert () == profiles.parse_profiles(says({"data": []}))


def test_a_trait_that_is_called_data_is_no_list_of_profiles() -> None:
    [found] = profiles.parse_profiles(says({"id": "1", "data": [{"id": "2"}]}))
    assert "1" == found.id


def test_the_documented_metadata_has_the_key_to_the_preferences() -> None:
    [found] = profiles.parse_profiles(answer("intilery/profile-meta"))
    assert {"firstEvent", "lastEvent", "createdBy", "audiencesStatic", "_subscriptionId"} <= set(found.body)


def test_the_documented_events_of_a_profile_are_events() -> None:
    found = profiles.parse_profile_events(answer("intilery/profile-events"))
    assert fixture("intilery/profile-events")["data"] == [one[0] for one in found]


@pytest.mark.parametrize(
    ("name", "words"),
    [("error-customer-not-found", "Custmer not found."), ("error-profile-not-found", "Profile was not found.")],
)
def test_nobody_is_told_apart_from_trouble(name: str, words: str) -> None:
    for parse in (profiles.parse_profiles, profiles.parse_profile_events):
        with pytest.raises(NothingThere) as caught:
            parse(answer(f"intilery/{name}", 404))
        assert (404, "req-1") == (caught.value.status, caught.value.request_id)
        assert f"nobody has this id, or nothing is at this address; it says: {words}" == caught.value.message


@pytest.mark.parametrize("status", [401, 403])
def test_a_bad_token_is_refused(status: int) -> None:
    with pytest.raises(FeedRefused):
        profiles.parse_page(says({"error": {"code": "authentication_error", "message": "no"}}, status))


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hello</html>",
        b"[]",
        b"",
        b'"text"',
        {"message": "Forbidden"},
        {"data": [1]},
        {"data": "x"},
        b'{"a":NaN}',
    ],
)
def test_a_success_that_is_no_list_of_profiles_is_no_empty_list(body: Any) -> None:
    with pytest.raises(FeedUnavailable, match="is not a list of profiles"):
        profiles.parse_page(says(body))


def test_an_error_with_status_200_is_an_error() -> None:
    for body in ({"success": False, "message": "no"}, {"error": {"code": "x", "message": "no"}}):
        with pytest.raises(FeedUnavailable, match="the platform says no; it says: no"):
            profiles.parse_page(says(body))


def test_ids_of_64_bits_and_more_stay_exact() -> None:
    [found] = profiles.parse_profiles(says(b'{"id": 182233618306719744, "userId": 18446744073709551617}'))
    assert ("182233618306719744", "18446744073709551617") == (found.id, found.user_id)


# ── the list ──────────────────────────────────────────────────────────────────────────────────


def _page(*ids: str, scroll_id: str = "next") -> Answer:
    return says({"scrollId": scroll_id, "data": [{"id": id} for id in ids]})


def test_the_documented_list_has_a_scroll_id() -> None:
    page = profiles.parse_page(answer("intilery/profiles-page"))
    assert (2, "dsfmLKHJosidjflksjflksjfonawlefnEWOILKsdlfjlsjfpoiwhfekln") == (len(page.profiles), page.scroll_id)


def test_an_empty_part_is_the_end() -> None:
    assert "" == profiles.parse_page(_page()).scroll_id


def test_the_list_goes_on_by_the_id_of_the_part_before(intilery: Connection) -> None:
    assert [] == sent(profiles.profiles(intilery)).query
    (page, name), [asked] = hold(profiles.following(intilery, "a b+c=", "p1"), [_page("p2")])
    assert (["p2"], "scrollId") == ([one.id for one in page.profiles], name)
    assert [("scrollId", "a b+c=")] == asked.query


def test_a_list_that_begins_anew_is_asked_by_the_other_name(intilery: Connection) -> None:
    (page, name), asked = hold(profiles.following(intilery, "s", "p1"), [_page("p1"), _page("p2")])
    assert (["p2"], "scrollid") == ([one.id for one in page.profiles], name)
    assert [[("scrollId", "s")], [("scrollid", "s")]] == [one.query for one in asked]


@pytest.mark.parametrize("said", ["scrollId", "scrollid"])
def test_the_dialect_names_the_parameter(make: Make, said: str) -> None:
    connection = make("intilery", dialect={"scroll": said})
    _, [asked] = hold(profiles.following(connection, "s", "p1"), [_page("p1")])
    assert [(said, "s")] == asked.query


# ── metadata ──────────────────────────────────────────────────────────────────────────────────


def _nobody() -> Answer:
    return answer("intilery/error-profile-not-found-meta", 404)


def test_metadata_is_found_at_the_other_path_too(intilery: Connection) -> None:
    [found], asked = hold(profiles.find_meta(intilery, "userId:u1"), [_nobody(), answer("intilery/profile-meta")])
    assert "Joe" == found.body["firstName"]
    assert ["meta", "metadata"] == [one.parts[-1] for one in asked]


def test_where_neither_path_finds_anybody_nobody_is_there(intilery: Connection) -> None:
    with pytest.raises(NothingThere):
        hold(profiles.find_meta(intilery, "userId:u1"), [_nobody(), _nobody()])


def test_a_path_that_is_known_to_work_is_the_only_one_tried(intilery: Connection, make: Make) -> None:
    for talk in (
        profiles.find_meta(intilery, "userId:u1", word="metadata"),
        profiles.find_meta(make("intilery", dialect={"meta": "metadata"}), "userId:u1"),
    ):
        _, [asked] = hold(talk, [answer("intilery/profile-meta")])
        assert "metadata" == asked.parts[-1]


def test_trouble_is_no_reason_to_try_the_other_path(intilery: Connection) -> None:
    with pytest.raises(FeedError):
        hold(profiles.find_meta(intilery, "userId:u1"), [says(b"busy", 503)])
