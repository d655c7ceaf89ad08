"""events/matches and segmentations as printed, and the people that they are about."""

import json
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.catalog import person
from connector.sandbox.traffic import CUSTOMERS
from tests.sandbox.client import Start
from tests.sandbox.intempt import PROFILES, USER, Intempt, error

FIXTURES = Path(__file__).parent.parent / "fixtures" / "intempt"
SEGMENTED = {"masterId": "200382140847620096"}  # the documents'


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


# ── as printed ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", [{"profileId": PROFILES[1]}, {"masterId": USER}])
def test_the_documents_matches_are_ours(intempt: Intempt, who: dict[str, int]) -> None:
    printed, answer = fixture("matches-by-profile"), intempt.get("events/matches", **who)
    link = f"http://127.0.0.1:{intempt.client.sandbox.port}/v1/acme/events/matches"
    assert printed | {"_links": {"self": {"href": link}}} == answer
    assert {type(id) for id in fixture("matches-by-master")["profileIds"]} == {type(id) for id in answer["profileIds"]}


def test_the_documents_segmentations_are_ours(intempt: Intempt) -> None:
    [printed], [one] = fixture("segmentations")["_embedded"]["segmentations"], intempt.segmentations(**SEGMENTED)
    assert {**printed, "_links": None} == {**one, "_links": None}
    assert {"_embedded", "_links"} == set(intempt.get("segmentations/latest", **SEGMENTED))


def test_a_segmentation_s_link_leads_somewhere(intempt: Intempt) -> None:
    [one] = intempt.segmentations(**SEGMENTED)
    assert one == intempt.get(f"segmentations/{one['id']}")
    assert [one] == intempt.get("segmentations")["_embedded"]["segmentations"]
    assert 404 == intempt.ask("GET", "segmentations/7").status_code


@pytest.mark.parametrize(("ids", "kind"), [("text", str), ("number", int)])
def test_ids_may_be_all_text_or_all_numbers(intempt: Intempt, ids: str, kind: type) -> None:
    intempt.switch(intempt_ids=ids)
    matches, [segment] = intempt.get("events/matches", masterId=USER), intempt.segmentations(**SEGMENTED)
    found = [matches["masterId"], *matches["profileIds"], segment["id"], segment["masterId"], *segment["profileIds"]]
    assert {kind} == {type(id) for id in found}


@pytest.mark.parametrize("path", ["events/matches", "segmentations/latest"])
def test_who_must_be_said(intempt: Intempt, path: str) -> None:
    for query in ("", "?profileId=", "?sourceId=5"):
        assert 400 == intempt.ask("GET", path + query).status_code


@pytest.mark.parametrize("path", ["events/matches", "segmentations/latest"])
@pytest.mark.parametrize("who", ["profileId=7", "masterId=7", "profileId=nobody", "masterId=nobody"])
def test_an_id_that_nobody_has(intempt: Intempt, path: str, who: str) -> None:
    assert 404 == intempt.ask("GET", f"{path}?{who}").status_code
    intempt.switch(intempt_unknown="empty")
    answer = intempt.get(f"{path}?{who}")
    assert [] == answer.get("matchedEvents", answer.get("_embedded", {}).get("segmentations"))


@pytest.mark.parametrize(
    ("setting", "organization", "project"),
    [("both", 200, 200), ("organization", 200, 404), ("project", 404, 200), ("404", 404, 404), ("410", 410, 410)],
)
def test_where_they_still_answer_is_a_switch(intempt: Intempt, setting: str, organization: int, project: int) -> None:
    intempt.switch(intempt_reads=setting)
    for path in ("events/matches", "segmentations/latest"):
        statuses = [intempt.ask("GET", f"{below}{path}?masterId={USER}").status_code for below in ("", "/")]
        assert [organization, project] == statuses


# ── people ────────────────────────────────────────────────────────────────────────────────────────


def test_one_user_identifier_makes_one_user_of_all_sources(hotel: Intempt) -> None:
    hotel.visit(id=1, visitor="v1", email="ada@example.com")
    hotel.visit(id=2, visitor="v2", email="ada@example.com")
    hotel.track("Purchase", profileId="p1", userId="ada@example.com")
    [one] = hotel.known()
    assert (3, ["ada@example.com"]) == (len(one["profileIds"]), one["users"])


def test_a_merge_makes_two_users_one_and_the_older_id_stays(intempt: Intempt) -> None:
    intempt.track("Purchase", profileId="p1", userId="u1")
    intempt.client.clock.now += 1_000
    intempt.track("Refund", profileId="p2", userId="u2")
    older, younger = (one["masterId"] for one in intempt.known())
    intempt.track("Identify", profileId="p2", userId="u2", anotherUserId="u1")
    found = intempt.get("events/matches", profileId="p2")
    assert (older, ["Purchase", "Refund", "Identify"]) == (found["masterId"], found["matchedEvents"])
    assert found == intempt.get("events/matches", masterId=younger)
    intempt.switch(intempt_merged="404")
    assert 404 == intempt.ask("GET", f"events/matches?masterId={younger}").status_code


def test_who_only_has_a_user_id_is_one_user(intempt: Intempt) -> None:
    for name in ("Purchase", "Refund"):
        intempt.track(name, userId="u1")
    [one] = intempt.known()
    assert (["Purchase", "Refund"], 1) == (one["matches"], len(one["profileIds"]))


