"""`connector check`: every mistake of the configuration and the recipes at once, in three forms."""

import json
from pathlib import Path

import pytest

from connector.check import check, printed, well
from connector.errors import Mistake

CONFIG = """\
connections:
  intilery:
    client_id: acme
    account_id: acme
    brand_id: ACME
    auth_token: ${INTILERY_TOKEN}
    feeds: {events: {poll: 10s}}
destinations:
  sales: {slack: "${SLACK_SALES}"}
  crm: {webhook: "https://crm.example.com/hooks", order_by: event.userId}
"""
RECIPE = """\
id: a
trigger: {feed: intilery.events, event: x}
actions: [{slack: {to: sales, text: hi}}, {webhook: {to: crm}}]
tests: []
"""
SET = {"INTILERY_TOKEN": "t", "SLACK_SALES": "https://hooks.example.com/x"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("connector.yaml").write_text(CONFIG)
    Path("recipes").mkdir()
    Path("recipes/a.yaml").write_text(RECIPE)
    return Path("connector.yaml")


def test_what_is_well_has_no_mistakes(home: Path) -> None:
    assert [] == check(home, SET)


def test_all_mistakes_of_all_files_are_told_at_once(home: Path) -> None:
    home.write_text(CONFIG.replace("poll: 10s", "pol: 10s").replace("order_by", "ordr_by"))
    Path("recipes/a.yaml").write_text(RECIPE.replace("to: sales", "to: sals"))
    Path("recipes/b.yaml").write_text("id: b\ntests: []\n")
    assert [
        "connector.yaml:7:",
        "connector.yaml:10:",
        "recipes/a.yaml:3:24: unknown destination 'sals' - did you mean 'sales'?",
        "recipes/b.yaml:1:1: the key 'actions' is missing",
        "recipes/b.yaml:1:1: the key 'trigger' is missing",
    ] == [
        str(found)[: len("connector.yaml:10:")].rstrip(" 0123456789") if "connector" in str(found) else str(found)
        for found in check(home, SET)
    ]


def test_a_secret_that_is_set_nowhere_is_a_warning(home: Path) -> None:
    found = check(home, {"INTILERY_TOKEN": "t"})
    assert ["warning"] == [mistake.severity for mistake in found]
    assert "SLACK_SALES" in str(found[0])
    assert well(found)


def test_a_broken_configuration_hides_no_mistake_of_the_recipes(home: Path) -> None:
    home.write_text("conections: {}\n")
    Path("recipes/a.yaml").write_text("id: a\n")
    found = check(home, SET, [Path("recipes")])
    assert {"connector.yaml", "recipes/a.yaml"} == {mistake.file for mistake in found}
    assert not well(found)


def test_a_recipe_needs_no_configuration_to_be_checked(home: Path) -> None:
    home.unlink()
    assert [] == check(None, {}, [Path("recipes/a.yaml")])
    Path("recipes/a.yaml").write_text(RECIPE.replace("text: hi", "txt: hi"))
    assert [
        "recipes/a.yaml:3:19: the key 'text' is missing",
        "recipes/a.yaml:3:31: unknown key 'txt' - did you mean 'text'?",
    ] == list(map(str, check(None, {}, [Path("recipes")])))


FOUND = [
    Mistake("recipes/a.yaml", 3, 7, "unknown key 'x', 100%", "did you mean 'y'?"),
    Mistake("connector.yaml", 0, 0, "SLACK is not set", severity="warning"),
]


def test_people_get_a_line_a_mistake() -> None:
    assert (
        "recipes/a.yaml:3:7: unknown key 'x', 100% - did you mean 'y'?\nconnector.yaml: warning: SLACK is not set"
        == printed(FOUND)
    )


def test_programs_get_json() -> None:
    assert [
        {
            "file": "recipes/a.yaml",
            "line": 3,
            "column": 7,
            "severity": "error",
            "message": "unknown key 'x', 100%",
            "hint": "did you mean 'y'?",
        },
        {
            "file": "connector.yaml",
            "line": 0,
            "column": 0,
            "severity": "warning",
            "message": "SLACK is not set",
            "hint": "",
        },
    ] == json.loads(printed(FOUND, "json"))


def test_github_gets_annotations() -> None:
    assert (
        "::error file=recipes/a.yaml,line=3,col=7::unknown key 'x', 100%25 - did you mean 'y'?\n"
        "::warning file=connector.yaml::SLACK is not set"
    ) == printed(FOUND, "github")
