"""Destinations as the configuration describes them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.actions import Destination
from connector.settings import load

Make = Callable[..., Destination]


@pytest.fixture
def destination(tmp_path: Path) -> Make:
    """The destination that one line of YAML describes, with these variables in the environment."""

    def make(line: str, **environ: str) -> Destination:
        (tmp_path / "recipes").mkdir(exist_ok=True)
        file = tmp_path / "connector.yaml"
        file.write_text(f"destinations:\n  here: {line}\n")
        return Destination.read(load(file, environ).destinations["here"])

    return make
