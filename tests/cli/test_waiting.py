"""What commands say of runs that wait for lookups, and of what lookups found."""

from typing import Any

import pytest

from connector.model import HOUR, Event, Json
from connector.recipe.evaluate import evaluate, go_on
from connector.recipe.memory import DictMemory
from connector.recipe.parse import parse
from connector.store import inbox, recipes, waiting
from connector.store.regulations import Rules
from connector.store.runs import Ledger, Taken
from tests.cli.house import ACCOUNT, RECIPE, House, _Gates

LOOKING = """\
id: trial-click
trigger: {feed: intilery.events, event: email_link_clicked}
if:
  - properties.campaign_id: {starts_with: TRIAL}
  - lookups.profile.tier: gold
lookups:
  profile: {intilery_traits: {user_id: "{{ event.userId }}"}}
actions:
  - slack: {to: sales, text: "{{ lookups.profile.firstName }} clicked"}
tests: []
"""


@pytest.fixture(autouse=True)
def _looking(house: House) -> None:
    house.write("recipes/trial-click.yaml", LOOKING)


def take(house: House, event: Event, **answers: Json) -> None:
    """As the daemon takes an event; with answers the run goes on."""
    made = parse(LOOKING, "trial-click.yaml")
    outcome = evaluate(made, event, DictMemory(), live_from=0)
    if answers:
        outcome = go_on(made, event, DictMemory(), answers)
    store = house.store()
    with store.write() as tx:
        recipes.keep_version(tx, made.version, made.id, made.file, made.text, house.now)
        ((seq, _),) = inbox.add(store, tx, [event], house.now)
        Ledger(tx, _Gates(), Rules(), house.now).write(store.account(tx, ACCOUNT), [Taken(seq, event, outcome)])
    store.close()


def hold(house: House, reason: str, failing: int | None) -> None:
    store = house.store()
    with store.write() as tx:
        (run,) = waiting.due(tx, house.now, 1)
        waiting.hold(tx, run, due=house.now + HOUR, reason=reason, failing=failing, attempts=3)
    store.close()


def explained(house: House) -> dict[str, Any]:
    (finding,) = house.run("explain", "event-0001", "--json").json["recipes"]
    return dict(finding)


# ── explain ───────────────────────────────────────────────────────────────────────────────────


def test_explain_shows_a_waiting_run_and_what_it_waits_for(house: House) -> None:
    take(house, house.event(1))
    said = house.run("explain", "event-0001").out
    assert "trial-click: waiting for lookups, " in said
    assert ": profile\n" in said
    assert 'yes  properties.campaign_id starts_with "TRIAL" ("TRIAL_1")' in said
    finding = explained(house)
    assert (True, [], None) == (finding["woken"], finding["stored"], finding["recomputed"])
    (run,) = finding["waiting"]
    assert (["profile"], "", 0) == (run["lookups"], run["reason"], run["attempts"])


def test_explain_says_why_a_run_is_held_and_until_when(house: House) -> None:
    take(house, house.event(1))
    hold(house, "lookups.profile: the platform has trouble (HTTP 503)", house.now)
    said = house.run("explain", "event-0001").out
    assert "the platform has trouble (HTTP 503); again 2" in said


def test_explain_shows_what_was_found_and_what_was_made_of_it(house: House) -> None:
    take(house, house.event(1), profile={"firstName": "Ada", "tier": "none"})
    said = house.run("explain", "event-0001").out
    assert "trial-click: if, " in said
    assert 'lookups.profile: {"firstName": "Ada", "tier": "none"}' in said
    assert 'no   lookups.profile.tier eq "gold" ("none")' in said
    finding = explained(house)
    assert {"profile": {"firstName": "Ada", "tier": "none"}} == finding["lookups"]
    assert "no" == finding["condition_on_lookups"]["verdict"]


def test_explain_says_when_what_was_found_is_gone(house: House) -> None:
    take(house, house.event(1), profile={"firstName": "Ada", "tier": "gold"})
    house.change("DELETE FROM answers")
    assert "note: what its lookups found was let go" in house.run("explain", "event-0001").out


