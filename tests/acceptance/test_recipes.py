"""Recipes edited while the daemon runs: what is good takes over, what is broken never does, and nothing fires anew."""

import random
import time

from tests.acceptance.conftest import Make
from tests.acceptance.world import World

FIRST = """
id: trial-click
description: Tell sales when a trial prospect clicks
trigger: {feed: intilery.events, event: email_link_clicked}
if:
  - properties.campaign_id: {starts_with: TRIAL}
actions:
  - webhook: {to: crm, json: {id: "{{ event.eventId }}", version: first}}
tests: []
"""
SECOND = FIRST.replace("version: first", "version: second")
THIRD = FIRST.replace("version: first", "version: third")
OTHER = """
id: other
trigger: {feed: intilery.events, event: email_link_clicked}
actions:
  - webhook: {to: crm, path: /other, json: {id: "{{ event.eventId }}", version: other}}
tests: []
"""


def click(here: World, campaign: str = "TRIAL_1") -> str:
    """One click; what the recipes in service send for it."""
    clicked = {"event": "Email Link Clicked", "userId": "u1", "properties": {"campaign_id": campaign}}
    return here.happen(clicked)[0]


def versions(here: World, *clicks: str) -> list[str]:
    """Which version answered each click, once it has."""

    def found() -> list[str]:
        by_id = {one.json["id"]: one.json["version"] for one in here.came() if not one.path.endswith("/other")}
        return [by_id[id] for id in clicks if id in by_id]

    here.until(lambda: len(found()) == len(clicks), "the deliveries", 15)
    return found()


def looked(here: World, word: str, times: int = 1) -> None:
    """Wait until the daemon has noticed."""
    here.until(lambda: here.log().count(word) >= times, f"{times} × {word} in the log", 15)


def test_a_broken_edit_keeps_the_last_good_version_and_a_mended_one_takes_over(world: Make) -> None:
    here = world(recipes={"trial.yaml": FIRST, "other.yaml": OTHER}).begin()
    clicks = [click(here)]
    assert ["first"] == versions(here, clicks[0])

    here.save("trial.yaml", SECOND.replace("starts_with", "starts_whit"))
    looked(here, "recipe.broken")
    clicks.append(click(here))
    assert ["first"] == versions(here, clicks[1])
    assert_told(here, "starts_whit")

    here.stop()
    here.begin()
    clicks.append(click(here))
    assert ["first"] == versions(here, clicks[2])
    assert_told(here, "starts_whit")

    loads = here.log().count("recipes.loaded")
    here.save("trial.yaml", SECOND)
    looked(here, "recipes.loaded", loads + 1)
    clicks.append(click(here))
    assert ["second"] == versions(here, clicks[3])
    assert "" == {one["id"]: one for one in here.status()["recipes"]}["trial-click"]["error"]

    assert ["first"] * 3 + ["second"] == versions(here, *clicks), "an edit fired old events anew"
    assert len(clicks) == len([one for one in here.came() if one.path.endswith("/other")]), "the other recipe waited"
    assert 2 * len(clicks) == len(here.came())


def assert_told(here: World, word: str) -> None:
    """What is wrong, with its place, by status and log; and what is in service meanwhile."""
    status = here.status()
    recipe = {one["id"]: one for one in status["recipes"]}["trial-click"]
    assert not status["healthy"]
    assert "trial.yaml:6:" in recipe["error"]
    assert word in recipe["error"]
    assert recipe["version"] is not None
    assert "trial.yaml:6:" in here.log()


def test_a_file_cut_at_any_byte_acts_as_the_whole_one_or_not_at_all(world: Make) -> None:
    """A sample of cuts, live; the campaign that is not TRIAL must never fire, a TRIAL one always."""
    here = world(recipes={"trial.yaml": FIRST}).begin()
    versions(here, click(here))
    dice = random.Random(11)
    lengths = sorted(dice.sample(range(len(SECOND)), 6), reverse=True)
    good: list[str] = []
    for length in [len(SECOND) - 1, *lengths, 0]:
        loads = here.log().count("recipes.loaded")
        here.save("trial.yaml", SECOND[:length])
        looked(here, "recipes.loaded", loads + 1)
        good.append(click(here))
        click(here, "NEWSLETTER")
    assert {"first", "second"} >= set(versions(here, *good))
    assert len(good) + 1 == len(here.came()), "something weaker fired"
    here.kill()
    here.begin()
    good.append(click(here))
    click(here, "NEWSLETTER")
    assert versions(here, good[-1])[0] in {"first", "second"}
    assert len(good) + 1 == len(here.came())


def test_a_deleted_file_leaves_service_and_what_comes_back_fires_for_new_events_only(world: Make) -> None:
    here = world(recipes={"trial.yaml": FIRST, "other.yaml": OTHER}).begin()
    versions(here, click(here))
    file = here.folder / "recipes" / "trial.yaml"
    file.unlink()
    looked(here, "recipe.removed recipe=trial-click")
    click(here)
    here.until(lambda: sum(one.path.endswith("/other") for one in here.came()) == 2, "the other recipe")

    loads = here.log().count("recipes.loaded")
    here.save("renamed.yaml", THIRD)
    looked(here, "recipes.loaded", loads + 1)
    last = click(here)
    assert ["third"] == versions(here, last)
    told = [one.json["version"] for one in here.came()]
    assert {"first": 1, "third": 1, "other": 3} == {version: told.count(version) for version in told}


def test_an_editor_that_saves_by_deleting_first_takes_nothing_out_of_service(world: Make) -> None:
    here = world(recipes={"trial.yaml": FIRST}).begin()
    file = here.folder / "recipes" / "trial.yaml"
    clicks = []
    for n in range(5):
        file.unlink()
        clicks.append(click(here))
        time.sleep(0.35)
        file.write_text(FIRST + f"# saved {n}\n")
        assert ["first"] == versions(here, clicks[-1])
    assert "recipe.removed" not in here.log()
