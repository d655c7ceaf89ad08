"""What the messages of broken recipes say, and where they point. The cases stand in `broken.txt`."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigurationError, Mistake
from connector.recipe.parse import parse
from connector.replay import run_tests
from tests.recipe.samples import KNOWN, LARGE, SMALL

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


PIECES = st.sampled_from(
    [
        "",
        "\n",
        " ",
        ":",
        "- ",
        "[",
        "]",
        "{",
        "}",
        '"',
        "#",
        "null",
        "5",
        "-",
        "{{ x }}",
        "{{",
        "*",
        "&a",
        "!",
        "properties.",
    ]
)


@given(st.sampled_from([SMALL, LARGE]), st.data())
def test_whatever_is_broken_is_told_as_a_mistake(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        text = text[:start] + data.draw(PIECES) + text[end:]
    found: list[Mistake] = []
    try:
        run_tests(parse(text, "r.yaml", KNOWN))
    except ConfigurationError as error:
        found = error.mistakes
    assert all(0 <= mistake.line <= text.count("\n") + 1 for mistake in found)


def test_there_are_enough_of_them() -> None:
    assert len(SECTIONS) >= 60
