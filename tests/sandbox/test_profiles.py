"""GET …/v1/profiles and …/profiles/{idType}:{id}/traits|meta|events as the Profiles API page describes them."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.sandbox.traffic import CUSTOMERS
from tests.sandbox.client import HEADERS, Client, Start

FIXTURES = Path(__file__).parent.parent / "fixtures" / "intilery"
ADA = {"userId": "u1", "traits": {"firstName": "Ada", "email": "ada@example.com"}}


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def identify(sandbox: Client, user: str = "u1", **traits: Any) -> None:
    assert sandbox.call("identify", {"userId": user, "event": "identify", "traits": traits}).ok


def read(sandbox: Client, path: str) -> Any:
    answer = sandbox.ask(f"/profiles/{path}")
    assert 200 == answer.status_code, answer.text
    return answer.json()


# ── one profile ───────────────────────────────────────────────────────────────────────────────


def test_who_was_identified_has_traits(sandbox: Client) -> None:
    identify(sandbox, firstName="Joe", email="joe@example.com")
    traits = read(sandbox, "userId:u1/traits")
    assert ("Joe", "joe@example.com", "u1") == (traits["firstName"], traits["email"], traits["externalId"])
    assert traits == read(sandbox, f"id:{traits['id']}/traits")


def test_the_page_s_traits_are_ours(sandbox: Client) -> None:
    printed = fixture("profile-traits")
    traits = {name: value for name, value in printed.items() if name not in {"id", "externalId"}}
    given = {"userId": printed["externalId"], "id": printed["id"], "traits": traits}
    sandbox.control("POST", "/profiles", {"profiles": [given]})
    assert printed == read(sandbox, f"id:{printed['id']}/traits")
    assert fixture("profile-traits-by-email") == read(sandbox, "email:joe.bloggs@intilery.com/traits")


def test_traits_add_up_and_the_latest_counts(sandbox: Client) -> None:
    identify(sandbox, plan="free", city="Leeds")
    identify(sandbox, plan="plus")
    traits = read(sandbox, "userId:u1/traits")
    assert ("plus", "Leeds") == (traits["plan"], traits["city"])


def test_what_a_tracked_call_knows_fills_in_what_is_missing(sandbox: Client) -> None:
    identify(sandbox, plan="plus")
    context = {"traits": {"plan": "free", "email": "ada@example.com"}}
    sandbox.call("track", {"userId": "u1", "event": "Logged In", "context": context})
    traits = read(sandbox, "userId:u1/traits")
    assert ("plus", "ada@example.com") == (traits["plan"], traits["email"])


def test_what_an_anonymous_visitor_said_is_theirs_once_known(sandbox: Client) -> None:
    sandbox.call("identify", {"anonymousId": "a1", "event": "identify", "traits": {"plan": "plus"}})
    sandbox.call("identify", {"anonymousId": "a1", "userId": "u1", "event": "identify", "traits": {"city": "Leeds"}})
    traits = read(sandbox, "userId:u1/traits")
    assert ("plus", "Leeds") == (traits["plan"], traits["city"])


def test_an_address_gives_all_who_have_it(sandbox: Client) -> None:
    identify(sandbox, "u1", email="Both@example.com")
    identify(sandbox, "u2", email="both@example.com")
    found = read(sandbox, "email:both@example.com/traits")["data"]
    assert ["u1", "u2"] == sorted(one["externalId"] for one in found)


@pytest.mark.parametrize(
    ("path", "fixed"),
    [
        ("userId:nobody/traits", "error-customer-not-found"),
        ("id:nobody/meta", "error-profile-not-found-meta"),
        ("email:nobody@example.com/events", "error-profile-not-found"),
    ],
)
def test_who_is_unknown_gets_the_page_s_404(sandbox: Client, path: str, fixed: str) -> None:
    answer = sandbox.ask(f"/profiles/{path}")
    assert (404, fixture(fixed)) == (answer.status_code, answer.json())


def test_an_unknown_address_may_give_nobody(sandbox: Client) -> None:
    sandbox.switch(email_unknown="empty")
    assert {"data": []} == read(sandbox, "email:nobody@example.com/traits")
    assert 404 == sandbox.ask("/profiles/userId:nobody/traits").status_code


@pytest.mark.parametrize("who", ["u1", "user:u1", "userId:", ":u1", "externalId:u1"])
def test_an_id_without_its_type_is_the_page_s_400(sandbox: Client, who: str) -> None:
    answer = sandbox.ask(f"/profiles/{who}/traits")
    assert (400, fixture("error-validation")) == (answer.status_code, answer.json())


def test_a_slash_in_an_id_is_sent_encoded(sandbox: Client) -> None:
    identify(sandbox, "ABC/123", plan="plus")
    assert "ABC/123" == read(sandbox, "userId:ABC%2F123/traits")["externalId"]
    assert 404 == sandbox.ask("/profiles/userId:ABC/123/traits").status_code
    sandbox.switch(encoded_slash="404")
    assert 404 == sandbox.ask("/profiles/userId:ABC%2F123/traits").status_code


def test_a_read_soon_after_may_give_the_old_value(sandbox: Client) -> None:
    identify(sandbox, plan="free")
    sandbox.switch(profile_lag="500ms")
    identify(sandbox, plan="plus")
    identify(sandbox, "u2")
    assert "free" == read(sandbox, "userId:u1/traits")["plan"]
    assert 404 == sandbox.ask("/profiles/userId:u2/traits").status_code
    sandbox.clock.now += 500
    assert "plus" == read(sandbox, "userId:u1/traits")["plan"]
    assert "u2" == read(sandbox, "userId:u2/traits")["externalId"]


def test_erasing_somebody_takes_the_profile_too(sandbox: Client) -> None:
    identify(sandbox)
    sandbox.control("POST", "/erase", {"person": "u1"})
    assert 404 == sandbox.ask("/profiles/userId:u1/traits").status_code


# ── meta and events ───────────────────────────────────────────────────────────────────────────


def test_meta_has_everything_that_the_page_s_has(sandbox: Client) -> None:
    identify(sandbox, **ADA["traits"], marketingPreferences={"channels": []})
    meta = read(sandbox, "userId:u1/meta")
    told_by_the_shop = {"lastName", "website", "organisation", "industry", "phone"}
    assert set() == set(fixture("profile-meta")) - set(meta) - told_by_the_shop
    assert ("api", "2026-11-01T12:00:00.000Z") == (meta["createdBy"]["type"], meta["lastActivityTime"])


def test_meta_shows_the_first_and_the_last_event_of_each_name(sandbox: Client) -> None:
    for order in ("O1", "O2", "O3"):
        sandbox.clock.now += 1_000
        sandbox.call("track", {"userId": "u1", "event": "Order Completed", "properties": {"order_id": order}})
    meta = read(sandbox, "userId:u1/meta")
    first, last = meta["firstEvent"]["order_completed"], meta["lastEvent"]["order_completed"]
    assert ("O1", "O3") == (first["properties"]["order_id"], last["properties"]["order_id"])
    assert set(fixture("profile-meta")["lastEvent"]["email_sent"]) - set(last) == {"sendType", "context"}


def test_meta_may_be_called_metadata(sandbox: Client) -> None:
    identify(sandbox)
    assert 404 == sandbox.ask("/profiles/userId:u1/metadata").status_code
    sandbox.switch(meta_path="metadata")
    assert 200 == sandbox.ask("/profiles/userId:u1/metadata").status_code
    assert 404 == sandbox.ask("/profiles/userId:u1/meta").status_code


def test_a_profile_s_events_are_the_feed_s_with_its_ids_in_front(sandbox: Client) -> None:
    identify(sandbox, email="ada@example.com")
    sandbox.call("track", {"userId": "u1", "event": "Logged In"})
    sandbox.call("track", {"userId": "u2", "event": "Logged In"})
    mine = read(sandbox, "userId:u1/events")["data"]
    assert ["logged_in", "identify"] == [event["eventAction"] for event in mine]
    assert {"id": mine[0]["customerId"], "externalId": "u1", "email": "ada@example.com"} == {
        name: mine[0][name] for name in ("id", "externalId", "email")
    }
    fed = next(event for event in sandbox.feed() if event["eventId"] == mine[0]["eventId"])
    assert fed == {name: value for name, value in mine[0].items() if name in fed}
    assert set(fixture("profile-events")["data"][0]) <= set(mine[0])


def test_a_profile_s_events_can_be_chosen_and_paged(sandbox: Client) -> None:
    sandbox.generate(30, users=3, event=["Order Completed", "page"])
    asked = {"include": "page", "sort": "asc", "size": 2, "from": 2}
    answer = sandbox.ask("/profiles/userId:user-1/events", **asked).json()["data"]
    assert [13, 19] == [event["rawData"]["properties"]["n"] for event in answer]


def test_the_events_of_an_address_are_those_of_all_who_have_it(sandbox: Client) -> None:
    identify(sandbox, "u1", email="both@example.com")
    identify(sandbox, "u2", email="both@example.com")
    found = read(sandbox, "email:both@example.com/events")["data"]
    assert ["u1", "u2"] == sorted(event["externalId"] for event in found)


# ── the list ──────────────────────────────────────────────────────────────────────────────────


def pages(sandbox: Client, name: str = "scrollId") -> list[list[str]]:
    found: list[list[str]] = []
    scroll: dict[str, str] = {}
    while True:
        answer = sandbox.ask("/profiles", **scroll).json()
        if not answer["data"] or len(found) > 5:
            return found
        found.append([one["externalId"] for one in answer["data"]])
        scroll = {name: answer["scrollId"]}


def test_the_list_gives_a_hundred_at_a_time_each_once(sandbox: Client) -> None:
    sandbox.generate(250, users=250)
    found = pages(sandbox)
    assert [100, 100, 50] == [len(page) for page in found]
    assert 250 == len({user for page in found for user in page})
    assert set(fixture("profiles-page")) == set(sandbox.ask("/profiles").json())


def test_the_list_is_by_recent_activity(sandbox: Client) -> None:
    for user in ("u1", "u2"):
        identify(sandbox, user)
        sandbox.clock.now += 1
    sandbox.call("track", {"userId": "u1", "event": "Logged In"})
    assert [["u1", "u2"]] == pages(sandbox)


def test_a_scroll_shows_who_was_there_when_it_began(sandbox: Client) -> None:
    sandbox.generate(150, users=150)
    first = sandbox.ask("/profiles").json()
    identify(sandbox, "late")
    rest = sandbox.ask("/profiles", scrollId=first["scrollId"]).json()["data"]
    assert (50, set()) == (len(rest), {one["externalId"] for one in rest} & {"late"})


def test_the_wrong_parameter_gives_the_first_page_again(sandbox: Client) -> None:
    sandbox.generate(150, users=150)
    sandbox.switch(scroll_name="scrollid")
    assert [50, 100] == sorted(len(page) for page in pages(sandbox, "scrollid"))
    found = pages(sandbox, "scrollId")
    assert found[0] == found[1]


def test_a_scroll_id_is_a_place_that_can_be_asked_again(sandbox: Client) -> None:
    sandbox.generate(250, users=250)
    scroll = sandbox.ask("/profiles").json()["scrollId"]
    first, again = (sandbox.ask("/profiles", scrollId=scroll).json()["data"] for _ in range(2))
    assert first == again


def test_or_it_moves_on_with_each_request(sandbox: Client) -> None:
    sandbox.switch(scroll_repeat="next")
    sandbox.generate(250, users=250)
    scroll = sandbox.ask("/profiles").json()["scrollId"]
    lengths = [len(sandbox.ask("/profiles", scrollId=scroll).json()["data"]) for _ in range(3)]
    assert [100, 50, 0] == lengths


@pytest.mark.parametrize("given", ["never-given", "too-old"])
def test_a_scroll_that_is_unknown_or_timed_out_is_told(sandbox: Client, given: str) -> None:
    sandbox.generate(150, users=150)
    scroll = sandbox.ask("/profiles").json()["scrollId"] if given == "too-old" else given
    sandbox.clock.now += 61_000
    answer = sandbox.ask("/profiles", scrollId=scroll)
    error = {"code": "invalid_request_error", "message": "scrollId is invalid or has timed out"}
    assert (400, {"error": error}) == (answer.status_code, answer.json())


def test_the_list_may_show_meta(sandbox: Client) -> None:
    identify(sandbox)
    assert "lastEvent" not in sandbox.ask("/profiles").json()["data"][0]
    sandbox.switch(profile_list="meta")
    assert "identify" in sandbox.ask("/profiles").json()["data"][0]["lastEvent"]


def test_profiles_can_be_set_up_and_looked_at(sandbox: Client) -> None:
    given = {"userId": "u1", "traits": {"plan": "plus"}, "audiences": ["vip"], "categories": [{"name": "offers"}]}
    sandbox.control("POST", "/profiles", {"profiles": [given]})
    [shown] = sandbox.control("GET", "/profiles")
    assert ("u1", "plus", ["vip"]) == (shown["externalId"], shown["plan"], shown["audiencesStatic"])
    answer = sandbox.post("/sandbox/profiles", {"profiles": [{"user": "u1"}]})
    assert (400, True) == (answer.status_code, "did you mean 'userId'?" in answer.json()["error"])


# ── where they come from ──────────────────────────────────────────────────────────────────────


def test_injected_and_generated_events_make_profiles(sandbox: Client) -> None:
    sandbox.inject({"event": "identify", "userId": "u1", "traits": {"plan": "plus"}})
    sandbox.generate(5, users=2)
    assert "plus" == read(sandbox, "userId:u1/traits")["plan"]
    assert "user-1" == read(sandbox, "userId:user-1/traits")["externalId"]


def test_the_traffic_s_customers_have_whole_profiles(start: Start) -> None:
    sandbox = start(traffic="10/1s")
    known = sandbox.ask("/profiles").json()["data"]
    assert 0 < len(known) <= CUSTOMERS
    assert all(one["email"].endswith("@example.com") and one["intemptProfileId"].isdigit() for one in known)
    assert all(5 == len(one["marketingPreferences"]["channels"]) for one in known)


def test_profiles_are_refused_as_events_are(sandbox: Client) -> None:
    answer: requests.Response = sandbox.http.get(
        f"{sandbox.base}/profiles", headers=HEADERS | {"auth-token": "invalid"}, timeout=10
    )
    assert (401, "authentication_error") == (answer.status_code, answer.json()["error"]["code"])
