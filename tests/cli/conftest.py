"""The folder that the commands are tried in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.house import CANARY, CONFIGURATION, DOTENV, RECIPE, House


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    """The folder, with the working directory in it."""
    monkeypatch.chdir(tmp_path)
    made = House(tmp_path, capsys)
    made.write("connector.yaml", CONFIGURATION)
    made.write(".env", DOTENV)
    made.write("recipes/trial-click.yaml", RECIPE)
    yield made
    left = [file for file in tmp_path.glob("connector.db*") if CANARY.encode() in file.read_bytes()]
    assert [] == left, "a secret value stands in the database"
