"""`connector db`: back up, restore, let go, verify."""

import os
import stat
from collections.abc import Iterator

import pytest

from connector.model import DAY, State
from connector.store import audit, lock
from connector.store.database import Store
from tests.cli.house import House, a_delivery, a_regulation


@pytest.fixture
def daemon(house: House) -> Iterator[None]:
    house.store().close()
    held = lock.hold(house.folder / "connector.db")
    yield
    os.close(held)


def _events(house: House) -> int:
    return int(house.ask("SELECT count(*) FROM events")[0])


def test_upgrade_makes_the_database(house: House) -> None:
    said = house.run("db", "upgrade")
    assert (0, True) == (said.code, "the database is at version " in said.out)
    assert (house.folder / "connector.db").exists()


@pytest.mark.usefixtures("daemon")
def test_what_would_disturb_a_daemon_exits_3(house: House) -> None:
    house.write("backup.db", "")
    for arguments in (("upgrade",), ("restore", "backup.db", "--yes")):
        said = house.run("db", *arguments)
        assert (3, True) == (said.code, f"process {os.getpid()}" in said.err), arguments


# ── backup and restore ────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("daemon")
def test_a_backup_is_whole_private_and_made_while_the_daemon_runs(house: House) -> None:
    house.see(house.event(1))
    store = house.store()
    with store.write() as tx:
        tx.run("UPDATE events SET name = 'uncommitted'")
        assert 0 == house.run("db", "backup", "backup.db").code
    store.close()
    file = house.folder / "backup.db"
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert ["backup.db"] == [found.name for found in house.folder.glob("backup.db*")]
    copy = Store(f"sqlite:///{file}")
    with copy.read() as tx:
        assert [("email_link_clicked",)] == [tuple(row) for row in tx.rows("SELECT name FROM events")]
    copy.close()


def test_a_backup_overwrites_nothing(house: House) -> None:
    house.store().close()
    house.write("backup.db", "mine")
    said = house.run("db", "backup", "backup.db")
    assert (2, "mine") == (said.code, (house.folder / "backup.db").read_text())


def test_without_a_database_there_is_no_backup(house: House) -> None:
    assert "there is no database" in house.run("db", "backup", "backup.db").err
    assert not (house.folder / "connector.db").exists()
    assert not list(house.folder.glob("backup*"))


def test_restore_goes_back_and_keeps_the_old_one_aside(house: House) -> None:
    house.see(house.event(1))
    house.run("db", "backup", "backup.db")
    house.see(house.event(2))
    said = house.run("db", "restore", "backup.db", "--yes")
    assert (0, 1) == (said.code, _events(house))
    (aside,) = house.folder.glob("connector.db.before-*")
    assert aside.name in said.out
    old = Store(f"sqlite:///{aside}")
    with old.read() as tx:
        assert 2 == tx.one("SELECT count(*) FROM events")[0]
    old.close()


def test_restore_asks_first_and_says_what_it_means(house: House) -> None:
    house.see(house.event(1))
    house.run("db", "backup", "backup.db")
    house.see(house.event(2))
    missing = house.run("db", "restore", "nosuch.db")
    assert ("", "there is no backup at nosuch.db\n") == (missing.out, missing.err)
    said = house.run("db", "restore", "backup.db")
    assert (2, 2) == (said.code, _events(house))
    assert "add --yes" in said.err
    assert "delivered again, under the same ids" in said.out


@pytest.mark.parametrize("content", ["", "no database", "SQLite format 3\0" + "x" * 4096])
def test_what_is_no_backup_is_refused(house: House, content: str) -> None:
    house.see(house.event(1))
    house.write("backup.db", content)
    said = house.run("db", "restore", "backup.db", "--yes")
    assert (2, 1) == (said.code, _events(house))
    assert "backup.db" in said.err
    assert not list(house.folder.glob("connector.db.before-*"))


def test_a_damaged_database_is_replaced_too(house: House) -> None:
    house.see(house.event(1))
    house.run("db", "backup", "backup.db")
    _damage(house, 1)
    assert (0, 1) == (house.run("db", "restore", "backup.db", "--yes").code, _events(house))


