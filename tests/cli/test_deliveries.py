"""`connector deliveries`: lists, the whole story of one, and putting it right."""

import pytest

from connector.model import HOUR, MINUTE, Planned, State
from connector.store.inbox import load
from tests.cli.house import House, a_delivery, a_regulation

KEYS = ["id", "recipe", "action", "event", "destination", "state", "reason", "attempts", "next_attempt", "answer"]


def _state(house: House, id: str) -> tuple[str, str, int]:
    row = house.ask("SELECT state, reason, attempts FROM deliveries WHERE id = ?", id)
    return row[0], row[1], row[2]


def test_the_list_has_the_promised_keys_newest_first(house: House) -> None:
    (first,) = house.fire(house.event(1), a_delivery())
    (second,) = house.fire(house.event(2), a_delivery(State.DEAD, "HTTP 404"))
    said = house.run("deliveries", "list", "--json")
    assert 0 == said.code
    assert KEYS == list(said.json[0])
    assert [second, first] == [one["id"] for one in said.json]
    assert ["event-0002", None] == [said.json[0]["event"], said.json[0]["next_attempt"]]
    assert said.json[1]["next_attempt"].endswith("Z")


def test_the_list_for_people_shows_whole_ids_and_why(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery(State.DEAD, "HTTP 404"))
    said = house.run("deliveries", "list")
    assert [id, "dead", "HTTP 404"] == [part for part in (id, "dead", "HTTP 404") if part in said.out]


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        (("--state", "dead"), ["event-0002"]),
        (("--destination", "crm"), ["event-0003"]),
        (("--recipe", "other"), ["event-0004"]),
        (("--limit", "1"), ["event-0004"]),
        (("--state", "dead", "--destination", "crm"), []),
        (("--since", "1m"), ["event-0004", "event-0003", "event-0002", "event-0001"]),
        (("--since", "2099-01-01T00:00:00Z"), []),
    ],
)
def test_the_list_is_narrowed(house: House, narrowed: tuple[str, ...], found: list[str]) -> None:
    house.fire(house.event(1), a_delivery())
    house.fire(house.event(2), a_delivery(State.DEAD, "HTTP 404"))
    house.fire(house.event(3), a_delivery(to="crm"))
    house.fire(house.event(4), a_delivery(), recipe="other")
    assert found == [one["event"] for one in house.run("deliveries", "list", "--json", *narrowed).json]


def test_an_unreadable_since_is_wrong_usage(house: House) -> None:
    said = house.run("deliveries", "list", "--since", "yesterday")
    assert (2, True) == (said.code, "expected a time such as 7d" in said.err)


# ── show ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "reason", "code", "advice"),
    [
        (State.DEAD, "HTTP 404", 1, "connector deliveries retry {id}"),
        (State.HELD, "guard", 1, "connector deliveries release {id}"),
        (State.HELD, "needs", 1, "connector deliveries list --recipe trial-click"),
        (State.HELD, "loop", 1, "connector deliveries release {id}"),
        (State.PENDING, "", 0, "it goes out at once"),
        (State.DELIVERED, "", 0, "delivered"),
        (State.SKIPPED, "shadow", 0, "shadow"),
    ],
)
def test_show_says_why_and_what_to_do(house: House, state: State, reason: str, code: int, advice: str) -> None:
    (id,) = house.fire(house.event(1), a_delivery(state, reason))
    said = house.run("deliveries", "show", id)
    assert code == said.code
    assert advice.format(id=id) in said.out


def test_show_tells_everything_as_json(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery(text="for Ada"))
    house.change(
        "INSERT INTO attempts (delivery, n, at, elapsed, status, outcome, spent, answer) "
        "SELECT seq, 1, ?, 120, 503, 'retry', 1, 'HTTP 503' FROM deliveries",
        house.now,
    )
    told = house.run("deliveries", "show", id, "--json").json
    assert KEYS == list(told)[: len(KEYS)]
    assert '{"text": "for Ada"}' == told["message"]["body"]
    assert ("HTTP 503", 503, True) == tuple(told["tries"][0][key] for key in ("answer", "status", "spent"))
    assert "event-0001" == told["event_body"]["eventId"]
    assert "intilery:acme/acme/ACME" == told["account"]


