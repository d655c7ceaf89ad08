"""The documentation is true: its recipes run, its configurations load, its commands and links exist."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from connector import actions, document, replay, settings
from connector.actions import Action, Destination
from connector.actions.regulating import Api
from connector.feeds import Feed, feeds_of
from connector.model import State
from connector.recipe.compare import OPERATORS
from connector.recipe.parse import parse
from connector.recipe.recipe import Known, Recipe
from connector.recipe.schema import REASONS, Common, Top
from connector.secrets import Vault
from connector.settings.models import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
GALLERY = sorted((ROOT / "recipes").rglob("*.yaml"))
CONNECTIONS = {"intilery": "intilery", "intempt": "intempt"}
KNOWN = Known(
    frozenset({"intilery.events", "intempt.matches"}), {"sales": "slack", "ops": "slack", "crm": "webhook"}, CONNECTIONS
)

RECIPE_KEYS = {field.alias or name for name, field in Top.model_fields.items()}
MISSING = {
    "id": "id: example\n",
    "trigger": "trigger: {feed: intilery.events, event: Product Added}\n",
    "actions": "actions:\n  - webhook: {to: crm}\n",
}
CONNECTION = "connections:\n  intilery: {client_id: a, account_id: a, brand_id: A, auth_token: t}\n"
SECRET = "whsec_" + "c2VjcmV0" * 6


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def _blocks(*languages: str) -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            if match[1] in languages:
                yield Block(page, text.count("\n", 0, match.start()) + 2, match[1], match[2])


YAML = list(_blocks("yaml"))


def _keys(block: Block) -> list[str]:
    data = document.read(block.text, str(block)).data
    assert isinstance(data, dict), f"{block} is no mapping"
    return list(data)


def _is_recipe(block: Block) -> bool:
    return set(_keys(block)) <= RECIPE_KEYS


# ── recipes ───────────────────────────────────────────────────────────────────────────────────


def _whole(block: Block) -> str:
    """The recipe a block shows, or is a part of."""
    keys = _keys(block)
    before = [text for key, text in MISSING.items() if key not in keys]
    return "".join([*before, block.text, *([] if "tests" in keys else ["tests: []\n"])])


def _passes(recipe: Recipe) -> None:
    assert [] == [f"{result.name}: {result.message}" for result in replay.run_tests(recipe) if not result.passed]


@pytest.mark.parametrize("block", [block for block in YAML if _is_recipe(block)], ids=str)
def test_a_recipe_in_the_documentation_can_be_read_and_passes_its_tests(block: Block) -> None:
    recipe = parse(_whole(block), str(block), KNOWN)
    assert () == recipe.warnings
    _passes(recipe)


@pytest.mark.parametrize("file", GALLERY, ids=lambda file: file.stem)
def test_a_recipe_of_the_gallery_shows_when_it_fires_and_when_not(file: Path) -> None:
    recipe = parse(file.read_text(), file.name, KNOWN)
    assert () == recipe.warnings
    assert file.stem == recipe.id
    assert recipe.description
    assert recipe.owner
    assert recipe.labels
    assert any(case.expect for case in recipe.tests)
    assert any(len(case.expect) < len(case.events) for case in recipe.tests)
    _passes(recipe)


# ── configurations ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("block", [block for block in YAML if not _is_recipe(block)], ids=str)
def test_a_configuration_in_the_documentation_loads(block: Block, tmp_path: Path) -> None:
    text = block.text if "connections" in _keys(block) else CONNECTION + block.text
    file = tmp_path / "connector.yaml"
    file.write_text(text)
    loaded = settings.load(file, dict.fromkeys(Vault.names(text), SECRET))
    for section in loaded.destinations.values():
        Destination.read(section)
    Api.of(loaded)
    for connection in loaded.connections.values():
        feeds_of(connection)


# ── commands and links ────────────────────────────────────────────────────────────────────────


@cache
def _generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec
    assert spec.loader
    module = sys.modules["generate"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _commands() -> dict[str, Any]:
    return {command.name: command for command in _generate().commands()}


def _command_lines() -> Iterator[tuple[str, str]]:
    """Every `connector …` of the pages with its place, from consoles and from running text."""
    for page in PAGES:
        for number, line in enumerate(page.read_text().split("\n"), start=1):
            for found in re.findall(r"^\$ (connector [^#&]*)|`(connector [a-z][^`]*)`", line):
                yield f"{page.name}:{number}", "".join(found).strip()


@pytest.mark.parametrize(("place", "line"), list(_command_lines()))
def test_a_command_in_the_documentation_exists(place: str, line: str) -> None:
    words = [word for word in line.split() if word.isascii()]
    names = [name for name in _commands() if f"{line} ".startswith(f"{name} ") or name.startswith(f"{line} ")]
    assert names, f"{place}: no such command: {line}"
    options = {word.partition("=")[0] for word in words if word.startswith("-")}
    known = frozenset[str]().union(*(_commands()[name].options for name in names))
    assert set() == options - known - {"--help", "--config"}, place


def test_dev_commands_in_the_documentation_exist() -> None:
    known = set(re.findall(r"^([a-z]+)\(\) \{", (ROOT / "dev").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"\./dev ([a-z]+)", page.read_text())}
    assert {"demo", "test"} <= named
    assert set() == named - known


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page: Path) -> None:
    without_code = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not target.startswith("https://") and not (
            file.exists() and (not anchor or (file.suffix == ".md" and anchor in _anchors(file)))
        ):
            broken.append(target)
    assert [] == broken


# ── nothing is left out ───────────────────────────────────────────────────────────────────────


def _unnamed(page: str, words: set[str]) -> set[str]:
    """Which of the words do not stand as code on a page."""
    text = (ROOT / "docs" / page).read_text()
    code = " ".join([*re.findall(r"```.*?```", text, re.DOTALL), *re.findall(r"`([^`\n]+)`", text)])
    return words - set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", code))


def _setting_names(model: type[BaseModel]) -> set[str]:
    names = set()
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        names |= {name} | (_setting_names(type(default)) if isinstance(default, BaseModel) else set())
    return names


def test_parts_that_come_from_the_code_are_up_to_date() -> None:
    assert 0 == _generate().main(check=True), "run ./dev docs"


def test_every_word_of_recipes_is_explained() -> None:
    actions.load_all()
    keys = RECIPE_KEYS | {field.alias or name for name, field in Common.model_fields.items()}
    fields = {field.alias or name for kind in Action.kinds.values() for name, field in kind.model_fields.items()}
    assert set() == _unnamed("recipes.md", {*keys, *fields, *Action.kinds, *OPERATORS})


def test_every_outcome_and_state_is_explained() -> None:
    assert set() == _unnamed("explain.md", {*REASONS, *State})


def test_every_setting_is_explained() -> None:
    actions.load_all()
    of_destinations = {name for kind in Destination.kinds.values() for name in kind.model_fields}
    of_feeds = {name for feed in Feed.kinds.values() for name in feed.model_fields}
    assert set() == _unnamed("configuration.md", {*_setting_names(Settings), *of_destinations, *of_feeds})


def test_every_command_is_explained() -> None:
    text = (ROOT / "docs/cli.md").read_text()
    assert [] == [name for name in _commands() if f"### {name}\n" not in text]


def test_every_line_of_the_log_is_explained() -> None:
    said = re.compile(r'\blog\.\w+\((?:[^"()]*,\s*)?\s*"([a-z]+\.[a-z_]+)')
    lines = {name for module in (ROOT / "connector").rglob("*.py") for name in said.findall(module.read_text())}
    assert {"feed.failed", "destination.parked"} <= lines
    text = (ROOT / "docs/operating.md").read_text()
    assert set() == {name for name in lines if f"`{name}`" not in text}
