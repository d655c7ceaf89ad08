"""Which recipes are in service: after every kind of edit, and across restarts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.engines.service import Service
from connector.model import Instant
from connector.recipe.recipe import Known
from connector.store import recipes as shelf
from connector.store.database import Store

GOOD = """
id: click
trigger: {feed: intilery.events, event: clicked}
actions:
  - webhook: {to: crm, text: one}
tests: []
"""
KNOWN = Known(frozenset({"intilery.events"}), {"crm": "webhook"})


class House:
    """A recipes folder, a database, and services that come and go like daemons."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "recipes"
        self.folder.mkdir()
        self.store = Store(f"sqlite:///{folder}/connector.db").open()
        self.now: Instant = 1_000
        self.starts: dict[str, Instant] = {}
        self.service = self.restart()

    def restart(self) -> Service:
        self.service = Service(self.store, self.folder, KNOWN, lambda: self.now, self.starts)
        return self.service

    def save(self, text: str, name: str = "click.yaml") -> None:
        self.now += 1_000
        (self.folder / name).write_text(text)
        self.service.refresh()

    def delete(self, name: str = "click.yaml") -> None:
        self.now += 1_000
        (self.folder / name).unlink()
        self.service.refresh()

    def texts(self) -> dict[str, str]:
        """What each recipe in service would send."""
        recipes = self.service.get().recipes.values()
        return {recipe.id: recipe.text.split("text: ")[1].split("}")[0] for recipe in recipes}

    def standing(self, id: str = "click") -> shelf.Known:
        with self.store.read() as tx:
            return shelf.known(tx)[id]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.store.close()


def test_a_saved_recipe_is_in_service_at_once(house: House) -> None:
    house.save(GOOD)
    assert {"click": "one"} == house.texts()
    house.save(GOOD.replace("one", "two"))
    assert {"click": "two"} == house.texts()


def test_a_broken_edit_keeps_the_last_good_version_and_says_so(house: House) -> None:
    house.save(GOOD)
    house.save(GOOD.replace("one", "two").replace("tests: []", ""))
    assert {"click": "one"} == house.texts()
    assert "tests" in house.standing().error
    house.save(GOOD.replace("one", "three"))
    assert {"click": "three"} == house.texts()
    assert "" == house.standing().error


def test_the_last_good_version_stays_across_a_restart(house: House) -> None:
    house.save(GOOD)
    (house.folder / "click.yaml").write_text("id: click\ntrigger: {feed")
    house.restart().refresh()
    assert {"click": "one"} == house.texts()


def test_an_emptied_file_keeps_its_recipe_in_service(house: House) -> None:
    house.save(GOOD)
    house.save("")
    assert {"click": "one"} == house.texts()


def test_a_file_renamed_and_broken_at_once_still_stands_for_its_id(house: House) -> None:
    house.save(GOOD)
    (house.folder / "click.yaml").unlink()
    house.save(GOOD.replace("tests: []", ""), "renamed.yaml")
    house.service.refresh()
    house.service.refresh()
    assert {"click": "one"} == house.texts()


def test_two_files_of_one_id_leave_the_last_good_version_in_service(house: House) -> None:
    house.save(GOOD)
    house.save(GOOD.replace("one", "two"), "copy.yaml")
    assert {"click": "one"} == house.texts()


def test_a_bad_file_stops_no_other(house: House) -> None:
    house.save("id: [", "bad.yaml")
    house.save(GOOD)
    assert {"click": "one"} == house.texts()


def test_a_deleted_recipe_leaves_service_at_the_second_look(house: House) -> None:
    house.save(GOOD)
    house.delete()
    assert {"click": "one"} == house.texts()
    house.service.refresh()
    assert {} == house.texts()
    assert 0 == house.standing().present


def test_a_folder_that_goes_away_takes_nothing_out_of_service(house: House, tmp_path: Path) -> None:
    house.save(GOOD)
    house.folder.rename(tmp_path / "unmounted")
    for _ in range(4):
        house.service.refresh()
    assert {"click": "one"} == house.texts()


def test_recipes_present_at_a_feeds_first_run_are_live_from_its_start(house: House) -> None:
    house.starts["intilery.events"] = 42
    house.save(GOOD)
    assert 42 == house.standing().live_from


def test_a_later_recipe_is_live_from_its_first_good_load(house: House) -> None:
    house.save(GOOD)
    first = house.standing().live_from
    assert house.now == first
    house.save(GOOD.replace("one", "two"))
    house.restart().refresh()
    assert first == house.standing().live_from


def test_a_recipe_that_was_disabled_is_live_from_its_return(house: House) -> None:
    house.save(GOOD)
    house.save(GOOD.replace("trigger", "mode: disabled\ntrigger"))
    house.save(GOOD)
    assert house.now == house.standing().live_from


def test_work_begun_under_an_older_version_finds_that_version(house: House) -> None:
    house.save(GOOD)
    old = house.standing().version
    house.save(GOOD.replace("one", "two"))
    house.restart().refresh()
    with house.store.read() as tx:
        kept = house.service.version(tx, old)
    assert kept is not None
    assert "one" in kept.text
