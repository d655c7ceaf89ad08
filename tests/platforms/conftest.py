"""Two connections as a configuration has them, and how their requests leave."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from connector.settings import Connection
from tests.platforms.samples import connections

Make: TypeAlias = Callable[..., Connection]


@pytest.fixture
def intilery(tmp_path: Path) -> Connection:
    return connections(tmp_path)["intilery"]


@pytest.fixture
def intempt(tmp_path: Path) -> Connection:
    return connections(tmp_path)["intempt"]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a connection with other keys than the usual ones."""

    def made(platform: str, **more: Any) -> Connection:
        return connections(tmp_path, **{platform: more})[platform]

    return made
