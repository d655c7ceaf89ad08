"""Second generation: track, consents, choose-api and recommendation feeds."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.intempt import SOURCE, Intempt, error

FIXTURES = Path(__file__).parent.parent / "fixtures" / "intempt"
NOON = 1793534400000
CONSENT = {"action": "accept", "userId": "u1", "validUntil": "unlimited", "source": "connector"}


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def one(**payload: Any) -> Any:
    return {"track": [{"name": "Purchase", "payload": [payload]}]}


# ── track ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [f"/sources/{SOURCE}/track", "/track", f"/sources/{SOURCE}/track?ip=1"])
def test_the_page_s_example_is_accepted_with_nothing_to_say(intempt: Intempt, path: str) -> None:
    answer = intempt.ask("POST", path, fixture("track"))
    assert (201, b"") == (answer.status_code, answer.content)
    [kept] = intempt.tracked()
    assert {**fixture("track")["track"][0]["payload"][0], "name": "Purchase"} == {
        name: value for name, value in kept.items() if name != "sourceId"
    }
    assert ["Purchase"] == intempt.matches(profileId="generated-profile-id")


@pytest.mark.parametrize(("setting", "body"), [("object", {}), ("echo", fixture("track"))])
def test_the_answer_may_be_the_page_s(intempt: Intempt, setting: str, body: Any) -> None:
    intempt.switch(intempt_track=setting)
    answer = intempt.ask("POST", "/track", fixture("track"))
    assert (200, body) == (answer.status_code, answer.json())


@pytest.mark.parametrize("id", ["userId", "profileId", "accountId", "productId"])
def test_one_id_is_enough(intempt: Intempt, id: str) -> None:
    assert 201 == intempt.ask("POST", "/track", one(**{id: "x"})).status_code
    assert 201 == intempt.ask("POST", "/track", one(data={"productId": "x"})).status_code


def test_a_profile_id_may_be_required(intempt: Intempt) -> None:
    intempt.switch(intempt_profile="required")
    assert (400, "profileId is required") == error(intempt.ask("POST", "/track", one(userId="u1")))
    assert 201 == intempt.ask("POST", "/track", one(userId="u1", profileId="p1")).status_code


def test_nothing_tracked_is_a_success(intempt: Intempt) -> None:
    assert 201 == intempt.ask("POST", "/track", {"track": []}).status_code


def test_a_type_is_not_looked_at(intempt: Intempt) -> None:
    body = {"track": [{"name": "x", "type": "notARealType", "payload": [{"userId": "u1"}]}]}
    assert 201 == intempt.ask("POST", "/track", body).status_code


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (one(), "one of userId, profileId, accountId, productId is required"),
        (one(userId=""), "one of userId"),
        (one(userId="u1", timestamp=1_262_303_999_999), "not before 2010"),
        (one(userId="u1", timestamp=1_714_631_904), "not before 2010"),  # seconds
        (one(userId="u1", timestamp="now"), "timestamp must be milliseconds"),
        ({}, "track must be an array"),
        ([], "body must be a JSON object"),
        ({"track": [{"payload": [{"userId": "u1"}]}]}, "Name is null"),
        ({"track": [{"name": "x", "payload": {}}]}, "payload must be an array"),
        ({"track": [{"name": "x", "payload": [5]}]}, "payload must hold JSON objects"),
        (b'{"track"', "Malformed JSON"),
    ],
)
def test_what_cannot_be_tracked_is_refused_whole(intempt: Intempt, body: Any, said: str) -> None:
    if isinstance(body, dict) and body.get("track"):
        body["track"].insert(0, one(userId="good")["track"][0])
    answer = intempt.ask("POST", "/track", body)
    assert 400 == answer.status_code
    assert said in error(answer)[1]
    assert [] == intempt.tracked()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (1_262_304_000_000, 1_262_304_000_000),
        (2_210_457_600_000, 2_210_457_600_000),
        (2_210_457_600_001, NOON),
        (None, NOON),
    ],
)
def test_a_time_past_2040_or_none_becomes_the_server_s(intempt: Intempt, given: int | None, kept: int) -> None:
    intempt.track("Purchase", userId="u1", **({} if given is None else {"timestamp": given}))
    assert [kept] == [entry["timestamp"] for entry in intempt.tracked()]


def test_an_order_s_lines_share_one_event_id_and_are_all_kept(intempt: Intempt) -> None:
    lines = [{"eventId": "e1", "userId": "u1", "data": {"productId": f"sku-{n}"}} for n in (1, 2)]
    intempt.ask("POST", "/track", {"track": [{"name": "Product ordered", "payload": lines}]})
    assert ["sku-1", "sku-2"] == [entry["data"]["productId"] for entry in intempt.tracked("Product ordered")]


@pytest.mark.parametrize(("setting", "stored"), [("stored", 2), ("once", 1)])
def test_a_repeated_event_id_is_stored_again_or_not(intempt: Intempt, setting: str, stored: int) -> None:
    intempt.switch(intempt_event_id=setting)
    for _ in range(2):
        assert 201 == intempt.track("Purchase", userId="u1", eventId="e1").status_code
    collections = intempt.client.control("GET", "/intempt")["collections"]
    assert stored == collections["Purchase"]["items"]


def test_more_than_fifty_entries_may_be_refused(intempt: Intempt) -> None:
    body = {"track": one(userId="u1")["track"] * 51}
    assert 201 == intempt.ask("POST", "/track", body).status_code
    intempt.switch(intempt_entries="50")
    assert 400 == intempt.ask("POST", "/track", body).status_code
    assert 201 == intempt.ask("POST", "/track", {"track": body["track"][1:]}).status_code


def test_the_first_of_a_new_name_may_be_refused_and_taken_a_moment_later(intempt: Intempt) -> None:
    intempt.switch(intempt_new_event="400")
    answers = [intempt.track("Purchase", userId="u1").status_code for _ in range(3)]
    assert ([400, 201, 201], 2) == (answers, len(intempt.tracked()))


def test_a_source_that_nobody_created_may_be_unknown(intempt: Intempt) -> None:
    assert (400, "Invalid source id: abc") == error(intempt.ask("POST", "/sources/abc/track", one(userId="u1")))
    intempt.switch(intempt_sources="known")
    assert (404, f"Source {SOURCE} was not found") == error(intempt.track("Purchase", userId="u1"))
    intempt.order("sources", {"id": str(SOURCE), "name": "api"})
    assert 201 == intempt.track("Purchase", userId="u1").status_code


def test_integers_stay_exact(intempt: Intempt) -> None:
    intempt.track("Purchase", userId="u1", data={"id": 9007199254740993})
    assert 9007199254740993 == intempt.tracked()[0]["data"]["id"]


# ── consents ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "kept"),
    [(1795225081, 1795225081), (1795225081000, NOON // 1_000), (None, NOON // 1_000)],
    ids=["seconds", "milliseconds", "none"],
)
def test_a_consent_s_time_is_in_seconds_and_milliseconds_are_replaced(
    intempt: Intempt, given: int | None, kept: int
) -> None:
    answer = intempt.ask("POST", "/consents/data", CONSENT | ({} if given is None else {"timestamp": given}))
    assert (200, {}) == (answer.status_code, answer.json())
    assert [CONSENT | {"timestamp": kept}] == intempt.client.control("GET", "/intempt/consents")


def test_a_consent_s_time_may_be_in_milliseconds(intempt: Intempt) -> None:
    intempt.switch(intempt_consent_time="milliseconds")
    assert 200 == intempt.ask("POST", "/consents/data", CONSENT | {"timestamp": 1795225081000}).status_code
    assert 400 == intempt.ask("POST", "/consents/data", CONSENT | {"timestamp": 1795225081}).status_code
    assert [1795225081000] == [one["timestamp"] for one in intempt.client.control("GET", "/intempt/consents")]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (CONSENT | {"action": "maybe"}, "action must be accept or reject"),
        ({"action": "reject"}, "userId or profileId is required"),
        ({"action": "reject", "profileId": "p1"}, "sourceId is required with profileId"),
        (CONSENT | {"timestamp": 5}, "not before 2010"),
    ],
)
def test_what_is_no_consent_is_refused(intempt: Intempt, body: Any, said: str) -> None:
    answer = intempt.ask("POST", "/consents/data", body)
    assert 400 == answer.status_code
    assert said in error(answer)[1]


# ── choices and feeds ─────────────────────────────────────────────────────────────────────────


def choose(intempt: Intempt, **body: Any) -> Any:
    return intempt.ask("POST", "/optimization/choose-api", {"identification": {"userId": "u1"}, **body})


def test_choices_are_all_or_those_that_are_named(intempt: Intempt) -> None:
    intempt.order("choices", {"choices": [{"name": "a", "group": "g", "body": True}, {"name": "b", "body": {"x": 1}}]})
    every = choose(intempt).json()["choices"]
    assert [{"name": "a", "group": "g", "body": True}, {"name": "b", "group": None, "body": {"x": 1}}] == every
    assert ["b"] == [one["name"] for one in choose(intempt, names=["b", "zz"], device="ALL").json()["choices"]]
    assert ["a"] == [one["name"] for one in choose(intempt, groups=["g"]).json()["choices"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"identification": None}, "Identification is required"),
        ({"identification": {"profileId": "p1"}}, "Identification is required"),
        ({"device": "watch"}, "device must be all, desktop or mobile"),
        ({"names": ["a b"]}, "names must match [A-Za-z0-9_-]+"),
    ],
)
def test_a_choice_that_cannot_be_made_is_told(intempt: Intempt, body: Any, said: str) -> None:
    assert (400, said) == error(choose(intempt, **body))


def recommend(intempt: Intempt, feed: Any = 5292, **body: Any) -> Any:
    return intempt.ask("POST", f"/feeds/{feed}/data", {"id": "u1", "type": "user", "fields": ["id", "title"], **body})


def test_a_feed_recommends_products_with_the_fields_that_are_wished(intempt: Intempt) -> None:
    products = recommend(intempt, limit=3).json()["products"]
    assert (3, {"id", "title"}) == (len(products), set(products[0]))
    assert products[1:] == recommend(intempt, limit=2, offset=1).json()["products"]
    assert 10 == len(recommend(intempt, type="USER").json()["products"])


def test_without_fields_the_answer_is_very_large(intempt: Intempt) -> None:
    small, large = recommend(intempt, limit=10), recommend(intempt, limit=10, fields=None)
    assert len(large.content) > 100 * len(small.content)


def test_a_profile_of_a_source_will_do(intempt: Intempt) -> None:
    answer = recommend(intempt, id=None, type=None, profileId="p1", sourceId=str(SOURCE))
    assert 200 == answer.status_code


def test_a_feed_about_a_product_needs_it_and_says_nothing(intempt: Intempt) -> None:
    assert [] == recommend(intempt, 5293).json()["products"]
    assert recommend(intempt, 5293, productId="p-48210").json()["products"]


@pytest.mark.parametrize("feed", ["000000000", "90000000", "nonexistent"])
def test_an_unknown_feed_is_a_400(intempt: Intempt, feed: str) -> None:
    assert (400, f"Invalid feed id: {feed}") == error(recommend(intempt, feed))


@pytest.mark.parametrize("body", [{"id": None}, {"type": "crowd"}, {"limit": "3"}, {"fields": "id"}, {"offset": -1}])
def test_a_recommendation_that_cannot_be_made_is_refused(intempt: Intempt, body: Any) -> None:
    assert 400 == recommend(intempt, **body).status_code


def test_feeds_are_listed_and_made(intempt: Intempt) -> None:
    intempt.order("feeds", {"id": 7, "name": "Mine", "products": [{"title": "Goose", "id": "g"}]})
    listed = {one["id"]: one["feedInput"] for one in intempt.get("/feeds")}
    assert {5292: "NO_INPUT", 5258: "USER", 5293: "PRODUCT", 7: "NO_INPUT"} == listed
    assert [{"id": "g", "title": "Goose"}] == recommend(intempt, 7).json()["products"]
