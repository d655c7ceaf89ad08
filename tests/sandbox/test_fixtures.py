"""The JSON bodies of the platforms' pages: all there, all parse, integers exact."""

import json
from decimal import Decimal
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

    value = json.loads(text, parse_int=integer)
    assert value == msgspec.json.decode(text)
    assert printed == [str(number) for number in integers(value)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_fraction_is_more_exact_than_a_double(file: Path) -> None:
    fractions: list[str] = []
    json.loads(file.read_text(), parse_float=lambda figures: fractions.append(figures) or Decimal(figures))
    assert fractions == [str(float(figures)) for figures in fractions]


def test_some_ids_are_past_what_a_double_holds() -> None:
    largest = max(number for file in FILES for number in integers(json.loads(file.read_text())))
    assert int(float(largest)) != largest


def integers(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [number for member in value.values() for number in integers(member)]
    if isinstance(value, list):
        return [number for member in value for number in integers(member)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []
