"""GET …/v1/events as the Events API page describes it, and each of its unknowns either way."""

from typing import Any

import pytest

from tests.sandbox.client import Client

A_MINUTE = 60_000


def test_an_account_nobody_wrote_to_has_an_empty_list(sandbox: Client) -> None:
    assert {"data": []} == sandbox.ask().json()


def test_every_answer_carries_a_request_id_of_its_own_and_the_date(sandbox: Client) -> None:
    first, second = sandbox.ask(), sandbox.ask(size="0")
    assert first.headers["x-amzn-RequestId"] != second.headers["x-amzn-RequestId"]
    assert ["Sun, 01 Nov 2026 12:00:00 GMT"] * 2 == [first.headers["Date"], second.headers["Date"]]


def test_an_event_has_the_documented_names(sandbox: Client) -> None:
    sandbox.inject({"event": "Email Opened", "userId": "u1", "properties": {"campaign_id": "TRIAL"}})
    [event] = sandbox.feed()
    documented = {"eventId", "eventTime", "receivedTime", "eventAction", "clientId", "accountId", "brandId"}
    assert documented | {"customerId", "userId", "anonymousId", "source", "rawData"} == set(event)
    assert "email_opened" == event["eventAction"]
    assert ("acme", "acme", "ACME") == (event["clientId"], event["accountId"], event["brandId"])
    assert "2026-11-01T12:00:00.000Z" == event["eventTime"] == event["receivedTime"] == event["rawData"]["timestamp"]


def test_most_recent_comes_first_unless_asc_is_asked_for(sandbox: Client) -> None:
    sandbox.generate(5, at="-1m")
    assert [4, 3, 2, 1, 0] == sandbox.numbers() == sandbox.numbers(sort="desc")
    assert [0, 1, 2, 3, 4] == sandbox.numbers(sort="asc")


def test_size_limits_and_is_100_by_default(sandbox: Client) -> None:
    sandbox.generate(150, at="-1m")
    assert [0, 1, 2] == sandbox.numbers(sort="asc", size=3)
    assert 100 == len(sandbox.feed())


def test_size_default_may_be_10(sandbox: Client) -> None:
    sandbox.switch(size_default="10")
    sandbox.generate(20, at="-1m")
    assert 10 == len(sandbox.feed())


@pytest.mark.parametrize(("reading", "expected"), [("hits", [3, 4]), ("pages", [6, 7])])
def test_from_skips_hits_or_pages(sandbox: Client, reading: str, expected: Any) -> None:
    sandbox.switch(**{"from": reading})
    sandbox.generate(10, at="-1m")
    assert expected == sandbox.numbers(sort="asc", size=2, **{"from": 3})


@pytest.mark.parametrize(
    ("edges", "expected"), [("inclusive", [2, 3, 4, 5]), ("exclusive", [3, 4]), ("half_open", [2, 3, 4])]
)
def test_edges_are_in_or_out(sandbox: Client, edges: str, expected: Any) -> None:
    sandbox.switch(edges=edges)
    sandbox.generate(9, at="-1s", every=100)
    window = {"start": "2026-11-01T11:59:59.200Z", "end": "2026-11-01T11:59:59.500Z"}
    assert expected == sandbox.numbers(sort="asc", **window)


@pytest.mark.parametrize(("field", "expected"), [("eventTime", [0]), ("receivedTime", [1])])
def test_start_end_and_sort_go_by_either_clock(sandbox: Client, field: str, expected: Any) -> None:
    sandbox.switch(time_field=field)
    old, new = "2026-11-01T10:00:00.000Z", "2026-11-01T11:00:00.000Z"
    sandbox.inject({"eventTime": old, "receivedTime": new, "properties": {"n": 0}})
    sandbox.inject({"eventTime": new, "receivedTime": old, "properties": {"n": 1}})
    assert expected == sandbox.numbers(end="2026-11-01T10:30:00Z")
    assert expected == sandbox.numbers(sort="asc", size=1)


def test_an_import_of_history_arrives_now_and_stands_in_2012(sandbox: Client) -> None:
    sandbox.call("track", {"userId": "u1", "event": "Order Completed", "timestamp": "2012-12-02T00:30:12.984Z"})
    [event] = sandbox.feed(end="2013-01-01")
    assert ("2012-12-02T00:30:12.984Z", "2026-11-01T12:00:00.000Z") == (event["eventTime"], event["receivedTime"])
    assert [] == sandbox.feed(start="2026-01-01")


