"""What makes matches and segmentations: filters of events, and of segments."""

import json
from typing import Any

import pytest

from tests.sandbox.intempt import SOURCE, Intempt

# ── events ────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_tracked_matches_an_event_of_its_name(intempt: Intempt) -> None:
    intempt.track("Purchase", profileId="p1", userId="u1")
    assert ["Purchase"] == intempt.matches(profileId="p1")
    [one] = intempt.known()
    assert ["Purchase"] == intempt.matches(profileId=one["profileIds"][0]) == intempt.matches(masterId=one["masterId"])


def test_a_profile_id_of_digits_is_the_profile_s(intempt: Intempt) -> None:
    intempt.track("Purchase", profileId="182233618000007919")
    assert [182233618000007919] == intempt.get("events/matches", profileId="182233618000007919")["profileIds"]


def test_an_event_is_a_sum_of_products(hotel: Intempt) -> None:
    chosen = [
        [{"field": "city", "operator": "equals", "value": "Leeds"}, {"field": "id", "operator": "less", "value": 10}],
        [{"field": "city", "operator": "in", "value": ["York", "Hull"]}],
    ]
    hotel.order("events", {"name": "northern", "collection": "visits", "filter": chosen})
    for id, city, expected in ((1, "Leeds", 1), (11, "Leeds", 1), (12, "Bath", 1), (13, "Hull", 2)):
        hotel.visit(id=id, visitor=f"v{id}", city=city)
        assert expected == sum("northern" in one["matches"] for one in hotel.known())


def test_an_event_can_reach_through_a_relation(hotel: Intempt) -> None:
    chosen = [[{"field": "booked.price", "operator": "greater", "value": 100}]]
    hotel.order("events", {"name": "splendid", "collection": "visits", "filter": chosen})
    hotel.visit(id=1, visitor="v1", room=1)
    hotel.visit(id=2, visitor="v2", room=2)
    hotel.visit(id=3, visitor="v3", room=3)
    assert [[], ["splendid"], []] == [one["matches"] for one in hotel.known()]


def test_an_item_says_which_events_it_was(hotel: Intempt) -> None:
    hotel.order("events", {"name": "any_visit", "collection": "visits", "filter": []})
    hotel.visit(id=1, visitor="v1")
    id = hotel.client.control("GET", "/intempt")["collections"]["visits"]["id"]
    [one] = hotel.get(f"collections/{id}/data")["_embedded"]["dataItemList"]
    assert ["any_visit"] == one["matches"]


def test_an_event_can_filter_what_is_tracked(intempt: Intempt) -> None:
    chosen = [[{"field": "total", "operator": "greater_or_equal", "value": 100}]]
    intempt.order("events", {"name": "large", "collection": "Purchase", "filter": chosen})
    intempt.track("Purchase", profileId="p1", data={"total": 99.5})
    assert ["Purchase"] == intempt.matches(profileId="p1")
    intempt.track("Purchase", profileId="p1", data={"total": "118.00"})
    assert ["Purchase", "large"] == intempt.matches(profileId="p1")


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("exists", None, True),
        ("not_exists", None, False),
        ("equals", "Whole Stilton", True),
        ("not_equals", "Whole Stilton", False),
        ("contains", "Stil", True),
        ("starts_with", "Whole", True),
        ("ends_with", "Whole", False),
        ("in", ["Whole Stilton"], True),
        ("greater", 5, False),
        ("less_or_equal", 5, False),
    ],
)
def test_operators(intempt: Intempt, operator: str, value: Any, holds: Any) -> None:
    chosen = [[{"field": "name", "operator": operator, "value": value}]]
    intempt.order("events", {"name": "found", "collection": "Seen", "filter": chosen})
    intempt.track("Seen", profileId="p1", data={"name": "Whole Stilton"})
    assert holds == ("found" in intempt.matches(profileId="p1"))