def test_an_account_alone_is_nobody(intempt: Intempt) -> None:
    assert 201 == intempt.track("Purchase", accountId="a1").status_code
    assert [] == intempt.known()


@pytest.mark.parametrize(
    ("strategy", "shown"),
    [("first", "York"), ("recent", "Hull"), ("frequent", "Bath"), ("all", ["York", "Bath", "Hull"])],
)
def test_attributes_are_merged_as_their_strategy_says(hotel: Intempt, strategy: str, shown: Any) -> None:
    for id, city in enumerate(("York", "Bath", "Bath", "Hull", None)):
        hotel.visit(id=id, visitor="v1", city=city)
    hotel.order("attributes", {"name": "town", "strategy": strategy})
    assert [{"town": shown}] == [one["attributes"] for one in hotel.known()]


def test_tracked_attributes_are_the_user_s(intempt: Intempt) -> None:
    intempt.track("Identify", userId="u1", userAttributes={"plan": "plus"})
    assert [{"plan": "plus"}] == [one["attributes"] for one in intempt.known()]


# ── set directly ──────────────────────────────────────────────────────────────────────────────────


def test_a_person_is_set_up_as_wished(intempt: Intempt) -> None:
    given = {"profileIds": ["9007199254740993", "8"], "masterId": "9007199254740995", "users": ["u1"]}
    intempt.person(**given, matches=["a", "b"], segments=["s"], updated="2026-10-01T00:00:00Z", attributes={"x": 1})
    answer = intempt.get("events/matches", profileId=9007199254740993)
    assert ("9007199254740995", [9007199254740993, 8], ["a", "b"]) == (
        answer["masterId"],
        answer["profileIds"],
        answer["matchedEvents"],
    )
    assert "2026-10-01T00:00:00.000+00:00" == answer["lastUpdated"]
    assert {"a"} == set(intempt.person(profileIds=["8"], matches=["a"])["matches"])


def test_matches_are_added_taken_away_and_touched(intempt: Intempt) -> None:
    intempt.person(profileIds=["7"], matches=["a"], users=["u1"])
    assert ["a", "b"] == intempt.order("match", {"userId": "u1", "add": ["b"]})["matches"]
    assert ["b"] == intempt.order("match", {"profileId": "7", "remove": ["a"]})["matches"]
    before = intempt.get("events/matches", profileId=7)
    intempt.client.clock.now += 5_000
    intempt.order("match", {"profileId": "7", "touch": True})
    after = intempt.get("events/matches", profileId=7)
    assert (before["matchedEvents"], True) == (after["matchedEvents"], before["lastUpdated"] < after["lastUpdated"])


def test_users_can_be_merged_and_forgotten(intempt: Intempt) -> None:
    for n in ("7", "8"):
        intempt.person(profileIds=[n], masterId=n, matches=[f"e{n}"])
    intempt.order("merge", {"masterId": "7", "into": "8"})
    assert ["e8", "e7"] == intempt.matches(profileId=7)
    intempt.order("forget", {"masterId": "8"})
    assert 404 == intempt.ask("GET", "events/matches?profileId=7").status_code


@pytest.mark.parametrize(
    ("what", "body", "said"),
    [
        ("peple", {}, "there are POST /sandbox/intempt/people"),
        ("people", {"profileId": "7"}, "did you mean 'profileIds'?"),
        ("match", {"profileId": "7"}, "nobody has this profileId"),
        ("merge", {"masterId": "7", "into": "7"}, "must be two users"),
        ("attributes", {"name": "x", "strategy": "newest"}, "a strategy is one of first, recent, frequent, all"),
        ("items", {"collection": "x", "items": []}, "there is no collection 'x'"),
        ("collections", {"name": "x", "fields": {"a": "long"}, "primary": "b"}, "x has no field b"),
        ("items", {"collection": "booking", "items": [{}]}, "id must not be empty"),
    ],
)
def test_a_mistake_is_told(intempt: Intempt, what: str, body: Any, said: str) -> None:
    answer = intempt.client.post(f"/sandbox/intempt/{what}", body)
    assert 400 == answer.status_code
    assert said in answer.json()["error"]


# ── traffic ───────────────────────────────────────────────────────────────────────────────────────


def test_the_traffic_s_customers_are_people_here(start: Start) -> None:
    client = start(traffic="100/1s")
    intempt = Intempt(client)
    fed = [event for event in client.feed() if event["rawData"].get("userId")]
    traits = fed[0]["rawData"].get("traits") or fed[0]["rawData"]["context"]["traits"]
    answer = intempt.get("events/matches", profileId=traits["intemptProfileId"])
    assert fed[0]["rawData"]["event"] in answer["matchedEvents"]
    assert traits["intemptProfileId"] == str(answer["profileIds"][0])


def test_an_organisation_has_traffic_without_any_account(start: Start) -> None:
    intempt = Intempt(start(traffic="100/1s"))
    people = intempt.client.control("GET", "/intempt")["people"]
    ours = {person(n).intempt_profile_id for n in range(CUSTOMERS + 100)}
    assert len(people) > 10
    assert {id for one in people[2:] for id in one["profileIds"]} <= ours
    assert any(one["segments"] for one in people[2:])


def test_no_traffic_no_people(intempt: Intempt) -> None:
    assert [] == intempt.known()
    assert (404, "The specified data could not be found.") == error(
        intempt.ask("GET", f"events/matches?profileId={person(1).intempt_profile_id}")
    )