def test_stable_ties_come_as_received_and_reversed_by_desc(sandbox: Client) -> None:
    sandbox.generate(6, at="-1m", every=0)
    assert [2, 3] == sandbox.numbers(sort="asc", size=2, **{"from": 2})
    assert [3, 2] == sandbox.numbers(sort="desc", size=2, **{"from": 2})


def test_arrival_ties_come_as_received_in_both_directions(sandbox: Client) -> None:
    sandbox.switch(ties="arrival")
    sandbox.generate(3, at="-2m", every=0)
    sandbox.generate(3, at="-1m", every=0, properties={})
    assert [0, 1, 2, 0, 1, 2] == sandbox.numbers(sort="asc")
    assert [0, 1, 2, 0, 1, 2] == sandbox.numbers(sort="desc")
    assert [1, 2, 0, 1] == sandbox.numbers(sort="desc", size=4, **{"from": 1})


def test_random_ties_change_their_order_and_keep_their_number(sandbox: Client) -> None:
    sandbox.switch(ties="random")
    sandbox.generate(60, at="-1m", every=0)
    first, second = sandbox.numbers(sort="asc"), sandbox.numbers(sort="asc")
    assert first != second
    assert list(range(60)) == sorted(first) == sorted(second)


def test_random_ties_leave_other_times_in_order(sandbox: Client) -> None:
    sandbox.switch(ties="random")
    sandbox.generate(50, at="-1m", every=1)
    assert list(range(10, 20)) == sandbox.numbers(sort="asc", size=10, **{"from": 10})


def test_beyond_10000_results_is_refused(sandbox: Client) -> None:
    assert 200 == sandbox.ask(size=100, **{"from": 9_900}).status_code
    answer = sandbox.ask(size=100, **{"from": 9_901})
    assert (400, "invalid_request_error") == (answer.status_code, answer.json()["error"]["code"])


def test_beyond_10000_results_may_look_empty(sandbox: Client) -> None:
    sandbox.switch(beyond="empty")
    sandbox.generate(10_050, at="-1m")
    assert 100 == len(sandbox.feed(size=100, **{"from": 9_900}))
    assert [] == sandbox.feed(size=100, **{"from": 9_901})


def test_pages_reach_10000_results_too(sandbox: Client) -> None:
    sandbox.switch(**{"from": "pages"})
    assert 200 == sandbox.ask(size=100, **{"from": 99}).status_code
    assert 400 == sandbox.ask(size=100, **{"from": 100}).status_code


def test_include_takes_one_event_action(sandbox: Client) -> None:
    sandbox.generate(6, at="-1m", event=["page", "Email Opened", "identify"])
    assert [1, 4] == sandbox.numbers(sort="asc", include="email_opened")
    assert [] == sandbox.feed(include="page,identify")


def test_include_may_take_a_list(sandbox: Client) -> None:
    sandbox.switch(include="list")
    sandbox.generate(6, at="-1m", event=["page", "Email Opened", "identify"])
    assert [0, 2, 3, 5] == sandbox.numbers(sort="asc", include="page,identify")


def test_exclude_takes_a_list(sandbox: Client) -> None:
    sandbox.generate(6, at="-1m", event=["page", "Email Opened", "identify"])
    assert [1, 4] == sandbox.numbers(sort="asc", exclude="page,identify")


def test_a_date_is_the_midnight_it_begins_with(sandbox: Client) -> None:
    sandbox.inject({"receivedTime": "2026-10-30T23:59:59.999Z"}, {"receivedTime": "2026-10-31T00:00:00.000Z"})
    assert ["2026-10-31T00:00:00.000Z"] == [event["receivedTime"] for event in sandbox.feed(start="2026-10-31")]


def test_a_datetime_may_be_cut_to_its_day(sandbox: Client) -> None:
    sandbox.switch(datetime="date")
    sandbox.generate(1, at="-3h")
    assert [0] == sandbox.numbers(start="2026-11-01T11:59:00.000Z")
    assert [] == sandbox.feed(end="2026-11-01T11:59:00.000Z")


