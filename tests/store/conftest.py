"""A real database in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.store.database import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/connector.db").open()
    yield opened
    opened.close()
