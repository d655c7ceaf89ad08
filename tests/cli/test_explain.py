"""`connector explain`: why it fired, or did not."""

import json

from connector.model import DAY, State
from tests.cli.house import RECIPE, House, a_delivery, connector


def _explained(house: House, *arguments: str) -> dict[str, object]:
    (finding,) = house.run("explain", *arguments, "--json").json["recipes"]
    return dict(finding)


def test_each_condition_is_shown_with_the_events_value_and_the_verdict(house: House) -> None:
    house.see(house.event(1, campaign_id="SUMMER"))
    said = house.run("explain", "event-0001")
    assert 0 == said.code
    assert "trial-click: if - its conditions do not hold" in said.out
    (line,) = [line for line in said.out.splitlines() if "properties.campaign_id" in line]
    assert line.split()[:3] == ["no", "properties.campaign_id", "starts_with"]
    assert "TRIAL" in line
    assert "SUMMER" in line


def test_it_is_told_as_json_too(house: House) -> None:
    house.live("trial-click", 0)
    house.see(house.event(1))
    told = house.run("explain", "event-0001", "--json").json
    (finding,) = told["recipes"]
    assert ("event-0001", "email_link_clicked") == (told["event"]["id"], told["event"]["name"])
    assert ("fired", True, []) == (finding["recomputed"]["reason"], finding["woken"], finding["stored"])
    assert {
        "what": "properties.campaign_id",
        "operator": "starts_with",
        "expected": "TRIAL",
        "value": "TRIAL_1",
        "verdict": "yes",
        "parts": [],
    } == finding["condition"]
    assert [{"action": "slack", "destination": "sales", "state": "pending", "reason": ""}] == finding["planned"]


def test_what_was_decided_is_told_as_it_was_stored(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery(State.DEAD, "HTTP 404"))
    finding = _explained(house, "event-0001")
    (stored,) = finding["stored"]  # type: ignore[misc]  JSON
    assert ("fired", 0, None) == (stored["reason"], stored["refire"], finding["recomputed"])
    assert [id] == [one["id"] for one in stored["deliveries"]]
    assert f"slack to sales: dead (HTTP 404)  {id}" in house.run("explain", "event-0001").out


def test_nothing_is_written(house: House) -> None:
    house.see(house.event(1))
    before = (house.folder / "connector.db").read_bytes()
    house.run("explain", "event-0001")
    house.run("explain", "event-0001", "trial-click", "--json")
    assert before == (house.folder / "connector.db").read_bytes()


def test_a_limit_that_was_spent_is_seen_but_not_spent_again(house: House) -> None:
    house.write("recipes/trial-click.yaml", RECIPE.replace("actions:", "limit: 1/24h\nactions:"))
    house.see(house.event(1, ago=1000), house.event(2))
    assert 0 == house.run("backfill", "trial-click").code
    assert "trial-click: limited: 1/1d" in house.run("explain", "event-0002").out
    assert "trial-click: fired, " in house.run("explain", "event-0001").out
    house.see(house.event(3))
    for _ in range(2):
        assert {"reason": "limited", "detail": "1/1d"} == _explained(house, "event-0003")["recomputed"]


def test_a_named_recipe_is_explained_even_when_the_trigger_does_not_fit(house: House) -> None:
    house.see(house.event(1, name="product_added"))
    assert "no recipe's trigger names this event" in house.run("explain", "event-0001").out
    assert "not woken, its trigger does not name this event" in house.run("explain", "event-0001", "trial-click").out
    assert False is _explained(house, "event-0001", "trial-click")["woken"]


def test_an_event_from_before_the_recipe_was_live(house: House) -> None:
    house.live("trial-click", house.now - DAY)
    house.see(house.event(1, ago=2 * DAY))
    assert "not_live - it happened before the recipe was live" in house.run("explain", "event-0001").out


def test_an_unknown_event_or_recipe_is_wrong_usage(house: House) -> None:
    house.see(house.event(1))
    assert "there is no event 'event-9'" in house.run("explain", "event-9").err
    assert "did you mean 'trial-click'?" in house.run("explain", "event-0001", "trial-clik").err
    assert 2 == house.run("explain", "event-9").code


def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one(house: House) -> None:
    house.see(house.event(1), house.event(12))
    assert "event-0001" == house.run("explain", "event-0001", "--json").json["event"]["id"]
    assert "several event ids begin with" in house.run("explain", "event-00").err
    assert "event-0012" == house.run("explain", "event-001", "--json").json["event"]["id"]


def test_content_that_was_let_go_is_said(house: House) -> None:
    house.see(house.event(1))
    house.change("UPDATE events SET payload = NULL")
    assert "its content was let go" in house.run("explain", "event-0001").err


def test_a_broken_recipe_is_explained_by_its_last_good_version(house: House) -> None:
    house.see(house.event(1))
    house.run("backfill", "trial-click")
    house.write("recipes/trial-click.yaml", "id: trial-click\ntrigger: x\n")
    assert "fired, " in house.run("explain", "event-0001").out
    house.write("recipes/other.yaml", "id: other\n")
    assert "no recipe 'other' is in service: " in house.run("explain", "event-0001", "other").err


def test_an_events_json_can_be_given(house: House) -> None:
    body = dict(house.event(7).body)
    file = house.write("event.json", json.dumps(body))
    assert "trial-click: fired" in house.run("explain", f"@{file}").out
    assert "cannot read nothing.json: No such file" in house.run("explain", "@nothing.json").err
    house.write("event.json", "[]")
    assert "expected an object" in house.run("explain", f"@{file}").err
    house.write("event.json", "{")
    assert "not the JSON of an event" in house.run("explain", f"@{file}").err


def test_standard_input_is_read_for_a_dash(house: House) -> None:
    said = connector("explain", "-", cwd=house.folder)
    assert (2, True) == (said.code, "not the JSON of an event" in said.err)