def test_a_datetime_may_be_refused(sandbox: Client) -> None:
    sandbox.switch(datetime="refused")
    assert 200 == sandbox.ask(start="2026-11-01").status_code
    assert 400 == sandbox.ask(start="2026-11-01T11:59:00.000Z").status_code


@pytest.mark.parametrize(("setting", "expected"), [("list", {"data": []}), ("null", {"data": None}), ("missing", {})])
def test_nothing_found_has_three_spellings(sandbox: Client, setting: str, expected: Any) -> None:
    sandbox.switch(data_on_empty=setting)
    assert expected == sandbox.ask().json()
    sandbox.generate(1)
    assert [0] == sandbox.numbers()


@pytest.mark.parametrize("empty", ["list", "missing"])
def test_the_answer_may_carry_the_scroll_id_of_old(sandbox: Client, empty: str) -> None:
    sandbox.switch(scroll_id="present", data_on_empty=empty)
    assert "scrollId" in sandbox.ask().json()
    sandbox.generate(1)
    assert ["scrollId", "data"] == list(sandbox.ask().json())


@pytest.mark.parametrize("status", [200, 301, 404])
def test_a_slash_at_the_end(sandbox: Client, status: int) -> None:
    sandbox.switch(slash=str(status))
    assert status == sandbox.ask("/events/", size=1).status_code


def test_the_slash_leads_to_the_path_without_it(sandbox: Client) -> None:
    sandbox.switch(slash="301")
    assert "/track/acme/acme/ACME/v1/events?size=1" == sandbox.ask("/events/", size=1).headers["Location"]


def test_lag_lets_events_appear_late_and_out_of_order(sandbox: Client) -> None:
    sandbox.switch(lag="10s")
    sandbox.generate(50, at="0", every=0)
    early = set(sandbox.numbers())
    sandbox.clock.now += 5_000
    half = set(sandbox.numbers())
    sandbox.clock.now += 5_000
    assert early < half < set(sandbox.numbers()) == set(range(50))
    assert half != set(range(len(half)))


def test_an_event_of_the_future_is_invisible_until_then(sandbox: Client) -> None:
    sandbox.inject({"properties": {"n": 1}}, at="30s")
    assert [] == sandbox.feed()
    sandbox.clock.now += 30_000
    assert [1] == sandbox.numbers()


def test_retention_hides_what_was_received_long_ago(sandbox: Client) -> None:
    sandbox.switch(retention="7d")
    sandbox.inject({"properties": {"n": 1}}, at="-8d")
    sandbox.inject({"properties": {"n": 2}}, at="-6d")
    assert [2] == sandbox.numbers()


def test_skew_moves_the_platforms_clock(sandbox: Client) -> None:
    sandbox.switch(skew="-10m")
    sandbox.call("track", {"userId": "u1", "event": "Logged In"})
    assert "2026-11-01T11:50:00.000Z" == sandbox.feed()[0]["receivedTime"]
    assert "Sun, 01 Nov 2026 11:50:00 GMT" == sandbox.ask().headers["Date"]


def test_accounts_and_brands_share_nothing(sandbox: Client) -> None:
    sandbox.inject({"event": "page"})
    other: dict[str, Any] = {"headers": {"auth-token": "x", "content-type": "application/json"}, "timeout": 10}
    for path in ("acme/acme/OTHER", "acme/uk/ACME", "any%20one/acme/ACME"):
        assert {"data": []} == sandbox.http.get(f"{sandbox.url}/track/{path}/v1/events", **other).json()
    assert 1 == len(sandbox.feed())


def test_parameters_nobody_knows_are_ignored(sandbox: Client) -> None:
    assert 200 == sandbox.ask(scrollId="abc", limit="5").status_code


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": "0"},
        {"size": "101"},
        {"size": "ten"},
        {"size": "-1"},
        {"size": ""},
        {"from": "-1"},
        {"from": "x"},
        {"sort": "up"},
        {"start": "yesterday"},
        {"end": "2026-13-01"},
        {"start": "1762000000000"},
    ],
    ids=str,
)
def test_a_parameter_that_cannot_be_read_is_a_validation_error(sandbox: Client, wrong: dict[str, str]) -> None:
    answer = sandbox.ask(**wrong)
    assert (400, "validation_error") == (answer.status_code, answer.json()["error"]["code"])