def test_show_still_works_when_the_event_was_let_go(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery(State.DELIVERED))
    house.change("DELETE FROM events")
    said = house.run("deliveries", "show", id, "--json")
    assert (0, "", None) == (said.code, said.json["event"], said.json["event_body"])


def test_a_pending_one_of_a_parked_destination_is_not_well(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery())
    house.run("destinations", "park", "sales", "--by", "Ada")
    said = house.run("deliveries", "show", id)
    assert 1 == said.code
    assert "its destination was parked by Ada" in said.out
    assert "connector destinations release sales" in said.out


def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery())
    assert id == house.run("deliveries", "show", id[:12], "--json").json["id"]
    assert 2 == house.run("deliveries", "show", id[:5]).code
    house.change("UPDATE deliveries SET id = 'dlv_aaaaaaaa1'")
    house.fire(house.event(2), a_delivery())
    house.change("UPDATE deliveries SET id = 'dlv_aaaaaaaa2' WHERE id <> 'dlv_aaaaaaaa1'")
    assert "several delivery ids begin with" in house.run("deliveries", "show", "dlv_aaaaaaaa").err


# ── putting right ─────────────────────────────────────────────────────────────────────────────


def test_retry_makes_a_dead_one_pending_again_under_its_id_counting_from_zero(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery(State.DEAD, "gave up after 13 attempts"))
    house.change("UPDATE deliveries SET attempts = 13, expires_at = 5, settled = 6")
    said = house.run("deliveries", "retry", id, "--by", "Ada")
    assert 0 == said.code
    assert ("pending", "", 0) == _state(house, id)
    assert (None, None) == tuple(house.ask("SELECT expires_at, settled FROM deliveries"))
    assert ("Ada", "delivery.retried", id) == tuple(house.ask("SELECT actor, action, subject FROM audit"))


def test_what_was_never_rendered_cannot_be_retried(house: House) -> None:
    dead = Planned("slack", "slack", "sales", state=State.DEAD, reason="error: absent")
    (id,) = house.fire(house.event(1), dead)
    assert f"connector deliveries discard {id}" in house.run("deliveries", "retry", id).err
    house.change("UPDATE outcomes SET reason = 'error'")
    said = house.run("deliveries", "retry", id)
    assert (2, True) == (said.code, "`connector backfill trial-click`" in said.err)
    assert "connector backfill trial-click\n" in house.run("deliveries", "show", id).out
    assert ("dead", "error: absent", 0) == _state(house, id)


def test_a_retry_that_fails_changes_none(house: House) -> None:
    (dead,) = house.fire(house.event(1), a_delivery(State.DEAD, "HTTP 404"))
    (sent,) = house.fire(house.event(2), a_delivery(State.DELIVERED))
    assert 2 == house.run("deliveries", "retry", dead, sent).code
    assert "dead" == _state(house, dead)[0]
    assert 2 == house.run("deliveries", "retry", dead, "dlv_nothing").code


def test_retry_all_takes_the_dead_ones_of_a_destination(house: House) -> None:
    (dead,) = house.fire(house.event(1), a_delivery(State.DEAD, "HTTP 404"))
    (other,) = house.fire(house.event(2), a_delivery(State.DEAD, "HTTP 404", to="crm"))
    said = house.run("deliveries", "retry", "--all", "--destination", "sales")
    assert "1 delivery is pending again: start `connector run` to send" in said.out
    assert ("pending", "dead") == (_state(house, dead)[0], _state(house, other)[0])


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("retry", "none to try again\n"),
        ("discard", "none to discard: none is dead\n"),
        ("release", "none to release\n"),
    ],
)
def test_all_of_none_is_said(house: House, verb: str, said: str) -> None:
    house.fire(house.event(1), a_delivery(State.DELIVERED))
    done = house.run("deliveries", verb, "--all", "--destination", "sales")
    assert (0, said) == (done.code, done.out)


def test_a_regulation_that_a_person_does_is_no_request(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation())
    assert "sends" not in house.run("deliveries", "show", id).out


