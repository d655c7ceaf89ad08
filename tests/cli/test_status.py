"""`connector status`: whether all is well."""

import os
from collections.abc import Iterator

import pytest

from connector.model import MINUTE, State
from connector.store import inbox, lock, parking
from tests.cli.house import CANARY, House, a_delivery, a_regulation, connector

KEYS = ["healthy", "problems", "feeds", "destinations", "recipes", "deliveries"]


@pytest.fixture
def running(house: House) -> Iterator[House]:
    """The house with a daemon that has the database, and one poll behind it."""
    house.store().close()
    held = lock.hold(house.folder / "connector.db")
    house.live("trial-click", 0)
    house.change(
        "INSERT INTO feeds (feed, account, first_run, start, last_poll, last_success, next_poll, failures, error, "
        "detail) VALUES ('intilery.events', 1, 0, 0, ?, ?, ?, 0, '', '')",
        *(house.now, house.now, house.now + MINUTE),
    )
    yield house
    os.close(held)


def test_all_is_well(running: House) -> None:
    said = running.run("status")
    assert (0, "all is well") == (said.code, said.out.splitlines()[0])


def test_the_json_has_the_promised_keys(running: House) -> None:
    running.fire(running.event(1), a_delivery(), a_delivery(State.DELIVERED, to="crm"))
    told = running.run("status", "--json").json
    assert KEYS == list(told)[: len(KEYS)]
    assert True is told["healthy"]
    assert ["feed", "cursor", "behind_seconds", "last_poll", "error"] == list(told["feeds"][0])[:5]
    assert ["name", "state", "pending", "held", "dead"] == list(told["destinations"][0])[:5]
    assert ["id", "version", "mode", "error"] == list(told["recipes"][0])[:4]
    assert {state: n for state, n in told["deliveries"].items() if n} == {"pending": 1, "delivered": 1}
    assert os.getpid() == told["daemon"]


def test_without_a_daemon_it_is_not_well(house: House) -> None:
    said = house.run("status")
    assert (1, True) == (said.code, "not well: the daemon does not run: start `connector run`" in said.out)
    assert False is house.run("status", "--json").json["healthy"]


def test_a_failing_feed_is_not_well(running: House) -> None:
    running.change("UPDATE feeds SET error = 'the platform refuses the token (HTTP 401)', failures = 3")
    said = running.run("status")
    assert (1, True) == (said.code, "the feed intilery.events fails: the platform refuses" in said.out)


def test_a_parked_destination_is_not_well(running: House) -> None:
    store = running.store()
    with store.write() as tx:
        parking.park(tx, parking.Parked("crm", "HTTP 503", running.now, 2, running.now + 4000))
    store.close()
    said = running.run("status")
    assert (1, True) == (said.code, "crm is parked (HTTP 503)" in said.out)


def test_a_broken_recipe_is_not_well_whether_the_daemon_has_seen_it_or_not(running: House) -> None:
    running.write("recipes/trial-click.yaml", "id: trial-click\n")
    running.write("recipes/new.yaml", "id: new\n")
    told = running.run("status", "--json")
    errors = {recipe["id"]: recipe["error"] for recipe in told.json["recipes"]}
    assert (1, {"new", "trial-click"}) == (told.code, {id for id, error in errors.items() if error})
    assert errors["new"].startswith("recipes/new.yaml")


def test_a_missing_recipes_folder_is_not_well(running: House) -> None:
    (running.folder / "recipes").rename(running.folder / "elsewhere")
    said = running.run("status")
    assert (1, True) == (said.code, "recipes: there is no such folder" in said.out)


def test_dead_deliveries_and_those_of_a_destination_that_is_gone_are_not_well(running: House) -> None:
    running.fire(running.event(1), a_delivery(State.DEAD, "HTTP 404"))
    running.fire(running.event(2), a_delivery(to="old"))
    said = running.run("status")
    assert 1 == said.code
    assert "1 delivery is dead" in said.out
    assert "1 delivery waits for old, which is not in the configuration any more" in said.out


def test_what_a_guard_holds_is_not_well(running: House) -> None:
    running.fire(running.event(1), a_delivery(State.HELD, "guard"))
    said = running.run("status")
    assert 1 == said.code
    assert "not well: 1 delivery is held by a guard: connector deliveries list --state held" in said.out


def test_a_missing_secret_is_told_and_hides_nothing_else(running: House) -> None:
    running.write(".env", "INTILERY_TOKEN=x\n")
    said = running.run("status")
    assert 1 == said.code
    assert "not well: destinations.sales.slack: SLACK_SALES is not set" in said.out
    assert "trial-click" in said.out


def test_what_waits_for_a_person_is_a_note(running: House) -> None:
    running.fire(running.event(1), a_regulation())
    store = running.store()
    with store.write() as tx:
        inbox.report_gap(tx, "intilery.events", (running.now, running.now + 1, 10_000, "too many"), running.now)
    store.close()
    said = running.run("status")
    assert 0 == said.code
    assert "note: 1 regulation waits: connector approvals list" in said.out
    assert "note: intilery.events may lack events of " in said.out


def test_outcomes_are_counted_by_recipe(running: House) -> None:
    running.see(running.event(1), running.event(2, campaign_id="SUMMER"))
    running.run("backfill", "trial-click")
    assert "1 fired, 1 not met" in running.run("status").out
    (recipe,) = running.run("status", "--json").json["recipes"]
    assert {"fired": 1, "if": 1} == recipe["outcomes"]


def test_no_command_prints_a_secret(house: House) -> None:
    house.fire(house.event(1), a_delivery(State.DEAD, "HTTP 404"))
    for arguments in (("status",), ("destinations", "list"), ("check",), ("cursor", "show"), ("events",)):
        said = connector(*arguments, cwd=house.folder)
        assert said.code < 2
        assert CANARY not in said.out + said.err
