"""`connector check` and `connector test`."""

import json
from xml.etree import ElementTree as ET

import pytest

from tests.cli.house import RECIPE, House, connector

BROKEN = "id: broken\ntrigger: {feed: intilery.events, event: x}\nactions:\n  - slack: {to: sale, txt: Hi}\ntests: []\n"


def test_a_sound_house_has_no_mistakes(house: House) -> None:
    said = house.run("check")
    assert (0, "no mistakes\n") == (said.code, said.out)


def test_every_mistake_of_every_file_is_told_at_once(house: House) -> None:
    house.write("recipes/broken.yaml", BROKEN)
    house.write("recipes/empty.yaml", "id: empty\n")
    said = house.run("check")
    assert 1 == said.code
    for told in ("recipes/broken.yaml:4:", "did you mean 'sales'?", "recipes/empty.yaml"):
        assert told in said.out
    assert said.out.splitlines()[-1].endswith("mistakes")


def test_a_broken_configuration_exits_1_too(house: House) -> None:
    house.write("connector.yaml", "recips: x\n")
    said = house.run("check")
    assert (1, True) == (said.code, said.out.startswith("connector.yaml:1:1: "))


def test_a_missing_secret_is_a_warning(house: House) -> None:
    house.write(".env", "")
    said = house.run("check")
    assert (0, "3 warnings") == (said.code, said.out.splitlines()[-1])


def test_programs_read_json(house: House) -> None:
    house.write("recipes/broken.yaml", BROKEN)
    said = house.run("check", "--json")
    assert (1, said.out) == (said.code, house.run("check", "--format", "json").out)
    assert {"file", "line", "column", "severity", "message", "hint"} == set(said.json[0])
    assert {"recipes/broken.yaml"} == {one["file"] for one in said.json}


def test_github_reads_annotations(house: House) -> None:
    house.write("recipes/broken.yaml", BROKEN)
    said = house.run("check", "--format", "github")
    assert all(line.startswith("::error file=recipes/broken.yaml,line=4,col=") for line in said.out.splitlines())


def test_a_path_outside_the_configuration_is_checked_against_it(house: House) -> None:
    file = house.write("elsewhere/one.yaml", RECIPE.replace("to: sales", "to: sale"))
    said = house.run("check", str(file))
    assert (1, True) == (said.code, "unknown destination 'sale'" in said.out)


def test_a_path_needs_no_configuration(house: House) -> None:
    (house.folder / "connector.yaml").unlink()
    assert 0 == house.run("check", "recipes").code


# ── test ──────────────────────────────────────────────────────────────────────────────────────


def test_the_recipes_own_tests_pass(house: House) -> None:
    said = house.run("test")
    assert (0, "1 test passed\n") == (said.code, said.out)


def test_a_failing_test_shows_what_was_expected_and_what_came(house: House) -> None:
    house.write("recipes/trial-click.yaml", RECIPE.replace("text: clicked Hi", "text: clicked Ho"))
    said = house.run("test")
    assert 1 == said.code
    assert said.out.startswith("failed: trial-click: tells sales (recipes/trial-click.yaml:")
    assert 'expected "clicked Ho", got "clicked Hi"' in said.out
    assert "0 tests passed, 1 failed" == said.out.splitlines()[-1]
    (result,) = house.run("test", "--json").json
    assert ("trial-click", "tells sales", False) == (result["recipe"], result["name"], result["passed"])


def test_tests_need_no_configuration_and_no_secrets(house: House) -> None:
    house.write(".env", "")
    assert 0 == house.run("test").code
    (house.folder / "connector.yaml").unlink()
    assert 0 == house.run("test").code
    assert 0 == house.run("test", "recipes/trial-click.yaml").code


def test_without_recipes_it_says_so(house: House) -> None:
    (house.folder / "connector.yaml").unlink()
    (house.folder / "recipes").rename(house.folder / "elsewhere")
    said = house.run("test")
    assert (2, True) == (said.code, "there are no recipes here" in said.err)


def test_a_recipe_that_cannot_be_read_fails_the_run(house: House) -> None:
    house.write("recipes/broken.yaml", "id: broken\n")
    said = house.run("test")
    assert 1 == said.code
    assert said.err.startswith("recipes/broken.yaml")
    assert "1 test passed" in said.out


def test_a_junit_report_is_written(house: House) -> None:
    house.write(
        "recipes/other.yaml", RECIPE.replace("id: trial-click", "id: other").replace("clicked Hi", "clicked Ho")
    )
    house.write("recipes/broken.yaml", "id: broken\n")
    assert 1 == house.run("test", "--junit", "report.xml").code
    suite = ET.fromstring((house.folder / "report.xml").read_text())  # noqa: S314  our own
    cases = {(case.get("classname"), case.get("name")): [part.tag for part in case] for case in suite}
    assert ("1", {"error"}) == (suite.get("failures"), {tag for tags in cases.values() for tag in tags} - {"failure"})
    assert [] == cases["trial-click", "tells sales"]
    assert ["failure"] == cases["other", "tells sales"]


@pytest.mark.parametrize("command", ["check", "test"])
def test_a_process_of_its_own_says_the_same(house: House, command: str) -> None:
    said = connector(command, cwd=house.folder)
    assert (0, "") == (said.code, said.err)


def test_the_gallery_is_well(house: House) -> None:
    from connector.cli.gallery import gallery

    said = house.run("test", str(gallery()), "--json")
    assert 0 == said.code, said.out
    assert len(json.loads(said.out)) > 12
