"""`connector audit`: who did what, and whether the chain holds."""

from connector.cli.output import day_and_time
from connector.model import DAY, State, instant_text
from connector.store import audit
from tests.cli.house import House, a_delivery, a_regulation


def _did(house: House, *whats: str, ago: int = 0) -> None:
    store = house.store()
    with store.write() as tx:
        for what in whats:
            audit.append(tx, house.now - ago, "Ada", what, "crm", {"was": "HTTP 404", "n": 2, "why": ""})
    store.close()


def test_each_row_says_when_who_did_what_about_whom_the_newest_last(house: House) -> None:
    _did(house, "destination.parked", ago=1000)
    _did(house, "destination.released")
    said = house.run("audit")
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert (0, "ROW AT WHO WHAT ABOUT MORE") == (said.code, lines[0])
    assert f"1 {day_and_time(house.now - 1000)} Ada destination parked crm n: 2, was: HTTP 404" == lines[1]
    assert lines[2].startswith(f"2 {day_and_time(house.now)} Ada destination released")
    assert "the audit is unchanged: every row fits the one before" == lines[3]


def test_it_is_told_as_json_too(house: House) -> None:
    _did(house, "destination.parked")
    told = house.run("audit", "--json").json
    (row,) = told.pop("rows")
    assert {"intact": True, "broken_at": None} == told
    assert 64 == len(row.pop("hash"))
    assert {
        "row": 1,
        "at": instant_text(house.now),
        "who": "Ada",
        "what": "destination.parked",
        "about": "crm",
        "user_id": None,
        "detail": {"was": "HTTP 404", "n": 2, "why": ""},
    } == row


def test_what_commands_do_is_there(house: House) -> None:
    (proposed,) = house.fire(house.event(1), a_regulation())
    (dead,) = house.fire(house.event(2), a_delivery(State.DEAD, "HTTP 404"))
    house.run("approvals", "approve", proposed, "--by", "Ada")
    house.run("deliveries", "discard", dead, "--by", "Bo")
    rows = house.run("audit", "--json").json["rows"]
    assert [
        ("connector", "regulation.proposed", proposed, "u1"),
        ("Ada", "regulation.approved", proposed, "u1"),
        ("Bo", "delivery.discarded", dead, None),
    ] == [(row["who"], row["what"], row["about"], row["user_id"]) for row in rows]
    assert f"regulation approved  {proposed} of u1" in house.run("audit").out


def test_long_values_are_cut_for_people_and_whole_for_programs(house: House) -> None:
    store = house.store()
    with store.write() as tx:
        audit.append(tx, house.now, "Ada", "cursor.moved", "intilery.events fresh", {"to": 200 * "x"})
    store.close()
    assert f"to: {59 * 'x'}…\n" in house.run("audit").out
    assert 200 * "x" == house.run("audit", "--json").json["rows"][0]["detail"]["to"]


def test_a_changed_row_is_said_and_still_exits_0(house: House) -> None:
    _did(house, "destination.parked", "destination.released")
    house.change("UPDATE audit SET actor = 'Eve', detail = 'x' WHERE seq = 2")
    said = house.run("audit")
    assert (0, True) == (said.code, "the audit was CHANGED: row 2 does not fit the chain" in said.out)
    told = house.run("audit", "--json").json
    assert (False, 2, "x") == (told["intact"], told["broken_at"], told["rows"][1]["detail"])


def test_only_the_last_month_is_listed_unless_more_is_asked_for(house: House) -> None:
    _did(house, "destination.parked", ago=40 * DAY)
    assert house.run("audit").out.startswith(f"nobody did anything since {day_and_time(house.now - 30 * DAY)[:10]}")
    assert 1 == len(house.run("audit", "--since", "50d", "--json").json["rows"])
    assert (2, True) == (
        house.run("audit", "--since", "x").code,
        "expected a time" in house.run("audit", "--since", "x").err,
    )


def test_names_cannot_steer_the_terminal(house: House) -> None:
    store = house.store()
    with store.write() as tx:
        audit.append(tx, house.now, "A\x1b[2J", "destination.parked", "crm\n", {"was": "\x07"})
    store.close()
    assert not set("\x1b\x07") & set(house.run("audit").out)