@pytest.mark.parametrize("arguments", [(), ("--all",), ("dlv_x", "--all"), ("dlv_x", "--destination", "crm")])
def test_all_needs_to_be_narrowed_and_ids_stand_alone(house: House, arguments: tuple[str, ...]) -> None:
    said = house.run("deliveries", "discard", *arguments)
    assert (2, True) == (said.code, "write --all with --destination NAME or --recipe ID" in said.err)


def test_discard_gives_up_for_good(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery())
    house.run("deliveries", "discard", id, "--by", "Ada")
    assert ("discarded", "by Ada", 0) == _state(house, id)
    assert "already discarded" in house.run("deliveries", "discard", id).err


def test_all_says_what_it_leaves(house: House) -> None:
    house.fire(house.event(1), a_delivery(State.HELD, "guard"), a_delivery(to="crm"), a_regulation())
    house.fire(house.event(2), a_delivery(State.DEAD, "HTTP 404"))
    unrendered = Planned("slack", "slack", "sales", state=State.DEAD, reason="error: absent")
    house.fire(house.event(3), unrendered)
    narrowed = ("--all", "--recipe", "trial-click")
    assert "1 dead one could not be rendered" in house.run("deliveries", "retry", *narrowed).out
    assert "2 held and 2 pending stay" in house.run("deliveries", "discard", *narrowed).out
    assert "see connector approvals list" in house.run("deliveries", "release", *narrowed).out


@pytest.mark.parametrize(
    ("narrowed", "told"),
    [
        (("--destination", "sale"), "no destination 'sale' - did you mean 'sales'?"),
        (("--recipe", "trial-clik"), "no recipe 'trial-clik' - did you mean 'trial-click'?"),
    ],
)
def test_an_unknown_name_is_told(house: House, narrowed: tuple[str, ...], told: str) -> None:
    house.store().close()
    for arguments in (("list",), ("discard", "--all")):
        said = house.run("deliveries", *arguments, *narrowed)
        assert (2, True) == (said.code, told in said.err)


def test_the_list_says_that_a_destination_is_parked(house: House) -> None:
    house.fire(house.event(1), a_delivery())
    house.run("destinations", "park", "sales", "--by", "Ada")
    assert "sales is parked: by Ada" in house.run("deliveries", "list").out


def test_the_list_says_that_there_may_be_more(house: House) -> None:
    house.fire(house.event(1), a_delivery(), a_delivery(to="crm"))
    assert "1 newest shown, there may be more: --limit N" in house.run("deliveries", "list", "--limit", "1").out


def test_a_short_beginning_of_an_id_is_told_to_be_too_short(house: House) -> None:
    house.store().close()
    assert "write at least 6 characters" in house.run("deliveries", "show", "dlv_1").err


def test_release_lets_a_held_one_go_out(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery(State.HELD, "guard"))
    house.run("deliveries", "release", id)
    assert ("pending", "", 0) == _state(house, id)
    assert "is pending, not held" in house.run("deliveries", "release", id).err


def test_release_and_discard_never_move_a_regulation(house: House) -> None:
    (id,) = house.fire(house.event(1), a_regulation())
    for verb, told in (("release", "approvals approve"), ("discard", "approvals reject")):
        said = house.run("deliveries", verb, id)
        assert (2, True) == (said.code, told in said.err)
    house.run("deliveries", "release", "--all", "--recipe", "trial-click")
    assert ("held", "approval", 0) == _state(house, id)


def test_what_needs_another_action_cannot_be_released(house: House) -> None:
    (id,) = house.fire(house.event(1), a_delivery(State.HELD, "needs"))
    assert "needs another action" in house.run("deliveries", "release", id).err


def test_event_data_is_untouched_by_all_this(house: House) -> None:
    event = house.event(1, ago=HOUR + MINUTE)
    (id,) = house.fire(event, a_delivery(State.DEAD, "HTTP 404"))
    house.run("deliveries", "retry", id)
    store = house.store()
    with store.read() as tx:
        assert event == load(tx, 1)
    store.close()
