"""`connector approvals` and `connector regulations`: people dispose."""

import pytest

from tests.cli.house import House, a_regulation

DAY = 24 * 3_600_000


def _state(house: House, id: str) -> tuple[str, str]:
    row = house.ask(
        "SELECT r.state, d.state FROM regulations r JOIN deliveries d ON d.id = r.delivery WHERE d.id = ?", id
    )
    return row[0], row[1]


def test_what_waits_is_listed_with_who_asked_for_what_and_until_when(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation(user="u1"))
    (waiting,) = house.run("approvals", "list", "--json").json
    assert ["id", "type", "user_id", "reason", "recipe", "event", "account", "held", "since", "due"] == list(waiting)
    assert (id, "suppress", "u1", "event-0001", "approval") == tuple(
        waiting[key] for key in ("id", "type", "user_id", "event", "held")
    )
    assert id in house.run("approvals", "list").out


def test_nothing_waiting_is_said(house: House) -> None:
    house.store().close()
    assert "nothing waits for approval\n" == house.run("approvals", "list").out
    assert [] == house.run("approvals", "list", "--json").json


def test_the_whole_life_of_one(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation(user="u1"))
    approved = house.run("approvals", "approve", id, "--by", "Ada")
    assert (0, ("approved", "pending")) == (approved.code, _state(house, id))
    assert "of the type Suppress\n" in approved.out
    assert "character by character: u1\n" in approved.out
    assert f"connector regulations done {id} --by NAME" in approved.out
    assert f"to do for {id}" in house.run("regulations", "list").out
    assert 0 == house.run("regulations", "done", id, "--by", "Bo").code
    assert ("done", "delivered") == _state(house, id)
    (entry,) = house.run("regulations", "list", "--json").json
    assert ("done", "Ada", False) == (entry["state"], entry["decided_by"], entry["overdue"])
    actors = house.ask("SELECT group_concat(actor) FROM audit")[0]
    assert "connector,Ada,Bo" == actors


def test_reject_turns_it_down(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation())
    assert 0 == house.run("approvals", "reject", id, "--by", "Ada").code
    assert ("rejected", "discarded") == _state(house, id)


@pytest.mark.parametrize(
    "arguments", [("approvals", "approve", "dlv_x"), ("approvals", "reject", "dlv_x"), ("regulations", "stop")]
)
def test_a_decision_needs_a_name(house: House, arguments: tuple[str, ...]) -> None:
    missing = house.run(*arguments)
    blank = house.run(*arguments, "--by", "  ")
    assert (2, True) == (missing.code, "--by" in missing.err)
    assert (2, True) == (blank.code, "--by needs a name" in blank.err)


def test_the_beginning_of_an_id_is_not_enough_to_approve(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation())
    said = house.run("approvals", "approve", id[:20], "--by", "Ada")
    assert (2, ("proposed", "held")) == (said.code, _state(house, id))


def test_a_delete_waits_for_a_finished_suppress_and_says_so(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation("delete"))
    said = house.run("approvals", "approve", id, "--by", "Ada")
    assert (2, True) == (said.code, "needs a finished suppress" in said.err)


def test_the_kill_switch_holds_everything(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation())
    assert 0 == house.run("regulations", "stop", "--by", "Ada").code
    refused = house.run("approvals", "approve", id, "--by", "Bo")
    assert (2, True) == (refused.code, "connector regulations resume" in refused.err)
    assert "regulations are stopped by Ada" in house.run("regulations", "list").out
    assert "kill_switch" == house.run("approvals", "list", "--json").json[0]["held"]
    assert 0 == house.run("regulations", "resume", "--by", "Ada").code
    assert 0 == house.run("approvals", "approve", id, "--by", "Bo").code


def test_an_overdue_one_is_marked(house: House) -> None:
    house.fire(house.event(1), a_regulation())
    house.change("UPDATE regulations SET due = ?", house.now - DAY)
    assert True is house.run("regulations", "list", "--json").json[0]["overdue"]
    assert "OVERDUE" in house.run("regulations", "list").out
