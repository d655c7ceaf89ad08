"""Events enter once, pages are all or nothing, cursors move by compare-and-set."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Event
from connector.store import inbox, payload
from connector.store.database import Store

ACCOUNT = "intilery:acme/acme/ACME"


def event(id: str = "e1", **body: Any) -> Event:
    return Event(ACCOUNT, "intilery.events", id, "product_added", 1_000, 900, {"eventId": id, **body})


def ids(store: Store) -> list[str]:
    with store.read() as tx:
        return [row[0] for row in tx.run("SELECT event_id FROM events ORDER BY seq")]


def test_an_event_seen_twice_enters_once(store: Store) -> None:
    with store.write() as tx:
        first = inbox.add(store, tx, [event("e1"), event("e2")], 2_000)
    with store.write() as tx:
        second = inbox.add(store, tx, [event("e2"), event("e3")], 3_000)
    assert ["e1", "e2"] == [one.id for _, one in first]
    assert ["e3"] == [one.id for _, one in second]
    assert ["e1", "e2", "e3"] == ids(store)


def test_an_id_that_comes_twice_in_one_page_enters_once(store: Store) -> None:
    with store.write() as tx:
        fresh = inbox.add(store, tx, [event("e1", n=1), event("e1", n=2)], 2_000)
    assert [1] == [one.body["n"] for _, one in fresh]


def test_the_same_id_in_another_account_is_another_event(store: Store) -> None:
    other = Event("intilery:acme/acme/OTHER", "other.events", "e1", "page", 1, 1, {})
    with store.write() as tx:
        inbox.add(store, tx, [event("e1")], 2_000)
        assert 1 == len(inbox.add(store, tx, [other], 2_000))


def test_a_page_that_fails_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as tx:
        inbox.add(store, tx, [event("e1")], 2_000)
        inbox.move(store, tx, ACCOUNT, "intilery.events", "fresh", old=None, new="1", now=2_000)
        raise RuntimeError
    assert [] == ids(store)
    with store.read() as tx:
        assert 0 == tx.one("SELECT count(*) FROM cursors")[0]


def test_an_account_first_met_in_a_page_that_failed_is_met_again(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as tx:
        store.account(tx, ACCOUNT)
        raise RuntimeError
    with store.write() as tx:
        inbox.add(store, tx, [event("e1")], 2_000)
    with store.read() as tx:
        assert ACCOUNT == inbox.select(tx, "1 = 1", ())[0][1].account


def test_a_page_read_from_an_old_cursor_is_refused(store: Store) -> None:
    with store.write() as tx:
        inbox.move(store, tx, ACCOUNT, "intilery.events", "fresh", old=None, new="1", now=1)
        inbox.move(store, tx, ACCOUNT, "intilery.events", "fresh", old="1", new="2", now=2)
    with pytest.raises(inbox.CursorMoved, match="moved by another poller"), store.write() as tx:
        inbox.move(store, tx, ACCOUNT, "intilery.events", "fresh", old="1", new="3", now=3)
    with pytest.raises(inbox.CursorMoved, match="made by another poller"), store.write() as tx:
        inbox.move(store, tx, ACCOUNT, "intilery.events", "fresh", old=None, new="3", now=3)
    with store.read() as tx:
        assert {"fresh": "2"} == inbox.cursors(store, tx, ACCOUNT, "intilery.events")


def test_a_stored_event_is_read_back_as_it_came(store: Store) -> None:
    came = event("e1", profileId=182233618306719715, price="11.90", nothing=None, odd="\ud800 \x00")
    with store.write() as tx:
        ((seq, _),) = inbox.add(store, tx, [came], 2_000)
    with store.read() as tx:
        assert came == inbox.load(tx, seq)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_any_json_survives_being_kept(body: dict[str, Any]) -> None:
    assert body == payload.unpack(payload.pack(body))


@given(st.text(st.characters(codec=None), max_size=40))
def test_any_text_survives_being_kept(text: str) -> None:
    assert {"name": text} == payload.unpack(payload.pack({"name": text}))
    assert json.loads(json.dumps(text)) == payload.unpack(payload.pack({"name": text}))["name"]
