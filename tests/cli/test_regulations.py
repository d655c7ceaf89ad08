"""`connector approvals` and `connector regulations`: people dispose."""

import pytest

from connector.model import Planned, State
from tests.cli.house import CONFIGURATION, House, a_regulation

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
    listed = house.run("approvals", "list").out
    assert all(part in listed for part in (id, "u1", "asked for"))
    shown = house.run("deliveries", "show", id).out
    assert all(part in shown for part in ("suppress", "u1", "asked for"))


def test_one_that_could_not_be_rendered_is_discarded_not_rejected(house: House) -> None:
    dead = Planned("regulation", "regulation", "", state=State.DEAD, reason="error: absent")
    (id,) = house.fire(house.event(1), dead)
    refused = house.run("approvals", "reject", id, "--by", "Ada")
    assert (2, True) == (refused.code, f"connector deliveries discard {id}" in refused.err)
    assert 0 == house.run("deliveries", "discard", id).code
    assert "discarded" == house.ask("SELECT state FROM deliveries")[0]


def test_an_id_that_no_regulation_has_is_wrong_usage(house: House) -> None:
    house.store().close()
    said = house.run("approvals", "approve", "dlv_123456", "--by", "Ada")
    assert (2, "there is no regulation 'dlv_123456': see `connector approvals list`\n") == (said.code, said.err)


def test_a_dry_run_is_said_to_ask_nobody(house: House) -> None:
    house.fire(house.event(1), a_regulation())
    assert "only noted" not in house.run("regulations", "list").out
    house.change("UPDATE regulations SET state = 'dry_run'")
    assert "dry_run: only noted, nobody was asked and nothing is sent" in house.run("regulations", "list").out


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
    assert (2, True) == (missing.code, "--by" in missing.err)
    for name in ("", "  "):
        blank = house.run(*arguments, "--by", name)
        assert (2, True) == (blank.code, "--by needs a name: it is kept in the audit" in blank.err)


def test_the_beginning_of_an_id_is_not_enough_to_approve(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation())
    said = house.run("approvals", "approve", id[:20], "--by", "Ada")
    assert (2, ("proposed", "held")) == (said.code, _state(house, id))
    assert "write the whole id" in said.err


def test_a_delete_waits_for_a_finished_suppress_and_says_so(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation("delete"))
    said = house.run("approvals", "approve", id, "--by", "Ada")
    assert (2, True) == (said.code, "needs a finished suppress" in said.err)


def test_the_kill_switch_holds_everything(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation())
    assert 0 == house.run("regulations", "stop", "--by", "Ada").code
    refused = house.run("approvals", "approve", id, "--by", "Bo")
    assert (2, True) == (refused.code, "connector regulations resume" in refused.err)
    for noun in ("regulations", "approvals"):
        assert "regulations are stopped by Ada" in house.run(noun, "list").out
    assert "connector regulations resume --by NAME" in house.run("status").out
    assert "kill_switch" == house.run("approvals", "list", "--json").json[0]["held"]
    assert 0 == house.run("regulations", "resume", "--by", "Ada").code
    assert 0 == house.run("approvals", "approve", id, "--by", "Bo").code


def test_an_overdue_one_is_marked(house: House) -> None:
    house.fire(house.event(1), a_regulation())
    house.change("UPDATE regulations SET due = ?", house.now - DAY)
    assert True is house.run("regulations", "list", "--json").json[0]["overdue"]
    assert "OVERDUE" in house.run("regulations", "list").out


# ── mode api ──────────────────────────────────────────────────────────────────────────────────

API = """\
regulations:
  mode: api
  cap: 20/1d
  connection: intilery
  path: /regulations
  body: {regulation_type: "{{ item.type }}", attributes: {name: userId, values: ["{{ item.user_id }}"]}}
  types: {suppress: Suppress}
  list: {path: /regulations, entries: entries, users: attributes.values, created: created_at}
"""


@pytest.fixture
def by_api(house: House) -> House:
    house.write("connector.yaml", CONFIGURATION.replace("regulations: {mode: manual, cap: 20/1d}\n", API))
    return house


def test_an_approved_one_is_sent_where_an_api_is_described(by_api: House) -> None:
    (id,) = by_api.fire(by_api.event(1), a_regulation(user="u1"))
    said = by_api.run("approvals", "approve", id, "--by", "Ada")
    assert (0, True, False) == (said.code, "sent through the API" in said.out, "console" in said.out)
    assert "to send" == by_api.ask("SELECT reason FROM deliveries")[0]
    assert "to do for" not in by_api.run("regulations", "list").out
    assert "sent through the API" in by_api.run("deliveries", "show", id).out


def test_one_without_a_name_there_is_still_a_work_item(by_api: House) -> None:
    (id,) = by_api.fire(by_api.event(1), a_regulation("access"))
    assert "of the type Access" in by_api.run("approvals", "approve", id, "--by", "Ada").out


def test_what_needs_a_person_is_listed_and_can_be_decided(by_api: House) -> None:
    (id,) = by_api.fire(by_api.event(1), a_regulation(user="u1"))
    by_api.run("approvals", "approve", id, "--by", "Ada")
    by_api.change("UPDATE deliveries SET state = 'held', reason = 'needs_human: an answer was lost'")
    (waiting,) = by_api.run("approvals", "list", "--json").json
    assert (id, "needs_human: an answer was lost") == (waiting["id"], waiting["held"])
    assert 1 == by_api.run("status", "--json").json["approvals"]
    shown = by_api.run("deliveries", "show", id).out
    for command in ("regulations done", "approvals approve", "approvals reject"):
        assert f"connector {command} {id} --by NAME" in shown
    assert 2 == by_api.run("deliveries", "release", id).code
    by_api.run("regulations", "stop", "--by", "Ada")
    by_api.run("regulations", "resume", "--by", "Ada")
    assert ("approved", "held") == _state(by_api, id)
    assert 0 == by_api.run("approvals", "approve", id, "--by", "Bo").code
    assert ("approved", "pending") == _state(by_api, id)
