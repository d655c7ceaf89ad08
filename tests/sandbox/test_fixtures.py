"""The JSON bodies of the platforms' pages: all there, all parse, integers exact."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

FOLDER = Path(__file__).parent.parent / "fixtures"
FILES = sorted(FOLDER.rglob("*.json"))


def test_the_table_names_every_file() -> None:
    rows = [line.split("|")[1].strip() for line in (FOLDER / "README.md").read_text().splitlines() if ".json" in line]
    assert sorted(rows) == [str(file.relative_to(FOLDER)) for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_body_parses_with_exact_integers(file: Path) -> None:
    text = file.read_text()
    printed: list[str] = []

    def integer(figures: str) -> int:
        printed.append(figures)
        return int(figures)

    value = json.loads(text, parse_int=integer, parse_float=refuse)
    assert value == msgspec.json.decode(text)
    assert printed == [str(number) for number in integers(value)]


def refuse(figures: str) -> float:
    raise AssertionError(f"{figures}: the pages print no fractions")


def integers(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [number for member in value.values() for number in integers(member)]
    if isinstance(value, list):
        return [number for member in value for number in integers(member)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []
