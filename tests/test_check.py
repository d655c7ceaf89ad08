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


def test_a_mistyped_feed_of_the_configuration_is_told_once(home: Path) -> None:
    home.write_text(CONFIG.replace("{events:", "{event:"))
    assert ["connector.yaml:7:13: intilery has no feed event - did you mean 'events'?"] == list(
        map(str, check(home, SET))
    )
    Path("recipes/a.yaml").write_text(RECIPE.replace("intilery.events", "intilery.evnts"))
    assert "recipes/a.yaml:2:11: unknown feed 'intilery.evnts' - did you mean 'intilery.events'?" == str(
        check(home, SET)[-1]
    )


def test_a_feed_polled_every_2_says_2_of_what(home: Path) -> None:
    home.write_text(CONFIG.replace("poll: 10s", "poll: 2"))
    assert ["connector.yaml:7:28: expected a duration such as 10s, 15m, 24h or 7d - write 2s"] == list(
        map(str, check(home, SET))
    )


def test_a_mistyped_recipes_folder_is_told_where_it_is_written(home: Path) -> None:
    home.write_text(CONFIG + "recipes: recipies\n")
    missing = "recipes: there is no folder or file 'recipies' - did you mean 'recipes'?"
    assert [f"connector.yaml:11:10: {missing}"] == list(map(str, check(home, SET)))
    home.write_text(CONFIG)
    assert [f"connector.yaml: {missing}"] == list(map(str, check(home, SET | {"CONNECTOR_RECIPES": "recipies"})))


def test_an_address_that_will_not_be_called_is_told_at_its_place(home: Path) -> None:
    home.write_text(
        CONFIG.replace("https://crm.example.com", "http://127.0.0.1:8300").replace(
            "feeds:", "base_url: http://localhost:8300\n    feeds:"
        )
    )
    http = "plain http is for hosts of egress.allow only; write https - if it is meant, add"
    refused = [
        f"connector.yaml:7:15: base_url: localhost:8300 will not be called: {http} localhost to egress.allow",
        "connector.yaml:10:18: hooks.internal:443 will not be called: it is a name of this machine or network"
        " - if it is meant, add hooks.internal to egress.allow",
        f"connector.yaml:11:18: 127.0.0.1:8300 will not be called: {http} 127.0.0.1 to egress.allow",
    ]
    secrets = SET | {"SLACK_SALES": "https://hooks.internal/x"}
    assert refused == list(map(str, check(home, secrets)))
    home.write_text(home.read_text() + "egress: {allow: [127.0.0.0/8, localhost, hooks.internal]}\n")
    assert [] == check(home, secrets)


def test_a_secret_that_is_no_address_is_told_without_it(home: Path) -> None:
    found = check(home, SET | {"SLACK_SALES": "canary"})
    assert ["connector.yaml:9:18: this is no address that can be called"] == list(map(str, found))


def test_an_entry_of_egress_allow_that_cannot_be_read_is_told(home: Path) -> None:
    home.write_text(CONFIG + "egress: {allow: [crm.internal, 'crm.internal:']}\n")
    assert [
        "connector.yaml:11:32: egress.allow: 'crm.internal:' is not a network, address or host name with or without"
        " :port, such as 192.168.0.0/24, 127.0.0.1, [::1]:8300 or crm.internal"
    ] == list(map(str, check(home, SET)))


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
