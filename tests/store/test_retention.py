"""What is old goes, what is open stays, and a walk never looks at the whole table at once."""

from connector.model import DAY, Event
from connector.store import inbox
from connector.store.database import Store
from connector.store.retention import SOME, Keep, forget

KEEP = Keep(events=30 * DAY, ids=37 * DAY, deliveries=30 * DAY)
START = 1_800_000_000_000


def add(store: Store, count: int, at: int) -> None:
    events = [Event("a", "intilery.events", f"e{at}-{n}", "page", at, at, {"n": n}) for n in range(count)]
    with store.write() as tx:
        inbox.add(store, tx, events, at)


def open_delivery(store: Store, event: int, state: str) -> None:
    columns = (
        "seq,id,account,run,event,recipe,version,action,kind,destination,refire,state,reason,attempts,created,due,"
        "settled,awaited,needs,method,path,headers,meta,answer,response"
    )
    with store.write() as tx:
        tx.run(
            "INSERT INTO outcomes (seq, event, recipe, version, refire, reason, detail, at) "
            "VALUES (1, ?, 'r', 'v', 0, 'fired', '', ?)",
            (event, START),
        )
        tx.run(
            f"INSERT INTO deliveries ({columns}) VALUES "
            "(1,'dlv_1',1,1,?,'r','v','webhook','webhook','crm',0,?,'',0,?,?,?,0,'','','','','','','')",
            (event, state, START, START, None if state in {"pending", "held", "dead"} else START),
        )


def count(store: Store, question: str) -> int:
    with store.read() as tx:
        return int(tx.one(question)[0])


def walk(store: Store, now: int) -> None:
    for _ in range(10):
        with store.write() as tx:
            if not forget(tx, KEEP, now):
                return


def test_a_payload_goes_after_thirty_days_and_its_id_after_thirty_seven(store: Store) -> None:
    add(store, 3, START)
    add(store, 2, START + 20 * DAY)
    walk(store, START + 31 * DAY)
    assert 2 == count(store, "SELECT count(*) FROM events WHERE payload IS NOT NULL")
    assert 5 == count(store, "SELECT count(*) FROM events")
    walk(store, START + 38 * DAY)
    assert 2 == count(store, "SELECT count(*) FROM events")


def test_an_id_that_is_still_kept_still_dedupes(store: Store) -> None:
    add(store, 1, START)
    walk(store, START + 31 * DAY)
    with store.write() as tx:
        again = inbox.add(store, tx, [Event("a", "f", f"e{START}-0", "page", 1, 1, {})], START + 31 * DAY)
    assert [] == again


def test_the_event_of_an_open_delivery_is_kept(store: Store) -> None:
    add(store, 2, START)
    open_delivery(store, 1, "pending")
    walk(store, START + 100 * DAY)
    assert 1 == count(store, "SELECT count(*) FROM events WHERE payload IS NOT NULL")
    assert 1 == count(store, "SELECT count(*) FROM deliveries")
    assert 1 == count(store, "SELECT count(*) FROM outcomes")


def test_a_delivered_one_goes_with_everything_of_it(store: Store) -> None:
    add(store, 2, START)
    open_delivery(store, 1, "delivered")
    walk(store, START + 100 * DAY)
    for table in ("events", "deliveries", "outcomes"):
        assert 0 == count(store, f"SELECT count(*) FROM {table}")


def test_a_delivery_is_kept_from_when_it_was_settled(store: Store) -> None:
    add(store, 2, START)
    open_delivery(store, 1, "delivered")
    with store.write() as tx:
        tx.run("UPDATE deliveries SET settled = ?", (START + 40 * DAY,))
    walk(store, START + 45 * DAY)
    assert 1 == count(store, "SELECT count(*) FROM deliveries")
    walk(store, START + 71 * DAY)
    assert 0 == count(store, "SELECT count(*) FROM deliveries")


def test_one_walk_looks_at_a_bounded_number_of_rows(store: Store) -> None:
    add(store, SOME + 5, START)
    with store.write() as tx:
        forget(tx, KEEP, START + 31 * DAY)
    assert 5 == count(store, "SELECT count(*) FROM events WHERE payload IS NOT NULL")
