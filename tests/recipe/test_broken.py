"""What the messages of broken recipes say, and where they point. The cases stand in `broken.txt`."""

from pathlib import Path

import pytest

from connector.errors import ConfigurationError
from connector.recipe.parse import parse
from tests.recipe.samples import KNOWN

SECTIONS = [part.split("\n", 1) for part in (Path(__file__).parent / "broken.txt").read_text().split("=== ")[1:]]


@pytest.mark.parametrize("text", [text for _, text in SECTIONS], ids=[name for name, _ in SECTIONS])
def test_a_broken_recipe_says_what_to_mend_and_where(text: str) -> None:
    lines = text.split("\n")
    expected = [line[2:].strip() for line in lines if line.startswith("> ")]
    source = "\n".join(line for line in lines if not line.startswith("> "))
    try:
        found = list(parse(source, "r.yaml", KNOWN).warnings)
    except ConfigurationError as error:
        found = error.mistakes
    assert expected == [str(mistake).removeprefix("r.yaml:").strip() for mistake in found]


def test_there_are_enough_of_them() -> None:
    assert len(SECTIONS) >= 60
