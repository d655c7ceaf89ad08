"""Commands beside a daemon that holds the database."""

import os
from collections.abc import Iterator

import pytest

from connector.store import driver, lock
from tests.cli.house import House, a_delivery, connector


@pytest.fixture
def running(house: House) -> Iterator[House]:
    house.store().close()
    held = lock.hold(house.folder / "connector.db")
    yield house
    os.close(held)


def test_a_second_daemon_exits_3_and_names_the_first(running: House) -> None:
    said = connector("run", cwd=running.folder)
    assert (3, True) == (said.code, f"process {os.getpid()}" in said.err)


def test_run_with_a_broken_configuration_exits_2(house: House) -> None:
    house.write("connector.yaml", "recips: x\n")
    said = connector("run", cwd=house.folder)
    assert (2, True) == (said.code, said.err.startswith("connector.yaml:1:1: "))


def test_people_may_write_beside_it(running: House) -> None:
    (id,) = running.fire(running.event(1), a_delivery())
    said = running.run("deliveries", "discard", id)
    assert (0, "1 delivery discarded\n") == (said.code, said.out)


def test_an_old_sqlite_lets_nobody_write_beside_it(running: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (id,) = running.fire(running.event(1), a_delivery())
    monkeypatch.setattr(driver, "safe", False)
    said = running.run("deliveries", "discard", id)
    assert (2, True) == (said.code, "stop `connector run` first" in said.err)
    assert "pending" == running.ask("SELECT state FROM deliveries")[0]
    assert 0 == running.run("deliveries", "list").code
    assert "SQLite" in running.run("status").out