def test_explain_of_an_event_that_nobody_took_says_what_it_would_look_up(house: House) -> None:
    house.see(house.event(1))
    house.live("trial-click", 0)
    said = house.run("explain", "event-0001").out
    assert "trial-click: waiting - it would look up the rest, and go on with what that finds" in said


def test_explain_says_that_nothing_was_found(house: House) -> None:
    take(house, house.event(1), profile=None)
    said = house.run("explain", "event-0001").out
    assert "trial-click: lookup: profile: not found" in said
    assert "lookups.profile: not found" in said


# ── status ────────────────────────────────────────────────────────────────────────────────────


def test_status_counts_waiting_runs_without_finding_fault_with_them(house: House) -> None:
    take(house, house.event(1))
    take(house, house.event(2))
    told = house.run("status", "--json").json
    assert [("trial-click", 2, None, "")] == [
        (one["recipe"], one["runs"], one["failing_since"], one["reason"]) for one in told["waiting"]
    ]
    assert ["the daemon does not run: start `connector run`"] == told["problems"]
    assert "note: 2 runs of trial-click wait for lookups\n" in house.run("status").out


def test_status_is_not_well_while_lookups_fail(house: House) -> None:
    take(house, house.event(1))
    hold(house, "lookups.profile: the platform has trouble (HTTP 503)", house.now)
    problem = "1 run of trial-click waits for lookups: lookups.profile: the platform has trouble (HTTP 503)"
    assert problem in house.run("status", "--json").json["problems"]


def test_status_notes_what_waits_for_a_recipe_that_is_off(house: House) -> None:
    take(house, house.event(1))
    hold(house, "recipe_off", None)
    assert "note: 1 run of trial-click waits for lookups: recipe_off" in house.run("status").out


# ── backfill ──────────────────────────────────────────────────────────────────────────────────


def test_backfill_lets_runs_wait_as_the_daemon_does(house: House) -> None:
    house.see(house.event(1), house.event(2, campaign_id="SUMMER"))
    said = house.run("backfill", "trial-click")
    assert (0, "trial-click: 1 waiting, 1 not met; deliveries: none\n") == (said.code, said.out)
    assert 1 == house.ask("SELECT count(*) FROM waiting_runs")[0]


def test_backfill_leaves_a_run_that_still_waits_alone(house: House) -> None:
    take(house, house.event(1))
    for more in ((), ("--refire",)):
        said = house.run("backfill", "trial-click", *more)
        assert "trial-click: 1 already waiting; deliveries: none\n" == said.out
    assert 1 == house.ask("SELECT count(*) FROM waiting_runs")[0]


def test_refire_waits_under_a_new_number(house: House) -> None:
    take(house, house.event(1), profile={"firstName": "Ada", "tier": "gold"})
    house.run("backfill", "trial-click", "--refire", "--yes")
    assert 1 == house.ask("SELECT refire FROM waiting_runs")[0]


def test_what_ended_without_firing_is_looked_up_again(house: House) -> None:
    take(house, house.event(1), profile=None)
    house.run("backfill", "trial-click")
    assert 1 == house.ask("SELECT refire FROM waiting_runs")[0]


# ── verify ────────────────────────────────────────────────────────────────────────────────────


def test_verify_finds_a_waiting_run_without_its_event(house: House) -> None:
    take(house, house.event(1))
    assert 0 == house.run("db", "verify").code
    house.change("UPDATE events SET payload = NULL")
    said = house.run("db", "verify")
    assert 1 == said.code
    assert "waiting runs have their event" in said.out


def test_recipes_without_lookups_are_told_as_before(house: House) -> None:
    house.write("recipes/trial-click.yaml", RECIPE)
    house.see(house.event(1))
    house.live("trial-click", 0)
    finding = explained(house)
    assert (None, None, []) == (finding["lookups"], finding["condition_on_lookups"], finding["waiting"])
