"""Track, consents, choices and recommendations: what is sent, and what is not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import FeedUnavailable, RequestRefused
from connector.model import instant
from connector.platforms.bodies import LARGEST
from connector.platforms.intempt import decisions, tracking
from connector.settings import Connection
from tests.platforms.conftest import Make
from tests.platforms.samples import fixture, says, sent

NOON = instant("2026-11-01T12:00:00Z") or 0


def _entry(**line: Any) -> list[dict[str, Any]]:
    return [{"name": "Purchase", "payload": [{"eventId": "e1", "userId": "u1", **line}]}]


# ── track ─────────────────────────────────────────────────────────────────────────────────────


def test_the_documented_events_go_out_as_they_stand(intempt: Connection) -> None:
    asked = sent(tracking.track(intempt, fixture("intempt/track"), source="0", ip="0"))
    assert ("POST", "/v1/my-org/projects/my-project/sources/0/track") == (asked.method, asked.path)
    assert ([("ip", "0")], fixture("intempt/track")) == (asked.query, asked.json)


@pytest.mark.parametrize("ids", [{"userId": "u"}, {"profileId": "p"}, {"accountId": "a"}, {"productId": "x"}])
def test_one_id_is_enough(intempt: Connection, ids: dict[str, str]) -> None:
    line = {"eventId": "e1", **ids}
    assert 1 == len(sent(tracking.track(intempt, [tracking.entry("X", line)])).json["track"])
    assert sent(tracking.track(intempt, [tracking.entry("X", {"data": {"productId": "x"}})])).json


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "track must be a list with at least one item"),
        ([], "track must be a list"),
        ([7], r"track\[0\] must be a JSON object"),
        ([{"payload": [{"userId": "u"}]}], r"track\[0\] needs a name"),
        ([{"name": "X"}], r"track\[0\].payload must be a list"),
        ([{"name": "X", "payload": [{"eventId": "e1"}]}], r"track\[0\].payload\[0\] needs one of userId"),
        (_entry(profileId=182233618306719744), "profileId must be text, ids too"),
        (_entry(eventId=7), "eventId must be text"),
        (_entry(data=[]), "data must be a JSON object"),
        (_entry(timestamp=1795225081), "must be milliseconds since 1970, between 2010 and 2040"),
        (_entry(timestamp=1795225081000000), "must be milliseconds"),
        (_entry(timestamp="2026-11-01"), "must be milliseconds"),
        (_entry(timestamp=True), "must be milliseconds"),
        (_entry(data={"text": "x" * 2_000_000}), "at most 1,000,000 are taken"),
        (_entry() * 51, "track has 51 entries, and at most 50 are sent at a time"),
    ],
)
def test_what_would_be_refused_or_changed_is_not_sent(intempt: Connection, body: Any, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        tracking.track(intempt, body)


@given(sizes=st.lists(st.integers(0, 60_000), max_size=120))
def test_entries_are_put_together_as_far_as_a_request_may_go(sizes: list[int]) -> None:
    entries = [tracking.entry("X", {"userId": "u", "data": {"n": n, "t": "x" * size}}) for n, size in enumerate(sizes)]
    lots = list(tracking.requests(entries))
    assert entries == [one for lot in lots for one in lot]
    assert all(len(lot) <= tracking.MOST_ENTRIES for lot in lots)
    assert all(len(json.dumps({"track": lot}, separators=(",", ":"))) <= LARGEST for lot in lots)


# ── consents ──────────────────────────────────────────────────────────────────────────────────


def test_a_consent_is_in_seconds_unless_the_configuration_says_otherwise(intempt: Connection, make: Make) -> None:
    made = tracking.consent(intempt, action="accept", timestamp=NOON + 999, user_id="u1", valid_until=NOON)
    assert (NOON // 1000, NOON // 1000, "connector") == (made["timestamp"], made["validUntil"], made["source"])
    assert made == sent(tracking.consents(intempt, made)).json
    old = make("intempt", dialect={"consent_time": "milliseconds"})
    assert NOON == tracking.consent(old, action="accept", timestamp=NOON, user_id="u1")["timestamp"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"action": "grant", "userId": "u1"}, "action must be accept or reject"),
        ({"action": "accept"}, "userId is needed, or profileId with sourceId"),
        ({"action": "accept", "profileId": "p1"}, "userId is needed, or profileId with sourceId"),
        ({"action": "accept", "userId": "u1", "timestamp": NOON}, "timestamp must be a whole number of seconds"),
        ({"action": "accept", "userId": "u1", "timestamp": 5}, "timestamp must be a whole number of seconds"),
        ({"action": "accept", "userId": "u1", "timestamp": "now"}, "timestamp must be a whole number of seconds"),
        ({"action": "accept", "userId": "u1", "validUntil": NOON}, "validUntil must be a whole number of seconds"),
        ([], "the body must be a JSON object"),
    ],
)
def test_a_consent_that_would_be_kept_wrongly_is_not_sent(intempt: Connection, body: Any, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        tracking.consents(intempt, body)


def test_seconds_are_refused_where_milliseconds_are_meant(make: Make) -> None:
    old = make("intempt", dialect={"consent_time": "milliseconds"})
    with pytest.raises(RequestRefused, match="whole number of milliseconds"):
        tracking.consents(old, {"action": "accept", "userId": "u1", "timestamp": NOON // 1000})


# ── choices ───────────────────────────────────────────────────────────────────────────────────


def test_a_choice_names_who_and_what(intempt: Connection) -> None:
    asked = sent(
        decisions.choose(
            intempt, user="u1", names=["a-1"], groups=["g"], device="mobile", session="s", product="p", timestamp=NOON
        )
    )
    assert {
        "identification": {"userId": "u1"},
        "names": ["a-1"],
        "groups": ["g"],
        "device": "mobile",
        "sessionId": "s",
        "productId": "p",
        "timestamp": NOON,
    } == asked.json
    web = sent(decisions.choose_web(intempt, profile="p1", source="7"))
    assert "/v1/my-org/projects/my-project/optimization/choose-web" == web.path
    assert {"identification": {"profileId": "p1", "sourceId": "7"}, "device": "desktop"} == web.json


@pytest.mark.parametrize(
    "given", [{}, {"profile": "p1"}, {"user": "u1", "names": ["a b"]}, {"user": "u1", "groups": [""]}]
)
def test_a_choice_that_would_be_refused_is_not_sent(intempt: Connection, given: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        decisions.choose(intempt, **given)


def test_choices_are_read_whatever_their_body() -> None:
    body = {"choices": [{"name": "a", "group": "g", "body": False}, {"name": "b", "body": {"x": 1}}]}
    assert (decisions.Choice("a", "g", body=False), decisions.Choice("b", "", {"x": 1})) == decisions.parse_choices(
        says(body)
    )
    assert () == decisions.parse_choices(says({}))
    with pytest.raises(FeedUnavailable):
        decisions.parse_choices(says({"choices": "a"}))


# ── recommendation feeds ──────────────────────────────────────────────────────────────────────


def test_a_feed_is_asked_about_somebody(intempt: Connection, make: Make) -> None:
    asked = sent(decisions.feed(intempt, "5292", user="u1", fields=["id"], limit=3, offset=6, product="p"))
    assert "/v1/my-org/projects/my-project/feeds/5292/data" == asked.path
    assert {"id": "u1", "type": "user", "fields": ["id"], "limit": 3, "offset": 6, "productId": "p"} == asked.json
    flat = sent(decisions.feed(intempt, "5292", profile="p1", source="7", fields=["id"]))
    assert {"profileId": "p1", "sourceId": "7", "fields": ["id"]} == flat.json
    upper = make("intempt", dialect={"feed_type": "upper"})
    assert "ACCOUNT" == sent(decisions.feed(upper, "5292", account="a1", fields=["id"])).json["type"]


@pytest.mark.parametrize(
    "given",
    [
        {"fields": ["id"]},
        {"user": "u1", "account": "a1", "fields": ["id"]},
        {"profile": "p1", "fields": ["id"]},
        {"user": "u1"},
        {"user": "u1", "fields": ["id"], "limit": 0},
        {"user": "u1", "fields": ["id"], "offset": -1},
    ],
)
def test_a_feed_that_would_be_refused_or_huge_is_not_asked(intempt: Connection, given: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        decisions.feed(intempt, "5292", **given)


@pytest.mark.parametrize(
    "body",
    [
        [{"id": 5292, "name": "Popular", "feedInput": "USER"}],
        {"feeds": [{"id": "5292", "title": "Popular", "feedInput": "USER"}]},
        {"_embedded": {"feedList": [{"id": 5292, "name": "Popular", "feedInput": "USER"}]}, "_links": {}},
    ],
)
def test_the_feeds_are_found_in_any_shape(intempt: Connection, body: Any) -> None:
    assert "/v1/my-org/projects/my-project/feeds" == sent(decisions.feeds(intempt)).path
    [found] = decisions.parse_feeds(says(body))
    assert ("5292", "Popular", "USER") == (found.id, found.name, found.needs)


@pytest.mark.parametrize("body", [{}, {"a": [], "b": []}, "x", [1], None])
def test_what_is_no_list_of_feeds_is_told(body: Any) -> None:
    with pytest.raises(FeedUnavailable):
        decisions.parse_feeds(says(body))


def test_products_are_read_as_they_come() -> None:
    assert ({"id": "p1", "title": "Wine"},) == decisions.parse_products(
        says({"products": [{"id": "p1", "title": "Wine"}]})
    )
    assert () == decisions.parse_products(says({"products": []}))
