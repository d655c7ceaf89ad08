"""`connector cursor`: where feeds go on."""

import pytest

from connector.errors import ConnectorError
from connector.feeds.cursor import Cursor, read_cursor
from connector.model import DAY, HOUR, MINUTE, instant_text
from connector.store import inbox
from tests.cli.house import ACCOUNT, House

FEED = "intilery.events"


def _read_up_to(house: House, at: int, reader: str = "fresh") -> None:
    store = house.store()
    with store.write() as tx:
        inbox.move(store, tx, ACCOUNT, FEED, reader, old=None, new=Cursor(at=at, start=at - DAY).text(), now=house.now)
    store.close()


def _at(house: House) -> int:
    return read_cursor(house.ask("SELECT cursor FROM cursors WHERE reader = 'fresh'")[0]).at


def test_show_tells_every_reader_with_its_moment_and_how_far_it_is_behind(house: House) -> None:
    _read_up_to(house, house.now - HOUR)
    _read_up_to(house, house.now - 2 * HOUR, "1h")
    fresh, again = house.run("cursor", "show", "--json").json
    assert (FEED, "fresh", instant_text(house.now - HOUR)) == (fresh["feed"], fresh["reader"], fresh["moment"])
    assert abs(3600 - fresh["behind_seconds"]) < 60
    assert ("1h", True) == (again["reader"], again["behind_seconds"] >= 3600)
    assert "fresh" in house.run("cursor", "show").out


def test_the_readers_stand_in_the_order_of_their_ages(house: House) -> None:
    for reader in ("2m", "fresh", "1d", "30s"):
        _read_up_to(house, house.now, reader)
    assert ["fresh", "30s", "2m", "1d"] == [one["reader"] for one in house.run("cursor", "show", "--json").json]


def test_nothing_read_yet_is_said(house: House) -> None:
    assert "no feed has been read yet\n" == house.run("cursor", "show").out


def test_rewind_goes_back_from_where_the_feed_stands(house: House) -> None:
    _read_up_to(house, house.now - HOUR)
    said = house.run("cursor", "rewind", FEED, "6h", "--by", "Ada")
    assert (0, house.now - 7 * HOUR) == (said.code, _at(house))
    actor, action, subject = house.ask("SELECT actor, action, subject FROM audit")
    assert ("Ada", "cursor.moved", f"{FEED} fresh") == (actor, action, subject)


def test_set_takes_a_moment(house: House) -> None:
    _read_up_to(house, house.now)
    at = (house.now - 3 * HOUR) // 1000 * 1000
    assert 0 == house.run("cursor", "set", FEED, instant_text(at)).code
    assert at == _at(house)
    assert 0 == house.run("cursor", "set", FEED, "now").code
    assert abs(_at(house) - house.now) < 5 * MINUTE


def test_set_begins_a_feed_that_was_never_read(house: House) -> None:
    house.store().close()
    assert 0 == house.run("cursor", "set", FEED, "2d").code
    assert abs(_at(house) - (house.now - 2 * DAY)) < 5 * MINUTE


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rewind", FEED, "37d"), "would be evaluated a second time"),
        (("set", FEED, "40d"), "would be evaluated a second time"),
        (("set", FEED, "2099-01-01T00:00:00Z"), "lies in the future"),
        (("rewind", FEED, "soon"), "expected a duration"),
        (("set", "intilery.event", "now"), "did you mean 'intilery.events'?"),
    ],
)
def test_what_would_do_harm_is_refused(house: House, arguments: tuple[str, ...], told: str) -> None:
    _read_up_to(house, house.now)
    said = house.run("cursor", *arguments)
    assert (2, True) == (said.code, told in said.err)
    assert house.now == _at(house)


def test_a_page_that_was_read_from_the_old_place_is_refused_afterwards(house: House) -> None:
    _read_up_to(house, house.now)
    old = house.ask("SELECT cursor FROM cursors")[0]
    house.run("cursor", "rewind", FEED, "6h")
    store = house.store()
    with pytest.raises(inbox.CursorMoved), store.write() as tx:
        inbox.move(store, tx, ACCOUNT, FEED, "fresh", old=old, new=Cursor(at=house.now).text(), now=house.now)
    store.close()
    assert issubclass(inbox.CursorMoved, ConnectorError)


def test_a_cursor_that_cannot_be_read_is_shown_and_can_be_set(house: House) -> None:
    _read_up_to(house, house.now)
    house.change("UPDATE cursors SET cursor = 'nonsense'")
    (shown,) = house.run("cursor", "show", "--json").json
    assert ("nonsense", None) == (shown["cursor"], shown["moment"])
    assert 0 == house.run("cursor", "set", FEED, "1h").code
    assert abs(_at(house) - (house.now - HOUR)) < 5 * MINUTE