def test_an_event_defined_again_is_another(intempt: Intempt) -> None:
    for collection in ("Purchase", "Refund"):
        intempt.order("events", {"name": "money", "collection": collection})
    intempt.track("Purchase", profileId="p1")
    assert ["Purchase"] == intempt.matches(profileId="p1")
    intempt.track("Refund", profileId="p1")
    assert ["Purchase", "money", "Refund"] == intempt.matches(profileId="p1")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"filter": "x"}, "a filter is a list of lists"),
        ({"filter": [[{"operator": "exists"}]]}, "a condition names one of"),
        ({"filter": [[{"field": "x", "operator": "like"}]]}, "an operator is one of"),
        ({"collection": "rooms"}, "collection 'rooms' has no profile identifier"),
    ],
)
def test_an_event_that_cannot_be_is_told(hotel: Intempt, given: Any, said: str) -> None:
    answer = hotel.client.post("/sandbox/intempt/events", {"name": "e", "collection": "visits", **given})
    assert 400 == answer.status_code
    assert said in answer.json()["error"]


def test_matches_may_shrink_with_time(intempt: Intempt) -> None:
    intempt.switch(intempt_window="1h")
    intempt.track("Purchase", profileId="p1")
    intempt.client.clock.now += 3_000_000
    intempt.track("Refund", profileId="p1")
    assert ["Purchase", "Refund"] == intempt.matches(profileId="p1")
    intempt.client.clock.now += 1_000_000
    assert ["Refund"] == intempt.matches(profileId="p1")


@pytest.mark.parametrize(("setting", "moved"), [("moves", True), ("stays", False)])
def test_matching_again_moves_last_updated_or_not(intempt: Intempt, setting: str, moved: Any) -> None:
    intempt.switch(intempt_updated=setting)
    intempt.track("Purchase", profileId="p1")
    before = intempt.get("events/matches", profileId="p1")
    intempt.client.clock.now += 1_000
    intempt.track("Purchase", profileId="p1")
    after = intempt.get("events/matches", profileId="p1")
    assert before["matchedEvents"] == after["matchedEvents"]
    assert moved == (before["lastUpdated"] < after["lastUpdated"])


# ── segments ──────────────────────────────────────────────────────────────────────────────────────


def test_segments_are_joined_and_left(intempt: Intempt) -> None:
    chosen = [[{"event": "Trial Started"}, {"event": "Order Completed", "operator": "not_exists"}]]
    intempt.order("segments", {"name": "trying", "filter": chosen})
    assert 201 == intempt.track("Trial Started", userId="u1", profileId="p1").status_code
    joined = [one["segments"] for one in intempt.known()]
    intempt.track("Order Completed", userId="u1", profileId="p1")
    assert ([["trialists", "trying"]], [["buyers"]]) == (joined, [one["segments"] for one in intempt.known()])


def test_joining_again_is_another_segmentation(intempt: Intempt) -> None:
    intempt.person(profileIds=["7"], segments=["vip"])
    [first] = intempt.segmentations(profileId=7)
    intempt.order("segment", {"profileId": "7", "remove": ["vip"]})
    assert [] == intempt.segmentations(profileId=7)
    intempt.order("segment", {"profileId": "7", "add": ["vip"]})
    [second] = intempt.segmentations(profileId=7)
    assert first["id"] != second["id"]


def test_a_segment_may_be_made_of_attributes_and_segments(intempt: Intempt) -> None:
    young = [[{"attribute": "age", "operator": "less", "value": 30}]]
    intempt.order("segments", {"name": "young_buyers", "filter": [[{"segment": "young"}, {"segment": "buyers"}]]})
    intempt.order("segments", {"name": "young", "filter": young})
    intempt.track("Order Completed", userId="u1", userAttributes={"age": 29})
    assert [{"buyers", "young", "young_buyers"}] == [set(one["segments"]) for one in intempt.known()]


def test_segmentations_are_found_by_the_value_of_a_profile_identifier(hotel: Intempt) -> None:
    hotel.order("segments", {"name": "guests", "filter": [[{"attribute": "town"}]]})
    hotel.visit(id=1, visitor="v/1", city="York")
    query = {"sourceId": str(SOURCE), "profile": json.dumps({"visitor": "v/1"})}
    assert 1 == len(hotel.segmentations(**query))
    assert 404 == hotel.ask("GET", "segmentations/latest", params=query | {"profile": '{"visitor":"x"}'}).status_code
    assert 400 == hotel.ask("GET", "segmentations/latest", params=query | {"profile": "v/1"}).status_code