def test_what_was_not_yet_in_the_file_itself_is_set_aside_with_it(house: House) -> None:
    house.see(house.event(1))
    house.run("db", "backup", "backup.db")
    store = house.store()  # as after a kill: the latest events are in the log
    with store.write() as tx:
        tx.run("UPDATE events SET name = 'latest'")
    assert 0 == house.run("db", "restore", "backup.db", "--yes").code
    store.close()
    (aside,) = house.folder.glob("connector.db.before-*Z")
    old = Store(f"sqlite:///{aside}")
    with old.read() as tx:
        assert "latest" == tx.one("SELECT name FROM events")[0]
    old.close()
    assert "email_link_clicked" == house.ask("SELECT name FROM events")[0]


def test_a_backup_of_a_newer_connector_is_refused(house: House) -> None:
    house.store().close()
    house.run("db", "backup", "backup.db")
    copy = Store(f"sqlite:///{house.folder}/backup.db")
    with copy.write() as tx:
        tx.run("UPDATE alembic_version SET version_num = '9999'")
    copy.close()
    said = house.run("db", "restore", "backup.db", "--yes")
    assert (2, True) == (said.code, "is at version 9999" in said.err)


# ── prune and verify ──────────────────────────────────────────────────────────────────────────


def test_prune_lets_go_of_what_is_old_and_shrinks_the_file(house: House) -> None:
    house.see(*(house.event(n, note="x" * 2000 + str(n)) for n in range(500)))
    house.change("UPDATE events SET first_seen = ?", house.now - 40 * DAY)
    before = (house.folder / "connector.db").stat().st_size
    said = house.run("db", "prune")
    assert (0, 0) == (said.code, _events(house))
    assert (house.folder / "connector.db").stat().st_size < before


@pytest.mark.usefixtures("daemon")
def test_prune_shrinks_nothing_under_a_daemon(house: House) -> None:
    said = house.run("db", "prune")
    assert (0, True) == (said.code, "keeps its size while the daemon runs" in said.out)


def test_a_sound_database_is_verified(house: House) -> None:
    house.fire(house.event(1), a_delivery(), a_delivery(State.DELIVERED, to="crm"))
    house.fire(house.event(2), a_regulation())
    said = house.run("db", "verify", "--json")
    assert (0, set()) == (said.code, {one["check"] for one in said.json if not one["ok"]})
    assert 0 == house.run("db", "verify").code


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("UPDATE audit SET actor = 'somebody else'", "the audit is unchanged"),
        ("DELETE FROM events", "open deliveries have their event"),
        ("UPDATE deliveries SET settled = 5", "deliveries are settled once they are decided"),
        ("UPDATE regulations SET state = 'done'", "regulations wait until they are decided"),
        ("INSERT INTO memory_keys VALUES ('r', 1, 'k', 99)", "limits remember whole sets"),
        ("INSERT INTO cursors VALUES (9, 'f', 'fresh', '', 0)", "rows name known accounts"),
        ("INSERT INTO attempts VALUES (99, 1, 0, 0, 200, 'delivered', 1, '')", "attempts belong to deliveries"),
    ],
)
def test_damage_is_found(house: House, damage: str, check: str) -> None:
    house.fire(house.event(1), a_regulation())
    house.change(damage)
    said = house.run("db", "verify", "--json")
    assert (1, True) == (said.code, check in {one["check"] for one in said.json if not one["ok"]})


def _damage(house: House, first_page: int) -> None:
    file = house.folder / "connector.db"
    content = bytearray(file.read_bytes())
    for place in range(first_page * 4096, len(content), 4096):
        content[place : place + 64] = b"\xff" * 64
    file.write_bytes(content)


def test_a_damaged_table_is_found(house: House) -> None:
    house.see(*(house.event(n) for n in range(1000)))
    _damage(house, house.ask("PRAGMA page_count")[0] - 5)
    said = house.run("db", "verify")
    assert (1, True) == (said.code, "no  " in said.out)


def test_a_file_that_cannot_be_read_is_no_defect_of_ours(house: House) -> None:
    house.see(house.event(1))
    _damage(house, 1)
    for arguments in (("db", "verify"), ("events",), ("deliveries", "list")):
        said = house.run(*arguments)
        assert (2, True) == (said.code, said.err.startswith("the database cannot be used: ")), arguments


def test_a_chain_that_holds_counts_every_row(house: House) -> None:
    house.fire(house.event(1), a_regulation())
    store = house.store()
    with store.write() as tx:
        for n in range(5):
            audit.append(tx, house.now, "Ada", "tested", str(n), {"n": n})
    store.close()
    assert 0 == house.run("db", "verify").code
