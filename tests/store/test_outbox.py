"""What is due, in which order, however much waits."""

from collections.abc import Iterable
from typing import Any

from connector.store import outbox
from connector.store.database import Store
from connector.store.tables import Delivery

NOW = 1_800_000_000_000
_ROW = dict.fromkeys(outbox.COLUMNS, "") | {
    "account": 1, "run": 1, "event": 1, "kind": "webhook", "destination": "crm", "item": None, "refire": 0,
    "state": "pending", "created": NOW, "due": NOW, "settled": None, "expires_at": None, "order_key": None,
    "awaited": 0, "body": b"", "attempts": 0,
}  # fmt: skip


def fill(store: Store, rows: Iterable[dict[str, Any]]) -> None:
    """Deliveries numbered from 1."""
    full = [{**_ROW, "seq": n, "id": f"dlv_{n}", **row} for n, row in enumerate(rows, start=1)]
    with store.write() as tx:
        tx.insert(Delivery, outbox.COLUMNS, [tuple(row[name] for name in outbox.COLUMNS) for row in full])


def due(store: Store, limit: int = 10, now: int = NOW) -> list[int]:
    with store.read() as tx:
        return [each.seq for each in outbox.due(tx, "crm", now, limit)]


def row(store: Store, columns: str, seq: int) -> tuple[Any, ...]:
    with store.read() as tx:
        return tuple(tx.one(f"SELECT {columns} FROM deliveries WHERE seq = ?", (seq,)))


def test_the_earliest_is_due_first_and_what_lies_ahead_not_at_all(store: Store) -> None:
    fill(store, [{"due": NOW + 1}, {"due": NOW}, {"due": NOW - 5}, {"destination": "erp"}, {"state": "delivered"}])
    assert [3, 2] == due(store)
    assert [3] == due(store, limit=1)


def test_of_an_order_key_only_the_first_is_due_and_it_blocks_the_others_while_it_waits(store: Store) -> None:
    fill(store, [{"order_key": "a", "due": NOW + 60_000}, {"order_key": "a"}, {"order_key": "b"}, {"order_key": "b"}])
    assert [3] == due(store)
    assert [3, 1] == due(store, now=NOW + 60_000)


def test_a_long_row_behind_one_key_hides_no_other_key(store: Store) -> None:
    blocked = [{"order_key": "slow", "due": NOW + 60_000}, *({"order_key": "slow"} for _ in range(100))]
    fill(store, [*blocked, {"order_key": "quick", "due": NOW}])
    assert [102] == due(store, limit=5)


def test_few_keys_with_much_behind_each_give_one_delivery_each(store: Store) -> None:
    fill(store, ({"order_key": f"k{n % 3}", "due": NOW - 1000 + n} for n in range(600)))
    assert [1, 2, 3] == sorted(due(store))


def test_probes_are_those_not_tried_for_the_longest_due_or_not(store: Store) -> None:
    fill(store, [{"due": NOW + 3}, {"due": NOW - 3}, {"due": NOW}])
    with store.read() as tx:
        assert [2, 3] == [each.seq for each in outbox.probes(tx, "crm", 2)]


def test_hurrying_makes_retries_due_but_not_those_tried_too_often(store: Store) -> None:
    fill(store, [{"due": NOW + 900, "attempts": 2}, {"due": NOW + 900, "attempts": 9}, {"due": NOW - 900}])
    with store.write() as tx:
        assert 1 == outbox.hurry(tx, "crm", NOW, most_attempts=5)
    assert [NOW, NOW + 900, NOW - 900] == [row(store, "due", n)[0] for n in (1, 2, 3)]


def test_what_was_not_sent_in_time_is_discarded_except_a_regulation(store: Store) -> None:
    old = {"expires_at": NOW - 1}
    fill(store, [old, {**old, "kind": "regulation"}, {**old, "state": "held"}, {**old, "state": "dead"}, {}])
    with store.write() as tx:
        assert 2 == outbox.expire(tx, NOW)
    assert [("discarded", "expired")] * 2 == [row(store, "state, reason", n) for n in (1, 3)]
    assert ["pending", "dead", "pending"] == [row(store, "state", n)[0] for n in (2, 4, 5)]
