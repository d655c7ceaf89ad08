"""The shape of the house: what the linters cannot see."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(file for file in (ROOT / "connector").rglob("*.py") if "versions" not in file.relative_to(ROOT).parts)
LONGEST = 400

# Put together, so that this file does not mention what no file may.
OUTSIDE = ("../" + "shared", "/wo" + "rk/", "/ro" + "ot/", "py" + "pi.org", "python" + "hosted", "index" + "-url")
TEXTS = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".ini", ".json", ".mako", ".service", ""}


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _own_files() -> Iterator[Path]:
    """Every text of the project, but what tools and builds leave behind."""
    for place in sorted(ROOT.iterdir()):
        if place.name == ".ci" or not (place.name.startswith(".") or place.name in {"build", "dist", "htmlcov"}):
            yield from (place.rglob("*") if place.is_dir() else [place])


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_a_module_is_short_and_says_what_lives_in_it(module: Path) -> None:
    text = module.read_text()
    assert text.count("\n") <= LONGEST, f"{_name(module)} is too long: split it by what it is about"
    assert ast.get_docstring(ast.parse(text)), f"{_name(module)} has no docstring"


def test_one_module_chooses_the_sqlite() -> None:
    importers = {
        _name(module)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        if name.split(".")[0] in {"sqlite3", "pysqlite3"}
    }
    assert {"connector/store/driver.py"} == importers


def test_nothing_points_outside_the_project() -> None:
    pointing = [
        f"{_name(file)}: {word}"
        for file in _own_files()
        if file.is_file() and file.suffix in TEXTS and "__pycache__" not in file.parts
        for word in OUTSIDE
        if word in file.read_text(errors="replace")
    ]
    assert [] == pointing


def test_every_dependency_is_pinned() -> None:
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    lines = [line for line in constraints if line and not line.startswith("#")]
    assert [] == [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)]
    pinned = {re.sub(r"[._-]+", "-", line.split("==")[0]).lower() for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.sub(r"[._-]+", "-", re.split(r"[^A-Za-z0-9._-]", line)[0]).lower() for line in needed}
    assert set() == names - pinned


def test_dev_lists_each_of_its_commands() -> None:
    text = (ROOT / "dev").read_text()
    commands = re.findall(r"^([a-z]+)\(\) \{(.*)$", text, re.MULTILINE)
    assert {"demo", "test", "check"} <= {name for name, _ in commands}
    assert [name for name, said in commands if not said.startswith("  # ")] == []
