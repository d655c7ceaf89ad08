"""One transaction while the loop goes on: durable when it ends, undone when it raises, never two at a time."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from connector.store.database import Store, Tx, fact, set_fact


def read(store: Store, name: str) -> str | None:
    with store.read() as tx:
        return fact(tx, name)


def test_what_it_gives_is_durable(store: Store) -> None:
    def do(tx: Tx) -> str:
        set_fact(tx, "a", "1", 1)
        return "given"

    assert "given" == asyncio.run(store.transact(do))
    assert "1" == read(store, "a")


def test_what_raises_leaves_nothing(store: Store) -> None:
    def do(tx: Tx) -> None:
        set_fact(tx, "a", "1", 1)
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        asyncio.run(store.transact(do))
    assert read(store, "a") is None


def test_many_at_once_come_one_after_the_other_and_all_are_kept(store: Store) -> None:
    async def count_up() -> None:
        def do(tx: Tx) -> None:
            set_fact(tx, "n", str(int(fact(tx, "n") or 0) + 1), 1)

        await asyncio.gather(*(store.transact(do) for _ in range(50)))

    asyncio.run(count_up())
    assert "50" == read(store, "n")


def test_an_ordinary_transaction_waits_for_the_commit_under_way(store: Store) -> None:
    async def both() -> None:
        under_way = asyncio.create_task(store.transact(lambda tx: set_fact(tx, "a", "1", 1)))
        await asyncio.sleep(0)
        with store.write() as tx:
            assert "1" == fact(tx, "a")
            set_fact(tx, "a", "2", 2)
        await under_way

    asyncio.run(both())
    assert "2" == read(store, "a")


def test_who_is_cancelled_does_not_undo_what_is_being_committed(store: Store) -> None:
    async def cancelled() -> None:
        under_way = asyncio.create_task(store.transact(lambda tx: set_fact(tx, "a", "1", 1)))
        await asyncio.sleep(0)
        under_way.cancel()
        await asyncio.gather(under_way, return_exceptions=True)

    asyncio.run(cancelled())
    store.close()
    assert "1" == read(store, "a")


def test_a_commit_that_fails_is_told_and_undone_and_the_next_one_is_well(store: Store) -> None:
    def orphan(tx: Tx) -> None:
        tx.run("CREATE TABLE child (parent INTEGER REFERENCES facts (name) DEFERRABLE INITIALLY DEFERRED)")
        tx.run("INSERT INTO child VALUES ('nobody')")

    store._writer.connection.cursor().execute("PRAGMA foreign_keys=ON")
    with pytest.raises(IntegrityError):
        asyncio.run(store.transact(orphan))
    with pytest.raises(IntegrityError), store.write() as tx:
        orphan(tx)
    asyncio.run(store.transact(lambda tx: set_fact(tx, "a", "1", 1)))
    assert "1" == read(store, "a")
