"""`connector explain`: why it fired, or did not."""

import json

from connector.cli.output import day_and_time
from connector.model import DAY, HOUR, State, instant_text
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
        "reads": {},
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


LIMITED = RECIPE.replace("actions:", "limit: 1/24h\nactions:")


def _spent(house: House, recipe: str = LIMITED) -> None:
    """Event 1 of an hour ago spends the limit of u1, event 2 of u2's; event 3 comes too late."""
    house.write("recipes/trial-click.yaml", recipe)
    house.see(house.event(1, ago=HOUR), house.event(2, ago=HOUR, user="u2"), house.event(3))
    assert 0 == house.run("backfill", "trial-click").code


def test_who_spent_the_limit_and_when_it_is_free_again_is_told(house: House) -> None:
    _spent(house)
    told = house.run("explain", "event-0003").out
    free = day_and_time(house.now + 23 * HOUR)
    assert "  limit 1/1d of userId=u1\n    spent by event-0001, " in told
    assert f"    free again {free} (in 22h59m)\n" in told
    assert "event-0002" not in told
    assert "free again" not in house.run("explain", "event-0001").out
    assert {
        "rate": "1/1d",
        "keys": ["userId=u1"],
        "spent": [{"event": "event-0001", "at": instant_text(house.now - HOUR)}],
        "earlier": 0,
        "free_again": instant_text(house.now + 23 * HOUR),
    } == _explained(house, "event-0003")["limit"]


def test_the_limit_of_an_event_that_no_recipe_saw_yet_is_told_too(house: House) -> None:
    _spent(house)
    house.see(house.event(4))
    assert "trial-click: limited: 1/1d - its `limit` was reached" in house.run("explain", "event-0004").out
    assert "    spent by event-0001, " in house.run("explain", "event-0004").out
    house.see(house.event(5, user="u3"))
    assert None is _explained(house, "event-0005")["limit"]


def test_a_limit_for_ever_is_never_free_again(house: House) -> None:
    _spent(house, LIMITED.replace("1/24h", "1/ever"))
    assert "    never free again\n" in house.run("explain", "event-0003").out
    assert None is _explained(house, "event-0003")["limit"]["free_again"]  # type: ignore[index]  JSON


def test_runs_that_spent_a_limit_later_were_not_in_an_events_way(house: House) -> None:
    _spent(house, LIMITED.replace("1/24h", "2/24h"))
    house.see(house.event(4))
    house.run("backfill", "trial-click")
    assert "trial-click: limited: 2/1d, " in house.run("explain", "event-0004").out
    spent = _explained(house, "event-0004")["limit"]["spent"]  # type: ignore[index]  JSON
    assert ["event-0001", "event-0003"] == [run["event"] for run in spent]
    assert f"free again {day_and_time(house.now + 23 * HOUR)}" in house.run("explain", "event-0004").out


def test_a_run_whose_event_was_let_go_is_told_by_its_time(house: House) -> None:
    _spent(house)
    house.change("DELETE FROM outcomes WHERE event = (SELECT seq FROM events WHERE event_id = 'event-0001')")
    told = house.run("explain", "event-0003").out
    assert f"    spent by an event that was let go, {day_and_time(house.now - HOUR)}" in told


def test_a_limit_whose_memory_is_gone_is_told_so(house: House) -> None:
    _spent(house)
    house.change("DELETE FROM memory_keys")
    assert "    who spent the rest is not remembered any more\n" in house.run("explain", "event-0003").out


def test_a_limit_that_is_for_everyone_says_so(house: House) -> None:
    _spent(house, LIMITED.replace("1/24h", "{max: 1/24h, key: []}"))
    assert "  limit 1/1d of everyone\n" in house.run("explain", "event-0002").out


def test_a_templates_values_are_shown(house: House) -> None:
    house.write("recipes/trial-click.yaml", RECIPE.replace("{starts_with: TRIAL}", "{exists: true}"))
    text = house.folder / "recipes/trial-click.yaml"
    text.write_text(text.read_text().replace("actions:", "  - '{{ properties.quantity|number > 1 }}'\nactions:", 1))
    house.see(house.event(1, quantity="2"))
    told = house.run("explain", "event-0001").out
    assert 'yes  {{ properties.quantity|number > 1 }} (properties.quantity = "2")' in told
    formula = _explained(house, "event-0001")["condition"]["parts"][1]  # type: ignore[index]  JSON
    assert {"properties.quantity": "2"} == formula["reads"]


def test_a_named_recipe_is_explained_even_when_the_trigger_does_not_fit(house: House) -> None:
    house.see(house.event(1, name="product_added"))
    assert "no recipe's trigger names this event" in house.run("explain", "event-0001").out
    assert "not woken, its trigger does not name this event" in house.run("explain", "event-0001", "trial-click").out
    assert False is _explained(house, "event-0001", "trial-click")["woken"]


def test_an_event_from_before_the_recipe_was_live(house: House) -> None:
    house.live("trial-click", house.now - DAY)
    house.see(house.event(1, ago=2 * DAY))
    told = house.run("explain", "event-0001").out
    assert "not_live - it happened before the recipe was live" in told
    assert '  were it live: fired\n  if\n    yes  properties.campaign_id starts_with "TRIAL" ("TRIAL_1")\n' in told
    command = f"connector backfill trial-click --since {instant_text(house.now - 2 * DAY)}"
    assert f"  to run it: {command}\n  note: the recipe is live since {day_and_time(house.now - DAY)}\n" in told
    finding = _explained(house, "event-0001")
    assert ({"reason": "not_live", "detail": ""}, {"reason": "fired", "detail": ""}, [command]) == tuple(
        finding[key] for key in ("recomputed", "as_if_live", "commands")
    )
    house.run(*command.split()[1:])
    assert "trial-click: fired, " in house.run("explain", "event-0001").out


def test_an_event_of_before_that_would_not_fire_needs_no_backfill(house: House) -> None:
    house.live("trial-click", house.now - DAY)
    house.see(house.event(1, ago=2 * DAY, campaign_id="SUMMER"))
    told = house.run("explain", "event-0001").out
    assert "  were it live: if\n" in told
    assert "backfill trial-click" not in told


def test_a_disabled_recipe_is_told_so(house: House) -> None:
    house.write("recipes/trial-click.yaml", "mode: disabled\n" + RECIPE)
    house.see(house.event(1))
    told = house.run("explain", "event-0001").out
    assert "trial-click: not_live - the recipe is disabled: set its `mode` to live first" in told
    assert "  were it live: fired\n" in told


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


def test_an_event_that_bears_a_foreign_mark_says_so(house: House) -> None:
    body = dict(house.event(7).body)
    body["rawData"] = {**body["rawData"], "context": {"connector": {"delivery": "dlv_1", "hops": 1}}}
    file = house.write("event.json", json.dumps(body))
    told = house.run("explain", f"@{file}").out
    assert "odd about it: foreign_mark" in told
    assert "trial-click: fired" in told


def test_standard_input_is_read_for_a_dash(house: House) -> None:
    said = connector("explain", "-", cwd=house.folder)
    assert (2, True) == (said.code, "not the JSON of an event" in said.err)
